//! What to do when: the whole conduct of the workers as one pure step.
//!
//! [`Policy::step`] takes what happened and when, and says what to do; [`Policy::enter`] and [`Policy::leave`] are
//! the two steps of every call, and cost the same whatever the number of workers. No I/O, no clock, no task here.
//!
//! # Invariants
//!
//! - An account has at most one process, from the [`Action::Spawn`] to the [`Event::Gone`] of the same incarnation.
//! - There are never more than [`Limits::max`] processes, those that are stopping included.
//! - A worker with a call in flight is neither evicted nor reaped.
//! - Every waiter is answered once, by [`Action::Admit`] or [`Action::Refuse`], unless it gave up.
//! - Accounts that wait for room get it in the order in which they came.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::handle::{StopReason, WorkerError};
use crate::accounts::AccountId;

/// A worker that answered a call, or was ready this long, leaves a clean record.
const STABLE: Duration = Duration::from_secs(60);
/// The longest pause between two starts of a worker that keeps ending.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// The numbers that the policy goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// `MAX_WORKERS`
    pub(super) max: usize,
    /// `WORKER_IDLE_TTL`
    pub(super) idle_ttl: Duration,
    /// How long a call waits for room before it is told that all workers are busy.
    pub(super) wait_for_room: Duration,
}

/// One life of a worker process; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Incarnation(u64);

/// A call that waits for its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ticket(pub(super) u64);

/// What happened. `H` is what a caller needs of a ready worker; the policy only hands it on.
#[derive(Debug)]
pub(super) enum Event<H> {
    /// A call found no ready worker ([`Policy::enter`] said no).
    Wanted { account: AccountId, ticket: Ticket },
    /// The caller went away while it waited.
    GaveUp { account: AccountId, ticket: Ticket },
    /// The process answers, and its MCP session is open.
    Started {
        account: AccountId,
        incarnation: Incarnation,
        handle: H,
    },
    /// A call failed in a way that puts the worker in doubt.
    Suspected {
        account: AccountId,
        incarnation: Incarnation,
    },
    /// The worker was looked at and answers; `handle` replaces the former one.
    Cleared {
        account: AccountId,
        incarnation: Incarnation,
        handle: H,
    },
    /// The process has ended and its directory is wiped.
    Gone {
        account: AccountId,
        incarnation: Incarnation,
        end: End,
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
pub(super) enum End {
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
pub(super) enum Action<H> {
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
    /// End the process (TERM, then KILL); `Gone` follows.
    Stop {
        account: AccountId,
        incarnation: Incarnation,
        reason: StopReason,
    },
    /// The waiting call may go ahead, and is counted as in flight.
    Admit { ticket: Ticket, seat: Seat<H> },
    /// The waiting call is told why not.
    Refuse { ticket: Ticket, error: WorkerError },
}

/// A call's place at a ready worker; given back with [`Policy::leave`].
#[derive(Debug, Clone)]
pub(super) struct Seat<H> {
    pub(super) incarnation: Incarnation,
    pub(super) handle: H,
}

/// Where a worker stands, for the console.
#[derive(Debug, Clone)]
pub(super) struct Standing<H> {
    pub(super) handle: Option<H>,
    pub(super) state: &'static str,
    pub(super) in_flight: usize,
    pub(super) waiting: usize,
    pub(super) idle_since: Option<Instant>,
    pub(super) failures: u32,
    pub(super) retry_at: Option<Instant>,
    pub(super) starts: u64,
}

#[derive(Debug)]
struct Entry<H> {
    phase: Phase<H>,
    waiters: Vec<Waiter>,
    /// Ends in a row without a stable life between them.
    failures: u32,
    /// No start before this.
    retry_at: Option<Instant>,
    /// Plain words for the last failure.
    reason: String,
    starts: u64,
}

#[derive(Debug)]
enum Phase<H> {
    Absent,
    Starting(Incarnation),
    Up(Up<H>),
    Stopping(Incarnation),
}

/// A process that has been ready.
#[derive(Debug)]
struct Up<H> {
    incarnation: Incarnation,
    handle: H,
    in_flight: usize,
    ready_at: Instant,
    /// It answered a call.
    served: bool,
    /// When the last call ended, or the worker became ready.
    used_at: Instant,
    /// In doubt: new calls wait.
    checking: bool,
    /// New calls wait for its successor; it is stopped when the last call in flight has ended.
    retiring: Option<StopReason>,
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    /// Until when it waits for room.
    until: Instant,
}

/// What is: all workers, and all who wait for one.
#[derive(Debug)]
pub(super) struct Policy<H> {
    limits: Limits,
    entries: HashMap<AccountId, Entry<H>>,
    /// Accounts that need a process and have none of their own to use, first come first served.
    queue: VecDeque<AccountId>,
    /// Processes: starting, up, stopping.
    running: usize,
    /// Of these, the ones that are stopping.
    stopping: usize,
    last_incarnation: u64,
    draining: bool,
}

impl<H: Clone> Policy<H> {
    pub(super) fn new(limits: Limits) -> Self {
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

    /// A call begins: its seat, if the account's worker is ready now. Otherwise the caller must wait ([`Event::Wanted`]).
    pub(super) fn enter(&mut self, account: &AccountId) -> Option<Seat<H>> {
        match &mut self.entries.get_mut(account)?.phase {
            Phase::Up(up) if up.takes_calls() => Some(up.seat()),
            _ => None,
        }
    }

    /// A call has ended; `served` if the worker answered it.
    pub(super) fn leave(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        served: bool,
        now: Instant,
    ) -> Option<Action<H>> {
        let entry = self.entries.get_mut(account)?;
        let Phase::Up(up) = &mut entry.phase else {
            return None;
        };
        if up.incarnation != incarnation {
            return None;
        }
        up.in_flight = up.in_flight.saturating_sub(1);
        up.used_at = now;
        up.served |= served;
        if up.in_flight > 0 || up.checking {
            return None;
        }
        // All other idle workers were evicted when the queue formed, so this one is the only candidate.
        let reason = up
            .retiring
            .or((self.queue.len() > self.stopping).then_some(StopReason::Evicted))?;
        entry.phase = Phase::Stopping(incarnation);
        self.stopping += 1;
        Some(Action::Stop {
            account: account.clone(),
            incarnation,
            reason,
        })
    }

    /// Everything else that can happen.
    pub(super) fn step(&mut self, event: Event<H>, now: Instant) -> Vec<Action<H>> {
        let mut actions = Vec::new();
        match event {
            Event::Wanted { account, ticket } => self.wanted(account, ticket, now, &mut actions),
            Event::GaveUp { account, ticket } => self.gave_up(&account, ticket),
            Event::Started {
                account,
                incarnation,
                handle,
            } => {
                self.started(&account, incarnation, handle, now, &mut actions);
            }
            Event::Suspected { account, incarnation } => self.suspected(account, incarnation, &mut actions),
            Event::Cleared {
                account,
                incarnation,
                handle,
            } => {
                self.cleared(&account, incarnation, handle, &mut actions);
            }
            Event::Gone {
                account,
                incarnation,
                end,
            } => self.gone(&account, incarnation, end, now, &mut actions),
            Event::StopWanted { account, reason } => self.stop_wanted(&account, reason, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
            Event::Drain => self.drain(false, &mut actions),
            Event::DrainNow => self.drain(true, &mut actions),
        }
        self.fill(&mut actions);
        actions
    }

    /// When the next [`Event::Tick`] is due. While a call is in flight the answer is on the early side, never late:
    /// so a call needs not wake anybody.
    pub(super) fn next_tick(&self, now: Instant) -> Option<Instant> {
        let reap = self.entries.values().filter_map(|entry| match &entry.phase {
            Phase::Up(up) if !up.is_idle() => Some(now + self.limits.idle_ttl),
            Phase::Up(up) => Some(up.used_at + self.limits.idle_ttl),
            _ => None,
        });
        let patience = self.queue.iter().filter_map(|account| {
            self.entries
                .get(account)
                .and_then(|entry| entry.waiters.iter().map(|waiter| waiter.until).min())
        });
        reap.chain(patience).min()
    }

    /// Where the worker of an account stands.
    pub(super) fn standing(&self, account: &AccountId) -> Option<Standing<H>> {
        self.entries.get(account)?.standing()
    }

    /// The process that an account has, from its spawn to its end.
    pub(super) fn incarnation(&self, account: &AccountId) -> Option<Incarnation> {
        match &self.entries.get(account)?.phase {
            Phase::Absent => None,
            Phase::Starting(incarnation) | Phase::Stopping(incarnation) => Some(*incarnation),
            Phase::Up(up) => Some(up.incarnation),
        }
    }

    /// Processes, those that are stopping included.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Every account that has a process, waits for one, or failed to get one.
    pub(super) fn standings(&self) -> impl Iterator<Item = (&AccountId, Standing<H>)> {
        self.entries
            .iter()
            .filter_map(|(account, entry)| Some((account, entry.standing()?)))
    }

    fn wanted(&mut self, account: AccountId, ticket: Ticket, now: Instant, actions: &mut Vec<Action<H>>) {
        if self.draining {
            actions.push(Action::Refuse {
                ticket,
                error: WorkerError::Stopped,
            });
            return;
        }
        let until = now + self.limits.wait_for_room;
        let entry = self.entries.entry(account.clone()).or_insert_with(Entry::new);
        match &mut entry.phase {
            // It became ready between the two steps of the call.
            Phase::Up(up) if up.takes_calls() => {
                actions.push(Action::Admit {
                    ticket,
                    seat: up.seat(),
                });
                return;
            }
            Phase::Absent if entry.retry_at.is_some_and(|at| at > now) => {
                actions.push(Action::Refuse {
                    ticket,
                    error: entry.start_failed(now),
                });
                return;
            }
            Phase::Up(up) if up.retiring.is_none() => {}
            Phase::Starting(_) => {}
            Phase::Up(_) | Phase::Absent | Phase::Stopping(_) => {
                if entry.waiters.is_empty() {
                    self.queue.push_back(account);
                }
            }
        }
        entry.waiters.push(Waiter { ticket, until });
    }

    fn gave_up(&mut self, account: &AccountId, ticket: Ticket) {
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
        actions: &mut Vec<Action<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        // Told to stop while it was starting: its end is on the way.
        if !matches!(entry.phase, Phase::Starting(starting) if starting == incarnation) {
            return;
        }
        entry.phase = Phase::Up(Up {
            incarnation,
            handle,
            in_flight: 0,
            ready_at: now,
            served: false,
            used_at: now,
            checking: false,
            retiring: None,
        });
        entry.admit_waiters(actions);
    }

    fn suspected(&mut self, account: AccountId, incarnation: Incarnation, actions: &mut Vec<Action<H>>) {
        let Some(Entry {
            phase: Phase::Up(up), ..
        }) = self.entries.get_mut(&account)
        else {
            return;
        };
        if up.incarnation == incarnation && !up.checking {
            up.checking = true;
            actions.push(Action::Check { account, incarnation });
        }
    }

    fn cleared(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        handle: H,
        actions: &mut Vec<Action<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        let Phase::Up(up) = &mut entry.phase else { return };
        if up.incarnation != incarnation {
            return;
        }
        up.checking = false;
        up.handle = handle;
        match up.retiring {
            Some(reason) if up.in_flight == 0 => {
                entry.phase = Phase::Stopping(incarnation);
                self.stopping += 1;
                actions.push(Action::Stop {
                    account: account.clone(),
                    incarnation,
                    reason,
                });
            }
            Some(_) => {}
            None => entry.admit_waiters(actions),
        }
    }

    fn gone(
        &mut self,
        account: &AccountId,
        incarnation: Incarnation,
        end: End,
        now: Instant,
        actions: &mut Vec<Action<H>>,
    ) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        let was_good = match &entry.phase {
            Phase::Starting(current) | Phase::Stopping(current) if *current == incarnation => false,
            Phase::Up(up) if up.incarnation == incarnation => {
                up.served || now.duration_since(up.ready_at) >= STABLE
            }
            _ => return,
        };
        if matches!(entry.phase, Phase::Stopping(_)) {
            self.stopping -= 1;
        }
        self.running -= 1;
        entry.phase = Phase::Absent;

        let refusal = match end {
            End::Stopped => {
                entry.failures = 0;
                None
            }
            End::SignInNeeded => {
                entry.failures = 0;
                Some(WorkerError::GarminSignInNeeded)
            }
            End::Crashed { reason } | End::NotStarted { reason } => {
                if was_good {
                    entry.failures = 0;
                }
                entry.failed(reason, now)
            }
            End::TooSlow { reason } => {
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

    fn stop_wanted(&mut self, account: &AccountId, reason: StopReason, actions: &mut Vec<Action<H>>) {
        let Some(entry) = self.entries.get_mut(account) else {
            return;
        };
        // A new sign-in, or an operator's wish, clears the record of failures.
        entry.failures = 0;
        entry.retry_at = None;
        if !reason.is_gentle() && reason != StopReason::Operator {
            entry.refuse_waiters(&WorkerError::Stopped, actions);
            self.queue.retain(|queued| queued != account);
        }
        let incarnation = match &mut entry.phase {
            Phase::Up(up) if reason.is_gentle() && (up.in_flight > 0 || up.checking) => {
                up.retiring = Some(reason);
                None
            }
            Phase::Up(up) => Some(up.incarnation),
            Phase::Starting(incarnation) => Some(*incarnation),
            Phase::Absent | Phase::Stopping(_) => None,
        };
        if let Some(incarnation) = incarnation {
            entry.phase = Phase::Stopping(incarnation);
            self.stopping += 1;
            actions.push(Action::Stop {
                account: account.clone(),
                incarnation,
                reason,
            });
        }
        // Those who waited for this process now wait for the next.
        if !entry.waiters.is_empty() && !self.queue.contains(account) {
            self.queue.push_back(account.clone());
        }
    }

    fn tick(&mut self, now: Instant, actions: &mut Vec<Action<H>>) {
        for (account, entry) in &mut self.entries {
            if let Phase::Up(up) = &entry.phase
                && up.is_idle()
                && up.used_at + self.limits.idle_ttl <= now
            {
                let incarnation = up.incarnation;
                entry.phase = Phase::Stopping(incarnation);
                self.stopping += 1;
                actions.push(Action::Stop {
                    account: account.clone(),
                    incarnation,
                    reason: StopReason::Idle,
                });
            }
        }
        let busy = WorkerError::Busy {
            retry_after: self.limits.wait_for_room,
        };
        let entries = &mut self.entries;
        self.queue.retain(|account| {
            let Some(entry) = entries.get_mut(account) else {
                return false;
            };
            entry.waiters.retain(|waiter| {
                let patient = waiter.until > now;
                if !patient {
                    actions.push(Action::Refuse {
                        ticket: waiter.ticket,
                        error: busy.clone(),
                    });
                }
                patient
            });
            !entry.waiters.is_empty()
        });
    }

    fn drain(&mut self, now: bool, actions: &mut Vec<Action<H>>) {
        self.draining = true;
        self.queue.clear();
        for (account, entry) in &mut self.entries {
            entry.refuse_waiters(&WorkerError::Stopped, actions);
            let incarnation = match &mut entry.phase {
                Phase::Up(up) if !now && !up.is_idle() => {
                    up.retiring = Some(StopReason::Draining);
                    continue;
                }
                Phase::Up(up) => up.incarnation,
                Phase::Starting(incarnation) => *incarnation,
                Phase::Absent | Phase::Stopping(_) => continue,
            };
            entry.phase = Phase::Stopping(incarnation);
            self.stopping += 1;
            actions.push(Action::Stop {
                account: account.clone(),
                incarnation,
                reason: StopReason::Draining,
            });
        }
    }

    /// Starts processes for those who wait while there is room, and makes room where there is none.
    fn fill(&mut self, actions: &mut Vec<Action<H>>) {
        let mut looked_at = 0;
        while self.running < self.limits.max
            && let Some(account) = self.queue.get(looked_at)
        {
            let Some(entry) = self.entries.get_mut(account) else {
                break;
            };
            // Still waiting for the end of its own former process.
            if !matches!(entry.phase, Phase::Absent) {
                looked_at += 1;
                continue;
            }
            self.last_incarnation += 1;
            let incarnation = Incarnation(self.last_incarnation);
            entry.phase = Phase::Starting(incarnation);
            entry.starts += 1;
            self.running += 1;
            if let Some(account) = self.queue.remove(looked_at) {
                actions.push(Action::Spawn { account, incarnation });
            }
        }
        // Every process that is stopping leaves room for one of the queue, as does one that retires for its own account.
        let waiting = |account: &&AccountId| {
            self.entries
                .get(*account)
                .is_some_and(|entry| !matches!(entry.phase, Phase::Up(_)))
        };
        let in_need = self.queue.iter().filter(waiting).count();
        while in_need > self.stopping {
            let Some((account, entry)) = self
                .entries
                .iter_mut()
                .filter(|(_, entry)| matches!(&entry.phase, Phase::Up(up) if up.is_idle()))
                .min_by_key(|(_, entry)| entry.idle_since())
            else {
                break;
            };
            let Phase::Up(up) = &entry.phase else { break };
            let incarnation = up.incarnation;
            entry.phase = Phase::Stopping(incarnation);
            self.stopping += 1;
            actions.push(Action::Stop {
                account: account.clone(),
                incarnation,
                reason: StopReason::Evicted,
            });
        }
    }
}

impl<H: Clone> Up<H> {
    fn seat(&mut self) -> Seat<H> {
        self.in_flight += 1;
        Seat {
            incarnation: self.incarnation,
            handle: self.handle.clone(),
        }
    }
}

impl<H> Up<H> {
    fn takes_calls(&self) -> bool {
        !self.checking && self.retiring.is_none()
    }

    fn is_idle(&self) -> bool {
        self.in_flight == 0 && !self.checking
    }
}

impl<H> Entry<H> {
    fn new() -> Self {
        Entry {
            phase: Phase::Absent,
            waiters: Vec::new(),
            failures: 0,
            retry_at: None,
            reason: String::new(),
            starts: 0,
        }
    }

    /// Counts a failure. `None`: the next start may follow at once.
    fn failed(&mut self, reason: String, now: Instant) -> Option<WorkerError> {
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

    fn start_failed(&self, now: Instant) -> WorkerError {
        let wait = self
            .retry_at
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let seconds = wait.as_millis().div_ceil(1000);
        WorkerError::StartFailed {
            reason: format!("{}; the next try is possible in {seconds} s", self.reason),
        }
    }

    fn refuse_waiters(&mut self, error: &WorkerError, actions: &mut Vec<Action<H>>) {
        actions.extend(self.waiters.drain(..).map(|waiter| Action::Refuse {
            ticket: waiter.ticket,
            error: error.clone(),
        }));
    }

    fn idle_since(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Up(up) if up.in_flight == 0 => Some(up.used_at),
            _ => None,
        }
    }
}

impl<H: Clone> Entry<H> {
    fn standing(&self) -> Option<Standing<H>> {
        let (state, up) = match &self.phase {
            Phase::Absent if !self.waiters.is_empty() => ("waiting", None),
            Phase::Absent if self.failures > 0 => ("failed", None),
            Phase::Absent => return None,
            Phase::Starting(_) => ("starting", None),
            Phase::Up(up) if up.retiring.is_some() => ("stopping", Some(up)),
            Phase::Up(up) => ("ready", Some(up)),
            Phase::Stopping(_) => ("stopping", None),
        };
        Some(Standing {
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

    fn admit_waiters(&mut self, actions: &mut Vec<Action<H>>) {
        let Phase::Up(up) = &mut self.phase else { return };
        actions.extend(self.waiters.drain(..).map(|waiter| Action::Admit {
            ticket: waiter.ticket,
            seat: up.seat(),
        }));
    }
}

/// The pause before the start after the `failures`-th failure in a row: none, 1 s, 2 s, 4 s … 60 s.
fn back_off(failures: u32) -> Duration {
    match failures {
        0 | 1 => Duration::ZERO,
        n => Duration::from_secs(1u64 << (n - 2).min(6)).min(LONGEST_BACK_OFF),
    }
}
