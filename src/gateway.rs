//! Bearer → account → catalogue or worker → answer.
//!
//! The face asks in two steps, because a stranger's body is not to be read into memory: first
//! `Gateway::admit(authorization: Option<&str>) -> Result<Grant, Answer>` (the 401 with its challenge), then, with the
//! body, `Gateway::handle(grant, headers, http_method, body: Result<Bytes, TooLarge>) -> Answer`.

use bytes::Bytes;
use tokio::sync::mpsc;

/// What the public face sends back for one request to `/mcp`.
#[derive(Debug)]
pub enum Answer {
    /// 401 with `WWW-Authenticate: <challenge>` and a JSON body.
    Unauthorized {
        /// The value of `WWW-Authenticate`.
        challenge: String,
        /// A JSON-RPC error without an id.
        body: Bytes,
    },
    /// `Content-Type: application/json` with this status.
    Json {
        /// HTTP status.
        status: u16,
        /// One JSON-RPC response.
        body: Bytes,
    },
    /// 202, empty.
    Accepted,
    /// 405 with `Allow: POST`, empty.
    MethodNotAllowed,
    /// 200, `Content-Type: text/event-stream`, `X-Accel-Buffering: no`; every item is one or more whole frames.
    /// Dropping the receiver cancels a modern call.
    Stream(mpsc::Receiver<Bytes>),
}
