//! Several people call at the same time, with far fewer worker slots than people. Workers are killed, stopped and
//! reaped, tokens expire, and people sign in again. Everybody must get their own answers, and nobody may lose their
//! login.
//!
//! `tests/clients/isolation.py` is a larger version with separate processes, in which the gateway is killed too.

use std::collections::HashMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use garmin_gateway::base::secrets::Secret;
use garmin_gateway::simulator::{Person, SimulatorSettings};
use garmin_gateway::workers::{StopReason, WorkerInfo};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::whole::{Connected, World};

const PEOPLE: u64 = 6;
const CALLS_EACH: usize = 12;

/// The person who received each answer, by date and answer. No two people may get the same answer for a day.
type Seen = Mutex<HashMap<(String, String), u64>>;

fn people() -> Vec<Person> {
    let person = |n: u64| {
        Person::new(
            n,
            &format!("Person{n}"),
            &format!("p{n}@example.org"),
            &format!("secret-{n}"),
        )
    };
    (1..=PEOPLE).map(person).collect()
}

/// Makes one call, and repeats it after errors that this test causes: no free worker slot, or a stopped or killed
/// worker.
async fn ask(world: &World, token: &str, tool: &str, arguments: &Value) -> Value {
    loop {
        let result = world.call(token, tool, arguments.clone()).await;
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        if result["isError"] != true {
            return serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        }
        let is_expected = [
            "are in use",
            "was stopped by the server",
            "ended twice while it was reading",
            "by signal 9",
        ];
        assert!(is_expected.iter().any(|words| text.contains(words)), "{text}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// The state that all callers share.
struct Play {
    world: World,
    people: Vec<Person>,
    seen: Seen,
    /// The refresh tokens that were valid when a person's access tokens were last expired.
    spent: Mutex<HashMap<String, Vec<Secret>>>,
    /// The number of callers that have not finished.
    running: AtomicUsize,
    /// Allows one sign-in at a time, because all people share a browser.
    browser: tokio::sync::Mutex<()>,
}

impl Play {
    async fn connect(&self, person: &Person) -> Connected {
        let _browser = self.browser.lock().await;
        self.world.connect(&person.email, &person.password, None).await
    }

    /// Returns the credentials that the person's client has at the end.
    async fn caller(&self, person: &Person, number: u64) -> Connected {
        let Play { world, seen, .. } = self;
        let mut connected = self.connect(person).await;
        for n in 0..CALLS_EACH {
            let token = &connected.access_token;
            if n % 5 == 0 {
                self.expire(person);
            }
            if n % 3 == 0 {
                let told = ask(world, token, "get_full_name", &json!({})).await;
                assert_eq!(told["full_name"], json!(person.data.full_name));
            } else {
                let date = format!("2026-10-{:02}", n % 20 + 1);
                let told = ask(world, token, "get_stats", &json!({"date": date})).await;
                let known = *seen
                    .lock()
                    .unwrap()
                    .entry((date, told.to_string()))
                    .or_insert(number);
                assert_eq!(known, number, "the answer of person {known}, for person {number}");
            }
            if n == CALLS_EACH / 2 {
                // The person signs in again while the worker still has the tokens of the first sign-in.
                connected = self.connect(person).await;
            }
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        connected
    }
}

/// Whether a worker's environment and arguments contain none of these secrets.
fn is_clean(process: i32, secrets: &[String]) -> bool {
    ["environ", "cmdline"].iter().all(|file| {
        let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        !secrets.iter().any(|secret| text.contains(secret.as_str()))
    })
}

impl Play {
    fn person(&self, worker: &WorkerInfo) -> &Person {
        let account = self
            .world
            .daemon()
            .accounts()
            .find(&worker.account)
            .unwrap()
            .unwrap();
        self.people
            .iter()
            .find(|person| person.email == account.email)
            .unwrap()
    }

    fn secrets_of(&self, worker: &WorkerInfo) -> Vec<String> {
        let held = self
            .world
            .daemon()
            .accounts()
            .tokens(&worker.account)
            .unwrap()
            .unwrap()
            .tokens;
        let of_garmin = [
            held.di_token.expose().to_owned(),
            held.di_refresh_token.unwrap().expose().to_owned(),
        ];
        let typed = self
            .people
            .iter()
            .flat_map(|person| [person.password.clone(), person.email.clone()]);
        typed.chain(of_garmin).collect()
    }

    /// Expires a person's access tokens, so that the next call begins with a refresh.
    fn expire(&self, person: &Person) {
        let garmin = self.world.simulator();
        let mut spent = self.spent.lock().unwrap();
        spent.insert(person.email.clone(), garmin.live_refresh_tokens(&person.email));
        garmin.expire_access_tokens(&person.email);
    }

    /// Kills a worker at an arbitrary moment, except between Garmin's spending of a refresh token and the writing of
    /// the next one, because that would lose the login for good. A refresh begins after the access tokens were expired.
    /// It is complete when the token file no longer contains a refresh token of that time.
    fn kill(&self, worker: &WorkerInfo, person: &Person) -> bool {
        let spent = self.spent.lock().unwrap();
        let directory = self.world.workers_root().join(worker.account.as_str());
        let written = fs::read_to_string(directory.join("garmin_tokens.json")).unwrap_or_default();
        let mut to_be_spent = spent.get(&person.email).into_iter().flatten();
        if written.is_empty() || to_be_spent.any(|token| written.contains(token.expose())) {
            return false;
        }
        let process = worker.process.as_ref();
        process.is_some_and(|process| kill(Pid::from_raw(process.pid), Signal::SIGKILL).is_ok())
    }

    /// Disturbs workers until all callers are done. Returns the number of workers killed and the number inspected.
    async fn chaos(&self) -> (usize, usize) {
        let world = &self.world;
        let (mut kills, mut looked_at) = (0, 0);
        for turn in 0.. {
            if self.running.load(Ordering::SeqCst) == 0 {
                break;
            }
            for worker in world.daemon().workers().list() {
                let person = self.person(&worker);
                if let Some(process) = &worker.process {
                    let secrets = self.secrets_of(&worker);
                    assert!(
                        is_clean(process.pid, &secrets),
                        "a secret is in a worker's environment or arguments"
                    );
                    looked_at += 1;
                }
                match turn % 4 {
                    0 | 1 => kills += usize::from(self.kill(&worker, person)),
                    // Sometimes this stop coincides with a refresh.
                    2 => {
                        world
                            .daemon()
                            .workers()
                            .stop(&worker.account, StopReason::Operator)
                            .await;
                    }
                    _ => {}
                }
            }
            sleep(Duration::from_millis(60)).await;
        }
        (kills, looked_at)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_anothers_answers_and_nobody_loses_a_login() {
    let people = people();
    let garmin = SimulatorSettings {
        people: people.clone(),
        ..SimulatorSettings::default()
    };
    let settings = [("WORKER_IDLE_TTL", "1"), ("CALLS_PER_MINUTE", "100000")];
    let mut play = Play {
        world: World::with(garmin, 3, &settings).await,
        running: AtomicUsize::new(people.len()),
        people,
        seen: Seen::default(),
        spent: Mutex::default(),
        browser: tokio::sync::Mutex::default(),
    };
    let callers = play
        .people
        .iter()
        .zip(1..)
        .map(|(person, number)| play.caller(person, number));
    let (connected, (kills, looked_at)) = tokio::join!(futures_util::future::join_all(callers), play.chaos());
    assert!(kills > 0 && looked_at > 0, "{kills} kills, {looked_at} looks");

    // At the end, after a restart and with expired access tokens, everybody's login still works.
    play.world.restart().await;
    for (person, connected) in play.people.iter().zip(&connected) {
        play.world.simulator().expire_access_tokens(&person.email);
        let told = ask(
            &play.world,
            &connected.access_token,
            "get_stats",
            &json!({"date": "2026-09-01"}),
        )
        .await;
        assert_eq!(told["date"], "2026-09-01");
        let told = ask(&play.world, &connected.access_token, "get_full_name", &json!({})).await;
        assert_eq!(told["full_name"], json!(person.data.full_name));
    }
    play.world.end().await;
}
