//! The track: distance, legs, splits, gaps and stops, computed from the points of a race. Pure: the same points give
//! the same track.
//!
//! Points are added in order of device time. A batch that arrives late is inserted at its place and the track is
//! computed again from the start, so the result does not depend on the order of arrival.
//!
//! Invariants: distance never decreases, except for one reset when the watch starts to count. No input, however wrong
//! its counters or positions, causes a panic or a value that is not finite.

mod distance;
mod leg;
mod screen;
mod split;
mod step;
mod still;
mod sums;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::garmin::livetrack::Trackpoint;
use crate::race::course::Course;
use crate::race::sport::{LegKind, RaceKind};
use distance::Odometer;
use leg::{LegBorder, LegDetector};
use screen::{Screen, Screened};
use split::{OpenSplit, SplitStep};
use still::Stops;

pub use leg::Leg;
pub use split::{Split, split_length_m};
pub use step::{TrackSample, TrackStep};
pub use still::{GAP_S, Gap, SHORTEST_STOP_S, Stop};
pub use sums::{LegTotals, WeightedMean};

/// Distance after which a race counts as started when only the phone reports. It is longer than the usual walk to the
/// start line.
const WITHOUT_WATCH_M: f64 = 2000.0;

/// Moving on this far after an END cancels it: the END closed a leg, or the button was pressed by mistake.
const AFTER_END_M: f64 = 100.0;

/// Steps of this most recent period are kept.
const RECENT: SignedDuration = SignedDuration::from_mins(31);

/// Everything computed from the points of a race.
#[derive(Clone, Debug)]
pub struct Track {
    kind: RaceKind,
    /// Number of points added so far.
    pub points: usize,
    /// Time of the first point.
    pub first_at: Option<Timestamp>,
    pub last: Option<TrackStep>,
    /// Start of the race by the device's clock: when the timer started or, without a watch, when the phone had
    /// covered enough distance.
    pub started_at: Option<Timestamp>,
    /// Empty before the start of the race.
    pub legs: Vec<Leg>,
    /// Splits of all legs, in order.
    pub splits: Vec<Split>,
    pub gaps: Vec<Gap>,
    /// Metres climbed since the start.
    pub ascent_m: f64,
    /// Distance along the course in metres; `None` without a course.
    pub course_m: Option<f64>,
    /// Distance from the course at the newest position in metres; `None` without a course.
    pub off_course_m: Option<f64>,
    pub recent: VecDeque<TrackStep>,
    /// Device time and distance of the END event that is in force.
    ended: Option<(Timestamp, f64)>,
    stops: Stops,
    odometer: Odometer,
    borders: LegDetector,
    running: Option<OpenSplit>,
    climb: Climb,
    lag: Lag,
    screen: Screen,
}

impl Track {
    pub fn new(kind: RaceKind) -> Self {
        Self {
            kind,
            points: 0,
            first_at: None,
            last: None,
            started_at: None,
            ended: None,
            legs: Vec::new(),
            splits: Vec::new(),
            gaps: Vec::new(),
            ascent_m: 0.0,
            course_m: None,
            off_course_m: None,
            recent: VecDeque::new(),
            stops: Stops::default(),
            odometer: Odometer::default(),
            borders: LegDetector::default(),
            running: None,
            climb: Climb::default(),
            lag: Lag::default(),
            screen: Screen::default(),
        }
    }

    /// Builds a track from samples in order of device time.
    pub fn of<'a>(
        kind: RaceKind,
        course: Option<&Course>,
        samples: impl IntoIterator<Item = &'a TrackSample>,
    ) -> Self {
        let mut track = Self::new(kind);
        for sample in samples {
            track.push(course, sample);
        }
        track
    }

    /// Adds a sample. Returns its step, or `None` if the sample is not newer than the last one by device time, or is
    /// suspect and held back ([`screen`]).
    pub fn push(&mut self, course: Option<&Course>, sample: &TrackSample) -> Option<TrackStep> {
        if self.last.is_some_and(|last| sample.point.at <= last.at) {
            return None;
        }
        let samples = match self.screen.take(sample, self.points) {
            Screened::Hold => return None,
            Screened::Add(samples) => samples,
            Screened::StartAgain(samples) => {
                let screen = std::mem::take(&mut self.screen);
                *self = Self::new(self.kind);
                self.screen = screen;
                samples
            }
        };
        let steps = samples.iter().map(|sample| self.add(course, sample));
        steps.last().flatten()
    }

    fn add(&mut self, course: Option<&Course>, sample: &TrackSample) -> Option<TrackStep> {
        let point = &sample.point;
        let before = self.last;
        let since_s = before.map_or(0.0, |before| point.at.duration_since(before.at).as_secs_f64());
        if before.is_some() && since_s <= 0.0 {
            return None;
        }
        if !self.odometer.has_counter() && (point.total_distance_m.or(point.distance_m)).is_some() {
            self.forget_the_way_here();
        }
        self.lag.take(sample);
        self.points += 1;
        self.first_at.get_or_insert(point.at);
        let before_m = self.odometer.distance_m();
        let way = self.odometer.advance(point);
        self.start(point, before.map_or(point.at, |before| before.at));
        let gap = since_s > GAP_S;
        if gap
            && self.started_at.is_some()
            && let Some(before) = before
        {
            self.gaps.push(Gap {
                from: before.at,
                to: point.at,
                distance_m: way.step_m,
                at_m: before_m,
            });
        }
        let own_speed = || (way.known && since_s > 0.0 && !gap).then(|| way.step_m / since_s);
        let mut step = TrackStep {
            at: point.at,
            dt_s: if gap { 0.0 } else { since_s },
            leg: 0,
            distance_m: self.odometer.distance_m(),
            derived: way.derived,
            position: point.position,
            altitude_m: point.altitude_m,
            speed_mps: point.speed_mps.or_else(own_speed),
            heart_rate_bpm: point.heart_rate_bpm,
            cadence_rpm: point.cadence_rpm,
            power_w: point.power_w,
            standing: self.started_at.is_some()
                && still::is_standing(way.known, way.step_m, since_s, point.speed_mps),
        };
        if self.started_at.is_some() {
            self.cross(point, before_m);
            step.leg = self.legs.len().saturating_sub(1);
            self.measure(before, &step, gap);
            self.place(course, &step);
        }
        match self.ended {
            Some((_, at_m)) if step.distance_m > at_m + AFTER_END_M => self.ended = None,
            None if point.is_end() => self.ended = Some((point.at, step.distance_m)),
            _ => {}
        }
        self.remember(step);
        Some(step)
    }

    /// Resets the track when the watch starts to count: the movement that the phone reported before was the way to
    /// the start.
    fn forget_the_way_here(&mut self) {
        let (points, first_at, lag, last) = (self.points, self.first_at, self.lag, self.last);
        let screen = std::mem::take(&mut self.screen);
        *self = Self::new(self.kind);
        self.screen = screen;
        (self.points, self.first_at, self.lag) = (points, first_at, lag);
        self.last = last.map(|last| TrackStep {
            distance_m: 0.0,
            ..last
        });
    }

    /// Sets the start of the race: the first point that the watch counts or, without a watch, the moment when
    /// [`WITHOUT_WATCH_M`] is passed.
    fn start(&mut self, point: &Trackpoint, before_at: Timestamp) {
        if self.started_at.is_some() {
            return;
        }
        let timer_s = point.total_duration_s.or(point.duration_s);
        let counts = timer_s.is_some_and(|s| s > 0.0)
            || point
                .total_distance_m
                .or(point.distance_m)
                .is_some_and(|m| m > 0.0);
        self.started_at = if counts {
            // The first point may arrive minutes after the start, so the start is computed from the timer.
            #[expect(clippy::cast_possible_truncation, reason = "at most 600")]
            let ran = timer_s.filter(|s| *s <= 600.0).map_or(0, |s| s as i64);
            point.at.checked_sub(SignedDuration::from_secs(ran)).ok()
        } else if self.odometer.distance_m() > WITHOUT_WATCH_M {
            Some(before_at)
        } else {
            None
        };
    }

    fn cross(&mut self, point: &Trackpoint, before_m: f64) {
        let told = point.activity_type.as_deref().and_then(LegKind::from_activity);
        let Some(leg) = self.legs.last_mut() else {
            let by_race = leg::first_kind(self.kind);
            let (kind, typed) = (by_race.or(told), by_race.is_none() && told.is_some());
            let at = self.started_at.unwrap_or(point.at);
            self.legs.push(Leg::new(kind, typed, at, 0.0));
            self.running = Some(OpenSplit::new(at));
            // The first point also initializes the counters that later points are compared with.
            if let Some(leg) = self.legs.last() {
                self.borders.cross(self.kind, leg, point);
            }
            return;
        };
        if let Some(LegBorder { kind, at }) = self.borders.cross(self.kind, leg, point) {
            let unnamed_so_far = leg.kind.is_none() && kind.is_some() && self.legs.len() == 1;
            let is_first = self.legs.len() == 1;
            if unnamed_so_far && let Some(leg) = self.legs.last_mut() {
                (leg.kind, leg.typed) = (kind, true);
                return;
            }
            if let Some(leg) = self.legs.last_mut()
                && leg::was_transition(leg, is_first)
            {
                leg.kind = Some(LegKind::Transition);
            }
            self.legs.push(Leg::new(kind, kind.is_some(), at, before_m));
            self.running = Some(OpenSplit::new(at));
        } else if leg.kind.is_none() {
            let before = self.sport_before_last();
            if let Some(leg) = self.legs.last_mut() {
                leg.kind = leg::guess(self.kind, before, leg);
            }
        }
    }

    /// The most recent earlier sport, skipping transitions.
    fn sport_before_last(&self) -> Option<LegKind> {
        let earlier = self.legs.iter().rev().skip(1).filter_map(|leg| leg.kind);
        earlier.into_iter().find(|kind| *kind != LegKind::Transition)
    }

    /// Adds the step to its leg, its split and the stops.
    fn measure(&mut self, before: Option<TrackStep>, step: &TrackStep, gap: bool) {
        let climbed_m = self.climb.take(step.altitude_m);
        self.ascent_m += climbed_m;
        let before_at = before.map_or(step.at, |before| before.at);
        self.stops.advance(before_at, step);
        let Some(leg) = self.legs.last_mut() else { return };
        let before_m = leg.to_m - leg.from_m;
        let before_at = before_at.max(leg.started_at);
        leg.ascent_m += climbed_m;
        leg.sums.add(step);
        (leg.last_at, leg.to_m) = (step.at.max(leg.last_at), step.distance_m);
        if let (Some(running), Some(length_m)) = (&mut self.running, split_length_m(leg.kind)) {
            let stretch = SplitStep {
                leg: step.leg,
                leg_from_m: leg.from_m,
                before_m,
                after_m: leg.distance_m(),
                before_at,
                after_at: step.at,
                heart_rate_bpm: step.heart_rate_bpm,
                power_w: step.power_w,
                gap: gap || before.is_none(),
            };
            running.advance(length_m, stretch, &mut self.splits);
        }
    }

    fn place(&mut self, course: Option<&Course>, step: &TrackStep) {
        let (Some(course), Some(position)) = (course, step.position) else {
            return;
        };
        let from_m = self.course_m.unwrap_or(0.0);
        if let Some(at) = course.locate(position, from_m) {
            self.off_course_m = Some(at.off_m);
            // A position far off the course says nothing about progress along it.
            if at.off_m <= 200.0 {
                self.course_m = Some(from_m.max(at.along_m));
            }
        }
    }

    fn remember(&mut self, step: TrackStep) {
        self.last = Some(step);
        self.recent.push_back(step);
        let oldest = step.at.checked_sub(RECENT).unwrap_or(step.at);
        while self.recent.front().is_some_and(|first| first.at < oldest) {
            self.recent.pop_front();
        }
    }

    /// The current leg; the last one if the race is over.
    pub fn leg(&self) -> Option<&Leg> {
        self.legs.last()
    }

    /// Distance since the start in metres.
    pub fn distance_m(&self) -> f64 {
        self.odometer.distance_m()
    }

    /// Seconds from the start to the newest point; 0 before the start.
    pub fn elapsed_s(&self) -> f64 {
        match (self.started_at, self.last) {
            (Some(start), Some(last)) => last.at.duration_since(start).as_secs_f64().max(0.0),
            _ => 0.0,
        }
    }

    /// Device time of the END event. Moving on afterwards cancels it.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended.map(|(at, _)| at)
    }

    /// Completed stops of at least [`SHORTEST_STOP_S`].
    pub fn stops(&self) -> &[Stop] {
        &self.stops.done
    }

    /// The stop in progress at the newest point, of any length.
    pub fn standing(&self) -> Option<&Stop> {
        self.stops.standing.as_ref()
    }

    /// Offset of the device's clock from true time: positive = the device is ahead. Zero if delays can explain the
    /// difference.
    pub fn clock_ahead(&self) -> SignedDuration {
        self.lag.clock_ahead()
    }

    /// Converts a device time to true time.
    pub fn true_time(&self, at: Timestamp) -> Timestamp {
        at.checked_sub(self.clock_ahead()).unwrap_or(at)
    }
}

/// Sums up ascent. Changes of less than 3 m are ignored as jitter of the altimeter.
#[derive(Clone, Copy, Debug, Default)]
struct Climb {
    low_m: Option<f64>,
}

impl Climb {
    fn take(&mut self, altitude_m: Option<f64>) -> f64 {
        let Some(now) = altitude_m else { return 0.0 };
        let low = *self.low_m.get_or_insert(now);
        if now - low >= 3.0 {
            self.low_m = Some(now);
            now - low
        } else {
            self.low_m = Some(low.min(now));
            0.0
        }
    }
}

/// The shortest delay between a point's device time and its arrival.
#[derive(Clone, Copy, Debug, Default)]
struct Lag {
    /// Delay until Garmin received the point, by Garmin's clock, in milliseconds.
    reported_ms: Option<i64>,
    seen_ms: Option<i64>,
}

/// Thresholds in milliseconds for a wrong device clock. Phones may post minutes late, so only a point from the
/// future, or a long delay on every point, proves it.
const AHEAD_MS: i64 = 60_000;
const BEHIND_MS: i64 = 1_800_000;

impl Lag {
    fn take(&mut self, sample: &TrackSample) {
        fn least(best: &mut Option<i64>, at: Timestamp, device: Timestamp) {
            let lag = at.as_millisecond().saturating_sub(device.as_millisecond());
            *best = Some(best.map_or(lag, |best| best.min(lag)));
        }
        let device = sample.point.at;
        if let Some(reported) = sample.point.reported_at {
            least(&mut self.reported_ms, reported, device);
        }
        least(&mut self.seen_ms, sample.seen_at, device);
    }

    fn clock_ahead(&self) -> SignedDuration {
        let ahead = self.reported_ms.or(self.seen_ms).filter(|lag| *lag < -AHEAD_MS);
        let behind = self.reported_ms.filter(|lag| *lag > BEHIND_MS);
        SignedDuration::from_millis(-ahead.or(behind).unwrap_or(0))
    }
}
