//! `set_phone`: a person chooses where their messages go. The choice is validated, tested, and stored sealed.

use jiff::SignedDuration;

use super::channel::PhoneChannel;
use super::chat_records::OwnChats;
use super::message::{MessageRoute, Phone, PhoneTrouble, SetPhoneError};
use super::notifier::Notifier;
use super::send_error::SendError;
use crate::accounts::AccountId;
use crate::config::{is_ntfy_topic, is_telegram_chat};
use crate::race::alerts::Severity;
use crate::store::{StoreError, Tx};

/// Minimum interval between two attempts, because each sends a message to an address that the person typed.
const BETWEEN_ATTEMPTS: SignedDuration = SignedDuration::from_secs(10);

const TEST_TEXT: &str = "Messages for you arrive here from now on.";

impl Notifier {
    /// Directs this account's messages to `phone` and nowhere else; an empty phone restores the operator's settings.
    /// A test message is sent first. `is_allowed` is called in the transaction that stores the phone, because access
    /// may have ended in the meantime. Returns where the messages go afterwards.
    pub async fn set_phone(
        &self,
        account: &AccountId,
        phone: Phone,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<MessageRoute, SetPhoneError> {
        check(&phone)?;
        let key = account.as_str().as_bytes().to_vec();
        let is_removed = phone == Phone::default();
        if !is_removed {
            self.send_test(account, &phone).await?;
        }
        let kept = self.store().atomic(move |tx| {
            if !is_allowed(tx)? {
                return Err(SetPhoneError::AccessEnded);
            }
            if is_removed {
                tx.remove::<Phone>(&key);
                tx.remove::<OwnChats>(&key);
            } else {
                tx.put(&key, &phone)?;
                let own = tx.find::<OwnChats>(&key)?.unwrap_or_default();
                tx.put(&key, &own.with(phone.telegram_chat.as_deref()))?;
            }
            Ok(())
        });
        kept.await?;
        tracing::info!(account.id = %account, is_taken_back = is_removed, "notify.phone_set");
        // Queued messages may now have a target.
        self.wake();
        Ok(self.targets(account)?.0)
    }

    /// Sends a test message to each target of `phone`.
    async fn send_test(&self, account: &AccountId, phone: &Phone) -> Result<(), SetPhoneError> {
        self.limit_attempts(account)?;
        let channels = self.channels();
        for (channel, field, setting) in [
            (PhoneChannel::Telegram, TELEGRAM_FIELD, "TELEGRAM_BOT_TOKEN"),
            (PhoneChannel::Ntfy, NTFY_FIELD, "NTFY_URL"),
        ] {
            let Some(target) = phone.on(channel) else { continue };
            let Some((_, config)) = channels.iter().find(|(known, _)| *known == channel) else {
                return Err(SetPhoneError::NoChannel {
                    field,
                    channel: channel.shown(),
                    setting,
                });
            };
            let sent = self
                .send_test_text(channel, config, target, Severity::Info, TEST_TEXT)
                .await;
            sent.map_err(|error| {
                tracing::info!(account.id = %account, channel = channel.name(), reason = error.name(), "notify.phone_refused");
                let why = advice(&error, channel);
                let trouble = trouble(&error, channel);
                SetPhoneError::NotSent { field, why, trouble }
            })?;
        }
        Ok(())
    }

    pub(super) fn limit_attempts(&self, account: &AccountId) -> Result<(), SetPhoneError> {
        let now = self.clock().now();
        let mut tried = self.tried().lock();
        tried.retain(|_, at| now.duration_since(*at) < BETWEEN_ATTEMPTS);
        if tried.contains_key(account) {
            return Err(SetPhoneError::TooSoon);
        }
        tried.insert(account.clone(), now);
        Ok(())
    }
}

/// Names of the arguments of `set_phone`.
const TELEGRAM_FIELD: &str = "telegram_chat";
const NTFY_FIELD: &str = "ntfy_topic";

fn check(phone: &Phone) -> Result<(), SetPhoneError> {
    let is_chat = phone.telegram_chat.as_deref().is_none_or(is_telegram_chat);
    let is_topic = phone.ntfy_topic.as_deref().is_none_or(is_ntfy_topic);
    let (field, shape) = match (is_chat, is_topic) {
        (true, true) => return Ok(()),
        (false, _) => (
            TELEGRAM_FIELD,
            "the number of a chat, the number and a topic such as -1001234567890_7, or @name",
        ),
        (_, false) => (NTFY_FIELD, "a name of 1 to 64 letters, digits, - and _"),
    };
    Err(SetPhoneError::Shape { field, shape })
}

/// Who can mend the error, and how.
pub(super) fn trouble(error: &SendError, channel: PhoneChannel) -> PhoneTrouble {
    match (error, channel) {
        (SendError::UnknownChat, _) => PhoneTrouble::UnknownChat,
        (SendError::ClosedTopic, _) => PhoneTrouble::ClosedTopic,
        (SendError::NotAllowed, _) => PhoneTrouble::NotInGroup,
        (SendError::Refused(400 | 403) | SendError::Blocked, PhoneChannel::Telegram) => {
            PhoneTrouble::NotStarted
        }
        (SendError::Refused(401 | 403), PhoneChannel::Ntfy) => PhoneTrouble::ProtectedTopic,
        (SendError::Unreachable | SendError::RateLimited(_) | SendError::Server(_), _) => PhoneTrouble::Later,
        _ => PhoneTrouble::OfOperator,
    }
}

/// What the person can do about the error.
pub(super) fn advice(error: &SendError, channel: PhoneChannel) -> String {
    match (error, channel) {
        (SendError::UnknownChat, _) => {
            "Telegram knows no such chat; check the number, and write to the bot from there once".into()
        }
        (SendError::ClosedTopic, _) => {
            "the topic is closed or was deleted; open it, or name another one".into()
        }
        (SendError::NotAllowed, _) => {
            "the bot may not write to that group; add it to the group and let it send messages".into()
        }
        (SendError::Refused(400 | 403) | SendError::Blocked, PhoneChannel::Telegram) => {
            "a Telegram bot can write only to people who pressed Start in its chat; press Start, and check the number"
                .into()
        }
        (SendError::Refused(401 | 403), PhoneChannel::Ntfy) => {
            "the ntfy server does not let everybody publish to that topic. NTFY_TOKEN is sent only for topics in NTFY_TOPIC: \
             choose a topic that is open, or ask the operator to add it there".into()
        }
        _ => error.advice(channel),
    }
}
