//! One look by Claude at a race: its input, its result, and its errors.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::base::secrets::Secret;
use crate::race::snapshot::Snapshot;
use crate::race::track::TrackStep;

/// The name of the race's MCP server in Claude's configuration.
pub(super) const MCP_SERVER: &str = "race";

#[derive(Clone, Debug)]
pub struct RaceLook {
    pub snapshot: Snapshot,
    /// The steps of the last `analyze_window_min` minutes.
    pub window: Vec<TrackStep>,
    /// What was said about this race so far, oldest first.
    pub said: Vec<SaidMessage>,
    /// Grants access to this race only, at `/mcp` and `/control`, until the race ends or two newer tokens were
    /// issued.
    pub token: Secret,
    /// Whether a user requested it; otherwise it was scheduled.
    pub asked_for: bool,
}

/// A message for the phone, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidMessage {
    pub at: Timestamp,
    pub text: String,
    /// Why it was held; empty if it was sent.
    pub held: Vec<String>,
}

/// A text that Claude is to write, and what it may read for it.
#[derive(Debug)]
pub struct ClaudeOrder<'a> {
    /// The account whose daily limit of looks this counts against.
    pub account: &'a AccountId,
    pub token: &'a Secret,
    /// The name of the MCP server in Claude's configuration.
    pub server: &'a str,
    pub tools: &'a [&'a str],
    pub prompt: String,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct LookResult {
    /// Claude's reply. A runner does not return one.
    pub(super) reply: Option<String>,
    /// Cost in cents of a US dollar, where it is known.
    pub(super) cents: Option<f64>,
}

/// Why a look failed. A failure does not prevent the next look.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// For the operator: neither a runner nor a command is configured.
    #[error("no analysis is set up here: set CLAUDE_RUNNER_URL or CLAUDE_CMD")]
    NotSetUp,
    /// For the operator, if it persists. The text contains no secrets.
    #[error("{0}")]
    Failed(String),
}

impl LookError {
    pub(super) fn failed(why: &str) -> Self {
        Self::Failed(why.to_owned())
    }
}

/// An hour of running, with a window of ten minutes.
#[cfg(test)]
pub(super) fn sample_look() -> RaceLook {
    let (snapshot, window) = crate::race::support::hour();
    RaceLook {
        snapshot,
        window,
        said: vec![],
        token: Secret::new("t"),
        asked_for: false,
    }
}
