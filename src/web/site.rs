//! Paths that need no other module: the landing page, pages that don't exist, icon and probes.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::face::Face;
use super::pages::{Arrival, FAVICON, Landing};
use super::reply::{self, Forms, Response};
use super::request::Exchange;

/// The landing page: what the gateway is and how to connect.
pub(super) async fn landing(face: Arc<Face>, exchange: Exchange) -> Response {
    arrive(&face, &exchange, StatusCode::OK, Arrival::Home)
}

/// The landing page with a different first sentence.
pub(super) fn arrive(face: &Face, exchange: &Exchange, status: StatusCode, arrival: Arrival) -> Response {
    let page = Landing {
        frame: face.frame(exchange).nameless(),
        connector_url: face.parts.public_url.mcp(),
        arrival,
    };
    reply::page(status, &page, Forms::None)
}

/// A person gets the landing page; a program gets an error with the URL of the endpoint.
pub(super) async fn not_found(face: Arc<Face>, exchange: Exchange) -> Response {
    if exchange.wants_html() {
        return arrive(&face, &exchange, StatusCode::NOT_FOUND, Arrival::Missing);
    }
    let body = json!({
        "error": "not_found",
        "error_description": "There is nothing at this address.",
        "mcp_endpoint": face.parts.public_url.mcp(),
    });
    reply::json(StatusCode::NOT_FOUND, body.to_string())
}

/// The icon, for browsers and for Claude's list of connectors.
pub(super) async fn favicon(_: Arc<Face>, _: Exchange) -> Response {
    let icon = Bytes::from_static(FAVICON.as_bytes());
    let mut response = reply::typed(StatusCode::OK, HeaderValue::from_static("image/svg+xml"), icon);
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// Every path may be fetched, by Claude's user agents too. The pages themselves forbid indexing.
pub(super) async fn robots(_: Arc<Face>, _: Exchange) -> Response {
    text(StatusCode::OK, "User-agent: *\nAllow: /\n")
}

/// Returns 200 as long as the process runs.
pub(super) async fn healthz(_: Arc<Face>, _: Exchange) -> Response {
    text(StatusCode::OK, "ok\n")
}

/// Returns 200 if the gateway is ready to work, else 503 with what is missing.
pub(super) async fn readyz(face: Arc<Face>, _: Exchange) -> Response {
    match (face.parts.ready)() {
        Ok(()) => text(StatusCode::OK, "ready\n"),
        Err(missing) => text(StatusCode::SERVICE_UNAVAILABLE, missing),
    }
}

fn text(status: StatusCode, text: &'static str) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    reply::typed(status, plain, Bytes::from_static(text.as_bytes()))
}
