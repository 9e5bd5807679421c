//! The ground floor: what every room stands on. It knows nothing of Garmin, MCP or OAuth.
//!
//! Invariants: time comes from [`clock`] alone, and bytes at rest are sealed by [`secrets`].

pub mod causes;
pub mod clock;
pub mod disk;
pub mod http;
pub mod id;
pub mod lifecycle;
pub mod log;
pub mod post;
pub mod rate;
pub mod secrets;
pub mod source;
#[cfg(test)]
pub(crate) mod stand_in;
