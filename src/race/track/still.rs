//! Gaps, stops and pauses. A gap is a period without data. A stop needs data that shows it: silence is not a stop.
//!
//! A stop is judged by displacement: the athlete stays within a few metres of one place for a minute. The speed
//! between two points says little, because a steep climb is slow and a resting receiver jitters.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::step::TrackStep;
use crate::garmin::livetrack::Position;
use crate::race::geo::distance_m;

/// Two points more than this many seconds apart have a gap between them.
pub const GAP_S: f64 = 120.0;

/// Shorter stops, such as tying a shoelace, are ignored; seconds.
pub const SHORTEST_STOP_S: f64 = 60.0;

/// A stop ends when the athlete has left its place within this many seconds, that is at a clear walking pace.
const LEAVES_S: f64 = 30.0;

/// An athlete who stays within this distance stands.
const PLACE_M: f64 = 15.0;

/// A counter that does not move is wrong if the positions are this far apart.
const COUNTER_STUCK_M: f64 = 60.0;

/// Evidence against a stop: power or speed in most points; cadence or a climb, if the athlete also creeps forward. A
/// wrist or a foot may move on the spot.
const MOVING_CADENCE_RPM: u32 = 25;
const MOVING_POWER_W: u32 = 30;
const MOVING_MPS: f64 = 0.8;
const MOST_POINTS: f64 = 0.6;
const CLIMB_M: f64 = 6.0;
const CLIMB_MPS: f64 = 0.07;
const CLIMB_CREEP_MPS: f64 = 0.06;
const STEP_CREEP_MPS: f64 = 0.12;

/// A timer that stood still for longer than this was paused; seconds.
const PAUSED_S: f64 = 5.0;

/// Maximum number of points kept of one place.
const MOST_STAYS: usize = 100;

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
    /// Distance along the course at the start of the gap, if the athlete was on one.
    pub course_m: Option<f64>,
    /// Seconds of the gap during which the watch's timer did not run.
    pub paused_s: f64,
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
    /// Seconds during which the watch's timer did not run.
    pub paused_s: f64,
}

impl Stop {
    pub fn duration_s(&self) -> f64 {
        self.to.duration_since(self.from).as_secs_f64()
    }

    /// Whether the athlete paused the watch for most of the stop.
    pub fn is_paused(&self) -> bool {
        self.paused_s >= self.duration_s() / 2.0 && self.paused_s > PAUSED_S
    }
}

/// A recent point, as far as a stop needs it.
#[derive(Clone, Copy, Debug)]
struct Stay {
    at: Timestamp,
    position: Option<Position>,
    distance_m: f64,
    derived: bool,
    altitude_m: Option<f64>,
    steps: bool,
    /// Whether power or speed shows movement.
    is_fast: bool,
    paused_s: f64,
}

impl Stay {
    fn of(step: &TrackStep, paused_s: f64) -> Self {
        let is_paused = paused_s > PAUSED_S;
        Self {
            at: step.at,
            position: step.position,
            distance_m: step.distance_m,
            derived: step.derived,
            altitude_m: step.altitude_m,
            steps: !is_paused && step.cadence_rpm.is_some_and(|rpm| rpm >= MOVING_CADENCE_RPM),
            is_fast: !is_paused
                && (step.power_w.is_some_and(|watts| watts >= MOVING_POWER_W)
                    || step.speed_mps.is_some_and(|mps| mps >= MOVING_MPS)),
            paused_s,
        }
    }

    /// Metres from this point to a later one: by the counter, else by the positions.
    fn displacement_m(&self, later: &Self) -> f64 {
        let counted_m = later.distance_m - self.distance_m;
        let by_place = self.position.zip(later.position).map(|(a, b)| distance_m(a, b));
        match by_place {
            Some(placed_m) if self.derived || later.derived || placed_m > COUNTER_STUCK_M => placed_m,
            _ => counted_m,
        }
    }
}

/// Collects stops step by step.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    pub(super) done: Vec<Stop>,
    /// The stop in progress.
    pub(super) standing: Option<Stop>,
    stays: VecDeque<Stay>,
}

impl Stops {
    /// Adds a step. `paused_s` is the time since the last step during which the watch's timer did not run. `can_stand`
    /// is false on a leg where the data cannot show a stop. Returns whether the athlete stands.
    pub(super) fn advance(&mut self, step: &TrackStep, since_s: f64, paused_s: f64, can_stand: bool) -> bool {
        let now = Stay::of(step, paused_s);
        let before = self.stays.back().copied();
        if since_s > GAP_S {
            self.after_gap(before.as_ref(), &now, step);
        }
        let mut left = None;
        while let Some(first) = self.stays.front()
            && first.displacement_m(&now) > PLACE_M
        {
            left = self.stays.pop_front();
        }
        self.stays.push_back(now);
        if self.stays.len() > MOST_STAYS {
            // The first point stays, because the length of the stop counts from it.
            self.stays.remove(1);
        }
        let stayed_s = self
            .stays
            .front()
            .map_or(0.0, |first| now.at.duration_since(first.at).as_secs_f64());
        let shown = can_stand && !self.is_moving(&now, stayed_s);
        let stands = shown
            && if self.standing.is_some() {
                stayed_s >= LEAVES_S || left.is_none()
            } else {
                stayed_s >= SHORTEST_STOP_S && now.position.is_some()
            };
        if stands {
            self.stand(&now, step);
        } else if let Some(mut stop) = self.standing.take() {
            stop.to = left.map_or(stop.to, |left| left.at.max(stop.to));
            if stop.duration_s() >= SHORTEST_STOP_S {
                self.done.push(stop);
            }
        }
        stands
    }

    fn stand(&mut self, now: &Stay, step: &TrackStep) {
        if let Some(stop) = &mut self.standing {
            stop.to = now.at;
            stop.paused_s += now.paused_s;
            return;
        }
        let Some(first) = self.stays.front() else { return };
        self.standing = Some(Stop {
            from: first.at,
            to: now.at,
            position: now.position,
            at_m: first.distance_m,
            leg: step.leg,
            paused_s: self.stays.iter().skip(1).map(|stay| stay.paused_s).sum(),
        });
    }

    /// After a gap, a stop goes on only if the athlete is still at its place. A gap in which the timer did not run is
    /// a pause of its own.
    fn after_gap(&mut self, before: Option<&Stay>, now: &Stay, step: &TrackStep) {
        let stayed = before.is_some_and(|before| before.displacement_m(now) <= PLACE_M);
        if self.standing.is_some() && stayed {
            return;
        }
        self.done.extend(
            self.standing
                .take()
                .filter(|stop| stop.duration_s() >= SHORTEST_STOP_S),
        );
        self.stays.clear();
        if let Some(before) = before
            && now.paused_s >= SHORTEST_STOP_S
        {
            #[expect(clippy::cast_possible_truncation, reason = "at most the length of the gap")]
            let paused = SignedDuration::from_millis((now.paused_s * 1000.0) as i64);
            self.done.push(Stop {
                from: before.at,
                to: before.at.checked_add(paused).unwrap_or(now.at).min(now.at),
                position: before.position,
                at_m: before.distance_m,
                leg: step.leg,
                paused_s: now.paused_s,
            });
        }
    }

    /// Whether cadence, power, speed or a climb shows that an athlete who hardly changes place is under way.
    fn is_moving(&self, now: &Stay, stayed_s: f64) -> bool {
        let share = |is: fn(&Stay) -> bool| {
            let count = self.stays.iter().filter(|stay| is(stay)).count();
            count as f64 >= MOST_POINTS * self.stays.len() as f64
        };
        let Some(first) = self.stays.front() else {
            return false;
        };
        let crept_m = first.displacement_m(now);
        let climbed_m = first
            .altitude_m
            .zip(now.altitude_m)
            .map_or(0.0, |(a, b)| (b - a).abs());
        let climbs = climbed_m >= CLIMB_M.max(CLIMB_MPS * stayed_s) && crept_m >= CLIMB_CREEP_MPS * stayed_s;
        let steps = crept_m >= STEP_CREEP_MPS * stayed_s && share(|stay| stay.steps);
        share(|stay| stay.is_fast) || steps || climbs
    }

    /// Seconds spent standing so far, including the stop in progress.
    pub(super) fn stood_s(&self) -> f64 {
        self.done.iter().chain(&self.standing).map(Stop::duration_s).sum()
    }
}
