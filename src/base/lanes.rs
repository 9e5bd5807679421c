//! Threads that each serve their own connections, from the first byte to the last.
//!
//! Where several threads share their tasks, a request may be read by one and answered by another: each time one wakes
//! the other, and finds nothing of the work in its caches. Calls on a connection that stays in its lane cost a tenth less.
//! What else the program does has threads of its own, and holds up no lane.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// A circle of people needs no more, whatever its machine has; each costs some memory.
const MOST: usize = 4;

/// The lanes of a server. Clones are the same lanes; with the last one they end, and with them what still runs there.
#[derive(Clone, Debug)]
pub struct Lanes(Arc<[Lane]>);

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    /// Held by each connection.
    taken: Arc<()>,
    _end: Option<DropGuard>,
}

impl Lanes {
    /// No threads of their own: everything is served where this is asked.
    pub fn here() -> Self {
        Lanes(Arc::new([Lane {
            runtime: Handle::current(),
            taken: Arc::default(),
            _end: None,
        }]))
    }

    /// One for each processor, [`MOST`] at most. Errors: the system gives no thread.
    pub fn start() -> io::Result<Self> {
        Self::of(thread::available_parallelism().map_or(1, |processors| processors.get().min(MOST)))
    }

    fn of(count: usize) -> io::Result<Self> {
        let lanes: io::Result<_> = (0..count).map(|_| Lane::start()).collect();
        lanes.map(Lanes)
    }

    /// Serves a connection in the lane that has the fewest.
    pub(super) fn spawn(&self, tasks: &TaskTracker, connection: impl Future<Output = ()> + Send + 'static) {
        let connections = |lane: &&Lane| Arc::strong_count(&lane.taken);
        if let Some(lane) = self.0.iter().min_by_key(connections) {
            let taken = Arc::clone(&lane.taken);
            let served = async move {
                connection.await;
                drop(taken);
            };
            drop(tasks.spawn_on(served, &lane.runtime));
        }
    }
}

impl Lane {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let end = CancellationToken::new();
        let ended = end.clone();
        thread::Builder::new()
            .name("lane".to_owned())
            .spawn(move || runtime.block_on(ended.cancelled()))?;
        Ok(Lane {
            runtime: handle,
            taken: Arc::default(),
            _end: Some(end.drop_guard()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;
    use std::time::Duration;

    use tokio::sync::{mpsc, oneshot};
    use tokio::task::yield_now;

    use super::*;

    /// A connection that tells its thread twice, and ends when it is let go.
    async fn told(threads: mpsc::Sender<ThreadId>, let_go: oneshot::Receiver<()>) {
        for _ in 0..2 {
            yield_now().await;
            threads.send(thread::current().id()).await.unwrap();
        }
        let_go.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_stays_in_its_lane_and_takes_the_one_with_the_fewest() {
        let (lanes, tasks) = (Lanes::of(2).unwrap(), TaskTracker::new());
        let (threads, mut found) = mpsc::channel(1);
        let mut open = async || {
            let (go, let_go) = oneshot::channel();
            lanes.spawn(&tasks, told(threads.clone(), let_go));
            let (first, second) = (found.recv().await.unwrap(), found.recv().await.unwrap());
            assert_eq!(first, second);
            (first, go)
        };
        let ((one, first), (other, second)) = (open().await, open().await);
        assert_ne!(one, other);
        assert_ne!(one, thread::current().id());
        // Where one ended is room again.
        for (lane, ended) in [(one, first), (other, second)] {
            ended.send(()).unwrap();
            while lanes.0.iter().all(|lane| Arc::strong_count(&lane.taken) == 2) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (taken, kept) = open().await;
            assert_eq!(taken, lane);
            std::mem::forget(kept);
        }
    }

    #[tokio::test]
    async fn lanes_end_with_the_last_who_has_them() {
        let (lanes, tasks) = (Lanes::of(1).unwrap(), TaskTracker::new());
        let (held, dropped) = oneshot::channel::<()>();
        lanes.spawn(&tasks, async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        drop(lanes.clone());
        yield_now().await;
        assert_eq!(tasks.len(), 1);
        drop(lanes);
        assert!(dropped.await.is_err());
    }
}
