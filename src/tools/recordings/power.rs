//! Best efforts and normalized power.

use serde_json::{Map, Value};

use super::analysis::{Analysis, Window};
use super::metric::SampleQuantity;
use crate::tools::json::rounded;

/// The durations of the power curve, in seconds, with garmin_mcp's names.
pub(in crate::tools) const DURATIONS: [(usize, &str); 7] = [
    (5, "5s"),
    (30, "30s"),
    (60, "1min"),
    (300, "5min"),
    (600, "10min"),
    (1_200, "20min"),
    (3_600, "60min"),
];

/// The longest recording whose power is kept by the second: four days.
const MOST_SECONDS: usize = 345_600;

impl Analysis<'_> {
    /// The power at every second, pauses included; empty without power, and for a recording of many days.
    pub(super) fn watts_by_second(&self) -> Vec<Option<f64>> {
        let length = index(self.recording.elapsed_s().ceil()) + 1;
        let has_power = self
            .recording
            .samples
            .iter()
            .any(|sample| sample.power_w.is_some());
        if length > MOST_SECONDS || !has_power {
            return Vec::new();
        }
        let mut seconds = vec![None; length];
        for (sample, held_s) in self.within(self.whole()) {
            let Some(at) = self.recording.samples.get(sample) else {
                continue;
            };
            let (from, to) = (index(at.at_s.round()), index((at.at_s + held_s).round()));
            let watts = self.value(sample, SampleQuantity::Power);
            if let (Some(seconds), Some(_)) = (seconds.get_mut(from..to.min(length)), watts) {
                seconds.fill(watts);
            }
        }
        seconds
    }

    /// The best mean power over each duration. A pause within an effort counts as zero watts, as does a second
    /// without a value. Durations longer than the recording are left out.
    pub(in crate::tools) fn best_powers(&self) -> Vec<(&'static str, f64)> {
        let mut sums = Vec::with_capacity(self.watts.len() + 1);
        sums.push(0.0);
        let mut sum = 0.0;
        for watts in &self.watts {
            sum += watts.unwrap_or(0.0);
            sums.push(sum);
        }
        let best = |length: usize| {
            let later = sums.get(length..)?;
            later
                .iter()
                .zip(&sums)
                .map(|(to, from)| to - from)
                .max_by(f64::total_cmp)
        };
        DURATIONS
            .into_iter()
            .filter_map(|(length, name)| Some((name, best(length)? / length as f64)))
            .filter(|(_, watts)| *watts > 0.0)
            .collect()
    }

    /// The power curve in whole watts, by duration.
    pub(in crate::tools) fn power_curve(&self) -> Map<String, Value> {
        let whole = |watts: f64| Value::from(rounded(watts, 0).as_f64().map(index));
        self.best_powers()
            .into_iter()
            .map(|(name, watts)| (name.to_owned(), whole(watts)))
            .collect()
    }

    /// Normalized power of a window: the fourth-power mean of the power over 30 s each. Pauses are left out, and it is
    /// `None` for less than ten minutes.
    pub(in crate::tools) fn normalized_power(&self, window: Window) -> Option<f64> {
        const SMOOTHED_S: usize = 30;
        const LEAST_S: usize = 600;
        let part = self
            .watts
            .get(index(window.from_s.round())..index(window.to_s.round()).min(self.watts.len()))?;
        let from_s = window.from_s.round();
        let running: Vec<f64> = part
            .iter()
            .enumerate()
            .filter(|(offset, watts)| {
                let at_s = from_s + *offset as f64;
                watts.is_some() || self.recording.paused_s(at_s, at_s + 1.0) < 0.5
            })
            .map(|(_, watts)| watts.unwrap_or(0.0))
            .collect();
        if running.len() < LEAST_S || part.iter().all(Option::is_none) {
            return None;
        }
        let mut sum: f64 = running.iter().take(SMOOTHED_S).sum();
        let mut total = (sum / SMOOTHED_S as f64).powi(4);
        let mut count = 1.0;
        for (leaving, entering) in running.iter().zip(running.iter().skip(SMOOTHED_S)) {
            sum += entering - leaving;
            total += (sum / SMOOTHED_S as f64).powi(4);
            count += 1.0;
        }
        Some((total / count).powf(0.25))
    }
}

/// A non-negative number as an index.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and bounds are checked where the index is used"
)]
pub(in crate::tools) fn index(value: f64) -> usize {
    value.max(0.0) as usize
}
