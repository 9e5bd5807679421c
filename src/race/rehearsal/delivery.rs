//! A recording in the form in which LiveTrack would have delivered it.

use jiff::{SignedDuration, Timestamp};

use super::legs::{self, DeliveredLeg};
use super::problem::UnplayableRecording;
use crate::garmin::files::Recording;
use crate::garmin::livetrack::Trackpoint;
use crate::race::sport::{LegKind, RaceKind};
use crate::race::text;
use crate::race::track::TrackSample;

/// Phones record a point for LiveTrack about this often; seconds.
const EVERY_S: f64 = 5.0;

/// Delay between a point and its arrival.
const DELAY: SignedDuration = SignedDuration::from_secs(15);

/// Shorter recordings say nothing about a race.
const SHORTEST_M: f64 = 1000.0;
const SHORTEST_S: f64 = 600.0;
const LONGEST_S: f64 = 48.0 * 3600.0;

/// Where the file has no distances, a step between positions that implies a higher speed is not counted; metres per
/// second.
const FASTEST_MPS: f64 = 40.0;

/// A longer step at an impossible speed is no error of a position but a wrong file.
const LONGEST_ERROR_M: f64 = 2000.0;

pub(super) struct Delivery {
    pub(super) start: Timestamp,
    pub(super) kind: RaceKind,
    pub(super) leg: Option<LegKind>,
    /// The legs of a race of several sports; empty for one sport.
    pub(super) legs: Vec<DeliveredLeg>,
    /// The points in order of time.
    pub(super) samples: Vec<TrackSample>,
    /// Seconds since the start and metres, for every sample of the recording.
    pub(super) way: Vec<(f64, f64)>,
}

impl Delivery {
    pub(super) fn of(recording: &Recording) -> Result<Self, UnplayableRecording> {
        let sport = recording.sport.as_deref().unwrap_or_default().to_uppercase();
        let sessions = legs::sessions(recording);
        let way = way(recording).ok_or(UnplayableRecording::NoDistance)?;
        let legs = legs::legs(sessions, &way);
        let (whole_s, whole_m) = way.last().copied().unwrap_or_default();
        if whole_m < SHORTEST_M || whole_s < SHORTEST_S {
            return Err(UnplayableRecording::TooShort);
        }
        if whole_s > LONGEST_S {
            return Err(UnplayableRecording::TooLong);
        }
        check(recording, &way)?;
        let mut samples: Vec<TrackSample> = Vec::new();
        let mut next_s = 0.0;
        let last = recording.samples.len().saturating_sub(1);
        for (index, (sample, (at_s, metres))) in recording.samples.iter().zip(&way).enumerate() {
            if *at_s < next_s && index != last {
                continue;
            }
            next_s = at_s + EVERY_S;
            let mut point = Trackpoint::at(after(recording.start, *at_s));
            let timer_s = at_s - recording.paused_s(0.0, *at_s);
            point.reported_at = Some(point.at + DELAY);
            point.position = sample.position;
            point.altitude_m = sample.altitude_m.map(f64::from);
            point.speed_mps = sample.speed_mps.map(f64::from);
            (point.distance_m, point.total_distance_m) = (Some(*metres), Some(*metres));
            (point.duration_s, point.total_duration_s) = (Some(timer_s), Some(timer_s));
            point.heart_rate_bpm = sample.heart_rate_bpm.map(whole);
            point.cadence_rpm = sample.cadence_rpm.map(whole);
            point.power_w = sample.power_w.map(whole);
            point.activity_type = Some(sport.clone()).filter(|sport| !sport.is_empty());
            if let Some(leg) = legs::leg_at(&legs, *at_s) {
                // The session's own counters begin with it.
                let paused_s = recording.paused_s(leg.from_s, *at_s);
                point.duration_s = Some((at_s - leg.from_s - paused_s).max(0.0));
                point.distance_m = Some((metres - leg.from_m).max(0.0));
                point.activity_type = Some(leg.activity_type.clone());
            }
            if index == last {
                point.events = vec!["END".to_owned()];
            }
            let seen_at = point.at + DELAY;
            samples.push(TrackSample { point, seen_at });
        }
        let kind = if legs.is_empty() {
            RaceKind::from_words(&sport)
        } else {
            legs::race_kind(&legs)
        };
        Ok(Self {
            start: recording.start,
            kind,
            leg: LegKind::from_activity(&sport).filter(|_| legs.is_empty()),
            legs,
            samples,
            way,
        })
    }

    pub(super) fn whole_m(&self) -> f64 {
        self.way.last().map_or(0.0, |(_, metres)| *metres)
    }

    /// The sport, or the sports in order such as `swim-bike-run`.
    pub(super) fn sport(&self) -> String {
        let word = |kind: Option<LegKind>| kind.map_or("unknown", LegKind::word);
        if self.legs.is_empty() {
            return word(self.leg).to_owned();
        }
        let words: Vec<_> = legs::sports(&self.legs).into_iter().map(word).collect();
        words.join("-")
    }

    pub(super) fn end_s(&self) -> f64 {
        self.way.last().map_or(0.0, |(seconds, _)| *seconds)
    }
}

/// Seconds and metres of every sample: by the device's counter, else by positions.
fn way(recording: &Recording) -> Option<Vec<(f64, f64)>> {
    let counted = recording
        .samples
        .iter()
        .any(|sample| sample.distance_m.is_some_and(|m| m > 0.0));
    let placed = recording.samples.iter().any(|sample| sample.position.is_some());
    if !counted && !placed {
        return None;
    }
    if counted {
        // A watch may count sessions of the same sport from zero too.
        return Some(legs::counted_way(recording, &recording.sessions));
    }
    let (mut metres, mut before) = (0.0_f64, None);
    let way = recording.samples.iter().map(|sample| {
        if let Some(here) = sample.position
            && let Some((there, at_s)) = before.replace((here, sample.at_s))
        {
            let step_m = here.distance_m(there);
            let is_possible = step_m <= FASTEST_MPS * (sample.at_s - at_s).max(1.0);
            metres += if is_possible { step_m } else { 0.0 };
        }
        (sample.at_s, metres)
    });
    Some(way.collect())
}

/// Refuses a recording whose times, distances or positions can't be those of a race.
fn check(recording: &Recording, way: &[(f64, f64)]) -> Result<(), UnplayableRecording> {
    let mut counters = recording.samples.iter().filter_map(|sample| sample.distance_m);
    if let Some((first_m, last_m)) = counters.next().zip(counters.next_back())
        && last_m < first_m
        && recording.sessions.len() < 2
    {
        return Err(UnplayableRecording::Backwards);
    }
    for pair in way.windows(2) {
        let [(from_s, from_m), (to_s, to_m)] = pair else {
            continue;
        };
        let (step_s, step_m) = (to_s - from_s, to_m - from_m);
        if step_m > LONGEST_ERROR_M && step_m > FASTEST_MPS * step_s.max(1.0) {
            return Err(UnplayableRecording::Jump {
                km: step_m / 1000.0,
                after: text::time(*from_s),
                lasted: text::time(step_s),
            });
        }
    }
    Ok(())
}

pub(super) fn after(start: Timestamp, seconds: f64) -> Timestamp {
    let since = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    start.checked_add(since).unwrap_or(start)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a heart rate, a cadence or a power; the cast saturates"
)]
fn whole(value: f32) -> u32 {
    value.round() as u32
}
