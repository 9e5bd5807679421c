//! Why the daemon does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admin::SocketError;
use crate::base::secrets::RootSecretError;
use crate::mcp::CatalogueError;
use crate::store::{OpenError, StoreError};

/// Why the daemon does not start. All are for the operator, and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A directory can't be made or used.
    #[error("{path} can't be used: {source}; set {setting} to a directory of this user", path = .path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// The setting that names it.
        setting: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The admin socket can't be made.
    #[error("the console's socket can't be made")]
    Admin(#[from] SocketError),
    /// The secret can't be had.
    #[error("the secret can't be used")]
    Secret(#[from] RootSecretError),
    /// The store can't be opened.
    #[error("the store can't be opened")]
    Store(#[from] OpenError),
    /// The port is taken or not allowed.
    #[error("{address} can't be listened on: {source}; set BIND_ADDRESS and PORT to a free one")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The metrics' port is taken.
    #[error("{address} can't be listened on: {source}; set METRICS_ADDRESS to a free one, or take it out")]
    Metrics {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// What goes on from the last start can't be taken up.
    #[error("the store can't be read")]
    Read(#[from] StoreError),
    /// No thread can be started that starts processes.
    #[error("no processes can be started")]
    Processes(#[source] std::io::Error),
    /// No thread can be started that serves connections.
    #[error("no thread can be started: {0}; allow the service more tasks (TasksMax, ulimit -u)")]
    Lanes(#[source] std::io::Error),
    /// The workers can't be run.
    #[error("the workers can't be run: {0}")]
    Workers(String),
    /// The system's certificates can't be used.
    #[error("TLS can't be set up: {0}; install the system's CA certificates")]
    Tls(String),
    /// This build's own catalogue is damaged.
    #[error("the built-in catalogue is damaged")]
    Catalogue(#[from] CatalogueError),
}

impl StartError {
    /// The exit code of the process, from sysexits.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Bind { .. }
            | Self::Metrics { .. }
            | Self::Admin(SocketError::InUse(_))
            | Self::Store(OpenError::InUse(_)) => 69,
            Self::Store(OpenError::Disk { .. } | OpenError::Damaged { .. })
            | Self::Read(_)
            | Self::Directory { .. } => 74,
            Self::Secret(_) | Self::Store(_) | Self::Admin(SocketError::TooLong(_)) => 78,
            Self::Processes(_)
            | Self::Lanes(_)
            | Self::Workers(_)
            | Self::Admin(_)
            | Self::Tls(_)
            | Self::Catalogue(_) => 70,
        }
    }
}
