//! The values that the device did not compute, from the samples.

use serde_json::{Map, Value, json};

use crate::tools::activity_files::local_time;
use crate::tools::json::rounded;
use crate::tools::recordings::laps::pace_s_per_km;
use crate::tools::recordings::metric::SampleQuantity;
use crate::tools::recordings::{Analysis, Window};

/// What the samples say about the whole activity, beyond the device's totals.
pub(super) fn of_session(analysis: &Analysis<'_>, is_run: bool) -> Map<String, Value> {
    let mut told = Map::new();
    let whole = analysis.whole();
    let grades = analysis.by_grade();
    if !grades.is_empty() {
        told.insert("grade_analysis".to_owned(), grades.into());
    }
    let drift = analysis.drift(whole, is_run);
    if !drift.is_empty() {
        told.insert("hr_drift".to_owned(), drift.into());
    }
    if let Some(temperature) = analysis.mean(SampleQuantity::Temperature, whole) {
        told.insert(
            "temperature_stats".to_owned(),
            json!({
                "avg_temp_c": rounded(temperature.average, 1),
                "min_temp_c": rounded(temperature.least, 1),
                "max_temp_c": rounded(temperature.most, 1),
                "temp_range_c": rounded(temperature.most - temperature.least, 1),
            }),
        );
    }
    if let (true, Some(adjusted)) = (is_run, analysis.mean(SampleQuantity::GradeAdjustedSpeed, whole)) {
        let pace = pace_s_per_km(adjusted.average);
        told.insert("grade_adjusted_pace_s_per_km".to_owned(), pace);
    }
    told
}

/// The device's laps, with the values that it did not compute. A file without laps is split at every kilometre.
pub(super) fn laps(analysis: &Analysis<'_>, device: Vec<Value>, is_run: bool) -> Value {
    const SPLIT_M: f64 = 1_000.0;
    if device.is_empty() {
        let splits = analysis.splits(SPLIT_M);
        return splits
            .iter()
            .map(|split| Value::Object(analysis.lap(split, is_run)))
            .collect();
    }
    let computed = analysis.laps();
    let merged = device.into_iter().zip(computed).map(|(mut told, lap)| {
        if let Some(told) = told.as_object_mut() {
            for key in ["pace_s_per_km", "grade_adjusted_pace_s_per_km"] {
                let value = analysis.lap(&lap, is_run).shift_remove(key);
                told.extend(value.map(|value| (key.to_owned(), value)));
            }
        }
        told
    });
    merged.collect()
}

/// The time in the person's heart rate zones, from below the first one upwards.
pub(super) fn hr_zones(analysis: &Analysis<'_>, tops: &[f64]) -> Option<Value> {
    if tops.is_empty() || !tops.is_sorted() {
        return None;
    }
    // A zone includes its top.
    let limits: Vec<f64> = tops.iter().map(|top| top + 1.0).collect();
    let seconds = analysis.zones_s(SampleQuantity::HeartRate, &limits, analysis.whole());
    let seconds: Vec<Value> = seconds.into_iter().map(|seconds| rounded(seconds, 0)).collect();
    Some(json!({"highest_bpm": tops, "seconds": seconds}))
}

pub(super) fn climb_told(analysis: &Analysis<'_>, climb: Window) -> Value {
    let mut told = analysis.climb(climb, None);
    let time = |at_s| json!(local_time(analysis.recording, at_s));
    told.shift_insert(0, "start_time".to_owned(), time(climb.from_s));
    told.shift_insert(1, "end_time".to_owned(), time(climb.to_s));
    told.into()
}

/// Heart rate variability from the time between beats; `None` for fewer than ten.
pub(super) fn hrv(beats: &[f64]) -> Option<Value> {
    if beats.len() < 10 {
        return None;
    }
    let count = beats.len() as f64;
    let mean = beats.iter().sum::<f64>() / count;
    let variance = beats.iter().map(|beat| (beat - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let steps: Vec<f64> = beats
        .iter()
        .zip(beats.iter().skip(1))
        .map(|(one, next)| (next - one) * 1_000.0)
        .collect();
    let steps_count = steps.len() as f64;
    let rmssd = (steps.iter().map(|step| step * step).sum::<f64>() / steps_count).sqrt();
    let over_50 = steps.iter().filter(|step| step.abs() > 50.0).count() as f64;
    Some(json!({
        "rmssd_ms": rounded(rmssd, 2),
        "sdnn_ms": rounded(variance.sqrt() * 1_000.0, 2),
        "pnn50_pct": rounded(over_50 / steps_count * 100.0, 2),
        "mean_rr_ms": rounded(mean * 1_000.0, 2),
        "mean_hr_bpm": rounded(60.0 / mean, 2),
        "rr_count": beats.len(),
    }))
}
