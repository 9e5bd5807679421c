//! The documents and endpoints of the authorization server. Its sign-in pages are in `sign_in`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, CACHE_CONTROL,
};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;
use tokio::sync::oneshot;

use super::face::Face;
use super::parts::WebParts;
use super::problem::Problem;
use super::reply::{self, Response};
use super::request::Exchange;
use crate::gateway::Gateway;
use crate::oauth::{OAuth, OAuthError};
use crate::store::StoreError;

/// Upper bound in bytes. The form of a sign-in page carries the client's whole request, signed.
const LARGEST_FORM: usize = 32 << 10;

const LARGEST_REGISTRATION: usize = 64 << 10;

/// Serves the protected-resource metadata (RFC 9728).
pub(super) async fn protected_resource(face: Arc<Face>, exchange: Exchange) -> Response {
    document(&exchange, &face.parts.oauth.protected_resource_metadata())
}

/// Serves the authorization-server metadata (RFC 8414).
pub(super) async fn authorization_server(face: Arc<Face>, exchange: Exchange) -> Response {
    document(&exchange, &face.parts.oauth.authorization_server_metadata())
}

/// The document is public, readable from any web page, and cacheable for five minutes, which is how long Claude keeps
/// it.
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

/// Dynamic client registration (RFC 7591). Nothing is stored, so only the size is limited.
pub(super) async fn register(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let body = exchange
        .body(LARGEST_REGISTRATION, face.parts.limits.body_timeout)
        .await;
    match body {
        Ok(body) => {
            let registered = face.parts.oauth.register(&body);
            reply::oauth(registered.map(|client| (StatusCode::CREATED, client)))
        }
        Err(problem) => Problem::Body(problem).as_json(),
    }
}

/// The token endpoint (RFC 6749, sections 4.1.3 and 6).
pub(super) async fn token(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let form = match form_text(&face, &mut exchange).await {
        Ok(form) => form,
        Err(problem) => return problem.as_json(),
    };
    let tokens = face
        .parts
        .oauth
        .token(&form, exchange.header(AUTHORIZATION))
        .await;
    reply::oauth(tokens.map(|tokens| (StatusCode::OK, tokens)))
}

/// The revocation endpoint (RFC 7009). With an account's last sign-in, its worker and its races end too.
pub(super) async fn revoke(face: Arc<Face>, mut exchange: Exchange) -> Response {
    let form = match form_text(&face, &mut exchange).await {
        Ok(form) => form,
        Err(problem) => return problem.as_json(),
    };
    let authorization = exchange.header(AUTHORIZATION).map(str::to_owned);
    let WebParts { oauth, gateway, .. } = face.parts.clone();
    let (answer, answered) = oneshot::channel();
    // Signing out is often the last thing that a client does, so it is carried out even if the client does not wait.
    face.parts.lifecycle.spawn("sign out", async move {
        let revoked = sign_out(&oauth, &gateway, &form, authorization.as_deref()).await;
        answer.send(revoked).ok();
    });
    let revoked = answered.await.unwrap_or(Err(StoreError::Closed.into()));
    reply::oauth(revoked.map(|()| (StatusCode::OK, Value::Null)))
}

async fn sign_out(
    oauth: &OAuth,
    gateway: &Gateway,
    form: &str,
    authorization: Option<&str>,
) -> Result<(), OAuthError> {
    if let Some(account) = oauth.revoke(form, authorization).await? {
        gateway.end_work_without_sign_in(&account).await?;
    }
    Ok(())
}

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
