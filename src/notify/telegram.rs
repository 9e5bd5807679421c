//! Telegram: the Bot API's `sendMessage` (core.telegram.org/bots/api#sendmessage).

use std::time::Duration;

use serde_json::{Value, json};

use crate::base::post::Post;
use crate::config::ChannelConfig;
use crate::race::alerts::Severity;

/// Plain text, without a parse mode: nothing in it can be markup.
pub(super) fn post(config: &ChannelConfig, chat: &str, severity: Severity, text: &str) -> Post {
    let token = config.token.clone().unwrap_or_default();
    let mut url = config.url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty()
            .push(&format!("bot{}", token.expose()))
            .push("sendMessage");
    }
    Post {
        url,
        bearer: None,
        json: json!({
            "chat_id": chat,
            "text": text,
            "disable_notification": severity == Severity::Info,
            "link_preview_options": {"is_disabled": true},
        }),
    }
}

/// `parameters.retry_after` of a refusal, in seconds.
pub(super) fn retry_after(body: &[u8]) -> Option<Duration> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let seconds = value.get("parameters")?.get("retry_after")?.as_u64()?;
    Some(Duration::from_secs(seconds))
}
