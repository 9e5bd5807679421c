//! Why an upgrade was not made.

use std::path::PathBuf;

use crate::base::download::DownloadError;

/// Why there was no upgrade. Nothing was changed. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    #[error(
        "{} is not an installed program. `garmin-gateway install` installs it; a checkout is upgraded with git and \
         ./install.sh, a container with a new image", .0.display()
    )]
    NotInstalled(PathBuf),
    #[error(
        "this program came as a Debian package. Fetch the package of the new release, then: sudo apt install \
         ./garmin-gateway_VERSION_ARCHITECTURE.deb"
    )]
    DebianPackage,
    #[error("this program is installed for one user: run garmin-gateway upgrade as that user, without sudo")]
    OtherUser,
    #[error("this needs root: {0}")]
    NeedsRoot(String),
    #[error(
        "nothing says where releases are and who signs them. Set NEWS_URL and NEWS_KEY in {}, or give --from and --key, \
         or run install.sh of the new release", .0.display()
    )]
    NoReleases(PathBuf),
    #[error("the address of the releases must begin with https://")]
    Address,
    #[error(
        "NEWS_URL does not end in /latest/download/notes.json, so only the newest release is known; leave --version out"
    )]
    NoVersions,
    #[error("'{0}' is not a version; write it as 1.2.3")]
    NoVersion(String),
    #[error(
        "version {wanted} is older than the installed {installed}, and may be unable to read its data. Uninstall \
         first, and restore a backup from the time of the older version"
    )]
    Older { wanted: String, installed: String },
    #[error("version {version} has no {archive}: build it from a checkout with ./install.sh")]
    NoArchive { version: String, archive: String },
    #[error("could not fetch {file}: {reason}; nothing was changed")]
    Download { file: String, reason: DownloadError },
    #[error(
        "{file} is not the published one: {reason}; nothing was changed. If a release is being published now, try again \
         in a few minutes"
    )]
    NotGenuine { file: String, reason: String },
    #[error(
        "the new program does not run: {reason}; nothing was changed. If programs are not allowed to run in {}, name \
         another directory with TMPDIR", directory.display()
    )]
    DoesNotRun { reason: String, directory: PathBuf },
}

impl UpgradeError {
    pub(super) fn of_download(file: String, reason: DownloadError) -> Self {
        match reason {
            DownloadError::Signature(_) | DownloadError::TooLarge => {
                Self::not_genuine(&file, &reason.to_string())
            }
            _ => Self::Download { file, reason },
        }
    }

    pub(super) fn not_genuine(file: &str, reason: &str) -> Self {
        Self::NotGenuine {
            file: file.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
