//! How chats and people relate: the people whose messages go to a chat, and the people that a sender is.
//!
//! A chat belongs to a person if the person or the operator has set it as theirs. There is no other registration.

use super::bot::update::{BotChat, BotSender};
use super::channel::PhoneChannel;
use super::chat_records::{OwnChats, private_chat};
use super::notifier::Notifier;
use super::telegram::ChatTarget;
use crate::accounts::{Account, AccountId};
use crate::config::ChannelConfig;
use crate::store::StoreError;

fn is_chat(target: &ChatTarget, chat: &BotChat) -> bool {
    match target.chat.strip_prefix('@') {
        Some(name) => {
            let own = chat.username.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        }
        None => target.chat.parse() == Ok(chat.id),
    }
}

impl Notifier {
    /// The people whose race messages go to this chat, in any of its topics.
    pub fn people_of(&self, chat: &BotChat) -> Result<Vec<AccountId>, StoreError> {
        let mut people = Vec::new();
        for account in self.accounts().list()? {
            let (_, targets) = self.targets(&account.id)?;
            for target in targets {
                let is_telegram = target.channel == PhoneChannel::Telegram;
                if is_telegram && is_chat(&ChatTarget::parse(&target.address).follow(self.store())?, chat) {
                    people.push(account.id.clone());
                }
            }
        }
        Ok(people)
    }

    /// The people whose phone is, or was, the sender's private chat with the bot.
    pub fn people_who_are(&self, sender: &BotSender) -> Result<Vec<AccountId>, StoreError> {
        let config = self.bot();
        let mut people = Vec::new();
        for account in self.accounts().list()? {
            let own: Option<OwnChats> = self.store().find(account.id.key())?;
            let (_, targets) = self.targets(&account.id)?;
            let present = targets.iter().map(|target| target.address.as_str());
            let by_operator = config
                .as_ref()
                .and_then(|config| set_by_operator(config, &account));
            let mut private = present.chain(by_operator).filter_map(private_chat);
            if own.is_some_and(|own| own.contains(sender.id)) || private.any(|chat| chat == sender.id) {
                people.push(account.id);
            }
        }
        Ok(people)
    }
}

/// The chat that the settings name for this person.
fn set_by_operator<'a>(config: &'a ChannelConfig, account: &Account) -> Option<&'a str> {
    config.targets.of(&[&account.email, account.id.as_str()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_known_by_its_number_or_its_name() {
        let chat = BotChat {
            id: -1_001,
            username: Some("RaceFamily".into()),
            is_private: false,
            topic: None,
        };
        for (target, is_it) in [
            ("-1001", true),
            ("-1001_7", true),
            ("@racefamily", true),
            ("-1002", false),
            ("@race", false),
            ("1001", false),
        ] {
            assert_eq!(is_chat(&ChatTarget::parse(target), &chat), is_it, "{target}");
        }
    }
}
