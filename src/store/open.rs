//! Opening the database: its lock, its data key, its schema.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::writer::Writer;
use super::{Core, Health, Opened, Store, fallback, swap};
use crate::base::disk;
use crate::base::secrets::RootSecret;

/// The layout that this program writes. A higher one on the disk is refused.
pub(super) const SCHEMA: u8 = 1;

/// sled's resident memory is some three times this.
const CACHE_BYTES: u64 = 4 << 20;

/// Why the store can't be opened; nothing was changed. All are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by another garmin-gateway; stop that one first", path = .0.display())]
    InUse(PathBuf),
    /// The secret is not the one that the data was sealed with.
    #[error(
        "the data in {path} was sealed with another secret; give the right GATEWAY_SECRET or GATEWAY_SECRET_FILE",
        path = .0.display()
    )]
    WrongSecret(PathBuf),
    /// A newer program wrote it.
    #[error("{path} was written by a newer garmin-gateway (layout {found}); use that version", path = .path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its layout.
        found: u8,
    },
    /// The disk refused.
    #[error("{path} can't be opened: {reason}", path = .path.display())]
    Disk {
        /// The database.
        path: PathBuf,
        /// What sled or the system said.
        reason: String,
    },
}

impl Store {
    /// Opens the database in the directory `path`, or makes it there (mode 0700). Errors: see [`OpenError`].
    pub fn open(path: &Path, secret: &RootSecret) -> Result<Self, OpenError> {
        let files = Files::at(path);
        let opened = files.open()?;
        let vault = opened.unlock(path, secret)?;
        let (health, _) = watch::channel(Health::Writing);
        let core = Arc::new(Core {
            vault,
            opened: RwLock::new(Some(opened)),
            health,
            reading: Mutex::default(),
        });
        let writer = Writer::start(Arc::clone(&core), files).map_err(|e| OpenError::Disk {
            path: path.to_owned(),
            reason: e.to_string(),
        })?;
        Ok(Self {
            writer: Arc::new(writer),
            core,
        })
    }
}

/// Where the database is; also used to open it again after the disk failed.
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

    /// Whether the disk takes a write at all; sled is asked again only then.
    pub(super) fn has_room(&self) -> bool {
        let probe = self.path.join("probe");
        let wrote = std::fs::write(&probe, vec![0; 64 * 1024]).is_ok();
        wrote & std::fs::remove_file(&probe).is_ok()
    }

    pub(super) fn open(&self) -> Result<Opened, OpenError> {
        use std::os::unix::fs::DirBuilderExt;

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
            match copied.map_err(sled::Error::from).and_then(|_| config.open()) {
                Ok(db) => break db,
                Err(sled::Error::Io(io)) if is_locked(&io) => {
                    if begin.elapsed() > LOCK_PATIENCE {
                        return Err(OpenError::InUse(self.path.clone()));
                    }
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(e) => return Err(self.refused(&e)),
            }
        };
        swap::clear(&self.path).map_err(|e| self.refused(&e))?;
        let sync = File::open(self.path.join("db")).map_err(|e| self.refused(&e))?;
        if fresh {
            // The directory entries themselves must survive a power cut.
            disk::sync(&self.path)
                .and_then(|()| disk::sync_parent(&self.path))
                .map_err(|e| self.refused(&e))?;
        }
        let tree = db.open_tree("records").map_err(|e| self.refused(&e))?;
        Ok(Opened {
            db,
            tree,
            sync: Arc::new(sync),
        })
    }
}

/// A store that we closed a moment ago stays locked while a process is being started: the child has our descriptors until
/// it becomes its program.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// sled wraps the refused lock in an error of kind `Other` that only its text tells apart.
fn is_locked(e: &std::io::Error) -> bool {
    e.kind() == std::io::ErrorKind::WouldBlock || e.to_string().contains("could not acquire lock")
}
