//! An activity's file compared with its documents, and the parts of a multisport activity.

use super::*;

/// The file of an activity, its documents and its resource agree.
#[tokio::test]
async fn an_activitys_file_agrees_with_its_documents() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let rides =
        json!({"start_date": today() - 60.days(), "end_date": today() - 1.day(), "activity_type": "cycling"});
    let rides = worker.json("get_activities_by_date", rides).await;
    let id = rides["activities"][0]["id"].clone();
    let ride = worker.json("get_activity", json!({"activity_id": id})).await;
    let data = worker
        .json("get_activity_fit_data", json!({"activity_id": id}))
        .await;
    let near = |one: &Value, other: &Value, by: f64| {
        let [one, other] = [one, other].map(|value| value.as_f64().unwrap());
        assert!((one - other).abs() <= by, "{one} {other}");
    };
    near(
        &data["session"]["total_distance_m"],
        &ride["distance_meters"],
        1.0,
    );
    near(&data["session"]["avg_power_w"], &ride["avg_power_watts"], 1.0);
    near(
        &data["session"]["normalized_power_w"],
        &ride["normalized_power_watts"],
        1.0,
    );
    assert_eq!(json!(data["laps"].as_array().unwrap().len()), ride["lap_count"]);
    let start = data["session"]["start_time"].as_str().unwrap();
    assert!(
        start.starts_with(&ride["start_time_local"].as_str().unwrap()[..16]) && start.ends_with("+01:00"),
        "{start}"
    );
    near(
        &data["power_duration_curve"]["60min"],
        &ride["avg_power_watts"],
        10.0,
    );
    assert!(data["session"]["hr_drift"]["hr_drift_pct"].is_number());

    let series = json!({"activity_id": id, "window": "lap 2", "metrics": "hr, power", "resolution": 30});
    let series = worker.json("get_activity_timeseries", series).await;
    assert_eq!(series["interval_s"], 30.0);
    let powers = series["columns"]["power_w"].as_array().unwrap();
    assert_eq!(json!(powers.len()), series["rows"]);
    let unknown = json!({"activity_id": id, "window": "lap 999"});
    assert!(
        worker
            .failure("get_activity_timeseries", unknown)
            .await
            .contains("there is no lap 999")
    );
    let laps = worker
        .json(
            "get_activity_fit_messages",
            json!({"activity_id": id, "message": "lap", "limit": 2}),
        )
        .await;
    assert_eq!(
        (laps["items"].as_array().unwrap().len(), &laps["next_start"]),
        (2, &json!(2))
    );
    let curve = worker
        .json("get_power_duration_curve", json!({"num_activities": 50}))
        .await;
    assert!(curve["ftp_estimate_w"].as_f64() > Some(100.0));

    let result = worker
        .ask(
            "tools/call",
            json!({"name": "download_activity_file", "arguments": {"activity_id": id, "format": "gpx"}}),
        )
        .await;
    let link = &result["content"][1];
    assert_eq!(
        (&link["type"], &link["mimeType"]),
        (&json!("resource_link"), &json!("application/gpx+xml"))
    );
    let read = worker.ask("resources/read", json!({"uri": link["uri"]})).await;
    let content = &read["contents"][0];
    assert_eq!((&content["uri"], &content["size"]), (&link["uri"], &link["size"]));
    assert!(content["blob"].is_string());
    let template = worker
        .ask("resources/read", json!({"uri": "workout://templates/tempo-run"}))
        .await;
    assert!(
        template["contents"][0]["text"]
            .as_str()
            .unwrap()
            .contains("heart.rate.zone")
    );
    for unknown in [
        "garmin://activity/7/fit",
        "garmin://activity/7/exe",
        "workout://templates/x",
    ] {
        // An error has no result.
        assert_eq!(
            worker.ask("resources/read", json!({"uri": unknown})).await,
            Value::Null,
            "{unknown}"
        );
    }
    let templates = worker.ask("resources/templates/list", json!({})).await;
    assert_eq!(templates["resourceTemplates"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_multisport_activity_is_told_with_its_parts_by_every_tool() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let list = worker.json("get_activities", json!({"limit": 100})).await;
    let of = |kind: &str| {
        let found = list["activities"]
            .as_array()
            .unwrap()
            .iter()
            .find(|activity| activity["type"] == kind);
        found.unwrap()["id"].as_i64().unwrap()
    };
    let parts = [of("lap_swimming"), of("cycling"), of("running"), 13];
    let parent = json!({
        "activityId": 77, "activityName": "Triathlon", "isMultiSportParent": true,
        "activityTypeDTO": {"typeId": 89, "typeKey": "multi_sport"},
        "summaryDTO": {"duration": 9000.5, "distance": 51500.0},
        "metadataDTO": {"childIds": parts, "lapCount": 0},
    });
    let simulator = &house.simulator;
    simulator.put_document("/activity-service/activity/77", parent);
    simulator.put_document(
        "/activity-service/activity/77/splits",
        json!({"activityId": 77, "lapDTOs": []}),
    );

    let whole = worker.json("get_activity", json!({"activity_id": 77})).await;
    assert_eq!(
        (&whole["name"], &whole["is_multisport"]),
        (&json!("Triathlon"), &json!(true))
    );
    let told = whole["parts"].as_array().unwrap();
    let types: Vec<_> = told.iter().map(|part| part["type"].clone()).collect();
    assert_eq!(
        types,
        [
            json!("lap_swimming"),
            json!("cycling"),
            json!("running"),
            Value::Null
        ]
    );
    assert!(
        told[..3]
            .iter()
            .all(|part| part["duration_seconds"].is_number() && part["distance_meters"].is_number())
    );
    assert_eq!(told[3], json!({"activity_id": 13, "summary_missing": true}));

    // Every tool with an activity id accepts the parent and answers for each part.
    for tool in tools_taking(&["activity_id"]) {
        let answer = worker.json(&tool, json!({"activity_id": 77})).await;
        let told = answer["parts"]
            .as_array()
            .unwrap_or_else(|| panic!("{tool}: {answer}"));
        assert_eq!(told.len(), parts.len(), "{tool}");
    }
    let laps = worker
        .json("get_activity_splits", json!({"activity_id": 77}))
        .await;
    let run = worker
        .json("get_activity_splits", json!({"activity_id": parts[2]}))
        .await;
    assert_eq!(laps["parts"][2]["answer"], run);
    assert!(
        laps["parts"][3]["nothing"]
            .as_str()
            .unwrap()
            .starts_with("No splits")
    );
    // A part that is requested on its own is an ordinary activity.
    let alone = worker
        .json("get_activity", json!({"activity_id": parts[1]}))
        .await;
    assert!(alone["parts"].is_null());
}
