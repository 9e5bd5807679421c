//! Where things are kept when nobody says: systemd's directories, then root's, then the user's.

use std::path::PathBuf;

use super::sources::Sources;

const NAME: &str = "garmin-gateway";

/// The usual directories of this process.
pub(super) struct Paths {
    pub(super) data: Result<PathBuf, &'static str>,
    pub(super) config: Result<PathBuf, &'static str>,
    pub(super) runtime: Result<PathBuf, &'static str>,
}

impl Paths {
    pub(super) fn find(sources: &Sources) -> Self {
        let is_root = nix::unistd::geteuid().is_root();
        let var = |name: &str| sources.find(name).map(|(value, _)| PathBuf::from(value));
        // systemd lists several directories with colons; ours is the first.
        let unit = |name: &str| {
            let (value, _) = sources.find(name)?;
            value.split(':').next().map(PathBuf::from)
        };
        let home = |below: &str| {
            var("HOME")
                .map(|home| home.join(below).join(NAME))
                .ok_or("neither it nor HOME is set")
        };
        let pick = |systemd: &str, root: &str, xdg: &str, below: &str| match unit(systemd) {
            Some(path) => Ok(path),
            None if is_root => Ok(PathBuf::from(root).join(NAME)),
            None => var(xdg).map_or_else(|| home(below), |dir| Ok(dir.join(NAME))),
        };
        Self {
            data: pick("STATE_DIRECTORY", "/var/lib", "XDG_STATE_HOME", ".local/state"),
            config: pick("CONFIGURATION_DIRECTORY", "/etc", "XDG_CONFIG_HOME", ".config"),
            // Without a runtime directory of the session, the user's cache stands in for it.
            runtime: pick("RUNTIME_DIRECTORY", "/run", "XDG_RUNTIME_DIR", ".cache/run"),
        }
    }
}
