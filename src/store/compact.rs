//! Builds a new database: from an existing one, to free disk space, or from a backup.
//!
//! sled never frees the space of removed records; only a copy is smaller.

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::archive::{Archive, ArchiveError, Contents};
use super::moment::Entries;
use super::open::{Files, OpenError};
use super::swap;
use super::{Census, Core, Health, Kind, OpenDatabase, Store, StoreError, census};
use crate::base::disk;
use crate::base::secrets::{RootSecret, Vault};

/// How long to wait for the last reader to finish, which is when sled releases its lock.
const LET_GO: Duration = Duration::from_secs(5);

/// A database below this size is not worth a compaction.
const SMALL_BYTES: u64 = 32 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The size on the disk in bytes.
    pub before: u64,
    /// The size on the disk in bytes.
    pub after: u64,
}

#[derive(Clone, Debug)]
pub struct Restored {
    pub contents: Contents,
    /// The path to which the replaced store was moved.
    pub old: Option<PathBuf>,
}

impl Store {
    /// Whether the database takes at least three times the space of its records, which makes a compaction worthwhile.
    /// Reads all records, unless the database is small.
    pub fn is_wasteful(&self) -> Result<bool, StoreError> {
        let taken = self.size_on_disk();
        if taken < SMALL_BYTES {
            return Ok(false);
        }
        let mut needed = 0;
        for entry in &self.core.tree()? {
            let (at, value) = entry.map_err(super::not_read)?;
            needed += (at.len() + value.len()) as u64;
        }
        Ok(taken / 3 > needed)
    }

    /// Replaces the database with a copy of its records, which is as small as possible. Reads continue; writes wait.
    /// After an error the old database is still in use.
    pub async fn compact(&self) -> Result<Compacted, StoreError> {
        self.alone(|core, files| {
            let before = core.opened()?.db.size_on_disk().map_err(super::not_read)?;
            let compacted = files.compact(core);
            if let Err(e) = &compacted {
                tracing::error!(reason = %e, "store.not_compacted");
            }
            compacted?;
            let after = core.opened()?.db.size_on_disk().map_err(super::not_read)?;
            tracing::info!(before, after, "store.compacted");
            Ok(Compacted { before, after })
        })
        .await?
    }

    /// Creates the store at `path` from a backup, with the data key sealed by `secret`. An existing store is moved to
    /// `old`; without `old` it is an error. If this is interrupted, either the complete old store or the complete new
    /// store is in place. `told` is called with the number of bytes read so far.
    pub fn restore<R: Read>(
        path: &Path,
        archive: Archive<R>,
        secret: &RootSecret,
        old: Option<PathBuf>,
        kinds: &[Kind],
        told: &mut dyn FnMut(u64),
    ) -> Result<Restored, RestoreError> {
        let files = Files::at(path);
        swap::finish(path)?;
        let old = match (path.exists(), old) {
            (true, None) => return Err(RestoreError::InTheWay(path.to_owned())),
            (true, Some(old)) => Some(old),
            (false, _) => None,
        };
        // Held until the old store has been moved, so that no gateway opens it in the meantime.
        let locked = old.as_ref().map(|_| swap::lock(path)).transpose()?;
        if locked.as_ref().is_some_and(Option::is_none) {
            return Err(RestoreError::Open(OpenError::InUse(path.to_owned())));
        }
        let (layout, vault) = (archive.head().schema, archive.vault().clone());
        let mut making = Making::begin(&files)?;
        let contents = archive.check(kinds, told, &mut |entries| {
            making
                .take(entries)
                .map_err(|e| io::Error::other(e.to_string()).into())
        })?;
        let key = vault.wrap(secret).map_err(|e| io::Error::other(e.to_string()))?;
        making.end(layout, key, &vault)?;
        if old.is_none() && path.exists() {
            return Err(RestoreError::InTheWay(path.to_owned()));
        }
        disk::close_to_others(&swap::new(path))?;
        swap::swap(path, old.as_deref())?;
        census::forget(path)?;
        Ok(Restored { contents, old })
    }
}

/// Why nothing was restored. The text is for the operator; an existing store is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("there is already a store in {path}; add --replace, which keeps it beside the new one", path = .0.display())]
    InTheWay(PathBuf),
    #[error("the backup is not usable")]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the disk refused")]
    Disk(#[from] io::Error),
}

/// A database that is being built beside `path`.
struct Making<'a> {
    path: &'a Path,
    opened: OpenDatabase,
    census: Census,
}

impl<'a> Making<'a> {
    fn begin(files: &'a Files) -> Result<Self, OpenError> {
        let path = files.path();
        swap::clear(path).map_err(|e| files.refused(&e))?;
        let opened = Files::at(&swap::making(path)).open()?;
        Ok(Self {
            path,
            opened,
            census: Census::default(),
        })
    }

    fn take(&mut self, entries: Entries) -> Result<(), StoreError> {
        let pairs = entries
            .iter()
            .map(|(at, value)| (at.as_slice(), value.as_slice()));
        self.census.add(pairs);
        let mut batch = sled::Batch::default();
        for (at, value) in entries {
            batch.insert(at, value);
        }
        let written = self.opened.tree.apply_batch(batch);
        written.map_err(|e| StoreError::NotWritten(e.to_string()))
    }

    /// Makes the database durable and marks it as complete.
    fn end(self, layout: u8, key: Vec<u8>, vault: &Vault) -> Result<(), StoreError> {
        let failed = |e: &dyn std::fmt::Display| StoreError::NotWritten(e.to_string());
        self.opened
            .put_census(self.census, vault)
            .map_err(|e| failed(&e))?;
        self.opened.put_keys(layout, key)?;
        drop(self.opened);
        swap::made(self.path).map_err(|e| failed(&e))
    }
}

impl Files {
    fn compact(&self, core: &Core) -> Result<(), StoreError> {
        let failed = |e: &dyn std::fmt::Display| StoreError::NotWritten(e.to_string());
        let path = self.path();
        let opened = core.opened()?;
        let (layout, key) = opened.keys()?;
        let mut making = Making::begin(self).map_err(|e| failed(&e))?;
        let (mut entries, mut n_bytes) = (Entries::new(), 0);
        for entry in &opened.tree {
            let (at, value) = entry.map_err(super::not_read)?;
            if at == census::KEY {
                continue;
            }
            n_bytes += at.len() + value.len();
            entries.push((at.to_vec(), value.to_vec()));
            if n_bytes > 64 * 1024 {
                making.take(std::mem::take(&mut entries))?;
                n_bytes = 0;
            }
        }
        making.take(entries)?;
        making.end(layout, key, &core.vault)?;
        // Readers wait from here on, for a few tenths of a second.
        let mut place = core.opened.write();
        drop(opened);
        place.take();
        let old = swap::old(path);
        let swapped = match wait_for(path) {
            // sled writes into its directory until it is closed, so the swap has to wait.
            Ok(()) => swap::swap(path, Some(&old)).map_err(|e| failed(&e)),
            Err(e) => Err(failed(&e)),
        };
        // This also removes the old database.
        match self.open() {
            Ok(anew) => {
                *core.census.lock() = anew.take_census(path, &core.vault).map_err(|e| failed(&e))?;
                *place = Some(anew);
            }
            Err(e) => {
                core.health.send_replace(Health::Degraded(e.to_string()));
                return Err(failed(&e));
            }
        }
        drop(place);
        swapped
    }
}

fn wait_for(path: &Path) -> io::Result<()> {
    let began = Instant::now();
    while swap::lock(path)?.is_none() {
        if began.elapsed() > LET_GO {
            return Err(io::Error::other("a reader of the database does not finish"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
