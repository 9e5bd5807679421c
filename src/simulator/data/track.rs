//! An activity second by second: the same distance, laps, heart rate and power as its documents.

use std::f64::consts::TAU;

use super::dice::{tenths, whole};
use super::timeline::Day;
use super::training::Activity;

/// One second of an activity.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrackSecond {
    /// Seconds since the start.
    pub(super) at: i64,
    /// Degrees north and east; outdoors only.
    pub(super) place: Option<(f64, f64)>,
    pub(super) altitude_m: Option<f64>,
    pub(super) distance_m: Option<f64>,
    pub(super) speed_mps: Option<f64>,
    pub(super) bpm: i64,
    /// Revolutions per minute, which is half of the steps per minute.
    pub(super) cadence_rpm: Option<i64>,
    pub(super) watts: Option<i64>,
    pub(super) celsius: Option<i64>,
}

/// A lap: start and duration in seconds, and length in metres.
pub(super) type TrackLap = (f64, f64, f64);

impl Day<'_> {
    /// The activity on a loop from home: over two hills of equal height, with power that swings around its mean so that
    /// the normalized power is higher.
    pub(super) fn track(&self, activity: &Activity) -> Vec<TrackSecond> {
        const METRES_PER_DEGREE: f64 = 111_195.0;
        const SWING: f64 = 0.29;
        let home = self.home();
        let outdoors = activity.climb_m > 0.0;
        let radius_m = activity.distance_m.unwrap_or(0.0) / TAU;
        let swings = (activity.duration_s / 300.0).round().max(1.0);
        let celsius = outdoors
            .then(|| whole(12.0 + 10.0 * ((f64::from(self.date.day_of_year()) - 110.0) / 58.0).sin()));
        (0..=whole(activity.duration_s.floor()))
            .map(|at| {
                let part = at as f64 / activity.duration_s;
                let angle = part * TAU;
                let place = outdoors.then(|| {
                    let north = home.0 + radius_m * angle.sin() / METRES_PER_DEGREE;
                    let east =
                        radius_m * (angle.cos() - 1.0) / (METRES_PER_DEGREE * home.0.to_radians().cos());
                    (north, home.1 + east)
                });
                let hill = (1.0 - (2.0 * angle).cos()) / 2.0;
                TrackSecond {
                    at,
                    place,
                    altitude_m: outdoors.then(|| 420.0 + activity.climb_m / 2.0 * hill),
                    distance_m: activity.metres_after(at as f64),
                    speed_mps: activity
                        .metres_after(at as f64 + 0.5)
                        .zip(activity.metres_after(at as f64 - 0.5))
                        .map(|(after, before)| after - before),
                    bpm: activity.bpm(part),
                    cadence_rpm: activity.cadence_spm().map(|steps| whole(steps / 2.0)),
                    watts: activity
                        .watts
                        .map(|watts| whole(watts as f64 * (1.0 + SWING * (angle * swings).sin()))),
                    celsius,
                }
            })
            .collect()
    }

    /// The start of the activity in Unix seconds.
    pub(super) fn start_s(&self, activity: &Activity) -> i64 {
        self.epoch_ms(activity.start) / 1_000
    }
}

/// The average and the maximum heart rate of a lap, as in the documents.
pub(super) fn lap_bpm(activity: &Activity, (from_s, duration_s, _): TrackLap) -> (i64, i64) {
    let bpm = activity.bpm((from_s + duration_s / 2.0) / activity.duration_s);
    (bpm, (bpm + 5).min(activity.max_bpm))
}

/// The ascent of a lap in metres, as in the documents.
pub(super) fn lap_climb_m(activity: &Activity, (_, duration_s, _): TrackLap) -> f64 {
    tenths(activity.climb_m * duration_s / activity.duration_s)
}
