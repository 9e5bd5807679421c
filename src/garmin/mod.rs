//! All that talks to Garmin.

mod api;
mod governor;
mod http;
mod refusal;
mod sign_in;
mod token_service;
mod tokens;
mod wire;

pub use governor::GovernorSettings;
pub use http::client;
pub use refusal::{Refusal, Way};
pub use sign_in::{Credentials, MfaChallenge, MfaMethod, SignInOutcome, SignIns, SignedIn};
pub use tokens::GarminTokens;
