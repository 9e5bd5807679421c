use super::*;
use proptest::prelude::*;
use serde_json::json;

fn example() -> Value {
    json!({"dateTime":"2026-10-04T08:01:10.000Z","reportedTime":"2026-10-04T08:01:24.000Z",
        "position":{"lat":46.6201,"lon":14.3102},"altitude":447.2,"speed":3.1,"totalDistanceMeters":512.0,
        "distanceMeters":512.0,"totalDurationSecs":166,"durationSecs":166,"heartRateBeatsPerMin":141,
        "cadenceCyclesPerMin":84,"powerWatts":0,"activityType":"RUNNING","pointStatus":"MOVING","eventTypes":[],
        "elevationSource":"BAROMETRIC"})
}

#[test]
fn flat_and_nested_points_are_the_same() {
    let flat = Trackpoint::read(&example()).unwrap();
    assert_eq!(flat.heart_rate_bpm, Some(141));
    assert_eq!(flat.status, Some(PointStatus::Moving));
    assert_eq!(
        Value::Object(flat.other.clone()),
        json!({"elevationSource": "BAROMETRIC"})
    );
    let mut outer = example();
    let mut inner = Map::new();
    let stays = [
        "dateTime",
        "reportedTime",
        "position",
        "altitude",
        "speed",
        "elevationSource",
    ];
    outer.as_object_mut().unwrap().retain(|name, value| {
        let stays = stays.contains(&name.as_str());
        if !stays {
            inner.insert(name.clone(), value.clone());
        }
        stays
    });
    outer["fitnessPointData"] = inner.into();
    assert_eq!(Trackpoint::read(&outer).unwrap(), flat);
}

#[test]
fn absurd_values_are_kept_aside() {
    let mut value = example();
    for (name, absurd) in [
        ("heartRateBeatsPerMin", json!(9999)),
        ("powerWatts", json!(-4)),
        ("speed", json!("fast")),
        ("totalDistanceMeters", json!(1e12)),
        ("altitude", json!(null)),
        ("eventTypes", json!("END")),
        ("position", json!({"lat": 146.0, "lon": 1.0})),
        ("fitnessPointData", json!([])),
    ] {
        value[name] = absurd;
    }
    let point = Trackpoint::read(&value).unwrap();
    assert_eq!(
        (point.heart_rate_bpm, point.power_w, point.speed_mps),
        (None, None, None)
    );
    assert_eq!(
        (point.total_distance_m, point.altitude_m, point.position),
        (None, None, None)
    );
    assert_eq!(point.cadence_rpm, Some(84));
    assert_eq!(point.other["heartRateBeatsPerMin"], json!(9999));
    assert_eq!(point.other["position"], json!({"lat": 146.0, "lon": 1.0}));
    assert_eq!(point.other["eventTypes"], json!("END"));
}

#[test]
fn a_second_report_only_fills_gaps() {
    let mut first = Trackpoint::read(&json!({"dateTime": "2026-10-04T08:01:10Z", "powerWatts": 7})).unwrap();
    let mut second = Trackpoint::read(&example()).unwrap();
    second.events.push("END".into());
    first.absorb(second.clone());
    assert_eq!((first.power_w, first.heart_rate_bpm), (Some(7), Some(141)));
    assert!(first.is_end());
    let once = first.clone();
    first.absorb(second);
    assert_eq!(first, once);
}

#[test]
fn kinds_of_responses_are_told_apart() {
    let check = |body: &str, expected: Result<(usize, usize), LiveTrackError>| {
        let read = points(body.as_bytes()).map(|read| (read.points.len(), read.unreadable));
        assert_eq!(read, expected, "{body}");
    };
    let point = example().to_string();
    check("", Ok((0, 0)));
    check(" \n", Ok((0, 0)));
    check("null", Ok((0, 0)));
    check(r#"{"trackPoints":[]}"#, Ok((0, 0)));
    check(r#"{"trackPoints":null}"#, Ok((0, 0)));
    check(&format!(r#"{{"trackPoints":[{point}, 7, {{}}]}}"#), Ok((1, 2)));
    check(&format!("[{point}]"), Ok((1, 0)));
    check("<!DOCTYPE html>", Err(LiveTrackError::Page));
    check(r#"{"trackPoints":[{"#, Err(LiveTrackError::Unreachable));
    check(r#"{"points":[]}"#, Err(LiveTrackError::Changed("$.trackPoints")));
    check(
        r#"{"trackPoints":[{"time":1}]}"#,
        Err(LiveTrackError::Changed("$.trackPoints[].dateTime")),
    );
    check("7", Err(LiveTrackError::Changed("$")));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-10-04T08:01:10.000Z")),
    ];
    leaf.prop_recursive(2, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_are_within_their_ranges_or_kept_aside(
        changes in prop::collection::vec((0_usize..16, any_json()), 0..8),
        nested in any::<bool>(),
    ) {
        let mut value = example();
        let names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        for (which, change) in changes {
            value[&names[which]] = change;
        }
        if nested {
            value = json!({"dateTime": "2026-10-04T08:01:10.000Z", "fitnessPointData": value});
        }
        if let Some(point) = Trackpoint::read(&value) {
            prop_assert!(point.heart_rate_bpm.is_none_or(|bpm| (1..=250).contains(&bpm)));
            prop_assert!(point.speed_mps.is_none_or(|speed| (0.0..=60.0).contains(&speed)));
            prop_assert!(point.position.is_none_or(|at| at.lat.abs() <= 90.0 && at.lon.abs() <= 180.0));
            prop_assert_eq!(point.at.as_nanosecond() % 1_000_000, 0);
        }
    }
}
