//! What remains when the gateway is killed, and how the next one recovers it. The test binary runs itself as the
//! gateway to kill.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use garmin_gateway::accounts::AccountId;
use serde_json::{Value, json};

use super::world::{World, is_running, open_accounts, settings, until};

const DIRECTORY: &str = "WORKERS_TEST_DIRECTORY";

/// Not a test: a gateway whose worker has a child process. The worker keeps refreshing its tokens until the gateway
/// is killed.
#[test]
fn gateway_program() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let world = World::at(Path::new(&directory), settings()).await;
        let ann = match world.accounts.list().unwrap().first() {
            Some(account) => account.id.clone(),
            None => world.link(1, "t0").await,
        };
        let process = world.read(&ann, "who", json!({})).await.unwrap()["process"].clone();
        let child = world.read(&ann, "fork", json!({})).await.unwrap()["child"].clone();
        let mut out = std::io::stdout();
        writeln!(
            out,
            "\n{}",
            json!({"account": ann.as_str(), "process": process, "child": child})
        )
        .unwrap();
        let token = std::env::var("WORKERS_TEST_TOKEN").unwrap();
        loop {
            // Repeated, so that the kill can come at any point of a refresh.
            drop(world.read(&ann, "refresh", json!({"token": token})).await);
            writeln!(out, "refreshed").unwrap();
        }
    });
}

struct Gateway {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    told: Value,
}

fn start(directory: &Path, token: &str) -> Gateway {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "workers::killed::gateway_program", "--nocapture"])
        .env(DIRECTORY, directory)
        .env("WORKERS_TEST_TOKEN", token)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let told = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.starts_with('{'))
        .expect("it starts");
    Gateway {
        process,
        lines,
        told: serde_json::from_str(&told).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_survives_a_killed_gateway_but_the_newest_tokens() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    for round in 1..=3 {
        let token = format!("t{round}");
        let Gateway {
            mut process,
            mut lines,
            told,
        } = start(directory.path(), &token);
        assert_eq!(lines.next().unwrap().unwrap(), "refreshed");
        process.kill().unwrap();
        process.wait().unwrap();
        let killed = Instant::now();
        for name in ["process", "child"] {
            let id = told[name].as_u64().unwrap();
            until("it has ended with the gateway", || !is_running(id)).await;
        }
        assert!(
            killed.elapsed() < Duration::from_secs(2),
            "{:?}",
            killed.elapsed()
        );

        let account: AccountId = told["account"].as_str().unwrap().parse().unwrap();
        let world = World::at(directory.path(), settings()).await;
        assert!(
            !world.worker_directory(&account).exists(),
            "cleared before anything starts"
        );
        assert_eq!(world.held_token(&account), token, "round {round}");
        assert_eq!(
            world.read(&account, "who", json!({})).await.unwrap()["token"],
            token
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_escaped_the_end_is_found_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let root = directory.path().join("run/workers");
    std::fs::create_dir_all(&root).unwrap();
    let root = root.canonicalize().unwrap();
    let account = {
        let accounts = open_accounts(directory.path());
        accounts
            .link("ann@example.org", super::world::signed_in(1, "t1"))
            .await
            .unwrap()
            .id
    };
    // A process in its own group, recognisable only by the directory in its environment.
    let mut stray = Command::new("sleep")
        .arg("1000")
        .env("GARMINTOKENS", root.join(account.as_str()))
        .spawn()
        .unwrap();
    let collector = std::thread::spawn(move || stray.wait().unwrap());
    // Tokens without a receipt, so it is unknown whether they are newer than the stored ones.
    std::fs::create_dir(root.join(account.as_str())).unwrap();
    let foreign = json!({"di_token": "x", "di_refresh_token": "foreign", "di_client_id": "X"});
    std::fs::write(
        root.join(account.as_str()).join("garmin_tokens.json"),
        foreign.to_string(),
    )
    .unwrap();
    std::fs::write(root.join(".new-1"), "half").unwrap();

    let world = World::at(directory.path(), settings()).await;
    assert!(!collector.join().unwrap().success(), "the stray was ended");
    assert_eq!(world.held_token(&account), "t1");
    world.end().await;
}
