//! The notifier: queues messages in the outbox, and knows where each person receives them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::bot::health::BotHealth;
use super::channel::PhoneChannel;
use super::chat_records::{self, OwnChats};
use super::message::{MessageRoute, MessageSubject, Phone, PhoneMessage, ShownMessage};
use super::mqtt::BrokerLink;
use super::queue;
use super::send_error::SendError;
use super::telegram::{self, ChatMove, ChatTarget};
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::post::{Post, Poster};
use crate::config::{ChannelConfig, Live};
use crate::race::id::RaceId;
use crate::race::recipients::RecipientPhone;
use crate::store::{Store, StoreError, Tx};

#[derive(Debug)]
pub struct NotifierParts {
    pub store: Store,
    pub clock: Clock,
    /// Needed because the operator's settings name people by e-mail address.
    pub accounts: Accounts,
    /// The gateway's home page, which opens when a message is tapped.
    pub public_url: String,
    pub live: watch::Receiver<Live>,
}

/// Queues messages, and sends them in a separate task. Clones share one queue.
#[derive(Clone, Debug)]
pub struct Notifier(Arc<NotifierInner>);

#[derive(Debug)]
struct NotifierInner {
    parts: NotifierParts,
    poster: Poster,
    broker: BrokerLink,
    queued: Notify,
    /// Pauses after failures, by race and channel.
    pauses: Mutex<HashMap<(String, PhoneChannel), SendPause>>,
    bot_health: Mutex<BotHealth>,
    /// Time of each person's last attempt to set a phone.
    tried: Mutex<HashMap<AccountId, Timestamp>>,
}

/// A pause after consecutive failures.
#[derive(Clone, Copy, Debug)]
pub(super) struct SendPause {
    pub(super) until: Timestamp,
    pub(super) failures: u32,
}

/// Where one person's messages go on one channel.
#[derive(Clone, Debug)]
pub(super) struct MessageTarget {
    pub(super) channel: PhoneChannel,
    pub(super) config: ChannelConfig,
    /// The id of a chat, the name of a topic, the token of an application, or, at the MQTT broker, the account.
    pub(super) address: String,
}

impl Notifier {
    /// Starts the task that sends the queue.
    pub fn start(parts: NotifierParts, lifecycle: &Lifecycle) -> Self {
        let notifier = Self(Arc::new(NotifierInner {
            parts,
            poster: Poster::default(),
            broker: BrokerLink::default(),
            queued: Notify::new(),
            pauses: Mutex::default(),
            bot_health: Mutex::default(),
            tried: Mutex::default(),
        }));
        let (sending, stopping) = (notifier.clone(), lifecycle.stopping());
        lifecycle.spawn("notify", async move { sending.deliver(stopping).await });
        let (linked, stopping) = (notifier.clone(), lifecycle.stopping());
        lifecycle.spawn("mqtt", async move { linked.keep_broker(stopping).await });
        notifier
    }

    /// Queues `message` within `tx`, so that an alert and its message are stored together or not at all. A key that
    /// the race has already used is skipped. Without a channel nothing is queued.
    pub fn push(&self, tx: &mut Tx<'_>, message: &PhoneMessage) -> Result<(), StoreError> {
        if self.channels().is_empty() {
            return Ok(());
        }
        queue::push(tx, message, self.clock().now())
    }

    /// Wakes the delivery task. Call it once the transaction with the message is committed.
    pub fn wake(&self) {
        self.0.queued.notify_one();
    }

    /// Where this account's messages go. If the store cannot be read, the answer is nowhere.
    pub fn route(&self, account: &AccountId) -> MessageRoute {
        self.targets(account)
            .map_or(MessageRoute::Nowhere, |(route, _)| route)
    }

    /// Erases the queued messages, the phone and the invitations of an account.
    pub fn forget_account(&self, tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
        tx.remove::<Phone>(account.as_str().as_bytes());
        tx.remove::<OwnChats>(account.key());
        chat_records::erase_invitations(tx, account)?;
        queue::forget_account(tx, account)
    }

    /// Erases the queued messages of a race whose owner has no access any more. Their keys stay used, in case the race
    /// continues.
    pub fn withdraw_race(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        race: &RaceId,
    ) -> Result<(), StoreError> {
        queue::withdraw(tx, account, &MessageSubject::Race(race.clone()))
    }

    /// Erases the queued messages about a subject. Their keys stay used.
    pub fn withdraw(
        tx: &mut Tx<'_>,
        account: &AccountId,
        subject: &MessageSubject,
    ) -> Result<(), StoreError> {
        queue::withdraw(tx, account, subject)
    }

    /// Erases the messages of a race that are queued for the phone of a former recipient.
    pub fn withdraw_from(
        tx: &mut Tx<'_>,
        account: &AccountId,
        race: &RaceId,
        phone: &RecipientPhone,
    ) -> Result<(), StoreError> {
        queue::withdraw_from(tx, account, race, phone)
    }

    /// Erases the queued messages and used message keys of a race.
    pub fn forget_race(&self, tx: &mut Tx<'_>, account: &AccountId, race: &RaceId) -> Result<(), StoreError> {
        queue::forget_race(tx, account, race)
    }

    /// The channels that are configured at present.
    pub(super) fn channels(&self) -> Vec<(PhoneChannel, ChannelConfig)> {
        let live = self.0.parts.live.borrow();
        let all = [
            (PhoneChannel::Telegram, &live.notify.telegram),
            (PhoneChannel::Ntfy, &live.notify.ntfy),
            (PhoneChannel::Gotify, &live.notify.gotify),
            (PhoneChannel::Webhook, &live.notify.webhook),
            (PhoneChannel::Mqtt, &live.notify.mqtt),
        ];
        all.into_iter()
            .filter_map(|(channel, config)| Some((channel, config.clone()?)))
            .collect()
    }

    /// The targets of a person: their own, as far as those channels are configured; else the operator's.
    pub(super) fn targets(
        &self,
        account: &AccountId,
    ) -> Result<(MessageRoute, Vec<MessageTarget>), StoreError> {
        let channels = self.channels();
        let phone: Phone = self
            .store()
            .find(account.as_str().as_bytes())?
            .unwrap_or_default();
        let to = |address: &dyn Fn(PhoneChannel, &ChannelConfig) -> Option<String>| {
            let targets = channels.iter().filter_map(|(channel, config)| {
                Some(MessageTarget {
                    channel: *channel,
                    address: address(*channel, config)?,
                    config: config.clone(),
                })
            });
            targets.collect::<Vec<_>>()
        };
        let personal = to(&|channel, _| phone.on(channel).map(str::to_owned));
        if !personal.is_empty() {
            return Ok((MessageRoute::Personal, personal));
        }
        let email = self.0.parts.accounts.find(account)?.map(|account| account.email);
        let names: Vec<_> = email.as_deref().into_iter().chain([account.as_str()]).collect();
        let operators = to(&|channel, config| {
            let target = config.targets.of(&names)?;
            Some(match channel {
                // Each person has topics of their own.
                PhoneChannel::Mqtt => account.to_string(),
                _ => target.to_owned(),
            })
        });
        let route = if operators.is_empty() {
            MessageRoute::Nowhere
        } else {
            MessageRoute::Operator
        };
        Ok((route, operators))
    }

    pub(super) async fn send(
        &self,
        channel: PhoneChannel,
        config: &ChannelConfig,
        target: &str,
        message: ShownMessage<'_>,
    ) -> Result<(), SendError> {
        if channel != PhoneChannel::Telegram {
            let post = channel.post(config, target, message, self.clock().now());
            return match post {
                Some(post) => self.send_post(channel, post).await,
                // Boxed, because this future is large and rarely needed.
                None => Box::pin(self.publish(target, message)).await,
            };
        }
        let severity = message.severity;
        let text = message.in_one_text();
        let target = ChatTarget::parse(target);
        let target = target.clone().follow(self.store()).unwrap_or(target);
        let sent = self
            .send_post(channel, telegram::post(config, &target, severity, &text))
            .await;
        let Err(SendError::Moved { to }) = sent else {
            return sent;
        };
        self.keep_move(&target.chat, &to).await;
        let target = target.moved_to(to);
        self.send_post(channel, telegram::post(config, &target, severity, &text))
            .await
    }

    /// The page that opens when a message is tapped.
    pub(super) fn page(&self) -> &str {
        &self.0.parts.public_url
    }

    /// The settings of the Telegram bot, if there is one.
    pub(super) fn bot(&self) -> Option<ChannelConfig> {
        self.0.parts.live.borrow().notify.telegram.clone()
    }

    /// Whether the gateway reads what people write to the bot.
    pub(super) fn bot_listens(&self) -> bool {
        self.0.parts.live.borrow().notify.telegram_listens
    }

    pub(super) fn accounts(&self) -> &Accounts {
        &self.0.parts.accounts
    }

    /// Whether the gateway receives what people write to the bot, and if not, why.
    pub fn bot_health(&self) -> BotHealth {
        *self.0.bot_health.lock()
    }

    pub(super) fn set_bot_health(&self, health: BotHealth) {
        *self.0.bot_health.lock() = health;
    }

    pub(super) fn broker(&self) -> &BrokerLink {
        &self.0.broker
    }

    /// The current settings, and notice of their changes.
    pub(super) fn live(&self) -> &watch::Receiver<Live> {
        &self.0.parts.live
    }

    pub(super) fn poster(&self) -> &Poster {
        &self.0.poster
    }

    pub(super) async fn send_post(&self, channel: PhoneChannel, post: Post) -> Result<(), SendError> {
        let reply = self.0.poster.post(post).await;
        channel.read_reply(&reply.map_err(|_| SendError::Unreachable)?)
    }

    /// Stores the new id of a group, so that later messages go there directly.
    async fn keep_move(&self, from: &str, to: &str) {
        tracing::warn!(
            advice = "a Telegram group became a supergroup; `garmin-gateway notify test` shows its new id",
            "notify.chat_moved"
        );
        let moved = ChatMove {
            to: to.to_owned(),
            moved_at: self.clock().now(),
        };
        if let Err(e) = self.store().put(&ChatMove::key(from), moved).await {
            tracing::warn!(reason = %e, "notify.store_failed");
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.parts.store
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    /// Completes when a message is queued.
    pub(super) async fn queued(&self) {
        self.0.queued.notified().await;
    }

    pub(super) fn pauses(&self) -> &Mutex<HashMap<(String, PhoneChannel), SendPause>> {
        &self.0.pauses
    }

    pub(super) fn tried(&self) -> &Mutex<HashMap<AccountId, Timestamp>> {
        &self.0.tried
    }
}

impl Phone {
    pub(super) fn on(&self, channel: PhoneChannel) -> Option<&str> {
        match channel {
            PhoneChannel::Telegram => self.telegram_chat.as_deref(),
            PhoneChannel::Ntfy => self.ntfy_topic.as_deref(),
            // Members can't name a server, because the gateway would then send requests into the operator's network for
            // them.
            PhoneChannel::Gotify | PhoneChannel::Webhook | PhoneChannel::Mqtt => None,
        }
    }
}
