//! The loop around the policy. It starts a task for every new worker, sends commands to running ones, and wakes the
//! policy when time has passed. Nothing here waits for a single worker, so no account delays another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::context::{TaskContext, WorkerHandle};
use super::policy::{Incarnation, Policy, WorkerAction, WorkerEvent};
use super::pool::WorkerPool;
use super::task::{TaskCommand, WorkerTask};

/// How long calls in flight may continue during shutdown.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// Runs until `ending` fires and all workers have ended.
pub(super) async fn run(
    pool: Arc<WorkerPool>,
    context: Arc<TaskContext>,
    mut actions: mpsc::UnboundedReceiver<WorkerAction<Arc<WorkerHandle>>>,
    ending: CancellationToken,
) {
    let mut changes = pool.changes();
    let mut tasks = WorkerTasks {
        pool: Arc::clone(&pool),
        context,
        commands: HashMap::new(),
    };
    let mut draining = false;
    let force = sleep(Duration::MAX);
    tokio::pin!(force);
    loop {
        let now = Instant::now();
        let tick = pool
            .look(|policy| policy.next_tick(now))
            .unwrap_or(now + Duration::from_secs(3600));
        tokio::select! {
            // The order matters: pending actions are carried out before new events are handled.
            biased;
            action = actions.recv() => match action {
                Some(action) => tasks.act(action),
                None => break,
            },
            () = ending.cancelled(), if !draining => {
                draining = true;
                pool.happened(WorkerEvent::Drain);
                force.set(sleep(LAST_CALLS));
            }
            () = &mut force, if draining => {
                pool.happened(WorkerEvent::DrainNow);
                force.set(sleep(Duration::MAX));
            }
            _ = changes.changed() => {}
            () = sleep_until(tick.into()) => pool.happened(WorkerEvent::Tick),
        }
        if draining && actions.is_empty() && pool.look(Policy::running) == 0 {
            break;
        }
    }
    // Only refusals can still be pending here. After them, no call may be left waiting.
    actions.close();
    while let Some(action) = actions.recv().await {
        tasks.act(action);
    }
    pool.close();
}

/// The tasks of all workers.
struct WorkerTasks {
    pool: Arc<WorkerPool>,
    context: Arc<TaskContext>,
    commands: HashMap<Incarnation, mpsc::UnboundedSender<TaskCommand>>,
}

impl WorkerTasks {
    fn act(&mut self, action: WorkerAction<Arc<WorkerHandle>>) {
        match action {
            WorkerAction::Spawn { account, incarnation } => {
                self.commands.retain(|_, commands| !commands.is_closed());
                let (sender, commands) = mpsc::unbounded_channel();
                self.commands.insert(incarnation, sender);
                let (context, pool) = (Arc::clone(&self.context), Arc::clone(&self.pool));
                let task = WorkerTask {
                    context,
                    pool,
                    account,
                    incarnation,
                    commands,
                };
                self.context.lifecycle.spawn("worker", task.run());
            }
            WorkerAction::Check { account, incarnation } => {
                tracing::warn!(account.id = %account, "worker.doubted");
                self.tell(incarnation, TaskCommand::Check);
            }
            WorkerAction::Stop {
                account,
                incarnation,
                reason,
            } => {
                tracing::info!(account.id = %account, reason = reason.as_str(), "worker.stopping");
                self.tell(incarnation, TaskCommand::Stop);
            }
            WorkerAction::Admit { ticket, admission } => self.pool.answer(ticket, Ok(admission)),
            WorkerAction::Refuse { ticket, error } => self.pool.answer(ticket, Err(error)),
        }
    }

    fn tell(&self, incarnation: Incarnation, command: TaskCommand) {
        if let Some(commands) = self.commands.get(&incarnation) {
            // A closed channel means that the task has ended, which it reports itself.
            commands.send(command).ok();
        }
    }
}
