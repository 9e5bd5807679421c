//! Where a person said that they want to be told: checked, tried, and kept sealed under their account.

use jiff::SignedDuration;

use super::Inner;
use super::channel::{Channel, Failure};
use crate::accounts::AccountId;
use crate::config::{is_ntfy_topic, is_telegram_chat};
use crate::notify::message::{NotSet, Phone, Reach};
use crate::race::alerts::Severity;
use crate::store::{Record, StoreError, Table, Tx};

impl Record for Phone {
    const TABLE: Table = Table("phone");
}

/// Trying sends a message to somewhere that a person names: not as fast as they like.
const APART: SignedDuration = SignedDuration::from_secs(10);

/// What is said to try it.
const TRIED: &str = "Messages of your races arrive here from now on.";

impl Phone {
    /// The target on a channel.
    pub(super) fn on(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Telegram => self.telegram_chat.as_deref(),
            Channel::Ntfy => self.ntfy_topic.as_deref(),
        }
    }
}

/// How a channel is called in the tool's arguments.
fn field(channel: Channel) -> &'static str {
    match channel {
        Channel::Telegram => "telegram_chat",
        Channel::Ntfy => "ntfy_topic",
    }
}

impl Inner {
    /// What this person said, if they did.
    pub(super) fn phone(&self, account: &AccountId) -> Result<Option<Phone>, StoreError> {
        self.parts.store.find(account.as_str().as_bytes())
    }

    /// What everybody said.
    pub(super) fn phones(&self) -> Result<Vec<Phone>, StoreError> {
        let phones = self.parts.store.list::<Phone>(b"")?;
        Ok(phones.into_iter().map(|(_, phone)| phone).collect())
    }

    pub(super) async fn set_phone(&self, account: &AccountId, phone: Phone) -> Result<Reach, NotSet> {
        check(&phone)?;
        let key = account.as_str().as_bytes().to_vec();
        let is_taken_back = phone == Phone::default();
        if is_taken_back {
            let removed = self.parts.store.atomic(move |tx| {
                tx.remove::<Phone>(&key);
                Ok::<_, StoreError>(())
            });
            removed.await?;
        } else {
            self.try_out(account, &phone).await?;
            self.parts.store.put(&key, phone).await?;
        }
        tracing::info!(account.id = %account, is_taken_back, "notify.phone_set");
        // What waits may have a way now.
        self.wake.notify_one();
        Ok(self.ways(account)?.0)
    }

    /// Sends a message to each target.
    async fn try_out(&self, account: &AccountId, phone: &Phone) -> Result<(), NotSet> {
        self.wait_a_little(account)?;
        let channels = self.channels();
        for channel in [Channel::Telegram, Channel::Ntfy] {
            let Some(target) = phone.on(channel) else { continue };
            let field = field(channel);
            let Some((_, config)) = channels.iter().find(|(known, _)| *known == channel) else {
                let setting = match channel {
                    Channel::Telegram => "TELEGRAM_BOT_TOKEN",
                    Channel::Ntfy => "NTFY_URL",
                };
                let channel = channel.shown();
                return Err(NotSet::NoWay {
                    field,
                    channel,
                    setting,
                });
            };
            let sent = self.send(channel, config, target, Severity::Info, TRIED).await;
            sent.map_err(|failure| {
                tracing::info!(account.id = %account, channel = channel.name(), reason = failure.name(), "notify.phone_refused");
                let why = why(&failure, channel);
                NotSet::NotSent { field, why }
            })?;
        }
        Ok(())
    }

    fn wait_a_little(&self, account: &AccountId) -> Result<(), NotSet> {
        let now = self.parts.clock.now();
        let mut tried = self
            .tried
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        tried.retain(|_, at| now.duration_since(*at) < APART);
        if tried.contains_key(account) {
            return Err(NotSet::TooSoon);
        }
        tried.insert(account.clone(), now);
        Ok(())
    }
}

fn check(phone: &Phone) -> Result<(), NotSet> {
    let is_chat = phone.telegram_chat.as_deref().is_none_or(is_telegram_chat);
    let is_topic = phone.ntfy_topic.as_deref().is_none_or(is_ntfy_topic);
    let (field, shape) = match (is_chat, is_topic) {
        (true, true) => return Ok(()),
        (false, _) => (field(Channel::Telegram), "the number of a chat, or @name"),
        (_, false) => (field(Channel::Ntfy), "a name of 1 to 64 letters, digits, - and _"),
    };
    Err(NotSet::Shape { field, shape })
}

/// In words for the person.
fn why(failure: &Failure, channel: Channel) -> String {
    match (failure, channel) {
        (Failure::Refused(400 | 403), Channel::Telegram) => {
            "Telegram lets the bot write only to who pressed Start there; do that, and check the number"
                .into()
        }
        (Failure::Refused(403), Channel::Ntfy) => {
            "the ntfy server does not let this gateway write there".into()
        }
        _ => failure.advice(channel),
    }
}

/// Forgets where an account is told.
pub(super) fn forget(tx: &mut Tx<'_>, account: &AccountId) {
    tx.remove::<Phone>(account.as_str().as_bytes());
}
