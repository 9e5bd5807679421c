//! `/mcp`: off the wire, to the gateway, back onto the wire.
//!
//! The bearer is judged before the body is read: a stranger costs no memory, and gets its 401 whatever it sent.

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
use crate::gateway::{Answer, TooLarge};
use crate::mcp::RequestHeaders;
use crate::mcp::envelope::BODY_LIMIT;

/// How long a stranger's body is waited for, so that its 401 is not lost to a reset connection.
const STRANGERS: Duration = Duration::from_secs(5);

/// Every method of the MCP endpoint.
pub(super) async fn endpoint(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let gateway = &face.parts.gateway;
    let grant = match gateway.admit(exchange.header(AUTHORIZATION)) {
        Ok(grant) => grant,
        Err(answer) => {
            exchange
                .discard_body(face.parts.limits.body_timeout.min(STRANGERS))
                .await;
            // A person who opened the connector's address in a browser.
            let browser = exchange.method == Method::GET && exchange.wants_html();
            return encode(answer, browser.then_some(&*face));
        }
    };
    let body = match exchange.body(BODY_LIMIT, face.parts.limits.body_timeout).await {
        Ok(body) => Ok(body),
        Err(BodyError::TooLarge) => Err(TooLarge),
        Err(problem) => return Problem::Body(problem).as_json(),
    };
    let accept = exchange.accept();
    let headers = request_headers(&exchange, accept.as_deref());
    let answer = gateway
        .handle(grant, headers, exchange.method.as_str(), body)
        .await;
    encode(answer, None)
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

/// One answer of the gateway; `browser` turns a 401 into a page, with its challenge all the same.
fn encode(answer: Answer, browser: Option<&Face>) -> Response {
    match answer {
        Answer::Unauthorized { challenge, body } => {
            let mut response = match browser {
                Some(face) => site::arrive(face, StatusCode::UNAUTHORIZED, Arrival::Connector),
                None => reply::json(StatusCode::UNAUTHORIZED, body),
            };
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            response
        }
        Answer::Json { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            reply::json(status, body)
        }
        Answer::Accepted => reply::empty(StatusCode::ACCEPTED),
        Answer::MethodNotAllowed => {
            let mut response = reply::empty(StatusCode::METHOD_NOT_ALLOWED);
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST"));
            response
        }
        Answer::Stream(frames) => {
            let frames = ReceiverStream::new(frames).map(Ok::<Bytes, std::convert::Infallible>);
            let mut response = warp::Reply::into_response(warp::reply::stream(frames));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            // A proxy that stores, compresses or collects would hold the frames back.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
            headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    }
}
