//! The installer: it collects facts, makes a plan, shows it and performs it.
//!
//! Planning is a pure function, and `--dry-run` shows the same plan. Performing a plan a second time changes nothing.
//! All installed files come from `packaging/`.
//!
//! Invariants:
//! - Settings, secret and data are never overwritten, and only `--purge` removes them.
//! - An upgrade keeps the old program and a copy of the store until the new program is ready. If it does not become
//!   ready, both are restored.
//! - The running service is not touched until the new program has read the settings and a backup of the store. The
//!   service is restarted instead of stopped and started, so that systemd keeps its listening socket
//!   (`daemon::Kept`).
//!
//! [`worker`] does the same for the Python worker. Only the two `perform` files run system programs that change
//! something (`systemctl`, `useradd`, `uv`, `git`). [`upgrade`] fetches a newer release and lets that install itself.

mod facts;
mod layout;
mod perform;
mod plan;
mod settings;
pub mod upgrade;
pub mod worker;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::base::secrets::KEPT_COPY;

pub use facts::{Facts, Manual};
pub use layout::{Layout, Scope};
pub use perform::perform;
pub use plan::{Action, Plan, plan};
pub use settings::Answers;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallOperation {
    /// Install the program, or upgrade it.
    Install(Answers),
    /// Remove the program; with `purge`, also remove settings, secret and data.
    Uninstall { purge: bool },
}

/// Why the installation failed. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    #[error("this needs root: run it with sudo, or add --user to install for yourself")]
    NeedsRoot,
    /// An older program may be unable to read a newer store.
    #[error(
        "version {installed} is installed, but this is {this}: an older version may be unable to read the newer data. \
         Install {installed} or newer, or uninstall first and restore a backup from the time of the older version"
    )]
    Downgrade { installed: String, this: String },
    /// Each wrong answer: its option, and what is wrong.
    #[error("{}", .0.iter().map(|(option, reason)| format!("{option}: {reason}")).collect::<Vec<_>>().join("\n"))]
    Answers(Vec<(&'static str, String)>),
    /// There is no terminal for the question whether to go on.
    #[error("nothing was done: this needs confirmation, but there is no terminal to ask on; add --yes")]
    NobodyToAsk,
    /// A new secret could not open the data.
    #[error("{path} is missing, and the data can't be opened without it; {KEPT_COPY}", path = .0.display())]
    SecretLost(PathBuf),
    #[error("HOME is not set; an installation for yourself needs it")]
    NoHome,
    /// A step failed before the running service was touched.
    #[error("could not {step}: {source}")]
    Step {
        /// The step as it was shown.
        step: String,
        source: std::io::Error,
    },
    /// The new program did not start, and the old one is running again.
    #[error("the new program did not start ({reason}); the old one and its data have been restored")]
    RolledBack { reason: String },
    /// Neither the new nor the old program is running.
    #[error("{reason}; and restoring the old program failed: {failure}. The copy of the data is in {}", copy.display())]
    NotRolledBack {
        reason: String,
        failure: String,
        /// The copy of the store from before the upgrade.
        copy: PathBuf,
    },
}
