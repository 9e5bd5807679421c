use serde_json::{Value, json};

use super::*;
use crate::race::fields::{BadFields, elapsed};

fn read(value: Value) -> Result<(RacePlan, Option<String>), BadFields> {
    let Value::Object(map) = value else {
        panic!("not an object")
    };
    RacePlan::read(&map)
}

#[test]
fn the_documents_example_is_read() {
    let (settings, gpx) = read(
        json!({"race_name": "CT2026", "race_type": "triathlon", "hr_max": 144,
        "hr_min": 115, "power_max": 165, "cadence_min": 82, "run_hr_max": 152, "run_hr_min": 125,
        "run_cadence_min": 165, "poll_interval_secs": 60, "analyze_interval_secs": 600,
        "analyze_window_min": 10}),
    )
    .unwrap();
    assert_eq!(gpx, None);
    assert_eq!(settings.kind, RaceKind::Triathlon);
    assert_eq!(settings.thresholds.run_hr_max, Some(152));
    assert_eq!(settings.thresholds.power_min, None);
    let usual = read(json!({})).unwrap().0;
    assert_eq!(usual, RacePlan::default());
}

#[test]
fn a_time_zone_is_one_of_the_database() {
    for (given, known) in [
        (json!("Pacific/Auckland"), Some("Pacific/Auckland")),
        (json!(" europe/vienna "), Some("Europe/Vienna")),
        (json!(null), None),
    ] {
        let plan = read(json!({ "time_zone": given })).unwrap().0;
        assert_eq!(plan.time_zone.as_deref(), known, "{given}");
        assert_eq!(plan.zone().iana_name(), Some(known.unwrap_or("UTC")));
    }
    for bad in [json!("Vienna"), json!("+02:00"), json!(""), json!(2)] {
        let BadFields(refused) = read(json!({ "time_zone": bad })).unwrap_err();
        assert_eq!(refused[0].field, "time_zone", "{bad}");
    }
}

#[test]
fn every_range_is_checked_and_the_field_named() {
    for (name, low, high) in [
        ("hr_max", 30, 240),
        ("hr_min", 30, 240),
        ("power_max", 1, 2500),
        ("power_min", 1, 2500),
        ("cadence_min", 1, 250),
        ("run_hr_max", 30, 240),
        ("run_hr_min", 30, 240),
        ("run_cadence_min", 1, 300),
        ("poll_interval_secs", 5, 600),
        ("analyze_interval_secs", 60, 7200),
        ("analyze_window_min", 1, 120),
    ] {
        for (value, good) in [
            (json!(low), true),
            (json!(high), true),
            (json!(f64::from(high)), true),
            (json!(low - 1), false),
            (json!(high + 1), false),
            (json!(-1), false),
            (json!(f64::from(low) + 0.5), false),
            (json!("100"), false),
            (json!([100]), false),
            (json!(1e300), false),
        ] {
            match read(json!({ name: value })) {
                Ok(_) => assert!(good, "{name} = {value}"),
                Err(BadFields(bad)) => {
                    assert!(!good, "{name} = {value}");
                    assert_eq!((bad.len(), bad[0].field.as_str()), (1, name));
                }
            }
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let bad = read(
        json!({"hr_maxx": 1, "hr_min": 160, "hr_max": 150, "race_type": "", "target_time": "fast",
        "distance_km": 0, "checkpoints": [{"name": "A"}, 7, {"name": "B", "km": 5, "cutof": "1:00"}]}),
    )
    .unwrap_err();
    let told: Vec<_> = bad.0.iter().map(|bad| bad.field.as_str()).collect();
    let expected = [
        "race_type",
        "distance_km",
        "hr_min",
        "target_time",
        "checkpoints[0].km",
        "checkpoints[1]",
        "checkpoints[2].cutof",
        "hr_maxx",
    ];
    assert_eq!(told, expected);
    assert!(
        bad.to_string()
            .contains("hr_maxx: is not a field that can be set; did you mean hr_max?")
    );
}

#[test]
fn thresholds_are_changed_one_by_one() {
    let before = Thresholds {
        hr_max: Some(150),
        hr_min: Some(120),
        ..Thresholds::default()
    };
    let with = |value: Value| before.with(value.as_object().unwrap());
    assert_eq!(with(json!({"hr_max": 145})).unwrap().hr_max, Some(145));
    assert_eq!(with(json!({"hr_max": null})).unwrap().hr_max, None);
    assert_eq!(with(json!({})).unwrap(), before);
    for (value, field) in [
        (json!({"hr_max": 110}), "hr_min"),
        (json!({"poll_interval_secs": 5}), "poll_interval_secs"),
        (json!({"speed": 5}), "speed"),
    ] {
        assert_eq!(with(value).unwrap_err().0[0].field, field);
    }
}

#[test]
fn distances_times_and_checkpoints() {
    let (settings, gpx) = read(json!({"race_type": "Marathon", "target_time": "3:29:00", "course_gpx": "<gpx/>",
        "checkpoints": [{"name": "VP2", "km": 20.5, "cutoff": "2:30:00"}, {"name": "VP1", "km": 10, "target": "0:50:00"}]}))
    .unwrap();
    assert_eq!(
        (settings.kind, settings.distance_m),
        (RaceKind::Run, Some(42_195.0))
    );
    assert_eq!(settings.target_time_s, Some(12_540));
    assert_eq!(settings.checkpoints[0].name, "VP1");
    assert_eq!(settings.checkpoints[1].cutoff_s, Some(9_000));
    assert_eq!(gpx.as_deref(), Some("<gpx/>"));
    for text in [
        "", "1", "0:00", "45:00", "14:00", "0:00:00", "1:60", "1:00:60", "1:2:3:4", "-1:00", "1:+5",
        "9999:00",
    ] {
        assert_eq!(elapsed(&json!(text)), None, "{text}");
    }
}

#[test]
fn kinds_are_read_from_words() {
    for (text, kind) in [
        ("triathlon", RaceKind::Triathlon),
        ("Ironman 70.3", RaceKind::Triathlon),
        ("Duathlon", RaceKind::Duathlon),
        ("half marathon", RaceKind::Run),
        ("Trail run", RaceKind::Run),
        ("cycling", RaceKind::Ride),
        ("open water swim", RaceKind::Swim),
        ("regatta", RaceKind::Other),
    ] {
        assert_eq!(RaceKind::from_words(text), kind, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_config_breaks_the_reading(name in "[a-z_]{1,22}", text in ".{0,20}", number in proptest::num::f64::ANY) {
        for value in [json!(text), json!(number), json!([number]), json!({ "km": number })] {
            drop(read(json!({ name.clone(): value, "checkpoints": [value] })));
        }
    }
}

#[test]
fn a_course_does_not_overrule_the_given_distance() {
    let places: Vec<_> = (0..=208)
        .map(|i| crate::garmin::livetrack::Position {
            lat: 46.62,
            lon: 14.3 + f64::from(i) * 100.0 / 76_370.0,
        })
        .collect();
    let course = Course::from_places(&places).unwrap();
    let (lap, _) = read(json!({"distance_km": 42.2})).unwrap();
    let refused = lap.refuse_other_course(&course, true).unwrap_err().to_string();
    assert!(
        refused.contains("the course is 20.8 km long and distance_km is 42.2: give the whole course"),
        "{refused}"
    );
    // Given earlier, and a distance that the type implies.
    assert!(lap.refuse_other_course(&course, false).is_err());
    let (marathon, _) = read(json!({"race_type": "marathon"})).unwrap();
    assert!(marathon.refuse_other_course(&course, false).is_ok());
    let (half, _) = read(json!({"distance_km": 21.1})).unwrap();
    assert!(half.refuse_other_course(&course, true).is_ok());
}
