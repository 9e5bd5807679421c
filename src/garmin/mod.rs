//! All that talks to Garmin.

mod refusal;
mod signed_in;
mod tokens;

pub use refusal::{Refusal, Way};
pub use signed_in::SignedIn;
pub use tokens::GarminTokens;
