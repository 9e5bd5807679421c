//! The data key, which is sealed with the operator's secret, and changes of that secret.
//!
//! During a change the data key is stored twice, sealed once with the old and once with the new secret, and either
//! opens the store. Opening it with the new secret removes the copy for the old one.

use super::open::{OpenError, SCHEMA};
use super::{OpenDatabase, Store, StoreError, census};
use crate::base::secrets::{RootSecret, SealError, Vault, random_bytes};

const LAYOUT: &str = "schema";
const KEY: &str = "data_key";
const NEXT: &str = "data_key_next";

/// Why a secret was not changed. The text is for the operator; the old secret still works.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    #[error("the secret that was given is not the one that seals the store")]
    WrongSecret,
    #[error("the store is not prepared for this secret; run rotate-secret again")]
    NotPrepared,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenDatabase {
    fn meta(&self) -> Result<sled::Tree, sled::Error> {
        self.db.open_tree("meta")
    }

    fn change(&self, batch: sled::Batch) -> Result<(), StoreError> {
        let failed = |e: &dyn std::fmt::Display| StoreError::NotWritten(e.to_string());
        let meta = self.meta().map_err(|e| failed(&e))?;
        meta.apply_batch(batch).map_err(|e| failed(&e))?;
        self.durable().map_err(|e| failed(&e))
    }

    fn stored(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.meta().and_then(|meta| meta.get(name));
        let found = found.map_err(|e| StoreError::NotRead(e.to_string()))?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// Makes a small durable write that changes no record.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert("probe", &random_bytes::<16>());
        self.change(batch)
    }

    /// The layout, and the sealed data key.
    pub(super) fn keys(&self) -> Result<(u8, Vec<u8>), StoreError> {
        let key = self.stored(KEY)?;
        let key = key.ok_or_else(|| StoreError::NotRead("it has no data key".into()))?;
        let layout = self.stored(LAYOUT)?.and_then(|layout| layout.first().copied());
        Ok((layout.unwrap_or(SCHEMA), key))
    }

    /// Writes the layout and the sealed data key, and ends a change of the secret.
    pub(super) fn put_keys(&self, layout: u8, key: Vec<u8>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert(LAYOUT, &[layout]);
        batch.insert(KEY, key);
        batch.remove(NEXT);
        self.change(batch)
    }

    /// Unseals the data key; creates it at the first start. Errors: see [`OpenError`].
    pub(super) fn unlock(&self, path: &std::path::Path, secret: &RootSecret) -> Result<Vault, OpenError> {
        let path = || path.to_owned();
        let refused = |e: &dyn std::fmt::Display| OpenError::Disk {
            path: path(),
            reason: e.to_string(),
        };
        let found = self.stored(LAYOUT).map_err(|e| refused(&e))?;
        if let Some(found) = found.and_then(|found| found.first().copied())
            && found > SCHEMA
        {
            return Err(OpenError::Newer { path: path(), found });
        }
        let Some(key) = self.stored(KEY).map_err(|e| refused(&e))? else {
            // A new key would make all remaining records unreadable.
            if census::was_used(&path()) || !self.tree.is_empty() {
                return Err(OpenError::Damaged {
                    path: path(),
                    reason: "its data key is missing".to_owned(),
                });
            }
            let (vault, key) = Vault::create(secret).map_err(|e| refused(&e))?;
            self.put_keys(SCHEMA, key).map_err(|e| refused(&e))?;
            return Ok(vault);
        };
        match Vault::unwrap(secret, &key) {
            Ok(vault) => return Ok(vault),
            Err(SealError::Refused) => return Err(refused(&SealError::Refused)),
            Err(SealError::NotOurs) => {}
        }
        // The secret may be the new one of an unfinished change.
        let next = self.stored(NEXT).map_err(|e| refused(&e))?;
        let vault = next.and_then(|next| Some((Vault::unwrap(secret, &next).ok()?, next)));
        let Some((vault, next)) = vault else {
            return Err(OpenError::WrongSecret(path()));
        };
        self.put_keys(SCHEMA, next).map_err(|e| refused(&e))?;
        tracing::info!("secret.changed");
        Ok(vault)
    }
}

impl Store {
    /// Prepares a change of the secret: from now on, either secret opens the store. Durable when it returns. Errors:
    /// `current` does not open it.
    pub async fn prepare_secret(&self, current: RootSecret, new: RootSecret) -> Result<(), RotateError> {
        self.alone(move |core, _| {
            let opened = core.opened()?;
            let (layout, key) = opened.keys()?;
            if Vault::unwrap(&current, &key).is_err() {
                // An earlier change was not finished, and its new secret is now the current one.
                let prepared = opened.stored(NEXT)?;
                let prepared = prepared.filter(|next| Vault::unwrap(&current, next).is_ok());
                opened.put_keys(layout, prepared.ok_or(RotateError::WrongSecret)?)?;
            }
            let next = core.vault.wrap(&new).map_err(|_| RotateError::WrongSecret)?;
            let mut batch = sled::Batch::default();
            batch.insert(NEXT, next);
            Ok(opened.change(batch)?)
        })
        .await?
    }

    /// Finishes a change of the secret: from now on, only `new` opens the store. May be repeated. Errors: the change
    /// was not prepared.
    pub async fn settle_secret(&self, new: RootSecret) -> Result<(), RotateError> {
        self.alone(move |core, _| {
            let opened = core.opened()?;
            let (layout, key) = opened.keys()?;
            if Vault::unwrap(&new, &key).is_ok() {
                return Ok(());
            }
            let next = opened.stored(NEXT)?.ok_or(RotateError::NotPrepared)?;
            Vault::unwrap(&new, &next).map_err(|_| RotateError::NotPrepared)?;
            Ok(opened.put_keys(layout, next)?)
        })
        .await?
    }
}
