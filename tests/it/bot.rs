//! The bot in a chat: the real daemon between the simulated Garmin and a stand-in for Telegram's Bot API on a real
//! socket, which keeps updates until they are confirmed, as Telegram does.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use garmin_gateway::admin::api::{AdminAct, AdminAnswer, AdminRead, AdminRequest, RevocationTarget};
use garmin_gateway::admin::client::AdminClient;
use garmin_gateway::admin::views::Overview;
use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::http::HttpServer;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::simulator::SimulatorSettings;
use garmin_gateway::simulator::livetrack::{Playback, PlayedLink, demo_race};
use http_body_util::{BodyExt, Full};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::coaching::BOT;
use crate::signals::{Running, gateway};
use crate::whole::{Connected, World, log};

const ANN: i64 = 42;
const STRANGER: i64 = 99;
const GROUP: i64 = -1_001_234_567_890;

/// A stand-in for the Bot API.
#[derive(Clone, Default)]
pub(crate) struct BotApi {
    pub(crate) url: String,
    state: Arc<Mutex<BotApiState>>,
    changed: Arc<Notify>,
    /// Whether another program polls.
    is_taken: Arc<AtomicBool>,
    /// Whether messages are refused, and how many were.
    is_down: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
}

#[derive(Default)]
struct BotApiState {
    last_id: i64,
    /// The updates that were not confirmed yet.
    updates: Vec<Value>,
    /// The offset of each poll.
    offsets: Vec<Option<i64>>,
    /// Method and body of all other requests.
    calls: Vec<(String, Value)>,
}

impl BotApi {
    pub(crate) async fn start(lifecycle: &Lifecycle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        let answering = api.clone();
        let handle = move |request: http::Request<hyper::body::Incoming>| {
            let api = answering.clone();
            async move {
                let path = request.uri().path().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let json: Value = serde_json::from_slice(&body).unwrap();
                let method = path.strip_prefix(&format!("/bot{BOT}/")).unwrap().to_owned();
                let (status, answer) = api.answer(&method, json).await;
                let mut response = http::Response::new(Full::<Bytes>::from(answer.to_string()));
                *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
                response
            }
        };
        let serving = HttpServer::new(listener).serve(handle, lifecycle.stopping());
        lifecycle.spawn("bot api", serving);
        api
    }

    async fn answer(&self, method: &str, json: Value) -> (u16, Value) {
        match method {
            "getUpdates" => {
                let hold_s = json["timeout"].as_u64().unwrap();
                self.poll(json["offset"].as_i64(), hold_s > 0).await
            }
            // Setting the bot's commands answers nobody, so it is not recorded.
            "setMyCommands" => (200, json!({"ok": true, "result": true})),
            _ if self.is_down.load(Ordering::SeqCst) => {
                self.refused.fetch_add(1, Ordering::SeqCst);
                self.changed.notify_waiters();
                (502, json!({"ok": false}))
            }
            "getMe" => (200, json!({"ok": true, "result": {"username": "RaceBot"}})),
            _ => {
                let mut state = self.state.lock().unwrap();
                state.calls.push((method.to_owned(), json));
                drop(state);
                self.changed.notify_waiters();
                (200, json!({"ok": true, "result": {"message_id": 1}}))
            }
        }
    }

    /// Drops the updates that the offset confirms, and returns the others. A long poll waits until there is one.
    async fn poll(&self, offset: Option<i64>, is_held: bool) -> (u16, Value) {
        self.state.lock().unwrap().offsets.push(offset);
        self.changed.notify_waiters();
        loop {
            let changed = self.changed.notified();
            if self.is_taken.load(Ordering::SeqCst) {
                let description = "Conflict: terminated by other getUpdates request";
                return (
                    409,
                    json!({"ok": false, "error_code": 409, "description": description}),
                );
            }
            {
                let mut state = self.state.lock().unwrap();
                let first = offset.unwrap_or_default();
                state
                    .updates
                    .retain(|update| update["update_id"].as_i64().unwrap() >= first);
                if !is_held || !state.updates.is_empty() {
                    return (200, json!({"ok": true, "result": state.updates}));
                }
            }
            changed.await;
        }
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Waits until a message was refused.
    pub(crate) async fn refused(&self) {
        while self.refused.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The messages to a chat that begin with this text. The chat's id may be sent as a number or as a text.
    pub(crate) fn messages_to(&self, chat: i64, beginning: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let text = |json: &Value| json["text"].as_str().unwrap_or_default().to_owned();
        let as_text = chat.to_string();
        let is_to = |json: &Value| json["chat_id"] == chat || json["chat_id"] == *as_text;
        let calls = state.calls.iter().filter(|(_, json)| is_to(json));
        calls
            .map(|(_, json)| text(json))
            .filter(|text| text.starts_with(beginning))
            .collect()
    }

    fn set_taken(&self, is_taken: bool) {
        self.is_taken.store(is_taken, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    fn tell(&self, mut update: Value) -> i64 {
        let mut state = self.state.lock().unwrap();
        state.last_id += 1;
        update["update_id"] = state.last_id.into();
        let id = state.last_id;
        state.updates.push(update);
        drop(state);
        self.changed.notify_waiters();
        id
    }

    /// A message of a person in their own chat.
    fn write(&self, person: i64, text: &str) -> i64 {
        let chat = json!({"id": person, "type": "private"});
        let from = json!({"id": person, "is_bot": false, "language_code": "en"});
        self.tell(json!({"message": {"message_id": 1, "from": from, "chat": chat, "text": text}}))
    }

    fn write_in_topic(&self, person: i64, text: &str) {
        let chat = json!({"id": GROUP, "type": "supergroup"});
        let from = json!({"id": person, "is_bot": false});
        self.tell(json!({"message": {
            "message_id": 1, "from": from, "chat": chat, "text": text, "message_thread_id": 7, "is_topic_message": true,
        }}));
    }

    fn press(&self, person: i64, data: &str) {
        let chat = json!({"id": person, "type": "private"});
        let from = json!({"id": person, "is_bot": false});
        let message = json!({"message_id": 77, "chat": chat});
        self.tell(json!({"callback_query": {"id": "q1", "from": from, "data": data, "message": message}}));
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().calls.len()
    }

    /// How many messages went to this chat.
    fn count_to(&self, chat: i64) -> usize {
        let state = self.state.lock().unwrap();
        let calls = state.calls.iter();
        calls.filter(|(_, json)| json["chat_id"] == chat).count()
    }

    fn offsets(&self) -> Vec<Option<i64>> {
        self.state.lock().unwrap().offsets.clone()
    }

    /// Waits for the first matching request after the first `n`.
    pub(crate) async fn call_after(&self, n: usize, wanted: impl Fn(&str, &Value) -> bool) -> Value {
        let found = async {
            loop {
                let changed = self.changed.notified();
                let found = {
                    let state = self.state.lock().unwrap();
                    let mut calls = state.calls[n..].iter();
                    calls.find(|(method, json)| wanted(method, json)).cloned()
                };
                match found {
                    Some((_, json)) => return json,
                    None => changed.await,
                }
            }
        };
        let within = tokio::time::timeout(Duration::from_secs(120), found).await;
        within.unwrap_or_else(|_| panic!("not said: {:?}", self.state.lock().unwrap().calls))
    }

    /// The bot's answer to a text in this person's own chat. Messages about the race are skipped: they say whether they
    /// are silent, and answers never do.
    pub(crate) async fn answer_to(&self, person: i64, text: &str) -> String {
        let n = self.count();
        self.write(person, text);
        let answer = self
            .call_after(n, |method, json| is_answer(method, json, person))
            .await;
        answer["text"].as_str().unwrap().to_owned()
    }

    /// Waits until polls were sent after `n`.
    async fn polled_after(&self, n: usize) {
        loop {
            let changed = self.changed.notified();
            if self.offsets().len() > n {
                return;
            }
            changed.await;
        }
    }
}

/// Whether this is an answer in a chat. Race messages give the chat's id as a text, and say whether they are silent.
fn is_answer(method: &str, json: &Value, chat: i64) -> bool {
    method == "sendMessage" && json["chat_id"] == chat && json.get("disable_notification").is_none()
}

async fn world(lifecycle: &Lifecycle, chats: &'static str) -> (World, BotApi) {
    world_at(lifecycle, chats, Clock::system()).await
}

async fn world_at(lifecycle: &Lifecycle, chats: &'static str, clock: Clock) -> (World, BotApi) {
    let api = BotApi::start(lifecycle).await;
    let settings = [
        ("TELEGRAM_API_URL", &*api.url.clone().leak()),
        ("TELEGRAM_BOT_TOKEN", BOT),
        ("TELEGRAM_CHAT_ID", chats),
    ];
    let simulated = SimulatorSettings {
        clock,
        ..SimulatorSettings::default()
    };
    (World::with(simulated, 1, &settings).await, api)
}

async fn ann(world: &World) -> Connected {
    world.connect("ann@example.org", "demo-ann", None).await
}

/// A race that began forty minutes ago.
fn play(world: &World) -> PlayedLink {
    let pace = Playback {
        elapsed_s: 2400,
        ..Playback::default()
    };
    world.simulator().links(&demo_race().unwrap(), pace).remove(0)
}

/// Waits until the only race has points.
async fn seen(world: &World) {
    while world.races().metrics().points == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn overview(world: &World) -> Overview {
    let mut operator = AdminClient::connect(&world.socket()).await.unwrap();
    let answer = operator
        .ask(AdminRequest::Read(AdminRead::Overview))
        .await
        .unwrap();
    let AdminAnswer::Overview(overview) = answer else {
        panic!("{answer:?}");
    };
    overview
}

async fn metrics(world: &World) -> String {
    let mut operator = AdminClient::connect(&world.socket()).await.unwrap();
    let answer = operator
        .ask(AdminRequest::Read(AdminRead::Metrics))
        .await
        .unwrap();
    let AdminAnswer::Metrics(page) = answer else {
        panic!("{answer:?}");
    };
    page
}

/// Garmin's e-mail as it arrives when it is forwarded as text.
fn mail(link: &PlayedLink) -> String {
    let path = link.path();
    let (first, rest) = path.split_at(60);
    format!(
        "---------- Forwarded message ---------\nFrom: Garmin <noreply@garmin.com>\n\nAnn has started LiveTrack:\n\
         https://livetrack.garmin.com{first}=\n{rest}?utm_source=3D\n\nKind regards"
    )
}

#[tokio::test]
async fn a_race_from_the_pasted_link_to_its_end() {
    let lifecycle = Lifecycle::new();
    let (mut world, api) = world(&lifecycle, "ann@example.org=42").await;
    ann(&world).await;
    strangers_learn_nothing(&api).await;
    let link = play(&world);
    links_are_watched(&api, &link).await;
    seen(&world).await;
    questions_are_answered(&world, &api, &link).await;
    let page = the_page_is_shared(&world, &api).await;
    stopping_is_asked_back(&mut world, &api).await;

    // The stranger got one answer in all this time, and nothing of the chats is in the log.
    assert_eq!(api.count_to(STRANGER), 1);
    let (events, _) = log().ring().follow();
    let lines: String = events.iter().map(|event| event.to_json()).collect();
    assert!(lines.contains("notify.bot_heard"));
    for secret in [&link.token, &page, "Please!", BOT, "/eta moon"] {
        assert!(
            !lines.contains(secret),
            "a secret is in the log: {} letters",
            secret.len()
        );
    }
    world.end().await;
}

async fn strangers_learn_nothing(api: &BotApi) {
    // A stranger learns nothing, and is answered only once.
    let refused = api.answer_to(STRANGER, "/status").await;
    assert_eq!(
        refused,
        "Sorry, this bot only answers chats that were set up for it."
    );
    api.write(STRANGER, "Please! https://livetrack.garmin.com/");
    assert!(api.answer_to(ANN, "hello").await.contains("/help"));
    assert!(
        api.answer_to(ANN, "/help")
            .await
            .contains("Send me a LiveTrack link")
    );
    let page = api.answer_to(ANN, "/me").await;
    assert!(
        page.contains("/me\nSign in there") && !page.contains("code="),
        "{page}"
    );
    assert!(
        api.answer_to(ANN, "/status")
            .await
            .contains("No race is being watched")
    );
}

async fn links_are_watched(api: &BotApi, link: &PlayedLink) {
    let started = api.answer_to(ANN, &mail(link)).await;
    assert!(started.starts_with("I'm watching Ann Example."), "{started}");
    assert!(started.contains("The settings are the usual ones."), "{started}");
    let again = api
        .answer_to(ANN, &format!("https://livetrack.garmin.com{}", link.path()))
        .await;
    assert!(again.starts_with("I'm already watching Ann Example."), "{again}");
    let wrong = api
        .answer_to(
            ANN,
            &format!("https://livetrack.garmin.com{}", &link.path()[..50]),
        )
        .await;
    assert!(wrong.contains("cut off?"), "{wrong}");
    let mut gone = link.path();
    gone.replace_range(9..17, "00000000");
    let gone = format!("https://livetrack.garmin.com{gone}");
    let both = format!(
        "yesterday: {gone}, today: https://livetrack.garmin.com{}",
        link.path()
    );
    let gone = api.answer_to(ANN, &gone).await;
    assert!(gone.contains("links expire after 24 hours"), "{gone}");
    let both = api.answer_to(ANN, &both).await;
    assert!(
        both.starts_with("I'm already watching Ann Example.") && both.contains("another LiveTrack link"),
        "{both}"
    );
}

async fn questions_are_answered(world: &World, api: &BotApi, link: &PlayedLink) {
    let status = api.answer_to(ANN, "/status").await;
    assert!(status.starts_with("Ann Example: Running. Last seen"), "{status}");
    let eta = api.answer_to(ANN, "/eta").await;
    assert!(eta.starts_with("Expected at Finish (km 42.2) between"), "{eta}");
    assert!(api.answer_to(ANN, "/eta moon").await.contains("I know Finish."));
    let points = world.simulator().points(&link.session_id);
    let later = &points[points.len() * 2 / 3]["position"];
    let n = api.count();
    let from = json!({"id": ANN, "is_bot": false});
    let place = json!({"latitude": later["lat"], "longitude": later["lon"]});
    api.tell(json!({"message": {"from": from, "chat": {"id": ANN, "type": "private"}, "location": place}}));
    let passes = api
        .call_after(n, |method, json| is_answer(method, json, ANN))
        .await;
    let passes = passes["text"].as_str().unwrap();
    assert!(
        passes.starts_with("Ann Example should pass there, at "),
        "{passes}"
    );
}

/// Returns the address of the page.
async fn the_page_is_shared(world: &World, api: &BotApi) -> String {
    let shared = api.answer_to(ANN, "/share").await;
    let page = shared.lines().next().unwrap().to_owned();
    let answer = world.http.get(&page).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("Running."));
    assert!(
        api.answer_to(ANN, "/share")
            .await
            .starts_with("There is already a link")
    );
    assert!(api.answer_to(ANN, "/share new").await.contains("/r/"));
    assert!(
        api.answer_to(ANN, "/mute 1h")
            .await
            .contains("Warnings still come")
    );
    assert!(
        api.answer_to(ANN, "/mute off")
            .await
            .contains("are on again in this chat")
    );
    page
}

async fn stopping_is_asked_back(world: &mut World, api: &BotApi) {
    // The bot asks for confirmation before it stops. A restart in between loses nothing, and answers nothing twice.
    let n = api.count();
    api.write(ANN, "/stop");
    let asked = api
        .call_after(n, |method, json| is_answer(method, json, ANN))
        .await;
    let rows = &asked["reply_markup"]["inline_keyboard"];
    assert_eq!(
        (&rows[0][0]["text"], &rows[1][0]["text"]),
        (&json!("Stop watching"), &json!("Keep watching"))
    );
    let n = api.count();
    world.stop_gateway().await;
    let polls = api.offsets().len();
    let last = api.write(ANN, "/help");
    world.start_gateway().await;
    api.polled_after(polls).await;
    assert_eq!(
        api.offsets()[polls],
        Some(last),
        "the first poll begins after what was answered"
    );
    let first = api
        .call_after(n, |method, json| is_answer(method, json, ANN))
        .await;
    assert!(
        first["text"]
            .as_str()
            .unwrap()
            .contains("Send me a LiveTrack link"),
        "{first}"
    );

    for (button, words) in [
        (1, "I'll keep watching."),
        (0, "I've stopped watching Ann Example"),
        (0, "out of date"),
    ] {
        let n = api.count();
        api.press(ANN, rows[button][0]["callback_data"].as_str().unwrap());
        let note = api
            .call_after(n, |method, _| method == "answerCallbackQuery")
            .await;
        assert_eq!(note["callback_query_id"], "q1");
        let edited = api.call_after(n, |method, _| method == "editMessageText").await;
        assert_eq!(edited["message_id"], 77);
        assert!(edited["text"].as_str().unwrap().contains(words), "{edited}");
    }
    assert!(
        api.answer_to(ANN, "/share")
            .await
            .contains("No race is being watched")
    );
}

#[tokio::test]
async fn the_next_race_takes_the_settings_of_the_last() {
    let lifecycle = Lifecycle::new();
    let (world, api) = world(&lifecycle, "ann@example.org=42").await;
    let ann = ann(&world).await;
    let link = play(&world);
    let url = |link: &PlayedLink| format!("https://livetrack.garmin.com{}", link.path());
    let config = json!({
        "race_name": "Spring Marathon", "race_type": "marathon", "hr_max": 150,
        "checkpoints": [{"name": "Mill", "km": 20}], "recipients": [{"role": "crew"}],
    });
    let arguments = json!({"url": url(&link), "race_config": config});
    world
        .told(&ann.access_token, "start_tracking", arguments)
        .await
        .unwrap();
    seen(&world).await;
    let told = api.answer_to(ANN, &url(&play(&world))).await;
    for words in [
        "Spring Marathon of",
        "hr_max 150 bpm, 1 recipient, the course of 42.2 km, 1 checkpoint",
    ] {
        assert!(told.contains(words), "{told}");
    }
    let races = world
        .told(&ann.access_token, "list_races", json!({}))
        .await
        .unwrap();
    let race = races["races"][0]["race"].clone();
    let status = world
        .told(&ann.access_token, "get_tracking_status", json!({"race": race}))
        .await
        .unwrap();
    assert_eq!(status["limits"], json!({"hr_max": 150}));
    assert_eq!(status["plan"]["checkpoints"][0]["name"], "Mill");
    // If there are two races, each is shown with its title.
    let both = api.answer_to(ANN, "/eta Mill").await;
    assert_eq!(both.matches("Mill (km 20)").count(), 2, "{both}");
    world.end().await;
}

#[tokio::test]
async fn in_a_group_only_known_members_change_something_and_revoked_people_are_strangers() {
    let lifecycle = Lifecycle::new();
    let clock = Clock::manual("2026-10-04T09:00:00Z".parse().unwrap());
    let chats = "ann@example.org=-1001234567890_7";
    let (world, api) = world_at(&lifecycle, chats, clock.clone()).await;
    let ann = ann(&world).await;
    let in_group = async |person: i64, text: &str| {
        let n = api.count();
        api.write_in_topic(person, text);
        let answer = api
            .call_after(n, |method, json| is_answer(method, json, GROUP))
            .await;
        assert_eq!(answer["message_thread_id"], 7);
        answer["text"].as_str().unwrap().to_owned()
    };
    assert!(
        in_group(ANN, "/mute 1h")
            .await
            .starts_with("Only people whom this gateway knows")
    );
    assert!(
        in_group(STRANGER, "/status")
            .await
            .contains("No race is being watched")
    );
    // Ann sets her own chat, so that the bot knows her account there, and then the group again.
    for chat in ["42", "-1001234567890_7"] {
        // Attempts are rate limited.
        clock.advance(SignedDuration::from_secs(11));
        let arguments = json!({"telegram_chat": chat});
        world
            .told(&ann.access_token, "set_phone", arguments)
            .await
            .unwrap();
    }
    assert!(
        in_group(STRANGER, "/mute 1h")
            .await
            .starts_with("Only people whom this gateway knows")
    );
    let link = play(&world);
    let url = format!("https://livetrack.garmin.com{}", link.path());
    assert!(in_group(STRANGER, &url).await.starts_with("Only people"));
    assert!(in_group(ANN, &url).await.starts_with("I'm watching Ann Example."));
    api.write_in_topic(ANN, "/status@OtherBot");
    assert!(
        in_group(ANN, "/mute@racebot 1h")
            .await
            .contains("Warnings still come")
    );
    // Her own chat does not receive her messages any more.
    assert!(api.answer_to(ANN, "/status").await.starts_with("Sorry, this bot"));

    let mut operator = AdminClient::connect(&world.socket()).await.unwrap();
    let account = world.accounts().list().unwrap().remove(0).id.to_string();
    let revoke = AdminAct::Revoke(RevocationTarget::Account(account));
    operator.ask(AdminRequest::Act(revoke)).await.unwrap();
    assert!(in_group(ANN, "/status").await.starts_with("Sorry, this bot"));
    world.end().await;
}

#[tokio::test]
async fn another_reader_of_the_bot_is_reported_until_it_is_gone() {
    let lifecycle = Lifecycle::new();
    let (world, api) = world(&lifecycle, "42").await;
    let heard = async |is_heard: bool| {
        let wanted = format!("\ngarmin_gateway_telegram_heard {}\n", i32::from(is_heard));
        while !metrics(&world).await.contains(&wanted) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let points = overview(&world).await.attention;
        points.into_iter().find(|point| point.subject == "telegram")
    };
    assert_eq!(heard(true).await, None);
    api.set_taken(true);
    let point = heard(false).await.unwrap();
    assert!(
        point.text.contains("another program reads") && point.text.contains("TELEGRAM_LISTEN"),
        "{point:?}"
    );
    api.set_taken(false);
    assert_eq!(heard(true).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_gateway_that_is_killed_takes_nothing_twice() {
    let lifecycle = Lifecycle::new();
    let api = BotApi::start(&lifecycle).await;
    let dir = tempfile::tempdir().unwrap();
    let mut command = gateway(dir.path());
    command
        .arg("serve")
        .env("TELEGRAM_API_URL", &api.url)
        .env("TELEGRAM_BOT_TOKEN", BOT);
    let id = api.write(STRANGER, "hello");
    let killed = Running::start(&mut command);
    api.call_after(0, |method, json| is_answer(method, json, STRANGER))
        .await;
    killed.kill();
    // Telegram sends the update again unless the next poll confirms it.
    let polls = api.offsets().len();
    let running = Running::start(&mut command);
    api.polled_after(polls).await;
    assert_eq!(api.offsets()[polls], Some(id + 1));
    assert_eq!(api.count(), 1);
    running.wait_for("daemon.ready");
    assert!(running.ends_well());
}
