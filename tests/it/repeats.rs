//! A change that is repeated blindly changes nothing, whatever happened to the worker and the gateway in between.

use garmin_gateway::simulator::{Fault, FaultRule, Place};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::whole::{Connected, World};
use crate::withdrawal::{Act, Operator};

async fn connect(world: &World) -> Connected {
    world.connect_to_change("ann@example.org", "demo-ann", None).await
}

/// The id of the only worker's process, once it is ready.
fn worker(world: &World) -> Option<i32> {
    let workers = world.workers();
    workers.first()?.process.as_ref().map(|process| process.pid)
}

/// Kills the only worker, and waits until the gateway has noticed.
async fn kill_worker(world: &World) {
    let process = worker(world).unwrap();
    kill(Pid::from_raw(process), Signal::SIGKILL).unwrap();
    while worker(world) == Some(process) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn weigh(world: &World, client: &Connected, arguments: Value) -> Result<Value, String> {
    world.told(&client.access_token, "add_weigh_in", arguments).await
}

fn n_changes(world: &World) -> usize {
    world.simulator().changes().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_after_the_workers_death_changes_nothing() {
    let mut world = World::start().await;
    let ann = connect(&world).await;
    let change = json!({ "weight": 71.3, "unit_key": "kg" });
    assert_eq!(weigh(&world, &ann, change.clone()).await.unwrap()["done"], true);
    assert_eq!(n_changes(&world), 1);

    kill_worker(&world).await;
    // The same change, as it was written and in equivalent notations.
    let written = [
        change.clone(),
        json!({ "unit_key": "kg", "weight": "71,3" }),
        json!({ "weight": "71.30" }),
    ];
    for arguments in &written {
        let refused = weigh(&world, &ann, arguments.clone()).await.unwrap_err();
        assert!(
            refused.contains("the same change was made") && refused.contains("again: true"),
            "{refused}"
        );
    }
    // Through the tool that calls other tools, and from another client of the same person.
    let inner = json!({ "tool": "add_weigh_in", "arguments": change });
    let refused = world
        .told(&ann.access_token, "use_change_tool", inner)
        .await
        .unwrap_err();
    assert!(refused.contains("the same change was made"), "{refused}");
    let phone = connect(&world).await;
    weigh(&world, &phone, change.clone()).await.unwrap_err();
    // The same after a restart of the gateway.
    world.restart().await;
    let refused = weigh(&world, &phone, change.clone()).await.unwrap_err();
    assert!(refused.contains("the same change was made"), "{refused}");
    assert_eq!(n_changes(&world), 1, "nothing was sent");

    // These are not repetitions: a preview, another value, and another person.
    let preview = json!({ "weight": 71.3, "unit_key": "kg", "dry_run": "true" });
    assert_eq!(weigh(&world, &phone, preview).await.unwrap()["dry_run"], true);
    assert_eq!(
        weigh(&world, &phone, json!({ "weight": 71.4 })).await.unwrap()["done"],
        true
    );
    let ben = world
        .connect_to_change("ben@example.org", "demo-ben", Some("123456"))
        .await;
    assert_eq!(weigh(&world, &ben, change.clone()).await.unwrap()["done"], true);
    let mut again = change;
    again["again"] = json!("true");
    assert_eq!(weigh(&world, &phone, again).await.unwrap()["done"], true);
    assert_eq!(n_changes(&world), 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_of_a_change_that_was_cut_off_changes_nothing() {
    let calls = [
        ("add_weigh_in", json!({ "weight": 80.0 })),
        (
            "add_hydration_data",
            json!({ "value_in_ml": 250, "cdate": "2026-11-01", "timestamp": "2026-11-01T09:15:00" }),
        ),
        (
            "create_workout",
            json!({ "name": "Easy", "steps": "[{\"kind\": \"interval\", \"duration_min\": 30}]" }),
        ),
    ];
    for (tool, arguments) in calls {
        // A world for each, because a worker that ended twice is not started again at once.
        let world = World::start().await;
        let ann = connect(&world).await;
        world.full_name(&ann.access_token).await;
        let slow = FaultRule::new(Place::Api, Fault::Slow { ms: 20_000 });
        world.simulator().add_fault(slow.to("changes").times(1));
        let death = async {
            while n_changes(&world) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            kill_worker(&world).await;
        };
        let (told, ()) = tokio::join!(world.told(&ann.access_token, tool, arguments.clone()), death);
        assert!(
            told.unwrap_err().contains("may or may not have been made"),
            "{tool}"
        );
        let refused = world.told(&ann.access_token, tool, arguments).await.unwrap_err();
        assert!(
            refused.contains("not known") && refused.contains("Look at the data first"),
            "{refused}"
        );
        assert_eq!(n_changes(&world), 1, "{tool}");
    }
}

/// A change that Garmin refused was not made, so it may be tried again, before and after the worker's death.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_may_be_tried_again() {
    let world = World::start().await;
    let ann = connect(&world).await;
    for _ in 0..2 {
        let refused = FaultRule::new(Place::Api, Fault::Status { status: 403 });
        world.simulator().add_fault(refused.to("changes").times(1));
        weigh(&world, &ann, json!({ "weight": 60.0 })).await.unwrap_err();
        kill_worker(&world).await;
    }
    assert_eq!(
        weigh(&world, &ann, json!({ "weight": 60.0 })).await.unwrap()["done"],
        true
    );
    assert_eq!(n_changes(&world), 1);
    world.end().await;
}

/// Remembered changes are erased with the account.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_account_leaves_no_change_behind() {
    let world = World::start().await;
    let ann = connect(&world).await;
    weigh(&world, &ann, json!({ "weight": 60.0 })).await.unwrap();
    let mut operator = Operator::connect(&world.socket()).await;
    operator.carry_out(Act::Forget, "ann@example.org").await;
    let ann = connect(&world).await;
    assert_eq!(
        weigh(&world, &ann, json!({ "weight": 60.0 })).await.unwrap()["done"],
        true
    );
    world.end().await;
}
