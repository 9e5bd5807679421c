//! Messages to phones: an outbox in the store, and two ways out of it, Telegram and ntfy.
//!
//! Invariants:
//! - What was pushed with a transaction is sent, or told as dead after a day: it survives restarts. A message that went
//!   out in the moment of a crash may go out twice; none is lost.
//! - Within a race messages leave in the order in which they came, on each channel by itself: one that is out of order
//!   holds up no other.
//! - No text, chat, topic or token is logged.
//!
//! | part | where |
//! |---|---|
//! | what waits, and for whom | `queue` |
//! | where a person said that they want to be told | `phone` |
//! | one message as a request, and what is made of the answer | `telegram`, `ntfy` |
//! | sending in its own time | `delivery` |

mod channel;
mod delivery;
pub mod message;
mod ntfy;
mod phone;
mod queue;
mod telegram;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use self::channel::{Channel, Failure};
use self::delivery::Lanes;
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::post::Poster;
use crate::config::{ChannelConfig, Live};
use crate::notify::message::{Message, NotSet, Outbox, Phone, Reach};
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::store::{Store, StoreError, Tx};

pub(super) use self::queue::KINDS;

/// What the outbox is made of.
#[derive(Debug)]
pub struct NotifierParts {
    /// Where messages wait.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Whose e-mail is whose: targets are set by e-mail.
    pub accounts: Accounts,
    /// Where the channels are set.
    pub live: watch::Receiver<Live>,
}

/// Takes messages in and sends them. Clones are the same.
#[derive(Clone, Debug)]
pub struct Notifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: NotifierParts,
    poster: Poster,
    /// Something was queued.
    wake: Notify,
    lanes: Mutex<Lanes>,
    /// When people last tried a phone.
    tried: Mutex<HashMap<AccountId, Timestamp>>,
}

/// What became of a test message on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// `Telegram` or `ntfy`.
    pub channel: &'static str,
    /// To how many targets it was sent.
    pub sent: usize,
    /// The first thing that went wrong, for the operator.
    pub failed: Option<String>,
}

impl Notifier {
    /// Starts sending what waits.
    pub fn start(parts: NotifierParts, lifecycle: &Lifecycle) -> Self {
        let notifier = Self(Arc::new(Inner {
            parts,
            poster: Poster::default(),
            wake: Notify::new(),
            lanes: Mutex::default(),
            tried: Mutex::default(),
        }));
        let (sending, stopping) = (notifier.clone(), lifecycle.stopping());
        lifecycle.spawn("notify", async move { sending.deliver(stopping).await });
        notifier
    }

    /// Sends a test message to every target that is set, by the operator or by a person, now and past the queue. Empty
    /// when nothing is set. Errors: the store's.
    pub async fn test(&self) -> Result<Vec<Tested>, StoreError> {
        let text = "A test from garmin-gateway: messages of your races arrive here.";
        let phones = self.0.phones()?;
        let mut tested = Vec::new();
        for (channel, config) in self.0.channels() {
            let own = phones.iter().filter_map(|phone| phone.on(channel));
            let targets: BTreeSet<&str> = config.targets.all().into_iter().chain(own).collect();
            if targets.is_empty() {
                continue;
            }
            let mut report = Tested {
                channel: channel.shown(),
                sent: 0,
                failed: None,
            };
            for target in targets {
                match self
                    .0
                    .send(channel, &config, target, Severity::Notice, text)
                    .await
                {
                    Ok(()) => report.sent += 1,
                    Err(failure) => {
                        report.failed.get_or_insert_with(|| failure.advice(channel));
                    }
                }
            }
            tracing::info!(
                channel = channel.name(),
                sent = report.sent,
                failed = report.failed.is_some(),
                "notify.tested"
            );
            tested.push(report);
        }
        Ok(tested)
    }
}

/// A channel, and where on it.
type Way = (Channel, ChannelConfig, String);

impl Inner {
    /// The channels that are set up at this moment.
    fn channels(&self) -> Vec<(Channel, ChannelConfig)> {
        let live = self.parts.live.borrow();
        let telegram = live
            .notify
            .telegram
            .clone()
            .map(|config| (Channel::Telegram, config));
        let ntfy = live.notify.ntfy.clone().map(|config| (Channel::Ntfy, config));
        telegram.into_iter().chain(ntfy).collect()
    }

    /// The channels that reach this person, each with the person's target: those that they chose themselves, as far as
    /// these are set up here; else the operator's.
    fn ways(&self, account: &AccountId) -> Result<(Reach, Vec<Way>), StoreError> {
        let (channels, own) = (self.channels(), self.phone(account)?);
        let chosen = channels.iter().filter_map(|(channel, config)| {
            let target = own.as_ref()?.on(*channel)?.to_owned();
            Some((*channel, config.clone(), target))
        });
        let chosen: Vec<_> = chosen.collect();
        if !chosen.is_empty() {
            return Ok((Reach::Own, chosen));
        }
        let email = self.parts.accounts.find(account)?.map(|account| account.email);
        let names: Vec<_> = email.as_deref().into_iter().chain([account.as_str()]).collect();
        let usual = channels.into_iter().filter_map(|(channel, config)| {
            let target = config.targets.of(&names)?.to_owned();
            Some((channel, config, target))
        });
        let usual: Vec<_> = usual.collect();
        let reach = if usual.is_empty() {
            Reach::Nowhere
        } else {
            Reach::Usual
        };
        Ok((reach, usual))
    }

    async fn send(
        &self,
        channel: Channel,
        config: &ChannelConfig,
        target: &str,
        severity: Severity,
        text: &str,
    ) -> Result<(), Failure> {
        let post = channel.post(config, target, severity, text);
        let answer = self.poster.post(post).await.map_err(|_| Failure::Unreachable)?;
        channel.judge(&answer)
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox for Notifier {
    fn push(&self, tx: &mut Tx<'_>, message: &Message) -> Result<(), StoreError> {
        if self.0.channels().is_empty() {
            return Ok(());
        }
        queue::push(tx, message, self.0.parts.clock.now())
    }

    fn wake(&self) {
        self.0.wake.notify_one();
    }

    fn reach(&self, account: &AccountId) -> Reach {
        self.0.ways(account).map_or(Reach::Nowhere, |(reach, _)| reach)
    }

    fn set_phone(&self, account: &AccountId, phone: Phone) -> BoxFuture<'static, Result<Reach, NotSet>> {
        let (inner, account) = (Arc::clone(&self.0), account.clone());
        Box::pin(async move { inner.set_phone(&account, phone).await })
    }

    fn forget(&self, tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
        phone::forget(tx, account);
        queue::forget(tx, account)
    }

    fn forget_race(&self, tx: &mut Tx<'_>, account: &AccountId, race: &RaceId) -> Result<(), StoreError> {
        queue::forget_race(tx, account, race)
    }
}
