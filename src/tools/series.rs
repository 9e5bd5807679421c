//! Series of readings as columns.
//!
//! Garmin sends a reading as a row with its moment: `[1768000000000, 61]`, or an object with `startGMT`. An answer has
//! the start of the series in local time, the interval in seconds, and a column for each value. A missing reading is
//! `null`. Readings without a regular interval have a column `at_s`: seconds since the start. If each of them covers a
//! period, `duration_s` is its length.
//!
//! # Invariants
//!
//! - A series keeps the name that Garmin gave it, and all its values.
//! - A list with an unknown shape stays as it is.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Map, Value, json};

use super::json::rounded;
use super::{local_time, time_zone};

/// Garmin's lists of readings, and the columns of their rows. `time` and `end` are moments.
const LISTS: &[(&str, &[&str])] = &[
    ("heartRateValues", &["time", "bpm"]),
    ("stressValuesArray", &["time", "stress"]),
    ("bodyBatteryValuesArray", &["time", "body_battery"]),
    (
        "bodyBatteryValuesArray",
        &["time", "status", "body_battery", "version"],
    ),
    ("respirationValuesArray", &["time", "breaths_per_min"]),
    (
        "respirationAveragesValuesArray",
        &[
            "time",
            "avg_breaths_per_min",
            "highest_breaths_per_min",
            "lowest_breaths_per_min",
        ],
    ),
    ("spO2HourlyAverages", &["time", "spo2_percent"]),
    (
        "floorValuesArray",
        &["time", "end", "floors_ascended", "floors_descended"],
    ),
];

/// Garmin's lists of objects with a moment, and the name of their member `value`.
const OBJECTS: &[(&str, &str)] = &[
    ("sleepMovement", "value"),
    ("sleepLevels", "value"),
    ("sleepHeartRate", "bpm"),
    ("sleepStress", "stress"),
    ("sleepBodyBattery", "body_battery"),
    ("sleepRestlessMoments", "restless_moments"),
    ("hrvData", "hrv_ms"),
    ("wellnessEpochRespirationDataDTOList", "value"),
    ("wellnessEpochSPO2DataDTOList", "value"),
    ("breathingDisruptionData", "value"),
];

const STARTS: &[&str] = &["startGMT", "startTimeGMT", "epochTimestamp"];
const ENDS: &[&str] = &["endGMT", "endTimeGMT"];
/// The stages of sleep by their number in `sleepLevels`.
const STAGES: &[&str] = &["deep", "light", "rem", "awake"];

/// A single reading with its moment and its values.
struct TimedRow {
    at_ms: i64,
    end_ms: Option<i64>,
    values: Vec<(String, Value)>,
}

/// A document with its series as columns. `zone` is the person's time zone, for a document that does not give its own.
pub(super) fn as_columns(document: &Value, zone: &TimeZone) -> Value {
    match document {
        Value::Array(rows) => {
            let steps: Option<Vec<TimedRow>> = rows.iter().map(|row| object_row(row, "value")).collect();
            match steps.filter(|steps| steps.iter().all(|step| step.end_ms.is_some())) {
                Some(steps) if !steps.is_empty() => columns(steps, zone),
                _ => rows.iter().map(|row| as_columns(row, zone)).collect(),
            }
        }
        Value::Object(members) => {
            let of_document = time_zone::of_document(document, zone);
            let zone = of_document.as_ref().unwrap_or(zone);
            let mut told: Map<String, Value> = members
                .iter()
                .map(|(key, value)| {
                    let series = of_list(key, value, zone);
                    (key.clone(), series.unwrap_or_else(|| value.clone()))
                })
                .collect();
            if told != *members {
                // The columns have names, so Garmin's descriptors are not needed.
                told.retain(|key, _| !key.contains("Descriptor"));
            }
            Value::Object(told)
        }
        other => other.clone(),
    }
}

/// The readings of one of Garmin's lists as columns; `None` for any other list, and for an empty one.
pub(super) fn of_list(key: &str, list: &Value, zone: &TimeZone) -> Option<Value> {
    let rows = list.as_array().filter(|rows| !rows.is_empty())?;
    if let Some((_, value)) = OBJECTS.iter().find(|(known, _)| *known == key) {
        let mut readings = rows
            .iter()
            .map(|row| object_row(row, value))
            .collect::<Option<Vec<_>>>()?;
        if key == "sleepLevels" {
            readings.iter_mut().for_each(name_stage);
        }
        return Some(columns(readings, zone));
    }
    let width = rows.first()?.as_array()?.len();
    let (_, names) = LISTS
        .iter()
        .find(|(known, names)| *known == key && names.len() == width)?;
    let readings = rows
        .iter()
        .map(|row| array_row(row, names))
        .collect::<Option<Vec<_>>>()?;
    Some(columns(readings, zone))
}

fn array_row(row: &Value, names: &[&str]) -> Option<TimedRow> {
    let cells = row.as_array().filter(|cells| cells.len() == names.len())?;
    let mut reading = TimedRow {
        at_ms: moment(cells.first()?)?,
        end_ms: None,
        values: Vec::new(),
    };
    for (name, cell) in names.iter().zip(cells).skip(1) {
        if *name == "end" {
            reading.end_ms = Some(moment(cell)?);
        } else {
            reading.values.push(((*name).to_owned(), plain(cell)));
        }
    }
    Some(reading)
}

fn object_row(row: &Value, value_name: &str) -> Option<TimedRow> {
    let members = row.as_object()?;
    let first = |keys: &[&str]| keys.iter().find_map(|key| moment(members.get(*key)?));
    let rest = members
        .iter()
        .filter(|(key, _)| !STARTS.contains(&key.as_str()) && !ENDS.contains(&key.as_str()));
    Some(TimedRow {
        at_ms: first(STARTS)?,
        end_ms: first(ENDS),
        values: rest
            .map(|(key, value)| {
                let name = if key == "value" { value_name } else { key };
                (name.to_owned(), plain(value))
            })
            .collect(),
    })
}

fn name_stage(reading: &mut TimedRow) {
    let level = reading.values.iter().find(|(name, _)| name == "activityLevel");
    let number = level.and_then(|(_, level)| usize::try_from(level.as_u64()?).ok());
    let stage = number.and_then(|number| STAGES.get(number));
    reading.values.push(("stage".to_owned(), json!(stage)));
}

/// A moment in epoch milliseconds, from a number or from a text without a zone, which is UTC.
fn moment(value: &Value) -> Option<i64> {
    match value {
        // A number outside the range of timestamps would overflow.
        Value::Number(_) => Some(
            Timestamp::from_millisecond(value.as_i64()?)
                .ok()?
                .as_millisecond(),
        ),
        Value::String(text) => Some(local_time::utc(text)?.as_millisecond()),
        _ => None,
    }
}

/// A value with two decimals at most, and without `.0`.
fn plain(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if !value.is_i64() && !value.is_u64() => {
            let number = rounded(number, 2);
            let whole = number.as_f64().filter(|number| number.fract() == 0.0);
            let whole = whole.and_then(|whole| format!("{whole:.0}").parse::<i64>().ok());
            whole.map_or(number, Value::from)
        }
        _ => value.clone(),
    }
}

/// Readings as columns. There must be at least one.
fn columns(mut readings: Vec<TimedRow>, zone: &TimeZone) -> Value {
    readings.sort_by_key(|reading| reading.at_ms);
    let start_ms = readings.first().map_or(0, |reading| reading.at_ms);
    let at_ms: Vec<i64> = readings.iter().map(|reading| reading.at_ms - start_ms).collect();
    let mut told = Map::new();
    let start = Timestamp::from_millisecond(start_ms).ok();
    let start = start.map(|start| local_time::text(start, zone));
    told.insert("start".to_owned(), json!(start));
    let lasts = |reading: &TimedRow| Some(reading.end_ms? - reading.at_ms);
    let grid = match readings.as_slice() {
        [only] => lasts(only).filter(|lasts| *lasts > 0),
        // A reading of a period lasts as long as the interval.
        all => {
            interval(&at_ms).filter(|interval| all.iter().filter_map(lasts).all(|lasts| lasts == *interval))
        }
    };
    let slots: Vec<Option<&TimedRow>> = match grid {
        Some(interval) => {
            told.insert("interval_s".to_owned(), seconds(interval));
            let mut by_slot: BTreeMap<i64, &TimedRow> = BTreeMap::new();
            for (at, reading) in at_ms.iter().zip(&readings) {
                by_slot.insert(at / interval, reading);
            }
            let last = by_slot.keys().next_back().copied().unwrap_or(0);
            (0..=last).map(|slot| by_slot.get(&slot).copied()).collect()
        }
        None => readings.iter().map(Some).collect(),
    };
    if grid.is_none() && readings.len() > 1 {
        let column: Value = at_ms.iter().map(|at| seconds(*at)).collect();
        told.insert("at_s".to_owned(), column);
    }
    let durations: Vec<Value> = readings.iter().filter_map(lasts).map(seconds).collect();
    if grid.is_none() && durations.len() == readings.len() {
        let is_constant = durations
            .iter()
            .all(|duration| Some(duration) == durations.first());
        let duration = match durations.first() {
            Some(first) if is_constant => first.clone(),
            _ => durations.into(),
        };
        told.insert("duration_s".to_owned(), duration);
    }
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in readings.iter().flat_map(|reading| &reading.values) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    for name in names {
        let value = |reading: &TimedRow| {
            let found = reading.values.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let column: Vec<Value> = slots
            .iter()
            .map(|slot| slot.map(value).unwrap_or_default())
            .collect();
        told.insert(name.to_owned(), once_if_constant(name, column));
    }
    Value::Object(told)
}

/// A word, a switch or an id that every reading has is given once.
fn once_if_constant(name: &str, column: Vec<Value>) -> Value {
    let is_id = name == "version" || name.ends_with("PK") || name.ends_with("Id");
    match column.first() {
        Some(first)
            if column.len() > 1
                && (is_id || first.is_string() || first.is_boolean())
                && column.iter().all(|value| value == first) =>
        {
            first.clone()
        }
        _ => column.into(),
    }
}

/// The interval of a regular series, in which at least half of the readings are present.
fn interval(at_ms: &[i64]) -> Option<i64> {
    let steps = at_ms
        .iter()
        .zip(at_ms.iter().skip(1))
        .map(|(one, next)| next - one);
    let interval = steps.fold(0, greatest_common_divisor);
    let slots = at_ms.last()?.checked_div(interval)? + 1;
    (usize::try_from(slots).ok()? <= at_ms.len() * 2).then_some(interval)
}

fn greatest_common_divisor(one: i64, other: i64) -> i64 {
    if other == 0 {
        one
    } else {
        greatest_common_divisor(other, one % other)
    }
}

fn seconds(ms: i64) -> Value {
    if ms % 1_000 == 0 {
        json!(ms / 1_000)
    } else {
        rounded(ms as f64 / 1_000.0, 1)
    }
}

/// Rows with a `calendarDate` as columns, with one value for each day; `None` if a row has no day.
pub(super) fn by_day(rows: &[Value]) -> Option<Value> {
    let day = |row: &Value| row.get("calendarDate")?.as_str()?.parse::<Date>().ok();
    let dated = rows
        .iter()
        .map(|row| Some((day(row)?, row.as_object()?)))
        .collect::<Option<BTreeMap<_, _>>>()?;
    let (first, last) = (*dated.keys().next()?, *dated.keys().next_back()?);
    let is_dense = (last - first).get_days() < i32::try_from(dated.len()).ok()?.saturating_mul(2);
    let mut told = Map::new();
    let days: Vec<Date> = if is_dense {
        told.insert("start".to_owned(), json!(first));
        told.insert("interval_days".to_owned(), json!(1));
        first.series(1.day()).take_while(|day| *day <= last).collect()
    } else {
        let days: Vec<Date> = dated.keys().copied().collect();
        told.insert("date".to_owned(), json!(days));
        days
    };
    for key in dated.values().flat_map(|row| row.keys()) {
        if key != "calendarDate" && !told.contains_key(key) {
            let value = |day| {
                dated
                    .get(day)
                    .and_then(|row| row.get(key))
                    .map(plain)
                    .unwrap_or_default()
            };
            told.insert(key.clone(), days.iter().map(value).collect());
        }
    }
    Some(Value::Object(told))
}

#[cfg(test)]
mod tests;
