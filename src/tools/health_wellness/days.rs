//! Tools about one day, or about each day of a range.

use jiff::ToSpan;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};

use crate::tools::call::ToolCall;
use crate::tools::fields::{Changed, Field, at, fields, list, pick};
use crate::tools::garmin_get::{GarminGet, failure};
use crate::tools::json::{is_empty, rounded};
use crate::tools::local_time;
use crate::tools::series;
use crate::tools::table::{AnswerError, ToolAnswer};

const STATS: &[Field] = fields! {
    "date" <- "calendarDate";
    "total_steps" <- "totalSteps";
    "daily_step_goal" <- "dailyStepGoal";
    "distance_meters" <- "totalDistanceMeters";
    "floors_ascended" <- rounded "floorsAscended";
    "floors_descended" <- rounded "floorsDescended";
    "total_calories" <- "totalKilocalories";
    "active_calories" <- "activeKilocalories";
    "bmr_calories" <- "bmrKilocalories";
    "highly_active_seconds" <- "highlyActiveSeconds";
    "active_seconds" <- "activeSeconds";
    "sedentary_seconds" <- "sedentarySeconds";
    "sleeping_seconds" <- "sleepingSeconds";
    "moderate_intensity_minutes" <- "moderateIntensityMinutes";
    "vigorous_intensity_minutes" <- "vigorousIntensityMinutes";
    "intensity_minutes_goal" <- "intensityMinutesGoal";
    "min_heart_rate_bpm" <- "minHeartRate";
    "max_heart_rate_bpm" <- "maxHeartRate";
    "resting_heart_rate_bpm" <- "restingHeartRate";
    "last_7_days_avg_resting_hr" <- "lastSevenDaysAvgRestingHeartRate";
    "avg_stress_level" <- "averageStressLevel";
    "max_stress_level" <- "maxStressLevel";
    "stress_qualifier" <- "stressQualifier";
    "body_battery_charged" <- "bodyBatteryChargedValue";
    "body_battery_drained" <- "bodyBatteryDrainedValue";
    "body_battery_highest" <- "bodyBatteryHighestValue";
    "body_battery_lowest" <- "bodyBatteryLowestValue";
    "body_battery_current" <- "bodyBatteryMostRecentValue";
    "avg_spo2_percent" <- "averageSpo2" | "averageSpO2";
    "lowest_spo2_percent" <- "lowestSpo2" | "lowestSpO2";
    "avg_waking_respiration" <- "avgWakingRespirationValue";
    "highest_respiration" <- "highestRespirationValue";
    "lowest_respiration" <- "lowestRespirationValue";
};

const HEART_RATES: &[Field] = fields! {
    "date" <- "calendarDate";
    "max_heart_rate_bpm" <- "maxHeartRate";
    "min_heart_rate_bpm" <- "minHeartRate";
    "resting_heart_rate_bpm" <- "restingHeartRate";
    "last_7_days_avg_resting_hr" <- "lastSevenDaysAvgRestingHeartRate";
};

const STRESS: &[Field] = fields! {
    "date" <- "calendarDate";
    "max_stress_level" <- "maxStressLevel";
    "avg_stress_level" <- "avgStressLevel";
};

pub(super) const RESPIRATION: &[Field] = fields! {
    "date" <- "calendarDate";
    "lowest_breaths_per_min" <- "lowestRespirationValue";
    "highest_breaths_per_min" <- "highestRespirationValue";
    "avg_waking_breaths_per_min" <- "avgWakingRespirationValue";
    "avg_sleep_breaths_per_min" <- "avgSleepRespirationValue";
};

const SPO2: &[Field] = fields! {
    "date" <- "calendarDate";
    "avg_spo2_percent" <- "averageSpO2";
    "lowest_spo2_percent" <- "lowestSpO2";
    "latest_spo2_percent" <- "latestSpO2";
    "latest_reading_time" <- "latestSpO2TimestampLocal";
    "latest_reading_utc_offset" <- offset "latestSpO2TimestampLocal" | "latestSpO2TimestampGMT";
    "last_7_days_avg_spo2" <- "lastSevenDaysAvgSpO2";
    "avg_sleep_spo2_percent" <- "avgSleepSpO2";
};

/// The longest range of daily steps that Garmin accepts, in days.
const STEPS_WINDOW_DAYS: i64 = 28;
/// The longest range that the tool accepts: 40 requests. A longer one would block the person's other calls for too
/// long.
pub(super) const STEPS_DAYS: i64 = 40 * STEPS_WINDOW_DAYS;

/// Returns the daily summary unless Garmin hides it.
pub(super) fn open(summary: &Value) -> Result<&Value, AnswerError> {
    match at(summary, "privacyProtected") {
        Some(Value::Bool(true)) => Err(AnswerError::Private),
        _ => Ok(summary),
    }
}

pub(super) fn stats(_: &ToolCall, summary: &Value) -> Result<ToolAnswer, AnswerError> {
    Ok(ToolAnswer::object(pick(STATS, open(summary)?)?))
}

pub(super) fn summary(_: &ToolCall, summary: &Value) -> Result<ToolAnswer, AnswerError> {
    open(summary).map(|_| ToolAnswer::AsSent)
}

/// Consecutive windows of 28 days, oldest first.
pub(super) fn daily_steps_gets(call: &ToolCall) -> Vec<GarminGet> {
    let (Some(mut from), Some(last)) = (call.day("start_date"), call.day("end_date")) else {
        return Vec::new();
    };
    let mut gets = Vec::new();
    while from <= last {
        let to = from.saturating_add((STEPS_WINDOW_DAYS - 1).days()).min(last);
        let path = format!("/usersummary-service/stats/steps/daily/{from}/{to}");
        gets.push(GarminGet::plain(&path).optional());
        // Adding a day to the last date of the calendar returns the same date.
        if to == last {
            break;
        }
        from = to.saturating_add(1.day());
    }
    gets
}

pub(super) fn daily_steps(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let (mut days, mut failed) = (Vec::new(), Vec::new());
    for (get, answer) in daily_steps_gets(call).iter().zip(answers) {
        if let Some(reason) = failure(answer) {
            let mut ends = get.path.rsplit('/');
            let (last, first) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
            failed.push(json!(format!("{first} to {last}: {reason}")));
        } else if !is_empty(answer) {
            // Garmin answers `{}` for a window without data.
            days.extend_from_slice(list(answer, "")?);
        }
    }
    if days.is_empty() && failed.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let mut told = match series::by_day(&days) {
        Some(Value::Object(columns)) => columns,
        _ => Map::from_iter([("result".to_owned(), Value::Array(days))]),
    };
    if !failed.is_empty() {
        told.insert("failed".to_owned(), failed.into());
    }
    Ok(ToolAnswer::Json(told.into()))
}

/// The second column of rows of `[time, value]`, restricted to numbers above zero.
fn measured(document: &Value, rows: &str) -> Result<Vec<f64>, Changed> {
    let value = |row: &Value| row.get(1).and_then(Value::as_f64).filter(|value| *value > 0.0);
    Ok(list(document, rows)?.iter().filter_map(value).collect())
}

pub(super) fn heart_rates(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(HEART_RATES, document)?;
    let beats = measured(document, "heartRateValues")?;
    if !beats.is_empty() {
        let mean = beats.iter().sum::<f64>() / beats.len() as f64;
        told.insert("avg_heart_rate_bpm".to_owned(), rounded(mean, 1));
        told.insert("data_points_count".to_owned(), json!(beats.len()));
    }
    Ok(ToolAnswer::object(told))
}

pub(super) fn stress(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(STRESS, document)?;
    if !list(document, "stressValuesArray")?.is_empty() {
        // Values below zero are codes: -1 not measurable, -2 during an activity.
        let levels = measured(document, "stressValuesArray")?;
        let all = levels.len().max(1) as f64;
        let share = |from: f64, to: f64| {
            let within = levels
                .iter()
                .filter(|level| **level >= from && **level < to)
                .count();
            rounded(within as f64 / all * 100.0, 1)
        };
        told.insert("rest_percent".to_owned(), share(0.0, 26.0));
        told.insert("low_stress_percent".to_owned(), share(26.0, 51.0));
        told.insert("medium_stress_percent".to_owned(), share(51.0, 76.0));
        told.insert("high_stress_percent".to_owned(), share(76.0, f64::INFINITY));
        told.insert("data_points_count".to_owned(), json!(levels.len()));
    }
    Ok(ToolAnswer::object(told))
}

pub(super) fn spo2(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(SPO2, document)?;
    if let Some(hours) = at(document, "spO2HourlyAverages").filter(|hours| !is_empty(hours)) {
        let zone = call.now.time_zone();
        let columns = series::of_list("spO2HourlyAverages", hours, zone);
        told.insert(
            "hourly_averages".to_owned(),
            columns.unwrap_or_else(|| hours.clone()),
        );
    }
    Ok(ToolAnswer::object(told))
}

pub(super) fn body_battery(_: &ToolCall, days: &Value) -> Result<ToolAnswer, AnswerError> {
    let days = list(days, "")?
        .iter()
        .map(body_battery_day)
        .collect::<Result<Vec<_>, Changed>>()?;
    Ok(ToolAnswer::Json(Value::Array(days)))
}

/// The start in local time. Garmin sends the offset in milliseconds.
fn start_of_event(event: &Value) -> Option<String> {
    let start = local_time::utc(event.get("eventStartTimeGmt")?.as_str()?)?;
    let seconds = i32::try_from(event.get("timezoneOffset")?.as_i64()? / 1_000).ok()?;
    Some(local_time::text(
        start,
        &TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
    ))
}

/// The summary of one day. Keys without a value are kept as null.
fn body_battery_day(day: &Value) -> Result<Value, Changed> {
    let event = |event: &Value| {
        let minutes = event
            .get("durationInMilliseconds")
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
            / 60_000.0;
        let mut told = json!({
            "type": event.get("eventType"),
            "start_time": event.get("eventStartTimeGmt"),
            "duration_minutes": rounded(minutes, 1),
            "body_battery_impact": event.get("bodyBatteryImpact"),
            "feedback": event.get("shortFeedback"),
        });
        if let (Some(told), Some(start)) = (told.as_object_mut(), start_of_event(event)) {
            told.shift_insert(2, "start_time_local".to_owned(), json!(start));
        }
        told
    };
    let mut told = Map::new();
    for key in ["date", "charged", "drained"] {
        told.insert(key.to_owned(), json!(day.get(key)));
    }
    let events = list(day, "bodyBatteryActivityEvent")?.iter().map(event).collect();
    told.insert("events".to_owned(), Value::Array(events));
    if let Some(feedback) = at(day, "bodyBatteryDynamicFeedbackEvent").filter(|feedback| !is_empty(feedback))
    {
        told.insert(
            "current_feedback".to_owned(),
            json!(feedback.get("feedbackShortType")),
        );
        told.insert(
            "body_battery_level".to_owned(),
            json!(feedback.get("bodyBatteryLevel")),
        );
    }
    Ok(Value::Object(told))
}
