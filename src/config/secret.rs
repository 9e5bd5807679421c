//! The source of the secret that seals the store.

use std::path::{Path, PathBuf};

use super::problem::SettingSource;
use super::reader::SettingsReader;
use super::settings::{GATEWAY_SECRET, GATEWAY_SECRET_FILE};
use crate::base::secrets::{RootSecret, RootSecretError, Secret};

/// The source of the secret that seals the store.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// The secret itself is in the settings.
    Text(Secret),
    /// A file that the operator or systemd provides.
    File(PathBuf),
    /// A file that is created if it is missing.
    Created(PathBuf),
}

impl SecretSource {
    /// The secret, and whether this call created it.
    pub fn resolve(&self) -> Result<(RootSecret, bool), RootSecretError> {
        match self {
            Self::Text(text) => RootSecret::new(text.expose()).map(|secret| (secret, false)),
            Self::File(path) => RootSecret::read(path).map(|secret| (secret, false)),
            Self::Created(path) => RootSecret::read_or_create(path),
        }
    }

    /// The secret; a missing file is an error.
    pub fn read(&self) -> Result<RootSecret, RootSecretError> {
        match self {
            Self::Text(text) => RootSecret::new(text.expose()),
            Self::File(path) | Self::Created(path) => RootSecret::read(path),
        }
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path) | Self::Created(path) => Some(path),
        }
    }
}

/// Reads both settings of the secret. Only the one in use is shown.
pub(super) fn read(reader: &mut SettingsReader<'_>, warnings: &mut Vec<String>) -> SecretSource {
    let file = reader.sources.find(GATEWAY_SECRET_FILE.name);
    if let Some(text) = reader.text(&GATEWAY_SECRET) {
        if file.is_some() {
            reader.problem_with(
                &GATEWAY_SECRET,
                "GATEWAY_SECRET_FILE is set too",
                "set only one of them",
            );
        }
        if let Err(e) = RootSecret::new(text) {
            reader.problem(&GATEWAY_SECRET, e.to_string());
        }
        let source = reader.sources.find(GATEWAY_SECRET.name);
        if matches!(source, Some((_, SettingSource::Environment))) {
            warnings.push(
                "GATEWAY_SECRET is in the environment, where /proc and container tools show it; \
                 GATEWAY_SECRET_FILE is safer"
                    .into(),
            );
        }
        return SecretSource::Text(Secret::new(text));
    }
    let credential = reader
        .sources
        .find("CREDENTIALS_DIRECTORY")
        .map(|(dir, _)| Path::new(dir).join("secret"))
        .filter(|path| path.exists());
    match credential {
        Some(path) if file.is_none() => {
            reader.show(&GATEWAY_SECRET_FILE, &path.display());
            SecretSource::File(path)
        }
        _ => SecretSource::Created(reader.path(&GATEWAY_SECRET_FILE)),
    }
}
