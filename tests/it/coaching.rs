//! A runner looks at a race and messages the phone with the race's own token: the real daemon between stand-ins for
//! the runner and for Telegram.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRequest};
use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::base::http::HttpServer;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::simulator::SimulatorSettings;
use garmin_gateway::simulator::livetrack::{Playback, demo_race};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::whole::World;

pub(crate) const BOT: &str = "123456:AAbbCCddEEffGGhhIIjj";

/// A server that records every request, and accepts it unless it is down.
#[derive(Clone, Default)]
pub(crate) struct Taker {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<(String, Value)>>>,
    heard: Arc<Notify>,
    is_down: Arc<AtomicBool>,
}

impl Taker {
    pub(crate) async fn start(lifecycle: &Lifecycle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let taker = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let taking = taker.clone();
        let handle = move |request: http::Request<hyper::body::Incoming>| {
            let taking = taking.clone();
            async move {
                let path = request.uri().path().to_owned();
                if path.ends_with("/getUpdates") {
                    // Nobody writes to the bot.
                    std::future::pending::<()>().await;
                }
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let json = serde_json::from_slice(&body).unwrap();
                taking.taken.lock().unwrap().push((path, json));
                taking.heard.notify_waiters();
                let mut response = http::Response::new(Full::<Bytes>::from(r#"{"ok":true}"#));
                if taking.is_down.load(Ordering::SeqCst) {
                    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
                }
                response
            }
        };
        let serving = HttpServer::new(listener).serve(handle, lifecycle.stopping());
        lifecycle.spawn("taker", serving);
        taker
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// The bodies of the requests after the first `n`.
    pub(crate) fn after(&self, n: usize) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        taken[n..].iter().map(|(_, json)| json.clone()).collect()
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Waits for a matching request.
    pub(crate) async fn find(&self, wanted: impl Fn(&Value) -> bool) -> (String, Value) {
        loop {
            let heard = self.heard.notified();
            let found = self
                .taken
                .lock()
                .unwrap()
                .iter()
                .find(|(_, json)| wanted(json))
                .cloned();
            match found {
                Some(found) => return found,
                None => heard.await,
            }
        }
    }
}

fn told(result: &Value) -> Value {
    let text = result["content"][0]["text"].as_str().unwrap();
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn says(text: &'static str) -> impl Fn(&Value) -> bool {
    move |json| json["text"].as_str().is_some_and(|said| said.contains(text))
}

#[tokio::test]
async fn a_runner_sees_one_race_and_what_it_says_reaches_the_phone() {
    let lifecycle = Lifecycle::new();
    let (runner, telegram) = (Taker::start(&lifecycle).await, Taker::start(&lifecycle).await);
    let settings = [
        ("CLAUDE_RUNNER_URL", &*runner.url.clone().leak()),
        ("TELEGRAM_API_URL", &*telegram.url.clone().leak()),
        ("TELEGRAM_BOT_TOKEN", BOT),
        ("TELEGRAM_CHAT_ID", "ann@example.org=42"),
    ];
    let world = World::with(SimulatorSettings::default(), 1, &settings).await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let pace = Playback {
        elapsed_s: 2400,
        ..Playback::default()
    };
    let scenario = demo_race().unwrap();
    let link = world.simulator().play(&scenario, pace).remove(0);
    let arguments = json!({"url": link.as_str(), "race_config": {"race_type": "marathon"}});
    let started = told(&world.call(&ann.access_token, "start_tracking", arguments).await);
    let race = started["race"].as_str().unwrap().to_owned();

    let (path, first) = telegram.find(says("The race is under way")).await;
    assert_eq!(
        (path, &first["chat_id"]),
        (format!("/bot{BOT}/sendMessage"), &json!("42"))
    );

    world.call(&ann.access_token, "trigger_analysis", json!({})).await;
    let (path, order) = runner.find(|order| order["prompt"].is_string()).await;
    assert_eq!((path.as_str(), &order["workspace"]), ("/run", &json!("training")));
    let mcp = &order["mcp_config"]["mcpServers"]["race"];
    assert_eq!(mcp["url"], json!(world.url("/mcp")));
    let bearer = mcp["headers"]["Authorization"].as_str().unwrap();
    let token = bearer.strip_prefix("Bearer ").unwrap();

    // With the race's token, a message is sent with the age of its data, and one that the data does not support is held.
    let said = json!({"text": "You are standing still at km 3, Peter."});
    let held = told(&world.call(token, "send_coaching_message", said).await);
    assert_eq!(held["sent"], false, "{held}");
    let why = held["held"][0]["why"].as_str().unwrap();
    assert!(!why.is_empty(), "{held}");
    let said = json!({"text": "You look strong, keep it easy."});
    let sent = told(&world.call(token, "send_coaching_message", said).await);
    assert_eq!(sent, json!({"race": race, "sent": true}));
    telegram.find(says("You look strong")).await;
    let again = world
        .call(token, "send_coaching_message", json!({"text": "Again!"}))
        .await;
    assert_eq!(again["isError"], true, "one at a time");

    let control = |body: Value| {
        world
            .http
            .post(world.url("/control"))
            .bearer_auth(token)
            .json(&body)
            .send()
    };
    assert_eq!(control(json!({"hr_max": 150})).await.unwrap().status(), 200);
    let refused = control(json!({"hr_maximum": 150})).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("hr_maximum"));

    // No phone is configured for Ben.
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    let link = world.simulator().play(&scenario, pace).remove(0);
    world
        .call(&ben.access_token, "start_tracking", json!({"url": link.as_str()}))
        .await;
    let said = json!({"text": "Hello"});
    let refused = world.call(&ben.access_token, "send_coaching_message", said).await;
    assert!(
        told(&refused).as_str().unwrap().contains("TELEGRAM_CHAT_ID"),
        "{refused}"
    );

    // He sets his own phone, which is tested at once.
    let phone = json!({"telegram_chat": 4711});
    let set = told(&world.call(&ben.access_token, "set_phone", phone).await);
    assert_eq!(set, json!({"messages": "to this person's own phone"}));
    telegram
        .find(|json| json["chat_id"] == "4711" && says("from now on")(json))
        .await;
    let said = json!({"text": "Well begun."});
    world.call(&ben.access_token, "send_coaching_message", said).await;
    let (_, sent) = telegram.find(says("Well begun.")).await;
    assert_eq!(sent["chat_id"], "4711");
    // A race's token alone cannot change where messages go.
    assert_eq!(world.call(token, "set_phone", json!({})).await, Value::Null);

    let mut operator = AdminClient::connect(&world.socket()).await.unwrap();
    let tested = operator
        .ask(AdminRequest::Act(AdminAct::TestNotify))
        .await
        .unwrap();
    assert_eq!(
        tested,
        AdminAnswer::Done("A test message is on its way: Telegram (2).".into())
    );
    telegram.find(says("A test from garmin-gateway")).await;

    world.end().await;
}
