//! The error of a daemon that does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admin::SocketError;
use crate::base::secrets::RootSecretError;
use crate::mcp::CatalogueError;
use crate::store::{OpenError, StoreError};
use crate::tls::TlsError;

/// Why the daemon does not start. The text is for the operator; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{path} can't be used: {source}; set {setting} to a directory that this user owns", path = .path.display())]
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
    #[error("{address} can't be used: {source}; {}", fix(source))]
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
    #[error("no threads can be started for connections")]
    Threads(#[source] std::io::Error),
    #[error("the workers can't be run: {0}")]
    Workers(String),
    #[error("the map {path} can't be used: {why}; give MAP_TILES_URL another PMTiles archive, or remove it", path = .path.display())]
    MapTiles { path: PathBuf, why: String },
    #[error("the gateway can't serve https")]
    Https(#[from] TlsError),
    #[error("TLS can't be set up: {0}; install the system's CA certificates")]
    Tls(String),
    /// A bug of this build.
    #[error("the built-in catalogue is damaged")]
    Catalogue(#[from] CatalogueError),
}

/// The fix for an address that can't be used.
fn fix(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE, which the installed service has"
        }
        _ => "set BIND_ADDRESS and PORT to a free address",
    }
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
            Self::Secret(_)
            | Self::Https(_)
            | Self::MapTiles { .. }
            | Self::Store(_)
            | Self::Admin(SocketError::TooLong(_)) => 78,
            Self::Processes(_)
            | Self::Threads(_)
            | Self::Workers(_)
            | Self::Admin(_)
            | Self::Tls(_)
            | Self::Catalogue(_) => 70,
        }
    }
}
