//! Runs the built-in worker as a process, and tests every tool over both transports against the simulator.

mod activities;
mod http;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::secrets::Secret;
use garmin_gateway::garmin::{self, Credentials, GovernorSettings, SignInOutcome, SignIns, TokenFile};
use garmin_gateway::simulator::{Fault, FaultRule, Place, Simulator, SimulatorSettings};
use garmin_gateway::tools;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::outputs;
use crate::whole::ports;

const ANN: (&str, &str) = ("ann@example.org", "demo-ann");
/// An upper bound for every operation in these tests.
const LONG: Duration = Duration::from_secs(20);

/// A simulated Garmin where Ann has signed in, and the directory with her tokens.
pub(crate) struct House {
    pub(crate) simulator: Simulator,
    directory: tempfile::TempDir,
    _lifecycle: Lifecycle,
}

impl House {
    pub(crate) async fn build() -> Self {
        // Installing fails if another test has already installed a provider.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (lifecycle, clock) = (Lifecycle::new(), Clock::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = Simulator::start(SimulatorSettings::default(), listener, &lifecycle).unwrap();
        let http = garmin::client(&simulator.hosts()).unwrap();
        let sign_ins = SignIns::new(simulator.hosts(), http, clock, GovernorSettings::without_pauses());
        let credentials = Credentials {
            email: ANN.0.to_owned(),
            password: Secret::new(ANN.1),
        };
        let SignInOutcome::SignedIn(ann) = sign_ins.begin(credentials).await else {
            panic!("Ann signs in")
        };
        let directory = tempfile::tempdir().unwrap();
        TokenFile::new(directory.path().join("garmin_tokens.json"))
            .write(&ann.tokens)
            .unwrap();
        Self {
            simulator,
            directory,
            _lifecycle: lifecycle,
        }
    }

    fn command(&self, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_garmin-gateway"));
        command
            .arg("worker")
            .env_clear()
            .env("TZ", "UTC")
            .env("GARMINTOKENS", self.directory.path())
            .env("GARMIN_CONNECTAPI_URL", self.simulator.base_url().as_str())
            .env("GARMIN_DIAUTH_URL", self.simulator.base_url().as_str())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// A worker that communicates over standard input and output.
    pub(crate) fn worker(&self, variables: &[(&str, &str)]) -> Worker {
        let mut child = self.command(variables).spawn().unwrap();
        Worker {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            id: 0,
        }
    }

    fn mark(&self) -> PathBuf {
        self.directory.path().join("sign_in_needed")
    }
}

pub(crate) struct Worker {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    child: Child,
    id: i64,
}

impl Worker {
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let message = json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params});
        self.input
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
        let line = timeout(LONG, self.output.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], self.id);
        answer["result"].clone()
    }

    /// Calls a tool, and returns the text of the result and whether it is an error.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> (String, bool) {
        let result = self
            .ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await;
        told(&result)
    }

    pub(crate) async fn json(&mut self, tool: &str, arguments: Value) -> Value {
        let (text, failed) = self.call(tool, arguments).await;
        assert!(!failed, "{tool}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{tool}: {text}"))
    }

    async fn text(&mut self, tool: &str, arguments: Value) -> String {
        let (text, failed) = self.call(tool, arguments).await;
        assert!(!failed, "{tool}: {text}");
        text
    }

    pub(crate) async fn failure(&mut self, tool: &str, arguments: Value) -> String {
        let (text, failed) = self.call(tool, arguments).await;
        assert!(failed, "{tool}: {text}");
        text
    }
}

fn told(result: &Value) -> (String, bool) {
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    let failed = result["isError"].as_bool().unwrap();
    // `structuredContent` is the answer itself. A bare list is wrapped in an object, and a plain text has none.
    let parsed = serde_json::from_str::<Value>(&text).ok();
    let structured = parsed.map_or(Value::Null, |parsed| match parsed {
        Value::Object(_) => parsed,
        list => json!({"result": list}),
    });
    assert_eq!(result["structuredContent"], structured);
    (text, failed)
}

pub(crate) fn today() -> Date {
    Clock::system().now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Today where the simulated people live.
pub(crate) fn own_today() -> Date {
    let vienna = jiff::tz::TimeZone::get("Europe/Vienna").unwrap();
    Clock::system().now().to_zoned(vienna).date()
}

/// The tools that have exactly these required parameters.
fn tools_taking(required: &[&str]) -> Vec<String> {
    let lists: Value = serde_json::from_str(&tools::lists().tools).unwrap();
    let takes = |tool: &&Value| {
        let given: Vec<&str> = tool["inputSchema"]["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        given == required && tool["annotations"]["readOnlyHint"] == true
    };
    lists["tools"]
        .as_array()
        .unwrap()
        .iter()
        .filter(takes)
        .map(|tool| tool["name"].as_str().unwrap().into())
        .collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of tools and what they tell")]
async fn every_tool_tells_what_garmin_holds() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let hello = worker
        .ask(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
        )
        .await;
    assert_eq!(hello["protocolVersion"], "2025-11-25");
    let listed = worker.ask("tools/list", json!({})).await;
    assert_eq!(
        listed,
        serde_json::from_str::<Value>(&tools::lists().tools).unwrap()
    );

    // The day of the newest run certainly has data.
    let page =
        json!({"start_date": today() - 60.days(), "end_date": today() - 1.day(), "activity_type": "running"});
    let runs = worker.json("get_activities_by_date", page).await;
    let day: Date = runs["activities"][0]["start_time"].as_str().unwrap()[..10]
        .parse()
        .unwrap();
    let run = runs["activities"][0]["id"].clone();
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    let range = json!({"start_date": day - 40.days(), "end_date": day});
    let short = json!({"start_date": day - 20.days(), "end_date": day});
    let month = json!({"start_date": day - 20.days(), "end_date": day, "metric": "distance"});
    let forms = [
        (&["date"][..], json!({"date": day})),
        (&["start_date", "end_date"], range.clone()),
        (&["start_date", "end_date", "metric"], month.clone()),
        (
            &["device_id", "date"],
            json!({"device_id": "3400000001", "date": day}),
        ),
        (&["start_date"], range),
        (&["end_date"], json!({"end_date": day, "weeks": 3})),
        (&["metric"], json!({"metric": "sleep"})),
        (&["metric", "other"], json!({"metric": "sleep", "other": "hrv"})),
        (&[], json!({})),
    ];
    for (required, arguments) in forms {
        for tool in tools_taking(required)
            .into_iter()
            .filter(|tool| !["get_daily_weigh_ins", "get_scheduled_workouts"].contains(&tool.as_str()))
        {
            // Trends send one request per day, so they accept only a shorter range.
            let is_short =
                tool.ends_with("_trend") && !["get_trend", "get_vo2max_trend"].contains(&tool.as_str());
            let arguments = if is_short {
                short.clone()
            } else {
                arguments.clone()
            };
            let answer = worker.json(&tool, arguments).await;
            assert!(answer != json!([]) && answer != json!({}), "{tool}");
            answers.insert(tool, answer);
        }
    }
    // The person does not weigh in every day, so this tool needs a day with a weigh-in.
    let weighed = answers["get_weigh_ins"]["measurements"][0]["date"].clone();
    let of_day = worker.json("get_daily_weigh_ins", json!({"date": weighed})).await;
    assert_eq!(
        of_day["measurements"][0]["weight_kg"],
        answers["get_weigh_ins"]["measurements"][0]["weight_kg"]
    );
    answers.insert("get_daily_weigh_ins".into(), of_day);
    // A run has data that strength training lacks, and vice versa.
    let activities = answers["get_activities_by_date"]["activities"]
        .as_array()
        .unwrap()
        .clone();
    let strength = activities
        .iter()
        .find(|activity| activity["type"] == "strength_training")
        .unwrap()["id"]
        .clone();
    for tool in tools_taking(&["activity_id"]) {
        let (has, lacks) = match tool.as_str() {
            "get_activity_exercise_sets" => (&strength, Some(&run)),
            "get_activity"
            | "get_training_effect"
            | "get_activity_splits"
            | "get_activity_hr_in_timezones"
            | "get_activity_fit_data"
            | "get_activity_fit_messages"
            | "get_activity_timeseries"
            | "download_activity_file" => (&run, None),
            _ => (&run, Some(&strength)),
        };
        answers.insert(
            tool.clone(),
            worker.json(&tool, json!({"activity_id": has})).await,
        );
        if let Some(lacks) = lacks {
            let nothing = worker.text(&tool, json!({"activity_id": lacks})).await;
            assert!(nothing.starts_with("No "), "{tool}: {nothing}");
        }
        let unknown = worker.text(&tool, json!({"activity_id": 12})).await;
        assert!(
            unknown.starts_with("No ") || tool == "get_activity_gear",
            "{tool}: {unknown}"
        );
    }
    assert!(answers.len() > 90, "{}", answers.len());

    for question in [
        "get_training_overview",
        "get_trend",
        "find_unusual",
        "baseline",
        "compare_periods",
        "correlate",
        "get_training_volume",
        "analyze_activity",
        "compare_activities",
        "find_similar_activities",
        "get_zone_distribution",
        "get_day_profile",
    ] {
        let described = outputs::check(question, &answers[question]);
        assert!(described >= 3, "{question}: {}", answers[question]);
    }
    for question in [
        "analyze_activity",
        "compare_activities",
        "find_similar_activities",
        "get_power_duration_curve",
    ] {
        let unknown = worker
            .failure(question, json!({"activity_type": "walkin_g"}))
            .await;
        assert!(unknown.contains("similar: walking"), "{question}: {unknown}");
    }
    let nothing = json!({"activity_type": "walking"});
    let nothing = worker.json("compare_activities", nothing).await;
    assert_eq!(nothing, json!({"nothing": "No such activities found."}));
    assert_eq!(outputs::check("compare_activities", &nothing), 1);

    // Several tools must agree about one day.
    let stats = &answers["get_stats"];
    assert_eq!(answers["get_full_name"], json!({"full_name": "Ann Example"}));
    assert_eq!(
        answers["get_heart_rates_summary"]["resting_heart_rate_bpm"],
        stats["resting_heart_rate_bpm"]
    );
    assert_eq!(
        answers["get_sleep_summary"]["resting_heart_rate_bpm"],
        stats["resting_heart_rate_bpm"]
    );
    assert_eq!(
        answers["get_stress_summary"]["avg_stress_level"],
        stats["avg_stress_level"]
    );
    assert_eq!(answers["get_user_summary"]["totalSteps"], stats["total_steps"]);
    assert_eq!(answers["get_daily_steps"]["totalSteps"][40], stats["total_steps"]);
    assert_eq!(
        answers["get_body_battery"][40]["charged"],
        stats["body_battery_charged"]
    );
    assert_eq!(answers["get_activity"]["id"], run);
    assert!(answers["get_morning_training_readiness"]["readiness_score"].is_number());
}

#[tokio::test]
async fn days_without_data_are_told_in_words() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let before_all = Date::constant(2021, 1, 10);
    for tool in tools_taking(&["date"]) {
        // For these tools Garmin returns a document with empty fields.
        if [
            "get_stats",
            "get_user_summary",
            "get_stats_and_body",
            "get_sleep_data",
        ]
        .contains(&tool.as_str())
        {
            continue;
        }
        let text = worker.text(&tool, json!({"date": before_all})).await;
        assert!(
            text.starts_with("No ") && text.trim_end_matches('.').ends_with(&before_all.to_string()),
            "{tool}: {text}"
        );
        // Meals can be planned and cycles predicted, so future days are valid.
        if tool.contains("nutrition") || tool.contains("menstrual") {
            continue;
        }
        let future = worker.failure(&tool, json!({"date": today() + 10.days()})).await;
        assert!(future.contains("is in the future"), "{tool}: {future}");
    }
    let text = worker
        .text("get_weekly_steps", json!({"end_date": "2001-01-01"}))
        .await;
    assert_eq!(text, "No weekly steps data found for 4 weeks ending 2001-01-01");
    // `today` is the person's own day, which begins before that of UTC. Midnight may pass during the call.
    let before = own_today();
    let stats = worker.json("get_stats", json!({"date": "today"})).await;
    let days = [before.to_string(), own_today().to_string()];
    assert!(
        days.iter().any(|day| stats["date"] == *day),
        "{stats} is not of {days:?}"
    );
}

#[tokio::test]
async fn each_failure_has_its_own_words() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let mut day = today();
    let mut next = || {
        day -= 1.day();
        json!({"date": day})
    };
    worker.json("get_stats", next()).await;
    let breaks = |fault| house.simulator.add_fault(FaultRule::new(Place::Api, fault));
    for (fault, told) in [
        (Fault::Status { status: 503 }, "Garmin Connect is unreachable."),
        (Fault::HangUp, "Garmin Connect is unreachable."),
        (
            Fault::Status { status: 403 },
            "Garmin refused the request (status 403)",
        ),
        (Fault::Status { status: 404 }, "Garmin has nothing there"),
        (Fault::ChangedShape, "Garmin changed its answer"),
        (
            Fault::RateLimited {
                retry_after_s: Some(90),
                in_body: false,
            },
            "Garmin limits how often it is asked. Try again in ",
        ),
    ] {
        house.simulator.clear_faults();
        breaks(fault);
        let text = worker.failure("get_stats", next()).await;
        assert!(
            text.starts_with(&format!("Error retrieving stats: {told}")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_long_answer_comes_in_pages() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let rows: Vec<Value> = (0..30_000)
        .map(|n| json!([1_768_000_000_000_i64 + n * 120_000, n]))
        .collect();
    house.simulator.put_document(
        "/wellness-service/wellness/dailyStress/2026-01-08",
        json!({"stressValuesArray": rows}),
    );
    let (mut cursor, mut seen) = (0, 0);
    loop {
        let page = worker
            .json("get_stress_data", json!({"date": "2026-01-08", "cursor": cursor}))
            .await;
        assert!(page.to_string().chars().count() <= 64_000);
        seen += page["stressValuesArray"]["stress"].as_array().unwrap().len();
        match page["page"]["cursor"].as_i64() {
            Some(next) => cursor = next,
            None => break,
        }
    }
    assert_eq!(seen, 30_000);
}

#[tokio::test]
async fn filters_hide_tools() {
    let house = House::build().await;
    let names = async |variables: &[(&str, &str)]| -> Vec<String> {
        let listed = house.worker(variables).ask("tools/list", json!({})).await;
        listed["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&[("GARMIN_ENABLED_TOOLS", "Get_Stats, count_activities,typo")]).await,
        ["count_activities", "get_stats"]
    );
    let left = names(&[("GARMIN_DISABLED_TOOLS", "get_stats")]).await;
    let all = names(&[]).await.len();
    assert!(left.len() == all - 1 && !left.contains(&"get_stats".to_owned()));
    let mut worker = house.worker(&[("GARMIN_DISABLED_TOOLS", "get_stats")]);
    assert_eq!(
        worker.failure("get_stats", json!({"date": "today"})).await,
        "Unknown tool: get_stats"
    );
}
