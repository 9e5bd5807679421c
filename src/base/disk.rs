//! File-system helpers that several modules need.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::base::secrets::random_id;

/// Appends `behind` to the name in `path`: a file or directory in the same parent directory.
pub fn beside(path: &Path, behind: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(behind);
    name.into()
}

/// The directory that contains `path`.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Syncs `directory` to disk, so that its entries survive a power cut.
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Syncs the directory that contains `path`, so that its entries survive a power cut.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync(parent(path))
}

/// Removes a file, if it exists.
pub fn remove_file(path: &Path) -> io::Result<()> {
    unless_gone(fs::remove_file(path))
}

/// Removes a directory and its contents, if it exists.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    unless_gone(fs::remove_dir_all(path))
}

/// Removes all permissions of group and others: directories become 0700, files 0600. Skips links.
pub fn close_to_others(path: &Path) -> io::Result<()> {
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path)?;
        if found.is_dir() {
            fs::set_permissions(&path, Permissions::from_mode(0o700))?;
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        } else if found.is_file() {
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A temporary directory that only its user can access; it is removed on drop.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Creates the directory in `parent`, which is created too if it is missing. Its name begins with `prefix`.
    pub fn make(parent: &Path, prefix: &str) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        builder.recursive(true).create(parent)?;
        let path = parent.join(random_id(prefix));
        builder.recursive(false).create(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = remove_tree(&self.0) {
            tracing::warn!(path = %self.0.display(), reason = %e, "directory.left");
        }
    }
}
