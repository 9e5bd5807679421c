//! Totals over time: means, extremes, and time at each heart rate.

use super::step::TrackStep;

/// Maximum number of seconds that a single point counts for.
const LONGEST_S: f64 = 60.0;

/// A mean weighted by time, with its extremes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightedMean {
    sum: f64,
    seconds: f64,
    lowest: Option<f64>,
    highest: Option<f64>,
}

impl WeightedMean {
    /// Adds a value that held for `seconds`.
    pub fn add(&mut self, value: f64, seconds: f64) {
        self.sum += value * seconds;
        self.seconds += seconds;
        self.lowest = Some(self.lowest.map_or(value, |low| low.min(value)));
        self.highest = Some(self.highest.map_or(value, |high| high.max(value)));
    }

    /// `None` if no value was added.
    pub fn mean(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.sum / self.seconds)
    }

    pub fn lowest(&self) -> Option<f64> {
        self.lowest
    }

    pub fn highest(&self) -> Option<f64> {
        self.highest
    }
}

/// What was measured over a leg or a split.
#[derive(Clone, Debug, Default)]
pub struct LegTotals {
    /// Beats per minute, weighted by time.
    pub heart_rate: WeightedMean,
    /// Watts. Zeros count, because coasting is part of a ride.
    pub power: WeightedMean,
    /// Cadence as sent; zeros are left out.
    pub cadence: WeightedMean,
    pub moving_s: f64,
    pub standing_s: f64,
    /// Seconds at each heart rate; the index is the rate in bpm. Empty without heart-rate data.
    pub seconds_at_bpm: Vec<f32>,
}

impl LegTotals {
    pub(super) fn add(&mut self, step: &TrackStep) {
        let seconds = step.dt_s.min(LONGEST_S);
        self.moving_s += step.dt_s;
        if let Some(bpm) = step.heart_rate_bpm {
            self.heart_rate.add(f64::from(bpm), seconds);
            self.at_bpm(bpm, seconds);
        }
        if let Some(watts) = step.power_w {
            self.power.add(f64::from(watts), seconds);
        }
        if let Some(cadence) = step.cadence_rpm.filter(|rpm| *rpm > 0) {
            self.cadence.add(f64::from(cadence), seconds);
        }
    }

    /// Moves seconds that turned out to be part of a stop from the moving time to the standing time.
    pub(super) fn stood(&mut self, seconds: f64) {
        self.standing_s = (self.standing_s + seconds).max(0.0);
        self.moving_s = (self.moving_s - seconds).max(0.0);
    }

    #[expect(clippy::cast_possible_truncation, reason = "seconds of one step, at most 60")]
    fn at_bpm(&mut self, bpm: u32, seconds: f64) {
        let index = usize::try_from(bpm).unwrap_or(0).min(250);
        if self.seconds_at_bpm.len() <= index {
            self.seconds_at_bpm.resize(index + 1, 0.0);
        }
        if let Some(at) = self.seconds_at_bpm.get_mut(index) {
            *at += seconds as f32;
        }
    }
}
