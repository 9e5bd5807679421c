//! One running call: its notifications and its answer, as plain JSON or as an event stream.
//!
//! # Rules
//!
//! - An answer that arrives soon, without a notification before it, is sent as plain JSON. Otherwise a stream is opened
//!   if the client accepts one. A comment every [`KEEP_ALIVE_EVERY`] keeps proxies from closing it.
//! - A modern client cancels a call by closing the stream. A legacy client does not, so its call continues without it.
//! - A cancelled call gets no answer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at, sleep};

use crate::base::lifecycle::Lifecycle;
use crate::mcp::answer::JsonReply;
use crate::mcp::headers::Accepts;
use crate::mcp::notification::{LogSeverity, amount, log_message, progress};
use crate::mcp::{Era, sse};

/// A stream is opened after this time without an answer, so that the client can tell that the call is running.
const STREAM_AFTER: Duration = Duration::from_millis(500);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
/// The number of frames buffered for a slow client.
const FRAMES: usize = 32;
/// How long the last frame waits for a client that is not reading.
const SLOWEST_CLIENT: Duration = Duration::from_secs(60);

/// The HTTP response to an admitted request.
#[derive(Debug)]
pub enum McpResponse {
    Json(JsonReply),
    /// HTTP 202 with an empty body.
    Accepted,
    /// HTTP 405 with `Allow: POST` and an empty body.
    MethodNotAllowed,
    /// HTTP 200 with an event stream. Each item is one or more whole frames. Dropping the receiver cancels a modern
    /// call.
    Stream(mpsc::Receiver<Bytes>),
}

/// Returns the progress message for a call that is waiting; `None` if it waits only for its answer.
pub(super) type WaitReason = Box<dyn FnOnce() -> Option<&'static str> + Send>;

/// A call whose client may disconnect at any moment.
pub(super) struct RelayedCall {
    era: Era,
    accepts: Accepts,
    lifecycle: Lifecycle,
    /// The pending answer; `None` once it has completed or was cancelled.
    answer: Option<BoxFuture<'static, JsonReply>>,
    /// The completed answer, while earlier notifications are still to be sent.
    reply: Option<JsonReply>,
    /// The client's own progress token, as raw JSON text.
    pub(super) progress_token: Option<Arc<str>>,
    /// The lowest severity of log messages that the client wants.
    pub(super) log_level: Option<LogSeverity>,
    /// Called once, when the call begins to wait.
    pub(super) wait_reason: Option<WaitReason>,
    /// The `params` of the worker's progress notifications.
    pub(super) progress: Option<mpsc::Receiver<Box<RawValue>>>,
    pub(super) messages: Option<mpsc::Receiver<Box<RawValue>>>,
    /// Fires when the client cancels the call by a notification.
    pub(super) cancelled: Option<oneshot::Receiver<()>>,
    /// The progress value that the gateway itself has sent. The worker's values must exceed it.
    own_progress: Option<f64>,
}

#[derive(Debug, PartialEq)]
enum CallEvent {
    Answered(JsonReply),
    Notification(String),
    Cancelled,
}

impl RelayedCall {
    /// A call that does not receive notifications yet.
    pub(super) fn new(
        era: Era,
        accepts: Accepts,
        lifecycle: &Lifecycle,
        answer: impl Future<Output = JsonReply> + Send + 'static,
    ) -> Self {
        RelayedCall {
            era,
            accepts,
            lifecycle: lifecycle.clone(),
            answer: Some(answer.boxed()),
            reply: None,
            progress_token: None,
            log_level: None,
            wait_reason: None,
            progress: None,
            messages: None,
            cancelled: None,
            own_progress: None,
        }
    }

    /// Waits for the answer, or opens a stream and continues in the background.
    pub(super) async fn relay(mut self) -> McpResponse {
        let mut first = None;
        if self.accepts.json {
            let event = if self.accepts.stream {
                tokio::select! {
                    event = self.next() => Some(event),
                    () = sleep(STREAM_AFTER) => None,
                }
            } else {
                // No time limit is needed here, because the answer has its own.
                Some(self.without_notifications().await)
            };
            match event {
                Some(CallEvent::Answered(reply)) => return McpResponse::Json(reply),
                Some(CallEvent::Cancelled) => return McpResponse::Accepted,
                Some(CallEvent::Notification(message)) => first = Some(message),
                None => first = self.waiting_notification(),
            }
        }
        let (frames, stream) = mpsc::channel(FRAMES);
        let lifecycle = self.lifecycle.clone();
        lifecycle.spawn("mcp.stream", self.stream(first, frames));
        McpResponse::Stream(stream)
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
                // A slow client misses notifications instead of delaying the call.
                CallEvent::Notification(message) => drop(frames.try_send(sse::frame(&message))),
                CallEvent::Answered(reply) => {
                    let frame = sse::frame_bytes(&reply.body);
                    drop(frames.send_timeout(frame, SLOWEST_CLIENT).await);
                    return;
                }
                CallEvent::Cancelled => return,
            }
        }
    }

    /// The next event. Notifications that arrived before the answer are returned first.
    async fn next(&mut self) -> CallEvent {
        poll_fn(|context| self.poll_next(context)).await
    }

    async fn without_notifications(&mut self) -> CallEvent {
        loop {
            match self.next().await {
                CallEvent::Notification(_) => {}
                event => return event,
            }
        }
    }

    fn waiting_notification(&mut self) -> Option<String> {
        let token = self.progress_token.as_deref()?;
        let reason = self.wait_reason.take()?()?;
        let params = format!(r#"{{"progress":0,"message":"{reason}"}}"#);
        self.own_progress = Some(0.0);
        progress(token, serde_json::from_str(&params).ok()?)
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<CallEvent> {
        if let Some(cancelled) = &mut self.cancelled
            && let Poll::Ready(sent) = cancelled.poll_unpin(context)
        {
            self.cancelled = None;
            if sent.is_ok() {
                self.answer = None;
                return Poll::Ready(CallEvent::Cancelled);
            }
        }
        if let Poll::Ready(message) = self.poll_notification(context) {
            return Poll::Ready(CallEvent::Notification(message));
        }
        if let Some(answer) = &mut self.answer
            && let Poll::Ready(reply) = answer.poll_unpin(context)
        {
            self.answer = None;
            self.reply = Some(reply);
            // Polling the answer may have produced its final notifications.
            if let Poll::Ready(message) = self.poll_notification(context) {
                return Poll::Ready(CallEvent::Notification(message));
            }
        }
        match self.reply.take() {
            Some(reply) => Poll::Ready(CallEvent::Answered(reply)),
            None => Poll::Pending,
        }
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
                    let message = self.log_level.and_then(|level| log_message(level, &params));
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

    fn progress_for_client(&self, params: &RawValue) -> Option<String> {
        let token = self.progress_token.as_deref()?;
        let is_step_back = |own| amount(params).is_some_and(|amount| amount <= own);
        if self.own_progress.is_some_and(is_step_back) {
            return None;
        }
        progress(token, params)
    }
}

impl Drop for RelayedCall {
    fn drop(&mut self) {
        if self.era == Era::Legacy
            && let Some(answer) = self.answer.take()
        {
            self.lifecycle.spawn("mcp.call_without_client", answer.map(drop));
        }
    }
}

#[cfg(test)]
mod tests;
