//! Telegram chats that were invited to read a person's races. Somebody accepts an invitation by sending its one-time
//! code to the bot. The chat from which they send it then gets the messages, until somebody sends `/leave` there.
//!
//! Invariants:
//! - A chat gets nothing before somebody in it has accepted.
//! - Only the SHA-256 of a code is stored. A code works once, and only within [`INVITATION_LASTS`].

use jiff::{SignedDuration, Timestamp};

use super::bot::BotChat;
use super::chat_records::{InvitationCode, InvitedChat, invited_key};
use super::notifier::Notifier;
use crate::accounts::AccountId;
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::race::recipients::{InvitedChatId, Recipient};
use crate::store::{StoreError, Tx};

/// How long an invitation can be accepted.
const INVITATION_LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The prefix of the codes. `/start` recognizes a code by it.
pub const CODE_PREFIX: &str = "join_";

impl Notifier {
    /// Whether people can accept an invitation: there is a bot, and the gateway reads what people write to it.
    pub fn can_invite(&self) -> bool {
        self.bot().is_some() && self.bot_listens()
    }

    /// Stores an invitation to `race` for a recipient, and returns its code. Only the code's hash is stored.
    pub fn invite(
        &self,
        tx: &mut Tx<'_>,
        account: &AccountId,
        id: &InvitedChatId,
        recipient: &Recipient,
        race: &str,
    ) -> Result<Secret, StoreError> {
        let now = self.clock().now();
        for (key, code) in tx.list::<InvitationCode>(b"")? {
            if code.expires_at <= now {
                tx.remove::<InvitationCode>(&key);
            }
        }
        let code = random_token(CODE_PREFIX);
        let invited = InvitedChat {
            chat: None,
            race: race.to_owned(),
            language: recipient.language.clone(),
            invited_at: now,
        };
        tx.put(&invited_key(account, id.as_str()), &invited)?;
        let invitation = InvitationCode {
            account: account.clone(),
            id: id.clone(),
            expires_at: now.checked_add(INVITATION_LASTS).unwrap_or(Timestamp::MAX),
        };
        tx.put(TokenHash::of(code.expose()).as_bytes(), &invitation)?;
        Ok(code)
    }

    /// Takes up the invitation of a code for a chat. Returns the answer; `None` if the code is unknown, used or
    /// expired, or `is_allowed` says no for the person who invited.
    pub async fn accept_invitation(
        &self,
        code: &str,
        chat: &BotChat,
        is_allowed: impl FnOnce(&Tx<'_>, &AccountId) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<Option<String>, StoreError> {
        let (hash, chat, now) = (TokenHash::of(code), chat.id, self.clock().now());
        let accepted = self.store().atomic(move |tx| {
            let Some(invitation) = tx.find::<InvitationCode>(hash.as_bytes())? else {
                return Ok(None);
            };
            if invitation.expires_at <= now || !is_allowed(tx, &invitation.account)? {
                return Ok(None);
            }
            let key = invited_key(&invitation.account, invitation.id.as_str());
            let Some(invited) = tx.find::<InvitedChat>(&key)? else {
                return Ok(None);
            };
            let answer = invited.voice().linked(&invited.race);
            tx.remove::<InvitationCode>(hash.as_bytes());
            let chat = Some(chat);
            tx.put(&key, &InvitedChat { chat, ..invited })?;
            Ok::<_, StoreError>(Some((invitation.account, answer)))
        });
        let Some((account, answer)) = accepted.await? else {
            return Ok(None);
        };
        tracing::info!(account.id = %account, "notify.chat_linked");
        self.wake();
        Ok(Some(answer))
    }

    /// Whether a chat reads races by invitation.
    pub fn reads_by_invitation(&self, chat: &BotChat) -> Result<bool, StoreError> {
        let invited = self.store().list::<InvitedChat>(b"")?;
        Ok(invited.iter().any(|(_, invited)| invited.chat == Some(chat.id)))
    }

    /// Ends all invitations that were taken up for a chat. Returns the answer; `None` if there was none.
    pub async fn leave(&self, chat: &BotChat) -> Result<Option<&'static str>, StoreError> {
        let chat = chat.id;
        let left = self.store().atomic(move |tx| {
            let mut answer = None;
            for (key, invited) in tx.list::<InvitedChat>(b"")? {
                if invited.chat == Some(chat) {
                    answer = Some(invited.voice().unlinked());
                    tx.remove::<InvitedChat>(&key);
                }
            }
            Ok::<_, StoreError>(answer)
        });
        let answer = left.await?;
        tracing::info!(is_linked = answer.is_some(), "notify.chat_left");
        Ok(answer)
    }

    /// Whether somebody has taken up this invitation; `None` if the account has no such invitation.
    pub fn is_linked(&self, account: &AccountId, id: &InvitedChatId) -> Result<Option<bool>, StoreError> {
        let invited: Option<InvitedChat> = self.store().find(&invited_key(account, id.as_str()))?;
        Ok(invited.map(|invited| invited.chat.is_some()))
    }

    /// The chat in which an invitation was taken up.
    pub(super) fn linked_chat(
        &self,
        account: &AccountId,
        id: &InvitedChatId,
    ) -> Result<Option<i64>, StoreError> {
        let invited: Option<InvitedChat> = self.store().find(&invited_key(account, id.as_str()))?;
        Ok(invited.and_then(|invited| invited.chat))
    }
}
