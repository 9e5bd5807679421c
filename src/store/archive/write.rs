//! Writes a backup, part by part, while the store goes on writing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::super::moment::Moment;
use super::super::{Store, StoreError};
use super::format::{END, Head, MARK, RECORDS, part_of};
use crate::base::secrets::{Vault, random_id, sha256};

/// Yields the bytes of a backup, piece by piece. Writes made after it begins are not included.
pub struct Backup {
    moment: Moment,
    vault: Vault,
    head: Option<Vec<u8>>,
    id: [u8; 32],
    parts: u64,
    records: u64,
    ended: bool,
}

impl Store {
    /// Begins a backup of the current contents. Errors: [`StoreError::Busy`] while another backup is running.
    pub fn backup(&self, now: Timestamp) -> Result<Backup, StoreError> {
        let moment = self.moment()?;
        let (schema, data_key) = self.core.opened()?.keys()?;
        let head = Head {
            id: random_id(""),
            program: env!("CARGO_PKG_VERSION").into(),
            made_at: now,
            schema,
            data_key: STANDARD.encode(data_key),
        };
        let json = serde_json::to_vec(&head).map_err(|e| StoreError::NotRead(e.to_string()))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let bytes = [&MARK[..], &length.to_le_bytes(), &json].concat();
        Ok(Backup {
            moment,
            vault: self.core.vault.clone(),
            id: sha256(&bytes),
            head: Some(bytes),
            parts: 0,
            records: 0,
            ended: false,
        })
    }
}

impl Backup {
    pub fn records(&self) -> u64 {
        self.records
    }

    fn part(&mut self) -> Result<Vec<u8>, StoreError> {
        let entries = self.moment.next()?;
        let mut plain = Vec::with_capacity(96 * 1024);
        if entries.is_empty() {
            self.ended = true;
            plain.push(END);
            plain.extend_from_slice(&self.records.to_le_bytes());
        } else {
            plain.push(RECORDS);
            self.records += entries.len() as u64;
            for bytes in entries.iter().flat_map(|(key, value)| [key, value]) {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                plain.extend_from_slice(&length.to_le_bytes());
                plain.extend_from_slice(bytes);
            }
        }
        let sealed = self.vault.seal(&part_of(&self.id, self.parts), &plain);
        let sealed = sealed.map_err(|e| StoreError::NotRead(e.to_string()))?;
        self.parts += 1;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        Ok([&length.to_le_bytes()[..], &sealed].concat())
    }
}

impl Iterator for Backup {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(head) = self.head.take() {
            return Some(Ok(head));
        }
        if self.ended {
            return None;
        }
        let part = self.part();
        self.ended |= part.is_err();
        Some(part)
    }
}
