//! Bearer → account → catalogue, race tool or worker → answer.
//!
//! # Invariants
//!
//! - Nothing is answered, not even a protocol error, before the bearer token was found valid.
//! - Clients have no session: any request may follow any other, also after a restart of the gateway or a worker.
//! - Permissions are checked at the call, not only in the list.
//! - HTTP 403 is only for foreign pages and foreign host names: Claude gives up a connector that answers it.
//!
//! | file | what |
//! |---|---|
//! | `service` | the entry: admit, then handle |
//! | `admission` | bearer token → caller |
//! | `route` | which part answers a request (pure) |
//! | `call` | answers it: catalogue, race tool or worker |
//! | `relay` | one call under way: JSON or stream, notifications, cancellation |
//! | `in_flight` | which calls a client cancels and a revocation ends |
//! | `call_rate` | calls per account and minute |
//! | `offer` | what is offered, and how it is learned from a foreign worker |
//! | `advice` | what a person is told when no worker answered |
//! | `usage` | calls per account, tool and day |

mod admission;
mod advice;
mod call;
mod call_rate;
mod in_flight;
mod offer;
mod relay;
mod route;
mod service;
pub mod usage;

use crate::store::Kind;

pub use admission::{Caller, NotAdmitted};
pub use offer::WorkerLists;
pub use relay::McpResponse;
pub use service::{Gateway, GatewayParts};

/// The record kinds of this room.
pub const KINDS: &[Kind] = &[Kind::of::<usage::CallCounts>(), offer::KIND];

#[cfg(test)]
mod tests;
