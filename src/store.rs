//! The store: sealed, versioned records in one sled tree, behind one writer thread. The only user of sled.
//!
//! Invariants:
//! - An acknowledged write is on the disk: sled's own `flush` alone is not, so the writer adds `fdatasync`.
//! - Writes run one after the other; whoever reads and writes inside [`Store::atomic`] needs no other lock.
//! - A value opens only under the key it was stored at: table, key and version are its associated data.
//! - Values stay under 32 KiB: sled puts larger ones in files that it never syncs.
//!
//! Absent on purpose: `flush_async` and `watch_prefix` (both hang), iteration over a whole table on a hot path.

mod archive;
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
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{oneshot, watch};

use crate::base::secrets::{SealError, Vault};
pub use archive::{Archive, ArchiveError, Backup, Contents, Head};
pub use compact::{Compacted, RestoreError, Restored};
pub use keys::RotateError;
pub use kind::Kind;
pub use open::OpenError;
pub use packed::Packed;
pub use reread::Reread;
pub use tx::Tx;
use writer::{Job, Work, Writer};

/// The name of a table: a prefix of the keys, so it must not contain a zero byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table(pub &'static str);

/// Something that is kept in the store.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it is kept.
    const TABLE: Table;
    /// The version that is written now.
    const VERSION: u8 = 1;

    /// Reads what an older version of the program wrote.
    fn upgrade(_from: u8, _old: serde_json::Value) -> Option<Self> {
        None
    }
}

/// Why a read or a write failed. Nothing of a failed write is kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Operator: the disk is full or broken. Reads go on; writing resumes by itself once it can.
    #[error("the store can't write: {0}")]
    NotWritten(String),
    /// Operator: the database can't be read at this moment.
    #[error("the store can't be read: {0}")]
    NotRead(String),
    /// Operator: a record was tampered with, or comes from another store.
    #[error("a record of table {0} does not open")]
    Sealed(&'static str, #[source] Arc<SealError>),
    /// Operator: a newer version of the program wrote it.
    #[error("a record of table {0} has version {1}, which this program does not know; use the newer program")]
    Newer(&'static str, u8),
    /// Nobody (bug): a record can't be read by the version that wrote it.
    #[error("a record of table {0} has an unknown shape: {1}")]
    Shape(&'static str, String),
    /// Nobody (bug): a value outgrew what the store keeps safely.
    #[error("a record of table {0} has {1} bytes, which is too large")]
    TooLarge(&'static str, usize),
    /// Two backups at once would both be slow.
    #[error("a backup is being made; try again when it is done")]
    Busy,
    /// The program is stopping.
    #[error("the store is closed")]
    Closed,
}

/// Whether the store takes writes; shown by `/readyz` and the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Writing,
    /// The last write failed with this; the store is being reopened.
    Degraded(String),
}

/// Handle to the store. Clones are the same store; the last one to go closes it.
#[derive(Clone)]
pub struct Store {
    // First, so that the writer ends before the database is let go.
    writer: Arc<Writer>,
    core: Arc<Core>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(…)")
    }
}

/// What readers and the writer share.
struct Core {
    vault: Vault,
    /// `None` only for the moment in which the writer reopens a database that failed.
    opened: RwLock<Option<Opened>>,
    health: watch::Sender<Health>,
    /// Somebody reads the whole as it was at one moment.
    reading: Mutex<Option<moment::Reading>>,
}

/// An open database. sled holds its lock until the last clone of `db` and `tree` is gone.
#[derive(Clone)]
struct Opened {
    db: sled::Db,
    tree: sled::Tree,
    /// Our own handle of sled's file, for `fdatasync`.
    sync: Arc<File>,
}

impl Opened {
    /// Makes durable what was written: sled's own flush does not reach the disk.
    fn durable(&self) -> std::io::Result<()> {
        self.db.flush()?;
        self.sync.sync_data()
    }
}

impl Core {
    fn opened(&self) -> Result<Opened, StoreError> {
        let guard = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        guard
            .clone()
            .ok_or_else(|| StoreError::NotRead("it is being reopened".into()))
    }

    fn tree(&self) -> Result<sled::Tree, StoreError> {
        let guard = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let tree = guard.as_ref().map(|opened| opened.tree.clone());
        tree.ok_or_else(|| StoreError::NotRead("it is being reopened".into()))
    }
}

impl Store {
    /// The record at `key`.
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

    /// Runs `act` alone on the writer: what it reads can't change under it, and all that it writes is kept, or
    /// nothing. Returns once it is durable. Errors: those of `act` (nothing is written), or the store's.
    pub async fn atomic<T, E>(
        &self,
        act: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let result = act(tx);
            let keep = result.is_ok();
            let acknowledge = move |durable: Result<(), StoreError>| {
                // The caller may be gone; what it asked for is done all the same.
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

    /// Runs `act` on the writer between two groups: nothing is written and nothing reopened meanwhile.
    async fn alone<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Core, &open::Files) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.send(Work::Alone(Box::new(move |core, files| {
            // The caller may be gone; what it asked for is done all the same.
            drop(reply.send(act(core, files)));
        })))?;
        answer.await.map_err(|_| self.not_taken())
    }

    /// Why a unit of work was dropped without an answer.
    fn not_taken(&self) -> StoreError {
        match &*self.core.health.borrow() {
            Health::Degraded(reason) => StoreError::NotWritten(reason.clone()),
            Health::Writing => StoreError::Closed,
        }
    }

    /// Writes one record.
    pub async fn put<R: Record + Send + 'static>(&self, key: &[u8], record: R) -> Result<(), StoreError> {
        let key = key.to_vec();
        self.atomic(move |tx| tx.put(&key, &record)).await
    }

    /// Removes one record, if it is there.
    pub async fn remove<R: Record>(&self, key: &[u8]) -> Result<(), StoreError> {
        let key = key.to_vec();
        self.atomic(move |tx| {
            tx.remove::<R>(&key);
            Ok(())
        })
        .await
    }

    /// Whether the store takes writes, as it changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.core.health.subscribe()
    }

    /// Bytes on the disk.
    pub fn size_on_disk(&self) -> u64 {
        self.core
            .opened()
            .ok()
            .and_then(|opened| opened.db.size_on_disk().ok())
            .unwrap_or_default()
    }
}

/// The largest encoded record; sled moves larger leaves to files that it never syncs.
const MAX_VALUE_BYTES: usize = 32 * 1024;

fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut at = Vec::with_capacity(table.0.len() + 1 + key.len());
    at.extend_from_slice(table.0.as_bytes());
    at.push(0);
    at.extend_from_slice(key);
    at
}

/// What a sealed value belongs to: its full key and the version it was written with.
fn belongs_to(at: &[u8], version: u8) -> Vec<u8> {
    let mut text = Vec::with_capacity(at.len() + 1);
    text.extend_from_slice(at);
    text.push(version);
    text
}

/// The stored form: the version, then the sealed JSON.
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
        // serde's own words may quote a value; the class and the place can't.
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

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn not_read(e: sled::Error) -> StoreError {
    StoreError::NotRead(e.to_string())
}

#[cfg(test)]
mod tests;
