//! Builds a new database: from an existing one, to free disk space, or from a backup.
//!
//! sled never frees the space of removed records; only a copy is smaller.

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
    #[error("there is a store in {path}; add --replace: it is kept beside it", path = .0.display())]
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
            return Err(io::Error::other("somebody reads the database and does not end"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use jiff::Timestamp;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::base::secrets::random_bytes;
    use crate::store::{Record, Table};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Note(Vec<u8>);

    impl Record for Note {
        const TABLE: Table = Table("note");
    }

    const KINDS: [Kind; 1] = [Kind::of::<Note>()];

    fn secret(text: &str) -> RootSecret {
        RootSecret::new(&format!("{text} text of more than 32 letters!")).unwrap()
    }

    async fn fill(store: &Store, keys: std::ops::Range<u32>) {
        for first in keys.clone().step_by(50) {
            let keys = first..keys.end.min(first + 50);
            let written = store.atomic(move |tx| {
                for n in keys {
                    tx.put(&n.to_be_bytes(), &Note(random_bytes::<1000>().to_vec()))?;
                }
                Ok::<_, StoreError>(())
            });
            written.await.unwrap();
        }
    }

    fn all(store: &Store) -> Vec<(Vec<u8>, Note)> {
        store.list::<Note>(b"").unwrap()
    }

    fn disk(path: &Path) -> u64 {
        let of = |path: &Path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
        of(path)
            .map(|entry| match entry.metadata().unwrap() {
                found if found.is_dir() => disk(&entry.path()),
                found => found.len(),
            })
            .sum()
    }

    #[tokio::test]
    async fn a_compaction_gives_room_back_and_keeps_all_that_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let store = Store::open(&path, &secret("an unguessable")).unwrap();
        fill(&store, 0..2000).await;
        let removed = store.atomic(|tx| {
            (100..2000_u32).for_each(|n| tx.remove::<Note>(&n.to_be_bytes()));
            Ok::<_, StoreError>(())
        });
        removed.await.unwrap();
        let (before, kept) = (disk(dir.path()), all(&store));
        let done = Arc::new(AtomicBool::new(false));
        let reading = std::thread::spawn({
            let (store, done, wanted) = (store.clone(), Arc::clone(&done), kept.len());
            move || {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(all(&store).len(), wanted);
                }
            }
        });
        let compacted = store.compact().await.unwrap();
        done.store(true, Ordering::Relaxed);
        reading.join().unwrap();
        let after = disk(dir.path());
        let told = format!("{before} bytes on the disk before, {after} after: {compacted:?}");
        assert!(
            compacted.after < compacted.before / 4 && after < before / 4,
            "{told}"
        );
        assert!(all(&store) == kept);
        fill(&store, 100..110).await;
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "something is left"
        );
        drop(store);
        let store = Store::open(&path, &secret("an unguessable")).unwrap();
        assert_eq!(all(&store).len(), kept.len() + 10);
    }

    #[tokio::test]
    async fn a_backup_that_a_compaction_overtakes_is_of_its_moment() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("db"), &secret("an unguessable")).unwrap();
        fill(&store, 0..300).await;
        let then = all(&store).len() as u64;
        let mut pieces = store.backup(Timestamp::UNIX_EPOCH).unwrap();
        let mut bytes: Vec<u8> = pieces.by_ref().take(3).flat_map(Result::unwrap).collect();
        fill(&store, 250..320).await;
        store.compact().await.unwrap();
        fill(&store, 290..340).await;
        bytes.extend(pieces.by_ref().flat_map(Result::unwrap));
        let archive = Archive::open(&bytes[..], &secret("an unguessable")).unwrap();
        assert_eq!(archive.verify(&KINDS, &mut |_| {}).unwrap().records, then);
    }

    fn backup(store: &Store) -> Vec<u8> {
        let pieces = store.backup(Timestamp::UNIX_EPOCH).unwrap();
        pieces.collect::<Result<Vec<_>, _>>().unwrap().concat()
    }

    fn restore(path: &Path, bytes: &[u8], to: &str, old: Option<PathBuf>) -> Result<Restored, RestoreError> {
        let archive = Archive::open(bytes, &secret("an unguessable"))?;
        Store::restore(path, archive, &secret(to), old, &KINDS, &mut |_| {})
    }

    #[tokio::test]
    async fn a_backup_comes_back_under_another_secret_and_the_store_before_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let [path, old] = ["db", "db.replaced"].map(|name| dir.path().join(name));
        let store = Store::open(&path, &secret("an unguessable")).unwrap();
        fill(&store, 0..300).await;
        let (bytes, then) = (backup(&store), all(&store));
        fill(&store, 300..310).await;
        let now = all(&store);
        let in_use = restore(&path, &bytes, "another", Some(old.clone()));
        assert!(matches!(in_use, Err(RestoreError::Open(OpenError::InUse(_)))));
        drop(store);
        let in_the_way = restore(&path, &bytes, "another", None);
        assert!(matches!(in_the_way, Err(RestoreError::InTheWay(_))));
        let cut = restore(&path, &bytes[..bytes.len() - 9], "another", Some(old.clone()));
        assert!(matches!(cut, Err(RestoreError::Archive(ArchiveError::Cut(_)))));
        assert_eq!(all(&Store::open(&path, &secret("an unguessable")).unwrap()), now);
        let restored = restore(&path, &bytes, "another", Some(old.clone())).unwrap();
        assert_eq!(
            (restored.contents.records, restored.old),
            (300, Some(old.clone()))
        );
        assert_eq!(all(&Store::open(&path, &secret("another")).unwrap()), then);
        assert_eq!(all(&Store::open(&old, &secret("an unguessable")).unwrap()), now);
    }

    /// Tests every state of the disk that a power cut during a swap can leave.
    #[tokio::test]
    async fn a_swap_that_is_cut_anywhere_leaves_a_whole_store() {
        for steps in 0..=4 {
            let dir = tempfile::tempdir().unwrap();
            let [path, old] = ["db", "db.replaced"].map(|name| dir.path().join(name));
            let store = Store::open(&path, &secret("an unguessable")).unwrap();
            fill(&store, 0..20).await;
            let (bytes, then) = (backup(&store), all(&store));
            fill(&store, 20..30).await;
            let now = all(&store);
            drop(store);
            let files = Files::at(&path);
            let mut making = Making::begin(&files).unwrap();
            let archive = Archive::open(&bytes[..], &secret("an unguessable")).unwrap();
            let vault = archive.vault().clone();
            let key = vault.wrap(&secret("an unguessable")).unwrap();
            let filled = archive.check(&KINDS, &mut |_| {}, &mut |entries| {
                making.take(entries).unwrap();
                Ok(())
            });
            filled.unwrap();
            if steps >= 1 {
                making.opened.put_census(making.census, &vault).unwrap();
                making.opened.put_keys(1, key).unwrap();
            }
            drop(making);
            if steps >= 2 {
                swap::made(&path).unwrap();
            }
            if steps >= 3 {
                std::fs::rename(&path, &old).unwrap();
            }
            if steps >= 4 {
                std::fs::rename(swap::new(&path), &path).unwrap();
            }
            let opened = Store::open(&path, &secret("an unguessable")).unwrap();
            assert_eq!(
                all(&opened),
                if steps < 3 { now } else { then },
                "after {steps} steps"
            );
            let left = std::fs::read_dir(dir.path()).unwrap().count();
            assert_eq!(left, if steps < 3 { 1 } else { 2 }, "something is left");
        }
    }
}
