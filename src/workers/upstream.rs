//! The one MCP session that the gateway has with a worker: streamable HTTP on `127.0.0.1`, of the eras up to 2025-11-25.
//!
//! Calls of several clients share it, so ids and progress tokens are ours. A worker may answer with plain JSON or with an
//! event stream; either way its result is handed on byte for byte. Nothing that came from a client but `params` reaches
//! a worker: no header, no bearer token.
//!
//! Source: MCP 2025-11-25, *Transports* and *Lifecycle*; what FastMCP 1.x does with it was measured.

mod hop;
mod line;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use self::hop::{Answer, Broken, Hop};
use self::wire::Said;
use super::call::{UpstreamAnswer, UpstreamCall};
use crate::base::lifecycle::Lifecycle;
use crate::mcp::sse;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// The revision that we ask for; FastMCP may answer with an older one.
const REVISION: &str = "2025-11-25";

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;
/// The same of what is read only so that its connection serves the next request.
const IGNORED_LIMIT: usize = 64 << 10;

/// For the fuzzer (`tests/fuzz`): a message of a worker, as the one who waits for request 7 reads it.
#[cfg(fuzzing)]
pub fn fuzz(message: &[u8]) {
    match wire::read(message, 7) {
        Said::Answer(UpstreamAnswer::Result(result)) => drop(wire::negotiated(&result)),
        Said::Request(id) => drop(wire::refusal(&id)),
        Said::Progress(params) => {
            let ours = wire::with_progress_token(Some(&params), 8);
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(ours.get()).is_ok());
        }
        _ => {}
    }
}

/// Why a call got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody listens: the worker has not seen the call.
    #[error("the worker does not listen")]
    NotSent,
    /// The worker does not know our session: it has not carried out the call.
    #[error("the worker does not know its session")]
    SessionLost,
    /// The connection ended between the call and its answer.
    #[error("the worker closed the connection")]
    Lost,
    /// The answer is not one of MCP.
    #[error("the worker's answer could not be read: {0}")]
    BadAnswer(String),
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::NotSent => Failure::NotSent,
            Broken::Lost => Failure::Lost,
            Broken::TooLong => Failure::BadAnswer(format!("it is longer than {ANSWER_LIMIT} bytes")),
        }
    }
}

/// The way to one worker, before and between sessions.
#[derive(Debug, Clone)]
pub(super) struct Link {
    hop: Hop,
    endpoint: Uri,
    health: Uri,
    next_id: Arc<AtomicU64>,
    lifecycle: Lifecycle,
}

/// An open session. Clones are the same session.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    link: Link,
    headers: HeaderMap,
    /// What the worker said of itself.
    server: Option<Arc<str>>,
}

/// Who hears what a worker says besides its answer.
#[derive(Clone, Copy, Default)]
struct Listeners<'a> {
    progress: Option<&'a mpsc::Sender<Box<RawValue>>>,
    messages: Option<&'a mpsc::Sender<Box<RawValue>>>,
}

impl<'a> Listeners<'a> {
    fn of(call: &'a UpstreamCall) -> Self {
        Listeners {
            progress: call.progress.as_ref(),
            messages: call.messages.as_ref(),
        }
    }
}

/// A slow client misses some rather than holding up the worker.
fn tell(listener: Option<&mpsc::Sender<Box<RawValue>>>, params: Box<RawValue>) {
    if let Some(listener) = listener {
        drop(listener.try_send(params));
    }
}

impl Link {
    /// To the worker that listens on `port` of `127.0.0.1`, now or later.
    pub(super) fn new(port: u16, lifecycle: Lifecycle) -> Self {
        Link {
            hop: Hop::new(port),
            endpoint: Uri::from_static("/mcp"),
            health: Uri::from_static("/healthz"),
            next_id: Arc::new(AtomicU64::new(1)),
            lifecycle,
        }
    }

    /// Whether `GET /healthz` is answered with a success, or by a server that has no such page, now.
    pub(super) async fn is_healthy(&self) -> bool {
        let answer = self
            .hop
            .send(Method::GET, &self.health, &self.hop.headers(), Bytes::new())
            .await;
        match answer {
            Ok(answer) => {
                let is_up = answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND;
                is_up && answer.whole(IGNORED_LIMIT).await.is_ok()
            }
            Err(_) => false,
        }
    }

    /// Opens a session: `initialize`, then `notifications/initialized`.
    pub(super) async fn open(&self) -> Result<Upstream, Failure> {
        let mut headers = self.hop.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        let mut upstream = Upstream {
            link: self.clone(),
            headers,
            server: None,
        };

        let id = upstream.new_id();
        let params = wire::initialize_params(REVISION);
        let response = upstream
            .post(wire::request(id, "initialize", Some(&params)))
            .await?;
        let session = response.headers().get(SESSION_ID).cloned();
        let result = match upstream.read(id, response, Listeners::default()).await? {
            UpstreamAnswer::Result(result) => result,
            UpstreamAnswer::Error(_) => return Err(Failure::BadAnswer("it refused to initialize".into())),
        };
        let revision = wire::negotiated(&result)
            .and_then(|revision| HeaderValue::try_from(revision).ok())
            .ok_or_else(|| Failure::BadAnswer("its answer to initialize names no protocol version".into()))?;
        upstream.headers.insert(PROTOCOL_VERSION, revision);
        upstream.server = wire::server(&result);
        // A stateless worker gives none.
        if let Some(session) = session {
            upstream.headers.insert(SESSION_ID, session);
        }
        upstream
            .notify(wire::notification("notifications/initialized", None))
            .await?;
        Ok(upstream)
    }
}

impl Upstream {
    /// The worker's `serverInfo`: its name and version.
    pub(super) fn server(&self) -> Option<Arc<str>> {
        self.server.clone()
    }

    /// One call. Dropping the future tells the worker that it is cancelled.
    pub(super) async fn call(&self, call: &UpstreamCall) -> Result<UpstreamAnswer, Failure> {
        let id = self.new_id();
        let body = match (&call.progress, &call.params) {
            (None, params) => wire::request(id, call.method, params.as_deref()),
            (Some(_), params) => {
                let params = wire::with_progress_token(params.as_deref(), id);
                wire::request(id, call.method, Some(&params))
            }
        };
        let cancel = CancelOnDrop(Some((self, id)));
        let answer = match self.post(body).await {
            Ok(response) => self.read(id, response, Listeners::of(call)).await,
            Err(failure) => Err(failure),
        };
        cancel.disarm();
        answer
    }

    fn new_id(&self) -> u64 {
        self.link.next_id.fetch_add(1, Ordering::Relaxed)
    }

    async fn post(&self, body: Vec<u8>) -> Result<Answer, Failure> {
        let hop = &self.link.hop;
        let answer = hop
            .send(Method::POST, &self.link.endpoint, &self.headers, body.into())
            .await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(Failure::SessionLost),
            _ => Ok(answer),
        }
    }

    /// Sends what has no answer.
    async fn notify(&self, body: Vec<u8>) -> Result<(), Failure> {
        let response = self.post(body).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::BadAnswer(format!(
                "HTTP status {} to a notification",
                status.as_u16()
            )));
        }
        // Only so that the connection serves the next request.
        drop(response.whole(IGNORED_LIMIT).await);
        Ok(())
    }

    /// Reads the answer to request `id`.
    async fn read(
        &self,
        id: u64,
        response: Answer,
        listeners: Listeners<'_>,
    ) -> Result<UpstreamAnswer, Failure> {
        let status = response.status();
        if status.is_success() && response.is_event_stream() {
            return self.read_stream(id, response, listeners).await;
        }
        let body = response.whole(ANSWER_LIMIT).await?;
        match wire::read(&body, id) {
            Said::Answer(answer) => Ok(answer),
            // What refuses a whole request (a bad header) can't always name its id.
            Said::Refusal(error) if !status.is_success() => Ok(UpstreamAnswer::Error(error)),
            _ if !status.is_success() => Err(Failure::BadAnswer(format!("HTTP status {}", status.as_u16()))),
            _ => Err(Failure::BadAnswer("it is not the answer to this call".into())),
        }
    }

    async fn read_stream(
        &self,
        id: u64,
        mut stream: Answer,
        listeners: Listeners<'_>,
    ) -> Result<UpstreamAnswer, Failure> {
        let mut parser = sse::Parser::new();
        let mut events = Vec::new();
        while let Some(chunk) = stream.piece().await? {
            parser
                .push(&chunk, &mut events)
                .map_err(|error| Failure::BadAnswer(error.to_string()))?;
            for event in events.drain(..) {
                match wire::read(&event.data, id) {
                    Said::Answer(answer) => {
                        self.let_end(stream);
                        return Ok(answer);
                    }
                    Said::Progress(params) => tell(listeners.progress, params),
                    Said::Message(params) => tell(listeners.messages, params),
                    Said::Request(request_id) => self.refuse(&request_id),
                    Said::Refusal(_) | Said::Other => {}
                }
            }
        }
        Err(Failure::Lost)
    }

    /// Reads what follows the answer, which is the end of the stream: else the connection could not be used again.
    fn let_end(&self, mut stream: Answer) {
        self.link.lifecycle.spawn("worker.stream_end", async move {
            let end = async { while let Ok(Some(_)) = stream.piece().await {} };
            if tokio::time::timeout(Duration::from_secs(1), end).await.is_ok() {
                stream.finish();
            }
        });
    }

    /// The gateway offers a worker nothing to ask for (`roots`, `sampling`): it is told so, lest it waits.
    fn refuse(&self, request_id: &RawValue) {
        let (upstream, body) = (self.clone(), wire::refusal(request_id));
        self.link
            .lifecycle
            .spawn("worker.refuse", async move { drop(upstream.notify(body).await) });
    }

    fn cancel(&self, id: u64) {
        let (upstream, body) = (self.clone(), wire::cancellation(id));
        self.link
            .lifecycle
            .spawn("worker.cancel", async move { drop(upstream.notify(body).await) });
    }
}

/// Tells the worker that nobody waits for call `.1` any more, unless it was disarmed.
struct CancelOnDrop<'a>(Option<(&'a Upstream, u64)>);

impl CancelOnDrop<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some((upstream, id)) = self.0.take() {
            upstream.cancel(id);
        }
    }
}
