//! A unit of work: a transaction. Its reads see its own writes and those of earlier units in the same group.

use std::collections::BTreeMap;

use super::{Record, StoreError, decode, encode, full_key, not_read};
use crate::base::secrets::Vault;

/// Changes by full key; `None` removes the record.
pub(super) type TxChanges = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A unit of work on the writer thread; see [`super::Store::atomic`].
pub struct Tx<'a> {
    pub(super) vault: &'a Vault,
    pub(super) tree: &'a sled::Tree,
    /// Changes of earlier units in the same group: not written yet, but made durable together with this unit.
    pub(super) before: &'a TxChanges,
    pub(super) changes: TxChanges,
}

impl Tx<'_> {
    pub fn find<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        let at = full_key(R::TABLE, key);
        if let Some(changed) = self.changes.get(&at).or_else(|| self.before.get(&at)) {
            return changed
                .as_ref()
                .map(|value| decode(self.vault, &at, value))
                .transpose();
        }
        let found = self.tree.get(&at).map_err(not_read)?;
        found.map(|value| decode(self.vault, &at, &value)).transpose()
    }

    /// All records whose key begins with `prefix`, with their keys, ascending.
    pub fn list<R: Record>(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
        let from = full_key(R::TABLE, prefix);
        let mut values = BTreeMap::new();
        for entry in self.tree.scan_prefix(&from) {
            let (at, value) = entry.map_err(not_read)?;
            values.insert(at.to_vec(), Some(value.to_vec()));
        }
        for changes in [self.before, &self.changes] {
            let ours = changes
                .range(from.clone()..)
                .take_while(|(at, _)| at.starts_with(&from));
            values.extend(ours.map(|(at, value)| (at.clone(), value.clone())));
        }
        let skip = R::TABLE.0.len() + 1;
        values
            .into_iter()
            .filter_map(|(at, value)| Some((at, value?)))
            .map(|(at, value)| {
                Ok((
                    at.get(skip..).unwrap_or_default().to_vec(),
                    decode(self.vault, &at, &value)?,
                ))
            })
            .collect()
    }

    /// Stores a record. Errors: [`StoreError::TooLarge`].
    pub fn put<R: Record>(&mut self, key: &[u8], record: &R) -> Result<(), StoreError> {
        let at = full_key(R::TABLE, key);
        let value = encode(self.vault, &at, record)?;
        self.changes.insert(at, Some(value));
        Ok(())
    }

    pub fn remove<R: Record>(&mut self, key: &[u8]) {
        self.changes.insert(full_key(R::TABLE, key), None);
    }
}
