//! The error of a daemon that does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admin::SocketError;
use crate::base::secrets::RootSecretError;
use crate::mcp::CatalogueError;
use crate::store::{OpenError, StoreError};

/// Why the daemon does not start. The text is for the operator; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{path} can't be used: {source}; set {setting} to a directory of this user", path = .path.display())]
    Directory {
        path: PathBuf,
        setting: &'static str,
        source: std::io::Error,
    },
    #[error("the admin socket can't be created")]
    Admin(#[from] SocketError),
    #[error("the secret can't be used")]
    Secret(#[from] RootSecretError),
    #[error("the store can't be opened")]
    Store(#[from] OpenError),
    #[error("{address} can't be used: {source}; set BIND_ADDRESS and PORT to a free address")]
    Bind {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("{address} can't be used: {source}; set METRICS_ADDRESS to a free address, or remove it")]
    Metrics {
        address: SocketAddr,
        source: std::io::Error,
    },
    /// State from the last run, such as races in progress, can't be read.
    #[error("the store can't be read")]
    Read(#[from] StoreError),
    #[error("no processes can be started")]
    Processes(#[source] std::io::Error),
    #[error("the workers can't be run: {0}")]
    Workers(String),
    #[error("TLS can't be set up: {0}; install the system's CA certificates")]
    Tls(String),
    /// A bug of this build.
    #[error("the built-in catalogue is damaged")]
    Catalogue(#[from] CatalogueError),
}

impl StartError {
    /// The exit code of the process, from sysexits.h.
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
            Self::Processes(_) | Self::Workers(_) | Self::Admin(_) | Self::Tls(_) | Self::Catalogue(_) => 70,
        }
    }
}
