//! Changes at the pretend Garmin with the built-in worker: previews, round trips, broken connections, repetitions.

use garmin_gateway::simulator::{Fault, FaultRule, Place};
use serde_json::{Value, json};

use crate::tools::{House, Worker, today};

/// A fault of the next request that changes something.
fn next_change(fault: Fault) -> FaultRule {
    FaultRule::new(Place::Api, fault).to("changes").times(1)
}

async fn newest(worker: &mut Worker) -> (Value, String) {
    let list = worker.json("get_activities", json!({"limit": 3})).await;
    let activity = &list["activities"][0];
    (
        activity["id"].clone(),
        activity["name"].as_str().unwrap().to_owned(),
    )
}

#[tokio::test]
async fn a_renamed_activity_reads_back_renamed_and_the_undo_takes_it_back() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let (id, old) = newest(&mut worker).await;
    let rename = json!({"activity_id": id, "activity_name": " Läufe „neu“ "});
    let mut preview = rename.clone();
    preview["dry_run"] = json!("true");
    let told = worker.json("set_activity_name", preview).await;
    assert_eq!(
        told["would_change"],
        json!({"activity_name": {"before": old, "after": "Läufe „neu“"}})
    );
    assert_eq!(house.simulator.changes(), [], "a preview sends nothing");

    let told = worker.json("set_activity_name", rename.clone()).await;
    assert_eq!(
        (&told["done"], &told["read_back"]),
        (&json!(true), &json!("Garmin shows the change"))
    );
    assert_eq!(told["before"]["activity_name"], json!(old));
    assert_eq!(newest(&mut worker).await.1, "Läufe „neu“");

    let repeated = worker.failure("set_activity_name", rename.clone()).await;
    assert!(
        repeated.contains("the same change was made") && repeated.contains("again: true"),
        "{repeated}"
    );
    let undo = told["undo"].clone();
    let told = worker
        .json(undo["tool"].as_str().unwrap(), undo["arguments"].clone())
        .await;
    assert_eq!(told["done"], true);
    assert_eq!(newest(&mut worker).await.1, old);
    let mut again = rename;
    again["again"] = json!(true);
    assert_eq!(worker.json("set_activity_name", again).await["done"], true);
    assert_eq!(house.simulator.changes().len(), 3);
}

#[tokio::test]
async fn a_lost_answer_is_resolved_by_looking_at_garmin_again() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let weigh = |weight: f64| json!({"weight": weight});
    // The change arrives, and its answer is lost.
    for (kg, fault) in [(71.3, Fault::HangUp), (72.3, Fault::LateStatus { status: 502 })] {
        house.simulator.add_fault(next_change(fault));
        let told = worker.json("add_weigh_in", weigh(kg)).await;
        assert_eq!(told["done"], true, "{told}");
        assert!(
            told["note"].as_str().unwrap().contains("The connection broke"),
            "{told}"
        );
    }
    assert_eq!(house.simulator.changes().len(), 2);
    // The change never arrives.
    for (kg, fault) in [(80.0, Fault::Dropped), (81.0, Fault::Status { status: 503 })] {
        house.simulator.add_fault(next_change(fault));
        let (text, failed) = worker.call("add_weigh_in", weigh(kg)).await;
        let told: Value = serde_json::from_str(&text).unwrap();
        assert!(failed && told["done"] == false, "{told}");
        assert!(
            told["message"].as_str().unwrap().contains("get_daily_weigh_ins"),
            "{told}"
        );
        assert_eq!(house.simulator.changes().len(), 2);
        let repeated = worker.failure("add_weigh_in", weigh(kg)).await;
        assert!(repeated.contains("not known"), "{repeated}");
    }
    // The change never arrives, and Garmin can't be asked.
    house.simulator.add_fault(next_change(Fault::Dropped));
    house.simulator.add_fault(
        FaultRule::new(Place::Api, Fault::Status { status: 503 })
            .to("GET")
            .on("/weight-service"),
    );
    let (text, failed) = worker.call("add_weigh_in", weigh(90.0)).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert!(failed && told["done"] == "unknown", "{told}");
    house.simulator.clear_faults();
    let mut again = weigh(90.0);
    again["again"] = json!(true);
    assert_eq!(worker.json("add_weigh_in", again).await["done"], true);
    // After a definite refusal, the same change may be tried again at once.
    house
        .simulator
        .add_fault(next_change(Fault::Status { status: 403 }));
    worker.failure("add_weigh_in", weigh(60.0)).await;
    let added = worker.json("add_weigh_in", weigh(60.0)).await;
    let undo = added["undo"].clone();
    let told = worker
        .json(undo["tool"].as_str().unwrap(), undo["arguments"].clone())
        .await;
    assert_eq!(
        (&told["deleted_count"], &told["deleted"][0]["done"]),
        (&json!(1), &json!(true))
    );
}

async fn take_back(worker: &mut Worker, undo: &[Value]) {
    for call in undo {
        let told = worker
            .json(call["tool"].as_str().unwrap(), call["arguments"].clone())
            .await;
        assert_eq!(told["done"], true, "{told}");
    }
}

#[tokio::test]
async fn an_interval_workout_is_made_for_tuesday_and_thursdays_session_moves_to_friday() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let thursday = (0..7)
        .map(|ahead| today() + jiff::Span::new().days(ahead))
        .find(|day| day.weekday() == jiff::civil::Weekday::Thursday)
        .unwrap();
    let (tuesday, friday) = (
        thursday + jiff::Span::new().days(5),
        thursday + jiff::Span::new().days(1),
    );
    let steps = json!([
        {"kind": "warmup", "duration_min": 15},
        {"times": 5, "steps": [
            {"kind": "interval", "distance_m": "1000", "pace_from": "4:10", "pace_to": "4:00"},
            {"kind": "recovery", "duration_min": 2},
        ]},
        {"kind": "cooldown", "duration_min": 10},
    ]);
    let workout = json!({"name": "5 x 1000 m", "steps": steps.to_string(), "date": tuesday});
    let told = worker.json("create_workout", workout.clone()).await;
    assert_eq!(
        (&told["done"], &told["scheduled_date"]),
        (&json!(true), &json!(tuesday)),
        "{told}"
    );
    assert!(
        told["first"][0]["steps"]
            .as_str()
            .unwrap()
            .contains("5 x (1000 m interval at 4:10 to 4:00 min/km"),
        "{told}"
    );
    let repeated = worker.failure("create_workout", workout.clone()).await;
    assert!(repeated.contains("again: true"), "{repeated}");
    // What was made last is undone first.
    let undo = told["undo"].as_array().unwrap();
    let tools: Vec<&Value> = undo.iter().map(|call| &call["tool"]).collect();
    assert_eq!(tools, ["unschedule_workout", "delete_workout"], "{told}");
    take_back(&mut worker, undo).await;
    let mut preview = workout;
    preview["dry_run"] = json!(true);
    let told = worker.json("create_workout", preview).await;
    assert_eq!(told["there_now"], json!({"on_that_day": []}), "{told}");

    let moved = json!({"from_date": thursday, "to_date": friday});
    let told = worker.json("reschedule_workout", moved.clone()).await;
    assert_eq!(
        (&told["done"], &told["name"]),
        (&json!(true), &json!("6 x 800 m")),
        "{told}"
    );
    let gone = worker
        .failure(
            "reschedule_workout",
            json!({"from_date": thursday, "to_date": tuesday}),
        )
        .await;
    assert!(gone.contains("nothing is scheduled"), "{gone}");
    let twice = worker
        .json(
            "schedule_workout",
            json!({"workout_id": 123_450, "calendar_date": friday}),
        )
        .await;
    assert_eq!(
        (&twice["idempotent"], &twice["done"]),
        (&json!(true), &json!(false))
    );
    let undo = told["undo"].clone();
    let told = worker
        .json(undo["tool"].as_str().unwrap(), undo["arguments"].clone())
        .await;
    assert_eq!(told["scheduled_date"], json!(thursday), "{told}");

    // Without the calendar nothing is scheduled.
    let before = house.simulator.changes().len();
    house
        .simulator
        .add_fault(FaultRule::new(Place::Api, Fault::Status { status: 503 }).on("/graphql-gateway"));
    for (tool, arguments) in [
        (
            "schedule_workout",
            json!({"workout_id": 123_450, "calendar_date": tuesday}),
        ),
        (
            "schedule_week",
            json!({"week": [{"workout_id": 123_450, "date": tuesday}]}),
        ),
        (
            "reschedule_workout",
            json!({"from_date": thursday, "to_date": tuesday}),
        ),
    ] {
        let refused = worker.failure(tool, arguments).await;
        assert!(
            refused.contains("calendar could not be read"),
            "{tool}: {refused}"
        );
    }
    assert_eq!(house.simulator.changes().len(), before);
}

/// The calendar is read once, before the first request is sent.
#[tokio::test]
async fn a_workout_that_one_call_names_twice_for_a_day_is_scheduled_once() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    // The simulated calendar has this workout on Thursdays.
    let saturday = (1..8)
        .map(|ahead| today() + jiff::Span::new().days(ahead))
        .find(|day| day.weekday() == jiff::civil::Weekday::Saturday)
        .unwrap();
    let sunday = saturday + jiff::Span::new().days(1);
    let day = json!({"workout_id": 123_450, "date": saturday});
    let week = worker.json("schedule_week", json!({"week": [day, day]})).await;
    assert_eq!(week["scheduled"][0]["status"], json!("scheduled"), "{week}");
    assert_eq!(
        week["scheduled"][1]["status"],
        json!("already_scheduled"),
        "{week}"
    );
    let item = json!({"workout_id": 123_450, "calendar_date": sunday});
    let before = house.simulator.changes().len();
    worker
        .json("schedule_workouts", json!({"schedules": [item, item]}))
        .await;
    assert_eq!(house.simulator.changes().len(), before + 1);
}

#[tokio::test]
async fn a_workout_is_changed_and_deleted_only_by_id_and_name() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let update =
        json!({"workout_id": 123_450, "steps": [{"kind": "interval", "duration_min": 30, "hr_zone": 2}]});
    let told = worker.json("update_workout", update).await;
    assert_eq!(told["read_back"], "Garmin shows the change", "{told}");
    assert!(
        told["before"]["steps"].as_str().unwrap().contains("6 x (800 m"),
        "{told}"
    );
    let undo = told["undo"].clone();
    let told = worker
        .json(undo["tool"].as_str().unwrap(), undo["arguments"].clone())
        .await;
    assert_eq!(told["read_back"], "Garmin shows the change", "{told}");

    let id = json!({"workout_id": 123_450});
    let missing = worker.failure("delete_workout", id).await;
    assert!(
        missing.contains("6 x 800 m") && missing.contains("Nothing was deleted"),
        "{missing}"
    );
    let wrong = worker
        .failure(
            "delete_workout",
            json!({"workout_id": 123_450, "name": "Long run"}),
        )
        .await;
    assert!(wrong.contains("not \"Long run\""), "{wrong}");
    let told = worker
        .json(
            "delete_workout",
            json!({"workout_id": 123_450, "name": "6 X 800 m "}),
        )
        .await;
    assert_eq!(told["read_back"], "Garmin shows the change", "{told}");
    let undo = told["undo"].clone();
    let told = worker
        .json(undo["tool"].as_str().unwrap(), undo["arguments"].clone())
        .await;
    assert_eq!(told["name"], "6 x 800 m", "{told}");
    let (activity, name) = newest(&mut worker).await;
    worker
        .failure(
            "delete_activity",
            json!({"activity_id": activity, "activity_name": "other"}),
        )
        .await;
    let told = worker
        .json(
            "delete_activity",
            json!({"activity_id": activity, "activity_name": name}),
        )
        .await;
    assert_eq!(told["read_back"], "Garmin shows the change", "{told}");
    assert_ne!(newest(&mut worker).await.0, activity);
}

#[tokio::test]
async fn foods_courses_and_measurements_are_kept_and_can_be_taken_back() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let day = today();
    let gpx = (600..630).fold(String::new(), |points, n| {
        points + &format!("<trkpt lat=\"46.{n}\" lon=\"14.3\"/>")
    });
    let gpx =
        format!("<?xml version=\"1.0\"?><gpx><trk><name>Ridge</name><trkseg>{gpx}</trkseg></trk></gpx>");
    let calls = [
        (
            "upsert_and_log",
            json!({"meal_date": day, "meal_time": "12:00", "food_name": "Soup", "calories": "160,5", "carbs": 20}),
        ),
        (
            "log_food",
            json!({"meal_date": day, "meal_time": "18:00:00", "name": "Pizza", "calories": 900, "carbs": 90, "protein": 40, "fat": 40}),
        ),
        (
            "set_nutrition_daily_settings",
            json!({"date": day, "calorie_goal": 2200}),
        ),
        (
            "create_custom_food",
            json!({"food_name": "Müsli", "calories": 160}),
        ),
        ("upload_course", json!({"gpx": gpx, "course_name": "Ridge run"})),
        (
            "add_hydration_data",
            json!({"value_in_ml": 250, "cdate": day, "timestamp": format!("{day}T09:15:00")}),
        ),
        (
            "create_manual_activity",
            json!({"type_key": "running", "date": day, "duration_minutes": 45, "distance_km": 8.5}),
        ),
    ];
    for (tool, arguments) in calls {
        let told = worker.json(tool, arguments).await;
        assert_eq!(
            (&told["done"], &told["read_back"]),
            (&json!(true), &json!("Garmin shows the change")),
            "{tool}: {told}"
        );
        let undo = told["undo"].clone();
        // A food that was created to be logged is taken back too.
        let undos = undo.as_array().cloned().unwrap_or_else(|| vec![undo.clone()]);
        assert_eq!(
            undos.len(),
            if tool == "upsert_and_log" { 2 } else { 1 },
            "{undo}"
        );
        for undo in undos {
            let back = worker
                .json(undo["tool"].as_str().unwrap(), undo["arguments"].clone())
                .await;
            assert_eq!(back["read_back"], "Garmin shows the change", "{tool}: {back}");
        }
    }
    let pressure = worker
        .json(
            "set_blood_pressure",
            json!({"systolic": 121, "diastolic": 79, "pulse": 55}),
        )
        .await;
    assert_eq!(pressure["read_back"], "Garmin shows the change", "{pressure}");
    let path = worker
        .failure("upload_course", json!({"gpx_path": "/etc/passwd"}))
        .await;
    assert!(path.contains("Paths on this server are not read"), "{path}");
    let path = worker
        .failure("set_fit_download_dir", json!({"path": "/tmp"}))
        .await;
    assert!(path.contains("no directory"), "{path}");
}
