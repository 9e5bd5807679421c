//! One account's part of the policy: its process, its waiting calls, and its failure count.

use std::time::{Duration, Instant};

use super::event::{Admission, Incarnation, StopReason, WaitTicket, WorkerAction, WorkerStatus};
use crate::accounts::AccountId;
use crate::workers::call::{NEXT_TRY, WorkerError};

/// The longest pause between two starts of a worker that keeps failing.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct AccountEntry<H> {
    pub(super) phase: WorkerPhase<H>,
    pub(super) waiters: Vec<Waiter>,
    /// Consecutive failures without a stable run in between.
    pub(super) failures: u32,
    /// The earliest time of the next start.
    pub(super) retry_at: Option<Instant>,
    /// The last failure, in plain words.
    pub(super) reason: String,
    pub(super) starts: u64,
}

#[derive(Debug)]
pub(super) enum WorkerPhase<H> {
    Absent,
    Starting(Incarnation),
    Ready(ReadyWorker<H>),
    Stopping(Incarnation),
}

/// A process that is ready for calls.
#[derive(Debug)]
pub(super) struct ReadyWorker<H> {
    pub(super) incarnation: Incarnation,
    pub(super) handle: H,
    pub(super) in_flight: usize,
    pub(super) ready_at: Instant,
    /// Whether it has answered a call.
    pub(super) served: bool,
    /// The number of consecutive calls that it left unanswered.
    pub(super) timed_out: u32,
    /// When the last call ended; before the first call, when the worker became ready.
    pub(super) used_at: Instant,
    /// A health check is running, so new calls wait.
    pub(super) checking: bool,
    /// Set when the worker will be stopped after its last call in flight. New calls wait for its successor.
    pub(super) retiring: Option<StopReason>,
}

#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) ticket: WaitTicket,
    /// The time until which the call waits for capacity.
    pub(super) until: Instant,
}

impl<H: Clone> ReadyWorker<H> {
    pub(super) fn admission(&mut self) -> Admission<H> {
        self.in_flight += 1;
        Admission {
            incarnation: self.incarnation,
            handle: self.handle.clone(),
        }
    }
}

impl<H> ReadyWorker<H> {
    pub(super) fn takes_calls(&self) -> bool {
        !self.checking && self.retiring.is_none()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && !self.checking
    }
}

impl<H> AccountEntry<H> {
    pub(super) fn new() -> Self {
        AccountEntry {
            phase: WorkerPhase::Absent,
            waiters: Vec::new(),
            failures: 0,
            retry_at: None,
            reason: String::new(),
            starts: 0,
        }
    }

    /// Marks the process as stopping, and returns the action that stops it.
    pub(super) fn stop(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        reason: StopReason,
    ) -> WorkerAction<H> {
        self.phase = WorkerPhase::Stopping(incarnation);
        WorkerAction::Stop {
            account: account.clone(),
            incarnation,
            reason,
        }
    }

    /// Counts a failure. Returns `None` if the next start may follow immediately.
    pub(super) fn failed(&mut self, reason: String, now: Instant) -> Option<WorkerError> {
        self.failures = self.failures.saturating_add(1);
        self.reason = reason;
        let pause = back_off(self.failures);
        if pause.is_zero() {
            self.retry_at = None;
            return None;
        }
        self.retry_at = Some(now + pause);
        Some(self.start_failed(now))
    }

    pub(super) fn start_failed(&self, now: Instant) -> WorkerError {
        let wait = self
            .retry_at
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let seconds = wait.as_millis().div_ceil(1000);
        WorkerError::StartFailed {
            reason: format!("{}{NEXT_TRY}{seconds} s", self.reason),
        }
    }

    pub(super) fn refuse_waiters(&mut self, error: &WorkerError, actions: &mut Vec<WorkerAction<H>>) {
        actions.extend(self.waiters.drain(..).map(|waiter| WorkerAction::Refuse {
            ticket: waiter.ticket,
            error: error.clone(),
        }));
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        match &self.phase {
            WorkerPhase::Ready(up) if up.in_flight == 0 => Some(up.used_at),
            _ => None,
        }
    }
}

impl<H: Clone> AccountEntry<H> {
    /// This process, if it is still the current one and ready.
    pub(super) fn ready(&mut self, incarnation: Incarnation) -> Option<&mut ReadyWorker<H>> {
        match &mut self.phase {
            WorkerPhase::Ready(up) if up.incarnation == incarnation => Some(up),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> Option<WorkerStatus<H>> {
        let (state, up) = match &self.phase {
            WorkerPhase::Absent if !self.waiters.is_empty() => ("waiting", None),
            WorkerPhase::Absent if self.failures > 0 => ("failed", None),
            WorkerPhase::Absent => return None,
            WorkerPhase::Starting(_) => ("starting", None),
            WorkerPhase::Ready(up) if up.retiring.is_some() => ("stopping", Some(up)),
            WorkerPhase::Ready(up) => ("ready", Some(up)),
            WorkerPhase::Stopping(_) => ("stopping", None),
        };
        Some(WorkerStatus {
            handle: up.map(|up| up.handle.clone()),
            state,
            in_flight: up.map_or(0, |up| up.in_flight),
            waiting: self.waiters.len(),
            idle_since: self.idle_since(),
            failures: self.failures,
            retry_at: self.retry_at,
            starts: self.starts,
        })
    }

    pub(super) fn admit_waiters(&mut self, actions: &mut Vec<WorkerAction<H>>) {
        let WorkerPhase::Ready(up) = &mut self.phase else {
            return;
        };
        actions.extend(self.waiters.drain(..).map(|waiter| WorkerAction::Admit {
            ticket: waiter.ticket,
            admission: up.admission(),
        }));
    }
}

/// The pause before the next start after this many consecutive failures: none, 1 s, 2 s, 4 s … 60 s.
pub(super) fn back_off(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        n => Duration::from_secs(1u64 << (n - 2).min(6)).min(LONGEST_BACK_OFF),
    }
}
