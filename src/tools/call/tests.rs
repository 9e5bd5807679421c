use jiff::civil::date;
use serde_json::json;

use super::check::InvalidArguments;
use super::*;
use crate::tools::days::{DAY_FORM, day_form};

fn call(tool: &str, arguments: Value) -> Result<ToolCall, InvalidArguments> {
    let tool = crate::tools::tools().find(|known| known.name == tool).unwrap();
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    ToolCall::check(
        tool.parameters,
        &arguments,
        &date(2026, 3, 1).in_tz("UTC").unwrap(),
    )
}

#[test]
fn today_and_yesterday_are_days() {
    let day = |text: &str| {
        call("get_stats", json!({"date": text}))
            .unwrap()
            .day("date")
            .unwrap()
    };
    assert_eq!(day("today"), date(2026, 3, 1));
    assert_eq!(day("yesterday"), date(2026, 2, 28));
    assert_eq!(day(" 2024-02-29 "), date(2024, 2, 29));
    assert_eq!(day("-7d"), date(2026, 2, 22));
}

#[track_caller]
fn refused(tool: &str, arguments: Value, expected: &[&str]) {
    assert_eq!(call(tool, arguments).unwrap_err().0, expected);
}

#[test]
fn every_mistake_gets_a_line() {
    let form = DAY_FORM;
    refused(
        "get_daily_steps",
        json!({"start_date": ["2026-01-01"]}),
        &[
            &format!("start_date must be {form}, not [\"2026-01-01\"]"),
            &format!("end_date is missing: give {}", day_form(true)),
        ],
    );
    for wrong in [
        "20260101",
        "2026-1-1",
        "2026-01-01T00:00",
        "this week",
        "soon",
        "",
    ] {
        refused(
            "get_stats",
            json!({"date": wrong}),
            &[&format!("date must be {form}, not \"{wrong}\"")],
        );
    }
    let long = "x".repeat(100);
    refused(
        "get_stats",
        json!({"date": long}),
        &[&format!("date must be {form}, not \"{}…", "x".repeat(39))],
    );
    let id = "the number that Garmin gave it, for example 20000000001";
    for (wrong, shown) in [
        (json!(0), "0"),
        (json!(-5), "-5"),
        (json!(1.5), "1.5"),
        (json!(true), "true"),
    ] {
        refused(
            "get_activity",
            json!({"activity_id": wrong}),
            &[&format!("activity_id must be {id}, not {shown}")],
        );
    }
}

#[test]
fn numbers_are_read_leniently_and_bounded() {
    let weeks = |given: Value| {
        call(
            "get_weekly_steps",
            json!({"end_date": "2026-01-01", "weeks": given}),
        )
        .unwrap()
        .whole("weeks")
    };
    assert_eq!(
        [json!(3), json!("3"), json!(3.0), json!(52), Value::Null].map(weeks),
        [3, 3, 3, 52, 4]
    );
    let limit = "limit must be a whole number from 1 to 100";
    for (wrong, shown) in [(json!(0), "0"), (json!(-7), "-7"), (json!("101"), "\"101\"")] {
        refused(
            "get_activities",
            json!({"limit": wrong}),
            &[&format!("{limit}, not {shown}")],
        );
    }
    refused(
        "get_activities",
        json!({"start": 1e300}),
        &["start must be a whole number from 0 to 100000000, not 1e+300"],
    );
    let lag = |days: i64| json!({"metric": "sleep", "other": "hrv", "lag_days": days});
    let bounds = "lag_days must be a whole number from 0 to 14";
    refused(
        "correlate",
        lag(-1),
        &[&format!(
            "{bounds}, not -1; for the other direction, swap metric and other"
        )],
    );
    refused("correlate", lag(15), &[&format!("{bounds}, not 15")]);
}

#[test]
fn a_day_that_does_not_exist_is_told_and_tomorrow_is_offered_where_it_may_be_given() {
    let february = "there is no 29 February 2026; that month has 28 days";
    refused(
        "get_stats",
        json!({"date": "2026-02-29"}),
        &[&format!("date: {february}")],
    );
    let range = call(
        "get_trend",
        json!({"metric": "hrv", "range": "2026-02-29..today"}),
    )
    .unwrap();
    assert_eq!(range.text("range"), "2026-02-29..today");
    let week = json!([{"date": "2026-13-01", "workout_id": 5}]);
    refused(
        "schedule_week",
        json!({"week": week}),
        &["week[0].date: there is no month 13"],
    );
    let ahead = call(
        "schedule_workout",
        json!({"workout_id": 5, "calendar_date": "next week"}),
    );
    let ahead = ahead.unwrap_err().to_string();
    assert!(ahead.contains("today, tomorrow, yesterday"), "{ahead}");
}

#[test]
fn unknown_arguments_are_refused_with_a_near_name() {
    for (tool, arguments, expected) in [
        (
            "add_weigh_in",
            json!({"weight": 74.5, "unit": "lbs", "dry_run": true}),
            "unit is not an argument of this tool; its arguments are weight, unit_key. Did you mean unit_key?",
        ),
        (
            "get_activities",
            json!({"activity_type": "cycling", "sport": null}),
            "activity_type is not an argument of this tool; its arguments are start, limit",
        ),
        (
            "create_strength_workout",
            json!({"name": "Legs", "exercises": [{"name": "Squat", "weight_kg": 60}]}),
            "exercises[0].weight_kg is not a member of this object; its members are name, sets, reps, rest_seconds, \
             category",
        ),
    ] {
        refused(tool, arguments, &[expected]);
    }
    for (tool, arguments, name) in [
        (
            "create_manual_activity",
            json!({"type_key": "running", "date": "today", "duration_minutes": 30, "distance": 5}),
            "distance_km",
        ),
        (
            "create_workout",
            json!({"name": "A", "steps": [{"distance_km": 5}]}),
            "distance_m",
        ),
        (
            "create_workout",
            json!({"name": "A", "steps": [{"times": 2, "steps": [{"durationMin": 5}]}]}),
            "duration_min",
        ),
        (
            "create_workout",
            json!({"name": "A", "steps": [{"duration_minutes": 5}]}),
            "duration_min",
        ),
        (
            "set_nutrition_daily_settings",
            json!({"date": "today", "calorie_goal": 2000, "protein": 150}),
            "protein_grams",
        ),
        ("get_training_volume", json!({"sports": "running"}), "sport"),
        (
            "compare_activities",
            json!({"type": "cycling", "last": 2}),
            "activity_type",
        ),
    ] {
        let told = call(tool, arguments).unwrap_err().to_string();
        assert!(told.ends_with(&format!(". Did you mean {name}?")), "{told}");
    }
}

#[test]
fn some_unknown_arguments_are_fine() {
    for (tool, arguments) in [
        // Some clients send a dummy argument to a tool without parameters.
        ("get_full_name", json!({"random_string": "x"})),
        (
            "get_stats",
            json!({"date": "today", "dry_run": false, "cursor": 0, "again": true, "x": null}),
        ),
        // Garmin's documents have more members than the schema shows.
        (
            "upload_workout",
            json!({"workout_data": {"workoutName": "A", "author": {}, "workoutSegments": [{"segmentOrder": 1}]}}),
        ),
    ] {
        assert!(call(tool, arguments).is_ok(), "{tool}");
    }
}

#[test]
fn a_range_of_too_many_requests_is_refused() {
    let steps = |end: &str| {
        call(
            "get_daily_steps",
            json!({"start_date": "2023-01-01", "end_date": end}),
        )
    };
    assert!(steps("2026-01-24").is_ok());
    let too_long = "start_date to end_date may be at most 1120 days: ask for a part of the range at a time";
    assert_eq!(steps("2026-01-25").unwrap_err().0, [too_long]);
}

#[test]
fn an_argument_cannot_add_to_the_query() {
    let call = call(
        "get_activities_by_date",
        json!({"start_date": "2026-01-01", "end_date": "2026-01-02", "activity_type": "a&b={page}/ü"}),
    );
    let get = call.unwrap().get("/x?activityType={activity_type}&page={page}");
    assert_eq!(
        get.query,
        [
            ("activityType".into(), "a&b={page}/ü".into()),
            ("page".into(), "0".into())
        ]
    );
}
