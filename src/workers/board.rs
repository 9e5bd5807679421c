//! The board on which it is written who has a worker and who waits for one: the policy, the waiting calls, and the way to
//! the supervisor. Every call passes here twice, under a lock that is held for a look into a map.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot, watch};

use super::handle::WorkerError;
use super::life::Live;
use super::policy::{Action, Event, Incarnation, Limits, Policy, Seat, Standing, Ticket};
use crate::accounts::AccountId;

/// A call's place at a ready worker, given back by its drop.
#[derive(Debug)]
pub(super) struct Place {
    board: Arc<Board>,
    seat: Seat<Arc<Live>>,
}

type Reply = oneshot::Sender<Result<Place, WorkerError>>;

#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<State>,
    actions: mpsc::UnboundedSender<Action<Arc<Live>>>,
    /// Told after every step that is not a plain call.
    changed: watch::Sender<()>,
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
        };
        (Arc::new(board), inbox)
    }

    /// A place for one call, now or when there is one.
    pub(super) async fn place(self: &Arc<Self>, account: &AccountId) -> Result<Place, WorkerError> {
        let (reply, answer) = oneshot::channel();
        let ticket = {
            let mut state = self.lock();
            if let Some(seat) = state.policy.enter(account) {
                return Ok(Place {
                    board: Arc::clone(self),
                    seat,
                });
            }
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
            ticket
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
        let answer = answer.map(|seat| Place {
            board: Arc::clone(self),
            seat,
        });
        let reply = self.lock().waiting.remove(&ticket);
        if let Some(reply) = reply {
            drop(reply.send(answer));
        }
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
            self.tell(action);
        }
    }

    fn tell(&self, action: Action<Arc<Live>>) {
        // Without a supervisor the gateway has ended: what waits is answered by the drop of its reply.
        drop(self.actions.send(action));
    }

    fn leave(&self, account: &AccountId, incarnation: Incarnation) {
        let mut state = self.lock();
        if let Some(action) = state.policy.leave(account, incarnation, Instant::now()) {
            self.tell(action);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
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
        self.board.leave(&self.seat.handle.account, self.seat.incarnation);
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
