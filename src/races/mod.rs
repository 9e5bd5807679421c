//! Races: a LiveTrack link becomes a watched race.

pub mod course;
mod geo;
mod plain;
pub mod sample;
pub mod settings;
#[cfg(test)]
mod support;
pub mod track;
