//! What a person asks to be told about a place, and the report of a race.

use serde_json::{Value, json};

use super::Tracked;

impl Tracked {
    async fn watch_place(&self, arguments: Value) -> Result<Value, String> {
        let mut arguments = arguments;
        arguments["race"] = json!(self.race);
        if arguments.get("action").is_none() {
            arguments["action"] = json!("add");
        }
        let world = &self.world;
        world.told(&self.ann.access_token, "watch_place", arguments).await
    }
}

/// The watch dies after two hours, LiveTrack is silent, and polling ends two hours later. The alert that Ann asked for
/// still comes.
#[tokio::test]
async fn a_time_is_told_after_polling_has_ended() {
    let tracked = Tracked::start("watch_died").await;
    tracked.play(3600).await;
    let watched = tracked
        .watch_place(json!({"place": "finish", "by": "18:30"}))
        .await
        .unwrap();
    assert_eq!(
        watched["watched_places"][0]["by"], "2026-10-04T18:30:00+00:00",
        "{watched}"
    );
    // The same request again changes nothing.
    let again = tracked
        .watch_place(json!({"place": "Back", "by": "18:30"}))
        .await
        .unwrap();
    assert_eq!(again, watched);
    tracked
        .watch_place(json!({"place": "50", "on": "leave"}))
        .await
        .unwrap();

    tracked.play_to_the_end().await;
    let alerts = tracked.alerts().await;
    let told: Vec<_> = alerts
        .iter()
        .filter(|(kind, _)| kind.starts_with("place") || kind == "overdue")
        .collect();
    // The ride passes km 50 at 8.5 m/s after 98 minutes.
    let [(left, left_min), (overdue, overdue_min)] = told[..] else {
        panic!("{alerts:?}");
    };
    assert_eq!((left.as_str(), overdue.as_str()), ("place_left", "overdue"));
    assert!((97..=101).contains(left_min), "{left_min}");
    assert_eq!(*overdue_min, 10 * 60 + 33);
    let summary = tracked
        .told("get_race_summary", json!({"race": tracked.race}))
        .await;
    let text = summary["alerts"].as_array().unwrap().last().unwrap()["text"].clone();
    let text = text.as_str().unwrap();
    assert!(
        text.starts_with("Not finished by 18:30. No data has come for a long time; last seen at"),
        "{text}"
    );
    let refused = tracked
        .watch_place(json!({"place": "finish", "by": "23:00"}))
        .await
        .unwrap_err();
    assert!(refused.contains("it is over"), "{refused}");
}

#[tokio::test]
async fn a_stopped_race_tells_nothing() {
    let tracked = Tracked::start("watch_died").await;
    tracked.play(600).await;
    tracked
        .watch_place(json!({"place": "finish", "by": "09:00"}))
        .await
        .unwrap();
    tracked.told("stop_tracking", json!({"race": tracked.race})).await;
    tracked.play_to_the_end().await;
    let alerts = tracked.alerts().await;
    assert!(alerts.iter().all(|(kind, _)| kind != "overdue"), "{alerts:?}");
}

#[tokio::test]
async fn what_can_not_be_waited_for_is_refused_with_the_way_out() {
    let tracked = Tracked::start("course").await;
    tracked.play(900).await;
    for (arguments, expected) in [
        (json!({"by": "18:00"}), "place: is missing"),
        (json!({"place": "finish"}), "give one of them"),
        (
            json!({"place": "finish", "by": "18:00", "on": "enter"}),
            "give one of them",
        ),
        (
            json!({"place": "finish", "on": "near"}),
            "on: must be enter or leave",
        ),
        (
            json!({"place": "finish", "by": "six"}),
            "by: must be a time of day such as 18:00",
        ),
        (
            json!({"place": "finish", "by": "2026-10-04 08:05"}),
            "by: 2026-10-04 08:05 has already passed",
        ),
        (
            json!({"place": "Nowhere", "by": "18:00"}),
            "place: must be the name of a checkpoint",
        ),
        (json!({"place": "1500", "by": "18:00"}), "long; use \"finish\""),
        (json!({"place": "1", "by": "18:00"}), "has already been passed"),
        (
            json!({"place": "46.6,14.3", "by": "18:00", "radius_m": 5}),
            "radius_m: must be a whole number from 30",
        ),
        (
            json!({"place": "5", "by": "18:00", "radius_m": 50}),
            "radius_m: only with a position",
        ),
        (
            json!({"action": "list", "by": "18:00"}),
            "by: only with action add",
        ),
        (json!({"action": null, "place": "finish"}), "action: is missing"),
        (json!({"action": "remove"}), "place: is missing"),
        (json!({"action": "forget"}), "action: must be add, list or remove"),
        (
            json!({"action": "remove", "place": "K9"}),
            "no such place is being watched",
        ),
    ] {
        let refused = tracked.watch_place(arguments.clone()).await.unwrap_err();
        assert!(refused.contains(expected), "{arguments}: {refused}");
    }
    let home = json!({"place": "46.6,14.3", "on": "enter", "name": "home"});
    let watched = tracked.watch_place(home).await.unwrap();
    assert_eq!(watched["watched_places"][0]["radius_m"], 100, "{watched}");
    let listed = tracked.watch_place(json!({"action": "list"})).await.unwrap();
    assert_eq!(listed, watched);
    let removed = tracked
        .watch_place(json!({"action": "remove", "name": "Home"}))
        .await
        .unwrap();
    assert_eq!(removed["watched_places"], json!([]));
}

#[tokio::test]
async fn a_report_says_how_the_race_went() {
    let tracked = Tracked::start("triathlon").await;
    tracked.play_to_the_end().await;
    let report = tracked
        .told("get_race_report", json!({"race": tracked.race}))
        .await;
    let text = report["markdown"].as_str().unwrap();
    for part in [
        "# ",
        "## Legs",
        "## Splits",
        "## What happened",
        "| Time |",
        "swim",
        "bike",
        "run",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.len() < 20_000, "{}", text.len());
}
