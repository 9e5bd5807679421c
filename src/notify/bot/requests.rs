//! The requests to the Bot API for reading and answering.

use serde_json::{Value, json};

use super::update::{BotChat, ButtonPress};
use crate::base::post::Post;
use crate::config::ChannelConfig;
use crate::notify::telegram::method_url;

/// Seconds for which Telegram holds a poll while there is no update.
pub(super) const HOLD_S: u32 = 25;

/// Maximum number of updates in one answer.
const MOST_UPDATES: u32 = 20;

/// Maximum length of a message, which Telegram counts in UTF-16 units.
const LONGEST_TEXT: usize = 4096;

/// Maximum number of characters of a note that appears when a button is pressed.
const LONGEST_NOTE: usize = 200;

/// A message of the bot to a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BotReply {
    pub text: String,
    /// Buttons below the message, one per row.
    pub buttons: Vec<ReplyButton>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyButton {
    pub label: String,
    /// Telegram sends it back when the button is pressed; at most 64 bytes.
    pub data: String,
}

impl From<String> for BotReply {
    fn from(text: String) -> Self {
        Self {
            text,
            buttons: Vec::new(),
        }
    }
}

fn post(config: &ChannelConfig, method: &str, json: Value) -> Post {
    Post {
        url: method_url(config, method),
        bearer: None,
        headers: Vec::new(),
        json,
    }
}

/// Asks for updates. If there is none, Telegram holds the request for up to `hold_s` seconds.
pub(super) fn get_updates(config: &ChannelConfig, offset: Option<i64>, hold_s: u32) -> Post {
    let mut json = json!({
        "timeout": hold_s,
        "limit": MOST_UPDATES,
        "allowed_updates": ["message", "callback_query"],
    });
    if let (Some(offset), Some(members)) = (offset, json.as_object_mut()) {
        members.insert("offset".into(), offset.into());
    }
    post(config, "getUpdates", json)
}

pub(super) fn get_me(config: &ChannelConfig) -> Post {
    post(config, "getMe", json!({}))
}

/// Sets the commands that Telegram offers below the text field: their names, and what they do.
pub(super) fn set_my_commands(config: &ChannelConfig, menu: &[(&str, &str)]) -> Post {
    let commands = menu
        .iter()
        .map(|(name, does)| json!({"command": name, "description": does}));
    let json = json!({"commands": commands.collect::<Vec<_>>()});
    post(config, "setMyCommands", json)
}

/// Sends no parse mode, so that nothing in the text is markup.
pub(super) fn send_reply(config: &ChannelConfig, chat: &BotChat, reply: &BotReply) -> Post {
    let mut json = json!({
        "chat_id": chat.id,
        "text": whole_lines(&reply.text),
        "link_preview_options": {"is_disabled": true},
    });
    if let Some(members) = json.as_object_mut() {
        if let Some(topic) = chat.topic {
            members.insert("message_thread_id".into(), topic.into());
        }
        if !reply.buttons.is_empty() {
            let row = |button: &ReplyButton| json!([{"text": button.label, "callback_data": button.data}]);
            let rows: Vec<_> = reply.buttons.iter().map(row).collect();
            members.insert("reply_markup".into(), json!({"inline_keyboard": rows}));
        }
    }
    post(config, "sendMessage", json)
}

/// Answers a pressed button with a note, which also ends the button's spinner.
pub(super) fn answer_press(config: &ChannelConfig, press: &ButtonPress, note: &str) -> Post {
    let note: String = note.chars().take(LONGEST_NOTE).collect();
    let json = json!({"callback_query_id": press.query, "text": note});
    post(config, "answerCallbackQuery", json)
}

/// Replaces the message with the button by a text without buttons.
pub(super) fn replace_message(
    config: &ChannelConfig,
    chat: &BotChat,
    press: &ButtonPress,
    text: &str,
) -> Post {
    let json = json!({"chat_id": chat.id, "message_id": press.message, "text": whole_lines(text)});
    post(config, "editMessageText", json)
}

/// The text, cut at the end of a line if it is too long for one message.
fn whole_lines(text: &str) -> String {
    let length = |text: &str| text.encode_utf16().count();
    if length(text) <= LONGEST_TEXT {
        return text.to_owned();
    }
    let mut kept = String::new();
    let room = LONGEST_TEXT - 2;
    for line in text.lines() {
        if length(&kept) + length(line) + 1 > room {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    if kept.is_empty() {
        // A character has at most two UTF-16 units.
        kept = text.chars().take(room / 2).collect();
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::base::secrets::Secret;
    use crate::config::Targets;

    fn config() -> ChannelConfig {
        ChannelConfig {
            url: Url::parse("https://api.telegram.org").unwrap(),
            token: Some(Secret::new("1:secret")),
            targets: Targets::default(),
        }
    }

    #[test]
    fn an_answer_goes_to_the_topic_with_its_buttons() {
        let chat = BotChat {
            id: -1_001,
            username: None,
            is_private: false,
            topic: Some(9),
        };
        let reply = BotReply {
            text: "Stop?".into(),
            buttons: vec![ReplyButton {
                label: "Stop".into(),
                data: "stop".into(),
            }],
        };
        let post = send_reply(&config(), &chat, &reply);
        assert_eq!(post.url.path(), "/bot1:secret/sendMessage");
        assert_eq!(
            (&post.json["chat_id"], &post.json["message_thread_id"]),
            (&json!(-1_001), &json!(9))
        );
        let rows = &post.json["reply_markup"]["inline_keyboard"];
        assert_eq!(rows, &json!([[{"text": "Stop", "callback_data": "stop"}]]));
        assert!(post.json.get("parse_mode").is_none());
    }

    #[test]
    fn only_a_known_offset_is_sent() {
        let offset = |offset| get_updates(&config(), offset, HOLD_S).json.get("offset").cloned();
        assert_eq!((offset(None), offset(Some(7))), (None, Some(json!(7))));
    }

    #[test]
    fn a_long_text_ends_with_a_whole_line() {
        let lines = "one of many lines\n".repeat(1000);
        let cut = whole_lines(&lines);
        assert!(cut.encode_utf16().count() <= LONGEST_TEXT);
        assert!(cut.ends_with("\n…") && lines.starts_with(cut.trim_end_matches('…')));
        for text in ["x".repeat(9000), "🏃".repeat(4096)] {
            let cut = whole_lines(&text);
            let length = cut.encode_utf16().count();
            assert!((2000..=LONGEST_TEXT).contains(&length), "{length}");
        }
        assert_eq!(whole_lines("short\n"), "short\n");
    }
}
