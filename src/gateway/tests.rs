//! The gateway with a pretend upstream: what a client gets, and what a worker is asked.

mod calls;
mod foreign;
mod protocol;

use std::sync::Mutex;

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::accounts::{AccountId, Accounts};
use crate::base::secrets::RootSecret;
use crate::config::GarminHosts;
use crate::garmin::{GovernorSettings, SignIns};
use crate::mcp::revision::MODERN;
use crate::oauth::{Grant, OAuthParts};
use crate::races::RaceGrant;
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError};

pub(super) const PUBLIC: &str = "https://garmin.example.com";
const TOOLS: &str = r#"{"tools":[{"name":"get_stats","inputSchema":{"type":"object"}},{"name":"add_weigh_in"},
    {"name":"delete_workout"},{"name":"unclassified"}]}"#;
const RESOURCES: &str = r#"{"resources":[{"uri":"workout://templates/simple-run","name":"simple"}]}"#;

type Outcome = Result<UpstreamAnswer, WorkerError>;
type Respond = Box<dyn Fn(&str, UpstreamCall) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// What a worker was asked: `account method params read_only`.
struct PretendUpstream {
    asked: Mutex<Vec<String>>,
    respond: Mutex<Respond>,
    server: Mutex<Option<Arc<str>>>,
}

impl Upstream for PretendUpstream {
    fn call(&self, account: &AccountId, call: UpstreamCall) -> BoxFuture<'static, Outcome> {
        let params = call.params.as_deref().map_or("-", RawValue::get);
        let reads = if call.read_only { "reads" } else { "changes" };
        self.asked
            .lock()
            .unwrap()
            .push(format!("{account} {} {params} {reads}", call.method));
        let method = call.method;
        (self.respond.lock().unwrap())(method, call)
    }

    fn wait_reason(&self, _account: &AccountId) -> Option<&'static str> {
        None
    }

    fn server(&self) -> Option<Arc<str>> {
        self.server.lock().unwrap().clone()
    }
}

/// One own tool, which says who called it and with what.
struct PretendTools;

impl LocalTools for PretendTools {
    fn list(&self) -> String {
        r#"[{"name":"stop_tracking"}]"#.to_owned()
    }

    fn call(
        &self,
        account: &AccountId,
        tool: &str,
        arguments: Option<Box<RawValue>>,
    ) -> BoxFuture<'static, Box<RawValue>> {
        let text = format!(
            "{account} {tool} {}",
            arguments.as_deref().map_or("-", RawValue::get)
        );
        async move { raw(&json!({"content": [{"type": "text", "text": text}]}).to_string()) }.boxed()
    }

    fn admit(&self, bearer: &str) -> Result<Option<RaceGrant>, StoreError> {
        Ok((bearer == RACE_TOKEN).then(race_grant))
    }

    fn list_for_race(&self) -> String {
        r#"[{"name":"get_timeseries"}]"#.to_owned()
    }

    fn call_for_race(
        &self,
        grant: &RaceGrant,
        tool: &str,
        arguments: Option<Box<RawValue>>,
    ) -> BoxFuture<'static, Box<RawValue>> {
        let arguments = arguments.as_deref().map_or("-", RawValue::get);
        let text = format!("{} {tool} {arguments}", grant.race);
        async move { raw(&json!({"content": [{"type": "text", "text": text}]}).to_string()) }.boxed()
    }
}

/// Reaches one race.
const RACE_TOKEN: &str = "grc_race";

fn race_grant() -> RaceGrant {
    RaceGrant {
        race: "race_abcdefgh12345678".parse().unwrap(),
        account: account("a"),
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

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "what a worker answers may be an error")]
fn result(json: &str) -> Outcome {
    Ok(UpstreamAnswer::Result(raw(json)))
}

fn account(letter: &str) -> AccountId {
    format!("acc_{}", letter.repeat(16)).parse().unwrap()
}

/// A gateway under test.
struct Bench {
    gateway: Gateway,
    upstream: Arc<PretendUpstream>,
    live: watch::Sender<Live>,
    store: Store,
    lifecycle: Lifecycle,
    access: Access,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new(access: Access) -> Self {
        let lists = WorkerLists::BuiltIn {
            tools: TOOLS.to_owned(),
            resources: RESOURCES.to_owned(),
        };
        Self::with(access, lists, tempfile::tempdir().unwrap())
    }

    fn with(access: Access, lists: WorkerLists, dir: tempfile::TempDir) -> Self {
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let upstream = Arc::new(PretendUpstream {
            asked: Mutex::default(),
            server: Mutex::default(),
            respond: Mutex::new(Box::new(|_, _| async { result(r#"{"content":[]}"#) }.boxed())),
        });
        let lifecycle = Lifecycle::new();
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let public_url = PublicUrl::parse(PUBLIC).unwrap();
        let (live, settings) = watch::channel(Live {
            calls_per_minute: 1_000,
            ..Live::default()
        });
        let gateway = Gateway::start(GatewayParts {
            oauth: oauth(&store, &clock, &lifecycle, &public_url, &settings),
            upstream: upstream.clone(),
            lists,
            own_tools: Some(Arc::new(PretendTools)),
            public_url,
            live: settings,
            store: store.clone(),
            clock,
            lifecycle: lifecycle.clone(),
        });
        Bench {
            gateway: gateway.unwrap(),
            upstream,
            live,
            store,
            lifecycle,
            access,
            _dir: dir,
        }
    }

    /// What the worker will answer from now on.
    fn respond<F>(&self, respond: impl Fn(&str, UpstreamCall) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        *self.upstream.respond.lock().unwrap() = Box::new(move |method, call| respond(method, call).boxed());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.upstream.asked.lock().unwrap())
    }

    fn grant(&self) -> Caller {
        Caller::from(Grant {
            account: account("a"),
            access: self.access,
            client_id: "client".to_owned(),
            family: "fam_abcdefghijklmnop".parse().unwrap(),
        })
    }

    async fn send(&self, headers: &RequestHeaders<'_>, body: &str) -> Answer {
        self.gateway
            .handle(self.grant(), *headers, "POST", Ok(Bytes::from(body.to_owned())))
            .await
    }

    /// A legacy request; the answer's status and body.
    async fn legacy(&self, method: &str, params: &str) -> (u16, Value) {
        json_of(
            self.send(&RequestHeaders::default(), &legacy_body(method, params))
                .await,
        )
    }

    /// A modern request with its headers; the answer's status and body.
    async fn modern(&self, method: &str, members: &str) -> (u16, Value) {
        json_of(self.send_modern(method, members).await)
    }

    async fn send_modern(&self, method: &str, members: &str) -> Answer {
        let (name, body) = modern_request(method, members);
        self.send(&modern_headers(method, name.as_deref()), &body).await
    }
}

fn legacy_body(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// `members` are those of `params` beside `_meta`, e.g. `"name":"x"`.
/// Returns what the request names, and its body.
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

fn json_of(answer: Answer) -> (u16, Value) {
    let Answer::Json { status, body } = answer else {
        panic!("{answer:?}")
    };
    (status, serde_json::from_slice(&body).unwrap())
}

async fn frames(answer: Answer) -> Vec<Value> {
    let Answer::Stream(mut stream) = answer else {
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
