//! The Model Context Protocol without I/O: what a request means, and the bytes of what is answered.
//!
//! | step | file |
//! |---|---|
//! | bytes → one request or notification, nothing ambiguous left in it | [`envelope`], [`members`] |
//! | its `params`, as deep as the gateway must look | [`params`] |
//! | headers and body together: which era, is it well-formed | [`revision`], [`headers`] |
//! | answers that need no worker | [`handshake`], [`catalogue`] |
//! | a worker's answer, made fit for the client that asked | [`answer`], [`progress`], [`shorten`] |
//! | event streams, both ways | [`sse`] |
//! | refusals, their codes and statuses | [`refusal`] |
//!
//! # Invariants
//!
//! - Content is never re-serialised: what the gateway need not understand stays raw JSON text
//!   ([`serde_json::value::RawValue`]),
//!   and comes out byte for byte as it came in. The measured reason: typed round trips lose unknown members, and
//!   cost ten times more.
//! - What was judged is what is sent on: duplicate members and other spellings of the members that decide
//!   (`Method`, `n\u0061me`) are refused, and only the canonical ones are written again.
//! - Both eras are spoken statelessly: no session id is read, minted or needed.
//!
//! # Absent on purpose
//!
//! Requests from the server to the client (sampling, elicitation, roots), subscriptions, tasks, resumable streams,
//! batches. No worker uses them.

pub mod answer;
pub mod catalogue;
pub mod envelope;
pub mod handshake;
pub mod headers;
pub mod members;
pub mod params;
pub mod progress;
pub mod refusal;
pub mod revision;
pub mod shorten;
pub mod sse;

use serde::{Deserialize, Serialize};

pub use catalogue::{Catalogue, CatalogueError, Lists, ToolEntry};
pub use envelope::Message;
pub use headers::{PublicHosts, RequestHeaders};
pub use refusal::{Refusal, Rejected};
pub use revision::{Era, Inbound, Method, Request};

/// What a person allowed a client to do when it signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Tools that read; every other tool is neither listed nor called.
    ReadOnly,
    /// All tools.
    ReadAndChange,
}
