//! Where the data are: with a running gateway, or in a store that nobody has open.

use std::path::{Path, PathBuf};

use clap::Args;

use super::operate::{OperateError, client_exit_code, socket_in, usual_socket};
use super::{BROKEN, CONFIG, DISK, EnvFile, UNAVAILABLE, USAGE};
use crate::admin::client::{AdminClient, ClientError};
use crate::base::secrets::RootSecretError;
use crate::config::{Config, Sources};
use crate::store::{ArchiveError, OpenError, RestoreError, RotateError, Store, StoreError};
use crate::upkeep::backups::BackupError;
use crate::upkeep::{NotWritten, RotateFileError, give_to_owner_of};

/// Which gateway is meant.
#[derive(Args)]
pub(super) struct StoreLocation {
    #[command(flatten)]
    env_file: EnvFile,
    /// The running gateway's socket, or the directory it is in; without it RUNTIME_DIR says where it is.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// What was found there.
pub(super) enum GatewayProcess {
    /// It runs.
    Running(AdminClient),
    /// Nobody answers: the store may be opened.
    Stopped,
}

impl StoreLocation {
    /// The settings of the gateway that is meant.
    pub(super) fn config(&self) -> Result<Config, OperateError> {
        Sources::of_operator(self.env_file.env_file.as_deref())
            .map_err(|problem| vec![problem])
            .and_then(|sources| Config::load(&sources))
            .map_err(|problems| OperateError::Config { problems })
    }

    /// Whether it runs. Errors: a socket was named, and nobody answers on it; or somebody who may not be asked.
    pub(super) async fn find(&self, config: &Config) -> Result<GatewayProcess, ClientError> {
        let path = match &self.socket {
            Some(path) => socket_in(path.clone()),
            // A store of their own is what they mean, whether its gateway runs or not.
            None if config.db_path.is_dir() => socket_in(config.runtime_dir.clone()),
            None => usual_socket(&config.runtime_dir),
        };
        match AdminClient::connect(&path).await {
            Ok(client) => Ok(GatewayProcess::Running(client)),
            Err(ClientError::NotRunning(_)) if self.socket.is_none() => Ok(GatewayProcess::Stopped),
            Err(e) => Err(e),
        }
    }
}

/// A store that is opened without a gateway. What root makes in it is the service's again when it goes.
pub(super) struct OwnStore {
    store: Option<Store>,
    path: PathBuf,
}

impl OwnStore {
    /// Opens the store of these settings; one that is not there is not made.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let path = config.db_path.clone();
        if !path.is_dir() {
            anyhow::bail!(NoStore(path));
        }
        let store = Store::open(&path, &config.secret.read()?)?;
        Ok(Self {
            store: Some(store),
            path,
        })
    }

    /// The store. It is there until this goes.
    pub(super) fn store(&self) -> Result<&Store, StoreError> {
        self.store.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for OwnStore {
    fn drop(&mut self) {
        self.store.take();
        own(&self.path);
    }
}

/// Gives a store that root made or opened to whom its directory belongs.
pub(super) fn own(path: &Path) {
    if let Err(e) = give_to_owner_of(path) {
        // The gateway will say so too, when it can't open it.
        super::fail(
            DISK,
            &format!("{} can't be given to its owner: {e}", path.display()),
        );
    }
}

#[derive(Debug, thiserror::Error)]
#[error("there is no store in {path}; with --env-file FILE its settings say where it is", path = .0.display())]
struct NoStore(PathBuf);

/// What is only done to a store that nobody has open.
#[derive(Debug, thiserror::Error)]
#[error("a gateway runs with this store; stop it first (systemctl stop garmin-gateway)")]
pub(super) struct GatewayRuns;

/// A mistake of the person who asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// Exit codes of what can go wrong with the data.
pub(super) fn exit_code(error: &anyhow::Error) -> u8 {
    let is = |code: fn(&(dyn std::error::Error + 'static)) -> Option<u8>| error.chain().find_map(code);
    is(|e| {
        if let Some(e) = e.downcast_ref::<OperateError>() {
            return Some(e.exit_code());
        }
        if let Some(e) = e.downcast_ref::<ClientError>() {
            return Some(client_exit_code(e));
        }
        if e.is::<GatewayRuns>() || matches!(e.downcast_ref(), Some(OpenError::InUse(_))) {
            return Some(UNAVAILABLE);
        }
        if e.is::<UsageError>() || matches!(e.downcast_ref(), Some(RestoreError::InTheWay(_))) {
            return Some(USAGE);
        }
        if matches!(e.downcast_ref(), Some(BackupError::Taken(_))) {
            return Some(USAGE);
        }
        if e.is::<RootSecretError>()
            || e.is::<NoStore>()
            || matches!(
                e.downcast_ref(),
                Some(ArchiveError::WrongSecret(_) | ArchiveError::Newer(_))
            )
            || matches!(
                e.downcast_ref(),
                Some(OpenError::WrongSecret(_) | OpenError::Newer { .. })
            )
            || matches!(e.downcast_ref(), Some(RotateError::WrongSecret))
        {
            return Some(CONFIG);
        }
        let of_disk = e.is::<NotWritten>()
            || e.is::<ArchiveError>()
            || e.is::<OpenError>()
            || e.is::<StoreError>()
            || matches!(
                e.downcast_ref(),
                Some(RotateFileError::<ClientError>::File { .. })
            )
            || matches!(
                e.downcast_ref(),
                Some(RotateFileError::<RotateError>::File { .. })
            )
            || e.is::<std::io::Error>();
        of_disk.then_some(DISK)
    })
    .unwrap_or(BROKEN)
}
