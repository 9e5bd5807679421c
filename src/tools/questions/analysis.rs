//! `analyze_activity`: one activity, its laps, its zones, its weather, and how even it was.

use serde_json::{Map, Value, json};

use super::compare::conditions;
use super::effort::Effort;
use super::figures::{failed, figure, object};
use super::laps::{endurance, laps, table};
use super::listing::page;
use super::period::Period;
use super::volume::zone_seconds;
use crate::tools::call::ToolCall;
use crate::tools::fields::at;
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::table::{AnswerError, ToolAnswer};
use crate::tools::user_profile::USER_SETTINGS;

/// How far back the newest activity is looked for.
const YEAR: i64 = 366;

/// The newest activity if none is given, then everything about it.
pub(super) fn step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    let id = match (call.whole("activity_id"), answers) {
        (0, []) => {
            let period = Period::up_to(call.today, YEAR);
            return vec![page(period, &call.text("activity_type"), 0, 1)];
        }
        (0, [list]) => list.get(0).and_then(Effort::read).map(|effort| effort.id),
        (id, []) if id > 0 => Some(id),
        _ => None,
    };
    let Some(id) = id else {
        return Vec::new();
    };
    let path = format!("/activity-service/activity/{id}");
    let part = |name: &str| GarminGet::plain(&format!("{path}/{name}")).optional();
    vec![
        GarminGet::plain(&path),
        part("splits"),
        part("hrTimeInZones"),
        part("weather"),
        GarminGet::plain(USER_SETTINGS).optional(),
    ]
}

pub(super) fn analysis(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let answers = if call.whole("activity_id") == 0 {
        answers.get(1..).unwrap_or_default()
    } else {
        answers
    };
    let [activity, splits, zones, weather, settings] = answers else {
        return Ok(ToolAnswer::Nothing);
    };
    let Some(effort) = Effort::read(activity) else {
        return Ok(ToolAnswer::Nothing);
    };
    let is_parent = at(activity, "metadataDTO.childIds")
        .and_then(Value::as_array)
        .is_some_and(|parts| !parts.is_empty());
    if is_parent {
        // The parts of a multisport activity are answered for one by one.
        return Ok(ToolAnswer::Nothing);
    }
    let mut failures = Vec::new();
    let mut given = |name: &str, answer: &'_ Value| {
        let reason = answer.get(FAILED).and_then(Value::as_str);
        if let Some(reason) = reason {
            failures.push((name.to_owned(), reason.to_owned()));
        }
        reason.is_none() && !answer.is_null()
    };
    let laps = if given("laps", splits) {
        laps(splits)?
    } else {
        Vec::new()
    };
    let zones = if given("zones", zones) {
        zone_seconds(zones)?
    } else {
        None
    };
    let weather = given("weather", weather).then_some(*weather);
    let zones = zones.map(|zones| {
        let total: f64 = zones.iter().sum();
        json!({
            "minutes": zones.map(|seconds| figure(seconds / 60.0, 0)),
            "percent": zones.map(|seconds| figure(seconds / total.max(1.0) * 100.0, 0)),
        })
    });
    let endurance = if laps.is_empty() {
        Map::new()
    } else {
        endurance(&laps, effort.family())
    };
    let mut told = effort.told();
    told.extend(object([
        ("weather", conditions(weather, settings).into()),
        ("heart_rate_zones", json!(zones)),
        ("second_half_against_first", endurance.into()),
        ("laps", table(&laps, effort.family()).into()),
        (
            "rests_on",
            json!({"laps": laps.len(), "of": "Garmin's summary, laps and zones"}),
        ),
        ("failed", failed(failures)),
    ]));
    Ok(ToolAnswer::Json(told.into()))
}
