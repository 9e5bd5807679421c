//! One call under way: its notifications and its answer, as one JSON answer or as a stream.
//!
//! # Rules
//!
//! - What answers soon and has nothing to tell before, answers as plain JSON. Else the answer becomes a stream, if
//!   the client takes one: with notifications as they come, and a comment every [`KEEP_ALIVE_EVERY`] so that nobody
//!   between closes it.
//! - A modern client that goes away has cancelled its call. A legacy one has not: its call goes on without it.
//! - A call that was cancelled has no answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::value::RawValue;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, interval_at, sleep},
};

use crate::base::lifecycle::Lifecycle;
use crate::mcp::headers::Accepts;
use crate::mcp::progress::{LogLevel, amount, log_message, progress};
use crate::mcp::{Era, sse};

use super::Answer;

/// After this long without an answer, a stream is opened: whoever waits sees that something is alive.
pub(super) const STREAM_AFTER: Duration = Duration::from_millis(500);
/// Between two signs of life.
pub(super) const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// Frames that wait for a slow client.
const FRAMES: usize = 32;
/// A client that takes no frame for this long gets none any more.
const SLOWEST_CLIENT: Duration = Duration::from_secs(60);

/// The response to a call: HTTP status and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// How the client wants to hear of its call.
pub(super) struct Listener {
    pub(super) era: Era,
    pub(super) accepts: Accepts,
    /// Raw JSON text of the client's progress token.
    pub(super) progress_token: Option<Arc<str>>,
    /// From which level on it wants log messages.
    pub(super) log_level: Option<LogLevel>,
    /// Tells what the call waits for, as the message of a progress notification. Asked when the wait begins.
    pub(super) wait_reason: Option<WaitReason>,
}

/// Words for the person; `None` if the call waits for nothing but its answer.
pub(super) type WaitReason = Box<dyn FnOnce() -> Option<&'static str> + Send>;

/// A call under way.
pub(super) struct Call {
    pub(super) listener: Listener,
    pub(super) answer: BoxFuture<'static, Reply>,
    pub(super) progress: Option<mpsc::Receiver<Box<RawValue>>>,
    pub(super) messages: Option<mpsc::Receiver<Box<RawValue>>>,
    /// Fires when the client cancels by notification.
    pub(super) cancelled: Option<oneshot::Receiver<()>>,
}

/// What happened next in a call.
#[derive(Debug, PartialEq)]
enum Event {
    Answered(Reply),
    /// A notification for the client, as JSON text.
    Notified(String),
    Cancelled,
}

/// Waits for the call, and answers in the form that fits.
pub(super) async fn relay(call: Call, lifecycle: &Lifecycle) -> Answer {
    let mut running = Running::new(call, lifecycle.clone());
    let accepts = running.listener.accepts;
    let mut first = None;
    if accepts.json {
        let event = if accepts.stream {
            tokio::select! {
                event = running.next() => Some(event),
                () = sleep(STREAM_AFTER) => None,
            }
        } else {
            // The deadline is in the answer's own future.
            Some(running.without_notifications().await)
        };
        match event {
            Some(Event::Answered(Reply { status, body })) => return Answer::Json { status, body },
            Some(Event::Cancelled) => return Answer::Accepted,
            Some(Event::Notified(message)) => first = Some(message),
            None => first = running.waiting(),
        }
    }
    let (frames, stream) = mpsc::channel(FRAMES);
    lifecycle.spawn("mcp.stream", running.stream(first, frames));
    Answer::Stream(stream)
}

/// A call whose client may go away at any moment.
struct Running {
    listener: Listener,
    /// `None` once it was answered or cancelled.
    answer: Option<BoxFuture<'static, Reply>>,
    /// The answer, while notifications that came before it are still to be told.
    reply: Option<Reply>,
    progress: Option<mpsc::Receiver<Box<RawValue>>>,
    messages: Option<mpsc::Receiver<Box<RawValue>>>,
    cancelled: Option<oneshot::Receiver<()>>,
    /// The progress that we told of ourselves: a worker's must be more.
    told: Option<f64>,
    lifecycle: Lifecycle,
}

impl Running {
    fn new(call: Call, lifecycle: Lifecycle) -> Self {
        let Call {
            listener,
            answer,
            progress,
            messages,
            cancelled,
        } = call;
        Running {
            listener,
            answer: Some(answer),
            reply: None,
            progress,
            messages,
            cancelled,
            told: None,
            lifecycle,
        }
    }

    /// The next event. Notifications that came before the answer are told before it.
    fn next(&mut self) -> Next<'_> {
        Next(self)
    }

    async fn without_notifications(&mut self) -> Event {
        loop {
            match self.next().await {
                Event::Notified(_) => {}
                event => return event,
            }
        }
    }

    /// What to say when the wait begins.
    fn waiting(&mut self) -> Option<String> {
        let token = self.listener.progress_token.as_deref()?;
        let reason = self.listener.wait_reason.take()?()?;
        let params = format!(r#"{{"progress":0,"message":"{reason}"}}"#);
        self.told = Some(0.0);
        progress(token, serde_json::from_str(&params).ok()?)
    }

    async fn stream(mut self, first: Option<String>, frames: mpsc::Sender<Bytes>) {
        if let Some(message) = first {
            drop(frames.try_send(sse::frame(&message)));
        }
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE_EVERY, KEEP_ALIVE_EVERY);
        loop {
            let event = tokio::select! {
                biased;
                () = frames.closed() => return,
                event = self.next() => event,
                _ = keep_alive.tick() => {
                    drop(frames.try_send(sse::KEEP_ALIVE));
                    continue;
                }
            };
            match event {
                // A slow client misses steps rather than holding up the call.
                Event::Notified(message) => drop(frames.try_send(sse::frame(&message))),
                Event::Answered(reply) => {
                    let frame = sse::frame_bytes(&reply.body);
                    drop(frames.send_timeout(frame, SLOWEST_CLIENT).await);
                    return;
                }
                Event::Cancelled => return,
            }
        }
    }

    fn progress_for_client(&self, params: &RawValue) -> Option<String> {
        let token = self.listener.progress_token.as_deref()?;
        if self
            .told
            .is_some_and(|told| amount(params).is_some_and(|amount| amount <= told))
        {
            return None;
        }
        progress(token, params)
    }

    fn poll_notification(&mut self, context: &mut Context<'_>) -> Poll<String> {
        while let Some(receiver) = &mut self.progress {
            match receiver.poll_recv(context) {
                Poll::Ready(Some(params)) => {
                    if let Some(message) = self.progress_for_client(&params) {
                        return Poll::Ready(message);
                    }
                }
                Poll::Ready(None) => self.progress = None,
                Poll::Pending => break,
            }
        }
        while let Some(receiver) = &mut self.messages {
            match receiver.poll_recv(context) {
                Poll::Ready(Some(params)) => {
                    let message = self
                        .listener
                        .log_level
                        .and_then(|level| log_message(level, &params));
                    if let Some(message) = message {
                        return Poll::Ready(message);
                    }
                }
                Poll::Ready(None) => self.messages = None,
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }
}

/// The future of [`Running::next`].
struct Next<'a>(&'a mut Running);

impl Future for Next<'_> {
    type Output = Event;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Event> {
        let running = &mut *self.0;
        if let Some(cancelled) = &mut running.cancelled
            && let Poll::Ready(sent) = cancelled.poll_unpin(context)
        {
            running.cancelled = None;
            if sent.is_ok() {
                running.answer = None;
                return Poll::Ready(Event::Cancelled);
            }
        }
        if let Poll::Ready(message) = running.poll_notification(context) {
            return Poll::Ready(Event::Notified(message));
        }
        if let Some(answer) = &mut running.answer
            && let Poll::Ready(reply) = answer.poll_unpin(context)
        {
            running.answer = None;
            running.reply = Some(reply);
            // Polling the answer may have brought its last notifications.
            if let Poll::Ready(message) = running.poll_notification(context) {
                return Poll::Ready(Event::Notified(message));
            }
        }
        match running.reply.take() {
            Some(reply) => Poll::Ready(Event::Answered(reply)),
            None => Poll::Pending,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.listener.era == Era::Legacy
            && let Some(answer) = self.answer.take()
        {
            self.lifecycle.spawn("mcp.call_without_client", answer.map(drop));
        }
    }
}

#[cfg(test)]
mod tests;
