//! The events that the policy takes and the actions that it answers with.

use std::time::{Duration, Instant};

use super::super::call::WorkerError;
use crate::accounts::AccountId;

/// Limits of the pool.
#[derive(Debug, Clone, Copy)]
pub(in crate::workers) struct PoolLimits {
    /// `MAX_WORKERS`
    pub(in crate::workers) max: usize,
    /// `WORKER_IDLE_TTL`
    pub(in crate::workers) idle_ttl: Duration,
    /// How long a call waits for room before the answer is that all workers are busy.
    pub(in crate::workers) wait_for_room: Duration,
    /// How long a worker may be silent during a call before it is checked.
    pub(in crate::workers) silence: Duration,
}

/// Names one process of an account; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::workers) struct Incarnation(pub(super) u64);

/// A call that waits for its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::workers) struct WaitTicket(pub(in crate::workers) u64);

/// What happened. `H` is what a caller needs of a ready worker; the policy only hands it on.
#[derive(Debug)]
pub(in crate::workers) enum WorkerEvent<H> {
    /// A call found no ready worker ([`super::Policy::enter`] said no).
    Wanted { account: AccountId, ticket: WaitTicket },
    /// The caller went away while it waited.
    GaveUp { account: AccountId, ticket: WaitTicket },
    /// The process answers, and its MCP session is open.
    Started {
        account: AccountId,
        incarnation: Incarnation,
        handle: H,
    },
    /// A call failed in a way that may be the worker's fault, or the worker is silent.
    Suspected {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// A caller gave up on a worker that had been silent for [`PoolLimits::silence`] and more.
    TimedOut {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// The worker was checked and answers; `handle` replaces the former one.
    Cleared {
        account: AccountId,
        incarnation: Incarnation,
        handle: H,
    },
    /// The process has ended and its directory is wiped.
    Gone {
        account: AccountId,
        incarnation: Incarnation,
        end: WorkerExit,
    },
    /// Somebody wants this worker stopped.
    StopWanted { account: AccountId, reason: StopReason },
    /// Time passed.
    Tick,
    /// The gateway ends: idle workers stop now, the others after their last call.
    Drain,
    /// It ends for good: all workers stop now.
    DrainNow,
}

/// How a worker came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workers) enum WorkerExit {
    /// It was told to.
    Stopped,
    /// There are no Garmin tokens that work.
    SignInNeeded,
    /// By itself, after it was ready.
    Crashed { reason: String },
    /// By itself, before it was ready.
    NotStarted { reason: String },
    /// It was not ready in time: the calls that waited have waited long enough.
    TooSlow { reason: String },
}

/// What to do.
#[derive(Debug)]
pub(in crate::workers) enum WorkerAction<H> {
    /// Start a process.
    Spawn {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// See whether the worker still answers; `Cleared` or `Gone` follows.
    Check {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// WorkerExit the process (TERM, then KILL); `Gone` follows.
    Stop {
        account: AccountId,
        incarnation: Incarnation,
        reason: StopReason,
    },
    /// The waiting call may go ahead, and is counted as in flight.
    Admit {
        ticket: WaitTicket,
        admission: Admission<H>,
    },
    /// The waiting call is told why not.
    Refuse { ticket: WaitTicket, error: WorkerError },
}

/// A call's place at a ready worker; given back with [`super::Policy::leave`].
#[derive(Debug, Clone)]
pub(in crate::workers) struct Admission<H> {
    pub(in crate::workers) incarnation: Incarnation,
    pub(in crate::workers) handle: H,
}

/// Where a worker stands, for the console.
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

/// Why a worker is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// Nobody called for `WORKER_IDLE_TTL`.
    Idle,
    /// Another account needed the room.
    Evicted,
    /// The person signed in at Garmin again: the next call starts a worker with the new tokens.
    SignedInAgain,
    /// Garmin refuses its tokens: the person must sign in again.
    SignInNeeded,
    /// The account's access was revoked, or the account forgotten.
    Revoked,
    /// It answers when it is checked, and no calls.
    Unresponsive,
    /// The operator asked for it.
    Operator,
    /// The gateway ends.
    Draining,
}

impl StopReason {
    /// Whether calls in flight may end first, and calls that wait go to the next worker.
    pub(in crate::workers) fn is_gentle(self) -> bool {
        matches!(self, StopReason::SignedInAgain | StopReason::SignInNeeded)
    }

    /// The word in events and on the console.
    pub fn as_str(self) -> &'static str {
        match self {
            StopReason::Idle => "idle",
            StopReason::Evicted => "evicted",
            StopReason::SignedInAgain => "signed_in_again",
            StopReason::SignInNeeded => "sign_in_needed",
            StopReason::Revoked => "revoked",
            StopReason::Unresponsive => "unresponsive",
            StopReason::Operator => "operator",
            StopReason::Draining => "draining",
        }
    }
}
