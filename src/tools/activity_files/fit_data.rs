//! `get_activity_fit_data`: what the device recorded in an activity.

mod computed;
mod totals;

use serde_json::{Map, Value, json};

use self::computed::{climb_told, hr_zones, hrv, laps, of_session};
use self::totals::{LAP, LAP_BALANCE, SESSION, SESSION_BALANCE, totals};
use super::shifts::{Shift, shift, shift_summary};
use super::{ORIGINAL, is_run, local_time};
use crate::garmin::files::fit::{self, FitField, message};
use crate::garmin::files::{self, FileError, Recording};
use crate::tools::call::ToolCall;
use crate::tools::fields::{at, list};
use crate::tools::file_reading::FileReading;
use crate::tools::garmin_get::GarminGet;
use crate::tools::json::rounded;
use crate::tools::recordings::Analysis;
use crate::tools::recordings::metric::SampleQuantity;
use crate::tools::recordings::series::usual_interval_s;
use crate::tools::table::{AnswerError, ToolAnswer};

/// The message with the person's zones, and its field with the tops of the heart rate zones.
const TIME_IN_ZONE: u16 = 216;
const ZONE_TOPS: u8 = 6;

/// R-R intervals outside this range in seconds are not heartbeats.
const BEAT_S: std::ops::Range<f64> = 0.2..3.0;
const MOST_BEATS: usize = 1_000_000;

/// At most this many shifts are listed one by one; the summary counts all.
const SHIFTS_TOLD: usize = 100;
const MOST_SHIFTS: usize = 50_000;
const MOST_LAPS: usize = 500;

/// Requests first the file, then the weight on its day.
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

pub(super) fn told(call: &ToolCall, answers: &[&Value]) -> ToolAnswer {
    let Some(Value::Object(read)) = answers.first() else {
        return ToolAnswer::Nothing;
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
    ToolAnswer::Json(told.into())
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
