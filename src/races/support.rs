//! Made-up samples for the tests of this room.

use jiff::{SignedDuration, Timestamp};

use super::sample::Sample;
use crate::garmin::livetrack::{Position, Trackpoint};

/// When made-up races start.
pub(super) fn start() -> Timestamp {
    "2026-10-04T08:00:00Z".parse().unwrap()
}

/// `seconds` after the start.
pub(super) fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// A sample of a runner on a straight road east, `seconds` after the start and `metres` from it, 15 s under way.
pub(super) fn running(seconds: i64, metres: f64) -> Sample {
    let mut point = Trackpoint::at(at(seconds));
    point.reported_at = Some(at(seconds + 14));
    point.position = Some(Position {
        lat: 46.62,
        lon: 14.3 + metres / 76_370.0,
    });
    point.total_distance_m = Some(metres);
    point.distance_m = Some(metres);
    point.total_duration_s = Some(seconds as f64);
    point.duration_s = Some(seconds as f64);
    point.heart_rate_bpm = Some(145);
    point.cadence_rpm = Some(85);
    point.activity_type = Some("RUNNING".into());
    Sample {
        point,
        seen_at: at(seconds + 15),
    }
}

/// A run at `mps` from second 0 to `to_s`, a point every 10 s.
pub(super) fn steady(to_s: i64, mps: f64) -> Vec<Sample> {
    (0..=to_s / 10)
        .map(|i| running(i * 10, (i * 10) as f64 * mps))
        .collect()
}
