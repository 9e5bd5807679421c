//! The Model Context Protocol without I/O: what a request means, and the bytes of its answer.
//!
//! | step | file |
//! |---|---|
//! | bytes and headers → one request or notification, nothing ambiguous left in it | [`request`], [`headers`] |
//! | its `params`, as far as the gateway reads them | [`params`], [`members`] |
//! | versions, eras, methods | [`revision`] |
//! | arguments of a tool, coerced to its schema | [`arguments`] |
//! | answers that need no worker | [`handshake`], [`catalogue`] |
//! | a worker's answer in the form of the client's era | [`answer`], [`notification`], [`shorten`] |
//! | event streams, both directions | [`sse`] |
//! | errors with their codes and statuses | [`error`] |
//!
//! # Invariants
//!
//! - Content is never re-serialised. JSON that the gateway need not understand stays raw text
//!   ([`serde_json::value::RawValue`]) and goes out byte for byte. Typed round trips lose unknown members and were
//!   measured to cost ten times more.
//! - A worker receives exactly what was checked. Duplicate members and other spellings of the members that decide
//!   (`Method`, `n\u0061me`) are refused.
//! - Both eras are stateless: no session id is read, minted or needed.
//!
//! # Absent on purpose
//!
//! Requests from the server to the client (sampling, elicitation, roots), subscriptions, tasks, resumable streams,
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
pub mod request;
pub mod revision;
pub mod shorten;
pub mod sse;

pub use access::Access;
pub use catalogue::{Catalogue, CatalogueError, Lists, ToolEntry};
pub use error::{McpError, RejectedRequest};
pub use headers::{PublicHosts, RequestHeaders};
pub use request::{Inbound, JsonRpcMessage, McpRequest};
pub use revision::{Era, McpMethod};
