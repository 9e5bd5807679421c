//! The coach that sends messages unasked: the real daemon, the simulated Garmin, and a stand-in for Telegram.

use std::time::Duration;

use garmin_gateway::base::clock::Clock;
use garmin_gateway::base::lifecycle::Lifecycle;
use garmin_gateway::simulator::SimulatorSettings;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::bot::BotApi;
use crate::coaching::{BOT, Taker};
use crate::history::{export, is_filled, keep, serve, until};
use crate::looks::{Notes, stand_in};
use crate::whole::{Connected, World, log};
use crate::withdrawal::all_records;

const ANN: i64 = 42;
const BEN: i64 = 43;
const LOOK: Duration = Duration::from_millis(20);

async fn world(api: &BotApi, more: &[(&'static str, &'static str)]) -> World {
    let settings = [
        ("HISTORY_PACE", "0"),
        ("TELEGRAM_API_URL", &*api.url.clone().leak()),
        ("TELEGRAM_BOT_TOKEN", BOT),
        ("TELEGRAM_CHAT_ID", "ben@example.org=43"),
    ];
    let all: Vec<_> = settings.into_iter().chain(more.iter().copied()).collect();
    World::with(SimulatorSettings::default(), 10, &all).await
}

async fn set_coach(world: &World, person: &Connected, arguments: Value) -> Result<Value, String> {
    world.told(&person.access_token, "set_coach", arguments).await
}

/// The arguments for a daily message that is due at this minute in the person's time zone.
fn daily() -> Value {
    let vienna = jiff::tz::TimeZone::get("Europe/Vienna").unwrap();
    let at = Clock::system()
        .now()
        .to_zoned(vienna)
        .strftime("%H:%M")
        .to_string();
    json!({ "action": "on", "morning": "daily", "at": at, "quiet": "off" })
}

/// Connects Ann with a history and a phone of her own. Until both are there, the coach says what is missing.
async fn ready_ann(world: &World) -> Connected {
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let off = set_coach(world, &ann, json!({ "action": "status" }))
        .await
        .unwrap();
    assert_eq!(off["coach"], "off");
    let without_phone = set_coach(world, &ann, daily()).await.unwrap_err();
    assert!(without_phone.contains("set_phone"), "{without_phone}");
    let phone = json!({ "telegram_chat": ANN.to_string() });
    world.told(&ann.access_token, "set_phone", phone).await.unwrap();
    let without_history = set_coach(world, &ann, daily()).await.unwrap_err();
    assert!(without_history.contains("keep_history"), "{without_history}");
    keep(world, &ann, "on").await;
    until(world, &ann, is_filled).await;
    let quiet = json!({ "action": "on", "at": "22:00" });
    let quiet = set_coach(world, &ann, quiet).await.unwrap_err();
    assert!(quiet.contains("quiet hours"), "{quiet}");
    ann
}

async fn until_told(api: &BotApi, chat: i64, beginning: &str) -> String {
    loop {
        if let Some(told) = api.messages_to(chat, beginning).pop() {
            return told;
        }
        sleep(LOOK).await;
    }
}

#[tokio::test]
async fn a_morning_line_comes_once_over_a_kill_and_the_coach_explains_itself() {
    let lifecycle = Lifecycle::new();
    let api = BotApi::start(&lifecycle).await;
    let mut world = world(&api, &[]).await;
    let ann = ready_ann(&world).await;

    // The program is killed after it has decided on a message, and before Telegram has accepted it.
    world.stop_gateway().await;
    let mut gateway = serve(&world);
    while world.http.get(world.url("/")).send().await.is_err() {
        sleep(LOOK).await;
    }
    api.set_down(true);
    let on = set_coach(&world, &ann, daily()).await.unwrap();
    assert_eq!((&on["coach"], &on["morning"]), (&json!("on"), &json!("daily")));
    api.refused().await;
    gateway.kill().await.unwrap();
    api.set_down(false);
    assert!(api.messages_to(ANN, "Coach:").is_empty());

    world.start_gateway().await;
    let told = until_told(&api, ANN, "Coach:").await;
    assert!(
        told.contains("Last night: ") && told.contains("resting heart rate"),
        "{told}"
    );
    world.restart().await;
    let why = api.answer_to(ANN, "/why").await;
    assert!(why.contains(told.strip_prefix("Coach: ").unwrap()), "{why}");
    assert!(
        why.contains("- resting heart rate, ") && why.contains("- sleep, "),
        "{why}"
    );
    assert!(
        api.answer_to(ANN, "/mute 1h")
            .await
            .contains("including the coach's")
    );
    assert_eq!(api.messages_to(ANN, "Coach:"), std::slice::from_ref(&told));

    let status = set_coach(&world, &ann, json!({ "action": "status" }))
        .await
        .unwrap();
    assert_eq!(status["last_message"]["worded_by"], "rules");
    assert_eq!(status["problems"], json!([]));
    let exported = export(&world, "ann@example.org").await;
    assert_eq!(
        exported["coach"]["said"][0]["text"],
        status["last_message"]["text"]
    );

    let off = set_coach(&world, &ann, json!({ "action": "off" })).await.unwrap();
    assert_eq!(off["coach"], "off");
    let records = all_records(&world).await;
    let left = ["coach", "coach_said"].map(|table| records.get(table).copied().unwrap_or_default());
    assert_eq!(left, [0, 0]);
    assert!(export(&world, "ann@example.org").await.get("coach").is_none());
    assert!(
        api.answer_to(ANN, "/why")
            .await
            .starts_with("I haven't said anything")
    );
    let (events, _) = log().ring().follow();
    let lines: String = events.iter().map(|event| event.to_json()).collect();
    assert!(lines.contains("coach.looked_at_days") && !lines.contains("Last night"));
    world.end().await;
}

#[tokio::test]
async fn a_broken_link_is_told_once_to_everybody_with_a_phone() {
    let lifecycle = Lifecycle::new();
    let api = BotApi::start(&lifecycle).await;
    let mut world = world(&api, &[]).await;
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    world.simulator().revoke("ben@example.org");
    world
        .told(&ben.access_token, "get_full_name", json!({}))
        .await
        .unwrap_err();
    let told = until_told(&api, BEN, "Garmin:").await;
    assert!(
        told.contains("ben@example.org's link to Garmin is broken"),
        "{told}"
    );
    assert!(told.ends_with(&world.url("/link")), "{told}");
    world.restart().await;
    world
        .told(&ben.access_token, "get_full_name", json!({}))
        .await
        .unwrap_err();
    assert!(
        api.answer_to(BEN, "/why")
            .await
            .starts_with("I haven't said anything")
    );
    assert_eq!(api.messages_to(BEN, "Garmin:").len(), 1);

    // After Ben has signed in again, the next failure is reported again.
    let ben = world.connect("ben@example.org", "demo-ben", Some("123456")).await;
    world.simulator().revoke("ben@example.org");
    world
        .told(&ben.access_token, "get_full_name", json!({}))
        .await
        .unwrap_err();
    while api.messages_to(BEN, "Garmin:").len() < 2 {
        sleep(LOOK).await;
    }
    world.end().await;
}

/// Records its token, and answers with a wrong number once `go` exists.
const WAITS: &str = r#"while [ "$1" != --mcp-config ]; do shift; done
cp "$2" $notes/new
mv $notes/new $notes/mcp
while [ ! -e $notes/go ]; do sleep 0.02; done
echo '{"is_error":false,"result":"You slept 99 hours.","total_cost_usd":0.01}'"#;

#[tokio::test]
async fn claude_words_a_message_and_its_numbers_are_checked() {
    let lifecycle = Lifecycle::new();
    let api = BotApi::start(&lifecycle).await;
    let notes = Notes::make();
    stand_in(&notes, WAITS);
    let program: &'static str = notes.program().display().to_string().leak();
    let login: &'static str = notes.path("").display().to_string().leak();
    let claude = [("CLAUDE_CMD", program), ("CLAUDE_CONFIG_DIR", login)];
    let world = world(&api, &claude).await;
    let ann = ready_ann(&world).await;
    set_coach(&world, &ann, daily()).await.unwrap();
    while !notes.path("mcp").exists() {
        sleep(LOOK).await;
    }
    let mcp: Value = serde_json::from_str(&notes.read("mcp")).unwrap();
    let bearer = mcp["mcpServers"]["history"]["headers"]["Authorization"]
        .as_str()
        .unwrap();
    let token = bearer.strip_prefix("Bearer ").unwrap();

    // The token permits reading Ann's history and submitting a message, and nothing else.
    let list = world.ask(token, "tools/list", json!({})).await;
    let mut names: Vec<&str> = list["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    let wanted = [
        "baseline",
        "compare_periods",
        "find_unusual",
        "get_training_volume",
        "get_trend",
        "send_words",
    ];
    assert_eq!(names, wanted);
    let trend = json!({ "metric": "sleep", "range": "-4w" });
    assert_eq!(
        world.told(token, "get_trend", trend.clone()).await.unwrap()["source"],
        "history"
    );
    for tool in [
        "get_full_name",
        "set_phone",
        "keep_history",
        "set_coach",
        "use_change_tool",
    ] {
        assert!(
            world
                .call(token, tool, json!({ "action": "off" }))
                .await
                .is_null(),
            "{tool}"
        );
    }
    let wrong = json!({ "text": "You slept 99 hours." });
    let refused = world.told(token, "send_words", wrong).await.unwrap_err();
    assert!(refused.contains("is not among the figures"), "{refused}");
    let right = json!({ "text": "A calm night. Enjoy an easy day." });
    world.told(token, "send_words", right.clone()).await.unwrap();
    world.told(token, "send_words", right).await.unwrap_err();
    std::fs::write(notes.path("go"), "").unwrap();
    assert_eq!(
        until_told(&api, ANN, "Coach:").await,
        "Coach: A calm night. Enjoy an easy day."
    );
    let status = set_coach(&world, &ann, json!({ "action": "status" }))
        .await
        .unwrap();
    assert_eq!(status["last_message"]["worded_by"], "Claude");
    let prompt = notes.read("prompt");
    assert!(
        prompt.contains("- resting heart rate, ") && !prompt.contains("example.org"),
        "{prompt}"
    );
    let late = world
        .http
        .post(world.url("/mcp"))
        .bearer_auth(token)
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    assert_eq!(late.status(), 401);

    // If no words from Claude are accepted, the sentence from the rules is sent.
    set_coach(&world, &ann, json!({ "action": "off" })).await.unwrap();
    set_coach(&world, &ann, daily()).await.unwrap();
    while api.messages_to(ANN, "Coach:").len() < 2 {
        sleep(LOOK).await;
    }
    assert!(
        api.messages_to(ANN, "Coach:")
            .pop()
            .unwrap()
            .contains("Last night: ")
    );
    world.end().await;
}

#[tokio::test]
async fn a_runner_words_a_message_for_ntfy() {
    let lifecycle = Lifecycle::new();
    let (runner, ntfy) = (Taker::start(&lifecycle).await, Taker::start(&lifecycle).await);
    let settings = [
        ("HISTORY_PACE", "0"),
        ("CLAUDE_RUNNER_URL", &*runner.url.clone().leak()),
        ("NTFY_URL", &*ntfy.url.clone().leak()),
    ];
    let world = World::with(SimulatorSettings::default(), 10, &settings).await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    let phone = json!({ "ntfy_topic": "ann-and-nobody-else" });
    world.told(&ann.access_token, "set_phone", phone).await.unwrap();
    keep(&world, &ann, "on").await;
    until(&world, &ann, is_filled).await;
    set_coach(&world, &ann, daily()).await.unwrap();

    let (path, order) = runner.find(|order| order["prompt"].is_string()).await;
    assert_eq!(path, "/run");
    let mcp = &order["mcp_config"]["mcpServers"]["history"];
    let bearer = mcp["headers"]["Authorization"].as_str().unwrap();
    let token = bearer.strip_prefix("Bearer ").unwrap();
    assert!(
        !order["prompt"].as_str().unwrap().contains(token),
        "no bearer in a prompt"
    );
    let words = json!({ "text": "A calm night. Enjoy an easy day." });
    world.told(token, "send_words", words).await.unwrap();
    let is_words = |json: &Value| json["message"] == "A calm night. Enjoy an easy day.";
    let (_, message) = ntfy.find(is_words).await;
    assert_eq!(
        (&message["topic"], &message["title"]),
        (&json!("ann-and-nobody-else"), &json!("Coach"))
    );
    world.end().await;
}
