//! Screens out suspect points, so that a sample from the future or many hours after its neighbours does not affect
//! the track.
//!
//! A suspect point is held until [`CONFIRMED_BY`] successive ones agree. Then the cause is a wrong clock, or a race
//! that continued after a long silence. A single suspect is left out of the track but kept in the stored series.

use jiff::{SignedDuration, Timestamp};

use super::step::TrackSample;

/// Maximum lead of a device time over the time at which Garmin or the gateway received the point.
const LONGEST_LEAD: SignedDuration = SignedDuration::from_mins(2);

/// Points farther apart than this are not considered neighbours.
const FAR: SignedDuration = SignedDuration::from_hours(6);

/// Maximum difference between the leads of points from the same wrong clock.
const SAME_CLOCK: SignedDuration = SignedDuration::from_mins(10);

/// Number of consecutive suspects that confirm each other.
const CONFIRMED_BY: usize = 3;

/// Filter in front of a track. Samples arrive in order of device time.
#[derive(Clone, Debug, Default)]
pub(super) struct Screen {
    last_at: Option<Timestamp>,
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

/// Whether two suspects are close in time and come from the same clock.
fn agree(a: &TrackSample, b: &TrackSample) -> bool {
    b.point.at.duration_since(a.point.at) <= FAR
        && ((lead(a) - lead(b)).abs() <= SAME_CLOCK || (lead(a) <= LONGEST_LEAD && lead(b) <= LONGEST_LEAD))
}
