mod broker;
mod gotify;
mod mqtt;
mod ntfy;
mod operator;
mod phone;
mod queue;
mod telegram;
mod webhook;

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
