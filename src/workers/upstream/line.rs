//! A connection that is driven by whoever uses it, in the user's own task: an answer wakes one task and nothing is handed
//! from task to task, which is most of what a hop costs.
//!
//! The connection and its user tell each other when to go on by waking each other, and here they are one task. A task that
//! is woken while it runs is queued again, and the runtime wakes another thread to take it: twice a call, for nothing. So
//! what is woken during a turn gets another turn at once, and only what is woken between turns wakes the task.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body_util::Full;
use hyper::client::conn::http1::Connection;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// More turns than this in one go, and others have their turn first. (Who has used up its share of the runtime's time is
/// woken at once and gets no further.)
const MOST_TURNS: usize = 16;

type Http = Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// One connection, without its sender.
#[derive(Debug)]
pub(super) struct Line {
    connection: Http,
    /// The connection ended, and must not be polled again.
    over: bool,
    wakes: Arc<Wakes>,
    waker: Waker,
}

/// Who is woken.
#[derive(Debug, Default)]
struct Wakes {
    /// A turn is under way.
    in_turn: AtomicBool,
    /// Somebody was woken since the turn began.
    again: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // In this order, and the reverse in `drive`: one of the two sees the other.
        self.again.store(true, Ordering::SeqCst);
        if !self.in_turn.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl Line {
    pub(super) fn new(connection: Http) -> Self {
        let wakes = Arc::new(Wakes::default());
        Self {
            connection,
            over: false,
            waker: Waker::from(Arc::clone(&wakes)),
            wakes,
        }
    }

    /// Waits for what `poll` waits for, and moves the bytes that it takes. `poll` is told whether the connection ended.
    pub(super) async fn drive<T>(&mut self, mut poll: impl FnMut(bool, &mut Context<'_>) -> Poll<T>) -> T {
        poll_fn(|context| {
            self.wakes.task.register(context.waker());
            for _ in 0..MOST_TURNS {
                self.wakes.again.store(false, Ordering::SeqCst);
                self.wakes.in_turn.store(true, Ordering::SeqCst);
                self.advance();
                let done = poll(self.over, &mut Context::from_waker(&self.waker));
                self.wakes.in_turn.store(false, Ordering::SeqCst);
                if done.is_ready() || !self.wakes.again.load(Ordering::SeqCst) {
                    return done;
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    fn advance(&mut self) {
        if !self.over {
            let mut context = Context::from_waker(&self.waker);
            // How it ended, its user is told by hyper.
            self.over = Pin::new(&mut self.connection).poll(&mut context).is_ready();
        }
    }

    /// Whether it ended, as far as is known without waiting.
    #[cfg(test)]
    pub(super) fn is_over(&mut self) -> bool {
        self.advance();
        self.over
    }
}
