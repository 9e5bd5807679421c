//! Opens the database: takes its lock, unseals its data key and checks its schema.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Census, OpenDatabase, census, fallback, swap};
use crate::base::disk;
use crate::base::secrets::Vault;

/// The layout version that this program writes. A higher one is refused.
pub(super) const SCHEMA: u8 = 1;

/// sled's resident memory is about three times this.
const CACHE_BYTES: u64 = 4 << 20;

/// Why the store can't be opened. The text is for the operator; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path} is in use by another garmin-gateway; stop that one first", path = .0.display())]
    InUse(PathBuf),
    #[error(
        "the data in {path} was sealed with another secret; give the right GATEWAY_SECRET or GATEWAY_SECRET_FILE",
        path = .0.display()
    )]
    WrongSecret(PathBuf),
    #[error("{path} was written by a newer garmin-gateway (layout {found}); use that version", path = .path.display())]
    Newer { path: PathBuf, found: u8 },
    /// sled can't read its files, or the data key is missing.
    #[error("the database in {path} is damaged ({reason}); {}", census::ADVICE, path = .path.display())]
    Damaged { path: PathBuf, reason: String },
    /// A file is in the way of the database, which is a directory.
    #[error("{path} is not a directory; set DB_PATH to one, or to a path where nothing is yet", path = .0.display())]
    NotADirectory(PathBuf),
    #[error(
        "{path} can't be opened: {reason}; check its disk and its owner, or set DB_PATH to another directory",
        path = .path.display()
    )]
    Disk { path: PathBuf, reason: String },
}

/// The files of a database, which the writer opens again after a failure.
pub(super) struct Files {
    path: PathBuf,
}

impl Files {
    pub(super) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn refused(&self, e: &dyn std::fmt::Display) -> OpenError {
        OpenError::Disk {
            path: self.path.clone(),
            reason: e.to_string(),
        }
    }

    /// Converts sled's error from opening the database.
    pub(super) fn failed(&self, e: &sled::Error) -> OpenError {
        match e {
            sled::Error::Io(io) if io.kind() != std::io::ErrorKind::UnexpectedEof => self.refused(io),
            e => OpenError::Damaged {
                path: self.path.clone(),
                reason: match e {
                    sled::Error::Corruption { .. } => "its files can't be read".to_owned(),
                    e => format!("its files can't be read: {e}"),
                },
            },
        }
    }

    /// Whether a write of 64 KiB succeeds. sled is reopened only if it does.
    pub(super) fn has_room(&self) -> bool {
        let probe = self.path.join("probe");
        let wrote = std::fs::write(&probe, vec![0; 64 * 1024]).is_ok();
        wrote & std::fs::remove_file(&probe).is_ok()
    }

    pub(super) fn open(&self) -> Result<OpenDatabase, OpenError> {
        use std::os::unix::fs::DirBuilderExt;

        if self.path.exists() && !self.path.is_dir() {
            return Err(OpenError::NotADirectory(self.path.clone()));
        }
        if swap::finish(&self.path).map_err(|e| self.refused(&e))? {
            tracing::info!("store.swap_finished");
        }
        let fresh = !self.path.exists();
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|e| self.refused(&e))?;
        let config = sled::Config::new()
            .path(&self.path)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(Some(500));
        let begin = Instant::now();
        let db = loop {
            let copied = fallback::make(&self.path);
            if let Ok(true) = copied {
                tracing::info!("store.copied");
            }
            // sled panics on some damaged files.
            let open = || {
                let opened = std::panic::catch_unwind(AssertUnwindSafe(|| config.open()));
                opened.unwrap_or_else(|_| Err(sled::Error::ReportableBug("it panicked".to_owned())))
            };
            match copied.map_err(sled::Error::from).and_then(|_| open()) {
                Ok(db) => break db,
                Err(sled::Error::Io(io)) if is_locked(&io) => {
                    if begin.elapsed() > LOCK_PATIENCE {
                        return Err(OpenError::InUse(self.path.clone()));
                    }
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(e) => return Err(self.failed(&e)),
            }
        };
        swap::clear(&self.path).map_err(|e| self.refused(&e))?;
        let sync = File::open(self.path.join("db")).map_err(|e| self.refused(&e))?;
        if fresh {
            // The directory entries must also survive a power cut.
            disk::sync(&self.path)
                .and_then(|()| disk::sync_parent(&self.path))
                .map_err(|e| self.refused(&e))?;
        }
        let tree = db.open_tree("records").map_err(|e| self.failed(&e))?;
        Ok(OpenDatabase {
            db,
            tree,
            sync: Arc::new(sync),
        })
    }
}

impl OpenDatabase {
    /// Compares the records with their census, and rewrites a census that is missing or wrong.
    pub(super) fn take_census(&self, path: &Path, vault: &Vault) -> Result<Census, sled::Error> {
        let (census, damage) = Census::take(&self.tree, vault, path)?;
        if let Some(damage) = &damage {
            census::tell(path, damage);
        }
        if damage.is_some() || !self.tree.contains_key(census::KEY)? {
            let put = self.put_census(census, vault).and_then(|()| Ok(self.durable()?));
            if let Err(e) = put {
                // A full disk must not prevent the store from being read.
                tracing::warn!(reason = %e, "store.census_not_written");
            }
        }
        census.witness(path);
        Ok(census)
    }

    /// Writes the census of a new database. The caller must make it durable.
    pub(super) fn put_census(&self, census: Census, vault: &Vault) -> Result<(), sled::Error> {
        let sealed = census.seal(vault).map_err(std::io::Error::other)?;
        self.tree.insert(census::KEY, sealed).map(drop)
    }
}

/// A store that this process has just closed may still be locked, because a child process inherits the descriptor
/// until its exec.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// sled reports a refused lock as an error of kind `Other`, which only the text distinguishes.
fn is_locked(e: &std::io::Error) -> bool {
    e.kind() == std::io::ErrorKind::WouldBlock || e.to_string().contains("could not acquire lock")
}
