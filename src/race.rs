//! The race without I/O: points and answers in, state and messages out.
//!
//! Every file here is a step, a plain function from what is and what happened to what is and what to do. Storing, asking
//! and sending are done by the rooms above.

pub mod alerts;
pub mod claims;
pub mod course;
pub mod ending;
pub mod fields;
pub mod figures;
pub mod geo;
pub mod id;
pub mod plan;
pub mod schedule;
pub mod snapshot;
pub mod sport;
#[cfg(test)]
pub(crate) mod support;
pub mod text;
pub mod thresholds;
pub mod track;
