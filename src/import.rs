//! Imports the data of the programs that this one replaces: the Python gateway (VelkyVenik/garmin-mcp-gateway) and
//! livetrack-mcp.
//!
//! [`OldGateway::read`] and [`OldRaces::read`] read their files, [`ImportPlan`] decides without I/O what is taken, and
//! [`carry_out`] stores that in one unit of work.
//!
//! | in the Python gateway | here |
//! |---|---|
//! | an account: an e-mail, with Garmin tokens under AES-256-GCM | an account that is invited, with the tokens, sealed |
//! | a worker's own token file, if its tokens are newer | the same |
//! | an access token, stored as SHA-256 | a sign-in with this one token, until it expires |
//! | a registered client | the client's id with the redirect URIs that this gateway allows |
//!
//! | in livetrack-mcp | here |
//! |---|---|
//! | the points of a session | a race that is over, with these points |
//! | a session's link and `race_config` | the race's link and settings |
//!
//! Invariants:
//! - Nothing is written to the other programs' files; SQLite opens a private copy of a database.
//! - An account that exists here is never changed, so a second import does nothing.
//! - Either everything is stored or nothing.
//! - livetrack-mcp's layout is not published, so its tables and columns are recognised by their names. The report names
//!   those that were.
//!
//! Deliberately not imported: authorization codes, which live for ten minutes, and usage counts.

mod cipher;
mod database;
mod error;
mod files;
mod garmin_tokens;
mod members;
mod old_gateway;
mod old_races;
mod perform;
mod plan;
#[cfg(test)]
mod sample;

pub use error::ImportError;
pub use old_gateway::OldGateway;
pub use old_races::{OldRace, OldRaces};
pub use perform::{ImportSummary, carry_out};
pub use plan::{AlreadyHere, ImportPlan, ImportRules, LeftAccount, PlannedAccount, PlannedRace, Unusable};
