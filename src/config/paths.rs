//! The default directories: those that systemd provides, otherwise root's or the user's.

use std::path::PathBuf;

const NAME: &str = "garmin-gateway";

/// The default directories. Each error says why a directory is not known.
pub(super) struct Paths {
    pub(super) data: Result<PathBuf, &'static str>,
    pub(super) config: Result<PathBuf, &'static str>,
    pub(super) runtime: Result<PathBuf, &'static str>,
}

impl Paths {
    /// The directories of this process, whose environment is `var`.
    pub(super) fn find<'a>(var: impl Fn(&str) -> Option<&'a str>) -> Self {
        let is_root = nix::unistd::geteuid().is_root();
        let path = |name: &str| var(name).map(PathBuf::from);
        // systemd may list several directories, separated by colons; the first one is the gateway's.
        let unit = |name: &str| var(name)?.split(':').next().map(PathBuf::from);
        let home = |below: &str| {
            path("HOME")
                .map(|home| home.join(below).join(NAME))
                .ok_or("neither it nor HOME is set")
        };
        let pick = |systemd: &str, root: &str, xdg: &str, below: &str| match unit(systemd) {
            Some(path) => Ok(path),
            None if is_root => Ok(PathBuf::from(root).join(NAME)),
            None => path(xdg).map_or_else(|| home(below), |dir| Ok(dir.join(NAME))),
        };
        Self {
            data: pick("STATE_DIRECTORY", "/var/lib", "XDG_STATE_HOME", ".local/state"),
            config: pick("CONFIGURATION_DIRECTORY", "/etc", "XDG_CONFIG_HOME", ".config"),
            // Without a runtime directory, the user's cache directory is used.
            runtime: pick("RUNTIME_DIRECTORY", "/run", "XDG_RUNTIME_DIR", ".cache/run"),
        }
    }
}
