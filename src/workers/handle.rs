//! The door: what the gateway asks of the workers, and what it gets back.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

/// One JSON-RPC request for a worker.
#[derive(Debug)]
pub struct UpstreamCall {
    /// The JSON-RPC method, e.g. `tools/call`.
    pub method: String,
    /// Its `params`, passed on byte for byte but for `_meta.progressToken`, which the worker's session owns.
    pub params: Option<Box<RawValue>>,
    /// True where a repetition changes nothing: such a call is repeated once when its worker dies.
    pub read_only: bool,
    /// Where to put the `params` of each `notifications/progress` of this call, without their `progressToken`:
    /// the caller adds the token that its client knows. `None`: the worker is not asked for progress.
    pub progress: Option<mpsc::Sender<Box<RawValue>>>,
    /// Where to put the `params` of each `notifications/message` of this call (a full channel loses some). `None`: they
    /// are dropped.
    pub messages: Option<mpsc::Sender<Box<RawValue>>>,
}

/// A worker's answer, byte for byte.
#[derive(Debug)]
pub enum UpstreamAnswer {
    /// The `result` member.
    Result(Box<RawValue>),
    /// The `error` member: `{"code", "message", "data"?}`.
    Error(Box<RawValue>),
}

/// Why a call got no answer from a worker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Garmin no longer takes this account's tokens, or none are held. *The person signing in* can act.
    #[error("Garmin asks this person to sign in again")]
    GarminSignInNeeded,
    /// All workers are in use. *The caller* can try again after the time given.
    #[error("all workers are busy; try again in {} s", retry_after.as_secs())]
    Busy {
        /// When a repetition has a fair chance.
        retry_after: Duration,
    },
    /// The worker did not come up. *The operator* can act; the worker's log holds its last words.
    #[error("the worker could not be started: {reason}")]
    StartFailed {
        /// Plain words, without secrets, e.g. `it ended with exit code 1 before it was ready`.
        reason: String,
    },
    /// The worker ended in the middle of this reading call, twice. *The operator* can act.
    #[error("the worker ended while it worked on this call")]
    Died,
    /// The worker ended in the middle of a changing call: nobody knows whether Garmin took the change.
    /// *The caller* must look before calling again.
    #[error("the worker ended while it worked on this call; the change may have happened")]
    MayHaveHappened,
    /// No answer within the time that a call may take. A changing call may have happened.
    #[error("the worker gave no answer in time")]
    TimedOut,
    /// What the worker sent is not an answer of MCP. *The operator* can act (a wrong worker command).
    #[error("the worker's answer could not be read: {reason}")]
    BadAnswer {
        /// What was wrong with it, never its content.
        reason: String,
    },
    /// The worker was stopped on purpose (the account was revoked, the gateway ends).
    #[error("the worker was stopped")]
    Stopped,
}

/// Why a worker is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Nobody called for `WORKER_IDLE_TTL`.
    Idle,
    /// Another account needed the room.
    Evicted,
    /// The person signed in at Garmin again: the next call starts a worker with the new tokens.
    SignedInAgain,
    /// The account's access was revoked, or the account forgotten.
    Revoked,
    /// The operator asked for it.
    Operator,
    /// It no longer answered.
    Unresponsive,
    /// The gateway ends.
    Draining,
}

impl StopReason {
    /// The word in events and on the console.
    pub fn as_str(self) -> &'static str {
        match self {
            StopReason::Idle => "idle",
            StopReason::Evicted => "evicted",
            StopReason::SignedInAgain => "signed_in_again",
            StopReason::Revoked => "revoked",
            StopReason::Operator => "operator",
            StopReason::Unresponsive => "unresponsive",
            StopReason::Draining => "draining",
        }
    }
}
