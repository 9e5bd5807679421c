//! The delay of points, and what it says about the device's clock.

use jiff::{SignedDuration, Timestamp};

use super::step::TrackSample;

/// The shortest delay between a point's device time and its arrival.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lag {
    /// Delay until Garmin received the point, by Garmin's clock, in milliseconds.
    reported_ms: Option<i64>,
    seen_ms: Option<i64>,
}

/// Thresholds in milliseconds for a wrong device clock. Phones may post minutes late, so only a point from the
/// future, or a long delay on every point, proves it.
const AHEAD_MS: i64 = 60_000;
const BEHIND_MS: i64 = 1_800_000;

impl Lag {
    pub(super) fn take(&mut self, sample: &TrackSample) {
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

    pub(super) fn clock_ahead(&self) -> SignedDuration {
        let ahead = self.reported_ms.or(self.seen_ms).filter(|lag| *lag < -AHEAD_MS);
        let behind = self.reported_ms.filter(|lag| *lag > BEHIND_MS);
        SignedDuration::from_millis(-ahead.or(behind).unwrap_or(0))
    }
}
