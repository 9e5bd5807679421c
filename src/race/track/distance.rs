//! Distance covered: from the device's counters where they exist, else from positions.

use jiff::Timestamp;

use crate::garmin::livetrack::{Position, Trackpoint};
use crate::race::geo::distance_m;

/// Upper bound of a plausible speed. A counter that rises faster is wrong.
const FASTEST_MPS: f64 = 40.0;

/// A counter that falls by less than this was corrected. A counter that falls by more was restarted.
const CORRECTION_M: f64 = 50.0;

/// Shorter steps between positions are ignored as jitter.
const SHORTEST_STEP_M: f64 = 10.0;

/// Accumulates distance. It never decreases, whatever the counters report.
#[derive(Clone, Debug, Default)]
pub(super) struct Odometer {
    distance_m: f64,
    /// Our distance at the moment when the counter was at zero.
    base_m: f64,
    counter_m: Option<f64>,
    /// Whether the session's total counter was ever seen. From then on the leg's counter is ignored.
    has_total: bool,
    /// The last position that was counted.
    anchor: Option<Position>,
    last_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OdometerStep {
    /// Metres since the last point.
    pub(super) step_m: f64,
    /// Whether a counter, a position or a speed supports the step. Otherwise the step is 0 because nothing is known.
    pub(super) known: bool,
    /// Whether the step was computed from positions or speed instead of a counter.
    pub(super) derived: bool,
}

impl Odometer {
    pub(super) fn distance_m(&self) -> f64 {
        self.distance_m
    }

    /// Whether any counter was seen so far.
    pub(super) fn has_counter(&self) -> bool {
        self.counter_m.is_some()
    }

    /// Adds a point, which must be later than the last one.
    pub(super) fn advance(&mut self, point: &Trackpoint) -> OdometerStep {
        let before_m = self.distance_m;
        let dt_s = self
            .last_at
            .replace(point.at)
            .map_or(0.0, |last| point.at.duration_since(last).as_secs_f64().max(0.0));
        self.has_total |= point.total_distance_m.is_some();
        let counter = point
            .total_distance_m
            .or(point.distance_m.filter(|_| !self.has_total));
        let reachable_m = FASTEST_MPS * dt_s.max(1.0);
        let placed_m = self.placed(point, reachable_m);
        let derived = if let Some(counter_m) = counter {
            self.count(counter_m, reachable_m, placed_m)
        } else {
            let by_speed = || point.speed_mps.filter(|_| dt_s <= 60.0).map(|mps| mps * dt_s);
            self.distance_m += placed_m.or_else(by_speed).unwrap_or(0.0);
            true
        };
        OdometerStep {
            step_m: self.distance_m - before_m,
            known: counter.is_some() || placed_m.is_some() || point.speed_mps.is_some(),
            derived,
        }
    }

    /// Applies a counter value if it is plausible; otherwise adds the distance between positions. Returns whether the
    /// value was implausible.
    fn count(&mut self, counter_m: f64, reachable_m: f64, placed_m: Option<f64>) -> bool {
        let before = self.counter_m.replace(counter_m);
        if before.is_some_and(|before_m| counter_m < before_m - CORRECTION_M) {
            self.base_m = self.distance_m;
        }
        let now_m = self.base_m + counter_m;
        let absurd = before.is_some() && now_m - self.distance_m > reachable_m;
        if absurd {
            self.distance_m += placed_m.unwrap_or(0.0);
            self.base_m = self.distance_m - counter_m;
        } else {
            self.distance_m = self.distance_m.max(now_m);
        }
        absurd
    }

    /// Distance from the last counted position; `None` if either position is unknown or the distance implies an
    /// impossible speed.
    fn placed(&mut self, point: &Trackpoint, reachable_m: f64) -> Option<f64> {
        let here = point.position?;
        let Some(anchor) = self.anchor else {
            self.anchor = Some(here);
            return None;
        };
        let way_m = distance_m(anchor, here);
        if way_m < SHORTEST_STEP_M {
            return Some(0.0);
        }
        self.anchor = Some(here);
        (way_m <= reachable_m.max(SHORTEST_STEP_M * 2.0)).then_some(way_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    /// Seconds, total distance, leg distance, longitude.
    type Told = (i64, Option<f64>, Option<f64>, Option<f64>);

    /// Distance after each point.
    fn run(points: &[Told]) -> Vec<f64> {
        let start: Timestamp = "2026-10-04T08:00:00Z".parse().unwrap();
        let mut odometer = Odometer::default();
        points
            .iter()
            .map(|(seconds, total, leg, lon)| {
                let mut point = Trackpoint::at(start + SignedDuration::from_secs(*seconds));
                (point.total_distance_m, point.distance_m) = (*total, *leg);
                point.position = lon.map(|lon| Position { lat: 0.0, lon });
                odometer.advance(&point);
                odometer.distance_m().round()
            })
            .collect()
    }

    #[test]
    fn counters_are_believed_and_may_start_anew() {
        let total = |seconds, metres| (seconds, Some(metres), None, None);
        for (points, expected) in [
            (
                vec![total(0, 0.0), total(10, 30.0), total(20, 60.0)],
                vec![0.0, 30.0, 60.0],
            ),
            // A small correction of the counter.
            (
                vec![total(0, 500.0), total(10, 480.0), total(20, 520.0)],
                vec![500.0, 500.0, 520.0],
            ),
            // A second session restarts the counter.
            (
                vec![
                    total(0, 900.0),
                    total(10, 930.0),
                    total(20, 10.0),
                    total(30, 40.0),
                ],
                vec![900.0, 930.0, 940.0, 970.0],
            ),
            // A single absurd value is ignored.
            (
                vec![
                    total(0, 100.0),
                    total(10, 9e6),
                    total(20, 160.0),
                    total(30, 190.0),
                ],
                vec![100.0, 100.0, 260.0, 290.0],
            ),
            // The first counter value is large.
            (
                vec![total(0, 30_000.0), total(10, 30_030.0)],
                vec![30_000.0, 30_030.0],
            ),
        ] {
            assert_eq!(run(&points), expected, "{points:?}");
        }
    }

    #[test]
    fn the_counter_of_the_leg_serves_without_a_total() {
        let leg = |seconds, metres| (seconds, None, Some(metres), None);
        let points = [leg(0, 700.0), leg(10, 730.0), leg(20, 5.0), leg(30, 105.0)];
        assert_eq!(run(&points), [700.0, 730.0, 735.0, 835.0]);
        let both = [
            (0, Some(700.0), Some(700.0), None),
            (10, None, Some(0.0), None),
            (20, Some(760.0), Some(30.0), None),
        ];
        assert_eq!(run(&both), [700.0, 700.0, 760.0]);
    }

    #[test]
    fn positions_serve_without_counters() {
        // 0.001 degrees at the equator are 111 m.
        let at = |seconds, lon| (seconds, None, None, Some(lon));
        let points = [
            at(0, 1.0),
            at(30, 1.001),
            at(60, 1.00101),
            at(90, 1.002),
            at(100, 9.0),
            at(130, 9.001),
        ];
        assert_eq!(run(&points), [0.0, 111.0, 111.0, 222.0, 222.0, 334.0]);
        let mixed = [
            (0, Some(50.0), None, Some(1.0)),
            at(30, 1.001),
            (60, Some(200.0), None, Some(1.0015)),
        ];
        assert_eq!(run(&mixed), [50.0, 161.0, 200.0]);
    }
}
