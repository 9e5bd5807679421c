//! A pretend Garmin, for the demo and for tests.

pub mod data;
