//! Gaps and stops. Silence is not standing: a stop is seen, a gap is where nothing was seen.

use jiff::Timestamp;

use super::step::TrackStep;
use crate::garmin::livetrack::Position;

/// Points farther apart in time than this have a gap between them.
pub const GAP_S: f64 = 120.0;

/// Slower than this is standing, m/s.
const STANDING_MPS: f64 = 0.4;

/// A stop shorter than this is a shoe lace.
pub const SHORTEST_STOP_S: f64 = 60.0;

/// A time without data, later filled or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The last point before it.
    pub from: Timestamp,
    /// The first point after it.
    pub to: Timestamp,
    /// The way that was made in it, as far as that is known.
    pub distance_m: f64,
    /// Distance of the race at its start.
    pub at_m: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    pub from: Timestamp,
    /// Until the last point that was standing.
    pub to: Timestamp,
    /// Where on the Earth, if known.
    pub position: Option<Position>,
    /// Distance of the race there.
    pub at_m: f64,
    /// Which leg, counted from 0.
    pub leg: usize,
}

impl Stop {
    /// How long, seconds.
    pub fn duration_s(&self) -> f64 {
        self.to.duration_since(self.from).as_secs_f64()
    }
}

/// Whether somebody stands who made `step_m` in `dt_s` and whose device tells `speed_mps`.
pub(super) fn is_standing(known: bool, step_m: f64, dt_s: f64, speed_mps: Option<f64>) -> bool {
    known
        && dt_s > 0.0
        && dt_s <= GAP_S
        && step_m / dt_s < STANDING_MPS
        && speed_mps.is_none_or(|mps| mps < STANDING_MPS * 2.0)
}

/// Gathers stops step by step.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    pub(super) done: Vec<Stop>,
    /// The one that lasts, however short.
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
