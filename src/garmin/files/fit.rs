//! FIT, Garmin's binary format: a sequence of messages, each defined by the file itself.
//!
//! [`messages`] walks through them without allocating. [`recording`] collects an activity. [`profile`] names messages
//! and fields. [`FitWriter`] writes such a file, for the simulated Garmin and for tests.

mod activity;
mod numbers;
pub mod profile;
mod wire;
mod write;

pub use activity::recording;
pub use numbers::message;
pub use wire::{FitField, FitMessage, is_fit, messages};
pub use write::{FitValue, FitWriter, fit_time};
