//! Suspect points: a sample from the future, or far off its neighbours in time, never moves the race.
//!
//! A suspect is held until [`CONFIRMED_BY`] successive ones agree; then it was a wrong clock, or a race that went on after
//! a long silence. A single one is dropped from the track and stays in the series.

use jiff::{SignedDuration, Timestamp};

use super::step::TrackSample;

/// A device time may be this far ahead of the time at which Garmin or the gateway saw the point.
const LONGEST_LEAD: SignedDuration = SignedDuration::from_mins(2);

/// Points farther apart than this are not neighbours.
const FAR: SignedDuration = SignedDuration::from_hours(6);

/// Leads of one wrong clock differ by no more than this.
const SAME_CLOCK: SignedDuration = SignedDuration::from_mins(10);

/// So many suspects in a row are believed.
const CONFIRMED_BY: usize = 3;

/// The screen in front of a track. Samples come in the order of device time.
#[derive(Clone, Debug, Default)]
pub(super) struct Screen {
    last_at: Option<Timestamp>,
    /// The lead of a clock that was found to be wrong.
    lead: Option<SignedDuration>,
    held: Vec<TrackSample>,
}

/// What to do with the track.
#[derive(Debug, PartialEq)]
pub(super) enum Screened {
    Add(Vec<TrackSample>),
    /// The few points so far were suspect: forget them, and add these.
    StartAgain(Vec<TrackSample>),
    Hold,
}

fn lead(sample: &TrackSample) -> SignedDuration {
    let seen_at = sample.point.reported_at.unwrap_or(sample.seen_at);
    sample.point.at.duration_since(seen_at)
}

impl Screen {
    /// `points` is the number of points that the track has.
    pub(super) fn take(&mut self, sample: &TrackSample, points: usize) -> Screened {
        let lead_now = lead(sample);
        let is_ahead = lead_now > LONGEST_LEAD
            && self
                .lead
                .is_none_or(|known| (known - lead_now).abs() > SAME_CLOCK);
        let is_far = self
            .last_at
            .is_some_and(|last| sample.point.at.duration_since(last) > FAR);
        if !is_ahead && is_far && points > 0 && points < CONFIRMED_BY {
            self.held.clear();
            self.last_at = Some(sample.point.at);
            return Screened::StartAgain(vec![sample.clone()]);
        }
        if !is_ahead && !is_far {
            self.held.clear();
            self.last_at = Some(sample.point.at);
            return Screened::Add(vec![sample.clone()]);
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
        self.last_at = Some(sample.point.at);
        Screened::Add(std::mem::take(&mut self.held))
    }
}

/// Whether two suspects are neighbours by one clock.
fn agree(a: &TrackSample, b: &TrackSample) -> bool {
    b.point.at.duration_since(a.point.at) <= FAR
        && ((lead(a) - lead(b)).abs() <= SAME_CLOCK || (lead(a) <= LONGEST_LEAD && lead(b) <= LONGEST_LEAD))
}
