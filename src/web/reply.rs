//! Responses: pages with their security policy, JSON, redirects, and the headers that every response has.

use askama::Template;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use serde_json::Value;
pub(super) use warp::reply::Response;

use super::pages::STYLE_SOURCE;
use super::race_view::STYLE_SOURCES;
use super::request::RequestId;
use crate::config::MapTiles;
use crate::oauth::OAuthError;

/// The id of a request, which is also on its error page and in the log.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    typed(status, HeaderValue::from_static("application/json"), body.into())
}

pub(super) fn typed(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Response {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    warp::Reply::into_response(response)
}

/// A body that is sent while it is produced. An error ends the connection, so that the client sees that something is
/// missing.
pub(super) fn stream<S>(status: StatusCode, content_type: HeaderValue, parts: S) -> Response
where
    S: futures_util::Stream<Item = Result<Bytes, String>> + Send + Sync + 'static,
{
    let mut response = warp::Reply::into_response(warp::reply::stream(parts));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

pub(super) fn empty(status: StatusCode) -> Response {
    warp::Reply::into_response(status)
}

/// A 303 redirect: the browser continues with GET. `None` if `url` is not a valid header value.
pub(super) fn see_other(url: &str) -> Option<Response> {
    let location = HeaderValue::from_str(url).ok()?;
    let mut response = empty(StatusCode::SEE_OTHER);
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}

/// The allowed targets of a page's forms, including redirects: Chromium applies `form-action` to a form's redirects
/// too.
#[derive(Debug, Clone, Copy)]
pub(super) enum Forms<'a> {
    /// The page has no forms.
    None,
    Own,
    /// To the gateway, and from there to this origin or scheme.
    OnTo(&'a str),
}

/// A page with its security policy. A template that cannot be rendered becomes a bare 500.
pub(super) fn page(status: StatusCode, page: &impl Template, forms: Forms<'_>) -> Response {
    let Ok(html) = page.render() else {
        tracing::error!(place = "page template", "bug");
        return typed(
            StatusCode::INTERNAL_SERVER_ERROR,
            HeaderValue::from_static("text/plain; charset=utf-8"),
            Bytes::from_static(b"Something broke here. The gateway's log has the details.\n"),
        );
    };
    let mut response = typed(
        status,
        HeaderValue::from_static("text/html; charset=utf-8"),
        html.into(),
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(forms)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    never_indexed(&mut response);
    // Sets no Cross-Origin-Opener-Policy, because Claude opens the sign-in in a pop-up and waits for it to return.
    response
}

/// The page of a shared race, or the message in its place. Its only script is the gateway's own, and its images come
/// from the gateway or from the map's server.
pub(super) fn race_page(status: StatusCode, html: Bytes, tiles: Option<&MapTiles>) -> Response {
    let mut response = typed(status, HeaderValue::from_static("text/html; charset=utf-8"), html);
    let policy = format!(
        "default-src 'none'; style-src {}; script-src 'self'; connect-src 'self'; img-src 'self'{}; \
         form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_SOURCES,
        tiles
            .and_then(MapTiles::server)
            .map_or_else(String::new, |server| format!(" {}", server.origin))
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    never_indexed(&mut response);
    response
}

/// Keeps an answer out of search engines, and its address out of other sites' logs.
pub(super) fn never_indexed(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
}

fn content_security_policy(forms: Forms<'_>) -> String {
    let form_action = match forms {
        Forms::None => "'none'".to_owned(),
        // CSP cannot express an IPv6 address (level 3, section 2.3.1, host-source), so the scheme alone is allowed.
        Forms::OnTo(origin) if origin.starts_with("http://[") => "'self' http:".to_owned(),
        Forms::OnTo(origin) if is_source(origin) => format!("'self' {origin}"),
        Forms::Own | Forms::OnTo(_) => "'self'".to_owned(),
    };
    format!(
        "default-src 'none'; style-src {}; img-src 'self'; form-action {form_action}; frame-ancestors 'none'; \
         base-uri 'none'",
        *STYLE_SOURCE
    )
}

/// Whether the text is exactly one source in a policy.
fn is_source(origin: &str) -> bool {
    !origin.is_empty()
        && origin
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b":/.-_".contains(&b))
}

/// The response of `/token`, `/register` and `/revoke` (RFC 6749, sections 5.1 and 5.2).
pub(super) fn oauth(outcome: Result<(StatusCode, Value), OAuthError>) -> Response {
    let mut response = match outcome {
        Ok((status, Value::Null)) => empty(status),
        Ok((status, body)) => json(status, body.to_string()),
        Err(error) => {
            if let OAuthError::TemporarilyUnavailable(source) = &error {
                tracing::error!(reason = %source, "store.unavailable");
            }
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let mut response = json(status, error.body().to_string());
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            response
        }
    };
    response
        .headers_mut()
        .insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Adds the headers that every response has. Headers set by the handler stay.
pub(super) fn finish(response: &mut Response, id: RequestId, https: bool) {
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if https {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_lets_one_origin_through() {
        let check = |forms, expected: &str| {
            let policy = content_security_policy(forms);
            let form_action = policy
                .split("; ")
                .find(|part| part.starts_with("form-action"))
                .unwrap();
            assert_eq!(form_action, expected);
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
            assert!(policy.contains("; frame-ancestors 'none'; base-uri 'none'"));
        };
        check(Forms::None, "form-action 'none'");
        check(Forms::Own, "form-action 'self'");
        check(
            Forms::OnTo("https://claude.ai"),
            "form-action 'self' https://claude.ai",
        );
        check(
            Forms::OnTo("http://localhost:53682"),
            "form-action 'self' http://localhost:53682",
        );
        check(Forms::OnTo("http://[::1]:53682"), "form-action 'self' http:");
        for hostile in [
            "",
            "https://a.example; script-src *",
            "https://a.example https://b.example",
            "*",
            "'none'",
        ] {
            check(Forms::OnTo(hostile), "form-action 'self'");
        }
    }

    #[test]
    fn oauth_answers_are_never_stored() {
        let check = |outcome, status: u16| {
            let mut response = oauth(outcome);
            finish(&mut response, RequestId::default(), true);
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "no-store");
            assert_eq!(response.headers().get(PRAGMA).unwrap(), "no-cache");
        };
        check(Ok((StatusCode::OK, json!({ "access_token": "x" }))), 200);
        check(Ok((StatusCode::CREATED, json!({ "client_id": "x" }))), 201);
        check(Ok((StatusCode::OK, Value::Null)), 200);
        check(Err(OAuthError::InvalidGrant("dead".into())), 400);
        check(Err(OAuthError::InvalidClient("who".into())), 401);
        check(Err(OAuthError::ServerError("bug".into())), 500);
    }

    #[test]
    fn every_answer_has_its_headers() {
        let mut plain = empty(StatusCode::OK);
        finish(&mut plain, RequestId { run: 1, number: 18 }, false);
        assert!(plain.headers().get(STRICT_TRANSPORT_SECURITY).is_none());
        assert_eq!(plain.headers().get(X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        assert_eq!(plain.headers().get(X_REQUEST_ID).unwrap(), "req_00000001-12");
        let mut cached = empty(StatusCode::OK);
        cached
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        finish(&mut cached, RequestId::default(), true);
        assert_eq!(
            cached.headers().get(CACHE_CONTROL).unwrap(),
            "public, max-age=300"
        );
        assert!(cached.headers().get(STRICT_TRANSPORT_SECURITY).is_some());
    }

    #[test]
    fn a_redirect_is_a_303_or_nothing() {
        let response = see_other("https://claude.ai/api/mcp/auth_callback?code=x").unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert!(see_other("https://claude.ai/\r\nSet-Cookie: a=b").is_none());
    }
}
