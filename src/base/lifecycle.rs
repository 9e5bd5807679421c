//! Named tasks, the stop signal, and the drain; the signals of the system that ask for it.
//!
//! Every task of the program is spawned here: it has a name in the log, it is told when to stop, and the drain waits
//! for it. A task that panics is an event (`task.failed`) and stops the program, because half a daemon is worse
//! than a restart.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Spawns, stops and waits for the tasks of one program. Clones are the same lifecycle.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    runtime: Handle,
    stop: CancellationToken,
    tasks: TaskTracker,
    failed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// A lifecycle with no tasks yet. All will run in the runtime in which this is called.
    pub fn new() -> Self {
        Self {
            runtime: Handle::current(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            failed: Arc::default(),
        }
    }

    /// Starts a task. It should end soon after [`Lifecycle::stopping`] fires.
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

    /// Fires when the program is to stop. Derive a child token to stop a part on its own.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells all tasks to stop; they are waited for by [`Lifecycle::drain`].
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether a task panicked: the exit code should say so.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Stops and waits until all tasks ended, at most `deadline`. Returns whether all ended in time.
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

/// SIGTERM and SIGINT: whoever runs the program wants it to stop.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    /// SIGHUP, SIGUSR1 and SIGUSR2 would end the program. Listening to them, without ever asking, makes the program ignore
    /// them. (`config` listens to SIGHUP as well, and reloads.)
    _ignored: [Signal; 3],
}

impl StopSignals {
    /// From now on they end nothing by themselves, and are kept until they are waited for. In a runtime only. Errors: the
    /// system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _ignored: [
                signal(SignalKind::hangup())?,
                signal(SignalKind::user_defined1())?,
                signal(SignalKind::user_defined2())?,
            ],
        })
    }

    /// Waits for one.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
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
    async fn a_task_that_does_not_stop_is_left_at_the_deadline() {
        let lifecycle = Lifecycle::new();
        lifecycle.spawn("deaf", std::future::pending());
        assert!(!lifecycle.drain(Duration::from_millis(20)).await);
    }
}
