//! The worker policy: every decision about starting, stopping and admitting, as a pure state machine.
//!
//! [`Policy::step`] takes an event and its time, and returns the actions to carry out. [`Policy::enter`] and
//! [`Policy::leave`] bracket every call; their cost does not depend on the number of workers. Nothing here does I/O,
//! reads a clock or starts a task.
//!
//! # Invariants
//!
//! - An account has at most one process, from the [`WorkerAction::Spawn`] to the [`WorkerEvent::Gone`] of the same
//!   incarnation.
//! - There are never more than [`PoolLimits::max`] processes, including those that are stopping.
//! - A worker with a call in flight is neither evicted nor reaped.
//! - Every waiter is answered once, by [`WorkerAction::Admit`] or [`WorkerAction::Refuse`], unless it gave up.
//! - Accounts that wait for capacity get it in order of arrival.

mod entry;
mod event;
mod room;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use entry::{AccountEntry, ReadyWorker, Waiter, WorkerPhase};
pub use event::StopReason;
pub(super) use event::{
    Admission, Incarnation, PoolLimits, WaitTicket, WorkerAction, WorkerEvent, WorkerExit, WorkerStatus,
};

use super::call::WorkerError;
use crate::accounts::AccountId;

/// A worker that has answered a call, or has been ready for this long, resets its account's failure count.
const STABLE: Duration = Duration::from_secs(60);
/// A worker that leaves this many calls in a row unanswered is replaced, even if it passes the health check.
const MAX_TIMED_OUT: u32 = 2;

/// All workers, and all calls waiting for one.
#[derive(Debug)]
pub(super) struct Policy<H> {
    limits: PoolLimits,
    entries: HashMap<AccountId, AccountEntry<H>>,
    /// Accounts that need a process and have no usable one, in order of arrival.
    queue: VecDeque<AccountId>,
    /// All processes: starting, ready and stopping.
    running: usize,
    /// How many of the running processes are stopping.
    stopping: usize,
    last_incarnation: u64,
    draining: bool,
}

impl<H: Clone> Policy<H> {
    pub(super) fn new(limits: PoolLimits) -> Self {
        Policy {
            limits,
            entries: HashMap::new(),
            queue: VecDeque::new(),
            running: 0,
            stopping: 0,
            last_incarnation: 0,
            draining: false,
        }
    }

    /// Begins a call. Returns an admission if the account's worker is ready; otherwise the caller must wait
    /// ([`WorkerEvent::Wanted`]).
    pub(super) fn enter(&mut self, account: &AccountId) -> Option<Admission<H>> {
        match &mut self.entries.get_mut(account)?.phase {
            WorkerPhase::Ready(up) if up.takes_calls() => Some(up.admission()),
            _ => None,
        }
    }

    /// Ends a call. `served` says whether the worker answered it.
    pub(super) fn leave(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        served: bool,
        now: Instant,
    ) -> Option<WorkerAction<H>> {
        let entry = self.entries.get_mut(account)?;
        let up = entry.ready(incarnation)?;
        up.in_flight = up.in_flight.saturating_sub(1);
        up.used_at = now;
        up.served |= served;
        if served {
            up.timed_out = 0;
        }
        if up.in_flight > 0 || up.checking {
            return None;
        }
        // All other idle workers were evicted when the queue formed, so this one is the only candidate.
        let reason = up
            .retiring
            .or((self.queue.len() > self.stopping).then_some(StopReason::Evicted))?;
        self.stopping += 1;
        Some(entry.stop(account, incarnation, reason))
    }

    /// Handles every event other than the start and end of a call.
    pub(super) fn step(&mut self, event: WorkerEvent<H>, now: Instant) -> Vec<WorkerAction<H>> {
        let mut actions = Vec::new();
        match event {
            WorkerEvent::Wanted { account, ticket } => self.wanted(account, ticket, now, &mut actions),
            WorkerEvent::GaveUp { account, ticket } => self.gave_up(&account, ticket),
            WorkerEvent::Started {
                account,
                incarnation,
                handle,
            } => {
                self.started(&account, incarnation, handle, now, &mut actions);
            }
            WorkerEvent::Suspected { account, incarnation } => {
                self.suspected(account, incarnation, &mut actions);
            }
            WorkerEvent::TimedOut { account, incarnation } => {
                self.timed_out(&account, incarnation, &mut actions);
            }
            WorkerEvent::Cleared {
                account,
                incarnation,
                handle,
            } => {
                self.cleared(&account, incarnation, handle, &mut actions);
            }
            WorkerEvent::Gone {
                account,
                incarnation,
                end,
            } => self.gone(&account, incarnation, end, now, &mut actions),
            WorkerEvent::StopWanted { account, reason } => self.stop_wanted(&account, reason, &mut actions),
            WorkerEvent::Tick => self.tick(now, &mut actions),
            WorkerEvent::Drain => self.drain(false, &mut actions),
            WorkerEvent::DrainNow => self.drain(true, &mut actions),
        }
        self.fill(&mut actions);
        actions
    }

    /// The state of an account's worker.
    pub(super) fn status(&self, account: &AccountId) -> Option<WorkerStatus<H>> {
        self.entries.get(account)?.status()
    }

    /// The account's current process, from its spawn until it has exited.
    pub(super) fn incarnation(&self, account: &AccountId) -> Option<Incarnation> {
        match &self.entries.get(account)?.phase {
            WorkerPhase::Absent => None,
            WorkerPhase::Starting(incarnation) | WorkerPhase::Stopping(incarnation) => Some(*incarnation),
            WorkerPhase::Ready(up) => Some(up.incarnation),
        }
    }

    /// The number of processes, including those that are stopping.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Every account that has a process, is waiting for one, or failed to start one.
    pub(super) fn statuses(&self) -> impl Iterator<Item = (&AccountId, WorkerStatus<H>)> {
        self.entries
            .iter()
            .filter_map(|(account, entry)| Some((account, entry.status()?)))
    }

    fn wanted(
        &mut self,
        account: AccountId,
        ticket: WaitTicket,
        now: Instant,
        actions: &mut Vec<WorkerAction<H>>,
    ) {
        if self.draining {
            actions.push(WorkerAction::Refuse {
                ticket,
                error: WorkerError::Stopped,
            });
            return;
        }
        let until = now + self.limits.wait_for_room;
        let entry = self
            .entries
            .entry(account.clone())
            .or_insert_with(AccountEntry::new);
        match &mut entry.phase {
            // The worker became ready between `enter` and this event.
            WorkerPhase::Ready(up) if up.takes_calls() => {
                actions.push(WorkerAction::Admit {
                    ticket,
                    admission: up.admission(),
                });
                return;
            }
            WorkerPhase::Absent if entry.retry_at.is_some_and(|at| at > now) => {
                actions.push(WorkerAction::Refuse {
                    ticket,
                    error: entry.start_failed(now),
                });
                return;
            }
            WorkerPhase::Ready(up) if up.retiring.is_none() => {}
            WorkerPhase::Starting(_) => {}
            WorkerPhase::Ready(_) | WorkerPhase::Absent | WorkerPhase::Stopping(_) => {
                if entry.waiters.is_empty() {
                    self.queue.push_back(account);
                }
            }
        }
        entry.waiters.push(Waiter { ticket, until });
    }

    fn gave_up(&mut self, account: &AccountId, ticket: WaitTicket) {
        if let Some(entry) = self.entries.get_mut(account) {
            entry.waiters.retain(|waiter| waiter.ticket != ticket);
            if entry.waiters.is_empty() {
                self.queue.retain(|queued| queued != account);
            }
        }
    }

    fn started(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        handle: H,
        now: Instant,
        actions: &mut Vec<WorkerAction<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        // The worker was stopped while it was starting; its `Gone` event will follow.
        if !matches!(entry.phase, WorkerPhase::Starting(starting) if starting == incarnation) {
            return;
        }
        entry.phase = WorkerPhase::Ready(ReadyWorker {
            incarnation,
            handle,
            in_flight: 0,
            ready_at: now,
            served: false,
            timed_out: 0,
            used_at: now,
            checking: false,
            retiring: None,
        });
        entry.admit_waiters(actions);
    }

    fn suspected(
        &mut self,
        account: AccountId,
        incarnation: Incarnation,
        actions: &mut Vec<WorkerAction<H>>,
    ) {
        let up = self
            .entries
            .get_mut(&account)
            .and_then(|entry| entry.ready(incarnation));
        if let Some(up) = up.filter(|up| !up.checking) {
            up.checking = true;
            actions.push(WorkerAction::Check { account, incarnation });
        }
    }

    fn timed_out(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        actions: &mut Vec<WorkerAction<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        let Some(up) = entry.ready(incarnation) else {
            return;
        };
        up.timed_out += 1;
        if up.timed_out < MAX_TIMED_OUT {
            return;
        }
        self.stopping += 1;
        actions.push(entry.stop(account, incarnation, StopReason::Unresponsive));
        if !entry.waiters.is_empty() && !self.queue.contains(account) {
            self.queue.push_back(account.clone());
        }
    }

    fn cleared(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        handle: H,
        actions: &mut Vec<WorkerAction<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        let Some(up) = entry.ready(incarnation) else {
            return;
        };
        up.checking = false;
        up.handle = handle;
        match up.retiring {
            Some(reason) if up.in_flight == 0 => {
                self.stopping += 1;
                actions.push(entry.stop(account, incarnation, reason));
            }
            Some(_) => {}
            None => entry.admit_waiters(actions),
        }
    }

    fn gone(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        end: WorkerExit,
        now: Instant,
        actions: &mut Vec<WorkerAction<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        let was_good = match &entry.phase {
            WorkerPhase::Starting(current) | WorkerPhase::Stopping(current) if *current == incarnation => {
                false
            }
            WorkerPhase::Ready(up) if up.incarnation == incarnation => {
                up.served || now.duration_since(up.ready_at) >= STABLE
            }
            _ => return,
        };
        if matches!(entry.phase, WorkerPhase::Stopping(_)) {
            self.stopping -= 1;
        }
        self.running -= 1;
        entry.phase = WorkerPhase::Absent;

        let refusal = match end {
            WorkerExit::Stopped => {
                entry.failures = 0;
                None
            }
            WorkerExit::SignInNeeded => {
                entry.failures = 0;
                Some(WorkerError::GarminSignInNeeded)
            }
            WorkerExit::Crashed { reason } | WorkerExit::NotStarted { reason } => {
                if was_good {
                    entry.failures = 0;
                }
                entry.failed(reason, now)
            }
            WorkerExit::TooSlow { reason } => {
                entry.failures = entry.failures.max(1);
                entry.failed(reason, now)
            }
        };
        match refusal {
            Some(error) => {
                entry.refuse_waiters(&error, actions);
                self.queue.retain(|queued| queued != account);
            }
            None if !entry.waiters.is_empty() && !self.queue.contains(account) => {
                self.queue.push_back(account.clone());
            }
            None => {}
        }
    }

    fn stop_wanted(&mut self, account: &AccountId, reason: StopReason, actions: &mut Vec<WorkerAction<H>>) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        // A new sign-in or an operator's request resets the failure count.
        entry.failures = 0;
        entry.retry_at = None;
        if !reason.is_gentle() && reason != StopReason::Operator {
            entry.refuse_waiters(&WorkerError::Stopped, actions);
            self.queue.retain(|queued| queued != account);
        }
        let incarnation = match &mut entry.phase {
            WorkerPhase::Ready(up) if reason.is_gentle() && (up.in_flight > 0 || up.checking) => {
                up.retiring = Some(reason);
                None
            }
            WorkerPhase::Ready(up) => Some(up.incarnation),
            WorkerPhase::Starting(incarnation) => Some(*incarnation),
            WorkerPhase::Absent | WorkerPhase::Stopping(_) => None,
        };
        if let Some(incarnation) = incarnation {
            self.stopping += 1;
            actions.push(entry.stop(account, incarnation, reason));
        }
        // Calls that waited for this process now wait for the next one.
        if !entry.waiters.is_empty() && !self.queue.contains(account) {
            self.queue.push_back(account.clone());
        }
    }

    fn drain(&mut self, now: bool, actions: &mut Vec<WorkerAction<H>>) {
        self.draining = true;
        self.queue.clear();
        for (account, entry) in &mut self.entries {
            entry.refuse_waiters(&WorkerError::Stopped, actions);
            let incarnation = match &mut entry.phase {
                WorkerPhase::Ready(up) if !now && !up.is_idle() => {
                    up.retiring = Some(StopReason::Draining);
                    continue;
                }
                WorkerPhase::Ready(up) => up.incarnation,
                WorkerPhase::Starting(incarnation) => *incarnation,
                WorkerPhase::Absent | WorkerPhase::Stopping(_) => continue,
            };
            self.stopping += 1;
            actions.push(entry.stop(account, incarnation, StopReason::Draining));
        }
    }
}
