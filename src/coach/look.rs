//! One look by Claude at a race: what it is given, what comes of it, and why it may fail.

use crate::base::secrets::Secret;
use crate::race::snapshot::Snapshot;
use crate::race::track::TrackStep;

/// The name of the race's MCP server in Claude's configuration.
pub(super) const MCP_SERVER: &str = "race";

#[derive(Clone, Debug)]
pub struct RaceLook {
    pub snapshot: Snapshot,
    /// The last `analyze_window_min` minutes.
    pub window: Vec<TrackStep>,
    /// Grants this race alone, at `/mcp` and `/control`, until the race ends or two later looks were given tokens.
    pub token: Secret,
    /// Whether somebody asked for it; else it was due.
    pub asked_for: bool,
}

/// What came of a look.
#[derive(Debug, Default, PartialEq)]
pub(super) struct LookResult {
    /// Claude's reply. A runner does not return one.
    pub(super) reply: Option<String>,
    /// The cost in cents of a US dollar, where it is known.
    pub(super) cents: Option<f64>,
}

/// Why a look failed. The next one is taken all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// The operator can act: neither a runner nor a command is configured.
    #[error("no analysis is set up here: set CLAUDE_RUNNER_URL or CLAUDE_CMD")]
    NotSetUp,
    /// The operator can act, if it persists. The text has no secrets.
    #[error("{0}")]
    Failed(String),
}

impl LookError {
    pub(super) fn failed(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }
}

/// An hour of running with a window of ten minutes.
#[cfg(test)]
pub(super) fn sample_look() -> RaceLook {
    let (snapshot, window) = crate::race::support::hour();
    RaceLook {
        snapshot,
        window,
        token: Secret::new("t"),
        asked_for: false,
    }
}
