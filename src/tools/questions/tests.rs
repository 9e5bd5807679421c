//! Tests every question on answers in Garmin's format: a person with all the data, one with little, and parts that
//! fail.

mod activities;
mod days;

use jiff::civil::{Date, date};
use serde_json::{Map, Value, json};

use crate::tools::call::ToolCall;
use crate::tools::garmin_get::FAILED;
use crate::tools::table::{NextStep, Tool, ToolAnswer};

/// This day is a Saturday.
const TODAY: Date = date(2026, 1, 31);

/// Asks a question; `garmin` answers each request, given its path and query.
fn ask(tool: &str, arguments: &Value, garmin: &dyn Fn(&str) -> Value) -> Result<Value, String> {
    let tool: &Tool = super::TOOLS.iter().find(|known| known.name == tool).unwrap();
    let arguments: &Map<String, Value> = arguments.as_object().unwrap();
    let noon = TODAY.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    let call = ToolCall::check(tool.parameters, arguments, &noon).map_err(|wrong| wrong.to_string())?;
    let mut answers: Vec<Value> = Vec::new();
    for _ in 0..12 {
        let so_far: Vec<&Value> = answers.iter().collect();
        let Ok(NextStep::Get(gets)) = tool.next(&call, &so_far) else {
            break;
        };
        for get in gets {
            let query: Vec<String> = get
                .query
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            answers.push(garmin(&format!("{}?{}", get.path, query.join("&"))));
        }
    }
    let answers: Vec<&Value> = answers.iter().collect();
    match tool.told(&call, &answers) {
        Ok(ToolAnswer::Json(value)) => {
            let length = value.to_string().chars().count();
            assert!(length < 6_400, "{} tells {length} characters", tool.name);
            Ok(value)
        }
        Ok(_) => Ok(Value::Null),
        Err(error) => Err(error.to_string()),
    }
}

fn failing() -> Value {
    json!({FAILED: "unreachable"})
}

fn item(id: i64, type_key: &str, start: &str, metres: f64, seconds: f64) -> Value {
    json!({
        "activityId": id, "activityName": "Example", "activityType": {"typeKey": type_key}, "eventType": {"typeKey": "uncategorized"},
        "startTimeLocal": start, "startTimeGMT": start, "distance": metres, "duration": seconds, "movingDuration": seconds,
        "averageHR": 150.0, "maxHR": 170.0, "elevationGain": 50.0, "activityTrainingLoad": 100.0,
        "hrTimeInZone_1": 600.0, "hrTimeInZone_2": 1_200.0, "hrTimeInZone_3": 600.0, "hrTimeInZone_4": 300.0, "hrTimeInZone_5": 300.0
    })
}

/// Garmin's list of nights for the days of a request, without those of `missing`.
fn nights(target: &str, missing: &[&str]) -> Value {
    let days = target
        .split('?')
        .next()
        .unwrap()
        .rsplit('/')
        .take(2)
        .collect::<Vec<_>>();
    let [last, first] = [days[0], days[1]].map(|day| day.parse::<Date>().unwrap());
    let nights: Vec<Value> = first
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day <= last)
        .filter(|day| !missing.contains(&day.to_string().as_str()))
        .map(|day| json!({"calendarDate": day, "values": {"totalSleepTimeInSeconds": 25_200 + i64::from(day.day()) * 60, "sleepScore": 80}}))
        .collect();
    json!({"individualStats": nights})
}

#[test]
fn a_trend_names_gaps_and_the_part_that_failed() {
    let garmin = |target: &str| {
        if target.contains("2025-12-06/2026-01-02") {
            failing()
        } else {
            nights(target, &["2026-01-10", "2026-01-11"])
        }
    };
    let told = ask(
        "get_trend",
        &json!({"metric": "sleep", "range": "2025-12-06..today"}),
        &garmin,
    )
    .unwrap();
    assert_eq!(
        told["rests_on"]["failed"],
        json!(["2025-12-06 to 2026-01-02: unreachable"])
    );
    assert_eq!(told["rests_on"]["days_with_data"], 27);
    let gaps = told["rests_on"]["gaps"].as_array().unwrap();
    assert!(gaps.contains(&json!("2026-01-10 to 2026-01-11")), "{gaps:?}");
    assert_eq!(
        told["summary"]["highest"],
        json!({"date": "2026-01-31", "value": 7.52})
    );
    assert_eq!(told["series"]["first_week_from"], "2025-12-01");
    assert_eq!(told["series"]["interval_days"], 7);
    assert_eq!(told["series"]["days_with_data"].as_array().unwrap().len(), 9);
    assert_eq!(told["series"]["sleep_h"][0], Value::Null);
}

#[test]
fn a_year_by_day_is_asked_in_parts_and_by_month_it_is_short() {
    let asked = std::cell::Cell::new(0);
    let garmin = |target: &str| {
        asked.set(asked.get() + 1);
        nights(target, &[])
    };
    let told = ask("get_trend", &json!({"metric": "sleep", "range": "-1y"}), &garmin).unwrap();
    assert_eq!(asked.get(), 14, "28 days at a time");
    assert_eq!(told["series"]["month"].as_array().unwrap().len(), 12);
    assert_eq!(
        told["range"],
        json!({"start": "2025-02-01", "end": "2026-01-31", "days": 365})
    );
}

#[test]
fn steps_by_weekday_say_how_often_the_goal_was_reached() {
    let garmin = |_: &str| {
        json!([
            {"calendarDate": "2026-01-26", "totalSteps": 9_000, "stepGoal": 8_000},
            {"calendarDate": "2026-01-27", "totalSteps": 7_000, "stepGoal": 8_000},
            {"calendarDate": "2026-01-31", "totalSteps": 1_000, "stepGoal": 8_000},
            {"calendarDate": "2026-01-30", "totalSteps": null, "stepGoal": 8_000}
        ])
    };
    let told = ask(
        "get_trend",
        &json!({"metric": "steps", "range": "this week", "by": "weekday"}),
        &garmin,
    )
    .unwrap();
    let row = |name: &str, column: &str| {
        let names = told["series"]["weekday"].as_array().unwrap();
        let index = names.iter().position(|known| known == name).unwrap();
        told["series"][column][index].clone()
    };
    assert_eq!(row("Mon-Fri", "goal_reached_percent_of_days"), 50);
    // Saturday is today, and not over.
    assert_eq!(row("Sat-Sun", "goal_reached_percent_of_days"), Value::Null);
    assert_eq!(told["summary"]["mean"], 8_000.0);
    assert_eq!(
        (
            &told["rests_on"]["days_with_data"],
            &told["rests_on"]["not_counted"]
        ),
        (&json!(3), &json!("2026-01-31: the day is not over"))
    );
    let by_day = json!({"metric": "steps", "range": "this week", "by": "day"});
    let told = ask("get_trend", &by_day, &garmin).unwrap();
    assert_eq!(
        told["series"]["steps"],
        json!([9_000, 7_000, null, null, null, 1_000])
    );
    assert_eq!(told["summary"]["lowest"]["value"], 7_000);
    assert_eq!(
        (row("Mon", "steps"), row("Wed", "steps")),
        (json!(9_000), Value::Null)
    );
}

#[test]
fn measurements_of_one_day_are_averaged() {
    let garmin = |target: &str| {
        if target.contains("bloodpressure") {
            let at = |systolic: i64| json!({"systolic": systolic, "diastolic": 80, "pulse": null});
            json!({"measurementSummaries": [{"measurementSummaryDate": "2026-01-30", "measurements": [at(120), at(130)]}, {"measurementSummaryDate": "2026-01-31", "measurements": null}]})
        } else {
            json!({"dateWeightList": [
                {"calendarDate": "2026-01-30", "weight": 70_000.0}, {"calendarDate": "2026-01-30", "weight": 71_000.0},
                {"calendarDate": "2026-01-29", "weight": 70_000.0}
            ]})
        }
    };
    let told = ask(
        "get_trend",
        &json!({"metric": "blood_pressure", "range": "this year"}),
        &garmin,
    )
    .unwrap();
    assert_eq!(told["summary"]["mean"], 125.0);
    assert!(
        told["rests_on"].get("gaps").is_none(),
        "nobody measures every day"
    );
    let told = ask(
        "get_trend",
        &json!({"metric": "weight", "range": "this year"}),
        &garmin,
    )
    .unwrap();
    assert_eq!(
        told["summary"]["highest"],
        json!({"date": "2026-01-30", "value": 70.5})
    );
}

#[test]
fn body_battery_sums_up_what_drained_it() {
    let event = |kind: &str, impact: i64| json!({"eventType": kind, "bodyBatteryImpact": impact, "durationInMilliseconds": 3_600_000});
    let garmin = |_: &str| {
        json!([
            {"date": "2026-01-30", "charged": 60, "drained": 55, "bodyBatteryActivityEvent": [event("SLEEP", 60), event("ACTIVITY", -20)]},
            {"date": "2026-01-31", "charged": 50, "drained": 40, "bodyBatteryActivityEvent": [event("ACTIVITY", -11)]},
            {"date": "2026-01-29", "charged": null, "drained": null, "bodyBatteryActivityEvent": null}
        ])
    };
    let told = ask(
        "get_trend",
        &json!({"metric": "body_battery", "range": "-7d"}),
        &garmin,
    )
    .unwrap();
    assert_eq!(
        told["impact_by_event"],
        json!([{"event": "activity", "count": 2, "impact": -31, "per_hour": -15.5}, {"event": "sleep", "count": 1, "impact": 60, "per_hour": 60.0}])
    );
}

#[test]
fn a_period_that_is_none_is_refused_before_anything_is_asked() {
    let garmin = |target: &str| panic!("{target} was asked");
    for (range, why) in [
        ("soon", "is not a period"),
        ("tomorrow", "begins in the future"),
        ("2026-01-09..2026-01-01", "ends before"),
        ("-9y", "three years"),
    ] {
        for tool in ["get_trend", "get_training_volume", "get_zone_distribution"] {
            let refused = ask(tool, &json!({"range": range}), &garmin).unwrap_err();
            assert!(
                refused.contains(why) && refused.contains("-8w"),
                "{tool} {refused}"
            );
        }
    }
}

#[test]
fn a_day_is_told_by_local_hours() {
    // Local midnight is 23:00 UTC of the day before.
    let midnight = 1_769_641_200_000_i64;
    let times =
        json!({"startTimestampGMT": "2026-01-28T23:00:00.0", "startTimestampLocal": "2026-01-29T00:00:00.0"});
    let garmin = |target: &str| {
        let mut document = times.clone();
        match target {
            target if target.contains("dailyStress") => {
                document["stressValuesArray"] = json!([
                    [midnight, 20],
                    [midnight + 180_000, 30],
                    [midnight + 3_600_000, -1],
                    [midnight - 1, 99]
                ]);
                document["bodyBatteryValuesArray"] = json!([
                    [midnight, "MEASURED", 50, 3.0],
                    [midnight + 3_000_000, "MEASURED", 55, 3.0]
                ]);
                document
            }
            target if target.contains("dailySummaryChart") => {
                json!([{"startGMT": "2026-01-29T07:15:00.0", "steps": 500}, {"startGMT": "2026-01-29T07:30:00.0", "steps": 40}])
            }
            target if target.contains("usersummary") => {
                json!({"totalSteps": 540, "dailyStepGoal": 8_000, "privacyProtected": false})
            }
            _ => failing(),
        }
    };
    let told = ask("get_day_profile", &json!({"date": "2026-01-29"}), &garmin).unwrap();
    assert_eq!(
        (
            &told["by_hour"]["avg_stress"][0],
            &told["by_hour"]["avg_stress"][1]
        ),
        (&json!(25), &Value::Null)
    );
    assert_eq!(
        (
            &told["by_hour"]["body_battery_at_end"][0],
            &told["by_hour"]["steps"][8]
        ),
        (&json!(55), &json!(540))
    );
    assert_eq!(told["by_hour"]["steps"].as_array().unwrap().len(), 9);
    assert_eq!(told["failed"].as_array().unwrap().len(), 3);
    let refused = ask(
        "get_day_profile",
        &json!({}),
        &|_| json!({"privacyProtected": true}),
    )
    .unwrap_err();
    assert!(refused.contains("private"), "{refused}");
}

/// On 5 April 2026 in Auckland, the hour from 2 to 3 comes twice, and the day has 25 hours.
#[test]
fn a_day_on_which_the_clocks_change_has_its_hours_right() {
    let zone = jiff::tz::TimeZone::get("Pacific/Auckland").unwrap();
    let midnight = date(2026, 4, 5).to_zoned(zone.clone()).unwrap().timestamp();
    let at = |hours: i64| (midnight + jiff::SignedDuration::from_hours(hours)).as_millisecond();
    let document = json!({
        "startTimestampGMT": "2026-04-04T11:00:00.0", "startTimestampLocal": "2026-04-05T00:00:00.0",
        "stressValuesArray": [[at(1), 10], [at(2), 20], [at(3), 40], [at(4), 50], [at(24), 60], [at(25), 99]]
    });
    let tool = super::TOOLS
        .iter()
        .find(|known| known.name == "get_day_profile")
        .unwrap();
    let now = date(2026, 4, 6).at(12, 0, 0, 0).to_zoned(zone).unwrap();
    let arguments = json!({"date": "2026-04-05"});
    let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &now).unwrap();
    let empty = json!(null);
    let Ok(ToolAnswer::Json(told)) = tool.told(&call, &[&empty, &empty, &document, &empty, &empty, &empty])
    else {
        panic!("it is not told")
    };
    let stress = &told["by_hour"]["avg_stress"];
    assert_eq!(
        (&stress[1], &stress[2], &stress[3], &stress[23]),
        (&json!(10), &json!(30), &json!(50), &json!(60))
    );
}

#[test]
fn an_overview_finds_the_signs_and_tells_what_it_has() {
    let range = |target: &str, row: &dyn Fn(Date) -> Value| {
        let days = target
            .split('?')
            .next()
            .unwrap()
            .rsplit('/')
            .take(2)
            .collect::<Vec<_>>();
        let [last, first] = [days[0], days[1]].map(|day| day.parse::<Date>().unwrap());
        first
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= last)
            .map(row)
            .collect::<Value>()
    };
    let garmin = |target: &str| match target {
        target if target.contains("heartRate") => range(
            target,
            &|day| json!({"calendarDate": day, "values": {"restingHR": if day > date(2026, 1, 24) { 58 } else { 48 }}}),
        ),
        target if target.contains("hrv/daily") => json!({"hrvSummaries": range(target, &|day| json!({
            "calendarDate": day, "lastNightAvg": 40, "weeklyAvg": 41, "baseline": {"balancedLow": 47, "balancedUpper": 60}, "status": "UNBALANCED"
        }))}),
        target if target.contains("aggregated") => {
            json!({"mostRecentTrainingStatus": {"latestTrainingStatusData": {"1": {
                "primaryTrainingDevice": true, "acuteTrainingLoadDTO": {"dailyTrainingLoadAcute": 800, "dailyTrainingLoadChronic": 500, "dailyAcuteChronicWorkloadRatio": 1.6}
            }}}})
        }
        target if target.contains("/search/") => {
            json!([item(7, "running", "2026-01-30 07:00:00", 10_000.0, 3_600.0)])
        }
        _ => failing(),
    };
    let told = ask("get_training_overview", &json!({}), &garmin).unwrap();
    assert_eq!(
        told["signs_of_overreaching"]["found"].as_array().unwrap().len(),
        3,
        "{told}"
    );
    assert_eq!(told["signs_of_overreaching"]["without_data"], 1);
    assert_eq!(
        told["resting_bpm"],
        json!({"on_this_day": 58.0, "mean_7_days": 58.0, "mean_28_days": 50.5})
    );
    assert_eq!(
        told["training"]["km"],
        json!({"last_7_days": 10.0, "mean_week_of_28_days": 2.5})
    );
    assert_eq!(
        told["failed"],
        json!(["readiness: unreachable", "sleep: unreachable"])
    );
}
