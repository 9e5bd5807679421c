//! Requests to Garmin and its answers, as data.
//!
//! The steps of the sign-in and of the refresh are plain functions over these; [`super::http`] does the sending. So
//! what is sent, and what is made of an answer, is tested without a network.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::refusal::SignInMethod;

/// What a browser on a desk calls itself, for the pages that are made for one.
pub(super) const BROWSER: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
/// What a browser takes where it asks for a page.
pub(super) const ACCEPT_PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// One request to send.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
    pub(super) cookies: Cookies,
    /// Wait before sending, as a human or a polite client would.
    pub(super) pause: Pause,
    /// Whose limits at Garmin it counts against: one way in, or (`None`) all of them.
    pub(super) bucket: Option<SignInMethod>,
}

impl Ask {
    /// A request that is sent at once.
    pub(super) fn new(method: Method, url: Url, body: Body) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body,
            cookies: Cookies::None,
            pause: Pause::None,
            bucket: None,
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self
    }

    pub(super) fn pause(mut self, pause: Pause) -> Self {
        self.pause = pause;
        self
    }

    pub(super) fn bucket(mut self, way: SignInMethod) -> Self {
        self.bucket = Some(way);
        self
    }
}

/// The two that signing in needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
}

/// No `Debug`: bodies hold passwords, codes and tokens.
#[derive(Clone, PartialEq)]
pub(super) enum Body {
    Empty,
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

/// What to do with the cookies of a sign-in. Garmin binds a code to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookies {
    /// Forget all; a way in starts as a new browser.
    New,
    /// Send and keep them.
    Keep,
    /// Neither send nor keep: the token service and the API take none.
    None,
}

/// How long to wait before a request; the durations are settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pause {
    None,
    /// Between the widget's form and its submission.
    Form,
    /// Between the portal's page and its submission.
    Portal,
    /// Before a read is repeated.
    Again,
}

/// What came back.
pub(super) enum Heard {
    Answer(Answer),
    /// No answer: broken off, timed out, too long. It may have been read.
    Nothing,
    /// There was no connection to send it on; the same host will not answer another request either.
    NoConnection,
}

/// An HTTP answer, read to its end.
#[derive(Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// From `Retry-After`: how long to stay away.
    pub(super) retry_after: Option<Duration>,
    pub(super) content_type: String,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok()
    }

    /// Whether this is a page for a browser, where JSON was asked for.
    pub(super) fn is_html(&self) -> bool {
        self.content_type.contains("html") || self.text.trim_start().starts_with('<')
    }

    /// Whether this is a page of the guard in front of Garmin, which wants a browser (or a human).
    pub(super) fn is_challenge_page(&self) -> bool {
        self.is_html() && speaks_as_guard(&self.text)
    }

    /// Whether Garmin asks for fewer requests: by the status, or inside an answer that calls itself a success.
    pub(super) fn is_throttle(&self) -> bool {
        self.status == 429
            || self.json().is_some_and(|json| {
                let code = json.pointer("/error/status-code");
                code.is_some_and(|code| code == "429" || code == 429)
            })
    }

    /// Whether the server is out of order, as opposed to refusing.
    pub(super) fn is_out_of_order(&self) -> bool {
        matches!(self.status, 408 | 425 | 500..)
    }
}

/// As [`Answer::is_challenge_page`], of a body alone.
pub(super) fn is_challenge_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") && speaks_as_guard(&String::from_utf8_lossy(body))
}

fn speaks_as_guard(page: &str) -> bool {
    const SIGNS: [&str; 4] = [
        "Just a moment",
        "Attention Required",
        "Access denied",
        "cf-challenge",
    ];
    SIGNS.iter().any(|sign| page.contains(sign))
}

/// `base` with `path` behind its own path, so that a base URL may have one.
pub(super) fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!(
        "{}/{}",
        base.path().trim_end_matches('/'),
        path.trim_start_matches('/')
    );
    url.set_path(&joined);
    url.set_query(None);
    url
}

/// `scheme://host[:port]` of a URL.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_behind_the_base() {
        let check = |base: &str, path: &str, whole: &str| {
            assert_eq!(at(&base.parse().unwrap(), path).as_str(), whole);
        };
        check(
            "https://sso.garmin.com",
            "/sso/embed",
            "https://sso.garmin.com/sso/embed",
        );
        check(
            "http://127.0.0.1:9/garmin/",
            "/sso/embed",
            "http://127.0.0.1:9/garmin/sso/embed",
        );
        check(
            "http://127.0.0.1:9/garmin?x=1",
            "sso/embed",
            "http://127.0.0.1:9/garmin/sso/embed",
        );
    }

    #[test]
    fn a_challenge_is_a_page_not_a_word() {
        let answer = |content_type: &str, text: &str| Answer {
            status: 403,
            content_type: content_type.to_owned(),
            text: text.to_owned(),
            ..Answer::default()
        };
        assert!(answer("text/html; charset=UTF-8", "<title>Just a moment...</title>").is_challenge_page());
        assert!(answer("", "  <html>Access denied</html>").is_challenge_page());
        assert!(!answer("application/json", r#"{"message":"Access denied"}"#).is_challenge_page());
        assert!(!answer("text/html", "<title>Success</title>").is_challenge_page());
    }
}
