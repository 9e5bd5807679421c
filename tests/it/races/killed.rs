//! A race during which the gateway is killed repeatedly. The test binary runs itself as the gateway process, while
//! LiveTrack continues.

use std::process::Stdio;
use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::secrets::random_bytes;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::Runtime;

use super::Tracked;
use crate::whole::start_daemon;

const SETTINGS: &str = "RACES_TEST_SETTINGS";
const NOW: &str = "RACES_TEST_NOW";

/// The gateway is killed each time its clock has been advanced this many times.
const MOVES: usize = 6;

/// Not a test of its own: a gateway that reports the time it waits for, and advances its clock only after LiveTrack's
/// clock.
#[test]
fn gateway_program() {
    let Ok(settings) = std::env::var(SETTINGS) else {
        return;
    };
    let settings: Vec<(String, String)> = serde_json::from_str(&settings).unwrap();
    let clock = Clock::manual(std::env::var(NOW).unwrap().parse().unwrap());
    let lines = BufReader::new(tokio::io::stdin()).lines();
    Runtime::new().unwrap().block_on(play(&settings, &clock, lines));
}

async fn play(settings: &[(String, String)], clock: &Clock, mut told: Lines<BufReader<Stdin>>) {
    let daemon = start_daemon(settings, clock.clone()).await;
    let ended = async || {
        while daemon.races().count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    loop {
        let due = tokio::select! {
            due = clock.next_due(super::SLEEPERS) => due,
            () = ended() => break,
        };
        println!("\ndue {due}");
        // The parent has exited because the test has failed.
        let Some(_) = told.next_line().await.unwrap() else {
            return;
        };
        clock.advance(due.duration_since(clock.now()));
    }
    println!("\nover");
    drop(told.next_line().await);
}

/// The gateway process that is killed.
struct Gateway {
    process: Child,
    orders: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Gateway {
    fn start(settings: &str, now: Timestamp) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "races::killed::gateway_program", "--nocapture"])
            .env(SETTINGS, settings)
            .env(NOW, now.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            orders: process.stdin.take().unwrap(),
            says: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
        }
    }

    /// The time for which it waits; `None` when the race is over.
    async fn due(&mut self) -> Option<Timestamp> {
        loop {
            let line = self.says.next_line().await.unwrap().expect("the gateway lives");
            if line == "over" {
                return None;
            }
            if let Some(due) = line.strip_prefix("due ") {
                return Some(due.parse().unwrap());
            }
        }
    }

    async fn go_on(&mut self) {
        self.orders.write_all(b"go on\n").await.unwrap();
    }

    async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }
}

#[tokio::test]
async fn a_gateway_that_is_killed_in_mid_race_loses_and_repeats_nothing() {
    let whole = Tracked::start("tunnel").await;
    whole.play_to_the_end().await;

    let mut tracked = Tracked::start("tunnel").await;
    tracked.world.stop_gateway().await;
    let settings = serde_json::to_string(&tracked.world.settings()).unwrap();
    let clock = tracked.clock.clone();
    let (mut gateway, mut moves, mut kills) = (Gateway::start(&settings, clock.now()), 0, 0);
    while let Some(due) = gateway.due().await {
        clock.advance(due.duration_since(clock.now()));
        gateway.go_on().await;
        moves += 1;
        if moves % MOVES == 0 {
            // Some moment between the request to LiveTrack and the commit of the reply.
            tokio::time::sleep(Duration::from_millis(u64::from(random_bytes::<1>()[0] % 40))).await;
            gateway.kill().await;
            kills += 1;
            gateway = Gateway::start(&settings, clock.now());
        }
    }
    gateway.kill().await;
    assert!(kills >= 5, "{kills} kills");

    tracked.world.start_gateway().await;
    assert_eq!(tracked.world.races().count(), 0, "over stays over");
    assert_eq!(tracked.kept(), tracked.sent());
    let kinds = |alerts: Vec<(String, i64)>| alerts.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds(tracked.alerts().await), kinds(whole.alerts().await));
    assert_eq!(tracked.state().await, whole.state().await);
}
