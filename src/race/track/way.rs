//! The progress of a race over time, in coarse steps: the basis of crossings and of the outlook.

use jiff::{SignedDuration, Timestamp};

use super::still::GAP_S;

/// Interval between two marks; seconds.
const EVERY_S: f64 = 60.0;

/// Progress at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WayMark {
    /// Device time.
    pub at: Timestamp,
    /// Progress along the course or, without one, distance since the start, in metres.
    pub progress_m: f64,
    /// Distance since the start in metres, without regard to the course.
    pub walked_m: f64,
    /// Seconds spent standing since the start.
    pub stood_s: f64,
}

/// When a place was passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Device time, interpolated between two points.
    pub at: Timestamp,
    /// The last point before and the first point after the place, if there is a gap between them.
    pub between: Option<(Timestamp, Timestamp)>,
}

/// Appends a mark unless the last one is recent.
pub(super) fn note(way: &mut Vec<WayMark>, mark: WayMark, gap: bool) {
    let due = way
        .last()
        .is_none_or(|last| gap || mark.at.duration_since(last.at).as_secs_f64() >= EVERY_S);
    if due {
        way.push(mark);
    }
}

/// The crossing of `at_m` between two points with time and progress.
pub(super) fn crossing(
    (from, from_m): (Timestamp, f64),
    (to, to_m): (Timestamp, f64),
    at_m: f64,
) -> Option<Crossing> {
    if !(from_m..=to_m).contains(&at_m) {
        return None;
    }
    let whole_s = to.duration_since(from).as_secs_f64();
    let part = if to_m > from_m {
        (at_m - from_m) / (to_m - from_m)
    } else {
        1.0
    };
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds between two points")]
    let into = SignedDuration::from_millis((part * whole_s * 1000.0) as i64);
    Some(Crossing {
        at: from.checked_add(into).unwrap_or(to),
        between: (whole_s > GAP_S).then_some((from, to)),
    })
}
