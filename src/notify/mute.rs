//! Chats that get no race messages for a while, except warnings.

use jiff::Timestamp;

use super::bot::update::BotChat;
use super::chat_records::ChatMute;
use super::notifier::Notifier;
use super::telegram::ChatTarget;
use crate::race::alerts::Severity;
use crate::store::StoreError;

/// The least severity of messages that reach a muted chat.
const PASSES_A_MUTE: Severity = Severity::Warning;

impl Notifier {
    /// Mutes a chat until a time; `None` ends a mute.
    pub async fn mute_chat(&self, chat: &BotChat, until: Option<Timestamp>) -> Result<(), StoreError> {
        let name = chat
            .username
            .as_ref()
            .map(|name| ChatMute::key(&format!("@{name}")));
        let keys = [Some(ChatMute::key(&chat.id.to_string())), name];
        let muted = self.store().atomic(move |tx| {
            for key in keys.into_iter().flatten() {
                match until {
                    Some(until) => tx.put(&key, &ChatMute { until })?,
                    None => tx.remove::<ChatMute>(&key),
                }
            }
            Ok::<_, StoreError>(())
        });
        muted.await?;
        tracing::info!(is_muted = until.is_some(), "notify.chat_muted");
        Ok(())
    }

    /// Whether a message of this severity is withheld from a Telegram chat now.
    pub(super) fn is_muted(&self, target: &str, severity: Severity) -> Result<bool, StoreError> {
        if severity >= PASSES_A_MUTE {
            return Ok(false);
        }
        let chat = ChatTarget::parse(target).follow(self.store())?.chat;
        let mute = self.store().find::<ChatMute>(&ChatMute::key(&chat))?;
        Ok(mute.is_some_and(|mute| self.clock().now() < mute.until))
    }
}
