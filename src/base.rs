//! The lowest layer, used by all others. It knows nothing of Garmin, MCP or OAuth.
//!
//! Invariants: [`clock`] is the only source of time, and [`secrets`] seals all data at rest.

pub mod causes;
pub mod clock;
pub mod disk;
pub mod download;
pub mod gzip;
pub mod http;
pub mod id;
pub mod lifecycle;
pub mod log;
pub mod loopback;
pub mod post;
pub mod rate;
pub mod secrets;
pub mod source;
pub mod ssh_signature;
#[cfg(test)]
pub(crate) mod stand_in;
pub mod system_trust;
pub mod threads;
pub mod version;
pub mod wakes;
