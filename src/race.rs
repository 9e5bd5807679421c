//! The logic of a race without I/O: points and answers in, state and messages out.
//!
//! Every file holds pure functions from the current state and an event to the next state and the actions to take. The
//! layers above store, poll and send.

pub mod alerts;
pub mod budget;
pub mod claims;
pub mod course;
pub mod ending;
pub mod fields;
pub mod figures;
pub mod geo;
pub mod goal;
pub mod gpx;
pub mod home;
pub mod id;
pub mod outlook;
pub mod pacing;
pub mod page;
pub mod past;
pub mod place_rule;
pub mod plan;
pub mod recipients;
pub mod rehearsal;
pub mod report;
pub mod schedule;
pub mod share;
pub mod snapshot;
pub mod sport;
#[cfg(test)]
pub(crate) mod support;
pub mod text;
pub mod thresholds;
pub mod track;
pub mod trend;
