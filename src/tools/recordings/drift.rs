//! Aerobic decoupling: how much higher the heart rate is in the second half at the same power or pace.

use serde_json::{Map, Value, json};

use super::analysis::{Analysis, Window};
use super::metric::{STANDING_MPS, SampleQuantity};
use crate::tools::json::rounded;

/// Shorter recordings say nothing about drift.
pub(in crate::tools) const LEAST_S: f64 = 1_200.0;

/// The efficiency (power or speed per heart beat) of two halves of equal timer time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::tools) struct Decoupling {
    pub(in crate::tools) first: f64,
    pub(in crate::tools) second: f64,
    /// The loss of efficiency from the first half to the second, in percent. Positive: the heart rate drifts up.
    pub(in crate::tools) percent: f64,
}

impl Decoupling {
    pub(in crate::tools) fn interpretation(self) -> &'static str {
        match self.percent.abs() {
            percent if percent < 5.0 => "well_coupled",
            percent if percent < 10.0 => "moderate_drift",
            _ => "significant_decoupling",
        }
    }
}

impl Analysis<'_> {
    /// The decoupling of heart rate from power, speed or grade-adjusted speed in a window; `None` with less than 20
    /// minutes that have both. Speeds exclude the time spent standing still.
    pub(in crate::tools) fn decoupling(&self, metric: SampleQuantity, window: Window) -> Option<Decoupling> {
        let is_speed = matches!(metric, SampleQuantity::Speed | SampleQuantity::GradeAdjustedSpeed);
        let least = if is_speed { STANDING_MPS } else { 0.0 };
        let both = || {
            self.within(window).filter_map(|(index, held_s)| {
                let effort = self.value(index, metric).filter(|effort| *effort >= least)?;
                Some((effort, self.value(index, SampleQuantity::HeartRate)?, held_s))
            })
        };
        let total_s: f64 = both().map(|(.., held_s)| held_s).sum();
        if total_s < LEAST_S {
            return None;
        }
        let mut left_s = total_s / 2.0;
        // Effort and heart beats of the first and the second half.
        let mut halves = [(0.0, 0.0); 2];
        for (effort, bpm, held_s) in both() {
            let in_first = held_s.min(left_s);
            left_s -= in_first;
            for (half, held_s) in halves.iter_mut().zip([in_first, held_s - in_first]) {
                half.0 += effort * held_s;
                half.1 += bpm * held_s;
            }
        }
        let [first, second] = halves.map(|(effort, beats)| effort / beats);
        (first > 0.0 && second.is_finite()).then(|| Decoupling {
            first,
            second,
            percent: (first - second) / first * 100.0,
        })
    }

    /// The decoupling by every quantity that the recording has; empty if there is none.
    pub(in crate::tools) fn drift(&self, window: Window, is_run: bool) -> Map<String, Value> {
        let mut told = Map::new();
        if let Some(drift) = self.decoupling(SampleQuantity::Power, window) {
            told.insert("hr_drift_pct".to_owned(), rounded(drift.percent, 1));
            told.insert("first_half_power_hr_ratio".to_owned(), rounded(drift.first, 3));
            told.insert("second_half_power_hr_ratio".to_owned(), rounded(drift.second, 3));
            told.insert("interpretation".to_owned(), json!(drift.interpretation()));
        }
        let speeds = [
            ("by_pace", SampleQuantity::Speed),
            ("by_grade_adjusted_pace", SampleQuantity::GradeAdjustedSpeed),
        ];
        for (key, metric) in speeds.into_iter().take(if is_run { 2 } else { 1 }) {
            if let Some(drift) = self.decoupling(metric, window) {
                let by_pace = json!({
                    "hr_drift_pct": rounded(drift.percent, 1),
                    "interpretation": drift.interpretation(),
                    // Metres a minute for each beat a minute.
                    "first_half_meters_per_beat": rounded(drift.first * 60.0, 3),
                    "second_half_meters_per_beat": rounded(drift.second * 60.0, 3),
                });
                told.insert(key.to_owned(), by_pace);
            }
        }
        if !told.is_empty() {
            let note = "Loss of power or speed per heart beat from the first half to the second, by time without pauses; \
                        positive means that the heart rate drifts up.";
            told.insert("note".to_owned(), json!(note));
        }
        told
    }
}
