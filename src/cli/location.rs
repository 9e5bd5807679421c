//! Locates the data: through a running gateway, or in a store that no process has open.

use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::{DISK, NoStore, WrongSettings};
use super::output::fail;
use crate::admin::SOCKET_NAME;
use crate::admin::client::{AdminClient, ClientError};
use crate::base::disk::parent;
use crate::config::{Config, Sources};
use crate::store::{Store, StoreError};
use crate::upkeep::give_to_owner_of;

#[derive(Args)]
pub(super) struct EnvFileArg {
    /// A file of NAME=value lines [default: for `serve`, .env in the working directory; else gateway.env of the installation]
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Option<PathBuf>,
}

/// Selects the gateway.
#[derive(Args)]
pub(super) struct StoreLocation {
    #[command(flatten)]
    env_file: EnvFileArg,
    /// The gateway's socket, or its directory [default: in RUNTIME_DIR]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

pub(super) enum GatewayProcess {
    Running(AdminClient),
    /// No gateway answers, so the store may be opened.
    Stopped,
}

impl StoreLocation {
    /// The settings of the selected gateway.
    pub(super) fn config(&self) -> Result<Config, WrongSettings> {
        load_config(self.env_file.env_file.as_deref())
    }

    /// Connects to the gateway if it is running. Errors: the given socket does not answer, or this user may not open
    /// it.
    pub(super) async fn find(&self, config: &Config) -> Result<GatewayProcess, ClientError> {
        let path = match &self.socket {
            Some(path) => socket_in(path.clone()),
            // If this user has a store, its own gateway is meant, whether that is running or not.
            None if config.db_path.is_dir() => socket_in(config.runtime_dir.clone()),
            None => default_socket(&config.runtime_dir),
        };
        match AdminClient::connect(&path).await {
            Ok(client) => Ok(GatewayProcess::Running(client)),
            Err(ClientError::NotRunning(_)) if self.socket.is_none() => Ok(GatewayProcess::Stopped),
            Err(e) => Err(e),
        }
    }
}

/// A store that is opened without a gateway. Dropping it changes the owner of files created by root to the service's
/// user.
pub(super) struct OwnStore {
    store: Option<Store>,
    path: PathBuf,
}

impl OwnStore {
    /// Opens the store that these settings name. It does not create one.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let path = config.db_path.clone();
        if !path.is_dir() {
            anyhow::bail!(NoStore(path));
        }
        let store = Store::open(&path, &config.secret.read()?);
        // Even a store that does not open may now have files that belong to root.
        let store = store.inspect_err(|_| own(&path))?;
        Ok(Self {
            store: Some(store),
            path,
        })
    }

    /// Opens the store that these settings name, or creates it with its secret.
    pub(super) fn open_or_create(config: &Config) -> anyhow::Result<Self> {
        let path = config.db_path.clone();
        let (secret, _) = config.secret.resolve()?;
        make_place(config)?;
        let store = Store::open(&path, &secret)?;
        Ok(Self {
            store: Some(store),
            path,
        })
    }

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

/// Creates the directory of the store, accessible only to this user.
pub(super) fn make_place(config: &Config) -> anyhow::Result<()> {
    let parent = parent(&config.db_path);
    let mut directory = std::fs::DirBuilder::new();
    let created = directory.recursive(true).mode(0o700).create(parent);
    created.with_context(|| parent.display().to_string())?;
    if config.db_path.starts_with(&config.data_dir) {
        let private = Permissions::from_mode(0o700);
        std::fs::set_permissions(&config.data_dir, private)
            .with_context(|| config.data_dir.display().to_string())?;
    }
    Ok(())
}

/// The settings from `env_file` if given, otherwise those of the installed gateway.
pub(super) fn load_config(env_file: Option<&Path>) -> Result<Config, WrongSettings> {
    Ok(Config::load(&Sources::of_operator(env_file)?)?)
}

/// Changes the owner of a store that root created or opened to the owner of its directory.
pub(super) fn own(path: &Path) {
    if let Err(e) = give_to_owner_of(path) {
        // This is only reported, because the gateway also fails visibly if it can't open the store.
        fail(
            DISK,
            &format!("{} can't be given to its owner: {e}", path.display()),
        );
    }
}

/// The runtime directory of the system-wide gateway, as `packaging/` creates it.
const SYSTEM_RUNTIME_DIR: &str = "/run/garmin-gateway";

/// The socket to connect to: the given one, or the one from the settings.
pub(super) fn socket_path(given: Option<PathBuf>) -> Result<PathBuf, WrongSettings> {
    if let Some(path) = given {
        return Ok(socket_in(path));
    }
    let config = load_config(None)?;
    Ok(default_socket(&config.runtime_dir))
}

/// The socket of the user's own gateway if it is running, otherwise of the system-wide one.
pub(super) fn default_socket(own: &Path) -> PathBuf {
    own_or_system(own, Path::new(SYSTEM_RUNTIME_DIR))
}

fn own_or_system(own: &Path, system: &Path) -> PathBuf {
    let is_own = own.join(SOCKET_NAME).exists() || !system.exists();
    socket_in(if is_own { own } else { system }.to_owned())
}

/// `path` itself, or the socket in this directory.
pub(super) fn socket_in(path: PathBuf) -> PathBuf {
    if path.is_dir() {
        path.join(SOCKET_NAME)
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_own_gateway_the_system_wide_one_is_meant() {
        let place = tempfile::tempdir().unwrap();
        let (own, system) = (place.path().join("own"), place.path().join("system"));
        assert_eq!(own_or_system(&own, &system), own, "there is none");
        std::fs::create_dir(&system).unwrap();
        assert_eq!(own_or_system(&own, &system), system.join(SOCKET_NAME));
        std::fs::create_dir(&own).unwrap();
        assert_eq!(own_or_system(&own, &system), system.join(SOCKET_NAME));
        std::fs::write(own.join(SOCKET_NAME), "").unwrap();
        assert_eq!(own_or_system(&own, &system), own.join(SOCKET_NAME));
    }
}
