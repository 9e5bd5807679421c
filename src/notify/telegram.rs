//! Telegram: the Bot API's `sendMessage` (core.telegram.org/bots/api#sendmessage), the meaning of its errors, and the
//! new ids of groups that became supergroups.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::send_error::SendError;
use crate::base::post::Post;
use crate::base::secrets::sha256;
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;
use crate::store::{Record, Store, StoreError, Table};

/// Maximum number of successive moves of one group to follow. Telegram moves a group once.
const MAX_MOVES: usize = 3;

/// The new id of a group that became a supergroup. The key is the SHA-256 of the old id, because keys in the store
/// are not sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChatMove {
    pub(super) to: String,
    pub(super) moved_at: Timestamp,
}

impl Record for ChatMove {
    const TABLE: Table = Table("telegram_chat_move");
}

impl ChatMove {
    pub(super) fn key(chat: &str) -> [u8; 32] {
        sha256(chat.as_bytes())
    }
}

/// A chat, or a topic in a group: `-1001234567890_7` is topic 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChatTarget {
    pub(super) chat: String,
    topic: Option<u64>,
}

impl ChatTarget {
    /// `@name` may contain an underscore, so only a numeric id can have a topic.
    pub(super) fn parse(text: &str) -> Self {
        let split = text.rsplit_once('_').filter(|_| !text.starts_with('@'));
        let topic = split.and_then(|(_, topic)| topic.parse().ok());
        match (split, topic) {
            (Some((chat, _)), Some(topic)) => Self {
                chat: chat.to_owned(),
                topic: Some(topic),
            },
            _ => Self {
                chat: text.to_owned(),
                topic: None,
            },
        }
    }

    /// The same topic in the chat to which this one moved.
    pub(super) fn moved_to(self, chat: String) -> Self {
        Self { chat, ..self }
    }

    /// Follows the known moves. Errors: those of the store.
    pub(super) fn follow(mut self, store: &Store) -> Result<Self, StoreError> {
        for _ in 0..MAX_MOVES {
            let Some(known) = store.find::<ChatMove>(&ChatMove::key(&self.chat))? else {
                break;
            };
            self = self.moved_to(known.to);
        }
        Ok(self)
    }
}

/// Sends no parse mode, so that nothing in the text is markup.
pub(super) fn post(config: &ChannelConfig, target: &ChatTarget, severity: Severity, text: &str) -> Post {
    let mut json = json!({
        "chat_id": target.chat,
        "text": text,
        "disable_notification": severity == Severity::Info,
        "link_preview_options": {"is_disabled": true},
    });
    if let (Some(topic), Some(fields)) = (target.topic, json.as_object_mut()) {
        fields.insert("message_thread_id".to_owned(), topic.into());
    }
    Post {
        url: method_url(config, "sendMessage"),
        bearer: None,
        headers: Vec::new(),
        json,
    }
}

/// The address of a method of the Bot API. It contains the token.
pub(super) fn method_url(config: &ChannelConfig, method: &str) -> Url {
    let token = config.token.clone().unwrap_or_default();
    let mut url = config.url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty()
            .push(&format!("bot{}", token.expose()))
            .push(method);
    }
    url
}

/// `parameters.retry_after` of a refusal, in seconds.
pub(super) fn retry_after(body: &[u8]) -> Option<Duration> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let seconds = value.get("parameters")?.get("retry_after")?.as_u64()?;
    Some(Duration::from_secs(seconds))
}

/// The meaning of a refusal (status 400 to 499). Telegram has no error codes beyond the status, so its description
/// decides.
pub(super) fn read_refusal(status: u16, body: &[u8]) -> SendError {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let moved_to = value.pointer("/parameters/migrate_to_chat_id");
    if let Some(chat) = moved_to.and_then(Value::as_i64) {
        return SendError::Moved { to: chat.to_string() };
    }
    let description = value
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| description.contains(phrase));
    if says(&[
        "blocked by the user",
        "can't initiate conversation",
        "user is deactivated",
    ]) {
        SendError::Blocked
    } else if says(&[
        "kicked",
        "not a member",
        "not enough rights",
        "no rights to send",
        "write_forbidden",
    ]) {
        SendError::NotAllowed
    } else if says(&[
        "topic_closed",
        "topic_deleted",
        "message thread not found",
        "topic_id_invalid",
    ]) {
        SendError::ClosedTopic
    } else if says(&[
        "chat not found",
        "chat_id_invalid",
        "peer_id_invalid",
        "group chat was deleted",
    ]) {
        SendError::UnknownChat
    } else {
        SendError::Refused(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_part_of_a_numbered_chat_only() {
        for (text, chat, topic) in [
            ("42", "42", None),
            ("-1001234567890", "-1001234567890", None),
            ("-1001234567890_7", "-1001234567890", Some(7)),
            ("@race_7", "@race_7", None),
            ("-100_x", "-100_x", None),
        ] {
            let chat = chat.to_owned();
            assert_eq!(ChatTarget::parse(text), ChatTarget { chat, topic }, "{text}");
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let check = |status, description: &str, wanted: SendError| {
            let body = json!({"ok": false, "error_code": status, "description": description}).to_string();
            assert_eq!(read_refusal(status, body.as_bytes()), wanted, "{description}");
        };
        check(403, "Forbidden: bot was blocked by the user", SendError::Blocked);
        let no_start = "Forbidden: bot can't initiate conversation with a user";
        check(403, no_start, SendError::Blocked);
        check(403, "Forbidden: user is deactivated", SendError::Blocked);
        let kicked = "Forbidden: bot was kicked from the supergroup chat";
        check(403, kicked, SendError::NotAllowed);
        let rights = "Bad Request: not enough rights to send text messages to the chat";
        check(400, rights, SendError::NotAllowed);
        check(400, "Bad Request: chat not found", SendError::UnknownChat);
        check(400, "Bad Request: TOPIC_CLOSED", SendError::ClosedTopic);
        check(
            400,
            "Bad Request: message thread not found",
            SendError::ClosedTopic,
        );
        check(401, "Unauthorized", SendError::Refused(401));
        check(400, "Bad Request: message is too long", SendError::Refused(400));
        let moved = br#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat",
            "parameters":{"migrate_to_chat_id":-1001234567890}}"#;
        let to = "-1001234567890".to_owned();
        assert_eq!(read_refusal(400, moved), SendError::Moved { to });
        assert_eq!(read_refusal(403, b"<html>"), SendError::Refused(403));
    }
}
