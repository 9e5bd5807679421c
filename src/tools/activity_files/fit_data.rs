//! `get_activity_fit_data`: what the device recorded in an activity.

use serde_json::{Map, Value, json};

use super::shifts::{Shift, shift, shift_summary};
use super::{ORIGINAL, is_run, local_time, messages};
use crate::garmin::files::fit::{self, FitField, FitMessage, message};
use crate::garmin::files::{self, FileError, Recording};
use crate::tools::call::ToolCall;
use crate::tools::fields::{at, list};
use crate::tools::file_reading::FileReading;
use crate::tools::garmin_get::GarminGet;
use crate::tools::json::rounded;
use crate::tools::recordings::metric::SampleQuantity;
use crate::tools::recordings::series::usual_interval_s;
use crate::tools::recordings::{Analysis, Window};
use crate::tools::table::{AnswerError, ToolAnswer};

/// Our key, and the field numbers to read it from: the enhanced field first.
type Totals = &'static [(&'static str, &'static [u8])];

const SESSION: Totals = &[
    ("sport", &[5]),
    ("sub_sport", &[6]),
    ("total_elapsed_time_s", &[7]),
    ("total_timer_time_s", &[8]),
    ("total_distance_m", &[9]),
    ("total_calories", &[11]),
    ("avg_speed_mps", &[124, 14]),
    ("max_speed_mps", &[125, 15]),
    ("avg_power_w", &[20]),
    ("max_power_w", &[21]),
    ("normalized_power_w", &[34]),
    ("avg_cadence_rpm", &[18]),
    ("max_cadence_rpm", &[19]),
    ("avg_heart_rate_bpm", &[16]),
    ("max_heart_rate_bpm", &[17]),
    ("total_ascent_m", &[22]),
    ("total_descent_m", &[23]),
    ("total_training_effect", &[24]),
    ("total_anaerobic_training_effect", &[137]),
    ("avg_left_power_phase_start_deg", &[116]),
    ("avg_right_power_phase_start_deg", &[118]),
    ("avg_left_pco_mm", &[114]),
    ("avg_right_pco_mm", &[115]),
    ("avg_left_torque_effectiveness_pct", &[101]),
    ("avg_right_torque_effectiveness_pct", &[102]),
    ("avg_left_pedal_smoothness_pct", &[103]),
    ("avg_right_pedal_smoothness_pct", &[104]),
];
const LAP: Totals = &[
    ("total_elapsed_time_s", &[7]),
    ("total_timer_time_s", &[8]),
    ("total_distance_m", &[9]),
    ("avg_speed_mps", &[110, 13]),
    ("max_speed_mps", &[111, 14]),
    ("avg_power_w", &[19]),
    ("normalized_power_w", &[33]),
    ("avg_cadence_rpm", &[17]),
    ("avg_heart_rate_bpm", &[15]),
    ("max_heart_rate_bpm", &[16]),
    ("avg_left_pco_mm", &[100]),
    ("avg_right_pco_mm", &[101]),
    ("avg_left_torque_effectiveness_pct", &[91]),
    ("avg_right_torque_effectiveness_pct", &[92]),
    ("avg_left_pedal_smoothness_pct", &[93]),
    ("avg_right_pedal_smoothness_pct", &[94]),
    ("total_ascent_m", &[21]),
    ("total_descent_m", &[22]),
];
/// The field of the left-right balance, in hundredths of a percent.
const SESSION_BALANCE: u8 = 37;
const LAP_BALANCE: u8 = 34;
/// The message with the person's zones, and its field with the tops of the heart rate zones.
const TIME_IN_ZONE: u16 = 216;
const ZONE_TOPS: u8 = 6;
/// R-R intervals outside of these seconds are no heart beats.
const BEAT_S: std::ops::Range<f64> = 0.2..3.0;
const MOST_BEATS: usize = 1_000_000;
/// Shifts are told one by one up to this many; the summary counts all.
const SHIFTS_TOLD: usize = 100;
const MOST_SHIFTS: usize = 50_000;
const MOST_LAPS: usize = 500;

/// First the file, then the weight on its day.
pub(super) fn next(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    match answers {
        [] => vec![call.get(ORIGINAL).file(FileReading::FitData)],
        [read] => {
            let day = read.get("date").and_then(Value::as_str);
            let get = |day| {
                let path = format!("/weight-service/weight/dateRange?startDate={day}&endDate={day}");
                GarminGet::plain(&path).optional()
            };
            day.map(get).into_iter().collect()
        }
        _ => vec![],
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the type of a row's function")]
pub(super) fn told(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let Some(Value::Object(read)) = answers.first() else {
        return Ok(ToolAnswer::Nothing);
    };
    let mut told = read.clone();
    told.shift_remove("date");
    told.insert("activity_id".to_owned(), json!(call.whole("activity_id")));
    let weights = answers
        .get(1)
        .map(|weights| list(weights, "dateWeightList"))
        .transpose()
        .unwrap_or_default();
    let weight = weights
        .into_iter()
        .flatten()
        .rev()
        .find_map(|weighing| at(weighing, "weight")?.as_f64());
    if let Some(kg) = weight.filter(|grams| *grams > 0.0).map(|grams| grams / 1_000.0) {
        told.insert("rider_weight_kg".to_owned(), rounded(kg, 2));
        let relative = [
            ("avg_power_w", "avg_w_per_kg"),
            ("normalized_power_w", "normalized_w_per_kg"),
        ];
        if let Some(session) = told.get_mut("session") {
            add_relative(session, &relative, kg);
        }
        for climb in told
            .get_mut("climbs")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            add_relative(climb, &relative[..1], kg);
        }
    }
    Ok(ToolAnswer::Json(told.into()))
}

fn add_relative(document: &mut Value, keys: &[(&str, &str)], kg: f64) {
    for (power, relative) in keys {
        let watts = document.get(*power).and_then(Value::as_f64);
        if let (Some(watts), Some(document)) = (watts, document.as_object_mut()) {
            document.insert((*relative).to_owned(), rounded(watts / kg, 2));
        }
    }
}

pub(super) fn read(call: &ToolCall, bytes: &[u8]) -> Result<Value, AnswerError> {
    let file = files::unpack(bytes)?;
    if !fit::is_fit(&file) {
        return Err(FileError::UnknownFormat.into());
    }
    let recording = fit::recording(&file)?;
    let found = FitData::collect(&file, &recording);
    let analysis = Analysis::new(&recording);
    let is_run = is_run(recording.sport.as_deref());
    let mut told = Map::new();
    let mut put = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    let mut session = found.sessions.last().cloned().unwrap_or_default();
    session.extend(of_session(&analysis, is_run));
    put("session", session.into());
    if found.sessions.len() > 1 {
        put("sessions", found.sessions.into());
    }
    put("laps", laps(&analysis, found.laps, is_run));
    if let Some(zones) = hr_zones(&analysis, &found.zone_tops) {
        put("hr_zones", zones);
    }
    put("shift_summary", shift_summary(&analysis, &found.shifts));
    put(
        "shifts",
        found
            .shifts
            .into_iter()
            .take(SHIFTS_TOLD)
            .map(|(_, told)| Value::Object(told))
            .collect(),
    );
    let climbs: Vec<Value> = analysis
        .climbs()
        .into_iter()
        .map(|climb| climb_told(&analysis, climb))
        .collect();
    if !climbs.is_empty() {
        put("climbs", climbs.into());
    }
    let curve = analysis.power_curve();
    if !curve.is_empty() {
        put("power_duration_curve", curve.into());
    }
    if let Some(hrv) = hrv(&found.beats) {
        put("hrv", hrv);
    }
    if call.flag("include_records") {
        let interval_s = usual_interval_s(analysis.whole());
        let metrics = SampleQuantity::ALL.map(|(metric, _)| metric);
        let columns = analysis.columns(&metrics, analysis.whole(), interval_s, is_run);
        put("records", json!({"interval_s": interval_s, "columns": columns}));
    }
    if recording.is_cut {
        put("is_cut", json!(true));
    }
    put(
        "date",
        json!(local_time(&recording, 0.0).and_then(|start| Some(start.get(..10)?.to_owned()))),
    );
    Ok(told.into())
}

#[derive(Default)]
struct FitData {
    sessions: Vec<Map<String, Value>>,
    laps: Vec<Value>,
    shifts: Vec<Shift>,
    /// The highest heart rate of each of the person's zones.
    zone_tops: Vec<f64>,
    /// Seconds between two heart beats.
    beats: Vec<f64>,
}

impl FitData {
    fn collect(file: &[u8], recording: &Recording) -> Self {
        let mut found = Self::default();
        let start_s = recording.start.as_duration().as_secs_f64();
        let mut cadence = None;
        for message in fit::messages(file).map_while(Result::ok) {
            match message.number {
                message::SESSION => {
                    found
                        .sessions
                        .push(totals(&message, SESSION, SESSION_BALANCE, recording, start_s));
                }
                message::LAP if found.laps.len() < MOST_LAPS => {
                    let mut lap = totals(&message, LAP, LAP_BALANCE, recording, start_s);
                    lap.shift_insert(0, "lap_number".to_owned(), json!(found.laps.len() + 1));
                    found.laps.push(lap.into());
                }
                TIME_IN_ZONE => {
                    let tops = message.field(ZONE_TOPS);
                    found.zone_tops = tops.iter().flat_map(FitField::numbers).flatten().collect();
                }
                message::RECORD => cadence = message.number(4),
                message::EVENT if found.shifts.len() < MOST_SHIFTS => {
                    found.shifts.extend(shift(&message, cadence, recording, start_s));
                }
                message::HRV if found.beats.len() < MOST_BEATS => {
                    let beats = message.field(0);
                    let seconds = beats.iter().flat_map(FitField::numbers).flatten();
                    found.beats.extend(
                        seconds
                            .map(|ms| ms / 1_000.0)
                            .filter(|beat| BEAT_S.contains(beat)),
                    );
                }
                _ => {}
            }
        }
        found
    }
}

/// The totals of a session or a lap.
fn totals(
    message: &FitMessage<'_>,
    keys: Totals,
    balance: u8,
    recording: &Recording,
    start_s: f64,
) -> Map<String, Value> {
    let mut told = Map::new();
    let start = message
        .time_of(2)
        .and_then(|at_s| local_time(recording, at_s - start_s));
    told.extend(start.map(|start| ("start_time".to_owned(), json!(start))));
    for (key, fields) in keys {
        let value = fields
            .iter()
            .find_map(|field| messages::value(message.number, message.field(*field)?));
        told.extend(value.map(|value| ((*key).to_owned(), value)));
    }
    if let Some(left) = message.number(balance).and_then(left_percent) {
        told.insert("avg_left_power_pct".to_owned(), rounded(left, 1));
        told.insert("avg_right_power_pct".to_owned(), rounded(100.0 - left, 1));
    }
    let number = |key: &str| told.get(key).and_then(Value::as_f64);
    let powers = number("normalized_power_w").zip(number("avg_power_w"));
    if let Some((normalized, average)) = powers.filter(|(_, average)| *average > 0.0) {
        told.insert("variability_index".to_owned(), rounded(normalized / average, 3));
    }
    told
}

/// The left leg's share. A bit says which leg the value stands for.
fn left_percent(raw: f64) -> Option<f64> {
    const RIGHT: f64 = 32_768.0;
    let (share, is_right) = if raw >= RIGHT {
        (raw - RIGHT, true)
    } else {
        (raw, false)
    };
    let percent = share / 100.0;
    (0.0..=100.0)
        .contains(&percent)
        .then_some(if is_right { 100.0 - percent } else { percent })
}

/// What the samples say about the whole activity, beyond the device's totals.
fn of_session(analysis: &Analysis<'_>, is_run: bool) -> Map<String, Value> {
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
        let pace = crate::tools::recordings::laps::pace_s_per_km(adjusted.average);
        told.insert("grade_adjusted_pace_s_per_km".to_owned(), pace);
    }
    told
}

/// The device's laps with what it did not compute itself. A file without laps is split at every kilometre.
fn laps(analysis: &Analysis<'_>, device: Vec<Value>, is_run: bool) -> Value {
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
fn hr_zones(analysis: &Analysis<'_>, tops: &[f64]) -> Option<Value> {
    if tops.is_empty() || !tops.is_sorted() {
        return None;
    }
    // A zone contains its top.
    let limits: Vec<f64> = tops.iter().map(|top| top + 1.0).collect();
    let seconds = analysis.zones_s(SampleQuantity::HeartRate, &limits, analysis.whole());
    let seconds: Vec<Value> = seconds.into_iter().map(|seconds| rounded(seconds, 0)).collect();
    Some(json!({"highest_bpm": tops, "seconds": seconds}))
}

fn climb_told(analysis: &Analysis<'_>, climb: Window) -> Value {
    let mut told = analysis.climb(climb, None);
    let time = |at_s| json!(local_time(analysis.recording, at_s));
    told.shift_insert(0, "start_time".to_owned(), time(climb.from_s));
    told.shift_insert(1, "end_time".to_owned(), time(climb.to_s));
    told.into()
}

/// Heart rate variability from the time between beats; `None` for fewer than ten.
fn hrv(beats: &[f64]) -> Option<Value> {
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
