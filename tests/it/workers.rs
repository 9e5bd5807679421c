//! Workers as real processes: shared starts, reaping, eviction, crashes, reading tokens back, fences, and recovery
//! after the gateway was killed.

mod builtin;
mod fake;
mod fence;
mod killed;
mod pace;
mod tokens;
mod unprivileged;
mod world;

use std::fs;
use std::time::{Duration, Instant};

use garmin_gateway::workers::{StopReason, WorkerError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use world::{World, call, is_running, settings, until};

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_share_one_worker_and_each_person_has_their_own() {
    let world = World::new(settings()).await;
    let (ann, bob) = (world.link(1, "ann-1").await, world.link(2, "bob-1").await);
    let calls = (0..20).map(|n| {
        let (world, account) = (&world, if n % 2 == 0 { &ann } else { &bob });
        async move { (n % 2, world.read(account, "who", json!({"n": n})).await.unwrap()) }
    });
    let answers = futures_util::future::join_all(calls).await;
    let process = |person: i32| answers.iter().find(|(n, _)| *n == person).unwrap().1["process"].clone();
    for (n, (person, answer)) in answers.iter().enumerate() {
        assert_eq!(answer["process"], process(*person), "one process each");
        assert_eq!(answer["token"], if *person == 0 { "ann-1" } else { "bob-1" });
        assert_eq!(answer["params"]["arguments"]["n"], n, "its own answer");
    }
    assert_ne!(process(0), process(1));
    let info = world.info(&ann).unwrap();
    assert_eq!(
        (
            info.state.as_str(),
            info.starts,
            info.process.as_ref().unwrap().calls
        ),
        ("ready", 1, 10)
    );
    assert!(info.process.unwrap().resident_bytes > 1 << 20);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_through_byte_for_byte() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let text = r#"{ "n" : 1.50, "s":"ü\u0041", "deep":[[{"a":null}]],"big":12345678901234567890 }"#;
    let answer = world
        .workers
        .call(&ann, call("raw", &json!({"text": text}), true, None))
        .await
        .unwrap();
    assert_eq!(format!("{answer:?}"), format!("Result(RawValue({text}))"));
    let answer = world
        .workers
        .call(&ann, call("nothing", &json!({}), true, None))
        .await
        .unwrap();
    assert!(
        format!("{answer:?}").starts_with(r#"Error(RawValue({"code":-32602"#),
        "{answer:?}"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_reaches_its_own_caller() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let (sender, mut steps) = mpsc::channel(8);
    let answer = world
        .workers
        .call(&ann, call("steps", &json!({}), true, Some(sender)))
        .await
        .unwrap();
    assert_eq!(format!("{answer:?}"), r#"Result(RawValue({"done":true}))"#);
    let mut seen = Vec::new();
    while let Some(step) = steps.recv().await {
        let step: serde_json::Value = serde_json::from_str(step.get()).unwrap();
        seen.push(step["progress"].as_u64().unwrap());
    }
    assert_eq!(seen, [1, 2]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_cancels_its_call() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    world.read(&ann, "who", json!({})).await.unwrap();
    let waiting = world.read(&ann, "wait", json!({}));
    assert!(timeout(Duration::from_millis(100), waiting).await.is_err());
    let mut told = 0;
    while told == 0 {
        told = world
            .read(&ann, "cancelled", json!({}))
            .await
            .unwrap()
            .as_array()
            .unwrap()
            .len();
    }
    assert_eq!(told, 1);
    until("nothing is in flight", || {
        world.info(&ann).unwrap().in_flight == 0
    })
    .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_is_reaped_and_nobody_notices() {
    let mut settings = settings();
    settings.idle_ttl = Duration::from_millis(300);
    let world = World::new(settings).await;
    let ann = world.link(1, "t").await;
    let first = world.read(&ann, "who", json!({})).await.unwrap()["process"]
        .as_u64()
        .unwrap();
    until("it is reaped", || world.info(&ann).is_none()).await;
    assert!(!is_running(first));
    assert!(!world.worker_directory(&ann).exists(), "wiped");
    let second = world.read(&ann, "who", json!({})).await.unwrap();
    assert_ne!(second["process"], first);
    // A call that takes longer than the idle timeout is not interrupted.
    assert_eq!(
        world.read(&ann, "slow", json!({"ms": 900})).await.unwrap()["process"],
        second["process"]
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cap_holds_and_idle_workers_make_room() {
    let mut settings = settings();
    settings.max = 2;
    let world = World::new(settings).await;
    let mut people = Vec::new();
    for n in 1..=4 {
        people.push(world.link(n, &format!("t{n}")).await);
    }
    for round in 0..2 {
        for (n, person) in people.iter().enumerate() {
            let answer = world.read(person, "who", json!({})).await.unwrap();
            assert_eq!(answer["token"], format!("t{}", n + 1), "round {round}");
            assert!(
                world
                    .workers
                    .list()
                    .iter()
                    .filter(|info| info.process.is_some())
                    .count()
                    <= 2
            );
        }
    }
    // Two busy workers are not evicted: the third call waits until one of them is done.
    let slow = |n: usize| world.read(&people[n], "slow", json!({"ms": 500}));
    let third = async {
        until("two are busy", || {
            world
                .workers
                .list()
                .iter()
                .map(|info| info.in_flight)
                .sum::<usize>()
                == 2
        })
        .await;
        world.read(&people[2], "who", json!({})).await
    };
    let (a, b, c) = tokio::join!(slow(0), slow(1), third);
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_in_a_reading_call_is_started_again_and_asked_again() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "first").await;
    let before = world.read(&ann, "who", json!({})).await.unwrap();
    let after = world.read(&ann, "die_once", json!({})).await.unwrap();
    assert_ne!(before["process"], after["process"]);
    assert_eq!(
        world.held_token(&ann),
        "second",
        "what it refreshed before it died was kept"
    );
    assert_eq!(world.read(&ann, "die", json!({})).await, Err(WorkerError::Died));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_in_a_changing_call_is_not_asked_again() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    assert_eq!(
        world.change(&ann, "die", json!({})).await,
        Err(WorkerError::MayHaveHappened)
    );
    // A worker that died between two calls has not seen the second one.
    let process = world.read(&ann, "who", json!({})).await.unwrap()["process"]
        .as_i64()
        .unwrap();
    let process = Pid::from_raw(i32::try_from(process).unwrap());
    kill(process, Signal::SIGKILL).unwrap();
    let again = world.change(&ann, "who", json!({})).await;
    assert!(
        again
            .as_ref()
            .is_ok_and(|answer| answer["process"] != process.as_raw())
            || again == Err(WorkerError::MayHaveHappened),
        "{again:?}"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_session_is_opened_again_without_a_new_process() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let before = world.read(&ann, "who", json!({})).await.unwrap();
    world.read(&ann, "forget_session", json!({})).await.unwrap();
    let after = world.change(&ann, "who", json!({})).await.unwrap();
    assert_eq!(before["process"], after["process"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_does_not_start_is_told_in_plain_words() {
    let mut crash = settings();
    crash.enabled_tools = Some("crash".into());
    let world = World::new(crash).await;
    let ann = world.link(1, "t").await;
    let error = world.read(&ann, "who", json!({})).await.unwrap_err();
    insta::assert_snapshot!(error, @"the worker could not be started: it ended with exit code 3 before it was ready: its Python package `mcp` is too new: garmin_mcp needs a version below 2; add `mcp<2` where it is installed, e.g. `uvx --with 'mcp<2' …` in GARMIN_MCP_CMD; the next try is possible in 1 s");
    assert!(
        world
            .read(&ann, "who", json!({}))
            .await
            .unwrap_err()
            .to_string()
            .contains("the next try is possible in")
    );
    let log = fs::read_to_string(world.directory.join(format!("data/users/{ann}/worker.log"))).unwrap();
    assert_eq!(
        log.matches("ImportError").count(),
        2,
        "the first failure was tried again at once: {log}"
    );
    world.end().await;

    let mut deaf = settings();
    deaf.enabled_tools = Some("deaf".into());
    deaf.startup_timeout = Duration::from_millis(700);
    let world = World::new(deaf).await;
    let ann = world.link(1, "t").await;
    let error = world.read(&ann, "who", json!({})).await.unwrap_err();
    insta::assert_snapshot!(error, @"the worker could not be started: it was not ready within 0.7 s; the next try is possible in 1 s");
    world.end().await;

    let mut missing = settings();
    missing.command = Some(vec!["garmin-mcp-is-not-here".into()]);
    let world = World::new(missing).await;
    let ann = world.link(1, "t").await;
    let error = world.read(&ann, "who", json!({})).await.unwrap_err();
    insta::assert_snapshot!(error, @"the worker could not be started: garmin-mcp-is-not-here was not found: is it installed, and is GARMIN_MCP_CMD right?; the next try is possible in 1 s");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_skipped() {
    let settings = settings();
    let taken = tokio::net::TcpListener::bind(("127.0.0.1", *settings.ports.start()))
        .await
        .unwrap();
    let world = World::new(settings.clone()).await;
    let ann = world.link(1, "t").await;
    world.read(&ann, "who", json!({})).await.unwrap();
    let port = world.info(&ann).unwrap().process.unwrap().port;
    assert_ne!(port, taken.local_addr().unwrap().port());
    assert!(settings.ports.contains(&port));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_stopped_with_all_that_it_started() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let child = world.read(&ann, "fork", json!({})).await.unwrap()["child"]
        .as_u64()
        .unwrap();
    assert!(is_running(child));
    world.workers.stop(&ann, StopReason::Operator).await;
    assert!(!is_running(child), "stopped when `stop` returns");
    assert!(!world.worker_directory(&ann).exists());
    // A worker that crashes leaves no processes behind either.
    let child = world.read(&ann, "fork", json!({})).await.unwrap()["child"]
        .as_u64()
        .unwrap();
    world.change(&ann, "die", json!({})).await.unwrap_err();
    until("its child has ended", || !is_running(child)).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_want_to_end_is_killed() {
    let mut settings = settings();
    settings.enabled_tools = Some("stubborn".into());
    let world = World::new(settings).await;
    let ann = world.link(1, "t").await;
    let process = world.read(&ann, "who", json!({})).await.unwrap()["process"]
        .as_u64()
        .unwrap();
    let begin = Instant::now();
    world.workers.stop(&ann, StopReason::Revoked).await;
    assert!(!is_running(process));
    assert!(
        (4..7).contains(&begin.elapsed().as_secs()),
        "TERM first, KILL after 5 s: {:?}",
        begin.elapsed()
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_in_doubt_is_stopped_without_waiting_for_its_answer() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    world.read(&ann, "freeze", json!({})).await.unwrap();
    let stop = async {
        until("the call waits while the worker is looked at", || {
            world.info(&ann).unwrap().waiting == 1
        })
        .await;
        world.workers.stop(&ann, StopReason::Revoked).await;
    };
    let (call, ()) = tokio::join!(world.read(&ann, "who", json!({})), stop);
    assert_eq!(call, Err(WorkerError::Stopped));
    // The worker was stopped on request, not given up after failures.
    assert_eq!(world.info(&ann), None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_in_flight_end_before_the_gateway_does() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    world.read(&ann, "who", json!({})).await.unwrap();
    let drain = async {
        until("the call is in flight", || {
            world.info(&ann).unwrap().in_flight == 1
        })
        .await;
        world.workers.drain().await;
        world.read(&ann, "who", json!({})).await
    };
    let (slow, late) = tokio::join!(world.read(&ann, "slow", json!({"ms": 400})), drain);
    assert!(slow.is_ok(), "{slow:?}");
    assert_eq!(late, Err(WorkerError::Stopped));
    world.end().await;
}

/// A suspended worker (SIGSTOP) keeps its connections open but sends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_is_replaced_during_the_call() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let process = world.read(&ann, "who", json!({})).await.unwrap()["process"].clone();
    stop_process(&process);
    let answer = timeout(Duration::from_secs(30), world.read(&ann, "who", json!({})));
    let answer = answer.await.expect("in time").unwrap();
    assert_ne!(answer["process"], process, "another one answered");
    // A call that changes something is not retried, because its outcome is unknown.
    stop_process(&answer["process"]);
    let changed = timeout(Duration::from_secs(30), world.change(&ann, "who", json!({})));
    assert_eq!(
        changed.await.expect("in time").unwrap_err(),
        WorkerError::MayHaveHappened
    );
    world.read(&ann, "who", json!({})).await.unwrap();
    world.end().await;
}

fn stop_process(process: &serde_json::Value) {
    let id = i32::try_from(process.as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(id), Signal::SIGSTOP).unwrap();
    // The signal takes effect a moment later; until then the process may still answer.
    let is_stopped = || {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('T')
    };
    while !is_stopped() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The worker passes its health check, so one hanging call is forgiven, but not two.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_calls_hang_is_replaced_after_two() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let process = world.read(&ann, "who", json!({})).await.unwrap()["process"].clone();
    for _ in 0..2 {
        let call = world.read(&ann, "slow", json!({"ms": 60_000}));
        let call = timeout(Duration::from_secs(3), call);
        assert!(call.await.is_err(), "the caller gives up");
    }
    let answer = world.read(&ann, "who", json!({})).await.unwrap();
    assert_ne!(answer["process"], process);
    world.end().await;
}

/// A slow call to a healthy worker does not get the worker replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_call_keeps_its_worker() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    let process = world.read(&ann, "who", json!({})).await.unwrap()["process"].clone();
    let answer = world.read(&ann, "slow", json!({"ms": 5_000})).await.unwrap();
    assert_eq!(answer["process"], process);
    assert_eq!(world.info(&ann).unwrap().starts, 1);
    world.end().await;
}

/// The gateway limits how fast it reads a flood of output, so the worker has to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_costs_little() {
    let world = World::new(settings()).await;
    let ann = world.link(1, "t").await;
    world.read(&ann, "flood", json!({})).await.unwrap();
    let cpu = || world.info(&ann).unwrap().process.unwrap().cpu;
    // First comes the burst, which is read without a limit.
    for attempt in 1.. {
        let before = cpu();
        sleep(Duration::from_secs(1)).await;
        let used = cpu().saturating_sub(before);
        if used < Duration::from_millis(300) {
            break;
        }
        assert!(attempt < 15, "{used:?} of a second");
    }
    // Calls are still served during the flood.
    world.read(&ann, "who", json!({})).await.unwrap();
    world.end().await;
}
