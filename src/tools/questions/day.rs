//! `get_day_profile`: one day, hour by hour.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::effort::Effort;
use super::figures::{failed, figure_or_null, mean, object};
use super::period::{date, of_date};
use crate::tools::call::ToolCall;
use crate::tools::fields::{Field, at, fields, list};
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::table::{AnswerError, ToolAnswer};
use crate::tools::{local_time, time_zone};

const HOURS: usize = 24;

const PARTS: [(&str, &str); 6] = [
    (
        "summary",
        "/usersummary-service/usersummary/daily/{display_name}?calendarDate={date}",
    ),
    (
        "sleep",
        "/wellness-service/wellness/dailySleepData/{display_name}?date={date}&nonSleepBufferMinutes=60",
    ),
    (
        "stress and body battery",
        "/wellness-service/wellness/dailyStress/{date}",
    ),
    (
        "heart rate",
        "/wellness-service/wellness/dailyHeartRate/{display_name}?date={date}",
    ),
    (
        "steps",
        "/wellness-service/wellness/dailySummaryChart/{display_name}?date={date}",
    ),
    ("activities", "/mobile-gateway/heartRate/forDate/{date}"),
];

const SUMMARY: &[Field] = fields! {
    "steps" <- "totalSteps";
    "step_goal" <- "dailyStepGoal";
    "active_kcal" <- "activeKilocalories";
    "moderate_min" <- "moderateIntensityMinutes";
    "vigorous_min" <- "vigorousIntensityMinutes";
    "resting_bpm" <- "restingHeartRate";
    "avg_stress" <- "averageStressLevel";
    "body_battery_at_wake" <- "bodyBatteryAtWakeTime";
    "body_battery_highest" <- "bodyBatteryHighestValue";
    "body_battery_lowest" <- "bodyBatteryLowestValue";
    "body_battery_charged" <- "bodyBatteryChargedValue";
    "body_battery_drained" <- "bodyBatteryDrainedValue";
};

pub(super) fn gets(call: &ToolCall) -> Vec<GarminGet> {
    PARTS.iter().map(|(_, path)| of_date(call, path)).collect()
}

pub(super) fn profile(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let mut failures = Vec::new();
    for ((name, _), answer) in PARTS.iter().zip(answers) {
        if let Some(reason) = answer.get(FAILED).and_then(Value::as_str) {
            failures.push(((*name).to_owned(), reason.to_owned()));
        }
    }
    let [summary, sleep, stress, beats, steps, activities] = answers else {
        return Ok(ToolAnswer::Nothing);
    };
    if at(summary, "privacyProtected") == Some(&Value::Bool(true)) {
        return Err(AnswerError::Private);
    }
    let clock = LocalClock::of(&[stress, beats], call.now.time_zone());
    let mut told = Map::new();
    told.extend(object([
        (
            "summary",
            crate::tools::fields::pick(SUMMARY, summary)
                .unwrap_or_default()
                .into(),
        ),
        ("sleep", night(sleep).into()),
    ]));
    let efforts: Vec<Value> = list(activities, "ActivitiesForDay.payload")?
        .iter()
        .filter_map(Effort::read)
        .map(|effort| effort.row().into())
        .collect();
    told.extend(object([("activities", efforts.into())]));
    if let Some(clock) = clock {
        told.extend(object([(
            "by_hour",
            by_hour(&clock, stress, beats, steps).into(),
        )]));
    }
    if told.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    told.shift_insert(0, "date".to_owned(), json!(date(call)));
    told.extend(object([("failed", failed(failures))]));
    Ok(ToolAnswer::Json(told.into()))
}

fn night(document: &Value) -> Map<String, Value> {
    let number = |key: &str| at(document.get("dailySleepDTO")?, key)?.as_f64();
    let hours = |key: &str| figure_or_null(number(key).map(|seconds| seconds / 3_600.0), 1);
    // Garmin's local times are written as if they were UTC.
    let local = |key: &str| {
        let at = Timestamp::from_millisecond(format!("{:.0}", number(key)?).parse().ok()?).ok()?;
        Some(at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string())
    };
    if number("sleepTimeSeconds").is_none_or(|seconds| seconds <= 0.0) {
        return Map::new();
    }
    object([
        ("sleep_h", hours("sleepTimeSeconds")),
        (
            "score",
            at(document, "dailySleepDTO.sleepScores.overall.value")
                .cloned()
                .unwrap_or_default(),
        ),
        ("from", json!(local("sleepStartTimestampLocal"))),
        ("until", json!(local("sleepEndTimestampLocal"))),
        ("deep_h", hours("deepSleepSeconds")),
        ("rem_h", hours("remSleepSeconds")),
        ("awake_h", hours("awakeSleepSeconds")),
    ])
}

/// Turns Garmin's UTC moments into hours of the local day.
struct LocalClock {
    date: Date,
    zone: TimeZone,
}

impl LocalClock {
    /// The clock of the first document that says when its day began.
    fn of(documents: &[&Value], zone: &TimeZone) -> Option<Self> {
        documents.iter().find_map(|document| {
            let start = local_time::utc(at(document, "startTimestampGMT")?.as_str()?)?;
            let zone = time_zone::of_document(document, zone)?;
            Some(Self {
                date: zone.to_datetime(start).date(),
                zone,
            })
        })
    }

    /// The hour, from 0 to 23, of a moment on this day.
    fn hour(&self, at: Timestamp) -> Option<usize> {
        let local = self.zone.to_datetime(at);
        (local.date() == self.date).then(|| usize::try_from(local.hour()).ok())?
    }

    fn hour_of_ms(&self, ms: i64) -> Option<usize> {
        self.hour(Timestamp::from_millisecond(ms).ok()?)
    }
}

/// Columns from hour 0 to the last hour with data.
fn by_hour(clock: &LocalClock, stress: &Value, beats: &Value, steps: &Value) -> Map<String, Value> {
    // `index` is the position of the value in a reading. A negative stress was not measured.
    let readings = |document: &Value, path: &str, index: usize| {
        let mut hours: Vec<Vec<f64>> = vec![Vec::new(); HOURS];
        for reading in at(document, path).and_then(Value::as_array).into_iter().flatten() {
            let hour = reading
                .get(0)
                .and_then(Value::as_i64)
                .and_then(|ms| clock.hour_of_ms(ms));
            let value = reading
                .get(index)
                .and_then(Value::as_f64)
                .filter(|value| *value >= 0.0);
            if let (Some(hour), Some(value)) = (hour.and_then(|hour| hours.get_mut(hour)), value) {
                hour.push(value);
            }
        }
        hours
    };
    let mean_of = |hours: Vec<Vec<f64>>| hours.into_iter().map(mean).collect::<Vec<_>>();
    let mut stepped: Vec<Option<f64>> = vec![None; HOURS];
    for quarter in steps.as_array().into_iter().flatten() {
        let start = at(quarter, "startGMT").and_then(|start| local_time::utc(start.as_str()?));
        let slot = start
            .and_then(|start| clock.hour(start))
            .and_then(|hour| stepped.get_mut(hour));
        if let (Some(slot), Some(count)) = (slot, at(quarter, "steps").and_then(Value::as_f64)) {
            *slot = Some(slot.unwrap_or(0.0) + count);
        }
    }
    let battery = readings(stress, "bodyBatteryValuesArray", 2);
    let columns = [
        ("avg_stress", mean_of(readings(stress, "stressValuesArray", 1))),
        (
            "body_battery_at_end",
            battery.into_iter().map(|hour| hour.last().copied()).collect(),
        ),
        ("avg_bpm", mean_of(readings(beats, "heartRateValues", 1))),
        ("steps", stepped),
    ];
    let last = |column: &[Option<f64>]| {
        column
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |hour| hour + 1)
    };
    let hours = columns.iter().map(|(_, column)| last(column)).max().unwrap_or(0);
    if hours == 0 {
        return Map::new();
    }
    let mut table = object([("first_hour", json!(0)), ("interval_hours", json!(1))]);
    for (name, column) in columns {
        if column.iter().any(Option::is_some) {
            let values: Value = column
                .iter()
                .take(hours)
                .map(|value| figure_or_null(*value, 0))
                .collect();
            table.insert(name.to_owned(), values);
        }
    }
    table
}
