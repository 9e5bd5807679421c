//! What a recording shows: means, best efforts, drift, laps, climbs, zones and series.
//!
//! Everything here is a pure function of a [`Recording`](crate::garmin::files::Recording). Every mean is weighted by
//! the time for which a sample counts, so irregular samples ("smart recording") and pauses do not distort it.
//!
//! | file | |
//! |---|---|
//! | [`Analysis`] | a recording with its weights: means, distances, time in zones |
//! | [`metric`] | the quantities, and the value of each at a sample |
//! | [`power`] | power curve, normalized power |
//! | [`drift`] | how heart rate drifts away from power and pace |
//! | [`laps`] | laps and splits |
//! | [`climbs`] | climbs, and time by grade |
//! | [`series`] | columns with a fixed interval |
//! | `track` | the route, for a map |

mod analysis;
pub(super) mod climbs;
pub(super) mod drift;
pub(super) mod laps;
pub(super) mod metric;
pub(super) mod power;
pub(super) mod series;
#[cfg(test)]
mod tests;
mod track;

pub(super) use analysis::{Analysis, Window};
pub(super) use metric::SampleQuantity;
