//! The race without I/O: points and answers in, state and messages out.
//!
//! Every file here is a step, a plain function from what is and what happened to what is and what to do. Storing, asking
//! and sending are done by the rooms above.

pub mod alerts;
pub mod claims;
pub mod course;
pub mod ending;
pub mod figures;
pub mod geo;
pub mod id;
pub mod limits;
pub mod plain;
pub mod sample;
pub mod schedule;
pub mod settings;
pub mod snapshot;
pub mod standing;
#[cfg(test)]
pub(crate) mod support;
pub mod track;
pub mod words;
