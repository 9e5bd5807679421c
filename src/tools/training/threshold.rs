//! `get_lactate_threshold`: the newest values, or those of a range of days.
//!
//! Garmin gives the speed in centimetres per millisecond, its unit wherever it does not convert: 0.3222 is 3.222 m/s,
//! or 11.6 km/h.

use serde_json::{Map, Value, json};

use crate::tools::answer::{AnswerError, ToolAnswer};
use crate::tools::call::ToolCall;
use crate::tools::fields::{Field, at, fields, list, newest, pick};
use crate::tools::garmin_get::GarminGet;
use crate::tools::json::rounded;
use crate::tools::sport::pace;

const MPS_OF_GARMINS_UNIT: f64 = 10.0;

const POWER: &[Field] = fields! {
    "functional_threshold_power_watts" <- "functionalThresholdPower";
    "weight_kg" <- "weight";
    "power_to_weight" <- "powerToWeight";
    "sport" <- "sport";
    "power_date" <- "calendarDate";
    "is_stale" <- "isStale";
};

/// Whether only one end of a range was given.
fn is_half_open(call: &ToolCall) -> bool {
    call.day("start_date").is_some() != call.day("end_date").is_some()
}

/// Requests the newest values unless a range is given, and nothing for half a range, which [`threshold`] refuses.
pub(super) fn threshold_gets(call: &ToolCall) -> Vec<GarminGet> {
    if is_half_open(call) {
        return Vec::new();
    }
    if call.day("start_date").is_none() {
        let power = format!(
            "/biometric-service/biometric/powerToWeight/latest/{}?sport=Running",
            call.today
        );
        return vec![
            GarminGet::plain(&power),
            GarminGet::plain("/biometric-service/biometric/latestLactateThreshold"),
        ];
    }
    let metrics = [
        "lactateThresholdSpeed",
        "lactateThresholdHeartRate",
        "functionalThresholdPower",
    ];
    let range = |metric| {
        let path = format!("/biometric-service/stats/{metric}/range/{{start_date}}/{{end_date}}");
        call.get(&format!(
            "{path}?sport=RUNNING&aggregation=daily&aggregationStrategy=LATEST"
        ))
    };
    metrics.into_iter().map(range).collect()
}

pub(super) fn threshold(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    if is_half_open(call) {
        return Err(AnswerError::Argument(
            "give both start_date and end_date for a range, or neither for the newest values".to_owned(),
        ));
    }
    match answers {
        [speeds, rates, powers] => of_range(call, speeds, rates, powers),
        [power, thresholds] => latest(power, thresholds),
        _ => Ok(ToolAnswer::Nothing),
    }
}

fn of_range(
    call: &ToolCall,
    speeds: &Value,
    rates: &Value,
    powers: &Value,
) -> Result<ToolAnswer, AnswerError> {
    let history = |document: &Value, of_row: &dyn Fn(&Value) -> Vec<(&'static str, Value)>| {
        let row = |row: &Value| -> Value {
            let mut told = Map::from_iter([("date".to_owned(), json!(row.get("from")))]);
            told.extend(
                of_row(row)
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value)),
            );
            told.insert("series".to_owned(), json!(row.get("series")));
            told.into()
        };
        list(document, "").map(|rows| rows.iter().map(row).collect::<Value>())
    };
    let plain = |key: &'static str| move |row: &Value| vec![(key, json!(row.get("value")))];
    let speed = |row: &Value| match row.get("value").and_then(Value::as_f64) {
        Some(value) => vec![("speed_mps", mps(value)), ("pace_min_per_km", pace_per_km(value))],
        None => vec![("speed_mps", Value::Null)],
    };
    Ok(ToolAnswer::Json(json!({
        "start_date": call.text("start_date"),
        "end_date": call.text("end_date"),
        "speed_history": history(speeds, &speed)?,
        "heart_rate_history": history(rates, &plain("heart_rate_bpm"))?,
        "power_history": history(powers, &plain("power_watts"))?,
    })))
}

fn latest(power: &Value, thresholds: &Value) -> Result<ToolAnswer, AnswerError> {
    let power = power.as_array().map_or(Some(power), |powers| powers.first());
    let thresholds = list(thresholds, "")?;
    // Each row holds one kind of value. The misspelled heart rate key is Garmin's.
    let row_with = |keys: &[&str]| {
        let has_one = |row: &&Value| keys.iter().any(|key| at(row, key).is_some());
        newest(thresholds.iter().filter(has_one), "calendarDate")
    };
    let value = |keys: &[&str]| {
        let row = row_with(keys)?;
        keys.iter().find_map(|key| at(row, key)).cloned()
    };
    let speed = value(&["speed"]).and_then(|speed| speed.as_f64());
    let dated = row_with(&["speed"]).or(thresholds.first());
    let mut told = Map::new();
    for (key, value) in [
        ("lactate_threshold_speed_mps", speed.map(mps)),
        ("lactate_threshold_pace_min_per_km", speed.map(pace_per_km)),
        (
            "lactate_threshold_heart_rate_bpm",
            value(&["heartRate", "hearRate"]),
        ),
        ("heart_rate_cycling_bpm", value(&["heartRateCycling"])),
        (
            "speed_hr_date",
            dated.and_then(|row| at(row, "calendarDate")).cloned(),
        ),
    ] {
        told.extend(value.map(|value| (key.to_owned(), value)));
    }
    if let Some(power) = power.filter(|power| !power.is_null()) {
        told.extend(pick(POWER, power)?);
    }
    Ok(ToolAnswer::object(told))
}

fn mps(speed: f64) -> Value {
    rounded(speed * MPS_OF_GARMINS_UNIT, 3)
}

fn pace_per_km(speed: f64) -> Value {
    json!(pace(speed * MPS_OF_GARMINS_UNIT, 1_000.0))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tools::training::TOOLS;

    fn call(arguments: &Value) -> ToolCall {
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == "get_lactate_threshold")
            .unwrap();
        let noon = date(2026, 1, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
        ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap()
    }

    #[test]
    fn a_range_has_the_speeds_in_metres_a_second() {
        let call = call(&json!({"start_date": "-30d", "end_date": "today"}));
        assert_eq!(threshold_gets(&call).len(), 3);
        let row = |value: Value| json!([{"from": "2026-01-05", "until": "2026-01-05", "series": "running", "value": value}]);
        let told = threshold(
            &call,
            &[&row(json!(0.347_221_25)), &row(json!(169)), &row(Value::Null)],
        );
        let Ok(ToolAnswer::Json(told)) = told else {
            panic!("it is not told")
        };
        assert_eq!(
            told["speed_history"],
            json!([{"date": "2026-01-05", "speed_mps": 3.472, "pace_min_per_km": "4:48", "series": "running"}])
        );
        assert_eq!(told["heart_rate_history"][0]["heart_rate_bpm"], 169);
        assert_eq!(told["power_history"][0]["power_watts"], Value::Null);
    }

    #[test]
    fn half_a_range_is_refused_before_anything_is_asked() {
        for half in [json!({"start_date": "-90d"}), json!({"end_date": "today"})] {
            let call = call(&half);
            assert_eq!(threshold_gets(&call), vec![], "{half}");
            let refused = threshold(&call, &[]).unwrap_err().to_string();
            assert!(refused.contains("give both start_date and end_date"), "{refused}");
        }
        // A period in words has both ends.
        assert_eq!(
            threshold_gets(&call(&json!({"start_date": "last week"}))).len(),
            3
        );
    }

    #[test]
    fn the_newest_row_of_each_value_counts() {
        let rows = json!([
            {"calendarDate": "2026-01-05T10:30:00.0", "speed": 0.30, "hearRate": null},
            {"calendarDate": "2026-01-25T10:30:00.0", "speed": 0.322, "hearRate": null},
            {"calendarDate": "2026-01-20T10:30:00.0", "speed": null, "hearRate": 169},
        ]);
        let Ok(ToolAnswer::Json(told)) = latest(&Value::Null, &rows) else {
            panic!("it is not told")
        };
        assert_eq!(
            told,
            json!({
                "lactate_threshold_speed_mps": 3.22, "lactate_threshold_pace_min_per_km": "5:11",
                "lactate_threshold_heart_rate_bpm": 169, "speed_hr_date": "2026-01-25T10:30:00.0"
            })
        );
    }
}
