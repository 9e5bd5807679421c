//! A point as it is kept.

use jiff::Timestamp;

use crate::garmin::livetrack::Trackpoint;

/// What the device said, and when we saw it first.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The point; its time is the device's.
    pub point: Trackpoint,
    /// When the point was first seen here, by our clock.
    pub seen_at: Timestamp,
}
