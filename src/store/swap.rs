//! Replaces one database with another, so that a complete one exists at any moment.
//!
//! The new one is built as `NAME.making`, and renamed to `NAME.new` once it is complete and on the disk. Then the old
//! one is renamed, and the new one takes its name. If there is a `NAME.new` but no `NAME`, a swap was interrupted,
//! and the next opening finishes it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::base::disk::{beside, remove_tree, sync, sync_parent};

pub(super) fn making(path: &Path) -> PathBuf {
    beside(path, ".making")
}

/// A complete database that has not been swapped in yet.
pub(super) fn new(path: &Path) -> PathBuf {
    beside(path, ".new")
}

/// The database from before a compaction, until it is removed.
pub(super) fn old(path: &Path) -> PathBuf {
    beside(path, ".before-compaction")
}

/// Removes the leftovers of swaps beside the database at `path`. The caller must hold the database's lock.
pub(super) fn clear(path: &Path) -> io::Result<()> {
    let left = [making(path), new(path), old(path)];
    left.iter().try_for_each(|left| remove_tree(left))
}

/// Marks the new database as complete by renaming it.
pub(super) fn made(path: &Path) -> io::Result<()> {
    sync(&making(path))?;
    fs::rename(making(path), new(path))?;
    sync_parent(path)
}

/// Puts the new database in place. The previous one is moved to `old`.
pub(super) fn swap(path: &Path, old: Option<&Path>) -> io::Result<()> {
    if let Some(old) = old {
        fs::rename(path, old)?;
        sync_parent(path)?;
    }
    fs::rename(new(path), path)?;
    sync_parent(path)
}

/// Finishes an interrupted swap. Returns whether one was interrupted.
pub(super) fn finish(path: &Path) -> io::Result<bool> {
    let half = is_half_replaced(path);
    if half {
        swap(path, None)?;
    }
    Ok(half)
}

/// Whether a swap was interrupted, which the next opening finishes.
pub fn is_half_replaced(path: &Path) -> bool {
    !path.exists() && new(path).exists()
}

/// Takes sled's own lock on the database at `path`; `None` while another process has it open.
pub(super) fn lock(path: &Path) -> io::Result<Option<Flock<File>>> {
    let file = match File::open(path.join("db")) {
        Ok(file) => file,
        // Without a database file, no process can have it open.
        Err(e) if e.kind() == io::ErrorKind::NotFound => File::open(path)?,
        Err(e) => return Err(e),
    };
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(locked) => Ok(Some(locked)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, e)) => Err(e.into()),
    }
}
