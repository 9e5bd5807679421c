//! A scripted MCP server that takes the place of a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::base::http::HttpServer;
use crate::base::lifecycle::Lifecycle;

/// The worker's reaction to one request.
#[derive(Clone, Debug)]
pub(super) enum Scripted {
    /// A result, given as raw JSON text.
    Result(String),
    /// An error, given as raw JSON text.
    Error(String),
    /// A stream of notifications, then the result. Each notification is a method and `params`; progress gets the
    /// request's token.
    Stream(Vec<(&'static str, Value)>, String),
    /// The worker never answers.
    Silence,
    /// The connection breaks before the answer.
    HangUp,
}

type Script = Box<dyn Fn(&str, Option<&str>) -> Scripted + Send + Sync>;
type Body = BoxBody<Bytes, std::io::Error>;

/// The fake worker. Clones share its state.
#[derive(Clone)]
pub(super) struct FakeWorker(Arc<FakeState>);

struct FakeState {
    port: u16,
    script: Mutex<Script>,
    version: Mutex<String>,
    /// Every request, as `method params`.
    asked: Mutex<Vec<String>>,
    was_asked: Notify,
    hangs_up_once: AtomicBool,
}

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    method: &'a str,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

impl FakeWorker {
    pub(super) async fn start(lifecycle: &Lifecycle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let worker = FakeWorker(Arc::new(FakeState {
            port: listener.local_addr().unwrap().port(),
            script: Mutex::new(Box::new(|_, _| Scripted::Result(r#"{"content":[]}"#.into()))),
            version: Mutex::new("1".into()),
            asked: Mutex::default(),
            was_asked: Notify::new(),
            hangs_up_once: AtomicBool::default(),
        }));
        let answering = worker.clone();
        let answer = move |request| {
            let worker = answering.clone();
            async move { worker.answer(request).await }
        };
        lifecycle.spawn(
            "fake worker",
            HttpServer::new(listener).serve(answer, lifecycle.stopping()),
        );
        worker
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port
    }

    /// Sets the reaction to all further requests, by method and params.
    pub(super) fn script(&self, script: impl Fn(&str, Option<&str>) -> Scripted + Send + Sync + 'static) {
        *self.0.script.lock() = Box::new(script);
    }

    /// Sets the version in the `serverInfo` of the next session.
    pub(super) fn set_version(&self, version: &str) {
        version.clone_into(&mut self.0.version.lock());
    }

    /// Breaks the connection of the next request, after which the gateway opens a new session.
    pub(super) fn hang_up_once(&self) {
        self.0.hangs_up_once.store(true, Ordering::Relaxed);
    }

    /// Returns the requests since the last call of this function.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.asked.lock())
    }

    /// Waits for the next request.
    pub(super) async fn wait_until_asked(&self) {
        self.0.was_asked.notified().await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() == Method::GET {
            return plain(StatusCode::OK, "ok");
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let message: Envelope<'_> = serde_json::from_slice(&body).unwrap();
        let Some(id) = message.id else {
            return plain(StatusCode::ACCEPTED, "");
        };
        if message.method == "initialize" {
            let server = json!({"name": "x", "version": *self.0.version.lock()});
            let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": server});
            return as_json(id, "result", &result.to_string());
        }
        let params = message.params.map(RawValue::get);
        self.0
            .asked
            .lock()
            .push(format!("{} {}", message.method, params.unwrap_or("-")));
        self.0.was_asked.notify_one();
        let mut scripted = (self.0.script.lock())(message.method, params);
        if self.0.hangs_up_once.swap(false, Ordering::Relaxed) {
            scripted = Scripted::HangUp;
        }
        match scripted {
            Scripted::Result(result) => as_json(id, "result", &result),
            Scripted::Error(error) => as_json(id, "error", &error),
            Scripted::Stream(notifications, result) => {
                let params: Value = serde_json::from_str(params.unwrap_or("{}")).unwrap();
                let token = &params["_meta"]["progressToken"];
                let mut frames = Vec::new();
                for (method, mut params) in notifications {
                    if method == "notifications/progress" {
                        params["progressToken"] = token.clone();
                    }
                    frames.push(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
                }
                frames.push(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#));
                as_stream(frames)
            }
            Scripted::Silence => std::future::pending().await,
            Scripted::HangUp => {
                let broken = futures_util::stream::iter([Err(std::io::Error::other("hang up"))]);
                let mut response = Response::new(BodyExt::boxed(StreamBody::new(broken)));
                set_type(&mut response, "application/json");
                response
            }
        }
    }
}

fn plain(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = status;
    response
}

fn as_json(id: &RawValue, member: &str, value: &str) -> Response<Body> {
    let mut response = plain(
        StatusCode::OK,
        format!(r#"{{"jsonrpc":"2.0","id":{id},"{member}":{value}}}"#),
    );
    set_type(&mut response, "application/json");
    response
}

fn as_stream(messages: Vec<String>) -> Response<Body> {
    let events = futures_util::stream::iter(messages).then(|message| async move {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(Frame::data(Bytes::from(format!("data: {message}\n\n"))))
    });
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(events)));
    set_type(&mut response, "text/event-stream");
    response
}

fn set_type(response: &mut Response<Body>, content_type: &'static str) {
    let value = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert("content-type", value);
}
