//! The copy of a database that a failed upgrade can be rolled back to.
//!
//! The installer requests the copy, and the next process to open the database makes it before opening. At that point
//! the old program has stopped and the new one has not written yet, so copying needs no extra downtime.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::swap::lock;
use crate::base::disk::{beside, remove_file, remove_tree, sync, sync_parent};

/// The path of the copy of the database at `path`.
pub fn copy_of(path: &Path) -> PathBuf {
    beside(path, ".before-upgrade")
}

/// The file whose existence requests a copy.
fn request(path: &Path) -> PathBuf {
    beside(path, ".copy-first")
}

/// Requests a copy of the database at `path`, and removes the previous copy.
pub fn ask(path: &Path) -> io::Result<()> {
    remove_tree(&copy_of(path))?;
    if path.exists() {
        File::create(request(path))?.sync_all()?;
        sync_parent(path)?;
    }
    Ok(())
}

/// Replaces the database, which must be closed, with the copy if one was made. Withdraws the request.
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

/// Makes the requested copy. Returns whether one was requested. Errors: `WouldBlock` while the database is open.
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

/// Copies files and directories with their modes. Skips links: the database has none.
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
