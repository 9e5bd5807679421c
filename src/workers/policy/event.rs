//! The events that the policy receives and the actions that it returns.

use std::time::{Duration, Instant};

use super::super::call::WorkerError;
use crate::accounts::AccountId;

#[derive(Debug, Clone, Copy)]
pub(in crate::workers) struct PoolLimits {
    /// The setting `MAX_WORKERS`: the maximum number of processes.
    pub(in crate::workers) max: usize,
    /// The setting `WORKER_IDLE_TTL`: how long a worker may be idle before it is stopped.
    pub(in crate::workers) idle_ttl: Duration,
    /// How long a call waits for capacity before it fails with "all workers are busy".
    pub(in crate::workers) wait_for_room: Duration,
    /// How long a worker may be silent during a call before its health is checked.
    pub(in crate::workers) silence: Duration,
}

/// Identifies one process of an account; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::workers) struct Incarnation(pub(super) u64);

/// Identifies a call that waits for its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::workers) struct WaitTicket(pub(in crate::workers) u64);

/// An event. `H` is the handle that a caller needs to use a ready worker; the policy only passes it on.
#[derive(Debug)]
pub(in crate::workers) enum WorkerEvent<H> {
    /// A call found no ready worker ([`super::Policy::enter`] returned `None`).
    Wanted { account: AccountId, ticket: WaitTicket },
    /// The caller gave up while it was waiting.
    GaveUp { account: AccountId, ticket: WaitTicket },
    /// The process responds, and its MCP session is open.
    Started {
        account: AccountId,
        incarnation: Incarnation,
        handle: H,
    },
    /// A call failed in a way that may be the worker's fault, or the worker has gone silent.
    Suspected {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// A caller gave up on a worker that had been silent for at least [`PoolLimits::silence`].
    TimedOut {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// The worker passed its health check; `handle` replaces the previous one.
    Cleared {
        account: AccountId,
        incarnation: Incarnation,
        handle: H,
    },
    /// The process has exited and its directory has been wiped.
    Gone {
        account: AccountId,
        incarnation: Incarnation,
        end: WorkerExit,
    },
    /// A request to stop this worker.
    StopWanted { account: AccountId, reason: StopReason },
    /// Time has passed; see [`super::Policy::next_tick`].
    Tick,
    /// The gateway is shutting down: idle workers stop now, the others after their last call.
    Drain,
    /// The shutdown can wait no longer: all workers stop now.
    DrainNow,
}

/// How a worker ended, which decides when the next one may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workers) enum WorkerExit {
    /// It was stopped on request.
    Stopped,
    /// The account has no valid Garmin tokens.
    SignInNeeded,
    /// It exited unexpectedly after it was ready.
    Crashed { reason: String },
    /// It exited before it was ready, or could not be started.
    NotStarted { reason: String },
    /// It was not ready in time. Waiting calls fail at once, because they have already waited long enough.
    TooSlow { reason: String },
}

/// An action for the supervisor to carry out.
#[derive(Debug)]
pub(in crate::workers) enum WorkerAction<H> {
    Spawn {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// Check whether the worker still responds; `Cleared` or `Gone` follows.
    Check {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// Stop the process (SIGTERM, then SIGKILL); `Gone` follows.
    Stop {
        account: AccountId,
        incarnation: Incarnation,
        reason: StopReason,
    },
    /// Let the waiting call proceed; it is already counted as in flight.
    Admit {
        ticket: WaitTicket,
        admission: Admission<H>,
    },
    /// Fail the waiting call with this error.
    Refuse { ticket: WaitTicket, error: WorkerError },
}

/// The right to make one call to a ready worker; returned with [`super::Policy::leave`].
#[derive(Debug, Clone)]
pub(in crate::workers) struct Admission<H> {
    pub(in crate::workers) incarnation: Incarnation,
    pub(in crate::workers) handle: H,
}

/// The state of a worker, for the console.
#[derive(Debug, Clone)]
pub(in crate::workers) struct WorkerStatus<H> {
    pub(in crate::workers) handle: Option<H>,
    pub(in crate::workers) state: &'static str,
    pub(in crate::workers) in_flight: usize,
    pub(in crate::workers) waiting: usize,
    pub(in crate::workers) idle_since: Option<Instant>,
    pub(in crate::workers) failures: u32,
    pub(in crate::workers) retry_at: Option<Instant>,
    pub(in crate::workers) starts: u64,
}

/// Why a worker is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// It received no calls for `WORKER_IDLE_TTL`.
    Idle,
    /// Another account needed its slot.
    Evicted,
    /// The person signed in to Garmin again; the next call starts a worker with the new tokens.
    SignedInAgain,
    /// Garmin rejected its tokens, so the person must sign in again.
    SignInNeeded,
    /// The account's access was revoked, or the account was deleted.
    Revoked,
    /// It passes health checks but does not answer calls.
    Unresponsive,
    Operator,
    /// The person changed a setting that a worker gets only at its start.
    SettingsChanged,
    /// The gateway is shutting down.
    Draining,
}

impl StopReason {
    /// Whether calls in flight may finish first, and waiting calls move on to the next worker.
    pub(in crate::workers) fn is_gentle(self) -> bool {
        matches!(
            self,
            StopReason::SignedInAgain | StopReason::SignInNeeded | StopReason::SettingsChanged
        )
    }

    /// The name used in events and on the console.
    pub fn as_str(self) -> &'static str {
        match self {
            StopReason::Idle => "idle",
            StopReason::Evicted => "evicted",
            StopReason::SignedInAgain => "signed_in_again",
            StopReason::SignInNeeded => "sign_in_needed",
            StopReason::Revoked => "revoked",
            StopReason::Unresponsive => "unresponsive",
            StopReason::Operator => "operator",
            StopReason::SettingsChanged => "settings_changed",
            StopReason::Draining => "draining",
        }
    }
}
