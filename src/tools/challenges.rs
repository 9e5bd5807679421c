//! Goals, records and race predictions: tools of garmin_mcp's module `challenges`. The others are in [`super::badges`].

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::call::ToolCall;
use super::fields::{at, list};
use super::garmin_get::GarminGet;
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

/// The number of goals on one page of Garmin's list.
const GOALS_PAGE: usize = 30;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_goals",
        about: "The person's goals at Garmin: kind, target, value so far, days.",
        parameters: &[Parameter::one_of(
            "goal_type",
            "active, future or past (default active)",
            &["active", "future", "past"],
            "active",
        )],
        ask: GarminQuery::Steps(goals_step),
        tell: AnswerShape::Made(goals),
        nothing: "No {goal_type} goals found.",
        failing: "Error retrieving goals",
    },
    Tool {
        name: "get_personal_record",
        about: "The person's records: fastest and longest runs, rides and swims, most steps, with the activity that set them.",
        parameters: &[],
        ask: GarminQuery::Get("/personalrecord-service/personalrecord/prs/{display_name}"),
        tell: AnswerShape::Shaped(records),
        nothing: "No personal records found.",
        failing: "Error retrieving personal records",
    },
    Tool {
        name: "get_race_predictions",
        about: "Garmin's predicted race times for 5 km, 10 km, half marathon and marathon.",
        parameters: &[],
        ask: GarminQuery::Get("/metrics-service/metrics/racepredictions/latest/{display_name}"),
        tell: AnswerShape::Shaped(predictions),
        nothing: "No race predictions found.",
        failing: "Error retrieving race predictions",
    },
];

/// The format in which a record's value is shown.
#[derive(Clone, Copy)]
enum RecordUnit {
    Seconds,
    Metres,
    MetresUp,
    Count,
    Days,
}

/// Garmin's numeric codes of records, with their names and formats.
const RECORDS: [(i64, &str, RecordUnit); 23] = {
    use RecordUnit::{Count, Days, Metres, MetresUp, Seconds};
    [
        (1, "Fastest 1K", Seconds),
        (2, "Fastest Mile", Seconds),
        (3, "Fastest 5K", Seconds),
        (4, "Fastest 10K", Seconds),
        (5, "Fastest Half Marathon", Seconds),
        (6, "Fastest Marathon", Seconds),
        (7, "Longest Run", Metres),
        (8, "Longest Ride", Metres),
        (9, "Most Elevation Gain Cycling", MetresUp),
        (10, "Fastest 100K Cycling", Seconds),
        (11, "Fastest 40K Cycling", Seconds),
        (12, "Most Steps Day", Count),
        (13, "Most Steps Week", Count),
        (14, "Most Steps Month", Count),
        (15, "Longest Daily Goal Streak", Days),
        (16, "Longest Weekly Goal Streak", Days),
        (17, "Longest Pool Swim", Metres),
        (18, "Fastest 100m Pool Swim", Seconds),
        (19, "Fastest 400m Pool Swim", Seconds),
        (20, "Fastest 500m Pool Swim", Seconds),
        (21, "Fastest 800m Pool Swim", Seconds),
        (22, "Fastest 1500m Pool Swim", Seconds),
        (23, "Fastest 1 Mile Pool Swim", Seconds),
    ]
};

/// Formats whole seconds as `1:42:01` or `22:00`.
pub(super) fn clock(seconds: f64) -> String {
    let text = format!("{:.0}", seconds.trunc());
    let total: i64 = text.parse().unwrap_or(0);
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Formats a number with thousands separators: `41,234`.
pub(super) fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.trunc());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn written(value: f64, unit: RecordUnit) -> String {
    match unit {
        RecordUnit::Seconds => clock(value),
        RecordUnit::Metres if value >= 1_000.0 => format!("{:.2} km", value / 1_000.0),
        RecordUnit::Metres | RecordUnit::MetresUp => format!("{value:.0} m"),
        RecordUnit::Count => thousands(value),
        RecordUnit::Days => format!("{value:.0} days"),
    }
}

fn records(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let number = |record: &Value| record.get("typeId").and_then(Value::as_i64).unwrap_or_default();
    let mut records: Vec<&Value> = list(document, "")?.iter().collect();
    records.sort_by_key(|record| number(record));
    let told = |record: &&Value| {
        let id = number(record);
        let known = RECORDS.iter().find(|(known, ..)| *known == id);
        let value = record.get("value").and_then(Value::as_f64);
        let text =
            value.map(|value| known.map_or_else(|| value.to_string(), |(_, _, unit)| written(value, *unit)));
        let start = at(record, "prStartTimeGMT")
            .or_else(|| at(record, "prStartTimeGmt"))
            .and_then(Value::as_i64);
        let date = start
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map(|at| at.to_zoned(TimeZone::UTC).date());
        let mut told = json!({
            "record_type": known.map_or_else(|| format!("Unknown Record (typeId={id})"), |(_, name, _)| (*name).to_owned()),
            "type_id": record.get("typeId"),
            "value": text,
            "raw_value": record.get("value"),
            "date": date,
        });
        let activity = at(record, "activityId").filter(|id| id.as_i64() != Some(0));
        if let (Some(told), Some(activity)) = (told.as_object_mut(), activity) {
            told.insert("activity_id".to_owned(), activity.clone());
        }
        told
    };
    Ok(ToolAnswer::Json(records.iter().map(told).collect()))
}

fn predictions(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let time = |key: &str| {
        let seconds = document.get(key);
        json!({"time": seconds.and_then(Value::as_f64).map(clock), "time_seconds": seconds})
    };
    if !document.is_object() {
        list(document, "")?;
        return Ok(ToolAnswer::Nothing);
    }
    Ok(ToolAnswer::Json(json!({
        "prediction_date": document.get("calendarDate"),
        "predictions": {
            "5K": time("time5K"),
            "10K": time("time10K"),
            "half_marathon": time("timeHalfMarathon"),
            "marathon": time("timeMarathon"),
        },
    })))
}

/// Requests pages until one is empty.
fn goals_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    if answers
        .last()
        .is_some_and(|page| page.as_array().is_none_or(Vec::is_empty))
    {
        return Vec::new();
    }
    let start = answers.len() * GOALS_PAGE;
    let page = format!(
        "/goal-service/goal/goals?status={{goal_type}}&start={start}&limit={GOALS_PAGE}&sortOrder=asc"
    );
    vec![call.get(&page)]
}

fn goals(_: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let mut goals = Vec::new();
    for page in answers {
        goals.extend_from_slice(list(page, "")?);
    }
    Ok(if goals.is_empty() {
        ToolAnswer::Nothing
    } else {
        ToolAnswer::Json(goals.into())
    })
}
