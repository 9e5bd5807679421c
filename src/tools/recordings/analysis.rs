//! A recording with the weights and values that every question needs.

use super::metric::{SampleQuantity, energy_factor, grades};
use crate::garmin::files::{Recording, Sample};

/// A part of a recording, in seconds since its start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::tools) struct Window {
    pub(in crate::tools) from_s: f64,
    pub(in crate::tools) to_s: f64,
}

/// A recording with what most questions need: the weight of each sample, and the grade at it.
pub(in crate::tools) struct Analysis<'a> {
    pub(in crate::tools) recording: &'a Recording,
    held_s: Vec<f64>,
    /// Rise over run at each sample.
    grades: Vec<Option<f64>>,
    /// The power at each second.
    pub(super) watts: Vec<Option<f64>>,
}

/// The time-weighted mean of a quantity, and its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::tools) struct MeanValue {
    pub(in crate::tools) average: f64,
    pub(in crate::tools) least: f64,
    pub(in crate::tools) most: f64,
    /// The seconds that had a value.
    pub(in crate::tools) covered_s: f64,
}

impl<'a> Analysis<'a> {
    pub(in crate::tools) fn new(recording: &'a Recording) -> Self {
        let mut analysis = Self {
            recording,
            held_s: recording.held_s().collect(),
            grades: grades(&recording.samples),
            watts: Vec::new(),
        };
        analysis.watts = analysis.watts_by_second();
        analysis
    }

    pub(in crate::tools) fn whole(&self) -> Window {
        Window {
            from_s: 0.0,
            // The last sample counts for a second.
            to_s: self.recording.elapsed_s() + 1.0,
        }
    }

    /// The seconds of a window in which the timer ran.
    pub(in crate::tools) fn timer_s(&self, window: Window) -> f64 {
        (window.to_s - window.from_s - self.recording.paused_s(window.from_s, window.to_s)).max(0.0)
    }

    /// The samples that count within a window: their index, and for how many seconds.
    pub(in crate::tools) fn within(&self, window: Window) -> impl Iterator<Item = (usize, f64)> + '_ {
        let samples = &self.recording.samples;
        // A sample before the window may reach into it.
        let first = samples
            .partition_point(|sample| sample.at_s <= window.from_s)
            .saturating_sub(1);
        let held = samples.iter().zip(&self.held_s).enumerate().skip(first);
        held.take_while(move |(_, (sample, _))| sample.at_s < window.to_s)
            .map(move |(index, (sample, held_s))| {
                let to_s = (sample.at_s + held_s).min(window.to_s);
                (index, to_s - sample.at_s.max(window.from_s))
            })
            .filter(|(_, held_s)| *held_s > 0.0)
    }

    /// The mean of a quantity over a window; `None` if it was never measured there.
    pub(in crate::tools) fn mean(&self, metric: SampleQuantity, window: Window) -> Option<MeanValue> {
        let (mut sum, mut covered_s) = (0.0, 0.0);
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for (index, held_s) in self.within(window) {
            if let Some(value) = self.value(index, metric) {
                sum += value * held_s;
                covered_s += held_s;
                least = least.min(value);
                most = most.max(value);
            }
        }
        (covered_s > 0.0).then(|| MeanValue {
            average: sum / covered_s,
            least,
            most,
            covered_s,
        })
    }

    /// The distance at a moment, interpolated by time between two samples.
    pub(in crate::tools) fn distance_at(&self, at_s: f64) -> Option<f64> {
        let samples = &self.recording.samples;
        let next = samples.partition_point(|sample| sample.at_s < at_s);
        let (before, after) = samples.split_at_checked(next)?;
        let known = |sample: &Sample| Some((sample.at_s, f64::from(sample.distance_m?)));
        let before = before.iter().rev().find_map(known);
        let after = after.iter().find_map(known);
        match (before, after) {
            (Some((from_s, from_m)), Some((to_s, to_m))) if to_s > from_s => {
                Some(from_m + (to_m - from_m) * (at_s - from_s) / (to_s - from_s))
            }
            (Some((_, distance_m)), _) | (None, Some((_, distance_m))) => Some(distance_m),
            (None, None) => None,
        }
    }

    /// The distance covered in a window.
    pub(in crate::tools) fn distance_m(&self, window: Window) -> Option<f64> {
        Some(self.distance_at(window.to_s)? - self.distance_at(window.from_s)?)
    }

    /// Metres up and down. Rises and falls below two metres are barometer noise.
    pub(in crate::tools) fn climb_m(&self, window: Window) -> Option<(f64, f64)> {
        const NOISE_M: f64 = 2.0;
        let mut altitudes = self
            .within(window)
            .filter_map(|(index, _)| self.value(index, SampleQuantity::Altitude));
        let mut reference = altitudes.next()?;
        let (mut up, mut down) = (0.0, 0.0);
        for altitude in altitudes {
            let change: f64 = altitude - reference;
            if change.abs() >= NOISE_M {
                if change > 0.0 {
                    up += change;
                } else {
                    down -= change;
                }
                reference = altitude;
            }
        }
        Some((up, down))
    }

    /// The seconds below the first of these ascending limits, between consecutive limits, and above the last.
    pub(in crate::tools) fn zones_s(
        &self,
        metric: SampleQuantity,
        limits: &[f64],
        window: Window,
    ) -> Vec<f64> {
        let mut zones = vec![0.0; limits.len() + 1];
        for (index, held_s) in self.within(window) {
            if let Some(value) = self.value(index, metric) {
                let zone = limits.partition_point(|limit| *limit <= value);
                if let Some(seconds) = zones.get_mut(zone) {
                    *seconds += held_s;
                }
            }
        }
        zones
    }
}

impl Analysis<'_> {
    /// The value of a quantity at a sample.
    pub(in crate::tools) fn value(&self, index: usize, metric: SampleQuantity) -> Option<f64> {
        let sample = self.recording.samples.get(index)?;
        let value = match metric {
            SampleQuantity::HeartRate => sample.heart_rate_bpm,
            SampleQuantity::Power => sample.power_w,
            SampleQuantity::Cadence => sample.cadence_rpm,
            SampleQuantity::Altitude => sample.altitude_m,
            SampleQuantity::Temperature => sample.temperature_c,
            SampleQuantity::Distance => sample.distance_m,
            SampleQuantity::Speed => return self.speed_mps(index),
            SampleQuantity::Grade => return Some(self.grades.get(index).copied().flatten()? * 100.0),
            SampleQuantity::GradeAdjustedSpeed => {
                let speed = self.speed_mps(index)?;
                let grade = self.grades.get(index).copied().flatten().unwrap_or(0.0);
                return Some(speed * energy_factor(grade));
            }
        };
        value.map(f64::from)
    }

    /// The device's speed, or else the speed up to the next sample.
    fn speed_mps(&self, index: usize) -> Option<f64> {
        let sample = self.recording.samples.get(index)?;
        if let Some(speed) = sample.speed_mps {
            return Some(f64::from(speed));
        }
        let next = self.recording.samples.get(index + 1)?;
        let metres = f64::from(next.distance_m? - sample.distance_m?);
        Some((metres / (next.at_s - sample.at_s)).max(0.0))
    }
}
