//! Tests of the session against a minimal fake HTTP worker.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::base::http::HttpServer;

/// How the fake worker responds: takes headers and message, and returns status, headers and body.
type AnswerWith = fn(&HeaderMap, &Value) -> (u16, &'static str, String);

struct FakeWorker {
    client: WorkerClient,
    seen: Arc<Mutex<Vec<String>>>,
    _lifecycle: Lifecycle,
}

async fn worker(answer: AnswerWith) -> FakeWorker {
    let (lifecycle, seen) = (Lifecycle::new(), Arc::<Mutex<Vec<String>>>::default());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let handle = {
        let seen = Arc::clone(&seen);
        move |request: Request<Incoming>| {
            let seen = Arc::clone(&seen);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let message: Value = serde_json::from_slice(&body).unwrap_or_default();
                let header = |name: &str| {
                    head.headers
                        .get(name)
                        .map_or("-", |value| value.to_str().unwrap())
                        .to_owned()
                };
                seen.lock().unwrap().push(format!(
                    "{} {} {} {}",
                    head.uri.path(),
                    message["method"].as_str().unwrap_or("-"),
                    header("mcp-session-id"),
                    header("mcp-protocol-version"),
                ));
                let (status, kind, body) = answer(&head.headers, &message);
                let mut response = Response::builder().status(status).header("content-type", kind);
                if message["method"] == "initialize" {
                    response = response.header("mcp-session-id", "s1");
                }
                response.body(Full::new(Bytes::from(body))).unwrap()
            }
        }
    };
    lifecycle.spawn(
        "worker",
        HttpServer::new(listener).serve(handle, lifecycle.stopping()),
    );
    FakeWorker {
        client: WorkerClient::new(port, None, lifecycle.clone()),
        seen,
        _lifecycle: lifecycle,
    }
}

fn initialized(message: &Value) -> Option<(u16, &'static str, String)> {
    let result = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}});
    match message["method"].as_str() {
        Some("initialize") => {
            let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            Some((200, "application/json", body.to_string()))
        }
        Some(method) if method.starts_with("notifications/") => Some((202, "text/plain", String::new())),
        _ => None,
    }
}

fn tools_call(params: &Value) -> UpstreamCall {
    let params = serde_json::value::to_raw_value(params).unwrap();
    UpstreamCall {
        method: "tools/call",
        params: Some(params),
        read_only: true,
        progress: None,
        messages: None,
    }
}

async fn call(answer: AnswerWith) -> Result<UpstreamAnswer, CallFailure> {
    let upstream = worker(answer).await.client.open().await.unwrap();
    upstream
        .call(&tools_call(&json!({"name": "x"})), &Watch::none())
        .await
}

#[tokio::test]
async fn a_session_is_opened_once_and_named_in_every_call() {
    let answer: AnswerWith = |_, message| {
        initialized(message).unwrap_or_else(|| {
            (
                200,
                "application/json; charset=utf-8",
                json!({"id": message["id"], "result": {}}).to_string(),
            )
        })
    };
    let worker = worker(answer).await;
    assert!(worker.client.is_healthy().await);
    let upstream = worker.client.open().await.unwrap();
    for _ in 0..2 {
        upstream
            .call(&tools_call(&json!({"name": "x"})), &Watch::none())
            .await
            .unwrap();
    }
    assert_eq!(
        *worker.seen.lock().unwrap(),
        [
            "/healthz - - -",
            "/mcp initialize - -",
            "/mcp notifications/initialized s1 2025-06-18",
            "/mcp tools/call s1 2025-06-18",
            "/mcp tools/call s1 2025-06-18",
        ]
    );
}

#[tokio::test]
async fn nothing_of_a_client_but_its_params_reaches_the_worker() {
    let answer: AnswerWith = |headers, message| {
        initialized(message).unwrap_or_else(|| {
            let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            let host = headers["host"].to_str().unwrap().split(':').next().unwrap();
            (
                200,
                "application/json",
                json!({"id": message["id"], "result": [names, host]}).to_string(),
            )
        })
    };
    let UpstreamAnswer::Result(result) = call(answer).await.unwrap() else {
        panic!("no result")
    };
    assert_eq!(
        result.get(),
        r#"[["accept","content-length","content-type","host","mcp-protocol-version","mcp-session-id"],"127.0.0.1"]"#
    );
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    #[track_caller]
    fn check(told: &Result<UpstreamAnswer, CallFailure>, expected: &str) {
        let told = match told {
            Ok(UpstreamAnswer::Result(result)) => format!("result {result}"),
            Ok(UpstreamAnswer::Error(error)) => format!("error {error}"),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(told, expected);
    }
    let told =
        call(|_, message| initialized(message).unwrap_or((404, "application/json", "{}".into()))).await;
    check(&told, "the worker does not know its session");
    let told = call(|_, message| {
        let error =
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Bad Request"}}"#;
        initialized(message).unwrap_or((400, "application/json", error.into()))
    })
    .await;
    check(&told, r#"error {"code":-32600,"message":"Bad Request"}"#);
    let told = call(|_, message| initialized(message).unwrap_or((500, "text/html", "<p>oops".into()))).await;
    check(&told, "the worker's answer could not be read: HTTP status 500");
    let told =
        call(|_, message| initialized(message).unwrap_or((200, "application/json", "[]".into()))).await;
    check(
        &told,
        "the worker's answer could not be read: it is not the answer to this call",
    );
    let told =
        call(|_, message| initialized(message).unwrap_or((200, "text/event-stream", "data: 1\n\n".into())))
            .await;
    check(&told, "the worker closed the connection");
}

#[tokio::test]
async fn progress_and_log_messages_are_heard_and_requests_are_refused() {
    let answer: AnswerWith = |_, message| {
        if message["error"]["code"] == -32601 {
            return (202, "text/plain", String::new());
        }
        initialized(message).unwrap_or_else(|| {
            let token = &message["params"]["_meta"]["progressToken"];
            let stream = [
                json!({"method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}),
                json!({"method": "notifications/message", "params": {"level": "info", "data": "x"}}),
                json!({"id": "r1", "method": "roots/list"}),
                json!({"id": message["id"], "result": {}}),
            ]
            .map(|event| format!("event: message\ndata: {event}\n\n"))
            .concat();
            (200, "text/event-stream", stream)
        })
    };
    let worker = worker(answer).await;
    let upstream = worker.client.open().await.unwrap();
    let (progress, mut steps) = mpsc::channel(1);
    let (messages, mut log) = mpsc::channel(1);
    let call = UpstreamCall {
        progress: Some(progress),
        messages: Some(messages),
        ..tools_call(&json!({}))
    };
    upstream.call(&call, &Watch::none()).await.unwrap();
    assert_eq!(
        steps.recv().await.unwrap().get(),
        r#"{"progressToken":2,"progress":1}"#
    );
    assert_eq!(log.recv().await.unwrap().get(), r#"{"level":"info","data":"x"}"#);
    let refused = async {
        while worker.seen.lock().unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), refused)
        .await
        .expect("the worker's request is answered");
}

/// A worker that reads one request and closes the connection.
#[tokio::test]
async fn a_call_that_was_sent_is_told_from_one_that_was_not() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else {
        panic!("no IPv4")
    };
    let lifecycle = Lifecycle::new();
    let upstream = WorkerSession {
        client: WorkerClient::new(address.port(), None, lifecycle.clone()),
        headers: HeaderMap::new(),
        server_info: None,
    };
    lifecycle.spawn("worker", async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        assert!(read > 0);
        stream.shutdown().await.unwrap();
        // The listener is dropped here as well.
    });
    let call = tools_call(&json!({}));
    assert_eq!(
        upstream.call(&call, &Watch::none()).await.unwrap_err(),
        CallFailure::Lost
    );
    assert_eq!(
        upstream.call(&call, &Watch::none()).await.unwrap_err(),
        CallFailure::NotSent
    );
    assert!(!upstream.client.is_healthy().await);
}
