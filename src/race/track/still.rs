//! Gaps and stops. A gap is a period without data. A stop needs data that shows it: silence is not a stop.

use jiff::Timestamp;

use super::step::TrackStep;
use crate::garmin::livetrack::Position;

/// Two points more than this many seconds apart have a gap between them.
pub const GAP_S: f64 = 120.0;

/// Below this speed in m/s the athlete counts as standing.
const STANDING_MPS: f64 = 0.4;

/// Shorter stops, such as tying a shoelace, are ignored; seconds.
pub const SHORTEST_STOP_S: f64 = 60.0;

/// A period without data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// Device time of the last point before it.
    pub from: Timestamp,
    /// Device time of the first point after it.
    pub to: Timestamp,
    /// Distance covered during the gap in metres, as far as it is known.
    pub distance_m: f64,
    /// Race distance in metres at the start of the gap.
    pub at_m: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    pub from: Timestamp,
    /// Time of the last point that was standing.
    pub to: Timestamp,
    /// Position of the stop, if known.
    pub position: Option<Position>,
    /// Race distance in metres at the stop.
    pub at_m: f64,
    /// Index of the leg, from 0.
    pub leg: usize,
}

impl Stop {
    pub fn duration_s(&self) -> f64 {
        self.to.duration_since(self.from).as_secs_f64()
    }
}

/// Whether a step of `step_m` in `dt_s`, at the speed that the device reports, counts as standing.
pub(super) fn is_standing(known: bool, step_m: f64, dt_s: f64, speed_mps: Option<f64>) -> bool {
    known
        && dt_s > 0.0
        && dt_s <= GAP_S
        && step_m / dt_s < STANDING_MPS
        && speed_mps.is_none_or(|mps| mps < STANDING_MPS * 2.0)
}

/// Collects stops step by step.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    pub(super) done: Vec<Stop>,
    /// The stop in progress, of any length.
    pub(super) standing: Option<Stop>,
}

impl Stops {
    pub(super) fn advance(&mut self, before_at: Timestamp, step: &TrackStep) {
        if step.standing {
            let stop = self.standing.get_or_insert(Stop {
                from: before_at,
                to: step.at,
                position: step.position,
                at_m: step.distance_m,
                leg: step.leg,
            });
            stop.to = step.at;
        } else if let Some(stop) = self.standing.take()
            && stop.duration_s() >= SHORTEST_STOP_S
        {
            self.done.push(stop);
        }
    }
}
