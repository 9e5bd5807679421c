//! Garmin's response to a request, read completely, and the signals that are the same on every interface.

use std::time::Duration;

use serde_json::Value;

#[derive(Clone, Default)]
pub(super) struct GarminResponse {
    pub(super) status: u16,
    /// From `Retry-After`: how long to send nothing.
    pub(super) retry_after: Option<Duration>,
    /// The content type in lower case.
    pub(super) content_type: String,
    pub(super) text: String,
}

/// Why a request got no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoResponse {
    /// No connection was made, so nothing was sent. Another request to the same host would fail too.
    NotConnected,
    /// The connection broke, timed out, or sent too much. Garmin may have acted on the request.
    Lost,
}

impl GarminResponse {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok()
    }

    /// Whether this is a challenge page of Cloudflare, which protects Garmin and lets only browsers or humans pass.
    pub(super) fn is_challenge_page(&self) -> bool {
        let is_html = self.content_type.contains("html") || self.text.trim_start().starts_with('<');
        is_html && has_challenge_words(&self.text)
    }

    /// Whether Garmin asks for fewer requests: by the status, or in the body of a success.
    pub(super) fn is_throttle(&self) -> bool {
        self.status == 429
            || self.json().is_some_and(|json| {
                let code = json.pointer("/error/status-code");
                code.is_some_and(|code| code == "429" || code == 429)
            })
    }

    /// Whether the server has an outage, as opposed to refusing the request.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self.status, 408 | 425 | 500..)
    }

    /// Whether this is an RFC 9457 problem document: the server could not read the request.
    pub(super) fn is_problem_document(&self) -> bool {
        self.content_type.contains("problem+json")
    }
}

/// [`GarminResponse::is_challenge_page`] for a body without its content type.
pub(super) fn is_challenge_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<") && has_challenge_words(&String::from_utf8_lossy(body))
}

fn has_challenge_words(page: &str) -> bool {
    const SIGNS: [&str; 4] = [
        "Just a moment",
        "Attention Required",
        "Access denied",
        "cf-challenge",
    ];
    SIGNS.iter().any(|sign| page.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_a_page_and_not_a_phrase_in_json() {
        let response = |content_type: &str, text: &str| GarminResponse {
            status: 403,
            content_type: content_type.to_owned(),
            text: text.to_owned(),
            ..GarminResponse::default()
        };
        assert!(response("text/html; charset=utf-8", "<title>Just a moment...</title>").is_challenge_page());
        assert!(response("", "  <html>Access denied</html>").is_challenge_page());
        assert!(!response("application/json", r#"{"message":"Access denied"}"#).is_challenge_page());
        assert!(!response("text/html", "<title>Success</title>").is_challenge_page());
    }
}
