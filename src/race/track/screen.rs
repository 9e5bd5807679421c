//! Screens out suspect points, so that a sample from the future, many hours after its neighbours, or farther from them
//! than anybody moves in that time does not affect the track.
//!
//! A suspect point is held until [`CONFIRMED_BY`] successive ones agree. Then the cause is a wrong clock, a race that
//! continued after a long silence, or an earlier wrong position. A single suspect is left out of the track but kept in
//! the stored series.

use jiff::{SignedDuration, Timestamp};

use super::step::TrackSample;
use crate::race::geo;

/// Maximum lead of a device time over the time at which Garmin or the gateway received the point.
const LONGEST_LEAD: SignedDuration = SignedDuration::from_mins(2);

/// Points farther apart than this are not considered neighbours.
const FAR: SignedDuration = SignedDuration::from_hours(6);

/// Nobody moves faster in a race, not even downhill or in an ambulance; metres per second.
const FASTEST_MPS: f64 = 60.0;

/// Tolerance for imprecise positions and counters: after a lost signal, a point may be off by some hundred metres.
const TOLERANCE_M: f64 = 1000.0;

/// Maximum difference between the leads of points from the same wrong clock.
const SAME_CLOCK: SignedDuration = SignedDuration::from_mins(10);

/// Number of consecutive suspects that confirm each other.
const CONFIRMED_BY: usize = 3;

/// Filter in front of a track. Samples arrive in order of device time.
#[derive(Clone, Debug, Default)]
pub(super) struct Screen {
    last_at: Option<Timestamp>,
    /// The last sample in the track with a position, and the last with a distance.
    placed: Option<TrackSample>,
    counted: Option<TrackSample>,
    has_counted: bool,
    /// Lead of the device's clock, once it was found to be wrong.
    lead: Option<SignedDuration>,
    held: Vec<TrackSample>,
}

/// What to do with the track after a sample.
#[derive(Debug, PartialEq)]
pub(super) enum Screened {
    Add(Vec<TrackSample>),
    /// The few earlier points were themselves suspect: discard them and add these.
    StartAgain(Vec<TrackSample>),
    Hold,
}

fn lead(sample: &TrackSample) -> SignedDuration {
    let seen_at = sample.point.reported_at.unwrap_or(sample.seen_at);
    sample.point.at.duration_since(seen_at)
}

impl Screen {
    /// Judges a sample. `points` is the number of points in the track.
    pub(super) fn take(&mut self, sample: &TrackSample, points: usize) -> Screened {
        let lead_now = lead(sample);
        let is_ahead = lead_now > LONGEST_LEAD
            && self
                .lead
                .is_none_or(|known| (known - lead_now).abs() > SAME_CLOCK);
        let is_far = self
            .last_at
            .is_some_and(|last| sample.point.at.duration_since(last) > FAR);
        let is_beyond =
            |known: &Option<TrackSample>| known.as_ref().is_some_and(|known| is_off(known, sample));
        // The first point that the watch counts is never held: the race begins with it.
        let begins = !self.has_counted && counts(sample);
        let is_off = !begins && (is_beyond(&self.placed) || is_beyond(&self.counted));
        if !is_ahead && is_far && points > 0 && points < CONFIRMED_BY {
            return Screened::StartAgain(self.accept(vec![sample.clone()]));
        }
        if !is_ahead && !is_far && !is_off {
            return Screened::Add(self.accept(vec![sample.clone()]));
        }
        if self.held.last().is_some_and(|held| !agree(held, sample)) {
            self.held.clear();
        }
        self.held.push(sample.clone());
        if self.held.len() < CONFIRMED_BY {
            return Screened::Hold;
        }
        if is_ahead {
            self.lead = Some(lead_now);
        }
        let (held, has_counted) = (std::mem::take(&mut self.held), self.has_counted);
        let held = self.accept(held);
        if is_off && points == 1 && !has_counted {
            return Screened::StartAgain(held);
        }
        Screened::Add(held)
    }

    fn accept(&mut self, samples: Vec<TrackSample>) -> Vec<TrackSample> {
        self.held.clear();
        for sample in &samples {
            self.last_at = Some(sample.point.at);
            self.has_counted |= counts(sample);
            if sample.point.position.is_some() {
                self.placed = Some(sample.clone());
            }
            if sample.point.total_distance_m.is_some() {
                self.counted = Some(sample.clone());
            }
        }
        samples
    }
}

/// Whether the watch counts the distance.
fn counts(sample: &TrackSample) -> bool {
    let point = &sample.point;
    point.total_distance_m.or(point.distance_m).is_some()
}

/// Whether `sample` is farther from an earlier one than anybody moves in between. A counter that restarts is not far.
fn is_off(known: &TrackSample, sample: &TrackSample) -> bool {
    let (a, b) = (&known.point, &sample.point);
    let seconds = b.at.duration_since(a.at).as_secs_f64().max(0.0);
    let reachable_m = seconds.mul_add(FASTEST_MPS, TOLERANCE_M);
    let moved_m = a.position.zip(b.position).map(|(a, b)| geo::distance_m(a, b));
    let counted_m = a.total_distance_m.zip(b.total_distance_m).map(|(a, b)| b - a);
    [moved_m, counted_m]
        .into_iter()
        .flatten()
        .any(|m| m > reachable_m)
}

/// Whether two suspects are close in time and place and come from the same clock.
fn agree(a: &TrackSample, b: &TrackSample) -> bool {
    b.point.at.duration_since(a.point.at) <= FAR
        && !is_off(a, b)
        && ((lead(a) - lead(b)).abs() <= SAME_CLOCK || (lead(a) <= LONGEST_LEAD && lead(b) <= LONGEST_LEAD))
}
