//! Two built-in workers share one rate limit for requests to Garmin, and a pause that Garmin demanded from one of them.

use std::sync::Arc;
use std::time::Duration;

use garmin_gateway::accounts::AccountId;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::Secret;
use garmin_gateway::garmin::{self, Credentials, GovernorSettings, RequestRate, SignInOutcome, SignIns};
use garmin_gateway::simulator::{Fault, FaultRule, Person, Place, Simulator, SimulatorSettings};
use serde_json::json;
use tokio::net::TcpListener;

use super::world::{World, settings, until};

const PEOPLE: [(&str, &str); 2] = [("ann@example.org", "demo-ann"), ("eve@example.org", "demo-eve")];

struct Couple {
    world: World,
    simulator: Simulator,
    accounts: [AccountId; 2],
    directory: tempfile::TempDir,
}

/// Starts a world in which Ann and Eve have signed in to a simulated Garmin.
async fn couple(rate: RequestRate) -> Couple {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = SimulatorSettings {
        people: vec![
            Person::new(1, "Ann", PEOPLE[0].0, PEOPLE[0].1),
            Person::new(2, "Eve", PEOPLE[1].0, PEOPLE[1].1),
        ],
        ..SimulatorSettings::default()
    };
    let simulator = Simulator::start(settings, listener, &Lifecycle::new()).unwrap();
    let http = garmin::client(&simulator.hosts()).unwrap();
    let sign_ins = SignIns::new(
        simulator.hosts(),
        http,
        Clock::system(),
        GovernorSettings::without_pauses(),
    );
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    let world = start(&directory, &simulator, rate).await;
    let mut accounts = Vec::new();
    for (email, password) in PEOPLE {
        let credentials = Credentials {
            email: email.to_owned(),
            password: Secret::new(password),
        };
        let SignInOutcome::SignedIn(signed_in) = sign_ins.begin(credentials).await else {
            panic!("{email} signs in");
        };
        accounts.push(world.accounts.link(email, signed_in).await.unwrap().id);
    }
    Couple {
        world,
        simulator,
        accounts: accounts.try_into().unwrap(),
        directory,
    }
}

async fn start(directory: &tempfile::TempDir, simulator: &Simulator, rate: RequestRate) -> World {
    let mut settings = settings();
    settings.command = None;
    World::start(directory.path(), settings, simulator.hosts(), rate).await
}

impl Couple {
    /// The text of the statistics of a day in January, and whether it is an error.
    async fn ask(&self, person: usize, day: u32) -> (String, bool) {
        ask(&self.world, &self.accounts[person], day).await
    }

    /// The number of requests to the API.
    fn asked(&self) -> usize {
        PEOPLE
            .iter()
            .map(|(email, _)| asked(&self.simulator, email))
            .sum()
    }
}

async fn ask(world: &World, account: &AccountId, day: u32) -> (String, bool) {
    let arguments = json!({"date": format!("2026-01-{day:02}")});
    let result = world.read(account, "get_stats", arguments).await.unwrap();
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    (text, result["isError"] == true)
}

fn asked(simulator: &Simulator, email: &str) -> usize {
    let requests = simulator.requests();
    let is_api = |path: &str| path.contains("-service/") && !path.contains("oauth") && !path.contains("/sso");
    requests
        .iter()
        .filter(|request| is_api(&request.path) && request.person.as_deref() == Some(email))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_together_keep_to_one_rate() {
    const BURST: u32 = 16;
    let couple = couple(RequestRate {
        interval: Duration::from_secs(3_600),
        burst: BURST,
    })
    .await;
    let before = PEOPLE.map(|(email, _)| asked(&couple.simulator, email));
    // Both workers have started before they compete.
    for person in [0, 1] {
        let (text, failed) = couple.ask(person, 31).await;
        assert!(!failed, "{text}");
    }
    let couple = Arc::new(couple);
    let mut calls = tokio::task::JoinSet::new();
    for day in 1..=12 {
        for person in [0, 1] {
            let couple = Arc::clone(&couple);
            drop(calls.spawn(async move { couple.ask(person, day).await }));
        }
    }
    let begun: usize = before.iter().sum();
    until("all permits are used", || {
        couple.asked() - begun >= BURST as usize
    })
    .await;
    // Both workers still have calls that are waiting.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(couple.asked() - begun, BURST as usize);
    for ((email, _), before) in PEOPLE.iter().zip(before) {
        let used = asked(&couple.simulator, email) - before;
        assert!(
            used >= BURST as usize / 4,
            "{email} got {used} of {BURST} permits"
        );
    }
    calls.shutdown().await;
    Arc::into_inner(couple).unwrap().world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_refuses_only_what_needs_garmin_and_lasts_over_a_restart() {
    let rate = RequestRate {
        interval: Duration::ZERO,
        burst: 8,
    };
    let couple = couple(rate).await;
    let (known, failed) = couple.ask(1, 1).await;
    assert!(!failed, "{known}");
    assert!(!couple.ask(0, 1).await.1);
    let fault = Fault::RateLimited {
        retry_after_s: Some(90),
        in_body: false,
    };
    couple
        .simulator
        .add_fault(FaultRule::new(Place::Api, fault).of(PEOPLE[0].0).times(1));
    let (text, failed) = couple.ask(0, 2).await;
    assert!(failed && seconds_in(&text) == 90, "{text}");
    let sent = couple.asked();
    // Ann's worker has reported the pause, and it also holds for Eve's.
    for (person, day) in [(0, 2), (1, 2), (1, 3)] {
        let (text, failed) = couple.ask(person, day).await;
        assert!(failed && (1..=90).contains(&seconds_in(&text)), "{text}");
    }
    assert_eq!(
        couple.ask(1, 1).await,
        (known, false),
        "what is known needs no request"
    );
    assert_eq!(couple.asked(), sent, "nothing is sent during the pause");

    let Couple {
        world,
        simulator,
        accounts,
        directory,
    } = couple;
    world.end().await;
    let world = start(&directory, &simulator, rate).await;
    let (text, failed) = ask(&world, &accounts[1], 1).await;
    assert!(failed && (1..=90).contains(&seconds_in(&text)), "{text}");
    world.end().await;
    let now: usize = PEOPLE.iter().map(|(email, _)| asked(&simulator, email)).sum();
    assert_eq!(now, sent, "nor after a restart");
}

/// The number of seconds to wait that a message names.
fn seconds_in(text: &str) -> u32 {
    let after = text.split("Try again in ").nth(1);
    let number = after.and_then(|after| after.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
