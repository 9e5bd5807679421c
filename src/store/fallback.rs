//! The copy of a database that an upgrade can go back to.
//!
//! The installer asks for it, and whoever opens the database next makes it first: the old program has ended then, the
//! new one has not touched anything, and no one had to stop the service for a copy.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::swap::lock;
use crate::base::disk::{beside, remove_file, remove_tree, sync, sync_parent};

/// Where the copy of the database at `path` is.
pub fn copy_of(path: &Path) -> PathBuf {
    beside(path, ".before-upgrade")
}

/// While this file is there, a copy is wanted.
fn request(path: &Path) -> PathBuf {
    beside(path, ".copy-first")
}

/// Asks for a copy of the database at `path`; the one of the last time goes.
pub fn ask(path: &Path) -> io::Result<()> {
    remove_tree(&copy_of(path))?;
    if path.exists() {
        File::create(request(path))?.sync_all()?;
        sync_parent(path)?;
    }
    Ok(())
}

/// Puts the copy, if one was made, in the place of the database, which nobody may have open. Nothing is asked for any
/// more.
pub fn go_back(path: &Path) -> io::Result<()> {
    remove_file(&request(path))?;
    let copy = copy_of(path);
    if copy.exists() {
        remove_tree(path)?;
        fs::rename(copy, path)?;
        sync_parent(path)?;
    }
    Ok(())
}

/// Makes the copy that was asked for. Returns whether one was. Errors: `WouldBlock` while somebody has the database open.
pub(super) fn make(path: &Path) -> io::Result<bool> {
    if !request(path).exists() {
        return Ok(false);
    }
    let making = beside(path, ".copying");
    remove_tree(&making)?;
    if path.exists() {
        let _locked = lock(path)?.ok_or(io::ErrorKind::WouldBlock)?;
        copy_tree(path, &making)?;
        remove_tree(&copy_of(path))?;
        fs::rename(making, copy_of(path))?;
        sync_parent(path)?;
    }
    remove_file(&request(path))?;
    sync_parent(path)?;
    Ok(true)
}

/// Files and directories with their modes. A link is not followed: the database has none.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let mut left: Vec<(PathBuf, PathBuf)> = vec![(from.to_owned(), to.to_owned())];
    let mut directories = Vec::new();
    while let Some((from, to)) = left.pop() {
        let found = fs::symlink_metadata(&from)?;
        if found.is_dir() {
            DirBuilder::new().mode(found.mode() & 0o777).create(&to)?;
            for entry in fs::read_dir(&from)? {
                let name = entry?.file_name();
                left.push((from.join(&name), to.join(&name)));
            }
            directories.push(to);
        } else if found.is_file() {
            fs::copy(&from, &to)?;
            File::open(&to)?.sync_all()?;
        }
    }
    directories.iter().try_for_each(|directory| sync(directory))
}
