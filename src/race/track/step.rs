//! The points of a race: as recorded, and as placed on the track.

use jiff::Timestamp;

use crate::garmin::livetrack::{Position, Trackpoint};

/// A point as the device sent it, and when the gateway first saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackSample {
    /// The point as sent; its time is the device's.
    pub point: Trackpoint,
    /// Time of first sight, by the gateway's clock.
    pub seen_at: Timestamp,
}

/// One cleaned point with its place in the race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackStep {
    pub at: Timestamp,
    /// Seconds since the previous point; 0 for the first point and after a gap.
    pub dt_s: f64,
    /// Index of the leg, from 0.
    pub leg: usize,
    pub distance_m: f64,
    /// Progress along the course or, without one, the distance.
    pub progress_m: f64,
    /// Whether the distance was computed from positions or speed.
    pub derived: bool,
    pub position: Option<Position>,
    pub altitude_m: Option<f64>,
    /// The device's speed, else the distance since the previous point divided by the time.
    pub speed_mps: Option<f64>,
    pub heart_rate_bpm: Option<u32>,
    /// Cadence as sent: revolutions, or strides of one leg, per minute.
    pub cadence_rpm: Option<u32>,
    pub power_w: Option<u32>,
    /// Whether the data shows that the athlete is standing still.
    pub standing: bool,
}
