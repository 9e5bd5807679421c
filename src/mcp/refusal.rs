//! What is wrong with a request, as a JSON-RPC error: its code, its HTTP status, and who can act.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{
    members::write_string,
    revision::{Era, MODERN},
};

/// The code of "resource not found" up to 2025-11-25. 2026-07-28 forbids to send it.
pub const OLD_RESOURCE_NOT_FOUND: i64 = -32002;
/// JSON-RPC's "invalid params".
pub const INVALID_PARAMS: i64 = -32602;

/// Why a request is not served. *The client's author* can act on all but the last three.
///
/// Sources: JSON-RPC 2.0 section 5.1; MCP 2026-07-28 `basic/index` (error codes) and
/// `basic/transports/streamable-http`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400, -32700.
    #[error("the body is not JSON in UTF-8")]
    NotJson,
    /// 400, -32600: only 2025-03-26 had batches, and no client sends them.
    #[error("batches are not supported; send one message per request")]
    Batch,
    /// 400, -32600.
    #[error("not a JSON-RPC 2.0 message: {0}")]
    NotAMessage(Cow<'static, str>),
    /// 413, -32600.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// 406, -32600: `Accept` excludes both JSON and event streams.
    #[error("Accept must allow application/json or text/event-stream")]
    NotAcceptable,
    /// 415, -32600.
    #[error("Content-Type must be application/json")]
    UnsupportedMediaType,
    /// 403, -32600: a browser page of another site.
    #[error("requests from this origin are not allowed")]
    ForeignOrigin,
    /// 403, -32600: the host name is not ours (DNS rebinding). *The operator* can act: `PUBLIC_URL`.
    #[error("this server is not known by that host name")]
    ForeignHost,
    /// 400, -32602: a required member of `_meta` (modern) is missing or of the wrong type.
    #[error("params._meta[\"{0}\"] is required, and must be {1}")]
    Metadata(&'static str, &'static str),
    /// 400, -32020: a header is missing, malformed, or says something else than the body.
    #[error("Header mismatch: {0}")]
    HeaderMismatch(Cow<'static, str>),
    /// 400, -32022: with the versions that would do.
    #[error("Unsupported protocol version")]
    UnsupportedVersion {
        /// The version asked for.
        requested: String,
        /// Where it was asked for: with modern metadata only the modern version would do.
        era: Era,
    },
    /// 404 (modern) or 200 (legacy, where 404 means that a session died), -32601.
    #[error("Method not found: {method}")]
    MethodNotFound {
        /// The method, shortened.
        method: String,
        /// The era of the request.
        era: Era,
    },
    /// 200, -32602: the request is well-formed, but names something that does not exist, or lacks a parameter.
    #[error("{0}")]
    InvalidParams(Cow<'static, str>),
    /// 200, -32602 (modern) or -32002 (legacy): with the URI, as the specification asks.
    #[error("Resource not found: {uri}")]
    ResourceNotFound {
        /// The URI asked for.
        uri: String,
        /// The era of the request.
        era: Era,
    },
    /// 200, -32603: no worker answered a request that is not a tool call. *Person or operator* can act, the text
    /// says who.
    #[error("{0}")]
    NoAnswer(String),
}

/// A refusal, and the id of the request it answers where that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The id, as the raw JSON text that the client sent.
    pub id: Option<Box<str>>,
    /// What is wrong.
    pub refusal: Refusal,
}

impl Refusal {
    /// The JSON-RPC error code.
    pub fn code(&self) -> i64 {
        match self {
            Refusal::NotJson => -32700,
            Refusal::Batch
            | Refusal::NotAMessage(_)
            | Refusal::TooLarge { .. }
            | Refusal::NotAcceptable
            | Refusal::UnsupportedMediaType
            | Refusal::ForeignOrigin
            | Refusal::ForeignHost => -32600,
            Refusal::MethodNotFound { .. } => -32601,
            Refusal::ResourceNotFound { era: Era::Legacy, .. } => OLD_RESOURCE_NOT_FOUND,
            Refusal::Metadata(..) | Refusal::InvalidParams(_) | Refusal::ResourceNotFound { .. } => {
                INVALID_PARAMS
            }
            Refusal::NoAnswer(_) => -32603,
            Refusal::HeaderMismatch(_) => -32020,
            Refusal::UnsupportedVersion { .. } => -32022,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::NotJson
            | Refusal::Batch
            | Refusal::NotAMessage(_)
            | Refusal::Metadata(..)
            | Refusal::HeaderMismatch(_)
            | Refusal::UnsupportedVersion { .. } => 400,
            Refusal::ForeignOrigin | Refusal::ForeignHost => 403,
            Refusal::MethodNotFound { era: Era::Modern, .. } => 404,
            Refusal::NotAcceptable => 406,
            Refusal::TooLarge { .. } => 413,
            Refusal::UnsupportedMediaType => 415,
            Refusal::MethodNotFound { era: Era::Legacy, .. }
            | Refusal::InvalidParams(_)
            | Refusal::ResourceNotFound { .. }
            | Refusal::NoAnswer(_) => 200,
        }
    }

    /// The member `data` of the error, as JSON text.
    fn data(&self) -> Option<String> {
        let mut out = String::new();
        match self {
            Refusal::UnsupportedVersion { requested, era } => {
                out.push_str("{\"supported\":[");
                write_string(&mut out, MODERN);
                if *era == Era::Legacy {
                    for version in super::revision::LEGACY {
                        out.push(',');
                        write_string(&mut out, version);
                    }
                }
                out.push_str("],\"requested\":");
                write_string(&mut out, requested);
                out.push('}');
            }
            Refusal::ResourceNotFound { uri, .. } => {
                out.push_str("{\"uri\":");
                write_string(&mut out, uri);
                out.push('}');
            }
            _ => return None,
        }
        Some(out)
    }

    /// The JSON-RPC response. `id` is the raw text of the request's id; without one the member is left out
    /// (MCP forbids `null`).
    pub fn body(&self, id: Option<&str>) -> Bytes {
        let mut out = String::with_capacity(160);
        out.push_str("{\"jsonrpc\":\"2.0\"");
        if let Some(id) = id {
            out.push_str(",\"id\":");
            out.push_str(id);
        }
        out.push_str(",\"error\":{\"code\":");
        out.push_str(&self.code().to_string());
        out.push_str(",\"message\":");
        write_string(&mut out, &self.to_string());
        if let Some(data) = self.data() {
            out.push_str(",\"data\":");
            out.push_str(&data);
        }
        out.push_str("}}");
        Bytes::from(out)
    }

    /// This refusal as the answer to a request whose id could (or could not) be read.
    pub fn of(self, id: Option<&RawValue>) -> Rejected {
        Rejected {
            id: id.map(|id| id.get().into()),
            refusal: self,
        }
    }
}

impl Rejected {
    /// The JSON-RPC response.
    pub fn body(&self) -> Bytes {
        self.refusal.body(self.id.as_deref())
    }
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Self {
        refusal.of(None)
    }
}

/// What a stranger wrote, short enough to be repeated in a message.
pub(super) fn shortened(text: &str) -> String {
    const LIMIT: usize = 100;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of codes: JSON-RPC's, section 3 of the transport, and the rows of the HTTP statuses.
    #[test]
    fn every_refusal_has_its_code_and_status() {
        let modern = Era::Modern;
        let legacy = Era::Legacy;
        for (refusal, code, status) in [
            (Refusal::NotJson, -32700, 400),
            (Refusal::Batch, -32600, 400),
            (Refusal::NotAMessage("x".into()), -32600, 400),
            (Refusal::TooLarge { limit: 1 }, -32600, 413),
            (Refusal::NotAcceptable, -32600, 406),
            (Refusal::UnsupportedMediaType, -32600, 415),
            (Refusal::ForeignOrigin, -32600, 403),
            (Refusal::ForeignHost, -32600, 403),
            (Refusal::Metadata("x", "y"), -32602, 400),
            (Refusal::HeaderMismatch("x".into()), -32020, 400),
            (
                Refusal::UnsupportedVersion {
                    requested: "v9".into(),
                    era: modern,
                },
                -32022,
                400,
            ),
            (
                Refusal::MethodNotFound {
                    method: "x".into(),
                    era: modern,
                },
                -32601,
                404,
            ),
            (
                Refusal::MethodNotFound {
                    method: "x".into(),
                    era: legacy,
                },
                -32601,
                200,
            ),
            (Refusal::InvalidParams("x".into()), -32602, 200),
            (
                Refusal::ResourceNotFound {
                    uri: "x".into(),
                    era: modern,
                },
                -32602,
                200,
            ),
            (
                Refusal::ResourceNotFound {
                    uri: "x".into(),
                    era: legacy,
                },
                -32002,
                200,
            ),
            (Refusal::NoAnswer("x".into()), -32603, 200),
        ] {
            assert_eq!((refusal.code(), refusal.status()), (code, status), "{refusal:?}");
        }
    }

    #[test]
    fn bodies_are_json_rpc_errors() {
        let body = |refusal: Refusal, id: Option<&str>| String::from_utf8(refusal.body(id).to_vec()).unwrap();
        assert_eq!(
            body(Refusal::NotJson, None),
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON in UTF-8"}}"#
        );
        assert_eq!(
            body(
                Refusal::UnsupportedVersion {
                    requested: "v999".into(),
                    era: Era::Modern
                },
                Some("\"a\"")
            ),
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"v999"}}}"#
        );
        assert_eq!(
            body(
                Refusal::ResourceNotFound {
                    uri: "a\"b".into(),
                    era: Era::Modern
                },
                Some("7")
            ),
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"Resource not found: a\"b","data":{"uri":"a\"b"}}}"#
        );
    }

    #[test]
    fn repeated_text_is_short() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(200)).chars().count(), 101);
    }
}
