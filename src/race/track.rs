//! The track: distance, legs, splits, gaps and stops, computed from the points of a race. Pure: the same points give
//! the same track.
//!
//! Points are added in order of device time. A batch that arrives late is inserted at its place and the track is
//! computed again from the start, so the result does not depend on the order of arrival.
//!
//! Invariants: distance never decreases, except for one reset when the watch starts to count. No input, however wrong
//! its counters or positions, causes a panic or a value that is not finite.

mod clock;
mod distance;
mod follow;
mod lag;
mod leg;
mod leg_change;
mod screen;
mod split;
mod step;
mod still;
mod sums;
#[cfg(test)]
mod tests;
mod way;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::garmin::livetrack::Trackpoint;
use crate::race::course::Course;
use crate::race::sport::{self, LegKind, RaceKind};
use clock::{PhoneStart, Timer};
use distance::Odometer;
use follow::CourseFollower;
use lag::Lag;
use leg::LegDetector;
use screen::{Screen, Screened};
use split::{OpenSplit, SplitStep};
use still::Stops;

pub use follow::CourseUnfit;
pub use leg::Leg;
pub use split::{Split, split_length_m};
pub use step::{TrackSample, TrackStep};
pub use still::{GAP_S, Gap, SHORTEST_STOP_S, Stop};
pub use sums::{LegTotals, WeightedMean};
pub use way::{Crossing, WayMark};

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
    /// Start of the race by the device's clock: when the timer started or, without a watch, when the phone first
    /// moved. Distance counts from the same moment.
    pub started_at: Option<Timestamp>,
    /// Empty before the start of the race.
    pub legs: Vec<Leg>,
    /// Splits of all legs, in order.
    pub splits: Vec<Split>,
    pub gaps: Vec<Gap>,
    /// Metres climbed since the start.
    pub ascent_m: f64,
    /// Distance along the course in metres; `None` without a course, or if it does not fit.
    pub course_m: Option<f64>,
    /// Why the course says nothing about the progress.
    pub course_unfit: Option<CourseUnfit>,
    /// Distance from the course at the newest position in metres; `None` without a course.
    pub off_course_m: Option<f64>,
    pub recent: VecDeque<TrackStep>,
    /// Progress over the whole race, about once a minute.
    pub way: Vec<WayMark>,
    /// Device time and distance of the END event that is in force.
    ended: Option<(Timestamp, f64)>,
    phone: PhoneStart,
    timer: Timer,
    stops: Stops,
    odometer: Odometer,
    follower: CourseFollower,
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
            course_unfit: None,
            off_course_m: None,
            recent: VecDeque::new(),
            way: Vec::new(),
            phone: PhoneStart::default(),
            timer: Timer::default(),
            stops: Stops::default(),
            odometer: Odometer::default(),
            follower: CourseFollower::default(),
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
        if self.last.is_some_and(|last| point.at <= last.at) {
            return None;
        }
        let counts = point.total_distance_m.or(point.distance_m).is_some();
        if !self.odometer.has_counter() && counts {
            self.forget_the_way_here();
        }
        self.lag.take(sample);
        self.points += 1;
        self.first_at.get_or_insert(point.at);
        if self.started_at.is_none() {
            self.started_at = clock::started_at(point);
        }
        if self.started_at.is_none()
            && !self.odometer.has_counter()
            && let Some(samples) = self.phone.take(sample)
        {
            self.forget_the_way_here();
            self.last = None;
            self.started_at = samples.first().map(|first| first.point.at);
            let steps = samples.iter().map(|sample| self.advance(course, &sample.point));
            return steps.last();
        }
        Some(self.advance(course, point))
    }

    /// Moves on to a point that is newer than the last one.
    fn advance(&mut self, course: Option<&Course>, point: &Trackpoint) -> TrackStep {
        let before = self.last;
        let since_s = before.map_or(0.0, |before| point.at.duration_since(before.at).as_secs_f64());
        let (before_m, elapsed_s) = (self.odometer.distance_m(), self.elapsed_s());
        let way = self.odometer.advance(point);
        let paused_s = self.timer.paused_s(point);
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
                course_m: self.course_m,
                paused_s,
            });
        }
        let own_speed = || (way.known && since_s > 0.0 && !gap).then(|| way.step_m / since_s);
        let mut step = TrackStep {
            at: point.at,
            dt_s: if gap { 0.0 } else { since_s },
            leg: 0,
            distance_m: self.odometer.distance_m(),
            progress_m: self.odometer.distance_m(),
            derived: way.derived,
            position: point.position,
            altitude_m: point.altitude_m,
            speed_mps: point.speed_mps.or_else(own_speed),
            heart_rate_bpm: point.heart_rate_bpm,
            cadence_rpm: point.cadence_rpm,
            power_w: point.power_w,
            standing: false,
        };
        if self.started_at.is_some() {
            self.cross(point, before.map_or(point.at, |before| before.at), before_m, gap);
            step.leg = self.legs.len().saturating_sub(1);
            // Without a counter, the way through a gap is known as the crow flies.
            let crow_flies = gap && way.derived;
            let missed_m = crow_flies.then(|| since_s * before_m / elapsed_s.max(1.0));
            self.follow(course, &step, missed_m.unwrap_or_default());
            step.progress_m = self.progress_m();
            let stood_s = self.stops.stood_s();
            let can_stand = self.can_stand(point);
            step.standing = self.stops.advance(&step, since_s, paused_s, can_stand);
            self.measure(before, &step, gap, self.stops.stood_s() - stood_s);
        }
        match self.ended {
            Some((_, at_m)) if step.distance_m > at_m + AFTER_END_M => self.ended = None,
            None if point.is_end() => self.ended = Some((point.at, step.distance_m)),
            _ => {}
        }
        self.remember(step);
        step
    }

    /// Whether a stop can be seen on this leg: not indoors, and not while swimming or in a boat, which drifts.
    fn can_stand(&self, point: &Trackpoint) -> bool {
        let in_one_place = point.activity_type.as_deref().is_some_and(sport::is_indoors);
        let kind = self.leg().and_then(|leg| leg.kind);
        !in_one_place
            && !matches!(
                kind,
                Some(LegKind::Swim | LegKind::Row | LegKind::Kayak | LegKind::Paddle)
            )
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

    /// Adds the step to its leg and its split. `stood_s` is the change of the time spent standing.
    fn measure(&mut self, before: Option<TrackStep>, step: &TrackStep, gap: bool, stood_s: f64) {
        let climbed_m = self.climb.take(step.altitude_m);
        self.ascent_m += climbed_m;
        let mark = WayMark {
            at: step.at,
            progress_m: step.progress_m,
            walked_m: step.distance_m,
            stood_s: self.stops.stood_s(),
        };
        way::note(&mut self.way, mark, gap || before.is_none());
        let Some(leg) = self.legs.last_mut() else { return };
        let before_m = leg.to_m - leg.from_m;
        let before_at = before.map_or(leg.started_at, |before| before.at.max(leg.started_at));
        leg.ascent_m += climbed_m;
        leg.sums.add(step);
        leg.sums.stood(stood_s);
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
                gap: gap || before_at.duration_since(step.at).as_secs_f64() < -GAP_S,
            };
            running.advance(length_m, stretch, &mut self.splits);
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

    /// Progress in metres: along the course if there is one, else the distance.
    pub fn progress_m(&self) -> f64 {
        self.course_m.unwrap_or_else(|| self.distance_m())
    }

    /// When the athlete passed a place on the way, given by its progress; `None` if not yet.
    pub fn crossing(&self, at_m: f64) -> Option<Crossing> {
        let start = self.started_at.map(|at| (at, 0.0));
        let recent = self.recent.iter().map(|step| (step.at, step.progress_m));
        let way = self.way.iter().map(|mark| (mark.at, mark.progress_m));
        let begins_at = self.recent.front().map(|step| step.at);
        let older = way.filter(|(at, _)| begins_at.is_none_or(|begins_at| *at < begins_at));
        let mut before: Option<(Timestamp, f64)> = None;
        for now in start.into_iter().chain(older).chain(recent) {
            if let Some(before) = before.replace(now)
                && let Some(crossing) = way::crossing(before, now, at_m)
            {
                return Some(crossing);
            }
        }
        None
    }

    /// Seconds spent standing since the start.
    pub fn stood_s(&self) -> f64 {
        self.stops.stood_s()
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
