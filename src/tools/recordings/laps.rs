//! Laps, and splits by distance.

use serde_json::{Map, Value, json};

use super::analysis::{Analysis, Window};
use super::metric::SampleQuantity;
use super::power::index;
use crate::garmin::files::RecordedLap;
use crate::tools::json::rounded;

/// More splits than any race needs at 1 km each.
const MOST_SPLITS: usize = 500;

/// Seconds per kilometre at a speed.
pub(in crate::tools) fn pace_s_per_km(speed_mps: f64) -> Value {
    if speed_mps > 0.1 {
        json!(index((1_000.0 / speed_mps).round()))
    } else {
        Value::Null
    }
}

impl Analysis<'_> {
    /// The laps of the device; without any, the whole recording as one.
    pub(in crate::tools) fn laps(&self) -> Vec<RecordedLap> {
        if !self.recording.laps.is_empty() {
            return self.recording.laps.clone();
        }
        vec![lap(self.whole())]
    }

    /// Equal parts by distance; the last one is shorter. Empty without distances.
    pub(in crate::tools) fn splits(&self, every_m: f64) -> Vec<RecordedLap> {
        let mut splits = Vec::new();
        let (mut from_s, mut next_m) = (0.0, every_m);
        let mut last: Option<(f64, f64)> = None;
        for sample in &self.recording.samples {
            let Some(at_m) = sample.distance_m.map(f64::from) else {
                continue;
            };
            while at_m >= next_m && splits.len() < MOST_SPLITS {
                let to_s = match last {
                    Some((last_s, last_m)) if at_m > last_m => {
                        last_s + (sample.at_s - last_s) * (next_m - last_m) / (at_m - last_m)
                    }
                    _ => sample.at_s,
                };
                splits.push(lap(Window { from_s, to_s }));
                (from_s, next_m) = (to_s, next_m + every_m);
            }
            last = Some((sample.at_s, at_m));
        }
        let rest = Window {
            from_s,
            to_s: self.recording.elapsed_s(),
        };
        if last.is_some() && self.distance_m(rest).is_some_and(|rest_m| rest_m > 1.0) {
            splits.push(lap(rest));
        }
        splits
    }

    /// The figures of a lap. The device's totals come first; what it does not know is computed from the samples.
    pub(in crate::tools) fn lap(&self, lap: &RecordedLap, is_run: bool) -> Map<String, Value> {
        let window = Window {
            from_s: lap.from_s,
            to_s: lap.to_s,
        };
        let timer_s = lap.timer_s.unwrap_or_else(|| self.timer_s(window));
        let distance_m = lap.distance_m.or_else(|| self.distance_m(window));
        let mut told = Map::new();
        let mut put = |key: &str, value: Option<f64>, digits: usize| {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                told.insert(key.to_owned(), rounded(value, digits));
            }
        };
        put("start_s", Some(lap.from_s), 0);
        put("elapsed_s", Some(lap.to_s - lap.from_s), 1);
        put("timer_s", Some(timer_s), 1);
        put("distance_m", distance_m, 1);
        let speed = distance_m
            .filter(|_| timer_s > 0.0)
            .map(|metres| metres / timer_s);
        put("avg_speed_mps", speed, 2);
        for (metric, average, most) in [
            (
                SampleQuantity::HeartRate,
                "avg_heart_rate_bpm",
                Some("max_heart_rate_bpm"),
            ),
            (SampleQuantity::Power, "avg_power_w", Some("max_power_w")),
            (SampleQuantity::Cadence, "avg_cadence_rpm", None),
        ] {
            let mean = self.mean(metric, window);
            put(average, mean.map(|mean| mean.average), 0);
            if let Some(most) = most {
                put(most, mean.map(|mean| mean.most), 0);
            }
        }
        put("normalized_power_w", self.normalized_power(window), 0);
        let climb = self.climb_m(window);
        put("ascent_m", lap.ascent_m.or_else(|| climb.map(|(up, _)| up)), 0);
        put(
            "descent_m",
            lap.descent_m.or_else(|| climb.map(|(_, down)| down)),
            0,
        );
        if is_run {
            if let Some(speed) = speed {
                told.insert("pace_s_per_km".to_owned(), pace_s_per_km(speed));
            }
            if let Some(adjusted) = self.mean(SampleQuantity::GradeAdjustedSpeed, window) {
                let pace = pace_s_per_km(adjusted.average);
                told.insert("grade_adjusted_pace_s_per_km".to_owned(), pace);
            }
        }
        told
    }
}

fn lap(window: Window) -> RecordedLap {
    RecordedLap {
        from_s: window.from_s,
        to_s: window.to_s,
        ..RecordedLap::default()
    }
}
