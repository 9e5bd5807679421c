//! Entries that are refused, because they would enter or delete something else than was meant.

use jiff::civil::date;
use serde_json::{Value, json};

use super::TOOLS;
use crate::tools::call::ToolCall;
use crate::tools::table::NextStep;

/// The error of a call that gets this answer from Garmin; empty when it plans a change.
fn refusal(tool: &str, arguments: &Value, answer: &Value) -> String {
    let tool = TOOLS.iter().find(|known| known.name == tool).unwrap();
    let noon = date(2026, 1, 8).at(12, 0, 0, 0).in_tz("Europe/Vienna").unwrap();
    let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap();
    match tool.next(&call, &[answer]) {
        Ok(NextStep::Change(_)) => String::new(),
        Ok(other) => panic!("{other:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn one_of_several_weigh_ins_is_deleted_only_by_its_id() {
    let day = json!({"dateWeightList": [
        {"samplePk": 11, "weight": 74_500.0},
        {"samplePk": 12, "weight": 74_040.0},
    ]});
    let refused = |arguments: Value| refusal("delete_weigh_ins", &arguments, &day);
    assert_eq!(
        refused(json!({"date": "2026-01-08", "delete_all": false})),
        "2 weigh-ins on 2026-01-08: give sample_pk (11 for 74.5 kg, 12 for 74.0 kg) or delete_all: true. Nothing was deleted."
    );
    assert_eq!(refused(json!({"date": "2026-01-08"})), "");
    assert_eq!(
        refused(json!({"date": "2026-01-08", "delete_all": false, "sample_pk": 12})),
        ""
    );
}

#[test]
fn a_blood_pressure_with_swapped_values_is_refused() {
    let refused = |systolic: i64, diastolic: i64| {
        let arguments = json!({"systolic": systolic, "diastolic": diastolic, "pulse": 60});
        refusal("set_blood_pressure", &arguments, &Value::Null)
    };
    assert_eq!(
        refused(80, 120),
        "diastolic (120) must be below systolic (80): are they swapped?"
    );
    assert_ne!(refused(90, 90), "");
    assert_eq!(refused(120, 80), "");
}

#[test]
fn the_time_of_a_drink_is_local() {
    let refused = |time: &str| {
        let arguments = json!({"value_in_ml": 250, "cdate": "2026-01-08", "timestamp": time});
        refusal("add_hydration_data", &arguments, &Value::Null)
    };
    assert_eq!(refused("2026-01-08T00:15:00"), "");
    // 00:15 in Vienna.
    assert_eq!(refused("2026-01-07T23:15:00Z"), "");
    let other_day = refused("2026-01-08T23:15:00Z");
    assert!(other_day.contains("2026-01-09"), "{other_day}");
}
