//! Names and entries on the disk, as more than one room needs them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// `path` with something behind its name: a file or directory in the same directory.
pub fn beside(path: &Path, behind: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(behind);
    name.into()
}

/// The directory that `path` is in.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The entries of `directory` survive a power cut from now on.
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The entries of the directory that `path` is in survive a power cut from now on.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync(parent(path))
}

/// The file goes, if it is there.
pub fn remove_file(path: &Path) -> io::Result<()> {
    unless_gone(fs::remove_file(path))
}

/// The directory goes with all that is in it, if it is there.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    unless_gone(fs::remove_dir_all(path))
}

fn unless_gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
