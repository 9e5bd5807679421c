//! The listener against a server that answers as Telegram does.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::health::{BotHealth, PollFailure};
use super::listener::BotListener;
use crate::accounts::Accounts;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::RootSecret;
use crate::base::stand_in::{SeenRequest, StandIn};
use crate::config::{Config, Live, Sources};
use crate::notify::notifier::{Notifier, NotifierParts};
use crate::store::Store;

const BOT: &str = "123456:AAbbCCddEEffGGhhIIjj";
const OTHER_BOT: &str = "654321:AAbbCCddEEffGGhhIIjj";

struct Bench {
    telegram: StandIn,
    live: watch::Sender<Live>,
    notifier: Notifier,
    stopping: CancellationToken,
    _lifecycle: Lifecycle,
    _dir: tempfile::TempDir,
}

fn settings(telegram: &StandIn, more: &[(&str, &str)]) -> Live {
    let usual = [
        ("HOME", "/h"),
        ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
        ("TELEGRAM_API_URL", telegram.url.as_str()),
    ];
    let pairs = usual.into_iter().chain(more.iter().copied());
    Config::load(&Sources::of_pairs(pairs)).unwrap().live
}

impl Bench {
    async fn new(more: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secret = RootSecret::new("an unguessable text of 32 letters").unwrap();
        let store = Store::open(&dir.path().join("db"), &secret).unwrap();
        let clock = Clock::manual("2026-10-04T09:00:00Z".parse::<Timestamp>().unwrap());
        let lifecycle = Lifecycle::new();
        let telegram = StandIn::start(&lifecycle).await;
        let (live, settings) = watch::channel(settings(&telegram, more));
        let parts = NotifierParts {
            store: store.clone(),
            clock: clock.clone(),
            accounts: Accounts::new(store, clock, settings.clone()),
            public_url: "https://gw.example.org".into(),
            live: settings,
        };
        Self {
            notifier: Notifier::start(parts, &lifecycle),
            telegram,
            live,
            stopping: CancellationToken::new(),
            _lifecycle: lifecycle,
            _dir: dir,
        }
    }

    fn listener(&self) -> BotListener {
        let live = self.live.subscribe();
        BotListener::new(
            self.notifier.clone(),
            live,
            &[("status", "How the race stands")],
            self.stopping.clone(),
        )
    }

    fn will_tell(&self, ids: &[i64]) {
        let message = |id: &i64| {
            json!({"update_id": id, "message": {
                "from": {"id": 42}, "text": "/status", "chat": {"id": 42, "type": "private"},
            }})
        };
        let result: Vec<Value> = ids.iter().map(message).collect();
        let body = json!({"ok": true, "result": result}).to_string();
        self.telegram.will_answer(200, &[], &body);
    }

    fn polls(&self) -> Vec<SeenRequest> {
        let mut asked = self.telegram.asked();
        asked.retain(|request| request.path.ends_with("/getUpdates"));
        asked
    }

    fn offsets(&self) -> Vec<Option<i64>> {
        let offset = |poll: &SeenRequest| poll.json["offset"].as_i64();
        self.polls().iter().map(offset).collect()
    }
}

#[tokio::test]
async fn what_was_taken_does_not_come_again_after_a_restart() {
    let bench = Bench::new(&[("TELEGRAM_BOT_TOKEN", BOT)]).await;
    bench.will_tell(&[7, 8, 9]);
    let mut listener = bench.listener();
    let updates = listener.next().await.unwrap();
    let ids: Vec<_> = updates.iter().map(|update| update.id).collect();
    assert_eq!(ids, [7, 8, 9]);
    // The program is killed after two of three were taken.
    listener.take(&updates[0]).await.unwrap();
    listener.take(&updates[1]).await.unwrap();
    drop(listener);
    bench.will_tell(&[9]);
    let mut listener = bench.listener();
    assert_eq!(listener.next().await.unwrap()[0].id, 9);
    // Within a run, the next poll confirms what the last one brought.
    bench.will_tell(&[10]);
    listener.next().await.unwrap();
    assert_eq!(bench.offsets(), [None, Some(9), Some(10)]);
    let asked = bench.telegram.asked().remove(0);
    assert_eq!(asked.path, format!("/bot{BOT}/getUpdates"));
    assert_eq!(
        asked.json["allowed_updates"],
        json!(["message", "callback_query"])
    );
}

#[tokio::test]
async fn a_bot_offers_its_commands_once_it_is_heard() {
    let bench = Bench::new(&[("TELEGRAM_BOT_TOKEN", BOT)]).await;
    bench.will_tell(&[1]);
    // Setting the menu fails, but the bot works without one.
    bench.telegram.will_answer(500, &[], "");
    let mut listener = bench.listener();
    assert_eq!(listener.next().await.unwrap()[0].id, 1);
    bench.will_tell(&[2]);
    listener.next().await.unwrap();
    let asked = bench.telegram.asked();
    let menus: Vec<_> = asked
        .iter()
        .filter(|request| request.path == format!("/bot{BOT}/setMyCommands"))
        .collect();
    let [menu] = menus.as_slice() else {
        panic!("{} menus", menus.len())
    };
    let status = json!({"command": "status", "description": "How the race stands"});
    assert_eq!(menu.json["commands"], json!([status]));
}

#[tokio::test]
async fn a_conflict_is_reported_until_the_bot_is_heard_again() {
    let bench = Bench::new(&[("TELEGRAM_BOT_TOKEN", BOT)]).await;
    let conflict = r#"{"ok":false,"description":"Conflict: terminated by other getUpdates request"}"#;
    bench.telegram.will_answer(409, &[], conflict);
    bench.will_tell(&[1]);
    let mut listener = bench.listener();
    let listening = async {
        listener.next().await.unwrap();
    };
    let seen = async {
        loop {
            if let BotHealth::Failing { failure, .. } = bench.notifier.bot_health() {
                break failure;
            }
            tokio::task::yield_now().await;
        }
    };
    let ((), failure) = tokio::join!(listening, seen);
    assert_eq!(failure, PollFailure::OtherReader);
    assert_eq!(bench.notifier.bot_health(), BotHealth::Listening);
}

#[tokio::test]
async fn a_change_of_the_settings_replaces_the_poller() {
    let bench = Bench::new(&[]).await;
    let mut listener = bench.listener();
    let changing = async {
        while bench.notifier.bot_health() != BotHealth::Off {
            tokio::task::yield_now().await;
        }
        // A bot that the gateway does not poll.
        let quiet = [("TELEGRAM_BOT_TOKEN", BOT), ("TELEGRAM_LISTEN", "false")];
        bench.live.send_replace(settings(&bench.telegram, &quiet));
        // The first answer is not one of the Bot API's. Another bot is set during the pause that follows.
        let bot = [("TELEGRAM_BOT_TOKEN", BOT)];
        bench.live.send_replace(settings(&bench.telegram, &bot));
        bench.telegram.wait_for(1).await;
        bench.will_tell(&[5]);
        let other = [("TELEGRAM_BOT_TOKEN", OTHER_BOT)];
        bench.live.send_replace(settings(&bench.telegram, &other));
    };
    let (updates, ()) = tokio::join!(listener.next(), changing);
    let updates = updates.unwrap();
    listener.take(&updates[0]).await.unwrap();
    let paths: Vec<_> = bench.polls().into_iter().map(|poll| poll.path).collect();
    assert_eq!(paths.first(), Some(&format!("/bot{BOT}/getUpdates")));
    assert_eq!(paths.last(), Some(&format!("/bot{OTHER_BOT}/getUpdates")));
    // Each bot counts its own updates.
    bench.will_tell(&[1]);
    let bot = [("TELEGRAM_BOT_TOKEN", BOT)];
    bench.live.send_replace(settings(&bench.telegram, &bot));
    assert_eq!(listener.next().await.unwrap()[0].id, 1);
    assert_eq!(bench.offsets().last(), Some(&None));
}

#[tokio::test]
async fn a_stop_ends_a_poll_at_once() {
    // The server accepts the connection, and never answers.
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    let bench = Bench::new(&[]).await;
    let mut live = settings(&bench.telegram, &[("TELEGRAM_BOT_TOKEN", BOT)]);
    live.notify.telegram.as_mut().unwrap().url = url.parse().unwrap();
    bench.live.send_replace(live);
    let mut listener = bench.listener();
    let stopping = bench.stopping.clone();
    let polling = async { listener.next().await.is_none() };
    let stop = async {
        let accepted = tokio::task::spawn_blocking(move || held.accept());
        let connection = accepted.await.unwrap().unwrap();
        stopping.cancel();
        connection
    };
    let both = async { tokio::join!(polling, stop) };
    let (ended, _connection) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert!(ended);
}
