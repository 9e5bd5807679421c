//! The error of a daemon that does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admin::SocketError;
use crate::base::causes::chain;
use crate::base::secrets::RootSecretError;
use crate::mcp::CatalogueError;
use crate::store::{OpenError, StoreError};
use crate::tls::TlsError;

/// Why the daemon does not start. The text is for the operator; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{setting} ({path}) can't be used: {reason}; set it to a directory that this user owns", path = .path.display())]
    Directory {
        path: PathBuf,
        setting: &'static str,
        reason: std::io::Error,
    },
    #[error("the admin socket can't be created")]
    Admin(#[from] SocketError),
    #[error("the secret can't be used: {}{}", chain(.0), secret_fix(.0))]
    Secret(RootSecretError),
    #[error("the store can't be opened")]
    Store(#[from] OpenError),
    #[error("{address} can't be used: {reason}; {}", fix(reason))]
    Bind {
        address: SocketAddr,
        reason: std::io::Error,
    },
    #[error("{address} can't be used: {reason}; set METRICS_ADDRESS to a free address, or remove it")]
    Metrics {
        address: SocketAddr,
        reason: std::io::Error,
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
fn fix(reason: &std::io::Error) -> &'static str {
    match reason.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE, which the installed service has"
        }
        _ => "set BIND_ADDRESS and PORT to a free address",
    }
}

/// The fix for a secret file, where the error does not say it itself.
fn secret_fix(e: &RootSecretError) -> &'static str {
    match e {
        RootSecretError::Unreadable(..) => "; set GATEWAY_SECRET_FILE to a file that this user may read",
        RootSecretError::Unwritable(..) => {
            "; set GATEWAY_SECRET_FILE to a file in a directory that this user owns"
        }
        RootSecretError::Lost(_) | RootSecretError::TooShort(_) | RootSecretError::Placeholder => "",
    }
}

impl From<RootSecretError> for StartError {
    fn from(e: RootSecretError) -> Self {
        Self::Secret(e)
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// What the operator reads is the error with its causes: each cause once, and the setting to change.
    #[test]
    fn each_error_names_its_setting_and_says_its_cause_once() {
        let taken = || io::Error::from_raw_os_error(98);
        let is_directory = || io::Error::from_raw_os_error(21);
        let address = "127.0.0.1:8081".parse().unwrap();
        for (error, cause, named) in [
            (
                StartError::Bind {
                    address,
                    reason: taken(),
                },
                "os error 98",
                "set BIND_ADDRESS and PORT",
            ),
            (
                StartError::Metrics {
                    address,
                    reason: taken(),
                },
                "os error 98",
                "set METRICS_ADDRESS",
            ),
            (
                StartError::Directory {
                    path: "/srv".into(),
                    setting: "DATA_DIR",
                    reason: is_directory(),
                },
                "os error 21",
                "DATA_DIR (/srv)",
            ),
            (
                StartError::from(RootSecretError::Unreadable("/srv".into(), is_directory())),
                "os error 21",
                "set GATEWAY_SECRET_FILE",
            ),
            (
                StartError::from(TlsError::Files(vec!["TLS_KEY (/k): it is old".into()])),
                "it is old",
                "TLS_KEY (/k)",
            ),
            (
                StartError::from(OpenError::NotADirectory("/srv/file".into())),
                "/srv/file",
                "set DB_PATH",
            ),
        ] {
            let told = chain(&error);
            assert_eq!(told.matches(cause).count(), 1, "{told}");
            assert!(told.contains(named), "{told}");
        }
    }
}
