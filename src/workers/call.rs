//! One call of a worker: what is asked, what comes of it, and when it may be repeated.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::upstream::Failure;

/// A call is tried this often where its worker has provably not begun with it.
const MOST_TRIES: usize = 4;

/// One JSON-RPC request for a worker.
#[derive(Debug)]
pub struct UpstreamCall {
    /// The JSON-RPC method, e.g. `tools/call`.
    pub method: &'static str,
    /// Its `params`, passed on byte for byte but for `_meta.progressToken`, which the worker's session owns.
    pub params: Option<Box<RawValue>>,
    /// True where a repetition changes nothing: such a call is repeated once when its worker dies.
    pub read_only: bool,
    /// Where to put the `params` of each `notifications/progress` of this call; the `progressToken` in them is ours, and
    /// the caller replaces it by the one that its client knows. `None`: the worker is not asked for progress.
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

/// Whether a call that failed so often, in these ways, is not tried again, and what its caller is told.
pub(super) fn give_up(failures: &[Failure], read_only: bool) -> Option<WorkerError> {
    let lost = failures
        .iter()
        .filter(|failure| **failure == Failure::Lost)
        .count();
    match failures.last()? {
        Failure::BadAnswer(reason) => Some(WorkerError::BadAnswer {
            reason: reason.clone(),
        }),
        Failure::Lost if !read_only => Some(WorkerError::MayHaveHappened),
        Failure::Lost if lost > 1 => Some(WorkerError::Died),
        _ if failures.len() >= MOST_TRIES => Some(WorkerError::StartFailed {
            reason: "it ended again and again".to_owned(),
        }),
        Failure::Lost | Failure::NotSent | Failure::SessionLost => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_repeated_only_where_that_is_safe() {
        use Failure::{Lost, NotSent, SessionLost};
        #[track_caller]
        fn check(failures: &[Failure], read_only: bool, expected: Option<&WorkerError>) {
            let told = give_up(failures, read_only);
            assert_eq!(told.as_ref(), expected, "{failures:?}, read_only: {read_only}");
        }
        let bad = WorkerError::BadAnswer { reason: "x".into() };
        for read_only in [true, false] {
            check(&[NotSent], read_only, None);
            check(&[SessionLost, NotSent], read_only, None);
            let reason = "it ended again and again".to_owned();
            let never_begun = WorkerError::StartFailed { reason };
            check(
                &[NotSent, SessionLost, NotSent, NotSent],
                read_only,
                Some(&never_begun),
            );
            check(&[NotSent, Failure::BadAnswer("x".into())], read_only, Some(&bad));
        }
        check(&[Lost], true, None);
        check(&[Lost, NotSent], true, None);
        check(&[Lost, NotSent, Lost], true, Some(&WorkerError::Died));
        check(&[Lost], false, Some(&WorkerError::MayHaveHappened));
        check(&[NotSent, Lost], false, Some(&WorkerError::MayHaveHappened));
    }
}
