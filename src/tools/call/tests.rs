use jiff::civil::date;
use serde_json::json;

use super::check::InvalidArguments;
use super::*;
use crate::tools::days::DAY_FORM;

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
            &format!("end_date is missing: give {form}"),
        ],
    );
    for wrong in [
        "2026-02-29",
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
        [json!(3), json!("3"), json!(3.0), json!(99), Value::Null].map(weeks),
        [3, 3, 3, 52, 4]
    );
    let limit = |given: Value| {
        call("get_activities", json!({"limit": given}))
            .unwrap()
            .whole("limit")
    };
    assert_eq!([json!(0), json!(-7), json!(101)].map(limit), [1, 1, 100]);
    refused(
        "get_activities",
        json!({"start": 1e300}),
        &["start must be a whole number, 0 or more, not 1e+300"],
    );
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
