//! The census: the number of records and a checksum over all of them, updated with every write and compared at every
//! start.
//!
//! sled recovers from a damaged file by silently dropping what it can't read. Two witnesses reveal the loss:
//! - The census itself is a sealed entry beside the records, changed in the same atomic batch. It reveals records
//!   that are missing or were added from elsewhere.
//! - sled's file is a log: a truncated file is an older store with an older census that matches it. So the number of
//!   the last acknowledged write is also kept in a separate file, which is written after the database is on the disk.
//!   It is never ahead of a healthy database.
//!
//! Damage is logged (`store.damaged`) and recorded in a file beside the database until a backup is restored. The
//! store still opens with the records that are left: the operator decides what to do.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::belongs_to;
use super::tx::TxChanges;
use crate::base::disk::{beside, remove_file};
use crate::base::secrets::{SealError, Vault, sha256};

/// The key of the census. It sorts before all tables, because no table's name is empty.
pub(super) const KEY: &[u8] = b"\0census";

const VERSION: u8 = 1;
const WITNESS: &str = "witness";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// The number of groups of writes so far.
    writes: u64,
    records: u64,
    /// The wrapping sum of the hashes of all records.
    sum: u64,
}

/// The damage that was found in the store, for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("the census of its records is missing or damaged, so records may be missing")]
    Census,
    #[error("it holds {found} of {expected} records")]
    Records { found: u64, expected: u64 },
    #[error("some of its {0} records are not the ones that were written")]
    Contents(u64),
    #[error("the last {0} acknowledged writes are missing")]
    Writes(u64),
}

/// The advice that follows every report of damage.
pub(super) const ADVICE: &str =
    "restore the newest backup: stop the gateway, then `garmin-gateway restore FILE --replace`";

impl Census {
    fn count(&mut self, key: &[u8], value: &[u8]) {
        self.records = self.records.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    fn uncount(&mut self, key: &[u8], value: &[u8]) {
        self.records = self.records.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }

    /// Counts more records while a new database is built.
    pub(super) fn add<'a>(&mut self, entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) {
        for (key, value) in entries {
            self.count(key, value);
        }
    }

    /// The census after `changes` to `tree`.
    pub(super) fn after(mut self, tree: &sled::Tree, changes: &TxChanges) -> Result<Self, sled::Error> {
        self.writes += 1;
        for (key, value) in changes {
            if let Some(old) = tree.get(key)? {
                self.uncount(key, &old);
            }
            if let Some(value) = value {
                self.count(key, value);
            }
        }
        Ok(self)
    }

    /// Counts all records of `tree`.
    fn of(tree: &sled::Tree) -> Result<Self, sled::Error> {
        let mut census = Self::default();
        for entry in tree {
            let (key, value) = entry?;
            if key != KEY {
                census.count(&key, &value);
            }
        }
        Ok(census)
    }

    /// The entry to store at [`KEY`].
    pub(super) fn seal(self, vault: &Vault) -> Result<Vec<u8>, SealError> {
        let plain = [self.writes, self.records, self.sum]
            .map(u64::to_le_bytes)
            .concat();
        vault.seal(&belongs_to(KEY, VERSION), &plain)
    }

    fn open(vault: &Vault, sealed: &[u8]) -> Option<Self> {
        let plain = vault.open(&belongs_to(KEY, VERSION), sealed).ok()?;
        let (numbers, []) = plain.as_chunks::<8>() else {
            return None;
        };
        let [writes, records, sum] = <[[u8; 8]; 3]>::try_from(numbers).ok()?.map(u64::from_le_bytes);
        Some(Self { writes, records, sum })
    }

    /// Compares the records with the census and with the witness in `directory`. Returns the recomputed census, and
    /// the damage. A store written by an older version has neither census nor witness.
    pub(super) fn take(
        tree: &sled::Tree,
        vault: &Vault,
        directory: &Path,
    ) -> Result<(Self, Option<Damage>), sled::Error> {
        let mut found = Self::of(tree)?;
        let witnessed = witness(directory);
        let Some(sealed) = tree.get(KEY)? else {
            found.writes = witnessed.unwrap_or_default();
            return Ok((found, witnessed.map(|_| Damage::Census)));
        };
        let Some(expected) = Self::open(vault, &sealed) else {
            found.writes = witnessed.unwrap_or_default();
            return Ok((found, Some(Damage::Census)));
        };
        found.writes = expected.writes;
        let lost = witnessed.unwrap_or_default().saturating_sub(expected.writes);
        let damage = if found.records != expected.records {
            Some(Damage::Records {
                found: found.records,
                expected: expected.records,
            })
        } else if found.sum != expected.sum {
            Some(Damage::Contents(found.records))
        } else {
            (lost > 0).then_some(Damage::Writes(lost))
        };
        // Damage is reported once: the records that are left are the baseline from here on.
        found.writes += lost;
        Ok((found, damage))
    }

    /// Writes the witness of this census to `directory`. The file is not synced, so after a power cut it may be an
    /// older one.
    pub(super) fn witness(self, directory: &Path) {
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(WITNESS));
        let text = format!("{:020}\n", self.writes);
        if let Err(e) = file.and_then(|file| file.write_all_at(text.as_bytes(), 0)) {
            // An older witness is still valid.
            tracing::debug!(reason = %e, "store.not_witnessed");
        }
    }
}

/// The number of the last acknowledged write. `None` without a readable witness: a power cut may have emptied the
/// file.
fn witness(directory: &Path) -> Option<u64> {
    let text = fs::read_to_string(directory.join(WITNESS)).ok()?;
    text.trim().parse().ok()
}

/// Whether the database in `directory` has ever held records or a key.
pub(super) fn was_used(directory: &Path) -> bool {
    directory.join(WITNESS).exists()
}

fn hash(key: &[u8], value: &[u8]) -> u64 {
    let length = (key.len() as u64).to_le_bytes();
    let hash = sha256(&[&length[..], key, value].concat());
    hash.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

/// The file with the report of damage to the database at `path`.
fn report(path: &Path) -> PathBuf {
    beside(path, ".damaged")
}

/// Logs the damage and records it for `doctor`.
pub(super) fn tell(path: &Path, damage: &Damage) {
    tracing::error!(reason = %damage, fix = ADVICE, "store.damaged");
    if let Err(e) = fs::write(report(path), format!("{damage}; {ADVICE}\n")) {
        tracing::warn!(reason = %e, "store.damage_not_kept");
    }
}

/// The damage found in the database at `path`, until a backup is restored.
pub fn damage(path: &Path) -> Option<String> {
    let text = fs::read_to_string(report(path)).ok()?;
    Some(text.trim().to_owned())
}

/// Deletes the report of damage after a backup has replaced the database.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    remove_file(&report(path))
}
