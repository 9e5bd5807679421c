//! `/mcp`: reads the request, passes it to the gateway, and writes the response.
//!
//! The bearer token is checked before the body is read, so that unauthenticated requests cost no memory and get their
//! 401 whatever they send.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use tokio_stream::wrappers::ReceiverStream;

use super::body::BodyError;
use super::face::Face;
use super::pages::Arrival;
use super::problem::Problem;
use super::reply::{self, Response};
use super::request::Exchange;
use super::site;
use crate::gateway::{McpResponse, NotAdmitted};
use crate::mcp::request::BODY_LIMIT;
use crate::mcp::{McpError, RequestHeaders};

/// How long the body of an unauthenticated request is read and discarded. Otherwise a client that is still sending
/// would see a reset connection instead of its 401.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers every method of the MCP endpoint.
pub(super) async fn endpoint(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let gateway = &face.parts.gateway;
    let body_timeout = face.parts.limits.body_timeout;
    let caller = match gateway.admit(exchange.header(AUTHORIZATION)) {
        Ok(caller) => caller,
        Err(reason) => {
            exchange.discard_body(body_timeout.min(DISCARD_TIMEOUT)).await;
            // A person opened the connector's URL in a browser.
            let in_browser = exchange.method == Method::GET && exchange.wants_html();
            return not_admitted(reason, in_browser.then_some((&*face, &exchange)));
        }
    };
    exchange.keep_connection();
    let body = match exchange.body(BODY_LIMIT, body_timeout).await {
        Ok(body) => Ok(body),
        Err(BodyError::TooLarge) => Err(McpError::TooLarge { limit: BODY_LIMIT }),
        Err(problem) => return Problem::Body(problem).as_json(),
    };
    let accept = exchange.accept();
    let headers = request_headers(&exchange, accept.as_deref());
    let method = exchange.method.as_str();
    encode(gateway.handle(caller, headers, method, body).await)
}

pub(super) fn request_headers<'a>(exchange: &'a Exchange, accept: Option<&'a str>) -> RequestHeaders<'a> {
    RequestHeaders {
        protocol_version: exchange.header("mcp-protocol-version"),
        mcp_method: exchange.header("mcp-method"),
        mcp_name: exchange.header("mcp-name"),
        accept,
        content_type: exchange.header(CONTENT_TYPE),
        origin: exchange.header(ORIGIN),
        host: exchange.header(HOST),
    }
}

/// `browser`: show a page instead of JSON. The challenge is sent in both cases.
fn not_admitted(reason: NotAdmitted, browser: Option<(&Face, &Exchange)>) -> Response {
    let (challenge, body) = match reason {
        NotAdmitted::Unauthorized { challenge, body } => (challenge, body),
        NotAdmitted::Unavailable => {
            let body = &b"{\"error\":\"temporarily_unavailable\"}"[..];
            return reply::json(StatusCode::SERVICE_UNAVAILABLE, body);
        }
    };
    let mut response = match browser {
        Some((face, exchange)) => site::arrive(face, exchange, StatusCode::UNAUTHORIZED, Arrival::Connector),
        None => reply::json(StatusCode::UNAUTHORIZED, body),
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn encode(response: McpResponse) -> Response {
    match response {
        McpResponse::Json(json) => {
            let status = StatusCode::from_u16(json.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply::json(status, json.body)
        }
        McpResponse::Accepted => reply::empty(StatusCode::ACCEPTED),
        McpResponse::MethodNotAllowed => {
            let mut response = reply::empty(StatusCode::METHOD_NOT_ALLOWED);
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST"));
            response
        }
        McpResponse::Stream(frames) => {
            let frames = ReceiverStream::new(frames).map(Ok::<Bytes, std::convert::Infallible>);
            let mut response = warp::Reply::into_response(warp::reply::stream(frames));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            // A proxy that caches, compresses or buffers would delay the events.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    }
}
