//! A scriptable worker: the test binary, which the gateway runs in place of a real worker.
//!
//! `GARMIN_ENABLED_TOOLS` controls its behaviour as a process, and the tool's name controls the effect of a call.

use std::convert::Infallible;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, exit};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use garmin_gateway::base::http::HttpServer;
use garmin_gateway::base::lifecycle::Lifecycle;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::sleep;

/// The command that runs the test binary as this worker.
pub(super) fn command() -> Vec<String> {
    let me = std::env::current_exe().unwrap().display().to_string();
    [
        &me,
        "--exact",
        "workers::fake::program",
        "--nocapture",
        "--test-threads=1",
    ]
    .map(str::to_owned)
    .into()
}

#[derive(Default)]
struct Fake {
    tokens: PathBuf,
    session: AtomicU64,
    cancelled: Mutex<Vec<Value>>,
    released: Notify,
    /// Whether it ignores health checks.
    is_frozen: AtomicBool,
}

/// Not a test: it does nothing unless the worker's environment variables are set.
#[test]
fn program() {
    let Ok(port) = std::env::var("GARMIN_MCP_PORT") else {
        return;
    };
    let mode = std::env::var("GARMIN_ENABLED_TOOLS").unwrap_or_default();
    if mode == "crash" {
        writeln!(
            std::io::stderr(),
            "ImportError: cannot import name 'FastMCP' from 'mcp.server'"
        )
        .unwrap();
        exit(3);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let fake = Fake {
            tokens: tokens_directory().join("garmin_tokens.json"),
            ..Fake::default()
        };
        let fake = Arc::new(fake);
        let lifecycle = Lifecycle::new();
        if mode == "refresh" {
            fake.refresh("second");
        }
        if mode == "deaf" || mode == "refresh" {
            std::future::pending::<()>().await;
        }
        if mode == "stubborn" {
            let mut terminate =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
            lifecycle.spawn(
                "stubborn",
                async move { while terminate.recv().await.is_some() {} },
            );
        }
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse().unwrap()))
            .await
            .unwrap();
        let answer = move |request| {
            let fake = Arc::clone(&fake);
            async move { fake.answer(request).await }
        };
        HttpServer::new(listener)
            .serve(answer, lifecycle.stopping())
            .await;
    });
}

fn tokens_directory() -> PathBuf {
    std::env::var("GARMINTOKENS").unwrap().into()
}

type Body = BoxBody<Bytes, Infallible>;

fn plain(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).boxed());
    *response.status_mut() = status;
    response
}

fn as_json(value: &Value) -> Response<Body> {
    let mut response = plain(StatusCode::OK, value.to_string());
    response
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    response
}

fn as_stream(messages: Vec<(Duration, Value)>) -> Response<Body> {
    let events = futures_util::stream::iter(messages).then(|(pause, message)| async move {
        sleep(pause).await;
        Ok(Frame::data(Bytes::from(format!(
            "event: message\r\ndata: {message}\r\n\r\n"
        ))))
    });
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(events)));
    response
        .headers_mut()
        .insert("content-type", "text/event-stream".parse().unwrap());
    response
}

impl Fake {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if request.method() == Method::GET {
            if self.is_frozen.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            return plain(StatusCode::OK, "ok");
        }
        let session = request.headers().get("mcp-session-id").cloned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let message: Value = serde_json::from_slice(&body).unwrap();
        let method = message["method"].as_str().unwrap_or_default();
        if method == "initialize" {
            return self.initialize(&message);
        }
        let expected = format!("s{}", self.session.load(Ordering::SeqCst));
        if session.is_none_or(|session| session != expected) {
            let error = json!({"jsonrpc": "2.0", "id": "server-error", "error": {"code": -32600, "message": "Session not found"}});
            return plain(StatusCode::NOT_FOUND, error.to_string());
        }
        match method {
            "tools/call" => self.call(&message).await,
            "notifications/cancelled" => {
                self.cancelled
                    .lock()
                    .unwrap()
                    .push(message["params"]["requestId"].clone());
                self.released.notify_waiters();
                plain(StatusCode::ACCEPTED, "")
            }
            _ => plain(StatusCode::ACCEPTED, ""),
        }
    }

    fn initialize(&self, message: &Value) -> Response<Body> {
        let session = self.session.fetch_add(1, Ordering::SeqCst) + 1;
        let version = &message["params"]["protocolVersion"];
        let result = json!({"protocolVersion": version, "capabilities": {}, "serverInfo": {"name": "fake", "version": "1"}});
        // As FastMCP responds: with an event stream.
        let mut response = as_stream(vec![(
            Duration::ZERO,
            json!({"jsonrpc": "2.0", "id": message["id"], "result": result}),
        )]);
        response
            .headers_mut()
            .insert("mcp-session-id", format!("s{session}").parse().unwrap());
        response
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each tool")]
    #[expect(clippy::zombie_processes, reason = "it ends with its group")]
    async fn call(&self, message: &Value) -> Response<Body> {
        let arguments = &message["params"]["arguments"];
        let reply =
            |result: Value| as_json(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
        match message["params"]["name"].as_str().unwrap_or_default() {
            "who" => reply(
                json!({"process": std::process::id(), "token": self.token(), "params": message["params"]}),
            ),
            "raw" => {
                let text = format!(
                    r#"{{"jsonrpc":"2.0","id":{},"result":{}}}"#,
                    message["id"],
                    arguments["text"].as_str().unwrap()
                );
                let mut response = plain(StatusCode::OK, text);
                response
                    .headers_mut()
                    .insert("content-type", "application/json".parse().unwrap());
                response
            }
            "steps" => {
                let token = &message["params"]["_meta"]["progressToken"];
                let step = |n: u64| json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": n}});
                let foreign = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "x", "progress": 9}});
                let last = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"done": true}});
                let pause = Duration::from_millis(5);
                as_stream(vec![
                    (pause, step(1)),
                    (pause, foreign),
                    (pause, step(2)),
                    (pause, last),
                ])
            }
            "wait" => {
                // Waits until another call is cancelled.
                self.released.notified().await;
                reply(json!({}))
            }
            "cancelled" => reply(json!(*self.cancelled.lock().unwrap())),
            "slow" => {
                sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap())).await;
                reply(json!({"process": std::process::id()}))
            }
            "slow_refresh" => {
                sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap())).await;
                self.refresh(arguments["token"].as_str().unwrap());
                reply(json!({"process": std::process::id()}))
            }
            "refresh" => {
                self.refresh(arguments["token"].as_str().unwrap());
                reply(json!({}))
            }
            // As Garmin does: a new token of the same sign-in.
            "refresh_own" => {
                let token = self.token();
                let (sign_in, n) = token.split_once('.').unwrap_or((&token, "0"));
                self.refresh(&format!("{sign_in}.{}", n.parse::<u32>().unwrap() + 1));
                reply(json!({}))
            }
            "refresh_and_die" => {
                self.refresh(arguments["token"].as_str().unwrap());
                exit(1);
            }
            "write_half" => {
                let whole = fs::read_to_string(&self.tokens).unwrap();
                fs::write(&self.tokens, &whole[..whole.len() / 2]).unwrap();
                reply(json!({}))
            }
            "refused" => {
                fs::write(tokens_directory().join("sign_in_needed"), "invalid_grant").unwrap();
                reply(json!({}))
            }
            // The first process ends here; the next one gets the token that this one left behind.
            "die_once" if self.token() != "second" => {
                self.refresh("second");
                exit(1);
            }
            "die" => exit(1),
            "die_once" => reply(json!({"process": std::process::id()})),
            "forget_session" => {
                self.session.fetch_add(1, Ordering::SeqCst);
                reply(json!({}))
            }
            // Loses the session, and makes health checks hang.
            "freeze" => {
                self.is_frozen.store(true, Ordering::SeqCst);
                self.session.fetch_add(1, Ordering::SeqCst);
                reply(json!({}))
            }
            "fork" => {
                let child = Command::new("sleep").arg("1000").spawn().unwrap();
                reply(json!({"child": child.id()}))
            }
            "environment" => {
                let variables: Vec<String> = std::env::vars()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                reply(json!({"variables": variables, "directory": std::env::current_dir().unwrap()}))
            }
            "read" => {
                let path = arguments["path"].as_str().unwrap();
                let read = match fs::metadata(path) {
                    Ok(found) if found.is_dir() => fs::read_dir(path).map(drop),
                    _ => fs::read(path).map(drop),
                };
                reply(json!({"error": read.err().map(|error| error.kind().to_string())}))
            }
            "write" => {
                let error = fs::write(arguments["path"].as_str().unwrap(), "x").err();
                reply(json!({"error": error.map(|error| error.kind().to_string())}))
            }
            "connect" => {
                let port = u16::try_from(arguments["port"].as_u64().unwrap()).unwrap();
                let error = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).err();
                reply(json!({"error": error.map(|error| error.kind().to_string())}))
            }
            "unix_socket" => {
                let error =
                    std::os::unix::net::UnixStream::connect(arguments["path"].as_str().unwrap()).err();
                reply(json!({"error": error.map(|error| error.kind().to_string())}))
            }
            // Runs a command and returns its exit code, or -1 if the program does not exist.
            "run" => {
                let words: Vec<String> = serde_json::from_value(arguments["words"].clone()).unwrap();
                let ended = Command::new(&words[0]).args(&words[1..]).output();
                let (code, said) = ended.map_or((-1, String::new()), |ended| {
                    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
                    (ended.status.code().unwrap_or(-2), said)
                });
                reply(json!({"code": code, "said": said}))
            }
            "flood" => {
                std::thread::spawn(|| {
                    let line = [b'x'; 999];
                    while writeln!(std::io::stderr(), "{}", String::from_utf8_lossy(&line)).is_ok() {}
                });
                reply(json!({}))
            }
            "signal" => {
                let process = i32::try_from(arguments["process"].as_i64().unwrap()).unwrap();
                let error = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), None).err();
                reply(json!({"error": error.map(|error| error.to_string())}))
            }
            other => as_json(
                &json!({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": format!("no tool {other}")}}),
            ),
        }
    }

    fn token(&self) -> String {
        let tokens: Value = serde_json::from_slice(&fs::read(&self.tokens).unwrap()).unwrap();
        tokens["di_refresh_token"].as_str().unwrap().to_owned()
    }

    /// Writes the file as the newest garminconnect does.
    fn refresh(&self, token: &str) {
        let new = self.tokens.with_extension("tmp");
        let tokens =
            json!({"di_token": format!("access-{token}"), "di_refresh_token": token, "di_client_id": "X"});
        fs::write(&new, tokens.to_string()).unwrap();
        fs::rename(&new, &self.tokens).unwrap();
    }
}
