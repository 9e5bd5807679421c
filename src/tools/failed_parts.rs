//! One request of several fails: the answer names that part and gives the rest.

use jiff::civil::date;
use serde_json::{Value, json};

use super::call::ToolCall;
use super::garmin_get::{FAILED, GarminGet};
use super::table::{NextStep, ToolAnswer};
use super::tools;

/// The answer of a tool whose requests `garmin` answers.
fn told(tool: &str, arguments: &Value, garmin: impl Fn(&GarminGet) -> Value) -> Value {
    let tool = tools().find(|known| known.name == tool).unwrap();
    let noon = date(2026, 1, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
    let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap();
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..12 {
        let known: Vec<&Value> = answers.iter().collect();
        let Ok(NextStep::Get(gets)) = tool.next(&call, &known) else {
            break;
        };
        for get in gets {
            let answer = garmin(&get);
            assert!(
                get.is_optional || answer.get(FAILED).is_none(),
                "{} may not fail",
                get.path
            );
            answers.push(answer);
        }
    }
    let known: Vec<&Value> = answers.iter().collect();
    match tool.told(&call, &known).unwrap() {
        ToolAnswer::Json(value) => value,
        other => panic!("{other:?}"),
    }
}

fn failed() -> Value {
    json!({FAILED: "unreachable"})
}

#[test]
fn a_window_of_steps() {
    let garmin = |get: &GarminGet| {
        if get.path.ends_with("2026-01-31") {
            failed()
        } else {
            json!([{"calendarDate": "2026-01-01", "totalSteps": 5}])
        }
    };
    let told = told(
        "get_daily_steps",
        &json!({"start_date": "2026-01-01", "end_date": "2026-01-31"}),
        garmin,
    );
    assert_eq!(told["totalSteps"], json!([5]));
    assert_eq!(told["failed"], json!(["2026-01-29 to 2026-01-31: unreachable"]));
}

#[test]
fn a_month_of_the_calendar() {
    let garmin = |get: &GarminGet| {
        if get.path.ends_with("/month/0") {
            return failed();
        }
        json!({"calendarItems": [{"date": "2026-02-10", "itemType": "event", "title": "Race", "id": 5}]})
    };
    let told = told(
        "get_calendar_events",
        &json!({"start_date": "2026-01-20", "end_date": "2026-02-20"}),
        garmin,
    );
    assert_eq!(
        (&told["count"], &told["entries"][0]["title"]),
        (&json!(1), &json!("Race"))
    );
    assert_eq!(told["failed"], json!(["2026-01: unreachable"]));
}

#[test]
fn the_statistics_of_one_shoe() {
    let shoe = |id: &str| json!({"uuid": id, "displayName": id.to_uppercase(), "gearStatusName": "active", "gearTypeName": "Shoes"});
    let garmin = |get: &GarminGet| match get.path.as_str() {
        path if path.ends_with("/stats/b") => failed(),
        path if path.ends_with("/stats/a") => {
            json!({"uuid": "a", "totalActivities": 3, "totalDistance": 30_000.0})
        }
        path if path.contains("filterGear") => json!([shoe("a"), shoe("b")]),
        path if path.ends_with("/activityTypes") => json!([]),
        _ => json!({"userProfileNumber": 1}),
    };
    let told = told("get_gear", &json!({}), garmin);
    assert_eq!(told["gear"].as_array().unwrap().len(), 2);
    assert_eq!(told["failed"], json!(["stats of B: unreachable"]));
}

#[test]
fn the_alarms_of_one_device() {
    let garmin = |get: &GarminGet| match get.path.as_str() {
        path if path.ends_with("/devices") => json!([
            {"deviceId": 1, "productDisplayName": "fenix"}, {"deviceId": 2, "productDisplayName": "Edge"},
        ]),
        path if path.ends_with("/1") => {
            json!({"alarms": [{"alarmId": 9, "alarmTime": 400, "alarmMode": "ON"}]})
        }
        _ => failed(),
    };
    let told = told("get_device_alarms", &json!({}), garmin);
    assert_eq!(told["total_alarms"], 1);
    assert_eq!(told["failed"], json!(["settings of Edge: unreachable"]));
}
