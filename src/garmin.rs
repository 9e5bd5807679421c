//! All that talks to Garmin.
//!
//! Garmin documents none of this. What is sent is what its own apps send; what comes back is read tolerantly, and an
//! answer of an unknown shape is an error of its own that names the place (`Changed`), never a guess.
//!
//! | door | for |
//! |---|---|
//! | [`SignIns`] | the sign-in pages: credentials, perhaps a code, tokens |
//! | [`Api`] | the built-in worker: one person's data |
//! | [`livetrack`] | the races: shared links |
//!
//! Each is steps (plain functions from an answer to the next request) and a loop beside them that sends.
//!
//! Invariants: no password, code, token or cookie is printed or kept longer than its use; nothing that counts against a
//! person at Garmin is retried; what Garmin spends by use (tickets, refresh tokens) is used by one at a time.
//!
//! Absent on purpose: going around Garmin's guards (captcha, TLS finger prints), and tokens as cookies.

mod api;
#[cfg(fuzzing)]
pub mod fuzzing;
mod governor;
mod http;
mod ledger;
pub mod livetrack;
mod refusal;
mod sign_in;
mod token_file;
mod token_service;
mod tokens;
mod wire;

pub use api::{Api, ApiError, ApiParts, ApiSettings, SignInReason};
pub use governor::GovernorSettings;
pub use http::client;
pub use refusal::{SignInMethod, SignInRefusal};
pub use sign_in::{Credentials, MfaChallenge, MfaMethod, SignInOutcome, SignIns, SignedIn};
pub use token_file::{TokenFile, TokenFileError};
pub use tokens::GarminTokens;

/// The tables of this room.
pub const KINDS: &[crate::store::Kind] = &ledger::KINDS;
