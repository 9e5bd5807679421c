//! Records with a binary form instead of JSON, for large amounts of data. They are sealed, versioned and limited in
//! size like all records.

use std::ops::Bound;
use std::sync::Arc;

use super::tx::TxChanges;
use super::{MAX_VALUE_BYTES, Store, StoreError, Table, Tx, belongs_to, full_key, not_read};
use crate::base::secrets::Vault;

pub trait Packed: Sized {
    /// A table that no [`super::Record`] uses.
    const TABLE: Table;
    /// The version that this program writes.
    const VERSION: u8 = 1;

    fn pack(&self) -> Vec<u8>;

    /// Decodes bytes of `version`; `None` if they are not a valid record.
    fn unpack(version: u8, bytes: &[u8]) -> Option<Self>;
}

impl Store {
    /// The record with this key.
    pub fn find_packed<P: Packed>(&self, key: &[u8]) -> Result<Option<P>, StoreError> {
        let at = full_key(P::TABLE, key);
        let value = self.core.tree()?.get(&at).map_err(not_read)?;
        value
            .map(|value| decode(&self.core.vault, &at, &value))
            .transpose()
    }

    /// All records with keys from `from` to `to` inclusive, ascending. They are preceded by the last record below
    /// `from` (if its key begins with `prefix`), because a block that begins before a range may extend into it.
    pub fn range_packed<P: Packed>(
        &self,
        prefix: &[u8],
        from: &[u8],
        to: &[u8],
    ) -> Result<Vec<P>, StoreError> {
        let tree = self.core.tree()?;
        let (prefix, from, to) = (
            full_key(P::TABLE, prefix),
            full_key(P::TABLE, from),
            full_key(P::TABLE, to),
        );
        let before = tree.get_lt(&from).map_err(not_read)?;
        let mut found = Vec::new();
        if let Some((at, value)) = before.filter(|(at, _)| at.starts_with(&prefix)) {
            found.push(decode(&self.core.vault, &at, &value)?);
        }
        for entry in tree.range(from..=to) {
            let (at, value) = entry.map_err(not_read)?;
            found.push(decode(&self.core.vault, &at, &value)?);
        }
        Ok(found)
    }
}

impl Tx<'_> {
    /// The record with the highest key that is at most `key` and begins with `prefix`, and that key.
    pub fn last_packed<P: Packed>(
        &self,
        prefix: &[u8],
        key: &[u8],
    ) -> Result<Option<(Vec<u8>, P)>, StoreError> {
        let (prefix, mut below) = (full_key(P::TABLE, prefix), full_key(P::TABLE, key));
        let mut including = true;
        loop {
            let kept = if including {
                self.tree.range(..=below.clone()).next_back().transpose()
            } else {
                self.tree.get_lt(&below)
            };
            let kept = kept.map_err(not_read)?;
            let changed = |changes: &TxChanges| {
                let end = if including {
                    Bound::Included(below.clone())
                } else {
                    Bound::Excluded(below.clone())
                };
                let last = changes.range((Bound::Unbounded, end)).next_back();
                last.map(|(at, value)| (at.clone(), value.clone()))
            };
            let mut best = kept.map(|(at, value)| (at.to_vec(), Some(value.to_vec())));
            // Later changes win.
            for (at, value) in [self.before, &self.changes].into_iter().filter_map(changed) {
                if best.as_ref().is_none_or(|(best, _)| at >= *best) {
                    best = Some((at, value));
                }
            }
            let Some((at, value)) = best.filter(|(at, _)| at.starts_with(&prefix)) else {
                return Ok(None);
            };
            let Some(value) = value else {
                // This record was removed, so look at the one before it.
                (below, including) = (at, false);
                continue;
            };
            let skip = P::TABLE.0.len() + 1;
            let found = decode(self.vault, &at, &value)?;
            return Ok(Some((at.get(skip..).unwrap_or_default().to_vec(), found)));
        }
    }

    /// The lowest key that is at least `key` and begins with `prefix`.
    pub fn next_packed_key<P: Packed>(
        &self,
        prefix: &[u8],
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (prefix, from) = (full_key(P::TABLE, prefix), full_key(P::TABLE, key));
        let changed = |at: &Vec<u8>| self.changes.get(at).or_else(|| self.before.get(at));
        let mut next: Option<Vec<u8>> = None;
        for entry in self.tree.range(from.clone()..).keys() {
            let at = entry.map_err(not_read)?.to_vec();
            // Skip records that this group of writes has removed.
            if changed(&at).is_none_or(Option::is_some) {
                next = Some(at);
                break;
            }
        }
        for changes in [self.before, &self.changes] {
            let added = changes.range(from.clone()..).map(|(at, _)| at);
            let first = added
                .into_iter()
                .find(|at| changed(at).is_some_and(Option::is_some));
            next = next.into_iter().chain(first.cloned()).min();
        }
        let skip = P::TABLE.0.len() + 1;
        Ok(next
            .filter(|at| at.starts_with(&prefix))
            .map(|at| at.get(skip..).unwrap_or_default().to_vec()))
    }

    /// Stores a record. Errors: [`StoreError::TooLarge`].
    pub fn put_packed<P: Packed>(&mut self, key: &[u8], record: &P) -> Result<(), StoreError> {
        let (at, name) = (full_key(P::TABLE, key), P::TABLE.0);
        let plain = record.pack();
        if plain.len() > MAX_VALUE_BYTES {
            return Err(StoreError::TooLarge(name, plain.len()));
        }
        let sealed = self.vault.seal(&belongs_to(&at, P::VERSION), &plain);
        let sealed = sealed.map_err(|e| StoreError::Sealed(name, Arc::new(e)))?;
        let mut value = Vec::with_capacity(sealed.len() + 1);
        value.push(P::VERSION);
        value.extend_from_slice(&sealed);
        self.changes.insert(at, Some(value));
        Ok(())
    }

    /// Removes all records whose key begins with `prefix`. Returns their number.
    pub fn remove_packed<P: Packed>(&mut self, prefix: &[u8]) -> Result<usize, StoreError> {
        let from = full_key(P::TABLE, prefix);
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for entry in self.tree.scan_prefix(&from).keys() {
            keys.push(entry.map_err(not_read)?.to_vec());
        }
        for changes in [self.before, &self.changes] {
            let ours = changes
                .range(from.clone()..)
                .take_while(|(at, _)| at.starts_with(&from));
            keys.extend(ours.map(|(at, _)| at.clone()));
        }
        let removed = keys.len();
        self.changes.extend(keys.into_iter().map(|at| (at, None)));
        Ok(removed)
    }
}

fn decode<P: Packed>(vault: &Vault, at: &[u8], value: &[u8]) -> Result<P, StoreError> {
    let name = P::TABLE.0;
    let (&version, sealed) = value
        .split_first()
        .ok_or_else(|| StoreError::Shape(name, "an empty value".into()))?;
    if version > P::VERSION {
        return Err(StoreError::Newer(name, version));
    }
    let plain = vault
        .open(&belongs_to(at, version), sealed)
        .map_err(|e| StoreError::Sealed(name, Arc::new(e)))?;
    P::unpack(version, &plain).ok_or_else(|| StoreError::Shape(name, "bytes that can't be read".into()))
}
