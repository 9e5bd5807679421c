//! All that talks to Garmin.

mod refusal;
mod tokens;

pub use refusal::{Refusal, Way};
pub use tokens::GarminTokens;
