//! Races: a LiveTrack link becomes a watched race.

pub mod alerts;
pub mod course;
pub mod effects;
pub mod ending;
pub mod figures;
mod geo;
mod id;
pub mod limits;
mod plain;
pub mod sample;
pub mod settings;
#[cfg(test)]
mod support;
pub mod track;
pub mod watch;
mod words;

pub use id::RaceId;
