//! One database in the place of another, so that at any moment there is a whole one.
//!
//! A new one is made as `NAME.making` and called `NAME.new` once it is whole and on the disk. Then the old one goes to
//! its other name, and the new one to its place. Whoever opens the place finishes what was begun: an empty place and a
//! `NAME.new` beside it are a swap that was interrupted between the two.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::base::disk::{beside, remove_tree, sync, sync_parent};

/// Where a new database is made.
pub(super) fn making(path: &Path) -> PathBuf {
    beside(path, ".making")
}

/// Where it is when it is whole.
pub(super) fn new(path: &Path) -> PathBuf {
    beside(path, ".new")
}

/// Where the one before a compaction is, until it is removed.
pub(super) fn old(path: &Path) -> PathBuf {
    beside(path, ".before-compaction")
}

/// Removes what is left beside the database at `path` of one that was made; the lock on the database must be held.
pub(super) fn clear(path: &Path) -> io::Result<()> {
    let left = [making(path), new(path), old(path)];
    left.iter().try_for_each(|left| remove_tree(left))
}

/// The database that was made is whole.
pub(super) fn made(path: &Path) -> io::Result<()> {
    sync(&making(path))?;
    fs::rename(making(path), new(path))?;
    sync_parent(path)
}

/// Puts the whole new one in its place. What was there goes to `old`.
pub(super) fn swap(path: &Path, old: Option<&Path>) -> io::Result<()> {
    if let Some(old) = old {
        fs::rename(path, old)?;
        sync_parent(path)?;
    }
    fs::rename(new(path), path)?;
    sync_parent(path)
}

/// Finishes a swap that was interrupted. Returns whether there was one.
pub(super) fn finish(path: &Path) -> io::Result<bool> {
    if path.exists() || !new(path).exists() {
        return Ok(false);
    }
    swap(path, None)?;
    Ok(true)
}

/// sled's own lock on the database at `path`; none while it is open somewhere.
pub(super) fn lock(path: &Path) -> io::Result<Option<Flock<File>>> {
    let file = match File::open(path.join("db")) {
        Ok(file) => file,
        // Something else lies there; it is in nobody's use.
        Err(e) if e.kind() == io::ErrorKind::NotFound => File::open(path)?,
        Err(e) => return Err(e),
    };
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(locked) => Ok(Some(locked)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, e)) => Err(e.into()),
    }
}
