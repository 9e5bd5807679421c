use super::*;

fn auckland() -> TimeZone {
    TimeZone::get("Pacific/Auckland").unwrap()
}

#[test]
fn a_day_of_readings_is_one_column_with_an_interval() {
    // 5 April 2026 in Auckland begins at 11:00 UTC on 4 April.
    let start = 1_775_300_400_000_i64;
    let document = json!({
        "calendarDate": "2026-04-05",
        "startTimestampGMT": "2026-04-04T11:00:00.0",
        "startTimestampLocal": "2026-04-05T00:00:00.0",
        "heartRateValueDescriptors": [{"key": "timestamp", "index": 0}, {"key": "heartrate", "index": 1}],
        "heartRateValues": [[start, 61], [start + 120_000, null], [start + 360_000, 64]],
    });
    assert_eq!(
        as_columns(&document, &auckland()),
        json!({
            "calendarDate": "2026-04-05",
            "startTimestampGMT": "2026-04-04T11:00:00.0",
            "startTimestampLocal": "2026-04-05T00:00:00.0",
            "heartRateValues": {"start": "2026-04-05T00:00:00+13:00", "interval_s": 120, "bpm": [61, null, null, 64]},
        })
    );
    // A document from elsewhere has its own offset.
    let mut away = document;
    away["startTimestampLocal"] = json!("2026-04-04T01:00:00.0");
    assert_eq!(
        as_columns(&away, &auckland())["heartRateValues"]["start"],
        "2026-04-04T01:00:00-10:00"
    );
}

#[test]
fn readings_without_an_interval_have_a_column_of_seconds() {
    let document = json!({"sleepHeartRate": [
        {"value": 50, "startGMT": 1_775_300_400_000_i64},
        {"value": 51.0, "startGMT": 1_775_300_407_000_i64},
        {"value": 49.256, "startGMT": 1_775_300_460_500_i64},
    ]});
    assert_eq!(
        as_columns(&document, &TimeZone::UTC)["sleepHeartRate"],
        json!({"start": "2026-04-04T11:00:00+00:00", "at_s": [0, 7, 60.5], "bpm": [50, 51, 49.26]})
    );
}

#[test]
fn words_that_never_change_are_told_once() {
    let start = 1_738_296_000_000_i64;
    let document = json!({"bodyBatteryValuesArray": [
        [start, "MEASURED", 55, 3.0], [start + 180_000, "MEASURED", 55, 3.0],
    ]});
    assert_eq!(
        as_columns(&document, &TimeZone::UTC)["bodyBatteryValuesArray"],
        json!({
            "start": "2025-01-31T04:00:00+00:00", "interval_s": 180, "status": "MEASURED", "body_battery": [55, 55],
            "version": 3,
        })
    );
}

#[test]
fn stages_of_sleep_have_a_duration_and_a_name() {
    let stage =
        |from: &str, to: &str, level: f64| json!({"startGMT": from, "endGMT": to, "activityLevel": level});
    let document = json!({"sleepLevels": [
        stage("2026-01-07T22:00:00.0", "2026-01-07T22:40:00.0", 1.0),
        stage("2026-01-07T22:40:00.0", "2026-01-07T23:05:00.0", 0.0),
        stage("2026-01-08T04:00:00.0", "2026-01-08T04:07:00.0", 9.0),
    ]});
    assert_eq!(
        as_columns(&document, &TimeZone::UTC)["sleepLevels"],
        json!({
            "start": "2026-01-07T22:00:00+00:00",
            "at_s": [0, 2_400, 21_600],
            "duration_s": [2_400, 1_500, 420],
            "activityLevel": [1, 0, 9],
            "stage": ["light", "deep", null],
        })
    );
}

#[test]
fn sparse_periods_of_one_length_are_no_regular_series() {
    let document = json!({"floorValuesArray": [
        ["2026-01-08T06:00:00.0", "2026-01-08T06:15:00.0", 3, 2], ["2026-01-08T10:00:00.0", "2026-01-08T10:15:00.0", 1, 0],
    ]});
    assert_eq!(
        as_columns(&document, &TimeZone::UTC)["floorValuesArray"],
        json!({
            "start": "2026-01-08T06:00:00+00:00", "at_s": [0, 14_400], "duration_s": 900, "floors_ascended": [3, 1],
            "floors_descended": [2, 0],
        })
    );
}

#[test]
fn a_list_of_steps_becomes_an_object() {
    let quarter = |from: &str, to: &str, steps: i64| json!({"startGMT": from, "endGMT": to, "steps": steps, "primaryActivityLevel": "sedentary"});
    let steps = json!([
        quarter("2026-01-08T06:00:00.0", "2026-01-08T06:15:00.0", 12),
        quarter("2026-01-08T06:15:00.0", "2026-01-08T06:30:00.0", 0),
    ]);
    assert_eq!(
        as_columns(&steps, &TimeZone::UTC),
        json!({
            "start": "2026-01-08T06:00:00+00:00", "interval_s": 900, "steps": [12, 0], "primaryActivityLevel": "sedentary",
        })
    );
}

#[test]
fn an_unknown_shape_stays_as_it_is() {
    for document in [
        json!({"heartRateValues": [["late", 61]], "heartRateValueDescriptors": []}),
        json!({"heartRateValues": [[1_775_300_400_000_i64, 61, 5]]}),
        json!({"heartRateValues": {"bpm": [61]}}),
        json!({"heartRateValues": [[i64::MAX, 61], [i64::MIN, 62]]}),
        json!({"heartRateValues": [], "sleepMovement": null}),
        json!([{"eventType": "WALK"}]),
        json!("text"),
        json!([]),
    ] {
        assert_eq!(as_columns(&document, &auckland()), document);
    }
    assert_eq!(by_day(&[json!({"totalSteps": 5})]), None);
}

#[test]
fn days_without_a_row_are_null_unless_they_are_most() {
    let day = |date: &str, steps: i64| json!({"calendarDate": date, "totalSteps": steps, "stepGoal": 8_000});
    assert_eq!(
        by_day(&[
            day("2026-01-08", 9_000),
            day("2026-01-09", 7),
            day("2026-01-11", 5)
        ]),
        Some(json!({
            "start": "2026-01-08", "interval_days": 1, "totalSteps": [9_000, 7, null, 5], "stepGoal": [8_000, 8_000, null, 8_000],
        }))
    );
    assert_eq!(
        by_day(&[day("2026-01-08", 9_000), day("2026-01-29", 7)]),
        Some(
            json!({"date": ["2026-01-08", "2026-01-29"], "totalSteps": [9_000, 7], "stepGoal": [8_000, 8_000]})
        )
    );
}
