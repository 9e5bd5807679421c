//! The installer: facts → plan → show → do.
//!
//! The plan is a pure step and the same one that `--dry-run` shows; doing it twice does nothing the second time.
//! Everything that is placed comes from `packaging/`, so what is in the repository is what is installed.
//!
//! Invariants:
//! - Settings, secret and data are never overwritten, and never removed but by `--purge`.
//! - An upgrade keeps the old program and a copy of the store until the new one is ready; else both come back.
//! - Nothing that runs is touched before the new program has read the settings and a backup of the store. The service is
//!   restarted and never stopped, so that its listening socket stays (`daemon::Kept`).
//!
//! [`worker`] has the same shape for the Python worker. Processes of the system (`systemctl`, `useradd`, `uv`, `git`) are run in
//! the two `perform`s alone.

mod facts;
mod layout;
mod perform;
mod plan;
mod settings;
pub mod worker;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use facts::{Facts, Manual};
pub use layout::{Layout, Scope};
pub use perform::perform;
pub use plan::{Action, Plan, plan};
pub use settings::Answers;

/// What the person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The program, installed or upgraded.
    Install(Answers),
    /// The program gone; with `purge` its settings, secret and data too.
    Uninstall {
        /// Everything goes.
        purge: bool,
    },
}

/// Why nothing was installed, or what came of it. All are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Root's directories are for root.
    #[error("this needs root: run it with sudo, or add --user for an installation of your own")]
    NeedsRoot,
    /// An older program can't read a newer store.
    #[error(
        "version {installed} is installed and this is {this}: an older version may not read the newer data. \
         Install {installed} or newer, or uninstall first and restore a backup of the older version's time"
    )]
    Downgrade {
        /// What is there.
        installed: String,
        /// What was to be installed.
        this: String,
    },
    /// An answer is not what the setting takes.
    #[error("{option}: {reason}")]
    Answer {
        /// The option.
        option: &'static str,
        /// What is wrong and what is right.
        reason: String,
    },
    /// The home directory is not known.
    #[error("HOME is not set: it is where an installation of your own goes")]
    NoHome,
    /// A step failed before anything that runs was touched.
    #[error("could not {step}: {source}")]
    Step {
        /// The step, in the words in which it was shown.
        step: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The new program did not come up, and the old one is back.
    #[error("the new program did not work ({reason}); the old one and its data are back")]
    RolledBack {
        /// Which step failed, and how.
        reason: String,
    },
    /// Neither the new nor the old program runs.
    #[error("{reason}; and taking it back failed: {failure}. The copy of the data is in {}", copy.display())]
    NotRolledBack {
        /// What failed first.
        reason: String,
        /// What failed then.
        failure: String,
        /// Where the data are safe.
        copy: PathBuf,
    },
}
