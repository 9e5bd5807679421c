//! HTTP requests and responses of the pretend Garmin as plain data, so that answers are computed without I/O.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value, json};
use url::form_urlencoded;

/// A request whose body was read completely.
#[derive(Debug, Clone, Default)]
pub(super) struct SimulatedRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// Header names are in lower case.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Bytes,
}

impl SimulatedRequest {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        pair(self.query.as_bytes(), name)
    }

    /// A field of the form in the body.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        pair(&self.body, name)
    }

    /// The parsed body; `None` if it is not JSON.
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

#[derive(Debug, Clone, PartialEq)]
pub(super) struct SimulatedResponse {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// Closes the connection in the middle of the body.
    pub(super) hangs_up: bool,
    pub(super) delay_ms: u64,
}

impl SimulatedResponse {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json;charset=UTF-8", body.to_string())
    }

    pub(super) fn file(content_type: &str, bytes: Vec<u8>) -> Self {
        Self {
            body: bytes.into(),
            ..Self::of(200, content_type, String::new())
        }
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

    /// An error response in the format of Garmin's API.
    pub(super) fn api_error(status: u16, error: &str, message: &str) -> Self {
        Self::json(status, &json!({"message": message, "error": error}))
    }

    /// The single sign-on's response to a malformed request (RFC 9457).
    pub(super) fn problem() -> Self {
        let body = json!({"title": "Bad Request", "status": 400, "detail": "Failed to read request"});
        Self::of(400, "application/problem+json", body.to_string())
    }
}
