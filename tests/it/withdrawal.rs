//! Revoked access stays revoked, whatever is in progress: 200 schedules of an action (revoke, forget, uninvite) and a
//! stage (each form of a sign-in, the code in transit, each kind of call), with random timing between the two.

use std::path::Path;
use std::time::Duration;

use garmin_gateway::notify::message::MessageRoute;
use garmin_gateway::simulator::livetrack;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use url::Url;

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
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
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
    /// A call that a worker answers.
    WorkerTool,
    /// A call of one of the gateway's own tools, which reads.
    OwnTool,
    /// A new race, or with `continue_race` an old one that goes on.
    StartRace,
    ContinueRace,
    Thresholds,
    Phone,
}

const STAGES: [Stage; 13] = [
    Stage::Credentials,
    Stage::CodePage,
    Stage::Code,
    Stage::Unexchanged,
    Stage::Exchange,
    Stage::Refresh,
    Stage::List,
    Stage::WorkerTool,
    Stage::OwnTool,
    Stage::StartRace,
    Stage::ContinueRace,
    Stage::Thresholds,
    Stage::Phone,
];

/// The operator's side of the gateway's socket.
struct Operator {
    read: BufReader<tokio::net::unix::OwnedReadHalf>,
    write: tokio::net::unix::OwnedWriteHalf,
}

impl Operator {
    async fn connect(socket: &Path) -> Self {
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

    async fn act(&mut self, act: Value) {
        let call = json!({ "id": 1, "request": { "act": act } });
        self.write
            .write_all(format!("{call}\n").as_bytes())
            .await
            .unwrap();
        let answer = self.line().await;
        assert!(answer.get("answer").is_some(), "{act}: {answer}");
    }

    async fn carry_out(&mut self, act: Act, email: &str) {
        self.act(match act {
            Act::Revoke => json!({ "revoke": { "account": email } }),
            Act::Forget => json!({ "forget": { "account": email } }),
            Act::Uninvite => json!({ "uninvite": { "email": email } }),
        })
        .await;
    }
}

/// The progress of a sign-in.
enum SignIn {
    /// The page that was shown last.
    Page(String),
    Code(String),
}

struct Visit<'a> {
    world: &'a World,
    client_id: String,
}

impl Visit<'_> {
    async fn open(&self) -> String {
        let challenge = challenge(VERIFIER);
        let query = [
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let url = Url::parse_with_params(&self.world.url("/authorize"), query).unwrap();
        self.world
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    async fn post(&self, page: &str, step: &str, fields: &[(&str, &str)]) -> SignIn {
        let answer = self.world.post(page, step, fields).await;
        match answer.headers().get("location") {
            Some(location) => {
                let url = Url::parse(location.to_str().unwrap()).unwrap();
                let code = url.query_pairs().find(|(name, _)| name == "code");
                SignIn::Code(code.unwrap().1.into_owned())
            }
            None => SignIn::Page(answer.text().await.unwrap()),
        }
    }

    async fn type_in(&self, page: &str, email: &str, password: &str) -> SignIn {
        let fields = [("email", email), ("password", password), ("access", "read_only")];
        self.post(page, "credentials", &fields).await
    }

    /// Continues a sign-in from its current state as far as possible. Returns the access token, if there is one.
    async fn go_on(&self, sign_in: SignIn, code: Option<&str>) -> Option<String> {
        let authorization_code = match (sign_in, code) {
            (SignIn::Page(page), Some(code)) if page.contains("one-time-code") => {
                match self.post(&page, "code", &[("code", code)]).await {
                    SignIn::Code(code) => code,
                    SignIn::Page(_) => return None,
                }
            }
            (SignIn::Page(_), _) => return None,
            (SignIn::Code(code), _) => code,
        };
        self.exchange(&authorization_code).await
    }

    async fn exchange(&self, code: &str) -> Option<String> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("redirect_uri", CALLBACK),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        self.ask_for_tokens(&form).await
    }

    async fn refresh(&self, connected: &Connected) -> Option<String> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &connected.client_id),
            ("refresh_token", &connected.refresh_token),
        ];
        self.ask_for_tokens(&form).await
    }

    async fn ask_for_tokens(&self, form: &[(&str, &str)]) -> Option<String> {
        let answer = self.world.http.post(self.world.url("/token")).form(form);
        let answer: Value = answer.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().map(str::to_owned)
    }

    /// Whether a bearer token still authorizes anything.
    async fn is_alive(&self, access_token: &str) -> bool {
        self.call(access_token, "tools/list", json!({})).await == 200
    }

    async fn tool(&self, access_token: &str, name: &str, arguments: Value) {
        let params = json!({ "name": name, "arguments": arguments });
        self.call(access_token, "tools/call", params).await;
    }

    /// A LiveTrack link that was not used before.
    fn link(&self) -> String {
        let scenario = livetrack::demo_race().unwrap();
        let pace = livetrack::Playback::default();
        self.world.simulator.play(&scenario, pace).remove(0).to_string()
    }

    async fn call(&self, access_token: &str, method: &str, params: Value) -> u16 {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let request = self.world.http.post(self.world.url("/mcp"));
        let request = request.bearer_auth(access_token).json(&body);
        request.send().await.unwrap().status().as_u16()
    }
}

/// The races that a start of the gateway would go on watching.
fn watched(world: &World) -> Vec<String> {
    let races = world.races().all().unwrap().into_iter();
    let going_on = races.filter(|race| race.watched && race.snapshot.watch.over().is_none());
    going_on.map(|race| format!("{}", race.snapshot.race)).collect()
}

/// An ntfy server that accepts every message.
async fn ntfy() -> &'static str {
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

/// Runs one schedule. Returns its description, and whatever should have ended but has not.
#[expect(clippy::too_many_lines, reason = "one schedule from its beginning to its end")]
async fn play(world: &World, operator: &mut Operator, chance: &mut Chance) -> (String, Vec<String>) {
    let (email, password, code) = chance.pick(&PEOPLE);
    let act = chance.pick(&[Act::Revoke, Act::Forget, Act::Uninvite]);
    let stage = loop {
        let stage = chance.pick(&STAGES);
        if code.is_some() || !matches!(stage, Stage::CodePage | Stage::Code) {
            break stage;
        }
    };
    let delay = Duration::from_micros(u64::try_from(chance.below(12_000)).unwrap());
    let what = format!("{act:?} at {stage:?} of {email} after {delay:?}");

    operator.act(json!({ "invite": { "email": email } })).await;
    let before = world.connect(email, password, code).await;
    let visit = Visit {
        world,
        client_id: before.client_id.clone(),
    };
    if matches!(stage, Stage::ContinueRace | Stage::Thresholds) {
        let link = json!({ "url": visit.link() });
        visit.tool(&before.access_token, "start_tracking", link).await;
    }
    let accounts = world.accounts().list().unwrap().into_iter();
    let account = accounts
        .filter(|one| one.email == email)
        .map(|one| one.id)
        .next()
        .unwrap();
    let race = world
        .races()
        .newest(&account)
        .unwrap()
        .map(|race| race.snapshot.race);
    let page = visit.open().await;
    let waits_for_garmin = matches!(stage, Stage::Credentials | Stage::Code);
    let mut signing_in = SignIn::Page(page.clone());
    if matches!(
        stage,
        Stage::CodePage | Stage::Code | Stage::Unexchanged | Stage::Exchange
    ) {
        signing_in = visit.type_in(&page, email, password).await;
    }
    if let (Stage::Unexchanged | Stage::Exchange, SignIn::Page(page), Some(code)) = (stage, &signing_in, code)
    {
        signing_in = visit.post(page, "code", &[("code", code)]).await;
    }
    let n_asked = world.simulator.requests().len();
    let acted = Notify::new();
    // A code that was exchanged before the invitation was taken back is a connection, and stays. So the exchange waits.
    let before_exchange = async {
        if act == Act::Uninvite {
            acted.notified().await;
        }
    };
    let under_way = async {
        match stage {
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
            Stage::List => {
                visit.call(&before.access_token, "tools/list", json!({})).await;
                None
            }
            Stage::WorkerTool => {
                visit.tool(&before.access_token, "get_full_name", json!({})).await;
                None
            }
            Stage::OwnTool | Stage::StartRace | Stage::ContinueRace | Stage::Thresholds | Stage::Phone => {
                let (tool, arguments) = match stage {
                    Stage::StartRace => ("start_tracking", json!({ "url": visit.link() })),
                    Stage::ContinueRace => {
                        let race = race.as_ref().unwrap().as_str();
                        (
                            "start_tracking",
                            json!({ "url": visit.link(), "continue_race": race }),
                        )
                    }
                    Stage::Thresholds => ("update_thresholds", json!({ "thresholds": { "hr_max": 150 } })),
                    Stage::Phone => ("set_phone", json!({ "ntfy_topic": "anns-own" })),
                    _ => ("list_races", json!({})),
                };
                visit.tool(&before.access_token, tool, arguments).await;
                None
            }
        }
    };
    let acting = async {
        // A form that arrives after the action begins a new sign-in, which is allowed.
        for _ in 0..10_000 {
            if !waits_for_garmin || world.simulator.requests().len() > n_asked {
                break;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        if !matches!(stage, Stage::CodePage | Stage::Unexchanged) {
            tokio::time::sleep(delay).await;
        }
        operator.carry_out(act, email).await;
        acted.notify_one();
    };
    let (gained, ()) = tokio::join!(under_way, acting);

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
    if ends_connections {
        if visit.is_alive(&before.access_token).await {
            alive.push("the old access token".to_owned());
        }
        if visit.refresh(&before).await.is_some() {
            alive.push("the refresh token".to_owned());
        }
        alive.extend(watched(world));
        let is_reachable = world.races().message_route(&account) != MessageRoute::Nowhere;
        if act == Act::Forget && (is_reachable || !world.races().list(&account).unwrap().is_empty()) {
            alive.push("a phone or a race of the account".to_owned());
        }
        alive.extend(world.workers().iter().map(|worker| format!("{worker:?}")));
        if act == Act::Forget
            && world
                .accounts()
                .list()
                .unwrap()
                .iter()
                .any(|one| one.email == email)
        {
            alive.push("the account".to_owned());
        }
    } else {
        assert!(
            visit.is_alive(&before.access_token).await || stage == Stage::Refresh,
            "{what}"
        );
        operator.carry_out(Act::Revoke, email).await;
        alive.extend(watched(world));
    }
    (what, alive)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_schedules_leave_nothing_alive() {
    let more = [("INVITED", ""), ("NTFY_URL", ntfy().await)];
    let world = World::with(garmin_gateway::simulator::SimulatorSettings::default(), 10, &more).await;
    let mut operator = Operator::connect(&world.socket()).await;
    let mut chance = Chance(SEED);
    let mut survivors = Vec::new();
    for number in 0..SCHEDULES {
        let (what, alive) = play(&world, &mut operator, &mut chance).await;
        if !alive.is_empty() {
            survivors.push(format!("{number}: {what}: {}", alive.join(", ")));
        }
    }
    assert!(
        survivors.is_empty(),
        "alive afterwards:\n{}",
        survivors.join("\n")
    );
    world.end().await;
}
