//! The race clock: when the race started, and how long the watch's timer ran.
//!
//! The start is what the watch's timer says: the time of its first point minus the timer. Without a watch it is the
//! first movement of what turns out to be a race. Distance counts from the same moment.

use jiff::{SignedDuration, Timestamp};

use super::step::TrackSample;
use crate::garmin::livetrack::{Position, Trackpoint};
use crate::race::geo::distance_m;

/// A larger timer value is an error and is ignored; seconds.
const LONGEST_TIMER_S: f64 = 172_800.0;

/// Distance after which the way of a phone counts as a race. It is longer than the usual walk to the start line.
const WITHOUT_WATCH_M: f64 = 2000.0;

/// Within this distance of the first place, the phone has not moved. Positions jitter.
const PLACE_M: f64 = 12.0;

/// Steps shorter than this are jitter.
const STEP_M: f64 = 10.0;

/// A rest of this length before the race has been recognized makes the place a new first place.
const REST: SignedDuration = SignedDuration::from_mins(5);
const REST_M: f64 = 30.0;

/// Maximum number of points held back.
const MOST_HELD: usize = 5000;

/// The start of the race according to a point of the watch; `None` if the watch is not counting yet.
pub(super) fn started_at(point: &Trackpoint) -> Option<Timestamp> {
    let timer_s = point.total_duration_s.or(point.duration_s);
    let way_m = point.total_distance_m.or(point.distance_m);
    let counts = timer_s.is_some_and(|s| s > 0.0) || way_m.is_some_and(|m| m > 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "at most two days in milliseconds")]
    let ran = timer_s
        .filter(|s| *s <= LONGEST_TIMER_S)
        .map_or(0, |s| (s * 1000.0) as i64);
    counts
        .then(|| point.at.checked_sub(SignedDuration::from_millis(ran)).ok())
        .flatten()
}

/// Finds the start of a race that only a phone reports.
#[derive(Clone, Debug, Default)]
pub(super) struct PhoneStart {
    /// Where the phone was before it moved.
    first: Option<Position>,
    /// The last point at the first place, and all later points.
    held: Vec<TrackSample>,
    anchor: Option<Position>,
    way_m: f64,
}

impl PhoneStart {
    /// Adds a point without counters. Once the way is long enough to be a race, returns the points from its start on.
    pub(super) fn take(&mut self, sample: &TrackSample) -> Option<Vec<TrackSample>> {
        let Some(here) = sample.point.position else {
            if !self.held.is_empty() {
                self.held.push(sample.clone());
            }
            return None;
        };
        let first = *self.first.get_or_insert(here);
        let rests = sample.point.at.checked_sub(REST).is_ok_and(|since| {
            let mut earlier = self.held.iter().rev();
            let then = earlier.find(|held| held.point.at <= since && held.point.position.is_some());
            then.and_then(|held| held.point.position)
                .is_some_and(|place| distance_m(place, here) < REST_M)
        });
        if rests || distance_m(first, here) < PLACE_M {
            *self = Self {
                first: Some(if rests { here } else { first }),
                held: vec![sample.clone()],
                anchor: Some(here),
                way_m: 0.0,
            };
            return None;
        }
        self.held.push(sample.clone());
        let step_m = self.anchor.map_or(0.0, |anchor| distance_m(anchor, here));
        if step_m >= STEP_M {
            self.way_m += step_m;
            self.anchor = Some(here);
        }
        (self.way_m > WITHOUT_WATCH_M || self.held.len() > MOST_HELD).then(|| std::mem::take(&mut self.held))
    }
}

/// Follows the watch's timer to notice when it does not run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timer {
    last: Option<(Timestamp, f64)>,
}

impl Timer {
    /// Seconds since the last point during which the timer did not run; 0 if that is unknown.
    pub(super) fn paused_s(&mut self, point: &Trackpoint) -> f64 {
        let Some(now_s) = point.total_duration_s else {
            return 0.0;
        };
        let before = self.last.replace((point.at, now_s));
        let Some((at, before_s)) = before.filter(|(_, before_s)| now_s >= *before_s) else {
            return 0.0;
        };
        let passed_s = point.at.duration_since(at).as_secs_f64();
        (passed_s - (now_s - before_s)).clamp(0.0, passed_s.max(0.0))
    }
}
