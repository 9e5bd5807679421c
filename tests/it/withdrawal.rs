//! Revoked access stays revoked, whatever is in progress: 200 schedules of an action (revoke, forget, uninvite) and a
//! stage (each form of a sign-in, the code in transit, a call of any tool), with random timing between the two.
//!
//! An action has taken effect when the operator has the answer. Changes that reached Garmin before that were sent in
//! time. Afterwards, no process of the person is alive, no further change reaches Garmin, no table gets another record,
//! no race and no sign-in continues, and no token is accepted.

mod calls;
mod visit;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use garmin_gateway::admin::api::AdminStream;
use garmin_gateway::admin::client::{AdminClient, ClientError};
use garmin_gateway::base::secrets::RootSecret;
use garmin_gateway::notify::message::MessageRoute;
use garmin_gateway::simulator::{Fault, FaultRule, Place, livetrack};
use garmin_gateway::store::Archive;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use url::Url;

use calls::{Call, Known};
use visit::{SignIn, Visit};

use crate::looks::is_alive;
use crate::whole::{CALLBACK, Connected, World, challenge};

const SCHEDULES: u64 = 200;
const SEED: u64 = 0x5eed_2026_1129;
const VERIFIER: &str = "a-verifier-that-has-the-length-it-needs-0123456789";

/// E-mail, password, and Garmin's code where it asks for one.
const PEOPLE: [(&str, &str, Option<&str>); 2] = [
    ("ann@example.org", "demo-ann", None),
    ("ben@example.org", "demo-ben", Some("123456")),
];

/// splitmix64, which gives the same schedules in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Revoke,
    Forget,
    Uninvite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The password is being sent to Garmin.
    Credentials,
    /// The page that asks for Garmin's code is shown.
    CodePage,
    /// The code is being sent to Garmin.
    Code,
    /// The client has its code and has not exchanged it.
    Unexchanged,
    /// The client is exchanging its code.
    Exchange,
    /// The client is refreshing its token.
    Refresh,
    /// A call that needs no worker.
    List,
    /// A call of any tool that reads at Garmin.
    Read,
    /// A call of any tool that changes something at Garmin.
    Change,
    /// Either of them, called through one of the tools that call other tools.
    Found,
    /// A file of an activity.
    Resource,
    /// A call of any of the gateway's own tools: races, looks, messages, the choice of tools.
    Own,
}

/// A stage that is listed more often is chosen more often.
const STAGES: [Stage; 18] = [
    Stage::Credentials,
    Stage::CodePage,
    Stage::Code,
    Stage::Unexchanged,
    Stage::Exchange,
    Stage::Refresh,
    Stage::List,
    Stage::Read,
    Stage::Read,
    Stage::Change,
    Stage::Change,
    Stage::Change,
    Stage::Found,
    Stage::Resource,
    Stage::Own,
    Stage::Own,
    Stage::Own,
    Stage::Own,
];

/// The operator's side of the gateway's socket.
pub(crate) struct Operator {
    read: BufReader<tokio::net::unix::OwnedReadHalf>,
    write: tokio::net::unix::OwnedWriteHalf,
}

impl Operator {
    pub(crate) async fn connect(socket: &Path) -> Self {
        let (read, write) = UnixStream::connect(socket).await.unwrap().into_split();
        let mut operator = Self {
            read: BufReader::new(read),
            write,
        };
        operator.line().await;
        operator
    }

    async fn line(&mut self) -> Value {
        let mut line = String::new();
        self.read.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    pub(crate) async fn act(&mut self, act: Value) {
        let call = json!({ "id": 1, "request": { "act": act } });
        self.write
            .write_all(format!("{call}\n").as_bytes())
            .await
            .unwrap();
        let answer = self.line().await;
        assert!(answer.get("answer").is_some(), "{act}: {answer}");
    }

    pub(crate) async fn carry_out(&mut self, act: Act, email: &str) {
        self.act(match act {
            Act::Revoke => json!({ "revoke": { "account": email } }),
            Act::Forget => json!({ "forget": { "account": email } }),
            Act::Uninvite => json!({ "uninvite": { "email": email } }),
        })
        .await;
    }
}

/// The races that the gateway would go on watching after a restart.
fn watched(world: &World) -> Vec<String> {
    let races = world.races().all().unwrap().into_iter();
    let going_on = races.filter(|race| race.watched && race.snapshot.watch.over().is_none());
    going_on.map(|race| format!("{}", race.snapshot.race)).collect()
}

/// A server that accepts every message and every order for a look.
async fn taker() -> &'static str {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            drop(stream.read(&mut request).await);
            let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            drop(stream.write_all(reply).await);
        }
    });
    Box::leak(url.into_boxed_str())
}

/// The number of records in each table, without those that housekeeping adds in its own time.
async fn records(world: &World) -> BTreeMap<String, u64> {
    const HOUSEKEEPING: [&str; 3] = ["usage", "token_family_use", "clock_seen"];
    let mut tables = all_records(world).await;
    tables.retain(|table, _| !HOUSEKEEPING.contains(&table.as_str()));
    tables
}

/// The number of records in each table, from a backup.
pub(super) async fn all_records(world: &World) -> BTreeMap<String, u64> {
    let mut client = AdminClient::connect(&world.socket()).await.unwrap();
    let mut backup = Vec::new();
    let take = |part: &[u8]| {
        backup.extend_from_slice(part);
        Ok::<_, ClientError>(())
    };
    client.stream(AdminStream::Backup, take).await.unwrap();
    let secret = std::fs::read_to_string(world.dir().join("secret")).unwrap();
    let archive = Archive::open(&backup[..], &RootSecret::new(secret.trim()).unwrap()).unwrap();
    let contents = archive.verify(&garmin_gateway::upkeep::kinds(), &mut |_| {});
    contents.unwrap().tables
}

/// The state of the world when an action is answered, or some time later.
struct Moment {
    /// The changes that Garmin has carried out.
    n_changes: usize,
    records: BTreeMap<String, u64>,
}

impl Moment {
    async fn of(world: &World) -> Self {
        // By the time of this answer, Garmin has read everything that was sent before.
        let asked = world.simulator.base_url().join("/simulator/requests").unwrap();
        world.http.get(asked).send().await.unwrap().bytes().await.unwrap();
        Self {
            n_changes: world.simulator.changes().len(),
            records: records(world).await,
        }
    }

    /// What was added after the moment `earlier`.
    fn since(&self, earlier: &Self) -> Vec<String> {
        let mut more = Vec::new();
        if self.n_changes > earlier.n_changes {
            more.push(format!(
                "{} changes at Garmin",
                self.n_changes - earlier.n_changes
            ));
        }
        for (table, n) in &self.records {
            let before = earlier.records.get(table).copied().unwrap_or_default();
            if *n > before {
                more.push(format!("{} records in {table}", n - before));
            }
        }
        more
    }
}

/// The processes of all workers.
fn processes(world: &World) -> Vec<i32> {
    let workers = world.workers().into_iter();
    workers
        .filter_map(|worker| worker.process.map(|process| process.pid))
        .collect()
}

/// The gateway, and the state that all schedules share.
struct Play {
    world: World,
    operator: Operator,
    chance: Chance,
    number: u64,
    /// The state after the previous schedule.
    before: Option<Moment>,
    /// How many changes reached Garmin, and how many calls had no answer yet when the action began.
    n_changed: usize,
    n_cut: usize,
}

impl Play {
    /// The call of a stage.
    fn call(&mut self, stage: Stage, known: &Known) -> Option<Call> {
        let (chance, number) = (&mut self.chance, self.number);
        Some(match stage {
            Stage::List => ("tools/list", json!({})),
            Stage::Read => calls::read(chance, known),
            Stage::Change => calls::change(chance, known, number),
            Stage::Found if chance.below(2) == 0 => calls::found("use_read_tool", calls::read(chance, known)),
            Stage::Found => calls::found("use_change_tool", calls::change(chance, known, number)),
            Stage::Resource => calls::resource(chance, known),
            Stage::Own => calls::own(chance, known, number),
            _ => return None,
        })
    }

    /// Runs one schedule. Returns its description, and whatever should have ended but has not.
    #[expect(clippy::too_many_lines, reason = "one schedule from its beginning to its end")]
    async fn schedule(&mut self) -> (String, Vec<String>) {
        let (email, password, code) = self.chance.pick(&PEOPLE);
        let act = self.chance.pick(&[Act::Revoke, Act::Forget, Act::Uninvite]);
        let stage = loop {
            let stage = self.chance.pick(&STAGES);
            if code.is_some() || !matches!(stage, Stage::CodePage | Stage::Code) {
                break stage;
            }
        };
        let delay = Duration::from_micros(u64::try_from(self.chance.below(12_000)).unwrap());
        let is_worker_call = matches!(
            stage,
            Stage::Read | Stage::Change | Stage::Found | Stage::Resource
        );
        let is_warm = is_worker_call && self.chance.below(2) == 0;
        let is_own = stage == Stage::Own;
        let is_slow = (is_worker_call || is_own) && self.chance.below(2) == 0;
        let waits_for_garmin = matches!(stage, Stage::Credentials | Stage::Code)
            || (is_worker_call || is_own && is_slow) && self.chance.below(4) > 0;

        self.operator.act(json!({ "invite": { "email": email } })).await;
        let before = self.world.connect_to_change(email, password, code).await;
        let known = self.known(&before, stage).await;
        let call = self.call(stage, &known);
        let what = format!("{act:?} at {stage:?} of {email} after {delay:?}: {call:?}");
        let Self { world, operator, .. } = self;
        let visit = Visit {
            world,
            client_id: before.client_id.clone(),
        };
        let accounts = world.accounts().list().unwrap().into_iter();
        let account = accounts
            .filter(|one| one.email == email)
            .map(|one| one.id)
            .next()
            .unwrap();
        if is_warm {
            world.full_name(&before.access_token).await;
        }
        if is_slow {
            let slow = Fault::Slow { ms: 20 };
            world.simulator.add_fault(if is_own {
                FaultRule::new(Place::LivetrackSession, slow)
            } else {
                FaultRule::new(Place::Api, slow).of(email)
            });
        }
        let page = visit.open().await;
        let mut signing_in = SignIn::Page(page.clone());
        if matches!(
            stage,
            Stage::CodePage | Stage::Code | Stage::Unexchanged | Stage::Exchange
        ) {
            signing_in = visit.type_in(&page, email, password).await;
        }
        if let (Stage::Unexchanged | Stage::Exchange, SignIn::Page(page), Some(code)) =
            (stage, &signing_in, code)
        {
            signing_in = visit.post(page, "code", &[("code", code)]).await;
        }
        let n_asked = world.simulator.requests().len();
        let n_changes = world.simulator.changes().len();
        let (acted, is_answered) = (Notify::new(), AtomicBool::new(false));
        // A code that was exchanged before the invitation was withdrawn has become a connection, which stays. The
        // exchange therefore waits for the action.
        let before_exchange = async {
            if act == Act::Uninvite {
                acted.notified().await;
            }
        };
        let under_way = async {
            let gained = match stage {
                Stage::Credentials => {
                    let typed = visit.type_in(&page, email, password).await;
                    before_exchange.await;
                    visit.go_on(typed, code).await
                }
                Stage::Code => {
                    if let (SignIn::Page(page), Some(code)) = (&signing_in, code) {
                        signing_in = visit.post(page, "code", &[("code", code)]).await;
                    }
                    before_exchange.await;
                    visit.go_on(signing_in, None).await
                }
                Stage::Exchange => visit.go_on(signing_in, code).await,
                Stage::CodePage | Stage::Unexchanged => {
                    // Continue only after the operator's action.
                    tokio::time::sleep(Duration::from_millis(60)).await;
                    visit.go_on(signing_in, code).await
                }
                Stage::Refresh => visit.refresh(&before).await,
                _ => {
                    let (method, params) = call.clone().unwrap();
                    visit.call(&before.access_token, method, params).await;
                    None
                }
            };
            is_answered.store(true, Ordering::SeqCst);
            gained
        };
        let acting = async {
            // A form that arrives after the action begins a new sign-in, which is allowed.
            for _ in 0..10_000 {
                let is_asked = world.simulator.requests().len() > n_asked;
                if !waits_for_garmin || is_asked || is_answered.load(Ordering::SeqCst) {
                    break;
                }
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
            if !matches!(stage, Stage::CodePage | Stage::Unexchanged) {
                tokio::time::sleep(delay).await;
            }
            let processes = processes(world);
            let is_cut = !is_answered.load(Ordering::SeqCst);
            operator.carry_out(act, email).await;
            let answered = Moment::of(world).await;
            acted.notify_one();
            (processes, is_cut, answered)
        };
        let (gained, (mut workers, is_cut, mut answered)) = tokio::join!(under_way, acting);
        world.simulator.clear_faults();
        self.n_changed += world.simulator.changes().len() - n_changes;
        self.n_cut += usize::from(is_cut && (is_worker_call || is_own));

        let mut alive = Vec::new();
        let is_sign_in = matches!(
            stage,
            Stage::Credentials | Stage::CodePage | Stage::Code | Stage::Unexchanged | Stage::Exchange
        );
        // Withdrawing an invitation ends the sign-ins in progress. Earlier connections, and codes already exchanged,
        // stay.
        let ends_connections = act != Act::Uninvite;
        if let Some(token) = gained
            && (ends_connections || is_sign_in && !matches!(stage, Stage::Exchange))
            && visit.is_alive(&token).await
        {
            alive.push("the new access token".to_owned());
        }
        if !ends_connections {
            assert!(
                visit.is_alive(&before.access_token).await || stage == Stage::Refresh,
                "{what}"
            );
            workers = processes(world);
            operator.carry_out(Act::Revoke, email).await;
            answered = Moment::of(world).await;
        }
        workers.retain(|process| is_alive(*process));
        alive.extend(workers.iter().map(|process| format!("the worker {process}")));
        if visit.is_alive(&before.access_token).await {
            alive.push("the old access token".to_owned());
        }
        if visit.refresh(&before).await.is_some() {
            alive.push("the refresh token".to_owned());
        }
        alive.extend(watched(world));
        alive.extend(world.workers().iter().map(|worker| format!("{worker:?}")));
        if act == Act::Forget {
            let is_reachable = world.races().message_route(&account) != MessageRoute::Nowhere;
            if is_reachable || !world.races().list(&account).unwrap().is_empty() {
                alive.push("a phone or a race of the account".to_owned());
            }
            let accounts = world.accounts().list().unwrap();
            if accounts.iter().any(|one| one.email == email) {
                alive.push("the account".to_owned());
            }
        }
        let later = Moment::of(world).await;
        alive.extend(later.since(&answered));
        self.before = Some(later);
        (what, alive)
    }

    /// What the calls can refer to. A race is started only for the stages that need one.
    async fn known(&mut self, connected: &Connected, stage: Stage) -> Known {
        let world = &self.world;
        let visit = Visit {
            world,
            client_id: connected.client_id.clone(),
        };
        let token = &connected.access_token;
        let mut known = Known {
            activity: Value::Null,
            activity_name: format!("Run {}", self.number),
            race: String::new(),
            link: visit.link(),
        };
        if matches!(
            stage,
            Stage::Read | Stage::Change | Stage::Found | Stage::Resource
        ) {
            let newest = world
                .told(token, "get_activities", json!({ "limit": 1 }))
                .await
                .unwrap();
            known.activity = newest["activities"][0]["id"].clone();
            // Most of the schedules begin without a worker.
            let mut operator = Operator::connect(&world.socket()).await;
            let account = world.workers().remove(0).account;
            operator
                .act(json!({ "stop_worker": { "account": account.to_string() } }))
                .await;
        }
        if stage == Stage::Own {
            let started = world
                .told(token, "start_tracking", json!({ "url": visit.link() }))
                .await;
            started.unwrap()["race"]
                .as_str()
                .unwrap()
                .clone_into(&mut known.race);
        }
        known
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_schedules_leave_nothing_alive() {
    let taker = taker().await;
    let more = [
        ("INVITED", ""),
        ("NTFY_URL", taker),
        ("CLAUDE_RUNNER_URL", taker),
        ("ANALYSIS_DAILY", "100000"),
    ];
    let world = World::with(garmin_gateway::simulator::SimulatorSettings::default(), 10, &more).await;
    let mut play = Play {
        operator: Operator::connect(&world.socket()).await,
        world,
        chance: Chance(SEED),
        number: 0,
        before: None,
        n_changed: 0,
        n_cut: 0,
    };
    let mut survivors = Vec::new();
    for number in 0..SCHEDULES {
        play.number = number;
        // Late effects of the previous schedule must show before the next one begins.
        if let Some(before) = play.before.take() {
            let late = Moment::of(&play.world).await.since(&before);
            assert!(
                late.is_empty(),
                "between {number} and the schedule before: {late:?}"
            );
        }
        let (what, alive) = play.schedule().await;
        if !alive.is_empty() {
            survivors.push(format!("{number}: {what}: {}", alive.join(", ")));
        }
    }
    assert!(
        survivors.is_empty(),
        "alive afterwards:\n{}",
        survivors.join("\n")
    );
    // The schedules prove something only if changes arrive and calls are cut off.
    println!("{} changes, {} calls cut", play.n_changed, play.n_cut);
    assert!(
        play.n_changed > 10 && play.n_cut > 20,
        "{} {}",
        play.n_changed,
        play.n_cut
    );
    play.world.end().await;
}
