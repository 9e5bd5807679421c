//! The source of the secret that seals the store.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::problem::SettingSource;
use super::reader::SettingsReader;
use super::settings::{GATEWAY_SECRET, GATEWAY_SECRET_FILE};
use crate::base::disk::beside;
use crate::base::secrets::{RootSecret, RootSecretError, Secret};

/// The source of the secret that seals the store.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// The secret itself is in the settings.
    Text(Secret),
    /// A file that the operator or systemd provides.
    File(PathBuf),
    /// A file that is created if it is missing and there is no data yet.
    Created {
        path: PathBuf,
        /// The database that is sealed with the secret.
        data: PathBuf,
    },
}

impl SecretSource {
    /// The secret, and whether this call created it. It is never created beside data, which only the lost one opens.
    pub fn resolve(&self) -> Result<(RootSecret, bool), RootSecretError> {
        match self {
            Self::Text(text) => RootSecret::new(text.expose()).map(|secret| (secret, false)),
            Self::File(path) => RootSecret::read(path).map(|secret| (secret, false)),
            Self::Created { path, .. } if self.is_lost() => Err(RootSecretError::Lost(path.clone())),
            Self::Created { path, .. } => RootSecret::read_or_create(path),
        }
    }

    /// The secret; a missing file is an error.
    pub fn read(&self) -> Result<RootSecret, RootSecretError> {
        match self {
            Self::Text(text) => RootSecret::new(text.expose()),
            Self::Created { path, .. } if self.is_lost() => Err(RootSecretError::Lost(path.clone())),
            Self::File(path) | Self::Created { path, .. } => RootSecret::read(path),
        }
    }

    /// Whether the secret's file is missing although there is data.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Text(_) | Self::File(_) => false,
            Self::Created { path, data } => !path.try_exists().unwrap_or(true) && has_data(data),
        }
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Text(_) => None,
            Self::File(path) | Self::Created { path, .. } => Some(path),
        }
    }
}

/// Whether there is a database. A directory that this user may not enter belongs to a gateway that has run, and one
/// that only its replacement is left of is completed by the next start.
fn has_data(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) if e.kind() == ErrorKind::NotFound => beside(path, ".new").exists(),
        Err(e) => e.kind() != ErrorKind::NotADirectory,
    }
}

/// Reads both settings of the secret that seals the database `data`. Only the one in use is shown.
pub(super) fn read(reader: &mut SettingsReader<'_>, data: &Path, warnings: &mut Vec<String>) -> SecretSource {
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
        _ => SecretSource::Created {
            path: reader.path(&GATEWAY_SECRET_FILE),
            data: data.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A new secret would look like the right one from then on, and the data would stay closed.
    #[test]
    fn a_secret_is_created_only_where_there_is_no_data() {
        let place = tempfile::tempdir().unwrap();
        let (path, data) = (place.path().join("secret"), place.path().join("gateway.db"));
        let source = SecretSource::Created {
            path: path.clone(),
            data: data.clone(),
        };
        let refused = || {
            let lost = matches!(source.resolve(), Err(RootSecretError::Lost(lost)) if lost == path);
            lost && source.is_lost() && source.read().is_err() && !path.exists()
        };
        fs::create_dir(&data).unwrap();
        fs::write(data.join("db"), "data").unwrap();
        assert!(refused());
        // A replacement that was interrupted is data too.
        fs::rename(&data, beside(&data, ".new")).unwrap();
        assert!(refused());
        fs::rename(beside(&data, ".new"), place.path().join("away")).unwrap();
        fs::create_dir(&data).unwrap();
        assert!(source.resolve().unwrap().1);
        fs::write(data.join("db"), "data").unwrap();
        assert!(!source.resolve().unwrap().1);
        // A link that leads nowhere is not replaced by a file of its own.
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(place.path().join("unmounted"), &path).unwrap();
        assert!(source.resolve().is_err());
    }
}
