use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use url::Url;

use super::bot::BotChat;
use super::message::{MessageRoute, MessageSubject, Phone, PhoneMessage, SetPhoneError};
use super::queue::QueuedMessage;
use super::{Notifier, NotifierParts, OperatorMessage};
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::RootSecret;
use crate::base::stand_in::StandIn;
use crate::config::{Config, Live, NotifyConfig, Sources};
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::store::Store;

const BOT: &str = "123456:AAbbCCddEEffGGhhIIjj";

struct Bench {
    store: Store,
    clock: Clock,
    live: watch::Sender<Live>,
    lifecycle: Lifecycle,
    telegram: StandIn,
    ntfy: StandIn,
    notifier: Notifier,
    race: RaceId,
    account: AccountId,
    _dir: tempfile::TempDir,
}

/// The settings as an operator would write them.
fn settings(telegram: &Url, ntfy: &Url, more: &[(&str, &str)]) -> Live {
    let servers = [
        ("HOME", "/h"),
        ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
        ("TELEGRAM_API_URL", telegram.as_str()),
    ];
    let is_wanted = more.iter().any(|(name, _)| name.starts_with("NTFY"));
    let ntfy = is_wanted.then_some(("NTFY_URL", ntfy.as_str()));
    let sources = Sources::of_pairs(servers.into_iter().chain(ntfy).chain(more.iter().copied()));
    Config::load(&sources).unwrap().live
}

const BOTH: [(&str, &str); 4] = [
    ("TELEGRAM_BOT_TOKEN", BOT),
    ("TELEGRAM_CHAT_ID", "-1001"),
    ("NTFY_TOPIC", "family"),
    ("NTFY_TOKEN", "tk_secret"),
];

impl Bench {
    async fn new(more: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let clock = Clock::manual("2026-10-04T09:00:00Z".parse().unwrap());
        let lifecycle = Lifecycle::new();
        let (telegram, ntfy) = (StandIn::start(&lifecycle).await, StandIn::start(&lifecycle).await);
        let (live, settings) = watch::channel(settings(&telegram.url, &ntfy.url, more));
        let notifier = Notifier::start(parts(&store, &clock, settings), &lifecycle);
        Self {
            store,
            clock,
            live,
            lifecycle,
            telegram,
            ntfy,
            notifier,
            race: RaceId::random(),
            account: "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
            _dir: dir,
        }
    }

    async fn push(&self, key: &str, text: &str) {
        self.push_as(Severity::Warning, key, text).await;
    }

    async fn push_as(&self, severity: Severity, key: &str, text: &str) {
        let message = PhoneMessage {
            account: self.account.clone(),
            to: None,
            subject: MessageSubject::Race(self.race.clone()),
            severity,
            key: key.into(),
            title: String::new(),
            text: text.into(),
        };
        let outbox = self.notifier.clone();
        let pushed = self.store.atomic(move |tx| outbox.push(tx, &message));
        pushed.await.unwrap();
        self.notifier.wake();
    }

    fn waiting(&self) -> usize {
        self.store.list::<QueuedMessage>(b"").unwrap().len()
    }

    /// Waits until a failed delivery is recorded. The stand-in server sees the attempt earlier than that.
    async fn failure_noted(&self) {
        while self.notifier.pauses().lock().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the queue is empty.
    async fn settled(&self) {
        while self.waiting() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn parts(store: &Store, clock: &Clock, live: watch::Receiver<Live>) -> NotifierParts {
    NotifierParts {
        store: store.clone(),
        clock: clock.clone(),
        accounts: Accounts::new(store.clone(), clock.clone(), live.clone()),
        public_url: "https://gw.example.org".into(),
        live,
    }
}

fn texts(stand_in: &StandIn, name: &str) -> Vec<String> {
    let text = |json: &serde_json::Value| json[name].as_str().unwrap_or_default().to_owned();
    stand_in
        .asked()
        .iter()
        .map(|request| text(&request.json))
        .collect()
}

#[tokio::test]
async fn a_message_goes_out_on_every_channel_once_per_key() {
    let bench = Bench::new(&BOTH).await;
    bench.push("started", "The race has started.").await;
    bench.push("started", "The race has started.").await;
    bench.push("split:1", "1 km").await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text"), ["The race has started.", "1 km"]);
    assert_eq!(texts(&bench.ntfy, "message"), ["The race has started.", "1 km"]);
    let telegram = bench.telegram.asked().remove(0);
    assert_eq!(telegram.path, format!("/bot{BOT}/sendMessage"));
    assert_eq!(telegram.json["chat_id"], "-1001");
    assert_eq!(telegram.json["disable_notification"], false);
    let ntfy = bench.ntfy.asked().remove(0);
    assert_eq!(
        (ntfy.path.as_str(), &ntfy.headers["authorization"]),
        ("/", &"Bearer tk_secret".parse().unwrap())
    );
    assert_eq!(
        (&ntfy.json["topic"], &ntfy.json["priority"]),
        (&"family".into(), &4.into())
    );
}

#[tokio::test]
async fn gotify_gets_a_message_with_the_token_of_its_reader() {
    let bench = Bench::new(&[]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gotify");
    std::fs::write(
        &file,
        "AEverybodys.Tok-1, acc_aaaaaaaaaaaaaaaa=AnnsOwnToken_123\n",
    )
    .unwrap();
    let gotify = [
        ("GOTIFY_URL", bench.ntfy.url.join("gotify/").unwrap().to_string()),
        ("GOTIFY_TOKEN_FILE", file.display().to_string()),
    ];
    let gotify = gotify.each_ref().map(|(name, value)| (*name, value.as_str()));
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &gotify));
    bench.push("started", "The race has started.").await;
    bench.settled().await;

    let asked = bench.ntfy.asked().remove(0);
    assert_eq!(
        (
            asked.path.as_str(),
            asked.headers["x-gotify-key"].to_str().unwrap()
        ),
        ("/gotify/message", "AnnsOwnToken_123")
    );
    assert_eq!(
        (&asked.json["message"], &asked.json["priority"]),
        (&"The race has started.".into(), &8.into())
    );
    let opens = &asked.json["extras"]["client::notification"]["click"]["url"];
    assert_eq!(opens, "https://gw.example.org");

    let told = &bench.notifier.test().await.unwrap()[0];
    assert_eq!((told.channel, told.sent), ("Gotify", 2));
    bench.ntfy.will_answer(401, &[], "");
    let told = &bench.notifier.test().await.unwrap()[0];
    assert_eq!(
        told.failed.as_deref(),
        Some("The Gotify server rejects the token: check GOTIFY_TOKEN")
    );
}

/// The webhook is the operator's server. It gets what has no other place to go.
#[tokio::test]
async fn a_webhook_gets_signed_messages_of_people_without_a_phone() {
    let bench = Bench::new(&[]).await;
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = [
        ("WEBHOOK_URL", bench.ntfy.url.as_str()),
        ("WEBHOOK_SECRET", secret),
    ];
    let live = settings(&bench.telegram.url, &bench.ntfy.url, &webhook);
    bench.live.send_replace(live);
    bench.ntfy.will_answer(502, &[], "");
    bench.push("started", "The race has started.").await;
    bench.failure_noted().await;
    bench.clock.advance(SignedDuration::from_secs(6));
    bench.notifier.wake();
    bench.settled().await;

    let asked = bench.ntfy.asked();
    let [first, again] = asked.as_slice() else {
        panic!("{}", asked.len())
    };
    assert_eq!(first.headers["webhook-id"], again.headers["webhook-id"]);
    assert_ne!(
        first.headers["webhook-timestamp"],
        again.headers["webhook-timestamp"]
    );
    assert_ne!(
        first.headers["webhook-signature"],
        again.headers["webhook-signature"]
    );
    let data = &first.json["data"];
    assert_eq!(
        (&data["severity"], &data["text"], &data["link"]),
        (
            &"warning".into(),
            &"The race has started.".into(),
            &"https://gw.example.org".into()
        )
    );
    assert_eq!(first.json["timestamp"], "2026-10-04T09:00:00Z");
}

#[tokio::test]
async fn order_is_kept_over_failures_and_one_channel_does_not_hold_up_the_other() {
    let bench = Bench::new(&BOTH).await;
    bench
        .telegram
        .will_answer(429, &[], r#"{"ok":false,"parameters":{"retry_after":33}}"#);
    bench.push("a", "first").await;
    bench.telegram.wait_for(1).await;
    bench.push("b", "second").await;
    bench.ntfy.wait_for(2).await;
    assert_eq!(texts(&bench.ntfy, "message"), ["first", "second"]);
    // The message is not retried before its pause is over.
    bench.clock.advance(SignedDuration::from_secs(32));
    bench.push("c", "third").await;
    bench.ntfy.wait_for(3).await;
    assert_eq!(texts(&bench.telegram, "text"), ["first"]);
    bench.clock.advance(SignedDuration::from_secs(2));
    bench.notifier.wake();
    bench.settled().await;
    assert_eq!(
        texts(&bench.telegram, "text"),
        ["first", "first", "second", "third"]
    );
    assert_eq!(bench.ntfy.asked().len(), 3);
}

#[tokio::test]
async fn what_waits_survives_a_restart_and_goes_where_it_was_not_yet() {
    let bench = Bench::new(&BOTH).await;
    bench.telegram.will_answer(502, &[], "");
    bench.push("a", "first").await;
    bench.telegram.wait_for(1).await;
    bench.ntfy.wait_for(1).await;
    assert!(bench.lifecycle.drain(std::time::Duration::from_secs(20)).await);
    assert_eq!(bench.waiting(), 1);

    let lifecycle = Lifecycle::new();
    let (telegram, ntfy) = (StandIn::start(&lifecycle).await, StandIn::start(&lifecycle).await);
    bench.live.send_replace(settings(&telegram.url, &ntfy.url, &BOTH));
    Notifier::start(
        parts(&bench.store, &bench.clock, bench.live.subscribe()),
        &lifecycle,
    );
    bench.settled().await;
    assert_eq!(texts(&telegram, "text"), ["first"]);
    assert_eq!(ntfy.asked().len(), 0);
}

#[tokio::test]
async fn after_a_day_a_message_is_dead() {
    let bench = Bench::new(&BOTH[..2]).await;
    bench.telegram.will_answer(403, &[], "");
    bench.push("a", "first").await;
    bench.telegram.wait_for(1).await;
    bench.clock.advance(SignedDuration::from_hours(24));
    bench.notifier.wake();
    bench.settled().await;
    assert_eq!(bench.telegram.asked().len(), 1);
}

#[tokio::test]
async fn a_forgotten_account_is_told_nothing_more() {
    let bench = Bench::new(&BOTH[..2]).await;
    bench
        .store
        .put(bench.account.as_str().as_bytes(), phone(Some("42"), None))
        .await
        .unwrap();
    bench.telegram.will_answer(500, &[], "");
    bench.push("a", "first").await;
    bench.failure_noted().await;
    let (outbox, account) = (bench.notifier.clone(), bench.account.clone());
    let forgotten = bench.store.atomic(move |tx| outbox.forget_account(tx, &account));
    forgotten.await.unwrap();
    assert_eq!(bench.waiting(), 0);
    assert!(bench.store.list::<Phone>(b"").unwrap().is_empty());
    // The same key may be used again, because nothing about it is stored any more.
    bench.clock.advance(SignedDuration::from_secs(60));
    bench.push("a", "again").await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text"), ["first", "again"]);
}

#[tokio::test]
async fn without_a_channel_nothing_is_kept() {
    let bench = Bench::new(&[]).await;
    bench.push("a", "first").await;
    assert_eq!(bench.waiting(), 0);
    assert!(bench.notifier.test().await.unwrap().is_empty());
    assert_eq!(bench.live.borrow().notify, NotifyConfig::default());
    // Another person's chat is not a target for this one.
    let more = [BOTH[0], ("TELEGRAM_CHAT_ID", "ben@example.org=7")];
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &more));
    bench.push("b", "second").await;
    bench.settled().await;
    assert!(bench.telegram.asked().is_empty());
}

#[tokio::test]
async fn a_test_message_really_goes_out_and_says_what_is_wrong() {
    let bench = Bench::new(&[BOTH[0], ("TELEGRAM_CHAT_ID", "1,ann@example.org=2"), BOTH[2]]).await;
    bench.ntfy.will_answer(403, &[], "");
    let tested = bench.notifier.test().await.unwrap();
    assert_eq!(
        (tested[0].channel, tested[0].sent, &tested[0].failed),
        ("Telegram", 2, &None)
    );
    let advice = tested[1].failed.clone().unwrap();
    assert!(tested[1].sent == 0 && advice.contains("NTFY_TOPIC"), "{advice}");
    assert_eq!((bench.telegram.asked().len(), bench.ntfy.asked().len()), (2, 1));
}

#[tokio::test]
async fn the_operator_is_told_once_on_their_own_phone_alone() {
    let phone = ("OPERATOR_PHONE", "telegram:7,ntfy:me-alone");
    let bench = Bench::new(&[BOTH[0], BOTH[1], BOTH[2], BOTH[3], phone]).await;
    bench.telegram.will_answer(503, &[], "");
    let tell = async |key: &str, text: &str| {
        let message = OperatorMessage {
            key: key.into(),
            text: text.into(),
        };
        bench.notifier.tell_operator(message).await.unwrap();
    };
    tell("version:9.0.0", "version 9.0.0 is out").await;
    bench.failure_noted().await;
    bench.clock.advance(SignedDuration::from_mins(1));
    bench.notifier.wake();
    bench.settled().await;
    // The same news, read again.
    tell("version:9.0.0", "version 9.0.0 is out, and this is another").await;
    tell("version:9.0.1", "version 9.0.1 is out").await;
    bench.settled().await;
    let first = "garmin-gateway: version 9.0.0 is out";
    assert_eq!(
        texts(&bench.telegram, "text"),
        [first, first, "garmin-gateway: version 9.0.1 is out"],
        "the first attempt failed"
    );
    assert_eq!(
        texts(&bench.ntfy, "message"),
        ["version 9.0.0 is out", "version 9.0.1 is out"]
    );
    assert_eq!(texts(&bench.ntfy, "topic"), ["me-alone"; 2]);
    assert!(
        bench
            .telegram
            .asked()
            .iter()
            .all(|asked| asked.json["chat_id"] == "7")
    );
    assert!(
        bench
            .ntfy
            .asked()
            .iter()
            .all(|asked| asked.headers.contains_key("authorization"))
    );
    // A test reaches the operator's phone, and people's messages do not.
    bench.push("a", "started").await;
    bench.settled().await;
    let tested = bench.notifier.test().await.unwrap();
    assert_eq!((tested[0].sent, tested[1].sent), (2, 2));
    assert_eq!(texts(&bench.ntfy, "topic")[2..], ["family", "family", "me-alone"]);
}

#[tokio::test]
async fn without_a_phone_of_the_operator_nothing_is_queued_and_nothing_is_used_up() {
    let bench = Bench::new(&BOTH).await;
    let message = || OperatorMessage {
        key: "version:9.0.0".into(),
        text: "version 9.0.0 is out".into(),
    };
    bench.notifier.tell_operator(message()).await.unwrap();
    assert!(!bench.notifier.has_operator() && bench.waiting() == 0);
    let more = [
        BOTH[0],
        BOTH[1],
        BOTH[2],
        BOTH[3],
        ("OPERATOR_PHONE", "ntfy:me-alone"),
    ];
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &more));
    bench.notifier.tell_operator(message()).await.unwrap();
    bench.settled().await;
    assert_eq!(texts(&bench.ntfy, "topic"), ["me-alone"]);
    assert!(bench.telegram.asked().is_empty());
}

#[tokio::test]
async fn a_muted_chat_gets_warnings_only_until_its_time() {
    let bench = Bench::new(&BOTH).await;
    let chat = BotChat {
        id: -1001,
        username: None,
        is_private: false,
        topic: Some(7),
    };
    let until = bench.clock.now() + SignedDuration::from_hours(1);
    bench.notifier.mute_chat(&chat, Some(until)).await.unwrap();
    bench.push_as(Severity::Notice, "a", "Passed the mill.").await;
    bench
        .push_as(Severity::Warning, "b", "No signal for 20 min.")
        .await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text"), ["No signal for 20 min."]);
    // The other channel of the same person is not muted.
    let both = ["Passed the mill.", "No signal for 20 min."];
    assert_eq!(texts(&bench.ntfy, "message"), both);
    bench.clock.advance(SignedDuration::from_hours(1));
    bench.push_as(Severity::Info, "c", "20 km.").await;
    bench.settled().await;
    bench
        .notifier
        .mute_chat(&chat, Some(Timestamp::MAX))
        .await
        .unwrap();
    bench.notifier.mute_chat(&chat, None).await.unwrap();
    bench.push_as(Severity::Info, "d", "21 km.").await;
    bench.settled().await;
    assert_eq!(texts(&bench.telegram, "text")[1..], ["20 km.", "21 km."]);
}

const MOVED: &str = r#"{"ok":false,"error_code":400,
    "description":"Bad Request: group chat was upgraded to a supergroup chat",
    "parameters":{"migrate_to_chat_id":-1001234567890}}"#;

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed_and_told_to_the_operator() {
    let bench = Bench::new(&[BOTH[0], ("TELEGRAM_CHAT_ID", "-55")]).await;
    bench.telegram.will_answer(400, &[], MOVED);
    bench.push("a", "first").await;
    bench.settled().await;
    bench.push("b", "second").await;
    bench.settled().await;
    let chats: Vec<_> = bench
        .telegram
        .asked()
        .iter()
        .map(|request| request.json["chat_id"].clone())
        .collect();
    assert_eq!(chats, ["-55", "-1001234567890", "-1001234567890"]);
    // The move also survives a restart, and the operator's test shows the new id.
    let restarted = Lifecycle::new();
    let again = Notifier::start(
        parts(&bench.store, &bench.clock, bench.live.subscribe()),
        &restarted,
    );
    let tested = again.test().await.unwrap();
    assert_eq!((tested[0].sent, &tested[0].failed), (1, &None));
    let note = &tested[0].notes[0];
    assert!(note.contains("set TELEGRAM_CHAT_ID to -1001234567890"), "{note}");
    assert!(restarted.drain(std::time::Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_message_to_a_topic_names_it() {
    let bench = Bench::new(&[BOTH[0], ("TELEGRAM_CHAT_ID", "-1001234567890_7")]).await;
    bench.push("a", "first").await;
    bench.settled().await;
    let sent = &bench.telegram.asked()[0].json;
    assert_eq!(
        (&sent["chat_id"], &sent["message_thread_id"]),
        (&"-1001234567890".into(), &7.into())
    );
}

#[tokio::test]
async fn refusals_of_telegram_say_what_to_do() {
    let bench = Bench::new(&BOTH[..1]).await;
    for (status, description, words) in [
        (403, "Forbidden: bot was blocked by the user", "press Start"),
        (400, "Bad Request: chat not found", "knows no such chat"),
        (400, "Bad Request: TOPIC_CLOSED", "topic is closed"),
        (
            403,
            "Forbidden: bot was kicked from the group chat",
            "add it to the group",
        ),
    ] {
        let body = serde_json::json!({"ok": false, "description": description}).to_string();
        bench.telegram.will_answer(status, &[], &body);
        let refused = bench.set(phone(Some("-42"), None)).await.unwrap_err();
        assert!(refused.contains(words), "{description}: {refused}");
    }
}

fn phone(chat: Option<&str>, topic: Option<&str>) -> Phone {
    Phone {
        telegram_chat: chat.map(str::to_owned),
        ntfy_topic: topic.map(str::to_owned),
    }
}

impl Bench {
    async fn set(&self, phone: Phone) -> Result<MessageRoute, String> {
        // Attempts are rate limited.
        self.clock.advance(SignedDuration::from_secs(11));
        let set = self.notifier.set_phone(&self.account, phone, |_| Ok(true)).await;
        set.map_err(|refused| refused.to_string())
    }
}

#[tokio::test]
async fn a_person_is_told_where_they_said_and_nowhere_else() {
    let bench = Bench::new(&BOTH).await;
    assert_eq!(bench.notifier.route(&bench.account), MessageRoute::Operator);
    assert_eq!(
        bench.set(phone(None, Some("anns-own"))).await,
        Ok(MessageRoute::Personal)
    );
    bench.push("a", "first").await;
    bench.settled().await;
    assert!(bench.telegram.asked().is_empty());
    let told = bench.ntfy.asked();
    let topics: Vec<_> = told.iter().map(|request| request.json["topic"].clone()).collect();
    assert_eq!(topics, ["anns-own", "anns-own"]);
    assert_eq!(told[1].json["message"], "first");
    // The operator's token is never sent to a topic that a member named.
    assert!(
        told.iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
    // The operator's test reaches every phone: the family's chat and topic, and Ann's own.
    let sent: Vec<_> = bench
        .notifier
        .test()
        .await
        .unwrap()
        .iter()
        .map(|one| one.sent)
        .collect();
    assert_eq!(sent, [1, 2]);

    // The choice survives a restart. An empty phone restores the operator's settings.
    let restarted = Lifecycle::new();
    let again = Notifier::start(
        parts(&bench.store, &bench.clock, bench.live.subscribe()),
        &restarted,
    );
    assert_eq!(again.route(&bench.account), MessageRoute::Personal);
    // Only one gateway at a time may send.
    assert!(restarted.drain(std::time::Duration::from_secs(5)).await);
    assert_eq!(bench.set(Phone::default()).await, Ok(MessageRoute::Operator));
    bench.push("b", "second").await;
    bench.settled().await;
    let told = texts(&bench.telegram, "text");
    assert_eq!((told.len(), told[1].as_str()), (2, "second"));
}

#[tokio::test]
async fn a_phone_that_can_not_be_reached_is_not_set() {
    let bench = Bench::new(&BOTH[..1]).await;
    for (wanted, words) in [
        (phone(Some("ann"), None), "telegram_chat: must be"),
        (phone(None, Some("a/b")), "ntfy_topic: must be"),
        (phone(None, Some("anns-own")), "its operator can set NTFY_URL"),
    ] {
        let refused = bench.set(wanted).await.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
    bench.telegram.will_answer(403, &[], "");
    let refused = bench.set(phone(Some("42"), None)).await.unwrap_err();
    assert!(refused.contains("pressed Start"), "{refused}");
    assert_eq!(bench.notifier.route(&bench.account), MessageRoute::Nowhere);
    // An immediate second attempt is refused.
    let refused = bench
        .notifier
        .set_phone(&bench.account, phone(Some("42"), None), |_| Ok(true))
        .await;
    assert!(matches!(refused, Err(SetPhoneError::TooSoon)), "{refused:?}");
    assert_eq!(
        bench.set(phone(Some("42"), None)).await,
        Ok(MessageRoute::Personal)
    );
    // Without a configured bot there is no route to the chat.
    bench
        .live
        .send_replace(settings(&bench.telegram.url, &bench.ntfy.url, &[]));
    assert_eq!(bench.notifier.route(&bench.account), MessageRoute::Nowhere);
}

#[tokio::test]
async fn access_that_ended_during_the_test_message_sets_no_phone() {
    let bench = Bench::new(&BOTH).await;
    let refused = bench
        .notifier
        .set_phone(&bench.account, phone(Some("42"), None), |_| Ok(false))
        .await;
    assert!(matches!(refused, Err(SetPhoneError::AccessEnded)), "{refused:?}");
    assert!(bench.store.list::<Phone>(b"").unwrap().is_empty());
}

#[tokio::test]
async fn the_ntfy_token_goes_with_the_topics_of_the_operator_only() {
    let more = [("NTFY_TOPIC", "family,ann@example.org=ann"), BOTH[3]];
    let bench = Bench::new(&more).await;
    for (topic, has_token) in [("family", true), ("ann", true), ("somebody-else", false)] {
        let before = bench.ntfy.asked().len();
        assert_eq!(
            bench.set(phone(None, Some(topic))).await,
            Ok(MessageRoute::Personal)
        );
        let sent = bench.ntfy.asked().remove(before);
        assert_eq!(sent.headers.contains_key("authorization"), has_token, "{topic}");
    }
}

#[tokio::test]
async fn a_message_names_the_athlete_and_the_race() {
    let bench = Bench::new(&BOTH).await;
    for (key, title) in [("a", "Ann, Lake Run"), ("b", "Ben, Lake Run"), ("c", "")] {
        let message = PhoneMessage {
            account: bench.account.clone(),
            to: None,
            subject: MessageSubject::Race(bench.race.clone()),
            severity: Severity::Notice,
            title: title.into(),
            key: key.into(),
            text: "10 km.".into(),
        };
        let outbox = bench.notifier.clone();
        let pushed = bench.store.atomic(move |tx| outbox.push(tx, &message));
        pushed.await.unwrap();
    }
    bench.notifier.wake();
    bench.settled().await;
    assert_eq!(
        texts(&bench.telegram, "text"),
        ["Ann, Lake Run: 10 km.", "Ben, Lake Run: 10 km.", "10 km."]
    );
    assert_eq!(
        texts(&bench.ntfy, "title"),
        ["Ann, Lake Run", "Ben, Lake Run", ""]
    );
    assert_eq!(texts(&bench.ntfy, "click"), ["https://gw.example.org"; 3]);
}
