//! FIT, Garmin's binary format: a sequence of messages, each defined by the file itself.
//!
//! [`messages`] walks through them without allocating. [`recording`] collects an activity. [`profile`] names messages
//! and fields. [`FitWriter`] is the opposite direction, for the simulated Garmin and for tests.

mod activity;
pub mod profile;
mod wire;
mod write;

pub use activity::recording;
pub use wire::{FitField, FitMessage, is_fit, messages};
pub use write::{FitValue, FitWriter, fit_time};

/// Seconds from the Unix epoch to FIT's: 31 December 1989.
const EPOCH_S: u32 = 631_065_600;

/// The message numbers that this program looks for.
pub mod message {
    pub const SESSION: u16 = 18;
    pub const LAP: u16 = 19;
    pub const RECORD: u16 = 20;
    pub const EVENT: u16 = 21;
    pub const HRV: u16 = 78;
}

/// The field number of a message's time.
pub const TIMESTAMP: u8 = 253;
