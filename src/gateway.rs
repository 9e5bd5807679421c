//! Handles an MCP request: bearer token → account → catalogue, race tool or worker → response.
//!
//! # Invariants
//!
//! - No request is answered, not even with a protocol error, before its bearer token is validated.
//! - Clients have no session. Any request may follow any other, even after a restart of the gateway or of a worker.
//! - Permissions are checked when a tool is called, not only when tools are listed.
//! - HTTP 403 is reserved for foreign pages and foreign host names, because Claude abandons a connector that returns
//!   it.
//!
//! | file | what |
//! |---|---|
//! | `service` | the entry points: admit, then handle |
//! | `admission` | identifies the caller by the bearer token |
//! | `route` | chooses the part that answers a request (pure) |
//! | `call` | answers a request: from the catalogue, by a race tool, or by a worker |
//! | `relay` | one running call: JSON or stream, notifications, cancellation |
//! | `in_flight` | running calls, for cancellation by the client and for revocation |
//! | `call_rate` | the limit of calls per account and minute |
//! | `repeats` | refuses a change that was made a moment ago |
//! | `named_tools` | the names in the settings that no tool has |
//! | `offer` | the catalogue on offer, and how it is learned from a foreign worker |
//! | `tool_names` | what is wrong with a name that no tool has |
//! | `tool_list` | the tools in a person's list |
//! | `discovery` | finding and calling the tools that are not in a person's list |
//! | `kept_days` | a person's history: switching it on and off, and answers without a worker |
//! | `sharing` | reading another member's data within a grant |
//! | `grants` | the tools that grant access, withdraw it and list the grants |
//! | `own_page` | the tool that opens a person's own page |
//! | `coach_choice` | switching the proactive coach on and off |
//! | `fill_permit` | the right to fetch days for a history |
//! | `advice` | the text for a person when no worker answered |
//! | `withdrawal` | ends everything that depends on a person's access |
//! | `views` | who gets the views of tools |
//! | `usage` | statistics of calls per account, tool and day |

mod admission;
mod advice;
mod call;
mod call_rate;
mod coach_choice;
pub mod discovery;
mod fill_permit;
mod grants;
mod in_flight;
mod kept_days;
mod named_tools;
mod offer;
mod own_page;
mod relay;
pub mod repeats;
mod route;
mod service;
mod sharing;
mod tool_list;
mod tool_names;
pub mod usage;
mod views;
mod withdrawal;

use crate::store::Kind;

pub use admission::{Caller, NotAdmitted};
pub use fill_permit::FillPermit;
pub use named_tools::unknown_names;
pub use offer::WorkerLists;
pub use relay::McpResponse;
pub use service::{Gateway, GatewayParts};
pub use sharing::Sharing;
pub use tool_names::UnknownTool;
pub use withdrawal::EndedWork;

/// The kinds of records that this module stores.
pub const KINDS: &[Kind] = &[
    Kind::of::<usage::CallCounts>(),
    Kind::of::<repeats::SentChange>(),
    offer::KIND,
];

#[cfg(test)]
mod tests;
