//! What is stored about Telegram chats.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::base::secrets::sha256;
use crate::race::alerts::Voice;
use crate::race::recipients::{InvitedChatId, Units};
use crate::store::{Record, StoreError, Table, Tx};

/// Until when a chat is muted. The key is the SHA-256 of the chat's id, or of its `@name`, because keys in the store
/// are not sealed.
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

/// How many of a person's own chats are remembered.
const MOST_KNOWN: usize = 3;

/// The private chats that a person has set as their phone. A sender in a group is recognized by them. The key is the
/// account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnChats {
    /// At most `MOST_KNOWN`, newest last.
    chats: Vec<i64>,
}

impl Record for OwnChats {
    const TABLE: Table = Table("telegram_own_chats");
}

impl OwnChats {
    pub(super) fn contains(&self, chat: i64) -> bool {
        self.chats.contains(&chat)
    }

    /// Adds this chat as the newest, if it is a private one.
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

/// A chat that was invited to read a person's races. The key is the account and the id of the invitation.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct InvitedChat {
    /// The private chat in which the invitation was taken up.
    pub(super) chat: Option<i64>,
    /// The race for which it was invited, for display.
    pub(super) race: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    pub(super) invited_at: Timestamp,
}

impl Record for InvitedChat {
    const TABLE: Table = Table("telegram_invited_chat");
}

impl InvitedChat {
    pub(super) fn voice(&self) -> Voice {
        Voice::new(self.language.as_deref(), Units::default())
    }
}

/// The key of an invited chat. An empty `id` gives the prefix of all keys of the account.
pub(super) fn invited_key(account: &AccountId, id: &str) -> Vec<u8> {
    [account.key(), b"/", id.as_bytes()].concat()
}

/// An invitation that was not taken up yet. The key is the SHA-256 of its code.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct InvitationCode {
    pub(super) account: AccountId,
    pub(super) id: InvitedChatId,
    pub(super) expires_at: Timestamp,
}

impl Record for InvitationCode {
    const TABLE: Table = Table("telegram_invitation");
}

/// Erases an invitation of an account, taken up or not.
pub(super) fn erase_invitation(
    tx: &mut Tx<'_>,
    account: &AccountId,
    id: &InvitedChatId,
) -> Result<(), StoreError> {
    for (key, code) in tx.list::<InvitationCode>(b"")? {
        if code.account == *account && code.id == *id {
            tx.remove::<InvitationCode>(&key);
        }
    }
    tx.remove::<InvitedChat>(&invited_key(account, id.as_str()));
    Ok(())
}

/// Erases all invitations of an account.
pub(super) fn erase_invitations(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    for (key, code) in tx.list::<InvitationCode>(b"")? {
        if code.account == *account {
            tx.remove::<InvitationCode>(&key);
        }
    }
    for (key, _) in tx.list::<InvitedChat>(&invited_key(account, ""))? {
        tx.remove::<InvitedChat>(&key);
    }
    Ok(())
}

/// The id of a private chat, which is also the id of its person. The ids of groups are negative.
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
