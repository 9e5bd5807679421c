//! The loop beside the policy: it starts a task for every worker that is to be, tells running ones what to do, and wakes
//! the policy when time has passed. Nothing here waits for a single worker, so no account holds up another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::life::{Command, Life, Live, Parts};
use super::policy::{Action, Event, Incarnation, Policy};

/// How long calls in flight may go on when the gateway ends.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Runs until `ending` fires and all workers have ended.
pub(super) async fn run(
    board: Arc<Board>,
    parts: Arc<Parts>,
    mut actions: mpsc::UnboundedReceiver<Action<Arc<Live>>>,
    ending: CancellationToken,
) {
    let mut changes = board.changes();
    let mut lives = Lives {
        board: Arc::clone(&board),
        parts,
        commands: HashMap::new(),
    };
    let mut draining = false;
    let force = sleep(Duration::MAX);
    tokio::pin!(force);
    loop {
        let now = Instant::now();
        let tick = board
            .look(|policy| policy.next_tick(now))
            .unwrap_or(now + Duration::from_secs(3600));
        tokio::select! {
            // In order: what was decided is done before anything new is.
            biased;
            action = actions.recv() => match action {
                Some(action) => lives.act(action),
                None => break,
            },
            () = ending.cancelled(), if !draining => {
                draining = true;
                board.happened(Event::Drain);
                force.set(sleep(LAST_CALLS));
            }
            () = &mut force, if draining => {
                board.happened(Event::DrainNow);
                force.set(sleep(Duration::MAX));
            }
            _ = changes.changed() => {}
            () = sleep_until(tick.into()) => board.happened(Event::Tick),
        }
        if draining && actions.is_empty() && board.look(Policy::running) == 0 {
            break;
        }
    }
    // What was decided in the meantime can only be refusals; then nobody may wait for more.
    actions.close();
    while let Some(action) = actions.recv().await {
        lives.act(action);
    }
    board.close();
}

/// The tasks of the workers that run.
struct Lives {
    board: Arc<Board>,
    parts: Arc<Parts>,
    commands: HashMap<Incarnation, mpsc::UnboundedSender<Command>>,
}

impl Lives {
    fn act(&mut self, action: Action<Arc<Live>>) {
        match action {
            Action::Spawn { account, incarnation } => {
                self.commands.retain(|_, commands| !commands.is_closed());
                let (sender, commands) = mpsc::unbounded_channel();
                self.commands.insert(incarnation, sender);
                let (parts, board) = (Arc::clone(&self.parts), Arc::clone(&self.board));
                let life = Life {
                    parts,
                    board,
                    account,
                    incarnation,
                    commands,
                };
                self.parts.lifecycle.spawn("worker", life.run());
            }
            Action::Check { account, incarnation } => {
                tracing::warn!(account.id = %account, "worker.doubted");
                self.tell(incarnation, Command::Check);
            }
            Action::Stop {
                account,
                incarnation,
                reason,
            } => {
                tracing::info!(account.id = %account, reason = reason.as_str(), "worker.stopping");
                self.tell(incarnation, Command::Stop);
            }
            Action::Admit { ticket, seat } => self.board.answer(ticket, Ok(seat)),
            Action::Refuse { ticket, error } => self.board.answer(ticket, Err(error)),
        }
    }

    fn tell(&self, incarnation: Incarnation, command: Command) {
        if let Some(commands) = self.commands.get(&incarnation) {
            // One that is closed has ended meanwhile, and says so itself.
            commands.send(command).ok();
        }
    }
}
