//! Why the other gateway's data can't be read.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::SettingProblem;

/// Why nothing can be imported. Nothing was changed, and no message contains a value from the files.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "there is no gateway.db in {dir}; name the directory that holds it, or the one with the .env that says where it is",
        dir = .0.display()
    )]
    NoDatabase(PathBuf),
    #[error("{path} is not a SQLite database", path = .0.display())]
    NotADatabase(PathBuf),
    #[error("{path} is not a database of the Python gateway: {what}", path = .path.display())]
    OtherLayout { path: PathBuf, what: String },
    #[error("{path} can't be read; it may be damaged", path = .path.display())]
    Unreadable { path: PathBuf, source: rusqlite::Error },
    #[error("the Python gateway is running (it has {path} open); stop it first", path = .0.display())]
    Running(PathBuf),
    #[error("livetrack-mcp is running (it has {path} open); stop it first", path = .0.display())]
    LiveTrackRunning(PathBuf),
    #[error(
        "{path} has no table of track points: none has a column for the time together with a position, heart rate, power, speed or distance",
        path = .0.display()
    )]
    NoPoints(PathBuf),
    #[error("--races-of: no account with the e-mail {0} is here or comes with this import")]
    NoSuchOwner(String),
    #[error("{path} is being written; stop the program that uses it and try again", path = .0.display())]
    Changing(PathBuf),
    #[error(
        "the Python gateway's secret is needed: {dir}/.env has no GATEWAY_SECRET; name a file that holds it with --secret-file, or give it on standard input with --secret-file -",
        dir = .0.display()
    )]
    NoSecret(PathBuf),
    #[error(
        "the secret does not open the Garmin tokens in {path}; give the GATEWAY_SECRET that the Python gateway used",
        path = .0.display()
    )]
    WrongSecret(PathBuf),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    EnvFile(Vec<SettingProblem>),
    #[error("{path} can't be read", path = .path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl ImportError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
