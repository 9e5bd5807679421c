//! A call to a worker: the request, the answer, the errors, and when a failed call is retried.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

/// The maximum number of attempts at a call that, provably, no worker has begun to execute.
const MAX_TRIES: usize = 4;

/// One JSON-RPC request for a worker.
#[derive(Debug)]
pub struct UpstreamCall {
    /// The method, for example `tools/call`.
    pub method: &'static str,
    /// Passed on unchanged, except for `_meta.progressToken`, which the session sets.
    pub params: Option<Box<RawValue>>,
    /// A read-only call is retried once if its worker dies.
    pub read_only: bool,
    /// Receives the `params` of each `notifications/progress` of this call. They carry the session's `progressToken`,
    /// which the caller must replace with its client's. `None` requests no progress.
    pub progress: Option<mpsc::Sender<Box<RawValue>>>,
    /// Receives the `params` of each `notifications/message` of this call. Messages are dropped while the channel is
    /// full.
    pub messages: Option<mpsc::Sender<Box<RawValue>>>,
}

/// A worker's answer, byte for byte as it was sent.
#[derive(Debug)]
pub enum UpstreamAnswer {
    /// The `result` member of the JSON-RPC response.
    Result(Box<RawValue>),
    /// The `error` member of the JSON-RPC response: `{"code", "message", "data"?}`.
    Error(Box<RawValue>),
}

/// Stands between the reason of a failed start and the time of the next one.
pub(super) const NEXT_TRY: &str = "; the next try is possible in ";

/// Why a call got no answer from a worker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Garmin rejects this account's tokens, or the gateway has none. The account's owner must sign in again.
    #[error("Garmin asks this person to sign in again")]
    GarminSignInNeeded,
    /// All workers are in use, and none became free in time.
    #[error("all workers are busy; try again in {} s", retry_after.as_secs())]
    Busy {
        /// How long to wait before retrying.
        retry_after: Duration,
    },
    /// The worker did not start. For the operator: the worker's log has its last lines of output.
    #[error("the worker could not be started: {reason}")]
    StartFailed {
        /// Contains no secrets, for example `it ended with exit code 1 before it was ready`.
        reason: String,
    },
    /// The worker ended during this read-only call, and again during its retry.
    #[error("the worker ended while it worked on this call")]
    Died,
    /// The worker ended during a call that changes something. The caller must check the outcome before calling again.
    #[error("the worker ended while it worked on this call; the change may have happened")]
    MayHaveHappened,
    /// No answer before the deadline. A change may have happened.
    #[error("the worker gave no answer in time")]
    TimedOut,
    /// The worker's answer was not valid MCP. For the operator: `GARMIN_MCP_CMD` may be wrong.
    #[error("the worker's answer could not be read: {reason}")]
    BadAnswer {
        /// Never contains the answer itself.
        reason: String,
    },
    /// The account was revoked, or the gateway is stopping.
    #[error("the worker was stopped")]
    Stopped,
}

/// Why one attempt at a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallFailure {
    /// The connection failed, so the request was not sent.
    #[error("the worker is not listening")]
    NotSent,
    /// The worker does not know the session, so it has not executed the call.
    #[error("the worker does not know its session")]
    SessionLost,
    /// The connection ended between the request and its answer.
    #[error("the worker closed the connection")]
    Lost,
    /// The answer is not valid MCP.
    #[error("the worker's answer could not be read: {0}")]
    BadAnswer(String),
}

/// The error for the caller after these failed attempts, or `None` if the call should be retried.
pub(super) fn give_up(failures: &[CallFailure], read_only: bool) -> Option<WorkerError> {
    let lost = failures
        .iter()
        .filter(|failure| **failure == CallFailure::Lost)
        .count();
    match failures.last()? {
        CallFailure::BadAnswer(reason) => Some(WorkerError::BadAnswer {
            reason: reason.clone(),
        }),
        CallFailure::Lost if !read_only => Some(WorkerError::MayHaveHappened),
        CallFailure::Lost if lost > 1 => Some(WorkerError::Died),
        _ if failures.len() >= MAX_TRIES => Some(WorkerError::StartFailed {
            reason: "it kept ending".to_owned(),
        }),
        CallFailure::Lost | CallFailure::NotSent | CallFailure::SessionLost => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_repeated_only_where_that_is_safe() {
        use CallFailure::{Lost, NotSent, SessionLost};
        #[track_caller]
        fn check(failures: &[CallFailure], read_only: bool, expected: Option<&WorkerError>) {
            let told = give_up(failures, read_only);
            assert_eq!(told.as_ref(), expected, "{failures:?}, read_only: {read_only}");
        }
        let bad = WorkerError::BadAnswer { reason: "x".into() };
        for read_only in [true, false] {
            check(&[NotSent], read_only, None);
            check(&[SessionLost, NotSent], read_only, None);
            let reason = "it kept ending".to_owned();
            let never_begun = WorkerError::StartFailed { reason };
            check(
                &[NotSent, SessionLost, NotSent, NotSent],
                read_only,
                Some(&never_begun),
            );
            check(
                &[NotSent, CallFailure::BadAnswer("x".into())],
                read_only,
                Some(&bad),
            );
        }
        check(&[Lost], true, None);
        check(&[Lost, NotSent], true, None);
        check(&[Lost, NotSent, Lost], true, Some(&WorkerError::Died));
        check(&[Lost], false, Some(&WorkerError::MayHaveHappened));
        check(&[NotSent, Lost], false, Some(&WorkerError::MayHaveHappened));
    }
}
