//! Trends: three tools of garmin_mcp's module `training` that send one request for each day of a range. `failed_days`
//! lists the days whose request failed and those whose document has an unknown shape.

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::fields::{Field, at, fields, pick};
use super::garmin_get::FAILED;
use super::json::rounded;
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};
use super::training::{STATUS_BY_DEVICE, of_primary_device};

const START: Parameter = Parameter::day("start_date", "First day: YYYY-MM-DD, -30d or this week");
/// The longest range of a trend. It is limited because each day costs one request.
const TREND_DAYS: Parameter = Parameter::last_day(
    "end_date",
    "Last day: YYYY-MM-DD, today or this week; at most 30 days in all",
    30,
);

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_training_load_trend",
        about: "Acute and chronic training load, their ratio and VO2 max of each day in a range.",
        parameters: &[START, TREND_DAYS],
        ask: GarminQuery::Made(|call| {
            call.each_day("/metrics-service/metrics/trainingstatus/aggregated/{day}")
        }),
        tell: AnswerShape::Made(load_trend),
        nothing: "No training load data found between {start_date} and {end_date}.",
        failing: "Error retrieving training load trend",
    },
    Tool {
        name: "get_hrv_trend",
        about: "Heart rate variability of each night in a range, and the average.",
        parameters: &[START, TREND_DAYS],
        ask: GarminQuery::Made(|call| call.each_day("/hrv-service/hrv/{day}")),
        tell: AnswerShape::Made(hrv_trend),
        nothing: "No HRV data found between {start_date} and {end_date}.",
        failing: "Error retrieving HRV trend",
    },
    Tool {
        name: "get_respiration_trend",
        about: "Breaths per minute of each day in a range, awake and asleep.",
        parameters: &[START, TREND_DAYS],
        ask: GarminQuery::Made(|call| call.each_day("/wellness-service/wellness/daily/respiration/{day}")),
        tell: AnswerShape::Made(respiration_trend),
        nothing: "No respiration data found between {start_date} and {end_date}.",
        failing: "Error retrieving respiration trend",
    },
];

const LOAD_DAY: &[Field] = fields! {
    "acute_load" <- "acuteTrainingLoadDTO.dailyTrainingLoadAcute";
    "chronic_load" <- "acuteTrainingLoadDTO.dailyTrainingLoadChronic";
    "load_ratio" <- "acuteTrainingLoadDTO.dailyAcuteChronicWorkloadRatio";
    "acwr_status" <- "acuteTrainingLoadDTO.acwrStatus";
    "training_status_feedback" <- "trainingStatusFeedbackPhrase";
};

const HRV_NIGHT: &[Field] = fields! {
    "last_night_avg_hrv_ms" <- "hrvSummary.lastNightAvg";
    "weekly_avg_hrv_ms" <- "hrvSummary.weeklyAvg";
    "last_night_5min_high_hrv_ms" <- "hrvSummary.lastNight5MinHigh";
    "status" <- "hrvSummary.status";
    "feedback" <- "hrvSummary.feedbackPhrase";
};

const BREATHS: [(&str, &str); 4] = [
    ("avg_waking_breaths_per_min", "avgWakingRespirationValue"),
    ("avg_sleep_breaths_per_min", "avgSleepRespirationValue"),
    ("highest_breaths_per_min", "highestRespirationValue"),
    ("lowest_breaths_per_min", "lowestRespirationValue"),
];

/// Builds a trend: the days that have values, each with its date, and statistics over all of them.
fn trend(
    call: &ToolCall,
    answers: &[&Value],
    day: impl Fn(&Value) -> Result<Map<String, Value>, AnswerError>,
    about: impl FnOnce(&[Value]) -> Option<(&'static str, Value)>,
) -> Result<ToolAnswer, AnswerError> {
    let Some(first) = call.day("start_date") else {
        return Ok(ToolAnswer::Nothing);
    };
    let (mut days, mut failed, mut unreadable) = (Vec::new(), Vec::new(), None);
    for (date, answer) in first.series(jiff::Span::new().days(1)).zip(answers) {
        if answer.get(FAILED).is_some() {
            failed.push(json!(date));
            continue;
        }
        if answer.as_object().is_none_or(Map::is_empty) {
            continue;
        }
        match day(answer) {
            Ok(told) if told.is_empty() => {}
            Ok(mut told) => {
                told.shift_insert(0, "date".to_owned(), json!(date));
                days.push(Value::Object(told));
            }
            Err(error) => {
                failed.push(json!(date));
                unreadable = Some(error);
            }
        }
    }
    if days.is_empty() {
        if let Some(error) = unreadable {
            return Err(error);
        }
        if failed.is_empty() {
            return Ok(ToolAnswer::Nothing);
        }
    }
    let mut told = Map::new();
    told.insert("start_date".to_owned(), json!(call.text("start_date")));
    told.insert("end_date".to_owned(), json!(call.text("end_date")));
    told.insert("days_with_data".to_owned(), json!(days.len()));
    told.extend(about(&days).map(|(key, value)| (key.to_owned(), value)));
    told.insert("trend".to_owned(), days.into());
    if !failed.is_empty() {
        told.insert("failed_days".to_owned(), failed.into());
    }
    Ok(ToolAnswer::object(told))
}

fn average(days: &[Value], key: &str) -> Value {
    let values: Vec<f64> = days.iter().filter_map(|day| day.get(key)?.as_f64()).collect();
    if values.is_empty() {
        return Value::Null;
    }
    rounded(values.iter().sum::<f64>() / values.len() as f64, 1)
}

fn load_trend(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let day = |document: &Value| {
        let mut told = match of_primary_device(document, STATUS_BY_DEVICE) {
            Some(device) => pick(LOAD_DAY, device)?,
            None => Map::new(),
        };
        if let Some(vo2_max) = at(document, "mostRecentVO2Max.generic.vo2MaxValue") {
            told.insert("vo2_max".to_owned(), vo2_max.clone());
        }
        Ok(told)
    };
    trend(call, answers, day, |_| None)
}

fn hrv_trend(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let day = |document: &Value| Ok(pick(HRV_NIGHT, document)?);
    let about = |days: &[Value]| Some(("period_avg_hrv_ms", average(days, "last_night_avg_hrv_ms")));
    trend(call, answers, day, about)
}

fn respiration_trend(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let day = |document: &Value| {
        let value =
            |(key, from): (&str, &str)| Some((key.to_owned(), rounded(at(document, from)?.as_f64()?, 1)));
        Ok(BREATHS.into_iter().filter_map(value).collect())
    };
    let about = |days: &[Value]| {
        let average = average(days, "avg_sleep_breaths_per_min");
        Some(("period_avg_sleep_breaths_per_min", average))
    };
    trend(call, answers, day, about)
}
