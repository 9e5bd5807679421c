//! Imports the data of the Python gateway (VelkyVenik/garmin-mcp-gateway), which this program replaces.
//!
//! [`OldGateway::read`] finds its files and reads them, [`ImportPlan::of`] decides without I/O what is taken, and
//! [`carry_out`] stores that in one unit of work.
//!
//! | in the Python gateway | here |
//! |---|---|
//! | an account: an e-mail, with Garmin tokens under AES-256-GCM | an account that is invited, with the tokens, sealed |
//! | a worker's own token file, if its tokens are newer | the same |
//! | an access token, stored as SHA-256 | a sign-in with this one token, until it expires |
//! | a registered client | the client's id with the redirect URIs that this gateway allows |
//!
//! Invariants:
//! - Nothing is written to the other gateway's files; SQLite opens a private copy of the database.
//! - An account that exists here is never changed, so a second import does nothing.
//! - Either everything is stored or nothing.
//!
//! Deliberately not imported: authorization codes, which live for ten minutes; usage counts; and the races in
//! `livetrack.db`, because its layout is not published.

mod cipher;
mod database;
mod error;
mod files;
mod garmin_tokens;
mod old_gateway;
mod perform;
mod plan;
#[cfg(test)]
mod sample;

pub use error::ImportError;
pub use old_gateway::OldGateway;
pub use perform::{ImportSummary, carry_out};
pub use plan::{AlreadyHere, ImportPlan, ImportRules, LeftAccount, PlannedAccount, Unusable};
