//! The points of a race: as recorded, and as placed in the track.

use jiff::Timestamp;

use crate::garmin::livetrack::{Position, Trackpoint};

/// What the device said, and when we saw it first.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackSample {
    /// The point; its time is the device's.
    pub point: Trackpoint,
    /// When the point was first seen here, by our clock.
    pub seen_at: Timestamp,
}

/// One point, cleaned and put in its place in the race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackStep {
    pub at: Timestamp,
    /// Seconds since the point before; 0 for the first and after a gap.
    pub dt_s: f64,
    /// Which leg, counted from 0.
    pub leg: usize,
    pub distance_m: f64,
    /// Whether the distance was worked out from positions or speed.
    pub derived: bool,
    pub position: Option<Position>,
    pub altitude_m: Option<f64>,
    /// The device's speed, or the way made since the point before.
    pub speed_mps: Option<f64>,
    pub heart_rate_bpm: Option<u32>,
    /// Cadence as sent: turns, or strides of one leg.
    pub cadence_rpm: Option<u32>,
    pub power_w: Option<u32>,
    /// Whether it is seen to stand.
    pub standing: bool,
}
