//! The names of backup files, and the removal of old ones.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::files::{NotWritten, PART, PrivateFile};
use crate::base::disk;

const PREFIX: &str = "garmin-gateway-";
const SUFFIX: &str = ".backup";

/// Why a backup could not be made. The text is for the operator; existing files are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    #[error("{path} exists and is not a backup: choose another name", path = .0.display())]
    Taken(PathBuf),
}

/// The path of a backup: a name with the time in `wished` if that is a directory or ends with a slash, otherwise
/// `wished` itself.
pub fn place(wished: &Path, now: Timestamp) -> PathBuf {
    let is_directory = wished.is_dir() || wished.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_directory {
        wished.join(format!("{PREFIX}{}{SUFFIX}", now.strftime("%Y%m%dT%H%M%SZ")))
    } else {
        wished.to_owned()
    }
}

/// Begins a backup at `path`, and creates its directory. It only ever replaces an older backup, not another file.
pub fn begin(path: PathBuf) -> Result<PrivateFile, BackupError> {
    if path.exists() && !is_backup(&path).map_err(|e| NotWritten::new(&path, e))? {
        return Err(BackupError::Taken(path));
    }
    let directory = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(disk::parent(&path));
    directory.map_err(|e| NotWritten::new(&path, e))?;
    Ok(PrivateFile::begin(path)?)
}

/// Removes the oldest backups in the directory of `newest` until `most` are left, and the remains of interrupted
/// ones. Touches only files with names from [`place`]. Returns the number of removed files.
pub fn keep(newest: &Path, most: usize) -> Result<usize, BackupError> {
    let failed = |e| NotWritten::new(newest, e);
    let (mut whole, mut spent) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(disk::parent(newest)).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if is_name(name) {
            whole.push(path);
        } else if name.strip_suffix(PART).is_some_and(is_name) && path.file_name() < newest.file_name() {
            spent.push(path);
        }
    }
    // The names contain the time, so this is the order of age.
    whole.sort();
    spent.extend(whole.drain(..whole.len().saturating_sub(most.max(1))));
    for path in &spent {
        fs::remove_file(path).map_err(failed)?;
    }
    Ok(spent.len())
}

fn is_name(name: &str) -> bool {
    let time = name
        .strip_prefix(PREFIX)
        .and_then(|name| name.strip_suffix(SUFFIX));
    time.is_some_and(|time| {
        time.len() == 16
            && time
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"TZ".contains(&byte))
    })
}

fn is_backup(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(22).read_to_end(&mut beginning)?;
    Ok(beginning == b"garmin-gateway backup ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::base::disk::beside;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap()
    }

    fn backup(directory: &Path, day: i64) -> PathBuf {
        let mut file = begin(place(directory, at(day))).unwrap();
        file.write(b"garmin-gateway backup 1\n").unwrap();
        file.finish().unwrap()
    }

    #[test]
    fn a_file_is_private_and_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/backups").join("");
        let whole = backup(&path, 0);
        assert_eq!(fs::metadata(&whole).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            whole.file_name().unwrap(),
            "garmin-gateway-20260921T141320Z.backup"
        );
        let mut cut = begin(place(&path, at(1))).unwrap();
        cut.write(b"garmin").unwrap();
        drop(cut);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn nothing_but_a_backup_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter");
        fs::write(&path, "Dear Ada").unwrap();
        assert!(matches!(begin(path.clone()), Err(BackupError::Taken(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "Dear Ada");
        let old = backup(dir.path(), 0);
        drop(begin(old.clone()).unwrap());
        assert!(old.exists());
    }

    #[test]
    fn the_newest_stay_and_strange_files_too() {
        let dir = tempfile::tempdir().unwrap();
        let days: Vec<PathBuf> = (0..5).map(|day| backup(dir.path(), day)).collect();
        let strange = dir.path().join("garmin-gateway-mine.backup");
        fs::write(&strange, "x").unwrap();
        // One backup was interrupted long ago, and another process is writing one now.
        let [spent, other] = [1, 9].map(|day| beside(&place(dir.path(), at(day)), PART));
        fs::write(&spent, "x").unwrap();
        fs::write(&other, "x").unwrap();
        assert_eq!(keep(&days[4], 2).unwrap(), 4);
        let left: Vec<bool> = days.iter().map(|path| path.exists()).collect();
        assert_eq!(left, [false, false, false, true, true]);
        assert!(strange.exists() && other.exists() && !spent.exists());
    }
}
