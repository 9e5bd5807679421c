//! What every room stands on; it knows nothing of Garmin, MCP or OAuth.
//!
//! Invariants: time is asked of [`clock`] alone, the environment is read in [`config`] alone, bytes at rest pass
//! through [`secrets`], and every write through the one writer of [`store`].

pub mod causes;
pub mod clock;
pub mod config;
pub mod disk;
pub mod http;
pub mod id;
pub mod lanes;
pub mod lifecycle;
pub mod post;
pub mod processes;
pub mod secrets;
#[cfg(test)]
pub(crate) mod stand_in;
pub mod store;
pub mod telemetry;
pub mod turns;
