//! Garmin tokens on their way to a worker and back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use garmin_gateway::accounts::GarminLogin;
use garmin_gateway::workers::{StopReason, WorkerError};
use serde_json::json;
use tokio::time::sleep;

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
async fn tokens_refreshed_before_it_is_ready_are_sealed_then() {
    let mut settings = settings();
    settings.enabled_tools = Some("refresh".into());
    settings.startup_timeout = Duration::from_secs(600);
    let world = World::new(settings).await;
    let ann = world.link(1, "first").await;
    let stop = async {
        until("its token is sealed", || world.held_token(&ann) == "second").await;
        assert_eq!(world.info(&ann).unwrap().state, "starting");
        world.workers.stop(&ann, StopReason::Revoked).await;
    };
    let (call, ()) = tokio::join!(world.read(&ann, "who", json!({})), stop);
    assert_eq!(call, Err(WorkerError::Stopped));
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
    // A call in flight finishes first, even though its worker is outdated and refreshes the old tokens.
    let slow = world.read(&ann, "slow_refresh", json!({"ms": 300, "token": "old-2"}));
    let relink = async {
        until("the call is in flight", || {
            world.info(&ann).unwrap().in_flight == 1
        })
        .await;
        world.link(1, "new").await;
        world.read(&ann, "who", json!({})).await.unwrap()
    };
    let (slow, after) = tokio::join!(slow, relink);
    assert_eq!(slow.unwrap()["process"], before["process"]);
    assert_ne!(before["process"], after["process"]);
    assert_eq!(
        (after["token"].as_str().unwrap(), world.held_token(&ann).as_str()),
        ("new", "new")
    );
    world.end().await;
}

/// A call made after a sign-in was acknowledged gets a worker with tokens of that sign-in or a later one, whatever
/// the worker was doing: starting, refreshing, answering or stopping.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_after_a_sign_in_reaches_a_worker_with_older_tokens() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "0").await;
    let newest = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let caller = || async {
        let mut calls = 0_u32;
        while !done.load(Ordering::SeqCst) {
            let known = newest.load(Ordering::SeqCst);
            let answer = world.read(&ann, "who", json!({})).await.unwrap();
            let (sign_in, _) = answer["token"]
                .as_str()
                .unwrap()
                .split_once('.')
                .unwrap_or((answer["token"].as_str().unwrap(), ""));
            assert!(
                sign_in.parse::<u64>().unwrap() >= known,
                "{answer}, but {known} was acknowledged"
            );
            calls += 1;
        }
        calls
    };
    let refresher = async {
        while !done.load(Ordering::SeqCst) {
            // Refreshes whichever sign-in the worker has: an older write-back must not win.
            world.change(&ann, "refresh_own", json!({})).await.unwrap();
        }
    };
    let signer = async {
        for n in 1..=12 {
            world.link(1, &n.to_string()).await;
            newest.store(n, Ordering::SeqCst);
            // Each sign-in comes at a different point in the worker's life.
            sleep(Duration::from_millis(n * 7)).await;
        }
        done.store(true, Ordering::SeqCst);
    };
    let (calls, more, (), ()) = tokio::join!(caller(), caller(), refresher, signer);
    assert!(calls > 0 && more > 0);
    world.workers.stop(&ann, StopReason::Operator).await;
    assert_eq!(world.held_token(&ann).split('.').next(), Some("12"));
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
