//! The Model Context Protocol without I/O: what a request means, and the bytes of its answer.
//!
//! | step | file |
//! |---|---|
//! | bytes and headers → one unambiguous request or notification | [`request`], [`headers`] |
//! | the parts of its `params` that the gateway reads | [`params`], [`members`] |
//! | versions, eras, methods | [`revision`] |
//! | arguments of a tool, converted to the types of its schema | [`arguments`] |
//! | answers that need no worker | [`handshake`], [`catalogue`], [`prompts`], [`views`] |
//! | a worker's answer in the form of the client's era | [`answer`], [`notification`], [`shorten`] |
//! | event streams, in both directions | [`sse`] |
//! | errors with their codes and statuses | [`error`] |
//!
//! # Invariants
//!
//! - Content is never re-serialised. JSON that the gateway does not need to understand stays raw text
//!   ([`serde_json::value::RawValue`]) and is sent byte for byte. Typed round trips lose unknown members and cost ten
//!   times more (measured).
//! - A worker receives exactly what was checked. Duplicates and alternative spellings of security-relevant members
//!   (`Method`, `n\u0061me`) are refused.
//! - Both eras are stateless: no session id is read, issued or needed.
//!
//! # Out of scope
//!
//! Requests from the server to the client (sampling, elicitation, roots), subscriptions, tasks, resumable streams and
//! batches. No worker uses them.

mod access;
pub mod answer;
pub mod arguments;
pub mod catalogue;
pub mod error;
pub mod handshake;
pub mod headers;
pub mod members;
pub mod notification;
pub mod params;
pub mod prompts;
pub mod request;
pub mod revision;
pub mod shorten;
pub mod sse;
pub mod views;

pub use access::Access;
pub use catalogue::{Catalogue, CatalogueError, DataGroup, Lists, ToolEntry, ToolSharing};
pub use error::{McpError, RejectedRequest};
pub use headers::{PublicHosts, RequestHeaders};
pub use request::{Inbound, JsonRpcMessage, McpRequest};
pub use revision::{Era, McpMethod};
