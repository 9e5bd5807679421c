//! Garmin's tokens on their way to a worker and back.

use garmin_gateway::accounts::GarminLogin;
use garmin_gateway::workers::{StopReason, WorkerError};
use serde_json::json;

use super::world::{World, settings, signed_in, until};

#[tokio::test(flavor = "multi_thread")]
async fn refreshed_tokens_are_sealed_while_the_worker_runs() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t1").await;
    world.read(&ann, "refresh", json!({"token": "t2"})).await.unwrap();
    until("t2 is sealed", || world.held_token(&ann) == "t2").await;
    world.read(&ann, "write_half", json!({})).await.unwrap();
    world.read(&ann, "refresh", json!({"token": "t3"})).await.unwrap();
    until("t3 is sealed", || world.held_token(&ann) == "t3").await;
    world.workers.stop(&ann, StopReason::Operator).await;
    assert_eq!(
        world.read(&ann, "who", json!({})).await.unwrap()["token"],
        "t3",
        "the next worker has them"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_refreshed_in_the_last_moment_are_sealed_before_the_next_start() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t0").await;
    for n in 1..6 {
        let token = format!("t{n}");
        world
            .change(&ann, "refresh_and_die", json!({"token": token}))
            .await
            .unwrap_err();
        assert_eq!(world.read(&ann, "who", json!({})).await.unwrap()["token"], token);
        assert_eq!(world.held_token(&ann), token);
        world.workers.stop(&ann, StopReason::Operator).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_written_tokens_are_never_taken() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t1").await;
    world.read(&ann, "write_half", json!({})).await.unwrap();
    world.workers.stop(&ann, StopReason::Operator).await;
    assert_eq!(world.held_token(&ann), "t1");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_sign_in_wins_over_a_running_worker() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "old").await;
    let before = world.read(&ann, "who", json!({})).await.unwrap();
    world
        .accounts
        .link("ann@example.org", signed_in(1, "new"))
        .await
        .unwrap();
    // Nobody told the workers: the worker's own next refresh gives it away.
    world
        .read(&ann, "refresh", json!({"token": "old-2"}))
        .await
        .unwrap();
    until("it is replaced", || world.info(&ann).is_none()).await;
    let after = world.read(&ann, "who", json!({})).await.unwrap();
    assert_ne!(before["process"], after["process"]);
    assert_eq!(
        (after["token"].as_str().unwrap(), world.held_token(&ann).as_str()),
        ("new", "new")
    );
    // Told, it happens at once, and a call in flight ends first.
    let slow = world.read(&ann, "slow", json!({"ms": 300}));
    let relink = async {
        until("the call is in flight", || {
            world.info(&ann).unwrap().in_flight == 1
        })
        .await;
        world
            .accounts
            .link("ann@example.org", signed_in(1, "newest"))
            .await
            .unwrap();
        world.workers.stop(&ann, StopReason::SignedInAgain).await;
        world.read(&ann, "who", json!({})).await.unwrap()
    };
    let (slow, after) = tokio::join!(slow, relink);
    assert!(slow.is_ok(), "{slow:?}");
    assert_eq!(after["token"], "newest");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_tokens_are_refused_asks_for_a_sign_in() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t1").await;
    world.read(&ann, "refused", json!({})).await.unwrap();
    until("it is stopped", || world.info(&ann).is_none()).await;
    assert!(matches!(
        world.accounts.find(&ann).unwrap().unwrap().garmin,
        GarminLogin::SignInNeeded { .. }
    ));
    assert_eq!(
        world.read(&ann, "who", json!({})).await,
        Err(WorkerError::GarminSignInNeeded)
    );
    world
        .accounts
        .link("ann@example.org", signed_in(1, "t2"))
        .await
        .unwrap();
    assert_eq!(world.read(&ann, "who", json!({})).await.unwrap()["token"], "t2");
    world.accounts.forget(&ann).await.unwrap();
    world.workers.stop(&ann, StopReason::Revoked).await;
    assert_eq!(
        world.read(&ann, "who", json!({})).await,
        Err(WorkerError::GarminSignInNeeded)
    );
    world.end().await;
}
