//! MCP over Streamable HTTP, compatible with FastMCP: `POST /mcp`, `GET /healthz`.
//!
//! A response is a single JSON body. Only a call that reports progress, which a client asks for with a `progressToken`,
//! is answered by an event stream. `initialize` returns a session id that is never checked. `GET /mcp` offers no
//! stream, because the server never sends unsolicited messages.
//!
//! Every program on this machine can reach the port. The gateway therefore writes a bearer token next to the Garmin
//! tokens at each start, and `/mcp` requires it. A worker that is started by hand has no such file and requires no
//! token. It still listens on loopback by default, and then rejects a foreign `Host` or `Origin`, so that a web page
//! cannot use the browser to reach it (DNS rebinding).

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, PollNext, select_with_strategy};
use futures_util::{FutureExt, StreamExt};
use http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    WWW_AUTHENTICATE,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

use super::server::{McpReply, Server};
use super::stdio::LONGEST_MESSAGE;
use crate::base::http::{ClientConnection, HttpServer};
use crate::base::secrets::{TokenHash, random_id};
use crate::mcp::{McpError, RejectedRequest, sse};

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// A whole body, or an event stream.
type WorkerBody = UnsyncBoxBody<Bytes, Infallible>;

/// Serves until `stopping` fires. If `bearer` is a hash, clients must present the token with this hash.
pub(super) async fn serve(
    listener: TcpListener,
    server: Server,
    bearer: Option<TokenHash>,
    stopping: CancellationToken,
) {
    let is_local = listener
        .local_addr()
        .is_ok_and(|address: SocketAddr| address.ip().is_loopback());
    if !is_local {
        tracing::warn!("worker.open_to_the_network");
    }
    let handle = move |request: Request<Incoming>| {
        let server = server.clone();
        async move {
            let is_mcp = request.uri().path().starts_with("/mcp");
            if is_mcp && !has_bearer(request.headers(), bearer) {
                return unauthorized();
            }
            if is_mcp
                && bearer.is_some()
                && let Some(connection) = request.extensions().get::<ClientConnection>()
            {
                connection.keep();
            }
            answer(&server, request, is_local).await
        }
    };
    HttpServer::new(listener).serve(handle, stopping).await;
}

async fn answer(server: &Server, request: Request<Incoming>, is_local: bool) -> Response<WorkerBody> {
    let step = judge(
        request.method(),
        request.uri().path(),
        request.headers(),
        is_local,
    );
    match step {
        HttpDecision::Plain(status, body) => plain(status, body),
        HttpDecision::WrongMethod => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST, DELETE"));
            response
        }
        HttpDecision::Message => {
            let may_stream = accepts_stream(request.headers());
            match Limited::new(request.into_body(), LONGEST_MESSAGE).collect().await {
                Ok(body) => message(server, body.to_bytes(), may_stream).await,
                Err(e) if e.is::<LengthLimitError>() => {
                    let refusal = McpError::TooLarge {
                        limit: LONGEST_MESSAGE,
                    };
                    told(McpReply::Refused(
                        refusal.status(),
                        RejectedRequest::from(refusal).body(),
                    ))
                }
                Err(_) => plain(StatusCode::BAD_REQUEST, "The request ended early"),
            }
        }
    }
}

/// Answers one message: as an event stream if a notification comes before the reply, otherwise as plain JSON.
async fn message(server: &Server, message: Bytes, may_stream: bool) -> Response<WorkerBody> {
    let (notifications, mut to_client) = mpsc::unbounded_channel();
    let server = server.clone();
    let mut reply = async move {
        let reply = server.reply(&message, &notifications).await;
        // Yield, so that notifications that are still queued go out before the reply.
        tokio::task::yield_now().await;
        reply
    }
    .boxed();
    if !may_stream {
        return told(reply.await);
    }
    tokio::select! {
        biased;
        Some(first) = to_client.recv() => stream_of(first, to_client, reply),
        reply = &mut reply => told(reply),
    }
}

/// An event stream: notifications, then the reply. Dropping it cancels the call.
fn stream_of(
    first: Bytes,
    to_client: mpsc::UnboundedReceiver<Bytes>,
    reply: BoxFuture<'static, McpReply>,
) -> Response<WorkerBody> {
    let notifications = stream::iter([first]).chain(UnboundedReceiverStream::new(to_client));
    let reply = reply.map(|reply| match reply {
        McpReply::Answer(body) | McpReply::Opened(body) | McpReply::Refused(_, body) => body,
        McpReply::Nothing => Bytes::new(),
    });
    // The reply's future owns the sender of the notifications, so they end when the reply is ready.
    let messages = select_with_strategy(notifications, reply.into_stream(), |(): &mut ()| PollNext::Left);
    let frames = messages.map(|message| Ok(Frame::data(sse::frame_bytes(&message))));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, EVENT_STREAM);
    response
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.to_ascii_lowercase().contains("text/event-stream"))
}

/// Whether the request has the expected bearer token, if one is required. Comparing hashes prevents timing attacks.
fn has_bearer(headers: &HeaderMap, expected: Option<TokenHash>) -> bool {
    let Some(expected) = expected else { return true };
    let sent = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    sent.is_some_and(|sent| TokenHash::of(sent) == expected)
}

fn unauthorized() -> Response<WorkerBody> {
    let mut response = plain(
        StatusCode::UNAUTHORIZED,
        "This worker answers to its gateway only",
    );
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// The decision about a request, based on its method, path and headers.
#[derive(Debug, PartialEq)]
enum HttpDecision {
    Plain(StatusCode, &'static str),
    WrongMethod,
    Message,
}

/// Statuses and texts match FastMCP's. If `is_local`, the worker listens on loopback, so `Host` must be a loopback
/// name.
fn judge(method: &Method, path: &str, headers: &HeaderMap, is_local: bool) -> HttpDecision {
    match (path, method) {
        ("/healthz", &Method::GET | &Method::HEAD) => return HttpDecision::Plain(StatusCode::OK, "ok"),
        ("/mcp" | "/mcp/", _) => {}
        _ => return HttpDecision::Plain(StatusCode::NOT_FOUND, "Not Found"),
    }
    let text = |name: HeaderName| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default().trim())
    };
    if is_local && !text(HOST).is_some_and(is_loopback) {
        return HttpDecision::Plain(StatusCode::MISDIRECTED_REQUEST, "Invalid Host header");
    }
    if text(ORIGIN).is_some_and(|origin| !is_own_origin(origin)) {
        return HttpDecision::Plain(StatusCode::FORBIDDEN, "Invalid Origin header");
    }
    if method == Method::DELETE {
        // The client ends its session. The worker keeps no session, so there is nothing to do.
        return HttpDecision::Plain(StatusCode::OK, "");
    }
    if method != Method::POST {
        return HttpDecision::WrongMethod;
    }
    let kind = text(CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    if kind.is_some_and(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return HttpDecision::Plain(StatusCode::BAD_REQUEST, "Invalid Content-Type header");
    }
    HttpDecision::Message
}

/// Whether the host is `localhost` or a loopback address, with or without a port.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else {
        return false;
    };
    let name = authority.host();
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

fn is_own_origin(origin: &str) -> bool {
    let host = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_loopback)
}

fn told(reply: McpReply) -> Response<WorkerBody> {
    match reply {
        McpReply::Answer(body) => json(StatusCode::OK, body),
        McpReply::Opened(body) => {
            let mut response = json(StatusCode::OK, body);
            if let Ok(id) = HeaderValue::from_str(&random_id("")) {
                response.headers_mut().insert(SESSION_ID, id);
            }
            response
        }
        McpReply::Refused(status, body) => json(
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            body,
        ),
        McpReply::Nothing => {
            let mut response = Response::new(Full::default().boxed_unsync());
            *response.status_mut() = StatusCode::ACCEPTED;
            response
        }
    }
}

fn json(status: StatusCode, body: Bytes) -> Response<WorkerBody> {
    full(status, JSON, body)
}

fn plain(status: StatusCode, text: &'static str) -> Response<WorkerBody> {
    full(status, TEXT, Bytes::from_static(text.as_bytes()))
}

fn full(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<WorkerBody> {
    let mut response = Response::new(Full::new(body).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &Method, path: &str, headers: &[(HeaderName, &'static str)], expected: u16) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        let status = match judge(method, path, &headers, true) {
            HttpDecision::Plain(status, _) => status.as_u16(),
            HttpDecision::WrongMethod => 405,
            HttpDecision::Message => 200,
        };
        assert_eq!(status, expected, "{method} {path} {headers:?}");
    }

    #[test]
    fn only_loopback_names_and_origins_are_served() {
        let post = |headers: &[(HeaderName, &'static str)], expected| {
            check(&Method::POST, "/mcp", headers, expected);
        };
        for host in [
            "127.0.0.1",
            "127.0.0.1:8000",
            "localhost",
            "LOCALHOST:1",
            "[::1]:8000",
            "127.9.9.9:1",
        ] {
            post(&[(HOST, host)], 200);
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "",
            "10.0.0.1:8000",
            ":::",
        ] {
            post(&[(HOST, host)], 421);
        }
        post(&[], 421);
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:1"] {
            post(&[(HOST, "localhost"), (ORIGIN, origin)], 200);
        }
        for origin in [
            "https://evil.example",
            "null",
            "",
            "file://localhost",
            "http://localhost.evil.example",
        ] {
            post(&[(HOST, "localhost"), (ORIGIN, origin)], 403);
        }
    }

    #[test]
    fn each_path_has_its_methods() {
        let host = || vec![(HOST, "127.0.0.1:8000")];
        check(&Method::GET, "/healthz", &[], 200);
        check(&Method::GET, "/mcp", &host(), 405);
        check(&Method::PUT, "/mcp", &host(), 405);
        check(&Method::DELETE, "/mcp", &host(), 200);
        check(&Method::GET, "/", &host(), 404);
        check(&Method::POST, "/healthz", &host(), 404);
        check(&Method::POST, "/mcp/", &host(), 200);
        let kind = |kind| [host(), vec![(CONTENT_TYPE, kind)]].concat();
        check(
            &Method::POST,
            "/mcp",
            &kind("application/json; charset=utf-8"),
            200,
        );
        check(&Method::POST, "/mcp", &kind("text/plain"), 400);
    }

    #[test]
    fn a_worker_on_the_network_accepts_any_host() {
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("nas.local:8000"))]);
        assert_eq!(
            judge(&Method::POST, "/mcp", &headers, false),
            HttpDecision::Message
        );
        assert_ne!(
            judge(&Method::POST, "/mcp", &headers, true),
            HttpDecision::Message
        );
    }

    #[test]
    fn only_the_bearer_of_this_start_is_served() {
        let expected = TokenHash::of("wk_1");
        let sent =
            |value: &'static str| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
        assert!(has_bearer(&sent("Bearer wk_1"), Some(expected)));
        for wrong in ["Bearer wk_2", "Bearer ", "Basic wk_1", "wk_1", "bearer wk_1 "] {
            assert!(!has_bearer(&sent(wrong), Some(expected)), "{wrong}");
        }
        assert!(!has_bearer(&HeaderMap::new(), Some(expected)));
        assert!(
            has_bearer(&HeaderMap::new(), None),
            "a worker that was started by hand"
        );
    }
}
