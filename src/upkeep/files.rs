//! Files that are their owner's alone, and whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, chown, geteuid};

use crate::base::disk::{beside, parent, remove_file, sync_parent};

/// Behind the name of one that is not whole yet.
pub(super) const PART: &str = ".part";

/// The disk refused a file; what was there is still there. For whoever named it.
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

/// A file (0600) in the making. Dropped before it is finished it leaves nothing.
pub struct PrivateFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    bytes: u64,
}

impl PrivateFile {
    /// Begins `path`; its directory is made (0700) if it is not there. A file of this name stays until the end.
    pub fn begin(path: PathBuf) -> Result<Self, NotWritten> {
        let part = beside(&path, PART);
        let begin = || {
            if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(directory)?;
            }
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

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the next piece.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), NotWritten> {
        self.bytes += piece.len() as u64;
        let written = self.file.write_all(piece);
        written.map_err(|e| NotWritten::new(&self.path, e))
    }

    /// It is whole and on the disk: from now on it has its name. Returns where it is.
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
        // Once it has its name there is nothing here.
        drop(fs::remove_file(&self.part));
    }
}

/// What root made in a directory of the service is the service's: gives `path` and all in it to the owner of the
/// directory that it is in. For anybody but root it does nothing.
pub fn give_to_owner_of(path: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::metadata(parent(path))?;
    let (uid, gid) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    let mut left = vec![path.to_owned()];
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
