//! Everything that talks to Garmin.
//!
//! Garmin documents none of this. The requests copy those of its own apps. Responses are read tolerantly; an unknown
//! shape is an error that names the place (`Changed`), never a guess.
//!
//! | entry | for |
//! |---|---|
//! | [`SignIns`] | the sign-in pages: credentials, perhaps a code, tokens |
//! | [`Api`] | the built-in worker: one person's data |
//! | [`livetrack`] | the races: shared links |
//! | [`files`] | FIT, GPX and TCX files |
//!
//! Invariants: no password, code, token or cookie is printed, or kept longer than it is needed; a request that counts
//! against a person at Garmin is never retried; single-use values (tickets, refresh tokens) are sent by one request
//! at a time.
//!
//! Absent on purpose: evading Garmin's guards (captchas, TLS fingerprints), and tokens as cookies.

mod api;
pub mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod http;
pub mod livetrack;
mod request;
mod response;
mod sign_in;
mod token_file;
mod token_service;
mod tokens;

pub use api::{
    Api, ApiBody, ApiError, ApiParts, ApiSettings, Permission, PermitDesk, PermitRequest, RequestRate,
    SignInReason,
};
pub use http::client;
pub use sign_in::{
    Credentials, GovernorSettings, MfaChallenge, MfaMethod, SignInMethod, SignInOutcome, SignInRefusal,
    SignIns, SignedIn,
};
pub use token_file::{TokenFile, TokenFileError};
pub use tokens::GarminTokens;

/// The kinds of record that sign-ins keep in the store.
pub const KINDS: &[crate::store::Kind] = sign_in::KINDS;
