//! Requests that the web server itself refuses. Each refusal is one row of one match: status, error code, sentences
//! for people. A browser gets a page; a program gets JSON with OAuth's two members, which all clients can read.

use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

use super::body::BodyError;
use super::pages;
use super::reply::{Forms, Response, json, page};
use super::request::{RequestId, Smuggled};

/// Why the web server refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Headers(Smuggled),
    /// The body is too large, too slow or broken.
    Body(BodyError),
    /// The body is not a form.
    NotAForm,
    /// A field is missing, repeated or malformed.
    BadForm,
    /// Another site's page posted the form.
    CrossSite,
    /// `Host` names a host that is not this gateway's.
    WrongHost,
    /// The path does not allow this method. Contains the value of `Allow`.
    Method(&'static str),
    Broken,
    /// The code of a link to a person's own page is unknown, spent or expired.
    SpentCode,
    /// The visit to the own page is over.
    PageClosed,
    TooMany,
}

/// How a problem is reported.
struct ProblemText {
    status: StatusCode,
    /// The value of OAuth's `error` member.
    code: &'static str,
    title: &'static str,
    explanation: &'static str,
}

impl Problem {
    fn text(self) -> ProblemText {
        let text = |status, code, title, explanation| ProblemText {
            status,
            code,
            title,
            explanation,
        };
        let unreadable =
            |status, explanation| text(status, "invalid_request", "That could not be read", explanation);
        match self {
            Self::Headers(Smuggled::Underscore) => unreadable(
                StatusCode::BAD_REQUEST,
                "A header name has an underscore. A proxy between you and this gateway probably added it.",
            ),
            Self::Headers(Smuggled::Doubled) => unreadable(
                StatusCode::BAD_REQUEST,
                "A header that may appear only once appears twice. A proxy between you and this gateway probably added it.",
            ),
            Self::Headers(Smuggled::NotText) => unreadable(
                StatusCode::BAD_REQUEST,
                "A header holds characters that are not allowed there.",
            ),
            Self::Body(BodyError::TooLarge) => unreadable(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request is larger than this gateway accepts.",
            ),
            Self::Body(BodyError::TooSlow) => text(
                StatusCode::REQUEST_TIMEOUT,
                "invalid_request",
                "That took too long",
                "The connection was too slow and was closed. Nothing was changed.",
            ),
            Self::Body(BodyError::Broken) => unreadable(
                StatusCode::BAD_REQUEST,
                "The connection broke before the whole request had arrived.",
            ),
            Self::NotAForm => unreadable(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This address reads forms only (application/x-www-form-urlencoded).",
            ),
            Self::BadForm => unreadable(
                StatusCode::BAD_REQUEST,
                "A field of the form is missing or came twice.",
            ),
            Self::CrossSite => text(
                StatusCode::FORBIDDEN,
                "invalid_request",
                "That came from another site",
                "The form was sent by a page that is not this gateway’s. Nothing was done with it.",
            ),
            Self::WrongHost => text(
                StatusCode::MISDIRECTED_REQUEST,
                "invalid_request",
                "This is not the gateway’s address",
                "The gateway was reached under another name than its own, so it does not ask for a password here.",
            ),
            Self::Method(_) => unreadable(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not support that method.",
            ),
            Self::Broken => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "Something broke here",
                "The fault is in the gateway, not in what you did. Its log has the details.",
            ),
            Self::SpentCode => text(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "This link does not open your page any more",
                "A link opens the page once, within ten minutes, and a newer one replaces it. Nothing was changed.",
            ),
            Self::PageClosed => text(
                StatusCode::UNAUTHORIZED,
                "invalid_request",
                "Your page is closed",
                "It closes after half an hour, and with the access of the app that opened it. Nothing was changed.",
            ),
            Self::TooMany => text(
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "That was too often",
                "Many forms came from your network in a short time. Nothing was changed. Wait a minute.",
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
            Self::SpentCode | Self::PageClosed => vec![
                "Ask Claude to open your page, for a new link.".to_owned(),
                format!("Or sign in at Garmin at {origin}/me"),
            ],
            Self::TooMany => vec!["Wait a minute, and try again.".to_owned()],
            _ => start_again(origin),
        }
    }

    /// The response for a program: `{error, error_description}` (RFC 6749, section 5.2).
    pub(super) fn as_json(self) -> Response {
        let text = self.text();
        let body = serde_json::json!({ "error": text.code, "error_description": ascii(text.explanation) });
        self.with_headers(json(text.status, body.to_string()))
    }

    pub(super) fn as_page(self, frame: pages::Frame, origin: &str, reference: RequestId) -> Response {
        let text = self.text();
        let message = pages::MessagePage {
            frame,
            title: text.title.to_owned(),
            explanation: text.explanation.to_owned(),
            steps: self.steps(origin),
            reference: reference.to_string(),
        };
        self.with_headers(page(text.status, &message, Forms::None))
    }

    fn with_headers(self, mut response: Response) -> Response {
        if let Self::Method(allowed) = self {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

/// The steps that fix most problems while connecting.
pub(super) fn start_again(origin: &str) -> Vec<String> {
    vec![
        "Go back to the app you came from and start connecting again.".to_owned(),
        format!("If that does not help, remove the connector there and add it again: {origin}/mcp"),
    ]
}

/// Makes the text valid for `error_description`: ASCII without quotes (RFC 6749, section 5.2).
fn ascii(text: &str) -> String {
    text.replace('’', "'").chars().filter(char::is_ascii).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_their_status() {
        let check = |problem: Problem, status: u16, code: &str| {
            let response = problem.as_json();
            assert_eq!(response.status().as_u16(), status, "{problem:?}");
            assert_eq!(problem.text().code, code, "{problem:?}");
            assert!(ascii(problem.text().explanation).len() > 20);
            let frame = pages::Frame::new("localhost", None, None, false);
            let page = problem.as_page(frame, "http://localhost", RequestId::default());
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
        check(Problem::Broken, 500, "server_error");
        check(Problem::SpentCode, 400, "invalid_request");
        check(Problem::PageClosed, 401, "invalid_request");
        check(Problem::TooMany, 429, "temporarily_unavailable");
    }
}
