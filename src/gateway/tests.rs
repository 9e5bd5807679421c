//! Tests of the gateway with a fake worker: what a client gets, and what the worker receives.

mod calls;
mod discovery;
mod fake_worker;
mod foreign;
mod protocol;
mod views;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;
use crate::accounts::{AccountId, Accounts};
use crate::advice::{Advice, AdviceParts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Traces;
use crate::base::secrets::{RootSecret, TokenHash};
use crate::config::{GarminHosts, Live, PublicUrl};
use crate::garmin::livetrack::LiveTrack;
use crate::garmin::{GovernorSettings, SignIns};
use crate::history::History;
use crate::mcp::revision::MODERN;
use crate::mcp::{Access, McpError, RequestHeaders};
use crate::notify::{Notifier, NotifierParts};
use crate::oauth::{FamilyId, Grant, OAuth, OAuthParts};
use crate::race::ending::EndRules;
use crate::races::{RaceGrant, Races, RacesParts};
use crate::store::Store;
use crate::workers::Workers;

use fake_worker::{FakeWorker, Scripted};

pub(super) const PUBLIC: &str = "https://garmin.example.com";
const TOOLS: &str = r#"{"tools":[{"name":"get_stats","inputSchema":{"type":"object"}},{"name":"add_weigh_in"},
    {"name":"delete_workout"},{"name":"unclassified"}]}"#;
const RESOURCES: &str = r#"{"resources":[{"uri":"workout://templates/simple-run","name":"simple"}]}"#;

fn race_grant() -> RaceGrant {
    RaceGrant {
        race: "race_abcdefgh12345678".parse().unwrap(),
        account: account("a"),
        token: TokenHash::of("grc_a"),
    }
}

fn oauth(
    store: &Store,
    clock: &Clock,
    lifecycle: &Lifecycle,
    public_url: &PublicUrl,
    live: &watch::Receiver<Live>,
) -> OAuth {
    rustls::crypto::ring::default_provider().install_default().ok();
    let hosts = GarminHosts::at(&"http://127.0.0.1:9".parse().unwrap());
    let http = crate::garmin::client(&hosts).unwrap();
    OAuth::new(OAuthParts {
        store: store.clone(),
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
        accounts: Accounts::new(store.clone(), clock.clone(), live.clone()),
        sign_ins: SignIns::new(hosts, http, clock.clone(), GovernorSettings::default()),
        public_url: public_url.clone(),
        sign_in_ttl: None,
        live: live.clone(),
    })
}

/// `garmin` is the address of LiveTrack.
fn races(
    garmin: &str,
    store: &Store,
    clock: &Clock,
    live: &watch::Receiver<Live>,
    lifecycle: &Lifecycle,
) -> Races {
    let hosts = GarminHosts::at(&garmin.parse().unwrap());
    let http = crate::garmin::client(&hosts).unwrap();
    let notifier = NotifierParts {
        store: store.clone(),
        clock: clock.clone(),
        accounts: Accounts::new(store.clone(), clock.clone(), live.clone()),
        public_url: String::new(),
        live: live.clone(),
    };
    let races = Races::start(RacesParts {
        store: store.clone(),
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
        livetrack: LiveTrack::new(http, hosts, clock.clone()),
        rules: EndRules::default(),
        notifier: Notifier::start(notifier, lifecycle),
        time_zone: None,
        coach: None,
        traces: Traces::off(),
        public_url: String::new(),
    });
    races.unwrap()
}

fn result(json: &str) -> Scripted {
    Scripted::Result(json.to_owned())
}

fn account(letter: &str) -> AccountId {
    format!("acc_{}", letter.repeat(16)).parse().unwrap()
}

/// A gateway under test, with its surroundings.
struct Bench {
    gateway: Gateway,
    worker: FakeWorker,
    /// A server that accepts connections and never answers.
    garmin: TcpListener,
    live: watch::Sender<Live>,
    store: Store,
    lifecycle: Lifecycle,
    access: Access,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new(access: Access) -> Self {
        let lists = WorkerLists::BuiltIn {
            tools: TOOLS.to_owned(),
            resources: RESOURCES.to_owned(),
            resource_templates: "[]".to_owned(),
        };
        Self::with(access, lists, tempfile::tempdir().unwrap()).await
    }

    async fn with(access: Access, lists: WorkerLists, dir: tempfile::TempDir) -> Self {
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let lifecycle = Lifecycle::new();
        let worker = FakeWorker::start(&lifecycle).await;
        let garmin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let garmin_url = format!("http://{}", garmin.local_addr().unwrap());
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let public_url = PublicUrl::parse(PUBLIC).unwrap();
        let (live, settings) = watch::channel(Live {
            calls_per_minute: 1_000,
            ..Live::default()
        });
        let history = History::new(store.clone(), clock.clone());
        let accounts = Accounts::new(store.clone(), clock.clone(), settings.clone());
        let notifier = NotifierParts {
            store: store.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            public_url: String::new(),
            live: settings.clone(),
        };
        let advice = AdviceParts {
            store: store.clone(),
            clock: clock.clone(),
            accounts: accounts.clone(),
            history: history.clone(),
            notifier: Notifier::start(notifier, &lifecycle),
            claude: None,
            link: format!("{PUBLIC}/link"),
        };
        let gateway = Gateway::start(GatewayParts {
            oauth: oauth(&store, &clock, &lifecycle, &public_url, &settings),
            workers: Workers::attached(worker.port(), &lifecycle),
            history_workers: None,
            history,
            advice: Advice::start(advice, &lifecycle),
            lists,
            races: races(&garmin_url, &store, &clock, &settings, &lifecycle),
            accounts,
            public_url,
            live: settings,
            store: store.clone(),
            clock,
            lifecycle: lifecycle.clone(),
        });
        Bench {
            gateway: gateway.unwrap(),
            worker,
            garmin,
            live,
            store,
            lifecycle,
            access,
            _dir: dir,
        }
    }

    fn caller(&self) -> Caller {
        Caller::from(Grant {
            account: account("a"),
            access: self.access,
            client_id: "client".to_owned(),
            family: Self::family(),
        })
    }

    fn family() -> FamilyId {
        "fam_abcdefghijklmnop".parse().unwrap()
    }

    async fn send(&self, headers: &RequestHeaders<'_>, body: &str) -> McpResponse {
        self.gateway
            .handle(self.caller(), *headers, "POST", Ok(Bytes::from(body.to_owned())))
            .await
    }

    /// Sends a legacy request, and returns the status and body of the answer.
    async fn legacy(&self, method: &str, params: &str) -> (u16, Value) {
        json_of(
            self.send(&RequestHeaders::default(), &legacy_body(method, params))
                .await,
        )
    }

    /// Sends a modern request with its headers, and returns the status and body of the answer.
    async fn modern(&self, method: &str, members: &str) -> (u16, Value) {
        json_of(self.send_modern(method, members).await)
    }

    async fn send_modern(&self, method: &str, members: &str) -> McpResponse {
        let (name, body) = modern_request(method, members);
        self.send(&modern_headers(method, name.as_deref()), &body).await
    }
}

fn legacy_body(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// A modern request. `members` are the members of `params` beside `_meta`, such as `"name":"x"`. Returns the value for
/// the header `Mcp-Name`, and the body.
fn modern_request(method: &str, members: &str) -> (Option<String>, String) {
    let mut params = format!(
        r#"{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{MODERN}","io.modelcontextprotocol/clientCapabilities":{{}},"progressToken":"p"}}"#
    );
    if !members.is_empty() {
        params = format!("{params},{members}");
    }
    params.push('}');
    let parsed: Value = serde_json::from_str(&params).unwrap();
    let name = parsed
        .get("name")
        .or(parsed.get("uri"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    (name, legacy_body(method, &params))
}

fn modern_headers<'a>(method: &'a str, name: Option<&'a str>) -> RequestHeaders<'a> {
    RequestHeaders {
        protocol_version: Some(MODERN),
        mcp_method: Some(method),
        mcp_name: name,
        ..RequestHeaders::default()
    }
}

fn json_of(answer: McpResponse) -> (u16, Value) {
    let McpResponse::Json(reply) = answer else {
        panic!("{answer:?}")
    };
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

async fn frames(answer: McpResponse) -> Vec<Value> {
    let McpResponse::Stream(mut stream) = answer else {
        panic!("{answer:?}")
    };
    let mut events = Vec::new();
    let mut parser = crate::mcp::sse::Parser::new();
    while let Some(frame) = stream.recv().await {
        parser.push(&frame, &mut events).unwrap();
    }
    events
        .iter()
        .map(|event| serde_json::from_slice(&event.data).unwrap())
        .collect()
}
