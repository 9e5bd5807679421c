//! The worker pool: which account has a worker, and which calls wait for one. It holds the policy and the waiting
//! calls, and passes the policy's actions to the supervisor. Each call locks it twice, for one map lookup each time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use super::call::WorkerError;
use super::context::WorkerHandle;
use super::policy::{
    Admission, Incarnation, Policy, PoolLimits, WaitTicket, WorkerAction, WorkerEvent, WorkerStatus,
};
use crate::accounts::AccountId;

/// The right to make one call to a ready worker; returned on drop.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Arc<WorkerPool>,
    admission: Admission<Arc<WorkerHandle>>,
    /// The worker has been silent for too long, and nothing has arrived since.
    silent: AtomicBool,
    served: bool,
}

type LeaseReply = oneshot::Sender<Result<Lease, WorkerError>>;
type Actions = mpsc::UnboundedReceiver<WorkerAction<Arc<WorkerHandle>>>;

#[derive(Debug)]
pub(super) struct WorkerPool {
    state: Mutex<PoolState>,
    actions: mpsc::UnboundedSender<WorkerAction<Arc<WorkerHandle>>>,
    /// Notified after every step except the start and end of an ordinary call.
    changed: watch::Sender<()>,
    /// The `serverInfo` of the worker that started last. All workers run the same command.
    server_info: Mutex<Option<Arc<str>>>,
    /// How long a worker may be silent during a call.
    silence: Duration,
}

#[derive(Debug)]
struct PoolState {
    policy: Policy<Arc<WorkerHandle>>,
    waiting: HashMap<WaitTicket, LeaseReply>,
    last_ticket: u64,
}

impl WorkerPool {
    /// Creates a pool, and the channel of actions for its supervisor.
    pub(super) fn new(limits: PoolLimits) -> (Arc<Self>, Actions) {
        let (actions, inbox) = mpsc::unbounded_channel();
        let state = PoolState {
            policy: Policy::new(limits),
            waiting: HashMap::new(),
            last_ticket: 0,
        };
        let pool = WorkerPool {
            state: Mutex::new(state),
            actions,
            changed: watch::Sender::new(()),
            server_info: Mutex::default(),
            silence: limits.silence,
        };
        (Arc::new(pool), inbox)
    }

    pub(super) fn silence(&self) -> Duration {
        self.silence
    }

    pub(super) fn set_server_info(&self, server_info: Option<Arc<str>>) {
        *self.server_info.lock() = server_info;
    }

    pub(super) fn server_info(&self) -> Option<Arc<str>> {
        self.server_info.lock().clone()
    }

    /// Waits until a worker is ready, and returns a lease for one call.
    pub(super) async fn lease(self: &Arc<Self>, account: &AccountId) -> Result<Lease, WorkerError> {
        let (ticket, answer) = {
            let mut state = self.state.lock();
            if let Some(admission) = state.policy.enter(account) {
                return Ok(Lease::new(self, admission));
            }
            let (reply, answer) = oneshot::channel();
            state.last_ticket += 1;
            let ticket = WaitTicket(state.last_ticket);
            state.waiting.insert(ticket, reply);
            let account = account.clone();
            self.step(&mut state, WorkerEvent::Wanted { account, ticket });
            (ticket, answer)
        };
        self.changed.send_replace(());
        let waiting = PendingCall {
            pool: self,
            account,
            ticket,
            answered: false,
        };
        let answer = answer.await;
        waiting.done();
        answer.unwrap_or(Err(WorkerError::Stopped))
    }

    pub(super) fn happened(&self, event: WorkerEvent<Arc<WorkerHandle>>) {
        self.step(&mut self.state.lock(), event);
        self.changed.send_replace(());
    }

    /// Completes a waiting call with a lease or an error.
    pub(super) fn answer(
        self: &Arc<Self>,
        ticket: WaitTicket,
        answer: Result<Admission<Arc<WorkerHandle>>, WorkerError>,
    ) {
        // The lease is created first, so that dropping it returns the admission if the caller has gone.
        let answer = answer.map(|admission| Lease::new(self, admission));
        let reply = self.state.lock().waiting.remove(&ticket);
        if let Some(reply) = reply {
            drop(reply.send(answer));
        }
    }

    /// Ends all waiting calls once the supervisor is gone.
    pub(super) fn close(&self) {
        self.state.lock().waiting.clear();
    }

    /// Fires on every change except the start and end of an ordinary call.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Policy<Arc<WorkerHandle>>) -> T) -> T {
        look(&self.state.lock().policy)
    }

    pub(super) fn statuses(&self) -> Vec<(AccountId, WorkerStatus<Arc<WorkerHandle>>)> {
        self.look(|policy| {
            policy
                .statuses()
                .map(|(account, status)| (account.clone(), status))
                .collect()
        })
    }

    /// Must be called while holding the lock, so that actions reach the supervisor in order.
    fn step(&self, state: &mut PoolState, event: WorkerEvent<Arc<WorkerHandle>>) {
        for action in state.policy.step(event, Instant::now()) {
            self.send(state, action);
        }
    }

    fn send(&self, state: &mut PoolState, action: WorkerAction<Arc<WorkerHandle>>) {
        // Without a supervisor, the waiting calls would never be answered.
        if self.actions.send(action).is_err() {
            state.waiting.clear();
        }
    }

    fn leave(&self, account: &AccountId, incarnation: Incarnation, served: bool) {
        let mut state = self.state.lock();
        let action = state.policy.leave(account, incarnation, served, Instant::now());
        if let Some(action) = action {
            self.send(&mut state, action);
        }
    }
}

impl Lease {
    fn new(pool: &Arc<WorkerPool>, admission: Admission<Arc<WorkerHandle>>) -> Self {
        Lease {
            pool: Arc::clone(pool),
            admission,
            silent: AtomicBool::new(false),
            served: false,
        }
    }

    /// Records the end of the call, and whether the worker answered it.
    pub(super) fn ended(&mut self, served: bool) {
        *self.silent.get_mut() = false;
        self.served = served;
    }

    /// Requests a health check, because the worker is silent.
    pub(super) fn silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
        self.suspect();
    }

    pub(super) fn worker(&self) -> &WorkerHandle {
        &self.admission.handle
    }

    /// Requests a health check, because the call failed in a way that may be the worker's fault.
    pub(super) fn suspect(&self) {
        let (account, incarnation) = (self.worker().account.clone(), self.admission.incarnation);
        self.pool
            .happened(WorkerEvent::Suspected { account, incarnation });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let account = &self.admission.handle.account;
        // The call timed out or was cancelled while the worker was silent.
        if *self.silent.get_mut() {
            let (account, incarnation) = (account.clone(), self.admission.incarnation);
            self.pool.happened(WorkerEvent::TimedOut { account, incarnation });
        }
        self.pool.leave(account, self.admission.incarnation, self.served);
    }
}

/// A call that is waiting for a lease. Dropping it cancels the wait.
struct PendingCall<'a> {
    pool: &'a WorkerPool,
    account: &'a AccountId,
    ticket: WaitTicket,
    answered: bool,
}

impl PendingCall<'_> {
    fn done(mut self) {
        self.answered = true;
    }
}

impl Drop for PendingCall<'_> {
    fn drop(&mut self) {
        if !self.answered {
            drop(self.pool.state.lock().waiting.remove(&self.ticket));
            self.pool.happened(WorkerEvent::GaveUp {
                account: self.account.clone(),
                ticket: self.ticket,
            });
        }
    }
}
