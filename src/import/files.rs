//! The Python gateway's files: where they are, and a private copy of its database.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::error::ImportError;
use crate::base::disk::{Scratch, beside};
use crate::base::secrets::Secret;
use crate::config::EnvFile;

/// The settings of the Python gateway that matter here. It ignores everything else in its `.env`, and so does this
/// module.
const SETTINGS: [&str; 4] = ["GATEWAY_SECRET", "DB_PATH", "DATA_DIR", "PUBLIC_URL"];

/// How many times to try to copy a database that changes during the copy.
const COPIES: usize = 3;

/// What the other gateway's directory holds.
#[derive(Debug)]
pub(super) struct OldFiles {
    pub(super) database: PathBuf,
    pub(super) secret: Option<Secret>,
    pub(super) public_url: Option<String>,
    /// The database of its companion program for LiveTrack.
    pub(super) livetrack: Option<PathBuf>,
    /// The directory that holds a directory for each person.
    users: PathBuf,
}

impl OldFiles {
    /// Finds the files. `from` is the directory with `gateway.db` or `.env`, or the database itself.
    pub(super) fn find(from: &Path) -> Result<Self, ImportError> {
        let given = from.is_file().then(|| from.to_owned());
        let dir = given.as_deref().and_then(Path::parent).unwrap_or(from);
        let env = read_env(&dir.join(".env"))?;
        let set = |name: &str| env.get(name).filter(|value| !value.is_empty());
        let data = set("DATA_DIR").map(|data| dir.join(data));
        let candidates = [
            given.clone(),
            Some(dir.join("gateway.db")),
            set("DB_PATH").map(|path| dir.join(path)),
            data.as_ref().map(|data| data.join("gateway.db")),
            Some(dir.join("data/gateway.db")),
            Some(dir.join(".localdata/gateway.db")),
        ];
        let found = candidates.into_iter().flatten().find(|path| path.is_file());
        let database = found.ok_or_else(|| ImportError::NoDatabase(from.to_owned()))?;
        // Drops the `.` of a path like `./.localdata`.
        let database: PathBuf = database.components().collect();
        let home = database.parent().unwrap_or(dir).to_owned();
        let in_data = |name: &str| data.as_ref().map(|data| data.join(name));
        let users = in_data("users").filter(|users| users.is_dir());
        let livetrack = [Some(dir.join("livetrack.db")), Some(home.join("livetrack.db"))];
        Ok(Self {
            users: users.unwrap_or_else(|| home.join("users")),
            livetrack: livetrack.into_iter().flatten().find(|path| path.is_file()),
            secret: set("GATEWAY_SECRET").map(Secret::new),
            public_url: set("PUBLIC_URL").map(str::to_owned),
            database,
        })
    }

    /// The file in which the worker of this account keeps its tokens.
    pub(super) fn worker_tokens(&self, account: &str) -> PathBuf {
        let is_kept = |c: char| c.is_ascii_alphanumeric() || "_.@-".contains(c);
        let name: String = account
            .chars()
            .map(|c| if is_kept(c) { c } else { '_' })
            .collect();
        self.users.join(name).join("tokens/garmin_tokens.json")
    }
}

fn read_env(path: &Path) -> Result<EnvFile, ImportError> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(EnvFile::default()),
        Err(e) => return Err(ImportError::io(path, e)),
    };
    // Other lines are replaced by empty ones, so that errors give the right line numbers.
    let lines = text.lines().map(|line| {
        if SETTINGS.contains(&EnvFile::name_of(line.trim())) {
            line
        } else {
            ""
        }
    });
    EnvFile::parse(lines.collect::<Vec<_>>().join("\n").as_bytes(), path).map_err(ImportError::EnvFile)
}

/// Whether another process has the database open: SQLite holds a shared lock on these bytes of it.
pub(super) fn is_open_elsewhere(database: &Path) -> Result<bool, ImportError> {
    const SHARED_FIRST: i64 = 0x4000_0002;
    const SHARED_SIZE: i64 = 510;
    let failed = |e: io::Error| ImportError::io(database, e);
    let file = File::open(database).map_err(failed)?;
    let mut lock = libc::flock {
        l_type: i16::try_from(libc::F_WRLCK).unwrap_or_default(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: SHARED_FIRST,
        l_len: SHARED_SIZE,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_GETLK(&mut lock)).map_err(|e| failed(e.into()))?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

/// A private copy of a database, including what SQLite has not merged into it yet. It is removed on drop.
pub(super) struct DatabaseCopy(Scratch);

impl DatabaseCopy {
    pub(super) fn of(database: &Path) -> Result<Self, ImportError> {
        for _ in 0..COPIES {
            let before = state(database)?;
            let copy = Self::make(database)?;
            if state(database)? == before {
                return Ok(copy);
            }
        }
        Err(ImportError::Changing(database.to_owned()))
    }

    fn make(database: &Path) -> Result<Self, ImportError> {
        let place = std::env::temp_dir();
        let scratch =
            Scratch::make(&place, "garmin-gateway-import-").map_err(|e| ImportError::io(&place, e))?;
        let copy = Self(scratch);
        for (from, to) in parts(database).iter().zip(parts(&copy.path())) {
            match fs::copy(from, &to) {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound && from != database => {}
                Err(e) => return Err(ImportError::io(from, e)),
            }
        }
        Ok(copy)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("gateway.db")
    }
}

/// The files of a SQLite database: the main file, the write-ahead log and the rollback journal.
fn parts(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-journal"].map(|suffix| beside(database, suffix))
}

/// The length and the modification time of a part; `None` if it does not exist.
type OnDisk = Option<(u64, Option<SystemTime>)>;

fn state(database: &Path) -> Result<[OnDisk; 3], ImportError> {
    let mut states = [None; 3];
    for (part, state) in parts(database).iter().zip(&mut states) {
        match fs::metadata(part) {
            Ok(meta) => *state = Some((meta.len(), meta.modified().ok())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(ImportError::io(part, e)),
        }
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn the_database_is_found_where_the_other_gateway_puts_it() {
        for (env, at) in [
            ("", "gateway.db"),
            ("DB_PATH=store/mine.db", "store/mine.db"),
            ("DATA_DIR=./.here", ".here/gateway.db"),
            ("", "data/gateway.db"),
            // The path in `.env` is the one inside the container.
            ("DATA_DIR=/nowhere/data", ".localdata/gateway.db"),
        ] {
            let dir = place();
            let path = dir.path().join(at);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "x").unwrap();
            fs::write(dir.path().join(".env"), env).unwrap();
            let found = OldFiles::find(dir.path()).unwrap();
            assert_eq!(
                found.database.canonicalize().unwrap(),
                path.canonicalize().unwrap()
            );
            assert!(found.livetrack.is_none());
            assert_eq!(OldFiles::find(&path).unwrap().database, path, "the file itself");
        }
        let empty = place();
        assert!(matches!(
            OldFiles::find(empty.path()),
            Err(ImportError::NoDatabase(_))
        ));
    }

    #[test]
    fn only_the_settings_that_matter_are_read() {
        let dir = place();
        fs::write(dir.path().join("gateway.db"), "x").unwrap();
        fs::write(dir.path().join("livetrack.db"), "x").unwrap();
        let env = dir.path().join(".env");
        fs::write(
            &env,
            "# a comment\nOPERATOR_NAME=Ann # and \\ more\nnonsense\nGATEWAY_SECRET=\"planted\"\nPUBLIC_URL=https://gw.example.org\n",
        )
        .unwrap();
        let found = OldFiles::find(dir.path()).unwrap();
        assert_eq!(found.secret, Some(Secret::new("planted")));
        assert_eq!(found.public_url.as_deref(), Some("https://gw.example.org"));
        assert!(found.livetrack.is_some());
        assert!(
            found
                .worker_tokens("ann+x/../y@example.org")
                .ends_with("users/ann_x_.._y@example.org/tokens/garmin_tokens.json")
        );
        fs::write(&env, "A=1\nGATEWAY_SECRET='planted").unwrap();
        let told = OldFiles::find(dir.path()).unwrap_err().to_string();
        assert!(told.contains("line 2") && !told.contains("planted"), "{told}");
    }

    #[test]
    fn a_copy_is_private_and_removed() {
        let dir = place();
        let database = dir.path().join("mine.db");
        fs::write(&database, "base").unwrap();
        fs::write(dir.path().join("mine.db-wal"), "ahead").unwrap();
        let copy = DatabaseCopy::of(&database).unwrap();
        let path = copy.path();
        assert_eq!(fs::read_to_string(&path).unwrap(), "base");
        assert_eq!(fs::read_to_string(beside(&path, "-wal")).unwrap(), "ahead");
        let mode = fs::metadata(path.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(copy);
        assert!(!path.parent().unwrap().exists());
        assert!(matches!(
            DatabaseCopy::of(&dir.path().join("none")),
            Err(ImportError::Io { .. })
        ));
    }
}
