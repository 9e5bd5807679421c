//! One look by Claude at a race: what it is shown, and why it may fail.

use futures_util::future::BoxFuture;

use crate::base::secrets::Secret;
use crate::race::snapshot::Snapshot;
use crate::race::track::Step;

/// What Claude is shown.
#[derive(Clone, Debug)]
pub struct Look {
    /// The race.
    pub snapshot: Snapshot,
    /// The last `analyze_window_min` minutes.
    pub window: Vec<Step>,
    /// Reaches this race and nothing else, at `/mcp` and `/control`; good until the race ends or the next look.
    pub token: Secret,
    /// Somebody asked for it; else it was time.
    pub asked_for: bool,
}

/// Why nobody looked. The next look is taken all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLooked {
    /// The operator: nothing is set up that could look.
    #[error("no analysis is set up here: set CLAUDE_RUNNER_URL or CLAUDE_CMD")]
    NotSetUp,
    /// The operator, if it stays: what should have looked can't, in a few words without secrets.
    #[error("{0}")]
    Failed(String),
}

/// Has Claude look at races.
pub trait Coach: Send + Sync {
    /// Whether looks are set up at all; if not, no race asks for one by itself.
    fn is_set_up(&self) -> bool;

    /// Has Claude look. Returns what it said, if that is told (a runner only takes the order). Takes its own limited
    /// time; dropping the future ends it.
    fn look(&self, look: Look) -> BoxFuture<'static, Result<Option<String>, NotLooked>>;
}

/// An hour of running, looked at over ten minutes.
#[cfg(test)]
pub(super) fn sample_look() -> Look {
    let (snapshot, window) = crate::race::support::hour();
    Look {
        snapshot,
        window,
        token: Secret::new("t"),
        asked_for: false,
    }
}
