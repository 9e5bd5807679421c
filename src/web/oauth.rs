//! The authorization server's documents and endpoints; the pages of its sign-in are in `sign_in`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL,
};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::face::Face;
use super::problem::Problem;
use super::reply::{self, Response};
use super::request::Exchange;

/// The largest form, in bytes: an e-mail, a password and what we put in ourselves.
const LARGEST_FORM: usize = 16 << 10;

/// The largest registration, in bytes.
const LARGEST_REGISTRATION: usize = 64 << 10;

/// RFC 9728.
pub(super) async fn protected_resource(face: Arc<Face>, exchange: Exchange) -> Response {
    document(&exchange, &face.parts.oauth.protected_resource_metadata())
}

/// RFC 8414.
pub(super) async fn authorization_server(face: Arc<Face>, exchange: Exchange) -> Response {
    document(&exchange, &face.parts.oauth.authorization_server_metadata())
}

/// Public, readable from any web page, and the same for five minutes: as long as Claude keeps it too.
fn document(exchange: &Exchange, document: &Value) -> Response {
    let preflight = exchange.method == Method::OPTIONS;
    let mut response = if preflight {
        reply::empty(StatusCode::NO_CONTENT)
    } else {
        reply::json(StatusCode::OK, document.to_string())
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if preflight {
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD"),
        );
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    } else {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    }
    response
}

/// RFC 7591. The body is the room's to judge; only its size and the gateway's budget are ours.
pub(super) async fn register(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let per_hour = face.parts.live.borrow().registrations_per_hour;
    let (source, now) = (face.client_address(&exchange), face.parts.clock.now());
    let body = exchange
        .body(LARGEST_REGISTRATION, face.parts.limits.body_timeout)
        .await;
    if let Err(exhausted) = face.registrations.take(source, per_hour, now) {
        tracing::warn!(reason = "budget", "client.registration_refused");
        return Problem::Busy(exhausted).as_json();
    }
    match body {
        Ok(body) => {
            let outcome = face.parts.oauth.register(&body).await;
            reply::oauth(outcome.map(|client| (StatusCode::CREATED, client)))
        }
        Err(problem) => Problem::Body(problem).as_json(),
    }
}

/// RFC 6749, section 4.1.3 and 6.
pub(super) async fn token(face: Arc<Face>, mut exchange: Exchange) -> Response {
    match form_text(&face, &mut exchange).await {
        Ok(form) => reply::oauth(
            face.parts
                .oauth
                .token(&form)
                .await
                .map(|tokens| (StatusCode::OK, tokens)),
        ),
        Err(problem) => problem.as_json(),
    }
}

/// RFC 7009.
pub(super) async fn revoke(face: Arc<Face>, mut exchange: Exchange) -> Response {
    match form_text(&face, &mut exchange).await {
        Ok(form) => reply::oauth(
            face.parts
                .oauth
                .revoke(&form)
                .await
                .map(|()| (StatusCode::OK, Value::Null)),
        ),
        Err(problem) => problem.as_json(),
    }
}

/// A form, whatever it holds.
pub(super) async fn form(face: &Face, exchange: &mut Exchange) -> Result<Bytes, Problem> {
    let body = exchange.body(LARGEST_FORM, face.parts.limits.body_timeout).await;
    if !exchange.is_form() {
        return Err(Problem::NotAForm);
    }
    body.map_err(Problem::Body)
}

async fn form_text(face: &Face, exchange: &mut Exchange) -> Result<String, Problem> {
    let body = form(face, exchange).await?;
    String::from_utf8(body.into()).map_err(|_| Problem::BadForm)
}
