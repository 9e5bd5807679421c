//! The channels to phones: the request that sends a message, and what the reply means. Without I/O. The modules
//! `telegram` and `mqtt` have the details of Telegram and MQTT.
//!
//! ntfy is used through its JSON API (docs.ntfy.sh/publish/#publish-as-json), which keeps the topic out of the URL.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::gotify;
use super::message::ShownMessage;
use super::send_error::SendError;
use super::telegram::{self, ChatTarget};
use super::webhook;
use crate::base::post::{Answer, Post};
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;

/// A channel to phones. The serialized names are stored in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PhoneChannel {
    Telegram,
    Ntfy,
    Gotify,
    Webhook,
    Mqtt,
}

impl PhoneChannel {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
            Self::Webhook => "webhook",
            Self::Mqtt => "mqtt",
        }
    }

    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Telegram => "Telegram",
            Self::Ntfy => "ntfy",
            Self::Gotify => "Gotify",
            Self::Webhook => "the webhook",
            Self::Mqtt => "MQTT",
        }
    }

    /// The request that sends a message at `now` to `target`: a chat, a topic, or an application's token. `None` for
    /// MQTT, whose messages are published over a standing connection.
    pub(super) fn post(
        self,
        config: &ChannelConfig,
        target: &str,
        message: ShownMessage<'_>,
        now: Timestamp,
    ) -> Option<Post> {
        Some(match self {
            Self::Telegram => telegram::post(
                config,
                &ChatTarget::parse(target),
                message.severity,
                &message.in_one_text(),
            ),
            Self::Ntfy => ntfy_post(config, target, message),
            Self::Gotify => gotify::post(config, target, message),
            Self::Webhook => webhook::post(config, message, now),
            Self::Mqtt => return None,
        })
    }

    pub(super) fn read_reply(self, reply: &Answer) -> Result<(), SendError> {
        match reply.status {
            200..=299 => Ok(()),
            429 => {
                let in_body = match self {
                    Self::Telegram => telegram::retry_after(&reply.body),
                    Self::Ntfy | Self::Gotify | Self::Webhook | Self::Mqtt => None,
                };
                Err(SendError::RateLimited(in_body.or(reply.retry_after)))
            }
            400..=499 => Err(match self {
                Self::Telegram => telegram::read_refusal(reply.status, &reply.body),
                Self::Ntfy | Self::Gotify | Self::Webhook | Self::Mqtt => SendError::Refused(reply.status),
            }),
            status => Err(SendError::Server(status)),
        }
    }
}

fn ntfy_post(config: &ChannelConfig, topic: &str, message: ShownMessage<'_>) -> Post {
    // ntfy's priorities: 2 is silent, 3 the default, 4 loud.
    let priority = match message.severity {
        Severity::Info => 2,
        Severity::Notice => 3,
        Severity::Warning => 4,
    };
    let mut json = json!({"topic": topic, "message": message.text, "priority": priority});
    if let Some(members) = json.as_object_mut() {
        if !message.title.is_empty() {
            members.insert("title".into(), message.title.into());
        }
        if !message.click.is_empty() {
            members.insert("click".into(), message.click.into());
        }
    }
    // A member may name any topic in `set_phone`, so the operator's token is sent only with the operator's topics.
    let is_operators = config.targets.all().contains(&topic);
    Post {
        url: config.url.clone(),
        bearer: config.token.clone().filter(|_| is_operators),
        headers: Vec::new(),
        json,
    }
}

impl SendError {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::RateLimited(_) => "rate_limited",
            Self::Server(_) => "server_error",
            Self::Refused(_) => "refused",
            Self::Moved { .. } => "chat_moved",
            Self::Blocked => "blocked",
            Self::NotAllowed => "not_allowed",
            Self::UnknownChat => "unknown_chat",
            Self::ClosedTopic => "closed_topic",
            Self::Untrusted => "untrusted",
        }
    }

    /// Delay after `failures` consecutive failures (1 is the first). A refusal is retried too, because the operator
    /// may fix the settings within the day that a message is kept.
    pub(super) fn back_off(&self, failures: u32) -> Duration {
        let doubling = |first_s: u64, most_s: u64| {
            let factor = 1_u64 << failures.saturating_sub(1).min(16);
            Duration::from_secs(first_s.saturating_mul(factor).min(most_s))
        };
        match self {
            Self::RateLimited(asked) => {
                let asked = asked.unwrap_or_default().min(Duration::from_secs(3600));
                doubling(5, 300).max(asked)
            }
            Self::Unreachable | Self::Server(_) => doubling(5, 600),
            Self::Refused(_)
            | Self::Moved { .. }
            | Self::Blocked
            | Self::NotAllowed
            | Self::UnknownChat
            | Self::ClosedTopic
            | Self::Untrusted => doubling(60, 1800),
        }
    }

    /// What the operator can do about the error.
    pub(super) fn advice(&self, channel: PhoneChannel) -> String {
        let (shown, token, target) = match channel {
            PhoneChannel::Telegram => ("Telegram", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID"),
            PhoneChannel::Ntfy => ("The ntfy server", "NTFY_TOKEN", "NTFY_TOPIC"),
            PhoneChannel::Gotify => ("The Gotify server", "GOTIFY_TOKEN", "GOTIFY_URL"),
            PhoneChannel::Webhook => ("The webhook's server", "WEBHOOK_SECRET", "WEBHOOK_URL"),
            PhoneChannel::Mqtt => ("The MQTT broker", "MQTT_PASSWORD", "MQTT_URL"),
        };
        let wrong_address =
            |setting: &str| format!("{shown} has nothing at that address (404): check {setting}");
        match self {
            Self::Unreachable => format!("{shown} can't be reached from this machine"),
            Self::RateLimited(_) => format!("{shown} limits the rate of messages; try again later"),
            Self::Server(status) => {
                format!("{shown} reports an error of its own ({status}); try again later")
            }
            Self::Refused(404) if channel == PhoneChannel::Ntfy => wrong_address("NTFY_URL"),
            Self::Refused(404) if channel == PhoneChannel::Gotify => wrong_address(target),
            Self::Refused(status) if channel == PhoneChannel::Webhook => format!(
                "{shown} refused the message ({status}): check {target}, and that the server knows {token}"
            ),
            Self::Refused(401) if channel == PhoneChannel::Mqtt => {
                format!("{shown} rejects the sign-in: check MQTT_USER and {token}")
            }
            Self::Refused(_) if channel == PhoneChannel::Mqtt => format!(
                "{shown} refused the connection: check {target}, and that the broker speaks MQTT 3.1.1 and accepts any \
                 client id"
            ),
            Self::Untrusted => format!(
                "{shown} presents a certificate that this machine does not trust: add its authority to the system's, and \
                 name the host in {target} as the certificate does"
            ),
            Self::Refused(403) if channel == PhoneChannel::Ntfy => {
                format!(
                    "{shown} refused the message (403): check {target}, and that {token} may write to the topic"
                )
            }
            // Telegram has the token in the path, so it answers 404 to a wrong one.
            Self::Refused(401 | 404) => format!("{shown} rejects the token: check {token}"),
            Self::Refused(403) if channel == PhoneChannel::Gotify => {
                format!("{shown} rejects the token: check {token}")
            }
            Self::Moved { to } => format!("the group has a new id: set {target} to {to}"),
            Self::Blocked => format!(
                "{shown} does not deliver to that person, who has blocked the bot or never pressed Start in its chat"
            ),
            Self::NotAllowed => {
                format!(
                    "the bot may not write to the group in {target}: add it again, or let it send messages"
                )
            }
            Self::UnknownChat => format!(
                "{shown} knows no such chat: check {target}, and write to the bot, or add it to the group, once"
            ),
            Self::ClosedTopic => {
                format!("the topic in {target} is closed or deleted: open it, or set another one")
            }
            Self::Refused(status) if channel == PhoneChannel::Telegram => format!(
                "{shown} refused the message ({status}): check {target}, and that the bot may write there"
            ),
            Self::Refused(status) => format!("{shown} refused the message ({status}): check {target}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_setting_that_is_wrong() {
        let gotify_token = "The Gotify server rejects the token: check GOTIFY_TOKEN";
        for (channel, status, wanted) in [
            (PhoneChannel::Telegram, 404, "check TELEGRAM_BOT_TOKEN"),
            (PhoneChannel::Telegram, 403, "that the bot may write there"),
            (PhoneChannel::Ntfy, 401, "check NTFY_TOKEN"),
            (PhoneChannel::Ntfy, 403, "NTFY_TOKEN may write to the topic"),
            (PhoneChannel::Ntfy, 404, "address (404): check NTFY_URL"),
            (PhoneChannel::Gotify, 401, gotify_token),
            (PhoneChannel::Gotify, 403, gotify_token),
            (PhoneChannel::Gotify, 404, "address (404): check GOTIFY_URL"),
            (PhoneChannel::Webhook, 404, "(404): check WEBHOOK_URL"),
            (PhoneChannel::Mqtt, 401, "check MQTT_USER and MQTT_PASSWORD"),
            (PhoneChannel::Mqtt, 400, "refused the connection: check MQTT_URL"),
        ] {
            let advice = SendError::Refused(status).advice(channel);
            assert!(advice.contains(wanted), "{advice}");
        }
    }
}
