//! The paths of an installation.

use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For the whole machine, with a service user and a system unit.
    System,
    /// For one user, without root, with a user unit.
    User,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub scope: Scope,
    pub program: PathBuf,
    pub unit: PathBuf,
    /// The directory of `gateway.env` and the secret.
    pub config: PathBuf,
    pub state: PathBuf,
    /// The directory of the sockets and the workers' directories.
    pub runtime: PathBuf,
    /// The directory of the Python worker.
    pub library: PathBuf,
    /// The directory of manual pages and completions.
    pub share: PathBuf,
}

const NAME: &str = "garmin-gateway";

pub(super) const BACKUP_TIMER: &str = "garmin-gateway-backup.timer";

impl Layout {
    /// The paths of a system installation below `root`, which is `/` except in tests.
    pub fn system(root: &Path) -> Self {
        Self {
            scope: Scope::System,
            program: root.join("usr/local/bin").join(NAME),
            unit: root.join("etc/systemd/system/garmin-gateway.service"),
            config: root.join("etc").join(NAME),
            state: root.join("var/lib").join(NAME),
            runtime: root.join("run").join(NAME),
            library: root.join("usr/local/lib").join(NAME),
            share: root.join("usr/local/share"),
        }
    }

    /// The paths of a user's installation: the XDG defaults, which the unit (`%E`) and the program also use.
    pub fn user(home: &Path) -> Self {
        let config = home.join(".config");
        Self {
            scope: Scope::User,
            program: home.join(".local/bin").join(NAME),
            unit: config.join("systemd/user/garmin-gateway.service"),
            config: config.join(NAME),
            state: home.join(".local/state").join(NAME),
            runtime: home.join(".cache/run").join(NAME),
            library: home.join(".local/lib").join(NAME),
            share: home.join(".local/share"),
        }
    }

    pub fn env_file(&self) -> PathBuf {
        self.config.join("gateway.env")
    }

    pub fn secret(&self) -> PathBuf {
        self.config.join("secret")
    }

    /// The path of the program from before the last upgrade.
    pub fn old_program(&self) -> PathBuf {
        self.program.with_extension("old")
    }

    /// The default path of the store.
    pub fn store(&self) -> PathBuf {
        self.state.join("gateway.db")
    }

    pub fn backup_unit(&self) -> PathBuf {
        self.unit.with_file_name("garmin-gateway-backup.service")
    }

    pub fn backup_timer(&self) -> PathBuf {
        self.unit.with_file_name(BACKUP_TIMER)
    }

    /// The paths of the backup unit and its timer, each with its text.
    pub fn backup_units(&self) -> [(PathBuf, &'static str); 2] {
        let unit = match self.scope {
            Scope::System => include_str!("../../packaging/garmin-gateway-backup.service"),
            Scope::User => include_str!("../../packaging/garmin-gateway-backup-user.service"),
        };
        let timer = include_str!("../../packaging/garmin-gateway-backup.timer");
        [(self.backup_unit(), unit), (self.backup_timer(), timer)]
    }

    pub fn unit_text(&self) -> &'static str {
        match self.scope {
            Scope::System => include_str!("../../packaging/garmin-gateway.service"),
            Scope::User => include_str!("../../packaging/garmin-gateway-user.service"),
        }
    }
}
