//! The data key, sealed by the operator's secret, and how that secret is changed.
//!
//! While a secret is changed the data key is there twice: sealed by the old one and by the new. Whichever secret the
//! next start finds opens the store; when it is the new one, the other goes.

use super::open::{OpenError, SCHEMA};
use super::{Opened, Store, StoreError};
use crate::base::secrets::{RootSecret, SealError, Vault};

const LAYOUT: &str = "schema";
const KEY: &str = "data_key";
const NEXT: &str = "data_key_next";

/// Why a secret was not changed. All are for the operator; the old one goes on to work.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The old one is not the old one.
    #[error("the secret that was given is not the one that seals the store")]
    WrongSecret,
    /// Nothing was prepared for it.
    #[error("the store is not prepared for this secret; run rotate-secret again")]
    NotPrepared,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Opened {
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

    /// The layout, and the data key as it is sealed.
    pub(super) fn keys(&self) -> Result<(u8, Vec<u8>), StoreError> {
        let key = self.stored(KEY)?;
        let key = key.ok_or_else(|| StoreError::NotRead("it has no data key".into()))?;
        let layout = self.stored(LAYOUT)?.and_then(|layout| layout.first().copied());
        Ok((layout.unwrap_or(SCHEMA), key))
    }

    /// Writes the data key as it is sealed now, and nothing else: for a store that is made.
    pub(super) fn put_keys(&self, layout: u8, key: Vec<u8>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert(LAYOUT, &[layout]);
        batch.insert(KEY, key);
        batch.remove(NEXT);
        self.change(batch)
    }

    /// The data key: made on the first start, unsealed on every other. Errors: see [`OpenError`].
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
            let (vault, key) = Vault::create(secret).map_err(|e| refused(&e))?;
            self.put_keys(SCHEMA, key).map_err(|e| refused(&e))?;
            return Ok(vault);
        };
        match Vault::unwrap(secret, &key) {
            Ok(vault) => return Ok(vault),
            Err(SealError::Refused) => return Err(refused(&SealError::Refused)),
            Err(SealError::NotOurs) => {}
        }
        // Perhaps the secret was being changed, and this is the new one.
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
    /// Prepares a change of the secret: from now on both open the store. Durable when it returns.
    /// Errors: `current` does not open it.
    pub async fn prepare_secret(&self, current: RootSecret, new: RootSecret) -> Result<(), RotateError> {
        self.alone(move |core, _| {
            let opened = core.opened()?;
            let (layout, key) = opened.keys()?;
            if Vault::unwrap(&current, &key).is_err() {
                // A change that was not ended has put it into its place before.
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

    /// Ends a change of the secret: from now on only `new` opens the store. It may have ended already.
    /// Errors: it was not prepared.
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
