//! The board on which it is written who has a worker and who waits for one: the policy, the waiting calls, and the way to
//! the supervisor. Every call passes here twice, under a lock that is held for a look into a map.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use super::call::WorkerError;
use super::life::Live;
use super::policy::{Action, Event, Incarnation, Limits, Policy, Seat, Standing, Ticket};
use crate::accounts::AccountId;

/// A call's place at a ready worker, given back by its drop.
#[derive(Debug)]
pub(super) struct Place {
    board: Arc<Board>,
    seat: Seat<Arc<Live>>,
    served: bool,
}

type Reply = oneshot::Sender<Result<Place, WorkerError>>;

#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<State>,
    actions: mpsc::UnboundedSender<Action<Arc<Live>>>,
    /// Told after every step that is not a plain call.
    changed: watch::Sender<()>,
    /// What the worker that was started last said of itself. All run the same command.
    server: Mutex<Option<Arc<str>>>,
}

#[derive(Debug)]
struct State {
    policy: Policy<Arc<Live>>,
    waiting: HashMap<Ticket, Reply>,
    last_ticket: u64,
}

impl Board {
    /// A board, and what the supervisor reads of it: what to do.
    pub(super) fn new(limits: Limits) -> (Arc<Self>, mpsc::UnboundedReceiver<Action<Arc<Live>>>) {
        let (actions, inbox) = mpsc::unbounded_channel();
        let state = State {
            policy: Policy::new(limits),
            waiting: HashMap::new(),
            last_ticket: 0,
        };
        let board = Board {
            state: Mutex::new(state),
            actions,
            changed: watch::Sender::new(()),
            server: Mutex::default(),
        };
        (Arc::new(board), inbox)
    }

    /// A worker said who it is.
    pub(super) fn heard(&self, server: Option<Arc<str>>) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// What the worker that was started last said of itself.
    pub(super) fn server(&self) -> Option<Arc<str>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A place for one call, now or when there is one.
    pub(super) async fn place(self: &Arc<Self>, account: &AccountId) -> Result<Place, WorkerError> {
        let (ticket, answer) = {
            let mut state = self.lock();
            if let Some(seat) = state.policy.enter(account) {
                return Ok(Place::new(self, seat));
            }
            let (reply, answer) = oneshot::channel();
            state.last_ticket += 1;
            let ticket = Ticket(state.last_ticket);
            state.waiting.insert(ticket, reply);
            self.step(
                &mut state,
                Event::Wanted {
                    account: account.clone(),
                    ticket,
                },
            );
            (ticket, answer)
        };
        self.changed.send_replace(());
        let waiting = Waiting {
            board: self,
            account,
            ticket,
            answered: false,
        };
        let answer = answer.await;
        waiting.done();
        answer.unwrap_or(Err(WorkerError::Stopped))
    }

    /// Something happened.
    pub(super) fn happened(&self, event: Event<Arc<Live>>) {
        self.step(&mut self.lock(), event);
        self.changed.send_replace(());
    }

    /// Answers a waiting call, as the policy said.
    pub(super) fn answer(self: &Arc<Self>, ticket: Ticket, answer: Result<Seat<Arc<Live>>, WorkerError>) {
        // Before anything else: if nobody takes it, it must be given back.
        let answer = answer.map(|seat| Place::new(self, seat));
        let reply = self.lock().waiting.remove(&ticket);
        if let Some(reply) = reply {
            drop(reply.send(answer));
        }
    }

    /// Nobody is left to answer: those who still wait are told so.
    pub(super) fn close(&self) {
        self.lock().waiting.clear();
    }

    /// Told of every change but the begin and end of plain calls.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Reads the policy.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Policy<Arc<Live>>) -> T) -> T {
        look(&self.lock().policy)
    }

    /// Where every worker stands.
    pub(super) fn standings(&self) -> Vec<(AccountId, Standing<Arc<Live>>)> {
        self.look(|policy| {
            policy
                .standings()
                .map(|(account, standing)| (account.clone(), standing))
                .collect()
        })
    }

    /// Hands the policy's actions to the supervisor in the order in which they were decided, hence under the lock.
    fn step(&self, state: &mut State, event: Event<Arc<Live>>) {
        for action in state.policy.step(event, Instant::now()) {
            self.tell(state, action);
        }
    }

    fn tell(&self, state: &mut State, action: Action<Arc<Live>>) {
        // Without a supervisor nobody will answer those who wait.
        if self.actions.send(action).is_err() {
            state.waiting.clear();
        }
    }

    fn leave(&self, account: &AccountId, incarnation: Incarnation, served: bool) {
        let mut state = self.lock();
        let action = state.policy.leave(account, incarnation, served, Instant::now());
        if let Some(action) = action {
            self.tell(&mut state, action);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn new(board: &Arc<Board>, seat: Seat<Arc<Live>>) -> Self {
        Place {
            board: Arc::clone(board),
            seat,
            served: false,
        }
    }

    /// The worker answered.
    pub(super) fn served(&mut self) {
        self.served = true;
    }

    pub(super) fn worker(&self) -> &Live {
        &self.seat.handle
    }

    /// The call failed in a way that puts the worker in doubt.
    pub(super) fn suspect(&self) {
        let (account, incarnation) = (self.worker().account.clone(), self.seat.incarnation);
        self.board.happened(Event::Suspected { account, incarnation });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let account = &self.seat.handle.account;
        self.board.leave(account, self.seat.incarnation, self.served);
    }
}

/// A call that waits; gives up when it is dropped.
struct Waiting<'a> {
    board: &'a Board,
    account: &'a AccountId,
    ticket: Ticket,
    answered: bool,
}

impl Waiting<'_> {
    fn done(mut self) {
        self.answered = true;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered {
            drop(self.board.lock().waiting.remove(&self.ticket));
            self.board.happened(Event::GaveUp {
                account: self.account.clone(),
                ticket: self.ticket,
            });
        }
    }
}
