//! One worker process per account: started on demand, watched, and never noticed.
//!
//! A worker is an MCP server for one person on `127.0.0.1`: the built-in one (this same binary) or the unmodified
//! Python `garmin_mcp`. The gateway owns the one MCP session that each worker has.

mod handle;

pub use handle::{StopReason, UpstreamAnswer, UpstreamCall, WorkerError};
