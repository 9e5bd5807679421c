//! Named tasks, graceful shutdown, and the signals that request it.
//!
//! All tasks of the program are spawned here. Each has a name for the log, is told when to stop, and is awaited
//! during shutdown. A task that panics is logged (`task.failed`) and stops the program, because half a daemon is
//! worse than a restart.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

/// Spawns, stops and awaits the tasks of one program. Clones share the same tasks.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    runtime: Handle,
    stop: CancellationToken,
    tasks: TaskTracker,
    failed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// Creates a lifecycle without tasks. All tasks will run in the current tokio runtime.
    pub fn new() -> Self {
        Self {
            runtime: Handle::current(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            failed: Arc::default(),
        }
    }

    /// Spawns a task, which should end soon after [`Lifecycle::stopping`] fires.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let span = tracing::info_span!("task", task = name);
        let lifecycle = self.clone();
        let task = async move {
            if std::panic::AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!(task = name, "task.failed");
                lifecycle.failed.store(true, Ordering::Relaxed);
                lifecycle.stop.cancel();
            }
        };
        drop(self.tasks.spawn_on(task.instrument(span), &self.runtime));
    }

    /// Runs `work` on the runtime of the tasks, for a caller on a connection's thread, so that slow work does not delay
    /// other connections. Dropping the future cancels the work. A panic in the work continues in the caller.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        match AbortOnDropHandle::new(self.runtime.spawn(work.in_current_span())).await {
            Ok(done) => done,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime has shut down, and so has everything that could use the result.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Fires when the program should stop. Derive a child token to stop a part separately.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Signals all tasks to stop; [`Lifecycle::drain`] waits for them.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether a task has panicked, which the exit code should reflect.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Stops all tasks and waits for them until `deadline`. Returns whether all ended in time.
    pub async fn drain(&self, deadline: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(deadline, self.tasks.wait()).await.is_ok()
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

/// The signals that request shutdown: SIGTERM and SIGINT, and SIGHUP if that is enabled.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether a closed terminal requests shutdown too.
    ends_with_terminal: bool,
    /// SIGUSR1 and SIGUSR2 would kill the program. Registering a handler prevents that, and the events are never read.
    _ignored: [Signal; 2],
}

impl StopSignals {
    /// Replaces the default action of these signals; they are kept until [`Self::wait`] is called. Must be called
    /// within a tokio runtime. Fails if the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            // SIGHUP does not stop a service, because `config` reloads the settings on it.
            hangup: signal(SignalKind::hangup())?,
            ends_with_terminal: false,
            _ignored: [
                signal(SignalKind::user_defined1())?,
                signal(SignalKind::user_defined2())?,
            ],
        })
    }

    /// Lets SIGHUP request shutdown too, for a program that somebody runs in a terminal.
    #[must_use]
    pub fn or_closed_terminal(self) -> Self {
        Self {
            ends_with_terminal: true,
            ..self
        }
    }

    /// Waits for a signal that requests shutdown.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv(), if self.ends_with_terminal => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn drain_tells_and_waits() {
        let lifecycle = Lifecycle::new();
        let stopping = lifecycle.stopping();
        lifecycle.spawn("waits", async move { stopping.cancelled().await });
        assert!(lifecycle.drain(Duration::from_secs(5)).await);
        assert!(!lifecycle.has_failed());
    }

    #[tokio::test]
    async fn a_panic_stops_everything() {
        let lifecycle = Lifecycle::new();
        lifecycle.spawn("breaks", async { panic!("on purpose") });
        lifecycle.stopping().cancelled().await;
        assert!(lifecycle.has_failed());
    }

    #[tokio::test]
    async fn work_runs_on_the_runtime_of_the_tasks_and_ends_with_its_caller() {
        let (lifecycle, here) = (Lifecycle::new(), Handle::current().id());
        let there = lifecycle.clone();
        let elsewhere = tokio::task::spawn_blocking(move || {
            let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
            other.block_on(there.run(async { Handle::current().id() }))
        });
        assert_eq!(elsewhere.await.unwrap(), here);

        let broken = std::panic::AssertUnwindSafe(lifecycle.run(async { panic!("on purpose") }));
        assert!(broken.catch_unwind().await.is_err());
        assert!(!lifecycle.has_failed());

        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        let mut endless = Box::pin(lifecycle.run(async move {
            std::future::pending::<()>().await;
            drop(held);
        }));
        assert!((&mut endless).now_or_never().is_none());
        drop(endless);
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn a_task_that_does_not_stop_is_left_at_the_deadline() {
        let lifecycle = Lifecycle::new();
        lifecycle.spawn("deaf", std::future::pending());
        assert!(!lifecycle.drain(Duration::from_millis(20)).await);
    }
}
