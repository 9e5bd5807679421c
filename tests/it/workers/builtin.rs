//! The built-in worker under the supervisor, against a simulated Garmin. A login must survive whatever happens to the
//! worker.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use garmin_gateway::accounts::AccountId;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::Secret;
use garmin_gateway::garmin::{self, Credentials, GovernorSettings, SignInOutcome, SignIns, SignedIn};
use garmin_gateway::simulator::{Simulator, SimulatorSettings};
use garmin_gateway::workers::{StopReason, WorkerError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::net::TcpListener;

use super::world::{World, settings, until};

const ANN: (&str, &str) = ("ann@example.org", "demo-ann");

struct Played {
    world: World,
    simulator: Simulator,
    sign_ins: SignIns,
    ann: AccountId,
    day: AtomicU32,
}

/// Starts a world in which Ann has signed in to a simulated Garmin.
async fn played() -> Played {
    // Another test may already have installed it.
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let simulator = Simulator::start(SimulatorSettings::default(), listener, &Lifecycle::new()).unwrap();
    let http = garmin::client(&simulator.hosts()).unwrap();
    let sign_ins = SignIns::new(
        simulator.hosts(),
        http,
        Clock::system(),
        GovernorSettings::without_pauses(),
    );
    let mut settings = settings();
    settings.command = None;
    let world = World::with_garmin(settings, simulator.hosts()).await;
    let ann = world
        .accounts
        .link(ANN.0, sign_in(&sign_ins).await)
        .await
        .unwrap()
        .id;
    Played {
        world,
        simulator,
        sign_ins,
        ann,
        day: AtomicU32::new(0),
    }
}

async fn sign_in(sign_ins: &SignIns) -> SignedIn {
    let credentials = Credentials {
        email: ANN.0.to_owned(),
        password: Secret::new(ANN.1),
    };
    match sign_ins.begin(credentials).await {
        SignInOutcome::SignedIn(signed_in) => signed_in,
        other => panic!("{other:?}"),
    }
}

impl Played {
    /// Calls a tool, and returns its text and whether it reported an error. Each call uses another day, so that it
    /// reaches Garmin.
    async fn ask(&self) -> Result<(String, bool), WorkerError> {
        let day = self.day.fetch_add(1, Ordering::Relaxed);
        let date = format!("2026-{:02}-{:02}", day / 28 + 1, day % 28 + 1);
        let result = self
            .world
            .read(&self.ann, "get_stats", json!({"date": date}))
            .await?;
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        Ok((text, result["isError"] == true))
    }

    fn login_is_good(&self) -> bool {
        let good = self.simulator.live_refresh_tokens(ANN.0);
        good.iter()
            .any(|token| token.expose() == self.world.held_token(&self.ann))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_within_its_means() {
    let played = played().await;
    let begin = Instant::now();
    let (text, failed) = played.ask().await.unwrap();
    // The bench measures the exact time; this only checks that no timer delays the answer.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(!failed && text.contains("calories"), "{text}");
    let process = played.world.info(&played.ann).unwrap().process.unwrap();
    assert!(
        process.fence.starts_with("files") || process.fence == "limits, system calls",
        "{}",
        process.fence
    );
    played.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_survives_refreshes_and_kills() {
    let played = played().await;
    for round in 0..12 {
        played.simulator.expire_access_tokens(ANN.0);
        let before = played.world.held_token(&played.ann);
        let (text, failed) = played.ask().await.unwrap();
        assert!(!failed, "round {round}: {text}");
        match round % 4 {
            0 => {
                until("the refresh is sealed", || {
                    played.world.held_token(&played.ann) != before
                })
                .await;
                assert!(played.login_is_good());
            }
            1 => played.world.workers.stop(&played.ann, StopReason::Operator).await,
            2 => {
                let process = played.world.info(&played.ann).unwrap().process.unwrap();
                kill(Pid::from_raw(process.pid), Signal::SIGKILL).unwrap();
            }
            _ => {
                // During a refresh: the worker gets a call, and is then stopped.
                played.simulator.expire_access_tokens(ANN.0);
                let stop = async {
                    until("asked", || {
                        played
                            .world
                            .info(&played.ann)
                            .is_some_and(|info| info.in_flight > 0)
                    })
                    .await;
                    played.world.workers.stop(&played.ann, StopReason::Operator).await;
                };
                drop(tokio::join!(played.ask(), stop));
            }
        }
    }
    played.world.workers.stop(&played.ann, StopReason::Operator).await;
    assert!(played.login_is_good());
    played.world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_garmin_ended_asks_for_a_sign_in() {
    let played = played().await;
    played.ask().await.unwrap();
    played.simulator.revoke(ANN.0);
    played.simulator.expire_access_tokens(ANN.0);
    let (text, failed) = played.ask().await.unwrap();
    assert!(failed, "{text}");
    until("the worker is stopped", || {
        played.world.info(&played.ann).is_none()
    })
    .await;
    assert_eq!(played.ask().await, Err(WorkerError::GarminSignInNeeded));
    played
        .world
        .accounts
        .link(ANN.0, sign_in(&played.sign_ins).await)
        .await
        .unwrap();
    let (text, failed) = played.ask().await.unwrap();
    assert!(!failed && text.contains("calories"), "{text}");
    played.world.end().await;
}

/// Any program on this machine can reach the port, but only those that can read the worker's directory have the
/// token.
#[tokio::test(flavor = "multi_thread")]
async fn its_port_answers_to_the_gateway_alone() {
    let played = played().await;
    let mut former = String::new();
    for _ in 0..2 {
        played.ask().await.unwrap();
        let port = played.world.info(&played.ann).unwrap().process.unwrap().port;
        let file = played.world.worker_directory(&played.ann).join("bearer");
        let bearer = std::fs::read_to_string(&file).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(bearer, former, "a new one for each start");
        for (token, expected) in [
            (None, 401),
            (Some("Bearer "), 401),
            (Some("Bearer wk_other"), 401),
            (Some(former.as_str()), 401),
            (Some(format!("Bearer {bearer}").as_str()), 200),
        ] {
            let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
            let mut request = reqwest::Client::new()
                .post(format!("http://127.0.0.1:{port}/mcp"))
                .json(&list);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            assert_eq!(request.send().await.unwrap().status(), expected, "{token:?}");
        }
        former = format!("Bearer {bearer}");
        played.world.workers.stop(&played.ann, StopReason::Operator).await;
        assert!(!file.exists());
    }
    played.world.end().await;
}
