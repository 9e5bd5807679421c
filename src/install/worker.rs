//! Installs the optional Python worker: the unmodified `garmin_mcp` at a reviewed revision, with the packages from
//! its lock file.
//!
//! Each revision has its own directory below `…/lib/garmin-gateway/garmin_mcp`, owned by root, so that no worker can
//! change the program of the next one. The link `current` is the revision in use and `previous` the one before it;
//! `current` always leads to a complete installation. git verifies the revision, and its `uv.lock` has the hash of
//! every package.
//!
//! As the installer does, it collects facts, makes a plan, shows it and performs it.

mod perform;
mod plan;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

pub use perform::perform;
pub use plan::{WorkerInstallStep, plan};

use super::facts::{program_in_path, systemctl};
use super::{Layout, Scope};
use crate::config::REVIEWED;

/// The reviewed revision of `garmin_mcp`.
pub const REVISION: &str = REVIEWED.id;
pub const SOURCE: &str = "https://github.com/Taxuspt/garmin_mcp";
pub(super) const SETTING: &str = "GARMIN_MCP_CMD";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerProgram {
    BuiltIn,
    GarminMcp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerOperation {
    Install {
        /// The commit id: 40 hexadecimal digits.
        revision: String,
        /// The URL of the git repository.
        source: String,
    },
    /// Make the previous revision the current one.
    Rollback,
    Use(WorkerProgram),
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerDirectory(PathBuf);

impl WorkerDirectory {
    /// The directory of the Python worker in this installation.
    pub fn of(layout: &Layout) -> Self {
        Self(layout.library.join("garmin_mcp"))
    }

    /// The directory of one revision.
    pub(super) fn revision(&self, revision: &str) -> PathBuf {
        self.0.join(revision)
    }

    pub(super) fn current(&self) -> PathBuf {
        self.0.join("current")
    }

    pub(super) fn previous(&self) -> PathBuf {
        self.0.join("previous")
    }

    /// The program of a revision, or of `current`.
    pub(super) fn program(revision: &Path) -> PathBuf {
        revision.join("venv/bin/garmin-mcp")
    }

    /// The value of [`SETTING`] that selects this worker.
    pub(super) fn command(&self) -> String {
        Self::program(&self.current()).display().to_string()
    }
}

/// The current state of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct WorkerFacts {
    pub layout: Layout,
    /// Whether the process runs as root.
    pub is_root: bool,
    /// The path of `uv`, if it is installed.
    pub uv: Option<PathBuf>,
    /// The path of `git`, if it is installed.
    pub git: Option<PathBuf>,
    /// The revision in use, if any.
    pub current: Option<String>,
    /// The revision that was in use before.
    pub previous: Option<String>,
    /// Whether the gateway's settings file exists.
    pub has_settings: bool,
    /// The value of [`SETTING`] in the settings.
    pub command: Option<String>,
    /// Whether the gateway is running as a service.
    pub is_running: bool,
    /// Whether the directory of the worker's revisions exists.
    pub has_directory: bool,
}

impl WorkerFacts {
    /// Collects the facts. Programs are looked up in `search_path`.
    pub fn find(layout: Layout, search_path: &str) -> Self {
        let place = WorkerDirectory::of(&layout);
        let named = |link: PathBuf| {
            let target = fs::read_link(link).ok()?;
            let is_whole = WorkerDirectory::program(&place.0.join(&target)).exists();
            is_whole.then(|| target.display().to_string())
        };
        let settings = fs::read_to_string(layout.env_file()).ok();
        Self {
            is_root: nix::unistd::geteuid().is_root(),
            uv: program_in_path("uv", search_path),
            has_directory: place.0.exists(),
            git: program_in_path("git", search_path),
            current: named(place.current()),
            previous: named(place.previous()),
            has_settings: settings.is_some(),
            command: settings
                .as_deref()
                .and_then(|text| super::settings::find(text, SETTING)),
            is_running: Path::new("/run/systemd/system").exists()
                && systemctl(layout.scope, &["is-active", "--quiet"]).is_ok_and(|ok| ok),
            layout,
        }
    }

    fn needs_root(&self) -> bool {
        self.layout.scope == Scope::System && !self.is_root
    }
}

/// Why nothing was done, or why a step failed. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum WorkerInstallError {
    /// Only root may write to the directories of a system installation.
    #[error("this needs root: run it with sudo, or add --user to install for yourself")]
    NeedsRoot,
    /// A program that the installation needs is missing.
    #[error("{program} is needed, but was not found: {fix}")]
    Missing {
        program: &'static str,
        /// A sentence that says how to install it.
        fix: &'static str,
    },
    /// The given reference is not a commit id.
    #[error(
        "--ref takes the full revision, 40 hexadecimal digits: a name could mean something else tomorrow"
    )]
    NotARevision,
    /// There is no revision to roll back to or to use.
    #[error("{0}")]
    NotThere(&'static str),
    /// A step failed. The worker that was in use before is still in use.
    #[error("could not {step}: {reason}. What was in use before is still in use")]
    Step {
        /// The step as it was shown.
        step: String,
        /// The reason for the failure.
        reason: String,
    },
}
