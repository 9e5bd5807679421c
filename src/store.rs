//! The store: sealed, versioned records in one sled tree, behind one writer thread. No other module uses sled.
//!
//! Invariants:
//! - An acknowledged write is on the disk. sled's `flush` alone does not guarantee that, so the writer adds
//!   `fdatasync`.
//! - Writes are serialized, so a read followed by a write inside [`Store::atomic`] needs no other lock.
//! - A value can be decrypted only under the key it was stored at: table, key and version are its associated data.
//! - Lost records are detected at the next start ([`census`]).
//! - Values stay under 32 KiB: sled moves larger ones to files that it never syncs.
//!
//! Never used: `flush_async` and `watch_prefix` (both hang), and iteration over a whole table on a hot path.

mod archive;
mod census;
pub mod columns;
mod compact;
pub mod fallback;
mod keys;
mod kind;
mod moment;
mod open;
mod packed;
mod reread;
mod swap;
mod tx;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{oneshot, watch};

use crate::base::secrets::{RootSecret, SealError, Vault};
pub use archive::{Archive, ArchiveError, Backup, Contents, Head};
use census::Census;
pub use census::damage;
pub use compact::{Compacted, RestoreError, Restored};
pub use keys::RotateError;
pub use kind::Kind;
use open::Files;
pub use open::OpenError;
pub use packed::Packed;
pub use reread::Reread;
pub use swap::is_half_replaced;
pub use tx::Tx;
use writer::{Work, WriteUnit, WriterThread};

/// The name of a table: a prefix of the keys, so it must not contain a zero byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table(pub &'static str);

pub trait Record: Serialize + DeserializeOwned {
    const TABLE: Table;
    /// The version that this program writes.
    const VERSION: u8 = 1;

    /// Converts a record that an older version of the program wrote.
    fn upgrade(_from: u8, _old: serde_json::Value) -> Option<Self> {
        None
    }
}

/// Why a read or a write failed. A failed write changes nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Operator: the disk is full or broken. Reads continue, and writes resume automatically once the disk accepts
    /// them.
    #[error("the store can't write: {0}")]
    NotWritten(String),
    /// Operator: the database is damaged, or is being reopened.
    #[error("the store can't be read: {0}")]
    NotRead(String),
    /// Operator: a record was changed by another program, or comes from another store.
    #[error("a record of table {0} does not open")]
    Sealed(&'static str, #[source] Arc<SealError>),
    /// Operator: the record was written by a newer version of the program.
    #[error("a record of table {0} has version {1}, which this program does not know; use the newer program")]
    Newer(&'static str, u8),
    /// Bug: the version that wrote the record can't read it.
    #[error("a record of table {0} has an unknown shape: {1}")]
    Shape(&'static str, String),
    /// Bug: the value exceeds the size that sled syncs.
    #[error("a record of table {0} has {1} bytes, which is too large")]
    TooLarge(&'static str, usize),
    /// Only one backup can run at a time.
    #[error("a backup is being made; try again when it is done")]
    Busy,
    #[error("the store is closed")]
    Closed,
}

/// Whether the store accepts writes; shown by `/readyz` and the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Writing,
    /// The last write failed for this reason; the store is being reopened.
    Degraded(String),
}

/// A handle to the store. Clones share one store; dropping the last one closes it.
#[derive(Clone)]
pub struct Store {
    // Declared first, so that the writer stops before the database is closed.
    writer: Arc<WriterThread>,
    core: Arc<Core>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(…)")
    }
}

/// State shared by the readers and the writer.
struct Core {
    /// The directory of the database.
    path: PathBuf,
    vault: Vault,
    /// `None` only while the writer reopens a database that failed.
    opened: RwLock<Option<OpenDatabase>>,
    health: watch::Sender<Health>,
    /// Changed only by the writer.
    census: Mutex<Census>,
    /// The backup in progress, if any.
    reading: Mutex<Option<moment::MomentReading>>,
}

/// An open database. sled holds its lock until the last clone of `db` and `tree` is gone.
#[derive(Clone)]
struct OpenDatabase {
    db: sled::Db,
    tree: sled::Tree,
    /// An open handle to sled's file, for `fdatasync`.
    sync: Arc<File>,
}

impl OpenDatabase {
    /// Makes all writes durable. sled's own flush does not force data to the disk.
    fn durable(&self) -> std::io::Result<()> {
        self.db.flush()?;
        self.sync.sync_data()
    }
}

impl Core {
    fn opened(&self) -> Result<OpenDatabase, StoreError> {
        let guard = self.opened.read();
        guard
            .clone()
            .ok_or_else(|| StoreError::NotRead("it is being reopened".into()))
    }

    fn tree(&self) -> Result<sled::Tree, StoreError> {
        let guard = self.opened.read();
        let tree = guard.as_ref().map(|opened| opened.tree.clone());
        tree.ok_or_else(|| StoreError::NotRead("it is being reopened".into()))
    }
}

impl Store {
    /// Opens the database in the directory `path`, or creates it (mode 0700).
    pub fn open(path: &Path, secret: &RootSecret) -> Result<Self, OpenError> {
        let files = Files::at(path);
        let opened = files.open()?;
        let vault = opened.unlock(path, secret)?;
        let census = opened.take_census(path, &vault).map_err(|e| files.failed(&e))?;
        let (health, _) = watch::channel(Health::Writing);
        let core = Arc::new(Core {
            path: path.to_owned(),
            census: Mutex::new(census),
            vault,
            opened: RwLock::new(Some(opened)),
            health,
            reading: Mutex::default(),
        });
        let writer = WriterThread::start(Arc::clone(&core), files).map_err(|e| OpenError::Disk {
            path: path.to_owned(),
            reason: e.to_string(),
        })?;
        Ok(Self {
            writer: Arc::new(writer),
            core,
        })
    }

    /// The record at `key`, if it exists.
    pub fn find<R: Record>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        let at = full_key(R::TABLE, key);
        let found = self.core.tree()?.get(&at).map_err(not_read)?;
        found
            .map(|value| decode(&self.core.vault, &at, &value))
            .transpose()
    }

    /// All records whose key begins with `prefix`, with their keys, ascending.
    pub fn list<R: Record>(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, R)>, StoreError> {
        let skip = R::TABLE.0.len() + 1;
        let entries = self.core.tree()?.scan_prefix(full_key(R::TABLE, prefix));
        entries
            .map(|entry| {
                let (at, value) = entry.map_err(not_read)?;
                Ok((
                    at.get(skip..).unwrap_or_default().to_vec(),
                    decode(&self.core.vault, &at, &value)?,
                ))
            })
            .collect()
    }

    /// Runs `act` exclusively on the writer thread: the records it reads can't change in the meantime, and either all
    /// or none of its writes are kept. Returns once they are durable. Errors: those of `act` (nothing is written), or
    /// the store's.
    pub async fn atomic<T, E>(
        &self,
        act: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: WriteUnit = Box::new(move |tx| {
            let result = act(tx);
            let keep = result.is_ok();
            let acknowledge = move |durable: Result<(), StoreError>| {
                // The caller may have been cancelled; the write is kept anyway.
                drop(reply.send(match durable {
                    Ok(()) => result,
                    Err(e) => result.and(Err(e.into())),
                }));
            };
            (keep, Box::new(acknowledge))
        });
        self.writer.send(Work::Unit(job))?;
        answer.await.map_err(|_| self.not_taken())?
    }

    /// Runs `act` on the writer thread between two groups of writes, so that nothing else writes or reopens the
    /// database.
    async fn alone<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Core, &Files) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.send(Work::Alone(Box::new(move |core, files| {
            // The caller may have been cancelled.
            drop(reply.send(act(core, files)));
        })))?;
        answer.await.map_err(|_| self.not_taken())
    }

    /// The error for a unit of work that the writer dropped.
    fn not_taken(&self) -> StoreError {
        match &*self.core.health.borrow() {
            Health::Degraded(reason) => StoreError::NotWritten(reason.clone()),
            Health::Writing => StoreError::Closed,
        }
    }

    pub async fn put<R: Record + Send + 'static>(&self, key: &[u8], record: R) -> Result<(), StoreError> {
        let key = key.to_vec();
        self.atomic(move |tx| tx.put(&key, &record)).await
    }

    pub async fn remove<R: Record>(&self, key: &[u8]) -> Result<(), StoreError> {
        let key = key.to_vec();
        self.atomic(move |tx| {
            tx.remove::<R>(&key);
            Ok(())
        })
        .await
    }

    /// Checks that writes are durable, by making one. Call it before an operation that can't be repeated and whose
    /// result must be stored, such as a sign-in at Garmin. Errors: the disk is full or refuses the write.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.alone(|core, files| {
            let probed = if files.has_room() {
                core.opened().and_then(|opened| opened.probe())
            } else {
                Err(StoreError::NotWritten(
                    "the disk is full or refuses writes".into(),
                ))
            };
            if let Err(e) = &probed {
                core.health.send_replace(Health::Degraded(e.to_string()));
            }
            probed
        })
        .await?
    }

    /// Whether the store accepts writes. The receiver is notified of changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.core.health.subscribe()
    }

    /// The size of the database files in bytes.
    pub fn size_on_disk(&self) -> u64 {
        self.core
            .opened()
            .ok()
            .and_then(|opened| opened.db.size_on_disk().ok())
            .unwrap_or_default()
    }
}

/// The largest encoded record. sled moves larger leaves to files that it never syncs.
const MAX_VALUE_BYTES: usize = 32 * 1024;

fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut at = Vec::with_capacity(table.0.len() + 1 + key.len());
    at.extend_from_slice(table.0.as_bytes());
    at.push(0);
    at.extend_from_slice(key);
    at
}

/// The associated data of a sealed value: its full key and its version.
fn belongs_to(at: &[u8], version: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(at.len() + 1);
    text.extend_from_slice(at);
    text.push(version);
    text
}

/// The stored form of a record: the version, then the sealed JSON.
fn encode<R: Record>(vault: &Vault, at: &[u8], record: &R) -> Result<Vec<u8>, StoreError> {
    let name = R::TABLE.0;
    let plain = serde_json::to_vec(record).map_err(|e| StoreError::Shape(name, e.to_string()))?;
    if plain.len() > MAX_VALUE_BYTES {
        return Err(StoreError::TooLarge(name, plain.len()));
    }
    let sealed = vault
        .seal(&belongs_to(at, R::VERSION), &plain)
        .map_err(|e| StoreError::Sealed(name, Arc::new(e)))?;
    let mut value = Vec::with_capacity(sealed.len() + 1);
    value.push(R::VERSION);
    value.extend_from_slice(&sealed);
    Ok(value)
}

fn decode<R: Record>(vault: &Vault, at: &[u8], value: &[u8]) -> Result<R, StoreError> {
    let name = R::TABLE.0;
    let shape = |e: serde_json::Error| {
        // serde's message may quote a value, so only the error class and the column are reported.
        StoreError::Shape(name, format!("{:?} at column {}", e.classify(), e.column()))
    };
    let (&version, sealed) = value
        .split_first()
        .ok_or_else(|| StoreError::Shape(name, "an empty value".into()))?;
    if version > R::VERSION {
        return Err(StoreError::Newer(name, version));
    }
    let plain = vault
        .open(&belongs_to(at, version), sealed)
        .map_err(|e| StoreError::Sealed(name, Arc::new(e)))?;
    if version == R::VERSION {
        return serde_json::from_slice(&plain).map_err(shape);
    }
    let old = serde_json::from_slice(&plain).map_err(shape)?;
    R::upgrade(version, old)
        .ok_or_else(|| StoreError::Shape(name, format!("version {version} can't be upgraded")))
}

fn not_read(e: sled::Error) -> StoreError {
    match e {
        sled::Error::Corruption { .. } => StoreError::NotRead(format!("it is damaged; {}", census::ADVICE)),
        e => StoreError::NotRead(e.to_string()),
    }
}

#[cfg(test)]
mod tests;
