//! Files that only their owner may read, and that are either complete or absent.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, chown, geteuid};

use crate::base::disk::{beside, parent, remove_file, sync_parent};

/// The suffix of an incomplete file.
pub(super) const PART: &str = ".part";

/// Why a file could not be written. An existing file is unchanged.
#[derive(Debug, thiserror::Error)]
#[error("{path} can't be written", path = .path.display())]
pub struct NotWritten {
    path: PathBuf,
    source: io::Error,
}

impl NotWritten {
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            source,
        }
    }
}

/// A file (0600) that is being written. Dropping it before [`PrivateFile::finish`] removes it.
pub struct PrivateFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    bytes: u64,
}

impl PrivateFile {
    /// Begins writing `path`, whose directory must exist. An existing file is kept until [`PrivateFile::finish`].
    pub fn begin(path: PathBuf) -> Result<Self, NotWritten> {
        let part = beside(&path, PART);
        let begin = || {
            remove_file(&part)?;
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&part)
        };
        let file = begin().map_err(|e| NotWritten::new(&path, e))?;
        Ok(Self {
            path,
            part,
            file,
            bytes: 0,
        })
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn write(&mut self, piece: &[u8]) -> Result<(), NotWritten> {
        self.bytes += piece.len() as u64;
        let written = self.file.write_all(piece);
        written.map_err(|e| NotWritten::new(&self.path, e))
    }

    /// Syncs the complete file and gives it its final name. Returns its path.
    pub fn finish(self) -> Result<PathBuf, NotWritten> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.part, &self.path))
            .and_then(|()| sync_parent(&self.path))
            .map_err(|e| NotWritten::new(&self.path, e))?;
        Ok(self.path.clone())
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        // After `finish` there is nothing to remove.
        drop(fs::remove_file(&self.part));
    }
}

/// Removes the access of other users to `path` and everything in it: directories 0700, files 0600.
pub fn close_to_others(path: &Path) -> io::Result<()> {
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let meta = fs::symlink_metadata(&path)?;
        if meta.is_symlink() {
            continue;
        }
        let mode = if meta.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        if meta.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// Changes the owner of `path`, of everything in it and of its copies beside it to the owner of their directory, so that
/// the service owns files that root created there. Does nothing unless the process runs as root.
pub fn give_to_owner_of(path: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(parent(path))?;
    let (uid, gid) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    let mut left = vec![path.to_owned()];
    // The copies of a store, and the file that records its damage, have its name with an ending.
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in fs::read_dir(parent(path))? {
        let beside = entry?.path();
        let rest = beside.file_name().unwrap_or_default().as_encoded_bytes();
        if rest.strip_prefix(name).is_some_and(|end| end.starts_with(b".")) {
            left.push(beside);
        }
    }
    while let Some(path) = left.pop() {
        if !fs::symlink_metadata(&path)?.is_symlink() {
            chown(&path, Some(uid), Some(gid))?;
        }
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
    }
    Ok(())
}
