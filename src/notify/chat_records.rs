//! What is stored about Telegram chats.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::secrets::sha256;
use crate::store::{Record, Table};

/// Until when a chat is muted. The key is the SHA-256 of the chat's id, or of its `@name`, because keys in the store are
/// not sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChatMute {
    pub(super) until: Timestamp,
}

impl Record for ChatMute {
    const TABLE: Table = Table("telegram_mute");
}

impl ChatMute {
    pub(super) fn key(chat: &str) -> [u8; 32] {
        sha256(chat.to_lowercase().as_bytes())
    }
}

/// Most own chats that are remembered of a person.
const MOST_KNOWN: usize = 3;

/// The private chats that a person has set as their phone. In a group, they tell who the sender is. The key is the
/// account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnChats {
    /// A few, of which the newest is last.
    chats: Vec<i64>,
}

impl Record for OwnChats {
    const TABLE: Table = Table("telegram_own_chats");
}

impl OwnChats {
    pub(super) fn contains(&self, chat: i64) -> bool {
        self.chats.contains(&chat)
    }

    /// The chats with this one as the newest, if it is a private one.
    pub(super) fn with(mut self, chat: Option<&str>) -> Self {
        if let Some(chat) = chat.and_then(private_chat) {
            self.chats.retain(|known| *known != chat);
            self.chats.push(chat);
            let surplus = self.chats.len().saturating_sub(MOST_KNOWN);
            self.chats.drain(..surplus);
        }
        self
    }
}

/// The id of a private chat, which is that of its person. The ids of groups are negative.
pub(super) fn private_chat(target: &str) -> Option<i64> {
    target.parse().ok().filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_chats_tell_who_somebody_is() {
        let own = OwnChats::default();
        let own = own
            .with(Some("-1001"))
            .with(Some("@ann"))
            .with(Some("7_1"))
            .with(None);
        assert!(own.chats.is_empty());
        let own = ["1", "2", "3", "1", "4"]
            .into_iter()
            .fold(own, |own, chat| own.with(Some(chat)));
        assert_eq!(own.chats, [3, 1, 4]);
    }
}
