//! The parts of a backup that its writer and its reader share.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(super) const MARK: &[u8; 24] = b"garmin-gateway backup 1\n";

pub(super) const MAX_HEAD_BYTES: u32 = 64 * 1024;

/// Enough for one batch of records, one more value, and the seal.
pub(super) const MAX_PART_BYTES: u32 = 1 << 20;

pub(super) const RECORDS: u8 = 0;
pub(super) const END: u8 = 1;

/// The unencrypted beginning of a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Random, so that no two backups have the same head.
    pub(super) id: String,
    /// The version of the program that made the backup.
    pub program: String,
    pub made_at: Timestamp,
    pub(in crate::store) schema: u8,
    /// The sealed data key, in Base64.
    pub(in crate::store) data_key: String,
}

/// Why a backup can't be read. The text is for the operator; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("it is not a backup of garmin-gateway")]
    NotOurs,
    #[error("it was made by a newer garmin-gateway ({0}); use that version")]
    Newer(String),
    #[error(
        "it was sealed with another secret; give the one that was in use on {made_at} with --secret-file FILE",
        made_at = .0.strftime("%Y-%m-%d")
    )]
    WrongSecret(Timestamp),
    /// The length of what is there.
    #[error("it is incomplete: it ends after {0} bytes; use another backup")]
    Cut(u64),
    /// The beginning and the end of the part that does not open.
    #[error("it was damaged or changed between byte {0} and byte {1}; use another backup")]
    Damaged(u64, u64),
    /// The backup is intact, but this record can't be decrypted.
    #[error("a record of table {0} does not open: it was damaged before the backup was made")]
    Record(String),
    #[error("it can't be read")]
    Disk(#[from] io::Error),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The number of records per table.
    pub tables: BTreeMap<String, u64>,
    pub records: u64,
    /// The length of the backup file.
    pub bytes: u64,
}

/// The associated data of a part. No record's key begins with a zero byte.
pub(super) fn part_of(id: &[u8; 32], number: u64) -> Vec<u8> {
    [b"\0backup", &id[..], &number.to_le_bytes()].concat()
}
