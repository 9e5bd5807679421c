//! Weekly totals of steps, stress and intensity minutes.

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::tools::call::ToolCall;
use crate::tools::fields::{Field, fields, list, pick, pick_each};
use crate::tools::garmin_get::GarminGet;
use crate::tools::table::{AnswerError, ToolAnswer};

const STEPS: &[Field] = fields! {
    "week_start" <- "calendarDate";
    "total_steps" <- "values.totalSteps";
    "average_steps" <- "values.averageSteps";
    "total_distance_meters" <- "values.totalDistance";
    "average_distance_meters" <- "values.averageDistance";
    "days_with_data" <- "values.wellnessDataDaysCount";
};

const STRESS: &[Field] = fields! {
    "week_start" <- "calendarDate";
    "stress_value" <- "value";
};

const INTENSITY: &[Field] = fields! {
    "week_start" <- "calendarDate";
    "weekly_goal" <- "weeklyGoal";
    "moderate_minutes" <- "moderateValue";
    "vigorous_minutes" <- "vigorousValue";
};

pub(super) fn steps(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    Ok(newest_first(call, pick_each(STEPS, document, "")?))
}

pub(super) fn stress(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    Ok(newest_first(call, pick_each(STRESS, document, "")?))
}

/// Garmin's endpoint takes the first and the last day instead of a number of weeks.
pub(super) fn intensity_minutes_gets(call: &ToolCall) -> Vec<GarminGet> {
    let Some(last) = call.day("end_date") else {
        return Vec::new();
    };
    let first = last.saturating_sub((call.whole("weeks") * 7 - 1).days());
    vec![GarminGet::of(
        &format!("/usersummary-service/stats/im/weekly/{first}/{last}"),
        |_| String::new(),
    )]
}

pub(super) fn intensity_minutes(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut weeks = Vec::new();
    for week in list(document, "")? {
        let mut told = pick(INTENSITY, week)?;
        told.insert(
            "total_minutes".to_owned(),
            sum(week.get("moderateValue"), week.get("vigorousValue")),
        );
        weeks.push(Value::Object(told));
    }
    Ok(newest_first(call, weeks))
}

/// Adds two numbers. A missing number counts as 0, and integers stay integers.
fn sum(one: Option<&Value>, other: Option<&Value>) -> Value {
    let whole = |value: Option<&Value>| value.filter(|v| !v.is_null()).map_or(Some(0), Value::as_i64);
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(0.0);
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => json!(one.saturating_add(other)),
        _ => json!(number(one) + number(other)),
    }
}

fn newest_first(call: &ToolCall, mut weeks: Vec<Value>) -> ToolAnswer {
    let start = |week: &Value| {
        week.get("week_start")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    weeks.sort_by_key(|week| std::cmp::Reverse(start(week)));
    ToolAnswer::Json(json!({
        "end_date": call.text("end_date"),
        "weeks_requested": call.whole("weeks"),
        "weeks_returned": weeks.len(),
        "weekly_data": weeks,
    }))
}
