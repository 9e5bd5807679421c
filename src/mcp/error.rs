//! Errors in requests, as JSON-RPC errors with a code, an HTTP status and the party that can act.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::members::write_string;
use super::revision::{Era, LEGACY, MODERN};

/// The code of "resource not found" up to 2025-11-25. Servers of 2026-07-28 must not send it.
pub const OLD_RESOURCE_NOT_FOUND: i64 = -32002;
pub const INVALID_PARAMS: i64 = -32602;

/// The reason why a request is refused. The *client's author* can act, unless a variant names another party.
///
/// Sources: JSON-RPC 2.0 section 5.1; MCP 2026-07-28 `basic/index` (error codes) and
/// `basic/transports/streamable-http`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    #[error("the body is not JSON in UTF-8")]
    NotJson,
    /// Only revision 2025-03-26 had batches, and no known client sends them.
    #[error("batches are not supported; send one message per request")]
    Batch,
    #[error("not a JSON-RPC 2.0 message: {0}")]
    NotAMessage(Cow<'static, str>),
    #[error(
        "the body is larger than {limit} bytes; send less in one request. A long text can be shortened, and a GPX course can be \
         thinned out to a point every 50 m"
    )]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The header `Accept` allows neither JSON nor event streams.
    #[error("Accept must allow application/json or text/event-stream")]
    NotAcceptable,
    #[error("Content-Type must be application/json")]
    UnsupportedMediaType,
    /// The request comes from a browser page of a foreign site.
    #[error("requests from this origin are not allowed")]
    ForeignOrigin,
    /// The host name is not the gateway's (DNS rebinding). The *operator* can act by setting `PUBLIC_URL`.
    #[error("this server is not known by that host name")]
    ForeignHost,
    /// A required member of `_meta` (modern) is missing or has the wrong type.
    #[error("params._meta[\"{0}\"] is required, and must be {1}")]
    Metadata(&'static str, &'static str),
    /// A header is missing, malformed, or contradicts the body.
    #[error("Header mismatch: {0}")]
    HeaderMismatch(Cow<'static, str>),
    #[error("Unsupported protocol version")]
    UnsupportedVersion {
        requested: String,
        /// The era of the request. A modern error lists only the modern version as supported.
        era: Era,
    },
    /// HTTP 404 in the modern era. Legacy clients would take a 404 as the end of their session, so they get 200.
    #[error("Method not found: {method}")]
    MethodNotFound {
        /// The unknown method, cut to 100 characters.
        method: String,
        era: Era,
    },
    /// The request is well-formed, but a parameter is missing or names something that does not exist.
    #[error("{0}")]
    InvalidParams(Cow<'static, str>),
    #[error("Resource not found: {uri}")]
    ResourceNotFound { uri: String, era: Era },
    /// No worker answered a request that is not a tool call. The text says whether the *person or operator* can act.
    #[error("{0}")]
    NoAnswer(String),
}

/// An error, with the id of its request if that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRequest {
    /// The raw JSON text of the id, as the client sent it.
    pub id: Option<Box<str>>,
    pub error: McpError,
}

impl McpError {
    pub fn code(&self) -> i64 {
        match self {
            McpError::NotJson => -32700,
            McpError::Batch
            | McpError::NotAMessage(_)
            | McpError::TooLarge { .. }
            | McpError::NotAcceptable
            | McpError::UnsupportedMediaType
            | McpError::ForeignOrigin
            | McpError::ForeignHost => -32600,
            McpError::MethodNotFound { .. } => -32601,
            McpError::ResourceNotFound { era: Era::Legacy, .. } => OLD_RESOURCE_NOT_FOUND,
            McpError::Metadata(..) | McpError::InvalidParams(_) | McpError::ResourceNotFound { .. } => {
                INVALID_PARAMS
            }
            McpError::NoAnswer(_) => -32603,
            McpError::HeaderMismatch(_) => -32020,
            McpError::UnsupportedVersion { .. } => -32022,
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            McpError::NotJson
            | McpError::Batch
            | McpError::NotAMessage(_)
            | McpError::Metadata(..)
            | McpError::HeaderMismatch(_)
            | McpError::UnsupportedVersion { .. } => 400,
            McpError::ForeignOrigin | McpError::ForeignHost => 403,
            McpError::MethodNotFound { era: Era::Modern, .. } => 404,
            McpError::NotAcceptable => 406,
            McpError::TooLarge { .. } => 413,
            McpError::UnsupportedMediaType => 415,
            McpError::MethodNotFound { era: Era::Legacy, .. }
            | McpError::InvalidParams(_)
            | McpError::ResourceNotFound { .. }
            | McpError::NoAnswer(_) => 200,
        }
    }

    /// The member `data` of the error, as JSON text.
    fn data(&self) -> Option<String> {
        let mut out = String::new();
        match self {
            McpError::UnsupportedVersion { requested, era } => {
                out.push_str("{\"supported\":[");
                write_string(&mut out, MODERN);
                if *era == Era::Legacy {
                    for version in LEGACY {
                        out.push(',');
                        write_string(&mut out, version);
                    }
                }
                out.push_str("],\"requested\":");
                write_string(&mut out, requested);
                out.push('}');
            }
            McpError::ResourceNotFound { uri, .. } => {
                out.push_str("{\"uri\":");
                write_string(&mut out, uri);
                out.push('}');
            }
            _ => return None,
        }
        Some(out)
    }

    /// The JSON-RPC response. `id` is raw JSON text. Without an id the member is omitted, because MCP forbids `null`.
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

    /// Makes this error the answer to a request. `id` is absent if it could not be read.
    pub fn of(self, id: Option<&RawValue>) -> RejectedRequest {
        RejectedRequest {
            id: id.map(|id| id.get().into()),
            error: self,
        }
    }
}

impl RejectedRequest {
    pub fn body(&self) -> Bytes {
        self.error.body(self.id.as_deref())
    }
}

impl From<McpError> for RejectedRequest {
    fn from(error: McpError) -> Self {
        error.of(None)
    }
}

/// The first 100 characters of a client's text, for quoting it in a message.
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

    /// The codes are those of JSON-RPC and MCP, and each has its HTTP status.
    #[test]
    fn every_error_has_its_code_and_status() {
        let modern = Era::Modern;
        let legacy = Era::Legacy;
        for (error, code, status) in [
            (McpError::NotJson, -32700, 400),
            (McpError::Batch, -32600, 400),
            (McpError::NotAMessage("x".into()), -32600, 400),
            (McpError::TooLarge { limit: 1 }, -32600, 413),
            (McpError::NotAcceptable, -32600, 406),
            (McpError::UnsupportedMediaType, -32600, 415),
            (McpError::ForeignOrigin, -32600, 403),
            (McpError::ForeignHost, -32600, 403),
            (McpError::Metadata("x", "y"), -32602, 400),
            (McpError::HeaderMismatch("x".into()), -32020, 400),
            (
                McpError::UnsupportedVersion {
                    requested: "v9".into(),
                    era: modern,
                },
                -32022,
                400,
            ),
            (
                McpError::MethodNotFound {
                    method: "x".into(),
                    era: modern,
                },
                -32601,
                404,
            ),
            (
                McpError::MethodNotFound {
                    method: "x".into(),
                    era: legacy,
                },
                -32601,
                200,
            ),
            (McpError::InvalidParams("x".into()), -32602, 200),
            (
                McpError::ResourceNotFound {
                    uri: "x".into(),
                    era: modern,
                },
                -32602,
                200,
            ),
            (
                McpError::ResourceNotFound {
                    uri: "x".into(),
                    era: legacy,
                },
                -32002,
                200,
            ),
            (McpError::NoAnswer("x".into()), -32603, 200),
        ] {
            assert_eq!((error.code(), error.status()), (code, status), "{error:?}");
        }
    }

    #[test]
    fn bodies_are_json_rpc_errors() {
        let body = |error: McpError, id: Option<&str>| String::from_utf8(error.body(id).to_vec()).unwrap();
        assert_eq!(
            body(McpError::NotJson, None),
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"the body is not JSON in UTF-8"}}"#
        );
        assert_eq!(
            body(
                McpError::UnsupportedVersion {
                    requested: "v999".into(),
                    era: Era::Modern
                },
                Some("\"a\"")
            ),
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32022,"message":"Unsupported protocol version","data":{"supported":["2026-07-28"],"requested":"v999"}}}"#
        );
        assert_eq!(
            body(
                McpError::ResourceNotFound {
                    uri: "a\"b".into(),
                    era: Era::Modern
                },
                Some("7")
            ),
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"Resource not found: a\"b","data":{"uri":"a\"b"}}}"#
        );
    }

    #[test]
    fn a_body_that_is_too_large_has_a_way_out() {
        let told = McpError::TooLarge { limit: 1 << 20 }.to_string();
        assert!(
            told.contains("1048576 bytes; send less") && told.contains("every 50 m"),
            "{told}"
        );
    }

    #[test]
    fn repeated_text_is_short() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(200)).chars().count(), 101);
    }
}
