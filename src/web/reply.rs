//! What is said back: pages, JSON, refusals, and the headers that every answer has.
//!
//! A refusal is one row of one match: its status, its word for programs, its sentences for people. A person's
//! browser gets a page, a program gets JSON with OAuth's two members, which every client of ours can read.

use askama::Template;
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA,
    REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
pub(super) use warp::reply::Response;

use super::limits::Exhausted;
use super::pages::{self, STYLE_SOURCE};
use super::request::{BodyError, Smuggled};
use crate::oauth::OAuthError;

/// The reference of one request: in its answer's `X-Request-Id`, on its error page, and in the log.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// JSON with this status.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    typed(status, HeaderValue::from_static("application/json"), body.into())
}

/// A body of this type.
pub(super) fn typed(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Response {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    warp::Reply::into_response(response)
}

/// No body.
pub(super) fn empty(status: StatusCode) -> Response {
    warp::Reply::into_response(status)
}

/// 303: the browser goes on with GET, whatever it sent before.
pub(super) fn see_other(url: &str) -> Option<Response> {
    let location = HeaderValue::from_str(url).ok()?;
    let mut response = empty(StatusCode::SEE_OTHER);
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}

/// Where the forms of a page may end up, redirects included: Chromium holds a form's redirects against `form-action`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Forms<'a> {
    /// The page has none.
    None,
    /// Ours only.
    Own,
    /// Ours, and from there this origin.
    OnTo(&'a str),
}

/// A page, with the policy that fits what it does. A template that can't be written becomes a bare 500.
pub(super) fn page(status: StatusCode, page: &impl Template, forms: Forms<'_>) -> Response {
    let Ok(html) = page.render() else {
        tracing::error!(name: "bug", place = "page template", "bug");
        return typed(
            StatusCode::INTERNAL_SERVER_ERROR,
            HeaderValue::from_static("text/plain; charset=utf-8"),
            Bytes::from_static(b"Something broke here. It is in the log.\n"),
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
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    // No Cross-Origin-Opener-Policy: Claude opens the sign-in in a pop-up and waits for it to come back.
    response
}

fn content_security_policy(forms: Forms<'_>) -> String {
    let form_action = match forms {
        Forms::None => "'none'".to_owned(),
        // CSP has no way to write an IPv6 address (level 3, section 2.3.1, host-source): the scheme must do.
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

/// Whether it can stand in a policy without being read as more than one source.
fn is_source(origin: &str) -> bool {
    !origin.is_empty()
        && origin
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b":/.-_".contains(&b))
}

/// What the web face itself refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// The headers can be read in two ways.
    Headers(Smuggled),
    /// The body is too large, too slow or broken.
    Body(BodyError),
    /// A form was expected, something else came.
    NotAForm,
    /// A field is missing, doubled or malformed.
    BadForm,
    /// Another site's page posted the form.
    CrossSite,
    /// The request names a host that is not this gateway's.
    WrongHost,
    /// The path knows other methods: the value of `Allow`.
    Method(&'static str),
    /// A budget is used up.
    Busy(Exhausted),
    /// Something inside broke.
    Broken,
}

/// How a problem is told.
struct Told {
    status: StatusCode,
    /// OAuth's `error`.
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
}

impl Problem {
    fn told(self) -> Told {
        let told = |status, code, title, explanation| Told {
            status,
            code,
            title,
            explanation,
        };
        let unreadable =
            |status, explanation| told(status, "invalid_request", "That could not be read", explanation);
        match self {
            Self::Headers(Smuggled::Underscore) => unreadable(
                StatusCode::BAD_REQUEST,
                "A header name with an underscore was sent; something between you and this gateway adds it.",
            ),
            Self::Headers(Smuggled::Doubled) => unreadable(
                StatusCode::BAD_REQUEST,
                "A header that may come only once came twice; something between you and this gateway adds it.",
            ),
            Self::Headers(Smuggled::NotText) => unreadable(
                StatusCode::BAD_REQUEST,
                "A header holds characters that are not allowed there.",
            ),
            Self::Body(BodyError::TooLarge) => unreadable(
                StatusCode::PAYLOAD_TOO_LARGE,
                "What was sent is larger than this gateway reads.",
            ),
            Self::Body(BodyError::TooSlow) => told(
                StatusCode::REQUEST_TIMEOUT,
                "invalid_request",
                "That took too long",
                "The connection was too slow and was given up. Nothing was changed.",
            ),
            Self::Body(BodyError::Broken) => unreadable(
                StatusCode::BAD_REQUEST,
                "The connection broke before everything had arrived.",
            ),
            Self::NotAForm => unreadable(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This address reads forms only (application/x-www-form-urlencoded).",
            ),
            Self::BadForm => unreadable(
                StatusCode::BAD_REQUEST,
                "A field of the form is missing or came twice.",
            ),
            Self::CrossSite => told(
                StatusCode::FORBIDDEN,
                "invalid_request",
                "That came from another site",
                "The form was sent by a page that is not this gateway’s. Nothing was done with it.",
            ),
            Self::WrongHost => told(
                StatusCode::MISDIRECTED_REQUEST,
                "invalid_request",
                "This is not the gateway’s address",
                "The gateway was reached under another name than its own, so it does not ask for a password here.",
            ),
            Self::Method(_) => unreadable(StatusCode::METHOD_NOT_ALLOWED, "This address does not do that."),
            Self::Busy(_) => told(
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "Too much at once",
                "The gateway was asked this too often in a short time. Wait a little, then try again.",
            ),
            Self::Broken => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "Something broke here",
                "It is the gateway’s fault, not yours, and it is in its log.",
            ),
        }
    }

    /// What a person can do about it, in order.
    fn steps(self, origin: &str) -> Vec<String> {
        match self {
            Self::WrongHost => vec![
                format!("Open {origin} instead."),
                "If you run this gateway: PUBLIC_URL must be the address that people use, and a proxy in front must \
                 pass the Host header on."
                    .to_owned(),
            ],
            _ => start_again(origin),
        }
    }

    /// For a program: `{error, error_description}` (RFC 6749, section 5.2).
    pub(super) fn as_json(self) -> Response {
        let told = self.told();
        let body = json!({ "error": told.code, "error_description": ascii(told.explanation) });
        self.with_headers(json(told.status, body.to_string()))
    }

    /// For a person.
    pub(super) fn as_page(self, frame: pages::Frame, origin: &str, reference: &str) -> Response {
        let told = self.told();
        let message = pages::Message {
            frame,
            title: told.title.to_owned(),
            explanation: told.explanation.to_owned(),
            steps: self.steps(origin),
            reference: reference.to_owned(),
        };
        self.with_headers(page(told.status, &message, Forms::None))
    }

    fn with_headers(self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        match self {
            Self::Method(allowed) => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            Self::Busy(Exhausted { retry_after_s }) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_s));
            }
            _ => {}
        }
        response
    }
}

/// The advice that mends most of what can go wrong while connecting.
pub(super) fn start_again(origin: &str) -> Vec<String> {
    vec![
        "Go back to the app you came from and start connecting again.".to_owned(),
        format!("If that does not help, remove the connector there and add it again: {origin}/mcp"),
    ]
}

/// `error_description` is ASCII without quotes (RFC 6749, section 5.2).
fn ascii(text: &str) -> String {
    text.replace('’', "'").chars().filter(char::is_ascii).collect()
}

/// What `/token`, `/register` and `/revoke` answer when they do (RFC 6749, sections 5.1 and 5.2).
pub(super) fn oauth(outcome: Result<(StatusCode, Value), OAuthError>) -> Response {
    let mut response = match outcome {
        Ok((status, Value::Null)) => empty(status),
        Ok((status, body)) => json(status, body.to_string()),
        Err(error) => {
            if let OAuthError::TemporarilyUnavailable(source) = &error {
                tracing::error!(name: "store.unavailable", reason = %source, "store.unavailable");
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

/// The headers that every answer has. What a handler set stays.
pub(super) fn finish(response: &mut Response, request_id: &str, https: bool) {
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
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
}

#[cfg(test)]
mod tests {
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
    fn problems_have_their_status() {
        let check = |problem: Problem, status: u16, code: &str| {
            let response = problem.as_json();
            assert_eq!(response.status().as_u16(), status, "{problem:?}");
            assert_eq!(problem.told().code, code, "{problem:?}");
            assert!(ascii(problem.told().explanation).len() > 20);
            let frame = pages::Frame::new("localhost", None, None, false);
            let page = problem.as_page(frame, "http://localhost", "req_1");
            assert_eq!(page.status(), response.status());
            assert_eq!(page.headers().get(ALLOW), response.headers().get(ALLOW));
        };
        for smuggled in [Smuggled::Underscore, Smuggled::Doubled, Smuggled::NotText] {
            check(Problem::Headers(smuggled), 400, "invalid_request");
        }
        check(Problem::Body(BodyError::TooLarge), 413, "invalid_request");
        check(Problem::Body(BodyError::TooSlow), 408, "invalid_request");
        check(Problem::Body(BodyError::Broken), 400, "invalid_request");
        check(Problem::NotAForm, 415, "invalid_request");
        check(Problem::BadForm, 400, "invalid_request");
        check(Problem::CrossSite, 403, "invalid_request");
        check(Problem::WrongHost, 421, "invalid_request");
        check(Problem::Method("GET, HEAD"), 405, "invalid_request");
        check(
            Problem::Busy(Exhausted { retry_after_s: 7 }),
            429,
            "temporarily_unavailable",
        );
        check(Problem::Broken, 500, "server_error");
        let busy = Problem::Busy(Exhausted { retry_after_s: 7 }).as_json();
        assert_eq!(busy.headers().get(RETRY_AFTER).unwrap(), "7");
    }

    #[test]
    fn oauth_answers_are_never_stored() {
        let check = |outcome, status: u16| {
            let mut response = oauth(outcome);
            finish(&mut response, "req_1", true);
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
        finish(&mut plain, "req_1", false);
        assert!(plain.headers().get(STRICT_TRANSPORT_SECURITY).is_none());
        assert_eq!(plain.headers().get(X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        assert_eq!(plain.headers().get(X_REQUEST_ID).unwrap(), "req_1");
        let mut cached = empty(StatusCode::OK);
        cached
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        finish(&mut cached, "req_2", true);
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
