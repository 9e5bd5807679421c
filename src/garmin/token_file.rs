//! `garmin_tokens.json`: hands tokens to a worker, and the worker's refreshed tokens back.
//!
//! Every write is atomic: a new file (0600) is filled, synced and renamed over the old one, so that a reader never sees
//! a partial file and a crash leaves either the old file or the new one. A symlink in its place is refused, for reading
//! and for writing, because somebody else may have prepared the directory.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::tokens::GarminTokens;
use crate::base::disk;
use crate::base::secrets::random_id;

/// Upper bound in bytes, far beyond any token set.
const LONGEST: u64 = 64 * 1024;

/// The token file at one path.
#[derive(Debug, Clone)]
pub struct TokenFile(PathBuf);

/// Why the file cannot be read or written. Each error names the path, and never the content.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// No file exists, because nobody has signed in yet.
    #[error("there is no token file at {0}")]
    Missing(PathBuf),
    /// A symlink, a directory or a device. Who can act: the operator.
    #[error("{0} is not a plain file")]
    NotPlain(PathBuf),
    /// Not the JSON of a token set, or one without an access token. Who can act: the operator, by a new sign-in.
    #[error("{0} does not hold Garmin tokens")]
    Malformed(PathBuf),
    /// The system refused the operation. Who can act: the operator.
    #[error("cannot {act} {path}")]
    Io {
        /// The operation that failed, as a verb.
        act: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl TokenFileError {
    /// The message with the system's reason, for the log.
    pub(super) fn with_source(&self) -> String {
        match self {
            Self::Io { source, .. } => format!("{self}: {source}"),
            other => other.to_string(),
        }
    }
}

impl TokenFile {
    /// The file at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn read(&self) -> Result<GarminTokens, TokenFileError> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(&self.0)
            .map_err(|e| match e.raw_os_error().map(nix::errno::Errno::from_raw) {
                Some(nix::errno::Errno::ENOENT) => TokenFileError::Missing(self.0.clone()),
                Some(nix::errno::Errno::ELOOP) => TokenFileError::NotPlain(self.0.clone()),
                _ => self.io("open", e),
            })?;
        let kind = file.metadata().map_err(|e| self.io("look at", e))?;
        if !kind.is_file() {
            return Err(TokenFileError::NotPlain(self.0.clone()));
        }
        let mut text = zeroize::Zeroizing::new(String::new());
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|e| self.io("read", e))?;
        serde_json::from_str(&text)
            .ok()
            .filter(|tokens: &GarminTokens| !tokens.di_token.is_empty())
            .ok_or_else(|| TokenFileError::Malformed(self.0.clone()))
    }

    /// Replaces the tokens. The write is durable on return, and only the owner can read the file.
    pub fn write(&self, tokens: &GarminTokens) -> Result<(), TokenFileError> {
        match fs::symlink_metadata(&self.0) {
            Ok(there) if !there.is_file() => return Err(TokenFileError::NotPlain(self.0.clone())),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(self.io("look at", e)),
        }
        let new = disk::parent(&self.0).join(random_id(".garmin_tokens-"));
        let replaced = self.fill(&new, tokens).and_then(|()| {
            fs::rename(&new, &self.0).map_err(|e| self.io("replace", e))?;
            disk::sync_parent(&self.0).map_err(|e| self.io("sync the directory of", e))
        });
        if replaced.is_err() {
            // A leftover would hold tokens. If it cannot be removed either, the first error still explains why.
            drop(fs::remove_file(&new));
        }
        replaced
    }

    fn fill(&self, new: &Path, tokens: &GarminTokens) -> Result<(), TokenFileError> {
        let json = serde_json::to_vec(tokens).map_err(|e| self.io("encode", io::Error::other(e)))?;
        let json = zeroize::Zeroizing::new(json);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(new)
            .map_err(|e| self.io("create a file beside", e))?;
        file.write_all(&json)
            .and_then(|()| file.sync_all())
            .map_err(|e| self.io("write beside", e))
    }

    fn io(&self, act: &'static str, source: io::Error) -> TokenFileError {
        TokenFileError::Io {
            act,
            path: self.0.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::base::secrets::Secret;

    fn tokens(name: &str) -> GarminTokens {
        GarminTokens {
            di_token: Secret::new(name),
            di_refresh_token: Some(Secret::new("refresh")),
            di_client_id: None,
        }
    }

    #[test]
    fn what_is_written_is_read_and_nobody_else_may() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::new(dir.path().join("garmin_tokens.json"));
        assert!(matches!(file.read(), Err(TokenFileError::Missing(_))));
        for name in ["first", "second"] {
            file.write(&tokens(name)).unwrap();
            assert_eq!(file.read().unwrap(), tokens(name));
        }
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn symlinks_are_refused_both_ways() {
        let dir = tempfile::tempdir().unwrap();
        let real = TokenFile::new(dir.path().join("real.json"));
        real.write(&tokens("real")).unwrap();
        let link = TokenFile::new(dir.path().join("garmin_tokens.json"));
        symlink(real.path(), link.path()).unwrap();
        assert!(matches!(link.read(), Err(TokenFileError::NotPlain(_))));
        assert!(matches!(
            link.write(&tokens("new")),
            Err(TokenFileError::NotPlain(_))
        ));
        assert_eq!(real.read().unwrap(), tokens("real"));
    }

    #[test]
    fn what_is_no_token_set_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::new(dir.path().join("garmin_tokens.json"));
        for text in [
            "",
            "{",
            "[]",
            r#"{"di_token":""}"#,
            r#"{"di_token":null}"#,
            r#"{"di_token":"a.b"#,
        ] {
            fs::write(file.path(), text).unwrap();
            assert!(matches!(file.read(), Err(TokenFileError::Malformed(_))), "{text}");
        }
        fs::create_dir(dir.path().join("d")).unwrap();
        let directory = TokenFile::new(dir.path().join("d"));
        assert!(matches!(directory.read(), Err(TokenFileError::NotPlain(_))));
        assert!(matches!(
            directory.write(&tokens("x")),
            Err(TokenFileError::NotPlain(_))
        ));
    }

    #[test]
    fn an_error_never_shows_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::new(dir.path().join("garmin_tokens.json"));
        fs::write(file.path(), r#"{"di_token": planted}"#).unwrap();
        let error = file.read().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
