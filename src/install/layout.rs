//! Where everything goes.

use std::path::{Path, PathBuf};

/// Whose installation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The machine's: a service user, a system unit.
    System,
    /// One person's: no root, a user unit.
    User,
}

/// The places of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whose.
    pub scope: Scope,
    /// The program.
    pub program: PathBuf,
    /// The unit.
    pub unit: PathBuf,
    /// `gateway.env` and, of the machine's, the secret.
    pub config: PathBuf,
    /// The data.
    pub state: PathBuf,
    /// Sockets, and the workers' directories.
    pub runtime: PathBuf,
    /// What was installed beside the program: the Python worker.
    pub library: PathBuf,
    /// Manual pages and completions, each where its reader looks.
    pub share: PathBuf,
}

const NAME: &str = "garmin-gateway";

/// The name of the timer of the backups.
pub(super) const BACKUP_TIMER: &str = "garmin-gateway-backup.timer";

impl Layout {
    /// The machine's places below `root`, which is `/` but in tests and packages.
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

    /// One person's places: XDG's defaults, as the unit's `%E` and the program's own defaults have them.
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

    /// The settings.
    pub fn env_file(&self) -> PathBuf {
        self.config.join("gateway.env")
    }

    /// The secret that opens the data.
    pub fn secret(&self) -> PathBuf {
        self.config.join("secret")
    }

    /// The program before the last upgrade.
    pub fn old_program(&self) -> PathBuf {
        self.program.with_extension("old")
    }

    /// The store, unless the settings have it elsewhere.
    pub fn store(&self) -> PathBuf {
        self.state.join("gateway.db")
    }

    /// The unit that makes a backup.
    pub fn backup_unit(&self) -> PathBuf {
        self.unit.with_file_name("garmin-gateway-backup.service")
    }

    /// The timer that starts it.
    pub fn backup_timer(&self) -> PathBuf {
        self.unit.with_file_name(BACKUP_TIMER)
    }

    /// The unit that makes a backup and its timer, with what they say.
    pub fn backup_units(&self) -> [(PathBuf, &'static str); 2] {
        let unit = match self.scope {
            Scope::System => include_str!("../../packaging/garmin-gateway-backup.service"),
            Scope::User => include_str!("../../packaging/garmin-gateway-backup-user.service"),
        };
        let timer = include_str!("../../packaging/garmin-gateway-backup.timer");
        [(self.backup_unit(), unit), (self.backup_timer(), timer)]
    }

    /// What the unit file says.
    pub fn unit_text(&self) -> &'static str {
        match self.scope {
            Scope::System => include_str!("../../packaging/garmin-gateway.service"),
            Scope::User => include_str!("../../packaging/garmin-gateway-user.service"),
        }
    }
}
