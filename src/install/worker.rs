//! The Python worker on request: the unmodified `garmin_mcp` at a revision that was reviewed, with what its own lock file pins.
//!
//! Each revision has a directory of its own below `…/lib/garmin-gateway/garmin_mcp`, of root's, so that no worker can write
//! what the next one runs. `current` names the one in use and `previous` the one before: whatever fails, and whenever it is
//! interrupted, `current` names a whole one. git proves that what came is the revision; `uv.lock`, which is part of it,
//! holds the hash of every package.
//!
//! The same shape as the installer: facts → plan → show → do.

mod perform;
mod plan;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

pub use perform::perform;
pub use plan::{Action, plan};

use super::facts::{program_in_path, systemctl};
use super::{Layout, Scope};

/// The revision of `garmin_mcp` that was reviewed, and that the tables of tools were made from.
pub const REVISION: &str = "2974244bfda1595b00836b3f942f579ec2d6f7d6";
/// Where it is kept.
pub const SOURCE: &str = "https://github.com/Taxuspt/garmin_mcp";
/// The setting that names the workers' program.
pub(super) const SETTING: &str = "GARMIN_MCP_CMD";

/// Which program workers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// This same binary.
    BuiltIn,
    /// The Python one that was installed here.
    GarminMcp,
}

/// What the person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A revision, there and current.
    Install {
        /// 40 hexadecimal digits.
        revision: String,
        /// A git repository.
        source: String,
    },
    /// The revision before the current one, current again.
    Rollback,
    /// Workers that run this program from now on.
    Use(Program),
    /// All of it gone.
    Remove,
}

/// Where the revisions are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(PathBuf);

impl Place {
    /// Of this installation.
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

    /// What [`SETTING`] says when this is used.
    pub(super) fn command(&self) -> String {
        Self::program(&self.current()).display().to_string()
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The installation.
    pub layout: Layout,
    /// Whether root asks.
    pub is_root: bool,
    /// `uv`, if it is installed.
    pub uv: Option<PathBuf>,
    /// `git`, if it is installed.
    pub git: Option<PathBuf>,
    /// The revision in use.
    pub current: Option<String>,
    /// The one before.
    pub previous: Option<String>,
    /// Whether the gateway's settings are there.
    pub has_settings: bool,
    /// What [`SETTING`] says in the settings.
    pub command: Option<String>,
    /// Whether the gateway runs as a service.
    pub is_running: bool,
}

impl Facts {
    /// Looks.
    pub fn find(layout: Layout, search_path: &str) -> Self {
        let place = Place::of(&layout);
        let named = |link: PathBuf| {
            let target = fs::read_link(link).ok()?;
            let is_whole = Place::program(&place.0.join(&target)).exists();
            is_whole.then(|| target.display().to_string())
        };
        let settings = fs::read_to_string(layout.env_file()).ok();
        Self {
            is_root: nix::unistd::geteuid().is_root(),
            uv: program_in_path("uv", search_path),
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

/// Why nothing was done, or what came of it. All are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Root's directories are for root.
    #[error("this needs root: run it with sudo, or add --user for an installation of your own")]
    NeedsRoot,
    /// A program that the installation takes.
    #[error("{program} is needed and was not found: {fix}")]
    Missing {
        /// Which.
        program: &'static str,
        /// How to get it.
        fix: &'static str,
    },
    /// The reference is none.
    #[error(
        "--ref takes the whole revision, 40 hexadecimal digits: a name could mean something else tomorrow"
    )]
    NotARevision,
    /// There is nothing to go back to or to use.
    #[error("{0}")]
    NotThere(&'static str),
    /// A step failed; what was in use before still is.
    #[error("could not {step}: {reason}. What was in use before still is")]
    Step {
        /// The step, in the words in which it was shown.
        step: String,
        /// What came of it.
        reason: String,
    },
}
