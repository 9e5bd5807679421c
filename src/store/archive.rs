//! A backup: the whole store at one moment as one stream of bytes, sealed and authenticated as a whole.
//!
//! | part | bytes |
//! |---|---|
//! | mark | `garmin-gateway backup 1` and a line feed |
//! | head | its length (4 bytes, little-endian), then JSON: program, time, layout, the data key as the secret seals it |
//! | part | its length (4 bytes), then sealed by the data key: `0`, then key and value of each record, each with its length |
//! | … | |
//! | end | the same, sealed: `1`, then how many records there were (8 bytes) |
//!
//! Each part is sealed to the hash of mark and head and to its number, so nothing can be cut off, moved or taken from
//! another backup unnoticed. Values are as they are stored: sealed once more, each to its own key. The secret that
//! opens the data key is not in it.

mod read;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::read::Archive;
pub use self::write::Backup;

const MARK: &[u8; 24] = b"garmin-gateway backup 1\n";

/// No head is longer.
const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// No part is longer: what is read at once, one value more, and the seal.
const MAX_PART_BYTES: u32 = 1 << 20;

const RECORDS: u8 = 0;
const END: u8 = 1;

/// What a backup says of itself before anything is opened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Makes each backup another one.
    id: String,
    /// The version of the program that made it.
    pub program: String,
    /// The moment that it holds.
    pub made_at: Timestamp,
    /// The layout of the store.
    pub(in crate::store) schema: u8,
    /// The data key, sealed by the secret.
    pub(in crate::store) data_key: String,
}

/// Why a backup can't be read; nothing was changed. All are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file is something else.
    #[error("it is no backup of garmin-gateway")]
    NotOurs,
    /// Made by a later program.
    #[error("it was made by a newer garmin-gateway ({0}); use that version")]
    Newer(String),
    /// Another secret seals it.
    #[error(
        "it was sealed with another secret; give the one of {made_at} with --secret-file FILE",
        made_at = .0.strftime("%Y-%m-%d")
    )]
    WrongSecret(Timestamp),
    /// It was cut short.
    #[error("it is not whole: it ends after {0} bytes; take another backup")]
    Cut(u64),
    /// It was changed.
    #[error("it was damaged or changed near byte {0}; take another backup")]
    Damaged(u64),
    /// A record in it does not open, though the backup does: it was damaged before.
    #[error("a record of table {0} does not open: it was damaged before the backup was made")]
    Record(String),
    /// It can't be read.
    #[error("it can't be read")]
    Disk(#[from] io::Error),
}

/// What is in a backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// How many records of each table.
    pub tables: BTreeMap<String, u64>,
    /// All of them.
    pub records: u64,
    /// The length of the backup.
    pub bytes: u64,
}

/// What a part is sealed to. No record's key begins with a zero byte.
fn part_of(id: &[u8; 32], number: u64) -> Vec<u8> {
    [b"\0backup", &id[..], &number.to_le_bytes()].concat()
}
