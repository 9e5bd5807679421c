//! Answers to a chat and to a pressed button.

use std::time::Duration;

use super::requests::{self, BotReply};
use super::update::{BotChat, ButtonPress};
use crate::base::post::Post;
use crate::config::ChannelConfig;
use crate::notify::channel::PhoneChannel;
use crate::notify::notifier::Notifier;
use crate::notify::send_error::SendError;

/// The longest wait before the one retry of a failed answer. Nobody expects an answer later than that.
const LONGEST_RETRY: Duration = Duration::from_secs(10);

impl Notifier {
    /// Answers in the chat and the topic of an update. A failure is logged.
    pub async fn reply(&self, chat: &BotChat, reply: &BotReply) {
        self.answer("reply", |config| requests::send_reply(config, chat, reply))
            .await;
    }

    /// Answers a pressed button with a short note, which also ends the button's spinner.
    pub async fn answer_press(&self, press: &ButtonPress, note: &str) {
        self.answer("note", |config| requests::answer_press(config, press, note))
            .await;
    }

    /// Puts a text in place of the message with the button, so that it can't be pressed again.
    pub async fn replace_message(&self, chat: &BotChat, press: &ButtonPress, text: &str) {
        self.answer("replacement", |config| {
            requests::replace_message(config, chat, press, text)
        })
        .await;
    }

    /// The bot's own name, without `@`.
    pub async fn bot_name(&self) -> Option<String> {
        let config = self.bot()?;
        let answer = self.poster().post(requests::get_me(&config)).await.ok()?;
        let told: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        told.pointer("/result/username")?.as_str().map(str::to_owned)
    }

    async fn answer(&self, what: &'static str, make: impl Fn(&ChannelConfig) -> Post) {
        let Some(config) = self.bot() else { return };
        let mut sent = self.send_post(PhoneChannel::Telegram, make(&config)).await;
        if let Err(error @ (SendError::RateLimited(_) | SendError::Unreachable | SendError::Server(_))) =
            &sent
        {
            let wait = match error {
                SendError::RateLimited(Some(asked)) => *asked,
                _ => Duration::from_secs(1),
            };
            if wait <= LONGEST_RETRY {
                tokio::time::sleep(wait).await;
                sent = self.send_post(PhoneChannel::Telegram, make(&config)).await;
            }
        }
        if let Err(error) = sent {
            tracing::warn!(what, reason = error.name(), "notify.answer_failed");
        }
    }
}
