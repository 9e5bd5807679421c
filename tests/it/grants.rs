//! Grants between members: given, listed on both sides, used, expired, withdrawn during a call, and ended with an
//! account.

mod volume;

use std::collections::BTreeMap;
use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::simulator::{Fault, FaultRule, Place, SimulatorSettings, livetrack};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::history::{export, is_filled, keep, until};
use crate::tools::today;
use crate::whole::{Connected, World};
use crate::withdrawal::{Operator, all_records};

/// The pause between two checks of a condition.
const LOOK: Duration = Duration::from_millis(5);

async fn ann(world: &World) -> Connected {
    world.connect_to_change("ann@example.org", "demo-ann", None).await
}

async fn ben(world: &World) -> Connected {
    world
        .connect_to_change("ben@example.org", "demo-ben", Some("123456"))
        .await
}

async fn dora(world: &World) -> Connected {
    world
        .connect_to_change("dora@example.org", "demo-dora", Some("654321"))
        .await
}

async fn give(
    world: &World,
    from: &Connected,
    to: &str,
    groups: &[&str],
    days: i64,
) -> Result<Value, String> {
    let until = today() + days.days();
    let wish = json!({ "to": to, "groups": groups, "until": until });
    world.told(&from.access_token, "grant_access", wish).await
}

async fn withdraw(world: &World, from: &Connected, to: &str) -> Result<Value, String> {
    world
        .told(&from.access_token, "withdraw_grant", json!({ "to": to }))
        .await
}

async fn listed(world: &World, person: &Connected) -> Value {
    world
        .told(&person.access_token, "list_grants", json!({}))
        .await
        .unwrap()
}

/// The tools of a list, each with its schema's `person`.
async fn persons(world: &World, person: &Connected) -> BTreeMap<String, Value> {
    let list = world.ask(&person.access_token, "tools/list", json!({})).await;
    let tools = list["tools"].as_array().unwrap().iter();
    tools
        .map(|tool| {
            let person = &tool["inputSchema"]["properties"]["person"]["enum"];
            (tool["name"].as_str().unwrap().to_owned(), person.clone())
        })
        .collect()
}

/// Lets time pass. Access tokens end sooner than grants, so the clients get new ones.
async fn pass(world: &World, clock: &Clock, by: SignedDuration, people: &mut [&mut Connected]) {
    clock.advance(by);
    for person in people {
        let refreshed = world
            .token(&[
                ("grant_type", "refresh_token"),
                ("client_id", &person.client_id),
                ("refresh_token", &person.refresh_token),
            ])
            .await;
        for (token, name) in [
            (&mut person.access_token, "access_token"),
            (&mut person.refresh_token, "refresh_token"),
        ] {
            refreshed[name].as_str().unwrap().clone_into(token);
        }
    }
}

async fn list(world: &World, person: &Connected) -> Value {
    world.ask(&person.access_token, "tools/list", json!({})).await
}

/// A call on Ann's data.
async fn of_ann(world: &World, who: &Connected, tool: &str, mut arguments: Value) -> Result<Value, String> {
    arguments["person"] = json!("Ann Example");
    let result = world.call(&who.access_token, tool, arguments).await;
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    if result["isError"] == true {
        return Err(text);
    }
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["data_of"], "Ann Example", "{tool}: {result}");
    assert_eq!(result["structuredContent"], told, "{tool}");
    Ok(told)
}

fn yesterday() -> Value {
    json!({ "date": today() - 1.day() })
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one story, from the first grant to the last"
)]
async fn a_member_sees_what_was_given_and_nothing_else() {
    let clock = Clock::manual(Timestamp::now());
    let mut world = World::start_at(clock.clone()).await;
    let (mut ann, mut ben, mut dora) = (ann(&world).await, ben(&world).await, dora(&world).await);
    let (before, anns_before) = (list(&world, &ben).await, list(&world, &ann).await);
    assert!(!before.to_string().contains("\"person\":"));
    let refused = of_ann(&world, &ben, "get_training_status", yesterday())
        .await
        .unwrap_err();
    assert!(
        refused.contains("nobody called") && refused.contains("/me"),
        "{refused}"
    );

    // Only a client that may change something gives a grant.
    let reader = world.connect("ann@example.org", "demo-ann", None).await;
    let refused = give(&world, &reader, "ben@example.org", &["training"], 1)
        .await
        .unwrap_err();
    assert!(refused.contains("may only read"), "{refused}");
    for (to, groups, days, expected) in [
        ("zoe@example.org", vec!["training"], 1, "to: nobody"),
        ("ann@example.org", vec!["training"], 1, "to: this is your own"),
        ("ben@example.org", vec!["dreams"], 1, "groups"),
        ("ben@example.org", vec!["training"], 900, "until: is too far"),
        ("ben@example.org", vec!["training"], -2, "until: has passed"),
    ] {
        let refused = give(&world, &ann, to, &groups, days).await.unwrap_err();
        assert!(
            refused.contains(expected) && refused.contains("Nothing was changed"),
            "{refused}"
        );
    }

    let given = give(&world, &ann, "Ben@example.org", &["training", "races"], 1)
        .await
        .unwrap();
    assert_eq!(given["may_see_my_data"][0]["sees"], json!(["training", "races"]));
    let (mine, theirs) = (listed(&world, &ann).await, listed(&world, &ben).await);
    assert_eq!(mine["may_see_my_data"][0]["who"], "ben@example.org");
    assert_eq!(theirs["whose_data_i_may_see"][0]["person"], "Ann Example");
    assert!(!theirs.to_string().contains("ann@example.org"), "{theirs}");
    assert_eq!(listed(&world, &dora).await["whose_data_i_may_see"], json!([]));

    // The tool lists name Ann only for a person who holds a grant, and only in the tools of its groups.
    let tools = persons(&world, &ben).await;
    let offered = |name: &str| tools[name] == json!(["Ann Example"]);
    assert!(offered("get_training_volume") && offered("get_trend") && offered("list_races"));
    for other in [
        "get_sleep_summary",
        "get_training_overview",
        "get_activities",
        "start_tracking",
        "keep_history",
    ] {
        assert_eq!(tools[other], Value::Null, "{other}");
    }
    assert_eq!(list(&world, &ann).await, anns_before);
    let found = world
        .told(
            &ben.access_token,
            "find_tools",
            json!({ "query": "training status" }),
        )
        .await
        .unwrap();
    assert!(found.to_string().contains("Ann Example"), "{found}");

    // Reads within the grant are answered by Ann's own worker.
    of_ann(&world, &ben, "get_training_status", yesterday())
        .await
        .unwrap();
    let inner = json!({ "tool": "get_training_status", "arguments": { "person": "ann example", "date": today() - 1.day() } });
    let found = world
        .told(&ben.access_token, "use_read_tool", inner)
        .await
        .unwrap();
    assert_eq!(found["data_of"], "Ann Example");
    let outer = json!({ "tool": "get_training_status", "arguments": yesterday(), "person": "Ann Example" });
    let refused = world
        .told(&ben.access_token, "use_read_tool", outer)
        .await
        .unwrap_err();
    assert!(refused.contains("goes into arguments"), "{refused}");
    of_ann(
        &world,
        &ben,
        "get_trend",
        json!({ "metric": "vo2_max", "range": "-8w" }),
    )
    .await
    .unwrap();
    assert_eq!(world.full_name(&ben.access_token).await, "Ben Example");
    let own = world
        .told(&ben.access_token, "get_training_status", yesterday())
        .await
        .unwrap();
    assert_eq!(own["data_of"], Value::Null);

    // Everything else is refused. The message says what is allowed, and how to ask for more.
    for (tool, arguments, expected) in [
        ("get_sleep_summary", yesterday(), "needs sleep"),
        ("get_trend", json!({ "metric": "sleep" }), "metric can be vo2_max"),
        ("get_trend", json!({}), "needs everything"),
        (
            "correlate",
            json!({ "metric": "vo2_max", "other": "weight" }),
            "needs body",
        ),
        ("get_training_overview", yesterday(), "needs everything"),
        ("get_full_name", json!({}), "needs everything"),
        (
            "set_activity_name",
            json!({ "activity_id": 1, "activity_name": "x" }),
            "own data only",
        ),
        ("download_workout", json!({ "workout_id": 1 }), "own data only"),
        ("start_tracking", json!({ "url": "x" }), "own data only"),
        ("stop_tracking", json!({}), "own data only"),
        ("keep_history", json!({ "action": "on" }), "own data only"),
        ("grant_access", json!({ "to": "x" }), "own data only"),
    ] {
        let refused = of_ann(&world, &ben, tool, arguments).await.unwrap_err();
        assert!(refused.contains(expected), "{tool}: {refused}");
    }
    let changes = world.simulator.changes().len();

    // The grant also covers Ann's race.
    let scenario = livetrack::demo_race().unwrap();
    let url = world
        .simulator
        .play(&scenario, livetrack::Playback::default())
        .remove(0)
        .to_string();
    let started = world
        .told(&ann.access_token, "start_tracking", json!({ "url": url }))
        .await
        .unwrap();
    let races = of_ann(&world, &ben, "list_races", json!({})).await.unwrap();
    assert_eq!(races["races"][0]["race"], started["race"]);
    let of_race = json!({ "race": started["race"] });
    of_ann(&world, &ben, "get_tracking_status", of_race.clone())
        .await
        .unwrap();
    assert!(
        world
            .told(&ben.access_token, "get_tracking_status", of_race.clone())
            .await
            .is_err()
    );
    of_ann(&world, &dora, "get_tracking_status", of_race.clone())
        .await
        .unwrap_err();
    assert_eq!(world.simulator.changes().len(), changes);

    // The last day of the grant passes.
    let days = SignedDuration::from_hours(24 * 3);
    pass(&world, &clock, days, &mut [&mut ann, &mut ben, &mut dora]).await;
    let refused = of_ann(&world, &ben, "list_races", json!({})).await.unwrap_err();
    assert!(refused.contains("nobody called"), "{refused}");
    assert_eq!(list(&world, &ben).await, before);
    assert_eq!(listed(&world, &ann).await["may_see_my_data"], json!([]));

    // A grant survives a restart. An account's grants end on both sides when it is forgotten or its access is revoked.
    give(&world, &ann, "ben@example.org", &["everything"], 30)
        .await
        .unwrap();
    give(&world, &ben, "ann@example.org", &["sleep"], 30)
        .await
        .unwrap();
    give(&world, &dora, "ben@example.org", &["steps"], 30)
        .await
        .unwrap();
    world.restart().await;
    of_ann(&world, &ben, "get_full_name", json!({})).await.unwrap();
    let exported = export(&world, "ben@example.org").await;
    assert_eq!(exported["grants"]["given"][0]["to"], "ann@example.org");
    assert_eq!(exported["grants"]["held"].as_array().map(Vec::len), Some(2));
    assert_eq!(all_records(&world).await["data_grants"], 3);
    let mut operator = Operator::connect(&world.socket()).await;
    operator
        .act(json!({ "forget": { "account": "ann@example.org" } }))
        .await;
    let refused = of_ann(&world, &ben, "get_full_name", json!({}))
        .await
        .unwrap_err();
    assert!(refused.contains("Dora Example (steps)"), "{refused}");
    assert_eq!(listed(&world, &ben).await["may_see_my_data"], json!([]));
    assert_eq!(all_records(&world).await["data_grants"], 1);
    operator
        .act(json!({ "revoke": { "account": "ben@example.org" } }))
        .await;
    assert_eq!(listed(&world, &dora).await["may_see_my_data"], json!([]));
    assert!(
        all_records(&world)
            .await
            .get("data_grants")
            .is_none_or(|n| *n == 0)
    );
    world.end().await;
}

/// Calls that are in progress when their grant ends. Garmin answers slowly, so each call has been sent by then.
#[tokio::test]
async fn a_grant_that_ends_during_a_call_ends_the_call() {
    let clock = Clock::manual(Timestamp::now());
    let world = World::start_at(clock.clone()).await;
    let (mut ann, ben) = (ann(&world).await, ben(&world).await);
    give(&world, &ann, "ben@example.org", &["steps"], 1)
        .await
        .unwrap();
    of_ann(&world, &ben, "get_floors", yesterday()).await.unwrap();
    let slow = Fault::Slow { ms: 3_000 };
    world
        .simulator
        .add_fault(FaultRule::new(Place::Api, slow).of("ann@example.org"));
    for (n, end) in ["withdraw", "narrow", "expire"].into_iter().enumerate() {
        give(&world, &ann, "ben@example.org", &["steps", "heart"], 1)
            .await
            .unwrap();
        let asked = world.simulator.requests().len();
        let day = json!({ "date": today() - i64::try_from(n + 6).unwrap().days() });
        let call = of_ann(&world, &ben, "get_floors", day);
        let ending = async {
            while world.simulator.requests().len() == asked {
                tokio::time::sleep(LOOK).await;
            }
            match end {
                "withdraw" => drop(withdraw(&world, &ann, "ben@example.org").await.unwrap()),
                "narrow" => drop(
                    give(&world, &ann, "ben@example.org", &["heart"], 1)
                        .await
                        .unwrap(),
                ),
                _ => clock.advance(SignedDuration::from_hours(24 * 3)),
            }
        };
        let (answer, ()) = tokio::join!(call, ending);
        let refused = answer.unwrap_err();
        assert!(refused.contains("ended during the call"), "{end}: {refused}");
    }
    world.simulator.clear_faults();
    pass(&world, &clock, SignedDuration::ZERO, &mut [&mut ann]).await;
    let over = withdraw(&world, &ann, "ben@example.org").await.unwrap_err();
    assert!(over.contains("nobody with this e-mail"), "{over}");
    world.end().await;
}

#[tokio::test]
async fn the_granters_history_answers_and_a_broken_link_is_told() {
    let world = World::with(SimulatorSettings::default(), 10, &[("HISTORY_PACE", "0")]).await;
    let (ann, ben) = (ann(&world).await, ben(&world).await);
    give(&world, &ann, "ben@example.org", &["steps"], 10)
        .await
        .unwrap();
    keep(&world, &ann, "on").await;
    until(&world, &ann, is_filled).await;
    let question =
        json!({ "metric": "steps", "range": format!("{}..{}", today() - 60.days(), today() - 10.days()) });
    let anns = world
        .told(&ann.access_token, "get_trend", question.clone())
        .await
        .unwrap();
    let bens = world
        .told(&ben.access_token, "get_trend", question.clone())
        .await
        .unwrap();
    let shared = of_ann(&world, &ben, "get_trend", question.clone()).await.unwrap();
    assert_eq!(
        (&shared["source"], &bens["source"]),
        (&json!("history"), &Value::Null)
    );
    assert_eq!(shared["summary"], anns["summary"]);
    assert_ne!(shared["summary"], bens["summary"]);

    // Garmin refuses Ann's tokens. Kept days are still answered; for the rest, the error says that Ann must sign in.
    world
        .simulator
        .add_fault(FaultRule::new(Place::Api, Fault::TokenNotAccepted).of("ann@example.org"));
    let old = json!({ "date": today() - 40.days() });
    for _ in 0..2 {
        let refused = of_ann(&world, &ben, "get_floors", old.clone()).await.unwrap_err();
        assert!(
            refused.starts_with("Data of Ann Example") && refused.contains("Ann Example must sign in"),
            "{refused}"
        );
    }
    of_ann(&world, &ben, "get_trend", question).await.unwrap();
    world.end().await;
}
