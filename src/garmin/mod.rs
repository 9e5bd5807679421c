//! All that talks to Garmin.

pub mod api;
mod governor;
mod http;
pub mod livetrack;
mod refusal;
mod sign_in;
mod token_file;
mod token_service;
mod tokens;
mod wire;

pub use api::{Api, ApiParts, ApiSettings};
pub use governor::GovernorSettings;
pub use http::client;
pub use refusal::{Refusal, Way};
pub use sign_in::{Credentials, MfaChallenge, MfaMethod, SignInOutcome, SignIns, SignedIn};
pub use token_file::{TokenFile, TokenFileError};
pub use tokens::GarminTokens;
