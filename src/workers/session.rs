//! The gateway's single MCP session with a worker: streamable HTTP on `127.0.0.1`, revisions up to 2025-11-25.
//!
//! Calls of several clients share the session, so request ids and progress tokens are the gateway's own. A worker
//! answers with plain JSON or with an event stream, and its result is passed on unchanged. Only the `params` of a
//! client's request reach a worker: no headers and no bearer token.
//!
//! Source: MCP 2025-11-25, *Transports* and *Lifecycle*. The behaviour of FastMCP 1.x was measured.

mod connection;
mod connections;
mod message;

#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::timeout;

use self::connections::{WorkerConnections, WorkerResponse};
use self::message::WorkerMessage;
use super::call::{CallFailure, UpstreamAnswer, UpstreamCall};
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::mcp::sse;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// The revision that `initialize` requests; FastMCP may answer with an older one.
const REVISION: &str = "2025-11-25";

/// The maximum size of an answer, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;
/// The maximum number of bytes read of a body whose content does not matter. A connection can be reused only if its
/// body was read to the end.
const IGNORED_LIMIT: usize = 64 << 10;
/// How long an event stream may stay open after its answer.
const STREAM_END: Duration = Duration::from_secs(1);

/// For the fuzzer (`tests/fuzz`): parses a worker's message as the answer to request 7.
#[cfg(fuzzing)]
pub fn fuzz(bytes: &[u8]) {
    match message::read(bytes, 7) {
        WorkerMessage::Answer(UpstreamAnswer::Result(result)) => drop(message::negotiated(&result)),
        WorkerMessage::Request(id) => drop(message::refusal(&id)),
        WorkerMessage::Progress(params) => {
            let ours = message::with_progress_token(Some(&params), 8);
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(ours.get()).is_ok());
        }
        _ => {}
    }
}

/// The HTTP client for one worker. It outlives the worker's sessions.
#[derive(Debug, Clone)]
pub(super) struct WorkerClient {
    connections: WorkerConnections,
    endpoint: Uri,
    health: Uri,
    /// The `Authorization` header, for a worker that requires one.
    authorization: Option<HeaderValue>,
    next_id: Arc<AtomicU64>,
    lifecycle: Lifecycle,
}

/// An open session. Clones share the same session.
#[derive(Debug, Clone)]
pub(super) struct WorkerSession {
    client: WorkerClient,
    headers: HeaderMap,
    server_info: Option<Arc<str>>,
}

impl WorkerClient {
    /// A client for a worker that listens on `port` of `127.0.0.1`, now or later. `bearer` is the token that it
    /// requires.
    pub(super) fn new(port: u16, bearer: Option<&Secret>, lifecycle: Lifecycle) -> Self {
        let authorization = bearer.and_then(|bearer| {
            let mut value = HeaderValue::try_from(format!("Bearer {}", bearer.expose())).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        WorkerClient {
            connections: WorkerConnections::new(port),
            endpoint: Uri::from_static("/mcp"),
            health: Uri::from_static("/healthz"),
            authorization,
            next_id: Arc::new(AtomicU64::new(1)),
            lifecycle,
        }
    }

    /// Whether the server responds to `GET /healthz`, with success or with 404 if it has no such page.
    pub(super) async fn is_healthy(&self) -> bool {
        let headers = self.connections.headers();
        let asked = self
            .connections
            .send(Method::GET, &self.health, &headers, Bytes::new());
        let Ok(response) = asked.await else {
            return false;
        };
        let is_up = response.status().is_success() || response.status() == StatusCode::NOT_FOUND;
        is_up && response.read_body(IGNORED_LIMIT).await.is_ok()
    }

    /// Opens a session: sends `initialize`, then `notifications/initialized`.
    pub(super) async fn open(&self) -> Result<WorkerSession, CallFailure> {
        let accepted = HeaderValue::from_static("application/json, text/event-stream");
        let json = HeaderValue::from_static("application/json");
        let mut headers = self.connections.headers();
        headers.extend([(CONTENT_TYPE, json), (ACCEPT, accepted)]);
        headers.extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        let mut session = WorkerSession {
            client: self.clone(),
            headers,
            server_info: None,
        };
        let id = session.new_id();
        let params = message::initialize_params(REVISION);
        let response = session
            .post(message::request(id, "initialize", Some(&params)))
            .await?;
        // A stateless worker sends no session id.
        let session_id = response.headers().get(SESSION_ID).cloned();
        let result = match session.read_answer(id, response, None, &Watch::none()).await? {
            UpstreamAnswer::Result(result) => result,
            UpstreamAnswer::Error(_) => {
                return Err(CallFailure::BadAnswer("it refused to initialize".into()));
            }
        };
        let revision = message::negotiated(&result)
            .and_then(|revision| HeaderValue::try_from(revision).ok())
            .ok_or_else(|| {
                CallFailure::BadAnswer("its answer to initialize names no protocol version".into())
            })?;
        session.headers.insert(PROTOCOL_VERSION, revision);
        session.server_info = message::server_info(&result);
        session
            .headers
            .extend(session_id.map(|session_id| (SESSION_ID, session_id)));
        session
            .notify(message::notification("notifications/initialized", None))
            .await?;
        Ok(session)
    }
}

impl WorkerSession {
    /// The worker's `serverInfo` (its name and version), unchanged.
    pub(super) fn server_info(&self) -> Option<Arc<str>> {
        self.server_info.clone()
    }

    /// Makes one call. Dropping the future cancels the request at the worker. `watch` is notified when the worker is
    /// silent.
    pub(super) async fn call(
        &self,
        call: &UpstreamCall,
        watch: &Watch<'_>,
    ) -> Result<UpstreamAnswer, CallFailure> {
        let id = self.new_id();
        let body = match (&call.progress, &call.params) {
            (None, params) => message::request(id, call.method, params.as_deref()),
            (Some(_), params) => {
                let params = message::with_progress_token(params.as_deref(), id);
                message::request(id, call.method, Some(&params))
            }
        };
        let cancel = CancelOnDrop(Some((self, id)));
        let answer = match watch.over(self.post(body)).await {
            Ok(response) => self.read_answer(id, response, Some(call), watch).await,
            Err(failure) => Err(failure),
        };
        cancel.disarm();
        answer
    }

    fn new_id(&self) -> u64 {
        self.client.next_id.fetch_add(1, Ordering::Relaxed)
    }

    async fn post(&self, body: Vec<u8>) -> Result<WorkerResponse, CallFailure> {
        let WorkerClient {
            connections,
            endpoint,
            ..
        } = &self.client;
        let sent = connections.send(Method::POST, endpoint, &self.headers, body.into());
        let response = sent.await?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(CallFailure::SessionLost),
            _ => Ok(response),
        }
    }

    /// Sends a message that expects no answer.
    async fn notify(&self, body: Vec<u8>) -> Result<(), CallFailure> {
        let response = self.post(body).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(CallFailure::BadAnswer(format!(
                "HTTP status {} to a notification",
                status.as_u16()
            )));
        }
        drop(response.read_body(IGNORED_LIMIT).await);
        Ok(())
    }

    /// Reads the answer to request `id`. Progress and log messages before it go to the channels of `call`.
    async fn read_answer(
        &self,
        id: u64,
        response: WorkerResponse,
        call: Option<&UpstreamCall>,
        watch: &Watch<'_>,
    ) -> Result<UpstreamAnswer, CallFailure> {
        let status = response.status();
        if status.is_success() && response.is_event_stream() {
            return self.read_stream(id, response, call, watch).await;
        }
        let body = watch.over(response.read_body(ANSWER_LIMIT)).await?;
        match message::read(&body, id) {
            WorkerMessage::Answer(answer) => Ok(answer),
            // An error about the whole request (a bad header) may not name its id.
            WorkerMessage::Error(error) if !status.is_success() => Ok(UpstreamAnswer::Error(error)),
            _ if !status.is_success() => {
                Err(CallFailure::BadAnswer(format!("HTTP status {}", status.as_u16())))
            }
            _ => Err(CallFailure::BadAnswer("it is not the answer to this call".into())),
        }
    }

    async fn read_stream(
        &self,
        id: u64,
        mut stream: WorkerResponse,
        call: Option<&UpstreamCall>,
        watch: &Watch<'_>,
    ) -> Result<UpstreamAnswer, CallFailure> {
        let mut parser = sse::Parser::new();
        let mut events = Vec::new();
        while let Some(piece) = watch.over(stream.next_piece()).await? {
            parser
                .push(&piece, &mut events)
                .map_err(|error| CallFailure::BadAnswer(error.to_string()))?;
            for event in events.drain(..) {
                match message::read(&event.data, id) {
                    WorkerMessage::Answer(answer) => {
                        self.read_rest(stream);
                        return Ok(answer);
                    }
                    WorkerMessage::Progress(params) => {
                        forward(call.and_then(|call| call.progress.as_ref()), params);
                    }
                    WorkerMessage::Log(params) => {
                        forward(call.and_then(|call| call.messages.as_ref()), params);
                    }
                    WorkerMessage::Request(request_id) => {
                        self.notify_later("worker.refuse", message::refusal(&request_id));
                    }
                    WorkerMessage::Error(_) | WorkerMessage::Other => {}
                }
            }
        }
        Err(CallFailure::Lost)
    }

    /// Reads the rest of a stream after its answer, because the connection can't be reused otherwise.
    fn read_rest(&self, mut stream: WorkerResponse) {
        self.client.lifecycle.spawn("worker.stream_end", async move {
            let rest = async { while let Ok(Some(_)) = stream.next_piece().await {} };
            if timeout(STREAM_END, rest).await.is_ok() {
                stream.reuse_connection();
            }
        });
    }

    /// Sends a message that expects no answer, in the background.
    fn notify_later(&self, task: &'static str, body: Vec<u8>) {
        let session = self.clone();
        self.client
            .lifecycle
            .spawn(task, async move { drop(session.notify(body).await) });
    }
}

/// Drops messages when the channel is full: a slow client must not block the worker.
fn forward(channel: Option<&mpsc::Sender<Box<RawValue>>>, params: Box<RawValue>) {
    if let Some(channel) = channel {
        drop(channel.try_send(params));
    }
}

/// Detects silence: a worker that is suspended or deadlocked keeps its connections open but sends nothing.
pub(super) struct Watch<'a> {
    limit: Duration,
    on_silence: &'a (dyn Fn() + Send + Sync),
}

impl<'a> Watch<'a> {
    pub(super) fn new(limit: Duration, on_silence: &'a (dyn Fn() + Send + Sync)) -> Self {
        Self { limit, on_silence }
    }

    fn none() -> Self {
        Self::new(Duration::MAX, &|| ())
    }

    /// Waits for the worker's next sign of life. Calls `on_silence` each time the limit passes without one.
    async fn over<T>(&self, sign: impl Future<Output = T>) -> T {
        let mut sign = pin!(sign);
        loop {
            match timeout(self.limit, sign.as_mut()).await {
                Ok(sign) => return sign,
                Err(_) => (self.on_silence)(),
            }
        }
    }
}

/// On drop, tells the worker that this request was cancelled, unless it was disarmed.
struct CancelOnDrop<'a>(Option<(&'a WorkerSession, u64)>);

impl CancelOnDrop<'_> {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some((session, id)) = self.0.take() {
            session.notify_later("worker.cancel", message::cancellation(id));
        }
    }
}
