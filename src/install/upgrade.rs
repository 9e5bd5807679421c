//! Upgrades to the newest release, as `install.sh` does, but from within the installed program.
//!
//! The installed program only fetches and verifies the new one. The new program's own `install` does the rest: it
//! checks the settings and the store, restarts the service, and goes back to the old program if that fails.

mod error;
mod release;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use super::facts::{command, version_of};
use super::{Layout, Scope};
use crate::base::disk::Scratch;
use crate::base::version::is_older;
pub use error::UpgradeError;
pub use release::{Release, Releases};

/// Finds out at which of the two layouts `program` is installed.
pub fn installation_of(program: &Path, layouts: [Layout; 2]) -> Result<Layout, UpgradeError> {
    if program == Path::new("/usr/bin/garmin-gateway") {
        return Err(UpgradeError::DebianPackage);
    }
    let is_it = |layout: &Layout| {
        let place = layout.program.canonicalize();
        // Only the directory is checked, because this user may not be allowed to see the settings in it.
        place.is_ok_and(|place| place == program) && layout.config.exists()
    };
    let found = layouts.into_iter().find(is_it);
    found.ok_or_else(|| UpgradeError::NotInstalled(program.to_owned()))
}

/// Whether this user may change the installation. `again` is the command without `sudo`.
pub fn check_user(layout: &Layout, again: &str) -> Result<(), UpgradeError> {
    let own = nix::unistd::geteuid();
    match layout.scope {
        Scope::System if !own.is_root() => Err(UpgradeError::NeedsRoot(format!("sudo {again}"))),
        Scope::User
            if layout
                .program
                .metadata()
                .is_ok_and(|found| found.uid() != own.as_raw()) =>
        {
            Err(UpgradeError::OtherUser)
        }
        _ => Ok(()),
    }
}

/// Whether a release is newer than version `own`, and should be installed. Errors: an older one was requested.
pub fn is_due(own: &str, release: &Release, is_asked_for: bool) -> Result<bool, UpgradeError> {
    let found = &release.version;
    if is_asked_for && is_older(found, own) {
        return Err(UpgradeError::Older {
            wanted: found.clone(),
            installed: own.to_owned(),
        });
    }
    Ok(is_older(own, found))
}

/// Runs the new program, which installs itself with `options`. It asks and reports on this terminal.
pub fn install_release(
    release: &Release,
    program: &[u8],
    options: &[&str],
) -> Result<ExitStatus, UpgradeError> {
    let directory = std::env::temp_dir();
    let failed = |reason: String| UpgradeError::DoesNotRun {
        reason,
        directory: directory.clone(),
    };
    let io_failed = |e: io::Error| failed(e.to_string());
    let scratch = Scratch::make(&directory, "garmin-gateway-upgrade-").map_err(io_failed)?;
    let path = scratch.path().join("garmin-gateway");
    std::fs::write(&path, program).map_err(io_failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(io_failed)?;
    let told = version_of(&path).map_err(io_failed)?;
    let told = told.ok_or_else(|| failed("it does not report a version".to_owned()))?;
    if told != release.version {
        let reason = format!("its program says that it is {told}");
        return Err(UpgradeError::not_genuine(&release.archive, &reason));
    }
    let mut install = command(path.as_os_str());
    install.arg("install").args(options).stdin(Stdio::inherit());
    install.status().map_err(io_failed)
}
