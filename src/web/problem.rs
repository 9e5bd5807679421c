//! Requests that the web server itself refuses. Each refusal is one row of one match: status, error code, and the words
//! for people. A browser gets a page; a program gets JSON with OAuth's two members, which all clients can read.

use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

use super::body::BodyError;
use super::pages;
use super::reply::{Forms, Response, json, page};
use super::request::{RequestId, Smuggled};
use super::words::{SiteWords, TitledWords, fill};

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
    /// The visit to the person's own page is over.
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
    fn text(self, words: &SiteWords) -> ProblemText {
        let problems = &words.failures.problems;
        let text = |status, code, said: &TitledWords| ProblemText {
            status,
            code,
            title: said.title,
            explanation: said.text,
        };
        let invalid = |status, said| text(status, "invalid_request", said);
        let unreadable = |status, explanation| ProblemText {
            status,
            code: "invalid_request",
            title: problems.unreadable,
            explanation,
        };
        match self {
            Self::Headers(Smuggled::Underscore) => unreadable(StatusCode::BAD_REQUEST, problems.underscore),
            Self::Headers(Smuggled::Doubled) => unreadable(StatusCode::BAD_REQUEST, problems.doubled),
            Self::Headers(Smuggled::NotText) => unreadable(StatusCode::BAD_REQUEST, problems.not_text),
            Self::Body(BodyError::TooLarge) => unreadable(StatusCode::PAYLOAD_TOO_LARGE, problems.too_large),
            Self::Body(BodyError::TooSlow) => invalid(StatusCode::REQUEST_TIMEOUT, &problems.too_slow),
            Self::Body(BodyError::Broken) => unreadable(StatusCode::BAD_REQUEST, problems.cut_off),
            Self::NotAForm => unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE, problems.not_a_form),
            Self::BadForm => unreadable(StatusCode::BAD_REQUEST, problems.bad_form),
            Self::CrossSite => invalid(StatusCode::FORBIDDEN, &problems.cross_site),
            Self::WrongHost => invalid(StatusCode::MISDIRECTED_REQUEST, &problems.wrong_host),
            Self::Method(_) => unreadable(StatusCode::METHOD_NOT_ALLOWED, problems.method),
            Self::Broken => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                &problems.broken,
            ),
            Self::SpentCode => invalid(StatusCode::BAD_REQUEST, &problems.spent_code),
            Self::PageClosed => invalid(StatusCode::UNAUTHORIZED, &problems.page_closed),
            Self::TooMany => text(
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                &problems.too_many,
            ),
        }
    }

    /// What a person can do about it, in order.
    fn steps(self, frame: &pages::Frame, origin: &str) -> Vec<String> {
        let steps = &frame.words.failures.steps;
        let values = [("origin", origin), ("operator", frame.operator())];
        match self {
            Self::WrongHost => vec![
                fill(steps.open_instead, &values),
                fill(steps.tell_operator, &values),
            ],
            Self::SpentCode | Self::PageClosed => {
                vec![steps.ask_claude.to_owned(), fill(steps.sign_in_at, &values)]
            }
            Self::TooMany => vec![steps.wait.to_owned()],
            _ => start_again(frame.words, origin),
        }
    }

    /// The response for a program: `{error, error_description}` (RFC 6749, section 5.2).
    pub(super) fn as_json(self) -> Response {
        let text = self.text(SiteWords::english());
        let body = serde_json::json!({ "error": text.code, "error_description": ascii(text.explanation) });
        self.with_headers(json(text.status, body.to_string()))
    }

    pub(super) fn as_page(self, frame: pages::Frame, origin: &str, reference: RequestId) -> Response {
        let text = self.text(frame.words);
        let message = pages::MessagePage {
            title: text.title.to_owned(),
            explanation: text.explanation.to_owned(),
            steps: self.steps(&frame, origin),
            technical: None,
            frame,
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
pub(super) fn start_again(words: &SiteWords, origin: &str) -> Vec<String> {
    let steps = &words.failures.steps;
    vec![
        steps.go_back.to_owned(),
        fill(steps.add_again, &[("origin", origin)]),
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
            let text = problem.text(SiteWords::english());
            assert_eq!(text.code, code, "{problem:?}");
            assert!(ascii(text.explanation).len() > 20);
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
