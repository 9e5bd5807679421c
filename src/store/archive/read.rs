//! Reads a backup and verifies it in the same pass.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::moment::Entries;
use super::super::{Kind, belongs_to, open};
use super::format::{
    ArchiveError, Contents, END, Head, MARK, MAX_HEAD_BYTES, MAX_PART_BYTES, RECORDS, part_of,
};
use crate::base::secrets::{RootSecret, SealError, Vault, sha256};

/// A backup that is being read. Each part is authenticated, but only the end proves that no record is missing.
pub struct Archive<R> {
    from: R,
    head: Head,
    vault: Vault,
    id: [u8; 32],
    parts: u64,
    records: u64,
    bytes: u64,
}

impl<R: Read> Archive<R> {
    /// Reads the mark and the head, and opens the data key with `secret`.
    pub fn open(mut from: R, secret: &RootSecret) -> Result<Self, ArchiveError> {
        let mut mark = [0; MARK.len()];
        from.read_exact(&mut mark).map_err(|_| ArchiveError::NotOurs)?;
        let (ours, version) = MARK.split_at(MARK.len() - 2);
        if !mark.starts_with(ours) {
            return Err(ArchiveError::NotOurs);
        }
        if !mark.ends_with(version) {
            return Err(ArchiveError::Newer("another kind of file".into()));
        }
        let mut bytes = mark.len() as u64;
        let json = read_part(&mut from, &mut bytes, MAX_HEAD_BYTES)?;
        let head: Head = serde_json::from_slice(&json).map_err(|_| ArchiveError::Damaged(0, bytes))?;
        if head.schema > open::SCHEMA {
            return Err(ArchiveError::Newer(head.program));
        }
        let sealed_key = STANDARD.decode(&head.data_key);
        let sealed_key = sealed_key.map_err(|_| ArchiveError::Damaged(0, bytes))?;
        let vault = Vault::unwrap(secret, &sealed_key).map_err(|e| match e {
            SealError::NotOurs => ArchiveError::WrongSecret(head.made_at),
            SealError::Refused => ArchiveError::Damaged(0, bytes),
        })?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        let id = sha256(&[&mark[..], &length.to_le_bytes(), &json].concat());
        Ok(Self {
            from,
            head,
            vault,
            id,
            parts: 0,
            records: 0,
            bytes,
        })
    }

    /// The head. It is not authenticated until the first part has been read.
    pub fn head(&self) -> &Head {
        &self.head
    }

    pub(in crate::store) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The number of bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next records; `None` at the authenticated end.
    pub(in crate::store) fn next(&mut self) -> Result<Option<Entries>, ArchiveError> {
        // Only the first part proves that the head is intact.
        let began = if self.parts == 0 { 0 } else { self.bytes };
        let sealed = read_part(&mut self.from, &mut self.bytes, MAX_PART_BYTES)?;
        let plain = self.vault.open(&part_of(&self.id, self.parts), &sealed);
        let plain = plain.map_err(|_| ArchiveError::Damaged(began, self.bytes))?;
        self.parts += 1;
        match plain.split_first() {
            Some((&RECORDS, rest)) => {
                let entries = entries(rest).ok_or(ArchiveError::Damaged(began, self.bytes))?;
                self.records += entries.len() as u64;
                Ok(Some(entries))
            }
            Some((&END, rest)) if rest == self.records.to_le_bytes() => {
                match self.from.read(&mut [0])? {
                    0 => Ok(None),
                    // There is data after the end.
                    _ => Err(ArchiveError::Damaged(self.bytes, self.bytes + 1)),
                }
            }
            _ => Err(ArchiveError::Damaged(began, self.bytes)),
        }
    }

    /// Reads the whole backup, decrypts every record, and passes each part to `each`. `kinds` are the tables that
    /// this program knows. `told` is called with the number of bytes read so far.
    pub(in crate::store) fn check(
        mut self,
        kinds: &[Kind],
        told: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(Entries) -> Result<(), ArchiveError>,
    ) -> Result<Contents, ArchiveError> {
        let mut contents = Contents::default();
        while let Some(entries) = self.next()? {
            for (at, value) in &entries {
                let table = self.check_record(kinds, at, value)?;
                *contents.tables.entry(table).or_default() += 1;
            }
            each(entries)?;
            told(self.bytes);
        }
        contents.records = self.records;
        contents.bytes = self.bytes;
        Ok(contents)
    }

    /// Checks that a record can be decrypted and has a version that this program knows. Returns its table.
    fn check_record(&self, kinds: &[Kind], at: &[u8], value: &[u8]) -> Result<String, ArchiveError> {
        let table = at.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(table).into_owned();
        let Some((&version, sealed)) = value.split_first() else {
            return Err(ArchiveError::Record(name));
        };
        let known = kinds.iter().find(|kind| kind.table.as_bytes() == table);
        if known.is_none_or(|known| version > known.version) {
            return Err(ArchiveError::Newer(self.head.program.clone()));
        }
        match self.vault.open(&belongs_to(at, version), sealed) {
            Ok(_) => Ok(name),
            Err(_) => Err(ArchiveError::Record(name)),
        }
    }

    /// Reads the whole backup and decrypts every record.
    pub fn verify(self, kinds: &[Kind], told: &mut dyn FnMut(u64)) -> Result<Contents, ArchiveError> {
        self.check(kinds, told, &mut |_| Ok(()))
    }
}

/// Reads a length and that many bytes, and adds them to `so_far`.
fn read_part(from: &mut impl Read, so_far: &mut u64, most: u32) -> Result<Vec<u8>, ArchiveError> {
    let began = *so_far;
    let length = read_bytes(from, so_far, 4)?;
    let length = length.try_into().map_or(0, u32::from_le_bytes);
    if length > most {
        return Err(ArchiveError::Damaged(began, *so_far));
    }
    read_bytes(from, so_far, length)
}

/// Reads `n` bytes, and adds what is there to `so_far`.
fn read_bytes(from: &mut impl Read, so_far: &mut u64, n: u32) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::with_capacity(usize::try_from(n).unwrap_or(0));
    from.take(n.into()).read_to_end(&mut bytes)?;
    *so_far += bytes.len() as u64;
    if bytes.len() as u64 == u64::from(n) {
        Ok(bytes)
    } else {
        Err(ArchiveError::Cut(*so_far))
    }
}

/// Decodes keys and values, each after its length.
fn entries(mut from: &[u8]) -> Option<Entries> {
    let mut next = || -> Option<Vec<u8>> {
        let (length, rest) = from.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        from = rest;
        Some(bytes.to_vec())
    };
    let mut entries = Entries::new();
    while let Some(key) = next() {
        entries.push((key, next()?));
    }
    from.is_empty().then_some(entries)
}
