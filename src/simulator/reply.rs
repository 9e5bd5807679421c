//! Requests and replies of the pretend Garmin, as data: what it answers is decided without I/O.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};
use url::form_urlencoded;

/// A request, read to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// Lower-case names.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A value of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        pair(self.query.as_bytes(), name)
    }

    /// A value of the form in the body.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        pair(&self.body, name)
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self
            .header("cookie")
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

fn pair(text: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(text)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// Break off in the middle of the body.
    pub(super) hangs_up: bool,
    /// Wait before answering.
    pub(super) delay_ms: u64,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json;charset=UTF-8", body.to_string())
    }

    pub(super) fn html(status: u16, body: String) -> Self {
        Self::of(status, "text/html;charset=UTF-8", body)
    }

    pub(super) fn empty(status: u16) -> Self {
        Self {
            headers: vec![],
            ..Self::of(status, "", String::new())
        }
    }

    fn of(status: u16, content_type: &str, body: String) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
            hangs_up: false,
            delay_ms: 0,
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An error of the API, in its own form.
    pub(super) fn api_error(status: u16, error: &str, message: &str) -> Self {
        Self::json(status, &json!({"message": message, "error": error}))
    }

    /// What the single sign-on says to a request that it can't read (RFC 9457).
    pub(super) fn problem() -> Self {
        let body = json!({"title": "Bad Request", "status": 400, "detail": "Failed to read request"});
        Self::of(400, "application/problem+json", body.to_string())
    }
}
