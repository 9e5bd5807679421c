//! Runs the built-in worker as a process, and tests every tool over both transports against the simulator.

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
                month.clone()
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
        assert!(unknown.contains("near it: walking"), "{question}: {unknown}");
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

/// The file of an activity, its documents and its resource agree.
#[tokio::test]
async fn an_activitys_file_agrees_with_its_documents() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let rides =
        json!({"start_date": today() - 60.days(), "end_date": today() - 1.day(), "activity_type": "cycling"});
    let rides = worker.json("get_activities_by_date", rides).await;
    let id = rides["activities"][0]["id"].clone();
    let ride = worker.json("get_activity", json!({"activity_id": id})).await;
    let data = worker
        .json("get_activity_fit_data", json!({"activity_id": id}))
        .await;
    let near = |one: &Value, other: &Value, by: f64| {
        let [one, other] = [one, other].map(|value| value.as_f64().unwrap());
        assert!((one - other).abs() <= by, "{one} {other}");
    };
    near(
        &data["session"]["total_distance_m"],
        &ride["distance_meters"],
        1.0,
    );
    near(&data["session"]["avg_power_w"], &ride["avg_power_watts"], 1.0);
    near(
        &data["session"]["normalized_power_w"],
        &ride["normalized_power_watts"],
        1.0,
    );
    assert_eq!(json!(data["laps"].as_array().unwrap().len()), ride["lap_count"]);
    let start = data["session"]["start_time"].as_str().unwrap();
    assert!(
        start.starts_with(&ride["start_time_local"].as_str().unwrap()[..16]) && start.ends_with("+01:00"),
        "{start}"
    );
    near(
        &data["power_duration_curve"]["60min"],
        &ride["avg_power_watts"],
        10.0,
    );
    assert!(data["session"]["hr_drift"]["hr_drift_pct"].is_number());

    let series = json!({"activity_id": id, "window": "lap 2", "metrics": "hr, power", "resolution": 30});
    let series = worker.json("get_activity_timeseries", series).await;
    assert_eq!(series["interval_s"], 30.0);
    let powers = series["columns"]["power_w"].as_array().unwrap();
    assert_eq!(json!(powers.len()), series["rows"]);
    let unknown = json!({"activity_id": id, "window": "lap 999"});
    assert!(
        worker
            .failure("get_activity_timeseries", unknown)
            .await
            .contains("there is no lap 999")
    );
    let laps = worker
        .json(
            "get_activity_fit_messages",
            json!({"activity_id": id, "message": "lap", "limit": 2}),
        )
        .await;
    assert_eq!(
        (laps["items"].as_array().unwrap().len(), &laps["next_start"]),
        (2, &json!(2))
    );
    let curve = worker
        .json("get_power_duration_curve", json!({"num_activities": 50}))
        .await;
    assert!(curve["ftp_estimate_w"].as_f64() > Some(100.0));

    let result = worker
        .ask(
            "tools/call",
            json!({"name": "download_activity_file", "arguments": {"activity_id": id, "format": "gpx"}}),
        )
        .await;
    let link = &result["content"][1];
    assert_eq!(
        (&link["type"], &link["mimeType"]),
        (&json!("resource_link"), &json!("application/gpx+xml"))
    );
    let read = worker.ask("resources/read", json!({"uri": link["uri"]})).await;
    let content = &read["contents"][0];
    assert_eq!((&content["uri"], &content["size"]), (&link["uri"], &link["size"]));
    assert!(content["blob"].is_string());
    let template = worker
        .ask("resources/read", json!({"uri": "workout://templates/tempo-run"}))
        .await;
    assert!(
        template["contents"][0]["text"]
            .as_str()
            .unwrap()
            .contains("heart.rate.zone")
    );
    for unknown in [
        "garmin://activity/7/fit",
        "garmin://activity/7/exe",
        "workout://templates/x",
    ] {
        // An error has no result.
        assert_eq!(
            worker.ask("resources/read", json!({"uri": unknown})).await,
            Value::Null,
            "{unknown}"
        );
    }
    let templates = worker.ask("resources/templates/list", json!({})).await;
    assert_eq!(templates["resourceTemplates"].as_array().unwrap().len(), 5);
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
    let stats = worker.json("get_stats", json!({"date": "today"})).await;
    assert_eq!(stats["date"], today().to_string());
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
async fn a_multisport_activity_is_told_with_its_parts_by_every_tool() {
    let house = House::build().await;
    let mut worker = house.worker(&[]);
    let list = worker.json("get_activities", json!({"limit": 100})).await;
    let of = |kind: &str| {
        let found = list["activities"]
            .as_array()
            .unwrap()
            .iter()
            .find(|activity| activity["type"] == kind);
        found.unwrap()["id"].as_i64().unwrap()
    };
    let parts = [of("lap_swimming"), of("cycling"), of("running"), 13];
    let parent = json!({
        "activityId": 77, "activityName": "Triathlon", "isMultiSportParent": true,
        "activityTypeDTO": {"typeId": 89, "typeKey": "multi_sport"},
        "summaryDTO": {"duration": 9000.5, "distance": 51500.0},
        "metadataDTO": {"childIds": parts, "lapCount": 0},
    });
    let simulator = &house.simulator;
    simulator.put_document("/activity-service/activity/77", parent);
    simulator.put_document(
        "/activity-service/activity/77/splits",
        json!({"activityId": 77, "lapDTOs": []}),
    );

    let whole = worker.json("get_activity", json!({"activity_id": 77})).await;
    assert_eq!(
        (&whole["name"], &whole["is_multisport"]),
        (&json!("Triathlon"), &json!(true))
    );
    let told = whole["parts"].as_array().unwrap();
    let types: Vec<_> = told.iter().map(|part| part["type"].clone()).collect();
    assert_eq!(
        types,
        [
            json!("lap_swimming"),
            json!("cycling"),
            json!("running"),
            Value::Null
        ]
    );
    assert!(
        told[..3]
            .iter()
            .all(|part| part["duration_seconds"].is_number() && part["distance_meters"].is_number())
    );
    assert_eq!(told[3], json!({"activity_id": 13, "summary_missing": true}));

    // Every tool with an activity id accepts the parent and answers for each part.
    for tool in tools_taking(&["activity_id"]) {
        let answer = worker.json(&tool, json!({"activity_id": 77})).await;
        let told = answer["parts"]
            .as_array()
            .unwrap_or_else(|| panic!("{tool}: {answer}"));
        assert_eq!(told.len(), parts.len(), "{tool}");
    }
    let laps = worker
        .json("get_activity_splits", json!({"activity_id": 77}))
        .await;
    let run = worker
        .json("get_activity_splits", json!({"activity_id": parts[2]}))
        .await;
    assert_eq!(laps["parts"][2]["answer"], run);
    assert!(
        laps["parts"][3]["nothing"]
            .as_str()
            .unwrap()
            .starts_with("No splits")
    );
    // A part that is requested on its own is an ordinary activity.
    let alone = worker
        .json("get_activity", json!({"activity_id": parts[1]}))
        .await;
    assert!(alone["parts"].is_null());
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

/// A worker that serves HTTP, started the way the gateway starts it.
struct Listening {
    child: Child,
    life_line: Option<ChildStdin>,
    address: SocketAddr,
    http: reqwest::Client,
}

impl Listening {
    async fn start(house: &House) -> Self {
        let port = ports(1);
        let variables = [
            ("GARMIN_MCP_TRANSPORT", "streamable-http"),
            ("GARMIN_MCP_PORT", &port.to_string()),
        ];
        let mut child = house.command(&variables).spawn().unwrap();
        let life_line = child.stdin.take();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let worker = Self {
            child,
            life_line,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            http,
        };
        let ready = async {
            while worker.http.get(worker.url("/healthz")).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, ready).await.expect("the worker listens");
        worker
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn post(&self, message: &Value, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self
            .http
            .post(self.url("/mcp"))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(message.to_string()).send().await.unwrap()
    }

    async fn ends(&mut self) -> std::process::ExitStatus {
        timeout(LONG, self.child.wait())
            .await
            .expect("the worker ends")
            .unwrap()
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

#[tokio::test]
async fn http_is_spoken_as_fastmcp_speaks_it() {
    let house = House::build().await;
    let worker = Listening::start(&house).await;
    let health = worker.http.get(worker.url("/healthz")).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");

    let hello = request(
        "initialize",
        &json!({"protocolVersion": "2025-11-25", "capabilities": {}}),
    );
    let opened = worker
        .post(&hello, &[("accept", "application/json, text/event-stream")])
        .await;
    assert_eq!(opened.headers()["content-type"], "application/json");
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(
        worker
            .post(&noted, &[("mcp-session-id", &session)])
            .await
            .status(),
        202
    );
    let call = request("tools/call", &json!({"name": "get_full_name", "arguments": {}}));
    for headers in [
        &[("mcp-session-id", session.as_str())][..],
        &[],
        &[("accept", "*/*"), ("mcp-session-id", "lost")],
    ] {
        let answer: Value =
            serde_json::from_str(&worker.post(&call, headers).await.text().await.unwrap()).unwrap();
        assert_eq!(
            told(&answer["result"]),
            ("{\"full_name\":\"Ann Example\"}".to_owned(), false)
        );
    }
    assert_eq!(
        worker.post(&call, &[("host", "evil.example")]).await.status(),
        421
    );
    assert_eq!(
        worker
            .post(&call, &[("origin", "https://evil.example")])
            .await
            .status(),
        403
    );
    assert_eq!(worker.post(&json!([]), &[]).await.status(), 400);
    assert_eq!(
        worker.http.get(worker.url("/mcp")).send().await.unwrap().status(),
        405
    );
    assert_eq!(
        worker
            .http
            .delete(worker.url("/mcp"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 20));
    let refused = worker.http.post(worker.url("/mcp")).body(large).send().await;
    assert!(refused.is_err() || refused.unwrap().status() == 413);
}

#[tokio::test]
async fn a_worker_ends_with_its_gateway() {
    let house = House::build().await;
    let mut worker = Listening::start(&house).await;
    drop(worker.life_line.take());
    assert!(worker.ends().await.success());

    let mut worker = Listening::start(&house).await;
    let id = i32::try_from(worker.child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(worker.ends().await.success());

    let mut by_lines = house.worker(&[]);
    drop(by_lines.input);
    assert!(
        timeout(LONG, by_lines.child.wait())
            .await
            .unwrap()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn the_end_of_a_sign_in_is_told_to_the_person_and_to_the_gateway() {
    let house = House::build().await;
    let worker = Listening::start(&house).await;
    let call = request("tools/call", &json!({"name": "get_full_name"}));
    let told_now = async || -> (String, bool) {
        let text = worker.post(&call, &[]).await.text().await.unwrap();
        told(&serde_json::from_str::<Value>(&text).unwrap()["result"])
    };
    house.simulator.revoke(ANN.0);
    let (text, failed) = told_now().await;
    assert!(
        failed && text.contains("sign in again") && text.contains("/link"),
        "{text}"
    );
    assert!(house.mark().is_file());
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
