//! What really happened, according to the recording itself.

use super::course::RehearsedCourse;
use super::delivery::Delivery;
use super::legs;
use crate::race::sport::LegKind;

/// Moving less than this for [`SHORTEST_STOP_S`] is a stop. A resting receiver drifts by up to 0.15 m/s, and the slowest
/// walkers cover more than twice as much.
const STAYS_M: f64 = 40.0;
const SHORTEST_STOP_S: f64 = 210.0;

/// No sample for this long is a gap: a pause of the timer, or no reception.
const GAP_S: f64 = 120.0;

/// A part of the recording, in seconds since its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TruePart {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
}

impl TruePart {
    pub(super) fn lasts_s(self) -> f64 {
        self.to_s - self.from_s
    }
}

pub(super) struct RecordedTruth {
    pub(super) stops: Vec<TruePart>,
    pub(super) gaps: Vec<TruePart>,
    way: Vec<(f64, f64)>,
    /// Seconds and metres along the course, by position.
    along: Option<Vec<(f64, f64)>>,
}

impl RecordedTruth {
    pub(super) fn of(delivery: &Delivery, course: Option<&RehearsedCourse>) -> Self {
        let stands = |stop: &TruePart| {
            let kind = legs::leg_at(&delivery.legs, stop.from_s).and_then(|leg| leg.kind);
            !matches!(kind, Some(LegKind::Swim | LegKind::Transition))
        };
        let mut points = delivery.samples.iter().map(|sample| &sample.point);
        let is_placed = points.any(|point| point.position.is_some());
        let way = &delivery.way;
        let two = |pair: &[(f64, f64)]| match *pair {
            [(from_s, _), (to_s, _)] if to_s - from_s > GAP_S => Some(TruePart { from_s, to_s }),
            _ => None,
        };
        Self {
            // Swimmers at the wall of a pool have not stopped, and a stop in a transition is not reported. Without
            // positions a stop cannot be seen: a pool, a rower and a treadmill have none.
            stops: if delivery.leg == Some(LegKind::Swim) || !is_placed {
                Vec::new()
            } else {
                stops(way).into_iter().filter(stands).collect()
            },
            gaps: way.windows(2).filter_map(two).collect(),
            way: way.clone(),
            along: course.map(|course| course.along.clone()),
        }
    }

    /// When a place was passed: on a course by position, else by distance.
    pub(super) fn reached_s(&self, at_m: f64) -> Option<f64> {
        passed_s(self.along.as_ref().unwrap_or(&self.way), at_m)
    }

    /// When a distance was reached, interpolated between the two samples around it.
    pub(super) fn passed_s(&self, metres: f64) -> Option<f64> {
        passed_s(&self.way, metres)
    }
}

fn passed_s(way: &[(f64, f64)], metres: f64) -> Option<f64> {
    let next = way.partition_point(|(_, at_m)| *at_m < metres);
    let (to_s, to_m) = *way.get(next)?;
    let Some((from_s, from_m)) = next.checked_sub(1).and_then(|before| way.get(before)).copied() else {
        return Some(to_s);
    };
    let part = (metres - from_m) / (to_m - from_m).max(0.01);
    Some(part.mul_add(to_s - from_s, from_s))
}

/// Stops closer together than this are one: a resting receiver creeps on.
const APART_S: f64 = 10.0;

/// The longest stretches without a gap in which the distance hardly grows.
fn stops(way: &[(f64, f64)]) -> Vec<TruePart> {
    let mut stops: Vec<TruePart> = Vec::new();
    let mut from = 0;
    while let Some((from_s, from_m)) = way.get(from).copied() {
        let rest = way.get(from..).unwrap_or_default();
        let stays = rest.windows(2).take_while(|pair| match **pair {
            [(before_s, _), (at_s, at_m)] => at_m - from_m <= STAYS_M && at_s - before_s <= GAP_S,
            _ => false,
        });
        let to = from + stays.count();
        let to_s = way.get(to).map_or(from_s, |(at_s, _)| *at_s);
        if to_s - from_s >= SHORTEST_STOP_S {
            match stops.last_mut().filter(|last| from_s - last.to_s <= APART_S) {
                Some(last) => last.to_s = to_s,
                None => stops.push(TruePart { from_s, to_s }),
            }
            from = to;
        }
        from += 1;
    }
    stops
}
