//! Threads for connections: each serves its connections from the first byte to the last.
//!
//! On a multi-threaded runtime, one thread reads a request and another writes the response. Each has to be woken, and
//! has none of the data in its caches. A connection that stays on one thread uses a tenth less processor time per call.
//! Everything else runs on the program's main runtime, where it does not delay connections.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The maximum number of threads. A circle of people needs no more, and each costs some memory.
const MAX_THREADS: usize = 4;

/// The threads of a server. Clones share them; when the last clone is dropped, they end with whatever still runs there.
#[derive(Clone, Debug)]
pub struct ConnectionThreads(Arc<[ConnectionThread]>);

#[derive(Debug)]
struct ConnectionThread {
    runtime: Handle,
    /// Each connection holds a clone, so the count tells how many there are.
    connections: Arc<()>,
    _end: Option<DropGuard>,
}

impl ConnectionThreads {
    /// No separate threads: connections are served on the current runtime.
    pub fn current() -> Self {
        Self(Arc::new([ConnectionThread {
            runtime: Handle::current(),
            connections: Arc::default(),
            _end: None,
        }]))
    }

    /// Starts a thread for each processor, at most [`MAX_THREADS`]. Fails if the system grants no thread.
    pub fn start() -> io::Result<Self> {
        Self::with(thread::available_parallelism().map_or(1, |processors| processors.get().min(MAX_THREADS)))
    }

    fn with(count: usize) -> io::Result<Self> {
        let threads: io::Result<_> = (0..count).map(|_| ConnectionThread::start()).collect();
        threads.map(Self)
    }

    /// Serves a connection on the thread that has the fewest connections.
    pub(super) fn spawn(&self, tasks: &TaskTracker, connection: impl Future<Output = ()> + Send + 'static) {
        let connections = |thread: &&ConnectionThread| Arc::strong_count(&thread.connections);
        if let Some(thread) = self.0.iter().min_by_key(connections) {
            let counted = Arc::clone(&thread.connections);
            let served = async move {
                connection.await;
                drop(counted);
            };
            drop(tasks.spawn_on(served, &thread.runtime));
        }
    }
}

impl ConnectionThread {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let end = CancellationToken::new();
        let ended = end.clone();
        thread::Builder::new()
            .name("connections".to_owned())
            .spawn(move || runtime.block_on(ended.cancelled()))?;
        Ok(Self {
            runtime: handle,
            connections: Arc::default(),
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

    /// Reports its thread twice, and ends when `let_go` fires.
    async fn connection(threads: mpsc::Sender<ThreadId>, let_go: oneshot::Receiver<()>) {
        for _ in 0..2 {
            yield_now().await;
            threads.send(thread::current().id()).await.unwrap();
        }
        let_go.await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_stays_on_the_thread_that_had_the_fewest() {
        let (threads, tasks) = (ConnectionThreads::with(2).unwrap(), TaskTracker::new());
        let (sender, mut seen) = mpsc::channel(1);
        let mut open = async || {
            let (go, let_go) = oneshot::channel();
            threads.spawn(&tasks, connection(sender.clone(), let_go));
            let (first, second) = (seen.recv().await.unwrap(), seen.recv().await.unwrap());
            assert_eq!(first, second);
            (first, go)
        };
        let ((one, first), (other, second)) = (open().await, open().await);
        assert_ne!(one, other);
        assert_ne!(one, thread::current().id());
        // When a connection ends, its thread takes the next one.
        for (thread, ended) in [(one, first), (other, second)] {
            ended.send(()).unwrap();
            while threads
                .0
                .iter()
                .all(|thread| Arc::strong_count(&thread.connections) == 2)
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let (taken, kept) = open().await;
            assert_eq!(taken, thread);
            std::mem::forget(kept);
        }
    }

    #[tokio::test]
    async fn threads_end_with_their_last_clone() {
        let (threads, tasks) = (ConnectionThreads::with(1).unwrap(), TaskTracker::new());
        let (held, dropped) = oneshot::channel::<()>();
        threads.spawn(&tasks, async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        drop(threads.clone());
        yield_now().await;
        assert_eq!(tasks.len(), 1);
        drop(threads);
        assert!(dropped.await.is_err());
    }
}
