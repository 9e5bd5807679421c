//! Questions about activities.

use super::*;

#[test]
fn volume_reads_every_page_and_tells_each_sport() {
    let garmin = |target: &str| {
        let list = |count: i64, from: i64| {
            (0..count)
                .map(|n| item(from + n, "running", "2026-01-20 07:00:00", 1_000.0, 360.0))
                .collect::<Value>()
        };
        if target.contains("activityTypes") {
            json!([{"typeKey": "running"}, {"typeKey": "trail_running"}])
        } else if target.contains("start=0") {
            list(200, 1)
        } else {
            json!([
                item(900, "lap_swimming", "2026-01-05 18:00:00", 2_000.0, 2_400.0),
                item(901, "strength_training", "2026-01-04 18:00:00", 0.0, 1_800.0)
            ])
        }
    };
    let told = ask("get_training_volume", &json!({"by": "week"}), &garmin).unwrap();
    assert_eq!(told["totals"]["run"]["km"], 200.0);
    assert_eq!(told["totals"]["all"]["activities"], 202);
    assert_eq!(told["series"]["run_km"], json!([0.0, 0.0, 0.0, 200.0, 0.0]));
    assert_eq!(told["series"]["first_week_from"], "2025-12-29");
    assert!(told["series"].get("strength_km").is_none() && told["series"]["strength_hours"][0] == 0.5);
    let refused = ask("get_training_volume", &json!({"sport": "runing"}), &garmin).unwrap_err();
    assert!(
        refused.contains("sport") && refused.contains("running"),
        "{refused}"
    );
}

#[test]
fn zones_that_the_list_lacks_are_asked_for() {
    let garmin = |target: &str| {
        let without = |id: i64| {
            let mut item = item(id, "running", "2026-01-30 07:00:00", 9_000.0, 3_000.0);
            item.as_object_mut()
                .unwrap()
                .retain(|key, _| !key.starts_with("hrTime"));
            item
        };
        match target {
            target if target.contains("/7/") => json!([{"zoneNumber": 1, "secsInZone": 3_000.0}]),
            target if target.contains("/8/") => failing(),
            target if target.contains("/9/") => json!([]),
            _ => json!([
                item(1, "running", "2026-01-30 07:00:00", 9_000.0, 3_000.0),
                without(9),
                without(7),
                without(8)
            ]),
        }
    };
    let told = ask("get_zone_distribution", &json!({}), &garmin).unwrap();
    assert_eq!(told["minutes_in_zone"], json!([60, 20, 10, 5, 5]));
    assert_eq!(
        (&told["percent_easy_z1_z2"], &told["percent_hard_z4_z5"]),
        (&json!(80), &json!(10))
    );
    assert_eq!(told["rests_on"]["activities_with_zones"], 2);
    assert_eq!(told["rests_on"]["failed"], json!(["activity 8: unreachable"]));
}

fn one_activity(target: &str) -> Value {
    let lap = json!({"distance": 1_000.0, "duration": 300.0, "averageHR": 150.0, "elevationGain": 3.0});
    match target {
        target if target.contains("/splits") => json!({"lapDTOs": vec![lap; 10]}),
        target if target.contains("/hrTimeInZones") => failing(),
        target if target.contains("/weather") => {
            json!({"temp": 86.0, "relativeHumidity": 40, "windSpeed": 18, "weatherTypeDTO": {"desc": "Sunny"}})
        }
        target if target.contains("user-settings") => json!({"userData": {"measurementSystem": "metric"}}),
        target if target.contains("/search/") && target.contains("limit=1&") => {
            json!([item(7, "running", "2026-01-30 07:00:00", 10_000.0, 3_000.0)])
        }
        target if target.contains("/search/") => json!([
            item(7, "running", "2026-01-30 07:00:00", 10_000.0, 3_000.0),
            item(6, "running", "2026-01-20 07:00:00", 10_400.0, 3_000.0),
            item(5, "running", "2026-01-10 07:00:00", 5_000.0, 1_500.0),
            item(4, "running", "2026-01-05 07:00:00", 11_000.0, 3_100.0)
        ]),
        target if target.contains("/activity/99") => failing(),
        // The document that the worker makes of the FIT file.
        target if target.starts_with("/download-service/") => json!({
            "samples": 3_000, "decoupling_pace_percent": 3.12, "decoupling_grade_adjusted_percent": 2.56,
            "decoupling_power_percent": null, "grade_adjusted_mps": 3.4
        }),
        _ => item(7, "running", "2026-01-30 07:00:00", 10_000.0, 3_000.0),
    }
}

#[test]
fn an_analysis_of_the_newest_activity_names_what_failed() {
    let told = ask("analyze_activity", &json!({}), &one_activity).unwrap();
    assert_eq!(
        (&told["activity_id"], &told["pace_min_per_km"]),
        (&json!(7), &json!("5:00"))
    );
    assert_eq!(
        told["weather"],
        json!({"temperature_c": 30, "humidity_percent": 40, "wind_mps": 5.0, "weather": "Sunny"})
    );
    let halves = &told["second_half_against_first"];
    assert_eq!(
        (
            &halves["decoupling_pace_percent"],
            &halves["decoupling_grade_adjusted_percent"],
            &halves["first_half"]["avg_bpm"]
        ),
        (&json!(3.1), &json!(2.6), &json!(150))
    );
    assert_eq!(told["grade_adjusted_pace_min_per_km"], "4:54");
    assert_eq!(told["rests_on"]["samples"], 3_000);
    assert_eq!(told["laps"]["pace_min_per_km"].as_array().unwrap().len(), 10);
    assert_eq!(told["failed"], json!(["zones: unreachable"]));
    assert_eq!(
        ask("analyze_activity", &json!({"activity_id": 7}), &one_activity).unwrap()["activity_id"],
        7
    );
    assert_eq!(
        ask("analyze_activity", &json!({}), &|_| json!([])),
        Ok(Value::Null)
    );
}

#[test]
fn without_its_file_an_activity_is_analyzed_by_its_laps() {
    let no_file = |target: &str| match target {
        target if target.starts_with("/download-service/") => failing(),
        target => one_activity(target),
    };
    let told = ask("analyze_activity", &json!({}), &no_file).unwrap();
    assert_eq!(told["second_half_against_first"]["decoupling_pace_percent"], 0.0);
    assert_eq!(
        told["failed"],
        json!(["zones: unreachable", "recording: unreachable"])
    );
    assert!(told["rests_on"].get("samples").is_none_or(Value::is_null));
    assert!(
        !told["rests_on"]["of"].as_str().unwrap().contains("recording"),
        "{told}"
    );
    // A short one is not worth a file.
    let short = |target: &str| match target {
        target if target.starts_with("/download-service/") => panic!("the file was asked for"),
        target if target.contains("/search/") || target.starts_with("/activity-service/activity/7?") => {
            let item = item(7, "running", "2026-01-30 07:00:00", 3_000.0, 900.0);
            if target.contains("/search/") {
                json!([item])
            } else {
                item
            }
        }
        target => one_activity(target),
    };
    assert_eq!(
        ask("analyze_activity", &json!({}), &short).unwrap()["duration"],
        "15:00"
    );
}

#[test]
fn two_activities_are_compared_by_id_or_as_the_newest() {
    let told = ask(
        "compare_activities",
        &json!({"activity_type": "running", "min_minutes": 40}),
        &one_activity,
    )
    .unwrap();
    assert_eq!(told["activities"]["activity_id"], json!([7, 6]));
    assert_eq!(told["activities"]["temperature_c"], json!([30, 30]));
    assert_eq!(told["newer_against_older"]["pace_s_per_km"], 12);
    let told = ask(
        "compare_activities",
        &json!({"activity_ids": "7, 99"}),
        &one_activity,
    )
    .unwrap();
    assert_eq!(
        (&told["count"], &told["failed"]),
        (&json!(1), &json!(["activity 99: unreachable"]))
    );
    let refused = ask(
        "compare_activities",
        &json!({"activity_ids": "7;8"}),
        &one_activity,
    )
    .unwrap_err();
    assert!(refused.contains("activity_ids"), "{refused}");
}

#[test]
fn similar_activities_are_near_in_distance() {
    let told = ask(
        "find_similar_activities",
        &json!({"activity_id": 7}),
        &one_activity,
    )
    .unwrap();
    assert_eq!(told["similar"]["activity_id"], json!([6, 4]));
    assert_eq!(told["against_the_median_of_similar"]["temperature_c"], 0);
    assert_eq!(told["rests_on"]["found"], 2);
}
