//! The whole system: a person connects a client to the real daemon, signs in at the simulated Garmin, and calls a
//! tool that a real worker process answers. Then parts stop, break and start again.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use garmin_gateway::accounts::Accounts;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::base::log::LogLevel;
use garmin_gateway::base::log::{Console, Telemetry};
use garmin_gateway::base::secrets::{random_token, sha256};
use garmin_gateway::config::{Config, Sources};
use garmin_gateway::daemon::{Daemon, DaemonParts, Kept};
use garmin_gateway::races::Races;
use garmin_gateway::simulator::{Simulator, SimulatorSettings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// The callback URL of the test client, where no server listens.
pub(crate) const CALLBACK: &str = "http://localhost:7777/callback";

/// A gateway, its simulated Garmin, and a browser.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
    /// A browser that keeps cookies and follows no redirect.
    pub(crate) http: reqwest::Client,
    first_port: u16,
    n_workers: u16,
    port: u16,
    clock: Clock,
    lifecycle: Lifecycle,
    more: Vec<(&'static str, &'static str)>,
}

/// The results of a client's sign-in.
pub(crate) struct Connected {
    pub(crate) client_id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::of(SimulatorSettings::default(), 10).await
    }

    /// Starts with one clock for Garmin and the gateway, which a test can move.
    pub(crate) async fn start_at(clock: Clock) -> Self {
        let settings = SimulatorSettings {
            clock,
            ..SimulatorSettings::default()
        };
        Self::of(settings, 10).await
    }

    /// Starts with these people, and at most this many workers at once.
    pub(crate) async fn of(settings: SimulatorSettings, n_workers: u16) -> Self {
        Self::with(settings, n_workers, &[]).await
    }

    /// Starts with these settings of the gateway in addition to the usual ones.
    pub(crate) async fn with(
        settings: SimulatorSettings,
        n_workers: u16,
        more: &[(&'static str, &'static str)],
    ) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let lifecycle = Lifecycle::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = settings.clock.clone();
        let simulator = Simulator::start(settings, listener, &lifecycle).unwrap();
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let mut world = Self {
            simulator,
            daemon: None,
            dir: tempfile::tempdir().unwrap(),
            http,
            first_port: ports(n_workers),
            n_workers,
            port: match more.iter().find(|(name, _)| *name == "PORT") {
                Some((_, port)) => port.parse().unwrap(),
                None => ports(1),
            },
            clock,
            lifecycle,
            more: more.to_vec(),
        };
        world.start_gateway().await;
        world
    }

    /// The gateway's settings, with the same data and the same port at each start.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let garmin = self.simulator.base_url().to_string();
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let usual = [
            ("PORT", self.port.to_string()),
            ("DATA_DIR", at("data")),
            ("RUNTIME_DIR", at("runtime")),
            ("GATEWAY_SECRET_FILE", at("secret")),
            ("INVITED", "@example.org".into()),
            ("SIGN_IN_SPACING", "0".into()),
            ("SIGN_IN_DAILY", "1000".into()),
            ("MAX_WORKERS", self.n_workers.to_string()),
            ("WORKER_PORT_START", self.first_port.to_string()),
            (
                "WORKER_PORT_END",
                (self.first_port + self.n_workers - 1).to_string(),
            ),
            ("CALLS_PER_MINUTE", "1000000".into()),
            // Many workers may start at once on a small machine.
            ("WORKER_STARTUP_TIMEOUT", "120".into()),
            ("GARMIN_SSO_URL", garmin.clone()),
            ("GARMIN_DIAUTH_URL", garmin.clone()),
            ("GARMIN_CONNECTAPI_URL", garmin.clone()),
            ("GARMIN_LIVETRACK_URL", garmin),
        ];
        let more = self.more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        usual
            .into_iter()
            .chain(more)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    pub(crate) async fn start_gateway(&mut self) {
        self.daemon = Some(start_daemon(&self.settings(), self.clock.clone()).await);
    }

    /// Stops and starts again on the same data and the same port, as an upgrade does.
    pub(crate) async fn restart(&mut self) {
        self.stop_gateway().await;
        self.start_gateway().await;
    }

    /// The same with one more setting.
    pub(crate) async fn restart_with(&mut self, name: &'static str, value: &'static str) {
        self.more.push((name, value));
        self.restart().await;
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// The directory with all of the gateway's files.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The parent of the workers' directories.
    pub(crate) fn workers_root(&self) -> PathBuf {
        self.dir.path().join("runtime/workers").canonicalize().unwrap()
    }

    /// Stops everything. The stop must succeed and leave nothing of a worker.
    pub(crate) async fn end(mut self) {
        assert!(self.daemon.take().unwrap().stop().await, "it did not stop well");
        let left = std::fs::read_dir(self.workers_root()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"], "a worker's directory is left");
        assert!(self.lifecycle.drain(Duration::from_secs(5)).await);
    }

    pub(crate) fn races(&self) -> &Races {
        self.daemon.as_ref().unwrap().races()
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        self.daemon.as_ref().unwrap().accounts()
    }

    pub(crate) async fn stop_gateway(&mut self) {
        assert!(self.daemon.take().unwrap().stop().await, "it did not stop well");
    }

    /// The path of the gateway's socket for the console.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir
            .path()
            .join("runtime")
            .join(garmin_gateway::admin::SOCKET_NAME)
    }

    /// The workers that are running now.
    pub(crate) fn workers(&self) -> Vec<garmin_gateway::workers::WorkerInfo> {
        self.daemon().workers().list()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.more.iter().any(|(name, _)| *name == "TLS_CERT") {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://localhost:{}{path}", self.port)
    }

    /// Registers a client and goes through the pages as a person does, until the code is issued.
    pub(crate) async fn authorize(
        &self,
        email: &str,
        password: &str,
        code: Option<&str>,
        verifier: &str,
    ) -> (String, Url) {
        self.authorize_for("read_only", (email, password, code), verifier)
            .await
    }

    /// The same for this access: `read_only` or `read_and_change`.
    async fn authorize_for(
        &self,
        access: &str,
        (email, password, code): (&str, &str, Option<&str>),
        verifier: &str,
    ) -> (String, Url) {
        let metadata = json!({ "client_name": "A test", "redirect_uris": [CALLBACK] });
        let registered: Value = self
            .http
            .post(self.url("/register"))
            .json(&metadata)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let client_id = registered["client_id"].as_str().unwrap().to_owned();
        let url = Url::parse_with_params(
            &self.url("/authorize"),
            [
                ("response_type", "code"),
                ("client_id", &client_id),
                ("redirect_uri", CALLBACK),
                ("code_challenge", &challenge(verifier)),
                ("code_challenge_method", "S256"),
                ("state", "xyz"),
            ],
        )
        .unwrap();
        let page = self.http.get(url).send().await.unwrap().text().await.unwrap();
        assert!(
            page.contains("A test") && page.contains("localhost"),
            "who asks is not shown"
        );
        let fields = [("email", email), ("password", password), ("access", access)];
        let mut answer = self.post(&page, "credentials", &fields).await;
        if let Some(code) = code {
            let page = answer.text().await.unwrap();
            answer = self.post(&page, "code", &[("code", code)]).await;
        }
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        let location = answer.headers()["location"].to_str().unwrap();
        (client_id, Url::parse(location).unwrap())
    }

    /// Posts a page's form, with its hidden fields.
    pub(crate) async fn post(&self, page: &str, step: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let mut form = vec![("step", step.to_owned())];
        for name in ["transaction", "csrf"] {
            form.push((name, hidden(page, name)));
        }
        form.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.http
            .post(self.url("/authorize"))
            .form(&form)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn connect(&self, email: &str, password: &str, code: Option<&str>) -> Connected {
        self.connect_for("read_only", (email, password, code)).await
    }

    /// Connects a client that may change data at Garmin.
    pub(crate) async fn connect_to_change(
        &self,
        email: &str,
        password: &str,
        code: Option<&str>,
    ) -> Connected {
        self.connect_for("read_and_change", (email, password, code)).await
    }

    async fn connect_for(&self, access: &str, person: (&str, &str, Option<&str>)) -> Connected {
        let verifier = random_token("");
        let (client_id, callback) = self.authorize_for(access, person, verifier.expose()).await;
        let answer: Vec<(String, String)> = callback.query_pairs().into_owned().collect();
        let value = |name: &str| answer.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(
            (value("state"), value("iss")),
            (Some("xyz"), Some(self.url("").as_str()))
        );
        let tokens = self
            .token(&[
                ("grant_type", "authorization_code"),
                ("client_id", &client_id),
                ("redirect_uri", CALLBACK),
                ("code", value("code").unwrap()),
                ("code_verifier", verifier.expose()),
            ])
            .await;
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Connected {
            client_id,
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
        }
    }

    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Value {
        let answer = self
            .http
            .post(self.url("/token"))
            .form(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// Sends one JSON-RPC request of the older protocol, and returns its result.
    pub(crate) async fn ask(&self, token: &str, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = self.http.post(self.url("/mcp")).bearer_auth(token).json(&body);
        let answer = answer
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        let last = text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .next_back()
            .unwrap_or(&text);
        let answer: Value = serde_json::from_str(last).unwrap();
        assert_eq!(answer["id"], 7);
        answer["result"].clone()
    }

    pub(crate) async fn call(&self, token: &str, tool: &str, arguments: Value) -> Value {
        self.ask(
            token,
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
        .await
    }

    /// A tool's answer as JSON, or its message if it refuses.
    pub(crate) async fn told(&self, token: &str, tool: &str, arguments: Value) -> Result<Value, String> {
        let result = self.call(token, tool, arguments).await;
        let text = result["content"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if result["isError"] == true {
            return Err(text);
        }
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| panic!("{tool}: {result}")))
    }

    pub(crate) async fn full_name(&self, token: &str) -> String {
        let result = self.call(token, "get_full_name", json!({})).await;
        let text = result["content"][0]["text"].as_str().unwrap();
        let told: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
        told["full_name"].as_str().unwrap().to_owned()
    }
}

/// The variable that names the gateway's binary when a test runs other tests with a copy of it.
pub(crate) const PROGRAM_VARIABLE: &str = "GATEWAY_UNDER_TEST";

/// The gateway's binary.
pub(crate) fn program() -> PathBuf {
    std::env::var_os(PROGRAM_VARIABLE)
        .map_or_else(|| env!("CARGO_BIN_EXE_garmin-gateway").into(), PathBuf::from)
}

/// Starts a gateway with these settings.
pub(crate) async fn start_daemon(settings: &[(String, String)], clock: Clock) -> Daemon {
    drop(rustls::crypto::ring::default_provider().install_default());
    let pairs = settings.iter().map(|(name, value)| (&**name, &**value));
    let sources = Sources::of_pairs(pairs);
    let parts = DaemonParts {
        config: Config::load(&sources).unwrap(),
        sources,
        telemetry: log().clone(),
        races_clock: clock.clone(),
        clock,
        program: program(),
        kept: Kept::default(),
    };
    Daemon::start(parts).await.unwrap()
}

/// The first of `n` ports that are given to no other test in this process. The kernel never assigns them on its own,
/// so they stay free while nothing listens on them.
pub(crate) fn ports(n: u16) -> u16 {
    static NEXT: Mutex<u16> = Mutex::new(24_010);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    *next += n;
    *next - n
}

/// One log for the whole process: every test's gateway writes to it, and the leak test reads it.
pub(crate) fn log() -> &'static Telemetry {
    static LOG: OnceLock<Telemetry> = OnceLock::new();
    LOG.get_or_init(|| Telemetry::start(Console::Stderr, None, LogLevel::Debug, Clock::system()).unwrap())
}

pub(crate) fn challenge(verifier: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let tag = page
        .split('<')
        .find(|tag| tag.starts_with("input") && tag.contains(&format!("name=\"{name}\"")))
        .unwrap_or_else(|| panic!("no field {name} in the page:\n{page}"));
    tag.split_once("value=\"")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn from_sign_in_to_a_tools_answer_over_a_restart() {
    let mut world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    assert_eq!(world.full_name(&ben.access_token).await, "Ben Example");

    let tools = world.ask(&ann.access_token, "tools/list", json!({})).await;
    let tools = tools["tools"].as_array().unwrap();
    assert!(tools.iter().all(|tool| tool["title"].is_string()));
    // Ann's client may only read Garmin's data. It may change only her own races and her list of tools, which are not
    // stored at Garmin.
    let changing: Vec<_> = tools
        .iter()
        .filter(|tool| tool["annotations"]["readOnlyHint"] != true)
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    let own = [
        "choose_tools",
        "keep_history",
        "open_my_page",
        "set_coach",
        "start_tracking",
        "stop_tracking",
        "update_thresholds",
        "update_race",
        "trigger_analysis",
        "send_coaching_message",
        "share_race",
        "watch_place",
        "set_phone",
    ];
    assert_eq!(changing, own);
    for (chosen, is_listed) in [
        ("get_floors", true),
        ("default", false),
        ("all", true),
        ("default", false),
    ] {
        let arguments = json!({ "tools": chosen });
        world
            .told(&ann.access_token, "choose_tools", arguments)
            .await
            .unwrap();
        let list = world.ask(&ann.access_token, "tools/list", json!({})).await;
        let has_floors = list.to_string().contains("\"get_floors\"");
        assert_eq!(has_floors, is_listed, "{chosen}");
    }

    world.restart().await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let refreshed = world
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", &ben.client_id),
            ("refresh_token", &ben.refresh_token),
        ])
        .await;
    assert_eq!(
        world.full_name(refreshed["access_token"].as_str().unwrap()).await,
        "Ben Example"
    );

    let revoked = [("token", ben.refresh_token.as_str())];
    assert_eq!(
        world
            .http
            .post(world.url("/revoke"))
            .form(&revoked)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let refused = world
        .http
        .post(world.url("/mcp"))
        .bearer_auth(&ben.access_token)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    assert!(world.daemon.take().unwrap().stop().await);
    assert!(world.lifecycle.drain(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_killed_worker_goes_unnoticed() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let daemon = world.daemon.as_ref().unwrap();
    let pid = daemon.workers().list()[0].process.as_ref().unwrap().pid;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    world.daemon.unwrap().stop().await;
}

#[tokio::test]
async fn no_secret_is_in_the_log_or_readable_on_the_disk() {
    let mut world = World::start().await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let today = json!({ "date": "2026-11-01" });
    world.call(&ben.access_token, "get_stats", today).await;
    let account = world
        .daemon
        .as_ref()
        .unwrap()
        .accounts()
        .list()
        .unwrap()
        .remove(0);
    let held = world
        .daemon
        .as_ref()
        .unwrap()
        .accounts()
        .tokens(&account.id)
        .unwrap()
        .unwrap();
    assert!(world.daemon.take().unwrap().stop().await);

    let refresh_of_garmin = held.tokens.di_refresh_token.unwrap();
    let secrets = [
        "demo-ben",
        "ben@example.org",
        "Ben Example",
        &ben.access_token,
        &ben.refresh_token,
        held.tokens.di_token.expose(),
        refresh_of_garmin.expose(),
    ];
    let (events, _) = log().ring().follow();
    let lines: String = events.iter().map(|event| event.to_json()).collect();
    assert!(lines.contains("account.linked") && lines.contains("worker.ready"));
    let data: Vec<PathBuf> = files_below(world.dir.path());
    for secret in secrets {
        assert!(
            !lines.contains(secret),
            "a secret is in the log: {} letters",
            secret.len()
        );
        for file in &data {
            let bytes = std::fs::read(file).unwrap();
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(
                !found,
                "a secret of {} letters is in {}",
                secret.len(),
                file.display()
            );
        }
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}
