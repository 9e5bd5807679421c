//! The phones of the recipients whom a person names for a race: which chats may be named, where messages go, and the
//! first message.

use super::channel::PhoneChannel;
use super::chat_records::erase_invitation;
use super::message::SetPhoneError;
use super::notifier::{MessageTarget, Notifier};
use super::phone::{advice, trouble};
use super::telegram::ChatTarget;
use crate::accounts::AccountId;
use crate::race::alerts::Severity;
use crate::race::recipients::{InvitedChatId, RecipientPhone};
use crate::store::{StoreError, Tx};

impl Notifier {
    /// The people whose own messages go to this chat, by their choice or the operator's.
    pub fn people_at(&self, chat: &str) -> Result<Vec<AccountId>, StoreError> {
        let wanted = ChatTarget::parse(chat).follow(self.store())?;
        let mut people = Vec::new();
        for account in self.accounts().list()? {
            for target in self.targets(&account.id)?.1 {
                let is_telegram = target.channel == PhoneChannel::Telegram;
                if is_telegram && ChatTarget::parse(&target.address).follow(self.store())? == wanted {
                    people.push(account.id.clone());
                }
            }
        }
        Ok(people)
    }

    /// Whether the person's own messages already go to this phone.
    pub fn is_own_phone(&self, account: &AccountId, phone: &RecipientPhone) -> Result<bool, StoreError> {
        let is_it = |target: &MessageTarget| match phone {
            RecipientPhone::Ntfy(topic) => target.channel == PhoneChannel::Ntfy && target.address == *topic,
            RecipientPhone::Telegram(chat) => {
                target.channel == PhoneChannel::Telegram && target.address == *chat
            }
            RecipientPhone::Invited(_) | RecipientPhone::Invite => false,
        };
        Ok(self.targets(account)?.1.iter().any(is_it))
    }

    /// Where messages to a recipient's phone go now. Empty if its channel is not set up, nobody has taken up the
    /// invitation, or the chat no longer belongs to anybody.
    pub(super) fn recipient_targets(
        &self,
        account: &AccountId,
        phone: &RecipientPhone,
    ) -> Result<Vec<MessageTarget>, StoreError> {
        let (channel, address) = match phone {
            RecipientPhone::Ntfy(topic) => (PhoneChannel::Ntfy, Some(topic.clone())),
            RecipientPhone::Telegram(chat) => {
                let is_theirs = !self.people_at(chat)?.is_empty();
                (PhoneChannel::Telegram, is_theirs.then(|| chat.clone()))
            }
            RecipientPhone::Invited(id) => {
                let chat = self.linked_chat(account, id)?;
                (PhoneChannel::Telegram, chat.map(|chat| chat.to_string()))
            }
            RecipientPhone::Invite => (PhoneChannel::Telegram, None),
        };
        let config = self.channels().into_iter().find(|(known, _)| *known == channel);
        let target = config
            .zip(address)
            .map(|((channel, config), address)| MessageTarget {
                channel,
                config,
                address,
            });
        Ok(target.into_iter().collect())
    }

    /// Sends the first message to phones that were just named, each with its text. Error: the place of the phone in the
    /// list, and why it can't be reached.
    pub async fn greet(
        &self,
        account: &AccountId,
        phones: &[(&RecipientPhone, String)],
    ) -> Result<(), (usize, SetPhoneError)> {
        if phones.is_empty() {
            return Ok(());
        }
        self.limit_attempts(account).map_err(|e| (0, e))?;
        for (place, (phone, text)) in phones.iter().enumerate() {
            let targets = self.recipient_targets(account, phone);
            let targets = targets.map_err(|e| (place, e.into()))?;
            let Some(target) = targets.first() else {
                return Err((place, no_channel(phone)));
            };
            let channel = target.channel;
            let sent = self
                .send_test_text(channel, &target.config, &target.address, Severity::Info, text)
                .await;
            if let Err(error) = sent {
                tracing::info!(account.id = %account, channel = channel.name(), reason = error.name(), "notify.phone_refused");
                let why = advice(&error, channel);
                let field = field_of(phone);
                let trouble = trouble(&error, channel);
                return Err((place, SetPhoneError::NotSent { field, why, trouble }));
            }
        }
        Ok(())
    }

    /// Erases an invitation of an account, taken up or not.
    pub fn erase_invitation(
        tx: &mut Tx<'_>,
        account: &AccountId,
        id: &InvitedChatId,
    ) -> Result<(), StoreError> {
        erase_invitation(tx, account, id)
    }
}

fn field_of(phone: &RecipientPhone) -> &'static str {
    match phone {
        RecipientPhone::Ntfy(_) => "ntfy_topic",
        RecipientPhone::Telegram(_) | RecipientPhone::Invited(_) | RecipientPhone::Invite => "telegram",
    }
}

fn no_channel(phone: &RecipientPhone) -> SetPhoneError {
    let (channel, setting) = match phone {
        RecipientPhone::Ntfy(_) => ("ntfy server", "NTFY_URL"),
        RecipientPhone::Telegram(_) | RecipientPhone::Invited(_) | RecipientPhone::Invite => {
            ("Telegram bot", "TELEGRAM_BOT_TOKEN")
        }
    };
    SetPhoneError::NoChannel {
        field: field_of(phone),
        channel,
        setting,
    }
}
