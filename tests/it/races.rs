//! Whole races in the real daemon. The clock jumps from one scheduled event to the next, so a scenario of hours takes
//! seconds and does not depend on the speed of the machine.

mod by_mail;
mod control;
mod joined;
mod killed;
mod map_tiles;
mod own_fade;
mod page;
mod past;
mod places;
mod recipients;
mod stopped;
mod told;

use garmin_gateway::accounts::AccountId;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::garmin::livetrack::Trackpoint;
use garmin_gateway::race::id::RaceId;
use garmin_gateway::simulator::livetrack::scenario::Scenario;
use garmin_gateway::simulator::livetrack::{Playback, PlayedLink};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::outputs;
use crate::whole::{Connected, World};

fn start() -> Timestamp {
    "2026-10-04T08:00:00Z".parse().unwrap()
}

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/tests/scenarios/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Scenario::read(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A race that the user Ann tracks.
struct Tracked {
    world: World,
    clock: Clock,
    ann: Connected,
    links: Vec<PlayedLink>,
    race: String,
}

fn url(link: &PlayedLink) -> String {
    format!("https://livetrack.garmin.com{}", link.path())
}

/// The number of tasks that sleep on the clock while a race is watched: that of the race, and that of the coach.
const SLEEPERS: usize = 2;

impl Tracked {
    async fn start(name: &str) -> Self {
        let clock = Clock::manual(start());
        let world = World::start_at(clock.clone()).await;
        Self::in_world(world, clock, name).await
    }

    /// Starts to track a scenario in a world that uses this clock.
    async fn in_world(world: World, clock: Clock, name: &str) -> Self {
        Self::of(world, clock, &scenario(name)).await
    }

    async fn of(world: World, clock: Clock, scenario: &Scenario) -> Self {
        let ann = world.connect("ann@example.org", "demo-ann", None).await;
        let links = world.simulator.links(scenario, Playback::default());
        let mut tracked = Self {
            world,
            clock,
            ann,
            links,
            race: String::new(),
        };
        let arguments = json!({"url": url(&tracked.links[0]), "race_config": scenario.race_config});
        let started = tracked.told("start_tracking", arguments).await;
        started["race"].as_str().unwrap().clone_into(&mut tracked.race);
        tracked
    }

    /// Result of a tool that Ann's client calls.
    async fn told(&self, tool: &str, arguments: Value) -> Value {
        let answer = self
            .world
            .told(&self.ann.access_token, tool, arguments)
            .await
            .unwrap();
        outputs::check(tool, &answer);
        answer
    }

    /// Lets time pass until `to_s` seconds after the start, or until the race is no longer watched.
    async fn play(&self, to_s: i64) {
        self.play_beside(0, to_s).await;
    }

    /// The same while this many more tasks sleep on the clock.
    async fn play_beside(&self, more: usize, to_s: i64) {
        let to = start() + SignedDuration::from_secs(to_s);
        let races = self.world.races();
        loop {
            let watched = races.count();
            if watched == 0 {
                return;
            }
            let ended = async {
                while races.count() >= watched {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            };
            let due = tokio::select! {
                due = self.clock.next_due(SLEEPERS + more + watched - 1) => due,
                // When a race ends, fewer tasks sleep.
                () = ended => continue,
            };
            self.clock.advance(due.min(to).duration_since(self.clock.now()));
            if due > to {
                return;
            }
        }
    }

    async fn play_to_the_end(&self) {
        self.play(400_000).await;
        assert_eq!(self.world.races().count(), 0, "it never ended");
    }

    fn account(&self) -> AccountId {
        let accounts = self.world.accounts().list().unwrap();
        let ann = accounts
            .into_iter()
            .find(|account| account.email == "ann@example.org");
        ann.unwrap().id
    }

    /// All points in the store.
    fn kept(&self) -> Vec<Trackpoint> {
        let race: RaceId = self.race.parse().unwrap();
        let all = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let samples = self
            .world
            .races()
            .samples(&self.account(), &race, all.0, all.1)
            .unwrap();
        samples.into_iter().map(|sample| sample.point).collect()
    }

    /// All points that the simulator ever sends.
    fn sent(&self) -> Vec<Trackpoint> {
        let links = self.links.iter();
        let values = links.flat_map(|link| self.world.simulator.points(&link.session_id));
        values.map(|value| Trackpoint::read(&value).unwrap()).collect()
    }

    /// The alerts in order: kind, and minutes after the start.
    async fn alerts(&self) -> Vec<(String, i64)> {
        let summary = self.told("get_race_summary", json!({"race": self.race})).await;
        let alerts = summary["alerts"].as_array().unwrap().iter();
        let minute = |alert: &Value| {
            let at: Timestamp = alert["at"].as_str().unwrap().parse().unwrap();
            at.duration_since(start()).as_secs() / 60
        };
        alerts
            .map(|alert| (alert["kind"].as_str().unwrap().to_owned(), minute(alert)))
            .collect()
    }

    async fn state(&self) -> String {
        let status = self.told("get_tracking_status", json!({"race": self.race})).await;
        status["state"].as_str().unwrap().to_owned()
    }
}

/// Plays each scenario to its end. Checks its final state, all alerts except splits as `kind@minute`, and that the
/// stored series equals the points sent.
async fn check(races: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (name, state, expected) in races {
        let tracked = Tracked::start(name).await;
        tracked.play_to_the_end().await;
        let alerts = tracked.alerts().await;
        let told = alerts.iter().filter(|(kind, _)| kind != "split");
        let told: Vec<_> = told.map(|(kind, minute)| format!("{kind}@{minute}")).collect();
        let is = (tracked.state().await, told.join(" "));
        if is != ((*state).to_owned(), (*expected).to_owned()) {
            wrong.push(format!("{name}: {is:?}"));
        }
        if alerts.len() == told.len() {
            wrong.push(format!("{name}: no split"));
        }
        if tracked.kept() != tracked.sent() {
            wrong.push(format!(
                "{name}: {} points kept, {} sent",
                tracked.kept().len(),
                tracked.sent().len()
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn races_of_one_sport() {
    check(&[
        // The heart rate is too high from minute 100 on.
        ("marathon", "finished", "started@5 hr_over@103 finished@212"),
        // Silence from minute 30 to 42; the missing points arrive later.
        (
            "tunnel",
            "finished",
            "started@1 no_signal@40 signal_back@42 finished@78",
        ),
        // Eight minutes at an aid station from minute 40 on.
        ("aid_station", "finished", "started@1 stopped@44 finished@123"),
        // The watch is two hours behind, and the athlete stands still from minute 25 to 32.
        ("wrong_clock", "finished", "started@1 stopped@30 finished@70"),
    ])
    .await;
}

#[tokio::test]
async fn triathlons_with_leg_types_and_without() {
    check(&[
        (
            "triathlon",
            "finished",
            "started@44 leg_change@44 leg_change@48 hr_over@103 power_over@151 power_over@161 leg_change@214 leg_change@217 finished@330",
        ),
        ("triathlon_other", "finished", "started@1 leg_change@29 leg_change@101 finished@146"),
    ])
    .await;
}

#[tokio::test]
async fn ends_that_nobody_tells_of() {
    check(&[
        (
            "watch_died",
            "probably_finished",
            "started@1 no_signal@139 probably_finished@146",
        ),
        ("no_end", "probably_finished", "started@1 probably_finished@110"),
        (
            "course",
            "finished",
            "started@1 no_signal@30 no_signal@40 signal_back@45 finished@47",
        ),
    ])
    .await;
}

#[tokio::test]
async fn garmins_bad_days() {
    check(&[
        ("faults", "finished", "started@1 finished@110"),
        (
            "changed_shape",
            "finished",
            "started@1 garmin_changed@16 finished@56",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_restart_in_mid_race_loses_and_repeats_nothing() {
    let whole = Tracked::start("tunnel").await;
    whole.play_to_the_end().await;
    let mut tracked = Tracked::start("tunnel").await;
    // Before the timer starts, in the tunnel, while the late batch is missing, and just before the end.
    for at_s in [5, 1000, 2300, 2600, 4600] {
        tracked.play(at_s).await;
        tracked.world.restart().await;
        assert_eq!(tracked.world.races().count(), 1);
    }
    tracked.play_to_the_end().await;
    assert_eq!(tracked.kept(), tracked.sent());
    let kinds = |alerts: Vec<(String, i64)>| alerts.into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds(tracked.alerts().await), kinds(whole.alerts().await));
    // A finished race stays finished, and can still be read.
    tracked.world.restart().await;
    assert_eq!(
        (tracked.world.races().count(), tracked.state().await.as_str()),
        (0, "finished")
    );
    let listed = tracked.told("list_races", json!({})).await;
    assert_eq!(listed["races"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_link_carries_the_race_on() {
    let tracked = Tracked::start("successor").await;
    tracked.play(5500).await;
    let arguments = json!({"url": url(&tracked.links[1]), "continue_race": tracked.race});
    let started = tracked.told("start_tracking", arguments).await;
    assert_eq!(
        (&started["race"], &started["continued"]),
        (&json!(tracked.race), &json!(true))
    );
    tracked.play_to_the_end().await;
    assert_eq!(tracked.state().await, "finished");
    assert_eq!(tracked.kept(), tracked.sent());
}

#[tokio::test]
async fn a_race_is_its_persons_alone() {
    let tracked = Tracked::start("marathon").await;
    tracked.play(1800).await;
    let world = &tracked.world;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let race = json!({"race": tracked.race});
    for tool in [
        "stop_tracking",
        "get_tracking_status",
        "get_timeseries",
        "trigger_analysis",
        "get_race_summary",
        "get_race_report",
    ] {
        let refused = world
            .told(&ben.access_token, tool, race.clone())
            .await
            .unwrap_err();
        assert!(refused.contains("no such race"), "{tool}: {refused}");
    }
    let limits = json!({"race": tracked.race, "thresholds": {"hr_max": 150}});
    let refused = world
        .told(&ben.access_token, "update_thresholds", limits)
        .await
        .unwrap_err();
    assert!(refused.contains("no such race"), "{refused}");
    let link = json!({"url": url(&tracked.links[0]), "continue_race": tracked.race});
    let refused = world
        .told(&ben.access_token, "start_tracking", link)
        .await
        .unwrap_err();
    assert!(refused.contains("no such race"), "{refused}");
    let listed = world
        .told(&ben.access_token, "list_races", json!({}))
        .await
        .unwrap();
    assert_eq!(listed["races"], json!([]));
    assert_eq!(tracked.state().await, "running");
}

#[tokio::test]
async fn the_token_of_a_race_reaches_it_until_it_ends() {
    let tracked = Tracked::start("marathon").await;
    tracked.play(1800).await;
    let (world, race): (_, RaceId) = (&tracked.world, tracked.race.parse().unwrap());
    let token = world.races().token(&tracked.account(), &race).await.unwrap();
    let control = async |body: Value| {
        let asked = world
            .http
            .post(world.url("/control"))
            .bearer_auth(token.expose())
            .json(&body);
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, changed) = control(json!({"power_max": 150, "run_hr_max": null})).await;
    assert_eq!((status, &changed["limits"]), (200, &json!({"power_max": 150})));
    let (status, refused) = control(json!({"power_max": 15_000, "hr_mx": 150})).await;
    assert_eq!(
        (status, &refused["fields"]),
        (400, &json!(["power_max", "hr_mx"]))
    );
    let series = world
        .told(token.expose(), "get_timeseries", json!({}))
        .await
        .unwrap();
    assert_eq!(series["race"], json!(tracked.race));
    let foreign = json!({"race": "race_abcdefgh12345678"});
    assert!(
        world
            .told(token.expose(), "get_timeseries", foreign)
            .await
            .is_err()
    );

    tracked.told("stop_tracking", json!({})).await;
    tracked.play_to_the_end().await;
    assert_eq!(control(json!({"power_max": 160})).await.0, 401);
    assert_eq!(tracked.state().await, "tracking_stopped");
}

#[tokio::test]
async fn mistakes_are_named() {
    let tracked = Tracked::start("marathon").await;
    tracked.play(600).await;
    for (tool, arguments, named) in [
        ("start_tracking", json!({}), "url"),
        (
            "start_tracking",
            json!({"url": "https://example.org/session/x"}),
            "livetrack.garmin.com/session",
        ),
        (
            "start_tracking",
            json!({"url": url(&tracked.links[0]), "race_config": {"hr_max": 500}}),
            "hr_max",
        ),
        (
            "start_tracking",
            json!({"url": url(&tracked.links[0]), "race_config": {"hr_mx": 150}}),
            "did you mean hr_max",
        ),
        (
            "start_tracking",
            json!({"url": url(&tracked.links[0]), "race_config": {"course_gpx": "x"}}),
            "course_gpx",
        ),
        ("get_timeseries", json!({"window_min": 0}), "window_min"),
        ("get_timeseries", json!({"metrics": ["pulse"]}), "heart_rate_bpm"),
        ("get_timeseries", json!({"from": "noon"}), "from"),
        ("update_thresholds", json!({}), "thresholds"),
        (
            "update_thresholds",
            json!({"thresholds": {"cadence_min": -1}}),
            "cadence_min",
        ),
        ("update_thresholds", json!({"remove": ["pulse"]}), "hr_max"),
        (
            "update_thresholds",
            json!({"thresholds": {"hr_max": 150}, "remove": ["hr_max"]}),
            "hr_max is also set",
        ),
        ("get_tracking_status", json!({"id": 1}), "id"),
        ("get_tracking_status", json!({"race": "latest"}), "race"),
        ("trigger_analysis", json!({}), "CLAUDE_RUNNER_URL"),
    ] {
        let refused = tracked
            .world
            .told(&tracked.ann.access_token, tool, arguments)
            .await
            .unwrap_err();
        assert!(refused.contains(named), "{tool}: {refused}");
    }
    // A limit is set, and then removed without a null.
    let set = json!({"thresholds": {"hr_max": 150, "cadence_min": 80}});
    let limits = tracked.told("update_thresholds", set).await;
    assert_eq!(limits["limits"]["hr_max"], 150, "{limits}");
    let removed = json!({"remove": ["hr_max"]});
    let limits = tracked.told("update_thresholds", removed).await;
    assert_eq!(limits["limits"]["hr_max"], Value::Null, "{limits}");
    assert_eq!(limits["limits"]["cadence_min"], 80, "{limits}");
    // The same link gives the same race, and so does its short form.
    for text in [
        url(&tracked.links[0]),
        format!("https://gar.mn/{}", tracked.links[0].short),
    ] {
        let again = tracked.told("start_tracking", json!({"url": text})).await;
        assert_eq!(
            (&again["race"], &again["was_tracked_already"]),
            (&json!(tracked.race), &json!(true))
        );
    }
}

#[tokio::test]
async fn the_plan_changes_the_outlook_follows_and_mistakes_are_named() {
    let tracked = Tracked::start("marathon").await;
    tracked.play(3600).await;
    let race = json!(tracked.race);
    let outlook = tracked
        .told("get_outlook", json!({"race": race, "place": "km 30"}))
        .await;
    assert_eq!(outlook["place"]["state"], "ahead");
    let times = ["early", "likely", "late"].map(|time| outlook["place"][time].as_str().unwrap().to_owned());
    assert!(times.is_sorted(), "{times:?}");
    assert!(outlook["distance_left_km"].as_f64().unwrap() > 30.0);
    assert!(outlook["battery"].as_str().unwrap().starts_with("unknown"));
    let changes = json!({
        "target_time": "3:29:00", "notes": "A gel every 30 min",
        "checkpoints": [{"name": "VP1", "km": 20, "cutoff": "2:00:00", "stop_min": 2}],
        "recipients": [{"role": "crew", "units": "imperial"}], "time_zone": "asia/Kathmandu",
    });
    let changed = tracked
        .told("update_race", json!({"race": race, "changes": changes}))
        .await;
    assert_eq!(changed["plan"]["target_time"], "3:29:00");
    let names: Vec<_> = changed["places"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&names[0]["name"], &names[1]["name"]),
        (&json!("VP1"), &json!("finish"))
    );
    assert!(names[0]["margin"].as_str().unwrap().starts_with('+'));
    let sheet = tracked.told("ask_crew_sheet", json!({"race": race})).await;
    assert_eq!(
        (
            &sheet["places"][0]["mile"],
            &sheet["places"][0]["planned_stop_min"]
        ),
        (&json!(12.4), &json!(2))
    );
    assert!(sheet["places"][0]["be_there_by"].is_string());
    let status = tracked.told("get_tracking_status", json!({"race": race})).await;
    assert!(status["outlook"]["finish"]["likely"].is_string());
    assert_eq!(status["plan"]["notes"], "A gel every 30 min");
    assert_eq!(status["plan"]["time_zone"], "Asia/Kathmandu");
    let arguments = json!({"race": race, "window_min": 5, "resolution_s": 60});
    let series = tracked.told("get_timeseries", arguments).await;
    for time in [
        &status["now"],
        &status["started_at"],
        &status["outlook"]["finish"]["late"],
        &sheet["places"][0]["be_there_by"],
        &series["from"],
    ] {
        assert!(time.as_str().unwrap().ends_with("+05:45"), "{time}");
    }
    let columns = series["columns"].as_object().unwrap();
    let mut lengths = columns
        .values()
        .map(|column| json!(column.as_array().unwrap().len()));
    assert!(columns.len() == 7 && lengths.all(|length| length == series["rows"]));
    let seconds = columns["at_s"].as_array().unwrap().iter();
    assert!(
        seconds.map(|s| s.as_u64().unwrap()).is_sorted_by(|a, b| a < b),
        "{series}"
    );
    for (tool, arguments, named) in [
        ("update_race", json!({"changes": {}}), "changes"),
        (
            "update_race",
            json!({"changes": {"recipients": [{"role": "boss"}]}}),
            "recipients[0].role",
        ),
        (
            "update_race",
            json!({"changes": {"time_zone": "Vienna"}}),
            "Europe/Vienna",
        ),
        ("get_outlook", json!({"place": "nowhere"}), "place"),
    ] {
        let refused = tracked
            .world
            .told(&tracked.ann.access_token, tool, arguments)
            .await
            .unwrap_err();
        assert!(refused.contains(named), "{tool}: {refused}");
    }
}
