//! Claude's looks at a race that are running when access ends: by revoke, forget, uninvite, or because the client signs
//! out. A stand-in for Claude runs as the gateway's command, and records its processes and its token.

use std::time::Duration;

use garmin_gateway::accounts::AccountId;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::race::id::RaceId;
use garmin_gateway::races::RaceOverview;
use garmin_gateway::simulator::SimulatorSettings;
use garmin_gateway::simulator::livetrack::{Playback, demo_race};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::coaching::{BOT, Taker};
use crate::looks::{ANSWER, Notes, is_alive, processes, stand_in};
use crate::whole::{Connected, World};
use crate::withdrawal::{Act, Chance, Operator};

/// Records its token and its processes, ignores SIGTERM, and answers once `go` exists.
const WAITS: &str = r#"trap '' TERM
echo look >> $notes/count
while [ "$1" != --mcp-config ]; do shift; done
cp "$2" $notes/mcp
sleep 600 & echo $$ $! > $notes/new
mv $notes/new $notes/processes
while [ ! -e $notes/go ]; do sleep 0.02; done
kill -9 $!"#;

/// How often a condition is checked that should soon be true. Only a failure takes long.
const TRIES: usize = 2_000;

/// Who started the look.
#[derive(Clone, Copy, Debug)]
enum StartedBy {
    Tool,
    Console,
    Schedule,
}

const STARTS: [StartedBy; 3] = [StartedBy::Tool, StartedBy::Console, StartedBy::Schedule];

/// How access ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Operator(Act),
    /// The person's only client signs out.
    SignOut,
}

const ENDS: [End; 4] = [
    End::Operator(Act::Revoke),
    End::Operator(Act::Forget),
    End::Operator(Act::Uninvite),
    End::SignOut,
];

struct Bench {
    world: World,
    clock: Clock,
    operator: Operator,
    notes: Notes,
    telegram: Taker,
}

/// A look that is running.
struct UnderWay {
    connected: Connected,
    account: AccountId,
    race: RaceId,
    processes: Vec<i32>,
    /// The race's own token.
    token: String,
}

impl Bench {
    async fn build() -> Self {
        let lifecycle = Lifecycle::new();
        let (notes, telegram) = (Notes::make(), Taker::start(&lifecycle).await);
        stand_in(&notes, &format!("{WAITS}\n{ANSWER}"));
        let clock = Clock::manual("2026-10-04T09:00:00Z".parse().unwrap());
        let leaked = |text: String| -> &'static str { text.leak() };
        let more = [
            ("INVITED", ""),
            ("CLAUDE_CMD", leaked(notes.program().display().to_string())),
            ("CLAUDE_CONFIG_DIR", leaked(notes.path("").display().to_string())),
            ("PATH", "/usr/bin:/bin"),
            ("ANALYSIS_DAILY", "1000"),
            ("ANALYSIS_DAILY_USD", "0"),
            ("TELEGRAM_API_URL", leaked(telegram.url.clone())),
            ("TELEGRAM_BOT_TOKEN", BOT),
            ("TELEGRAM_CHAT_ID", "ann@example.org=42,ben@example.org=43"),
        ];
        let settings = SimulatorSettings {
            clock: clock.clone(),
            ..SimulatorSettings::default()
        };
        let world = World::with(settings, 2, &more).await;
        Self {
            operator: Operator::connect(&world.socket()).await,
            world,
            clock,
            notes,
            telegram,
        }
    }

    /// Starts a race, and a look at it.
    async fn start_look(&mut self, by: StartedBy) -> UnderWay {
        for name in ["count", "go", "mcp", "processes"] {
            std::fs::remove_file(self.notes.path(name)).ok();
        }
        let world = &self.world;
        self.operator
            .act(json!({ "invite": { "email": "ann@example.org" } }))
            .await;
        let connected = world.connect("ann@example.org", "demo-ann", None).await;
        let pace = Playback {
            elapsed_s: 2400,
            ..Playback::default()
        };
        let link = world.simulator().play(&demo_race().unwrap(), pace).remove(0);
        let arguments = json!({ "url": link.as_str(), "race_config": { "analyze_interval_secs": 60 } });
        let started = world.told(&connected.access_token, "start_tracking", arguments);
        let race: RaceId = started.await.unwrap()["race"].as_str().unwrap().parse().unwrap();
        let account = world.races().owner(&race).unwrap().unwrap();
        until("the race has no points", || {
            let seen = world.races().view(&account, &race).unwrap().unwrap();
            seen.snapshot.track.points > 0
        })
        .await;
        match by {
            StartedBy::Tool => {
                let asked = world.told(&connected.access_token, "trigger_analysis", json!({}));
                asked.await.unwrap();
            }
            StartedBy::Console => {
                let look = json!({ "look_at_race": { "race": race.to_string() } });
                self.operator.act(look).await;
            }
            StartedBy::Schedule => self.clock.advance(SignedDuration::from_secs(61)),
        }
        let processes = processes(&self.notes).await;
        let mcp: Value = serde_json::from_str(&self.notes.read("mcp")).unwrap();
        let bearer = mcp["mcpServers"]["race"]["headers"]["Authorization"]
            .as_str()
            .unwrap();
        UnderWay {
            connected,
            account,
            race,
            processes,
            token: bearer.strip_prefix("Bearer ").unwrap().to_owned(),
        }
    }

    async fn end_access(&mut self, end: End, connected: &Connected) {
        match end {
            End::Operator(act) => self.operator.carry_out(act, "ann@example.org").await,
            End::SignOut => {
                let form = [("token", connected.refresh_token.as_str())];
                let sent = self.world.http.post(self.world.url("/revoke")).form(&form);
                assert_eq!(sent.send().await.unwrap().status(), 200);
            }
        }
    }

    fn let_it_answer(&self) {
        std::fs::write(self.notes.path("go"), "").unwrap();
    }

    fn race(&self, look: &UnderWay) -> Option<RaceOverview> {
        self.world.races().view(&look.account, &look.race).unwrap()
    }

    /// What the race has stored; `None` if it was erased.
    fn stored(&self, look: &UnderWay) -> Option<String> {
        let race = self.race(look)?;
        let alerts = serde_json::to_string(&race.snapshot.alerts).unwrap();
        Some(format!("{:?} {alerts}", race.last_words))
    }

    /// The status codes for the race's token at its two endpoints.
    async fn token_statuses(&self, look: &UnderWay) -> [u16; 2] {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "send_coaching_message", "arguments": { "text": "Keep it easy." } } });
        let mut statuses = [0; 2];
        let asked = [("/mcp", call), ("/control", json!({ "hr_max": 150 }))];
        for (status, (path, body)) in statuses.iter_mut().zip(asked) {
            let request = self
                .world
                .http
                .post(self.world.url(path))
                .bearer_auth(&look.token);
            *status = request.json(&body).send().await.unwrap().status().as_u16();
        }
        statuses
    }

    /// How many looks have begun since the notes were cleared.
    fn looks(&self) -> usize {
        std::fs::read_to_string(self.notes.path("count")).map_or(0, |lines| lines.lines().count())
    }

    /// The directories of looks that remain.
    fn directories(&self) -> usize {
        let parent = self.world.dir().join("runtime/coach");
        std::fs::read_dir(parent).map_or(0, Iterator::count)
    }

    /// Checks that nothing of the look is left, and that nothing was written or sent since access ended.
    async fn assert_ended(&self, what: &str, look: &UnderWay, n_sent: usize) {
        until(&format!("{what}: its processes are alive"), || {
            !look.processes.iter().any(|id| is_alive(*id))
        })
        .await;
        assert_eq!(self.directories(), 0, "{what}");
        assert_eq!(self.token_statuses(look).await, [401, 401], "{what}");
        assert_eq!(self.telegram.count(), n_sent, "{what}: a message was sent");
        if let Some(race) = self.race(look) {
            assert!(race.snapshot.watch.over().is_some(), "{what}: the race runs on");
        }
    }
}

async fn until(otherwise: &str, is_so: impl Fn() -> bool) {
    for _ in 0..TRIES {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{otherwise}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_ends_with_the_access_of_its_owner() {
    let mut bench = Bench::build().await;
    for end in ENDS {
        for by in STARTS {
            let what = format!("{end:?} while a look started by {by:?} runs");
            let look = bench.start_look(by).await;
            assert!(look.processes.iter().all(|id| is_alive(*id)), "{what}");
            if end == End::Operator(Act::Uninvite) {
                // The connection, the race and its look stay.
                bench.end_access(end, &look.connected).await;
                bench.let_it_answer();
                until(&what, || {
                    bench.race(&look).unwrap().last_words.as_deref() == Some("All is well.")
                })
                .await;
                bench
                    .end_access(End::Operator(Act::Revoke), &look.connected)
                    .await;
                continue;
            }
            // The messages of the race itself, such as its start, may come until then.
            bench.end_access(end, &look.connected).await;
            let n_sent = bench.telegram.count();
            assert_eq!(
                bench.race(&look).is_none(),
                end == End::Operator(Act::Forget),
                "{what}"
            );
            assert_eq!(bench.race(&look).and_then(|race| race.last_words), None, "{what}");
            bench.let_it_answer();
            bench.assert_ended(&what, &look, n_sent).await;
            assert_eq!(bench.race(&look).and_then(|race| race.last_words), None, "{what}");
        }
    }
    bench.world.end().await;
}

/// The look answers while access ends: what it wrote before the end stays, and nothing is written afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_answers_while_access_ends_writes_nothing_afterwards() {
    let mut bench = Bench::build().await;
    let mut chance = Chance(0x1007);
    for number in 0..24 {
        let by = chance.pick(&STARTS);
        let end = chance.pick(&[ENDS[0], ENDS[1], ENDS[3]]);
        let delay = Duration::from_micros(u64::try_from(chance.below(60_000)).unwrap());
        let what = format!("{number}: {end:?} {delay:?} after a look started by {by:?} could answer");
        let look = bench.start_look(by).await;
        bench.let_it_answer();
        tokio::time::sleep(delay).await;
        bench.end_access(end, &look.connected).await;
        let (stored, n_sent) = (bench.stored(&look), bench.telegram.count());
        assert_eq!(stored.is_none(), end == End::Operator(Act::Forget), "{what}");
        bench.assert_ended(&what, &look, n_sent).await;
        assert_eq!(bench.stored(&look), stored, "{what}");
    }
    bench.world.end().await;
}

/// A due look starts only once, even if it takes long until its time is stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_due_look_starts_once() {
    let mut bench = Bench::build().await;
    let look = bench.start_look(StartedBy::Schedule).await;
    bench.let_it_answer();
    for n_looks in 1..=8 {
        until("the look did not end", || {
            bench.looks() >= n_looks && bench.directories() == 0
        })
        .await;
        assert_eq!(bench.looks(), n_looks);
        if n_looks < 8 {
            bench.clock.advance(SignedDuration::from_secs(61));
        }
    }
    bench.end_access(ENDS[0], &look.connected).await;
    assert_eq!(bench.looks(), 8);
    bench.world.end().await;
}

/// When a person's access ends, their undelivered messages are withdrawn, and nobody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_goes_with_the_access_of_its_owner() {
    let mut bench = Bench::build().await;
    for end in [ENDS[0], ENDS[1], ENDS[3]] {
        bench.telegram.set_down(true);
        let n_before = bench.telegram.count();
        let look = bench.start_look(StartedBy::Tool).await;
        until("no message was tried", || bench.telegram.count() > n_before).await;
        bench.end_access(end, &look.connected).await;
        bench.telegram.set_down(false);
        let n_sent = bench.telegram.count();
        // By this time, Ann's message would have been tried again. Messages go out in order, so Ben's would come after
        // it.
        bench.clock.advance(SignedDuration::from_hours(2));
        let invite = json!({ "invite": { "email": "ben@example.org" } });
        bench.operator.act(invite).await;
        let ben = bench
            .world
            .connect("ben@example.org", "demo-ben", Some("123456"))
            .await;
        let pace = Playback {
            elapsed_s: 2400,
            ..Playback::default()
        };
        let link = bench
            .world
            .simulator()
            .play(&demo_race().unwrap(), pace)
            .remove(0);
        let arguments = json!({ "url": link.as_str() });
        let started = bench.world.told(&ben.access_token, "start_tracking", arguments);
        started.await.unwrap();
        let chats = || {
            bench
                .telegram
                .after(n_sent)
                .into_iter()
                .map(|sent| sent["chat_id"].clone())
        };
        until("Ben's message did not come", || chats().any(|chat| chat == "43")).await;
        assert!(!chats().any(|chat| chat == "42"), "{end:?}");
        bench.operator.carry_out(Act::Revoke, "ben@example.org").await;
    }
    bench.world.end().await;
}

/// A stopped race is not looked at again.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_ends_with_its_race() {
    let mut bench = Bench::build().await;
    for by in STARTS {
        let look = bench.start_look(by).await;
        let token = &look.connected.access_token;
        let stopped = bench
            .world
            .told(token, "stop_tracking", json!({ "race": look.race.to_string() }));
        stopped.await.unwrap();
        let n_sent = bench.telegram.count();
        bench.assert_ended("stop_tracking", &look, n_sent).await;
    }
    bench.world.end().await;
}
