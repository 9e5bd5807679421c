//! An update of the Bot API (core.telegram.org/bots/api#update): a message, or a press of a button.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::garmin::livetrack::Position;

/// Something that a person did in a chat with the bot. Personal data: no part of it is logged.
#[derive(Clone, PartialEq)]
pub struct BotUpdate {
    /// Grows with every update of the bot.
    pub id: i64,
    pub chat: BotChat,
    pub sender: BotSender,
    pub content: UpdateContent,
}

/// The chat of an update, to which the answer goes.
#[derive(Clone, PartialEq, Eq)]
pub struct BotChat {
    pub id: i64,
    /// The public name of a group or a person, without `@`.
    pub username: Option<String>,
    /// Whether it is the chat of one person with the bot. The chat's id is then the person's id.
    pub is_private: bool,
    /// The topic in a group with topics.
    pub topic: Option<i64>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct BotSender {
    pub id: i64,
    /// The language of the person's app, such as `de`.
    pub language: Option<String>,
}

#[derive(Clone, PartialEq)]
pub enum UpdateContent {
    Text {
        text: String,
        /// The URLs of linked words in the text.
        links: Vec<String>,
    },
    Place(Position),
    Press(ButtonPress),
    /// A file, a voice message, a contact or a picture without a text. Only in the chat of one person with the bot.
    Unreadable,
}

/// A press of a button below a message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonPress {
    /// The id of the press, for the answer.
    pub query: String,
    /// The message with the button.
    pub message: i64,
    /// What the gateway wrote into the button.
    pub data: String,
}

/// The updates of one answer, in order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct UpdateBatch {
    pub(super) updates: Vec<BotUpdate>,
    /// The id after the newest update. Updates that the gateway ignores count too.
    pub(super) next: Option<i64>,
}

impl fmt::Debug for BotUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BotUpdate({})", self.id)
    }
}

/// Reads the answer to `getUpdates`; `None` if the body is something else. Updates of an unknown shape are skipped.
pub(super) fn read(body: &[u8]) -> Option<UpdateBatch> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let mut batch = UpdateBatch::default();
    let mut albums = BTreeSet::new();
    for update in answer.get("result")?.as_array()? {
        let Some(id) = whole(update, "update_id") else {
            continue;
        };
        batch.next = batch.next.max(id.checked_add(1));
        let read = message(id, update).or_else(|| press(id, update));
        // An album comes as a message for each picture, and gets one answer.
        let album = update.pointer("/message/media_group_id").and_then(Value::as_str);
        let is_more_of_album = album.is_some_and(|album| !albums.insert(album));
        let is_unreadable = |update: &BotUpdate| update.content == UpdateContent::Unreadable;
        batch
            .updates
            .extend(read.filter(|update| !(is_more_of_album && is_unreadable(update))));
    }
    batch.updates.sort_by_key(|update| update.id);
    Some(batch)
}

fn message(id: i64, update: &Value) -> Option<BotUpdate> {
    let message = update.get("message")?;
    let chat = chat(message)?;
    let content = match place(message) {
        Some(place) => UpdateContent::Place(place),
        None => match text(message) {
            Some(text) => text,
            None if is_unreadable(message) && chat.is_private => UpdateContent::Unreadable,
            None => return None,
        },
    };
    Some(BotUpdate {
        id,
        chat,
        sender: sender(message)?,
        content,
    })
}

fn press(id: i64, update: &Value) -> Option<BotUpdate> {
    let query = update.get("callback_query")?;
    let message = query.get("message")?;
    Some(BotUpdate {
        id,
        chat: chat(message)?,
        sender: sender(query)?,
        content: UpdateContent::Press(ButtonPress {
            query: string(query, "id")?,
            message: whole(message, "message_id")?,
            data: string(query, "data")?,
        }),
    })
}

fn chat(message: &Value) -> Option<BotChat> {
    let chat = message.get("chat")?;
    // A reply in a group without topics also has a thread id, but nothing can be sent to that thread.
    let is_topic = message.get("is_topic_message").and_then(Value::as_bool) == Some(true);
    Some(BotChat {
        id: whole(chat, "id")?,
        username: string(chat, "username"),
        is_private: string(chat, "type")? == "private",
        topic: whole(message, "message_thread_id").filter(|_| is_topic),
    })
}

/// The person who wrote the message or pressed the button. Other bots are ignored. An anonymous administrator appears
/// as a bot, with the group as the sender.
fn sender(from: &Value) -> Option<BotSender> {
    let user = from.get("from")?;
    let is_bot = user.get("is_bot").and_then(Value::as_bool) == Some(true);
    if is_bot && from.get("sender_chat").is_none() {
        return None;
    }
    Some(BotSender {
        id: whole(user, "id")?,
        language: string(user, "language_code"),
    })
}

fn place(message: &Value) -> Option<Position> {
    let location = message.get("location")?;
    let degrees = |name: &str, most: f64| {
        let degrees = location.get(name)?.as_f64()?;
        (-most..=most).contains(&degrees).then_some(degrees)
    };
    Some(Position {
        lat: degrees("latitude", 90.0)?,
        lon: degrees("longitude", 180.0)?,
    })
}

/// The text of a message, or the caption of a picture.
fn text(message: &Value) -> Option<UpdateContent> {
    let (text, entities) = match string(message, "text") {
        Some(text) => (text, message.get("entities")),
        None => (string(message, "caption")?, message.get("caption_entities")),
    };
    let entities = entities.and_then(Value::as_array).into_iter().flatten();
    let links = entities.filter_map(|entity| string(entity, "url")).collect();
    Some(UpdateContent::Text { text, links })
}

/// Whether the message carries something that a person may expect the gateway to read, but that it can't.
fn is_unreadable(message: &Value) -> bool {
    const KINDS: [&str; 7] = [
        "document",
        "voice",
        "audio",
        "video",
        "video_note",
        "contact",
        "photo",
    ];
    KINDS.iter().any(|kind| message.get(kind).is_some())
}

fn whole(value: &Value, name: &str) -> Option<i64> {
    value.get(name)?.as_i64()
}

fn string(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(update: &Value) -> Option<BotUpdate> {
        let body = json!({"ok": true, "result": [update]}).to_string();
        read(body.as_bytes()).unwrap().updates.pop()
    }

    fn from() -> Value {
        json!({"id": 42, "is_bot": false, "first_name": "Ann", "language_code": "de"})
    }

    #[test]
    fn a_message_in_a_topic_keeps_its_topic_and_hidden_links() {
        let update = one(&json!({"update_id": 7, "message": {
            "message_id": 1, "from": from(), "date": 1, "text": "follow me", "message_thread_id": 9,
            "is_topic_message": true, "chat": {"id": -1_001, "type": "supergroup", "username": "family"},
            "entities": [{"type": "text_link", "offset": 0, "length": 6, "url": "https://gar.mn/x"}],
        }}))
        .unwrap();
        assert_eq!((update.id, update.sender.id), (7, 42));
        let chat = &update.chat;
        assert_eq!((chat.id, chat.topic, chat.is_private), (-1_001, Some(9), false));
        assert_eq!(update.sender.language.as_deref(), Some("de"));
        let UpdateContent::Text { text, links } = update.content else {
            panic!("no text");
        };
        assert_eq!(
            (text.as_str(), links),
            ("follow me", vec!["https://gar.mn/x".to_owned()])
        );
    }

    #[test]
    fn a_thread_of_replies_is_no_topic() {
        let update = one(&json!({"update_id": 7, "message": {
            "from": from(), "text": "x", "message_thread_id": 9, "chat": {"id": 42, "type": "private"},
        }}));
        assert_eq!(update.unwrap().chat.topic, None);
    }

    #[test]
    fn places_and_presses_are_read() {
        let chat = json!({"id": 42, "type": "private"});
        let place = one(&json!({"update_id": 1, "message": {
            "from": from(), "chat": chat, "location": {"latitude": 46.62, "longitude": 14.31},
        }}));
        let at = Position {
            lat: 46.62,
            lon: 14.31,
        };
        assert!(place.unwrap().content == UpdateContent::Place(at));
        let press = one(&json!({"update_id": 2, "callback_query": {
            "id": "99", "from": from(), "data": "stop", "message": {"message_id": 5, "date": 0, "chat": chat},
        }}));
        let UpdateContent::Press(press) = press.unwrap().content else {
            panic!("no press");
        };
        assert_eq!(
            (press.query.as_str(), press.message, press.data.as_str()),
            ("99", 5, "stop")
        );
    }

    #[test]
    fn a_file_in_a_private_chat_is_noticed_once() {
        let sent = |id: i64, kind: &str, chat: &str, more: Value| {
            let mut message = json!({"from": from(), "chat": {"id": 42, "type": chat}});
            let members = message.as_object_mut().unwrap();
            members.insert(kind.to_owned(), json!({}));
            members.extend(more.as_object().unwrap().clone());
            json!({"update_id": id, "message": message})
        };
        for kind in ["document", "voice", "contact", "photo"] {
            let update = one(&sent(1, kind, "private", json!({}))).unwrap();
            assert!(update.content == UpdateContent::Unreadable, "{kind}");
            assert!(one(&sent(1, kind, "supergroup", json!({}))).is_none(), "{kind}");
        }
        let captioned = one(&sent(1, "document", "private", json!({"caption": "see"}))).unwrap();
        assert!(matches!(captioned.content, UpdateContent::Text { .. }));
        let album = |id| sent(id, "photo", "private", json!({"media_group_id": "1"}));
        let body = json!({"ok": true, "result": [album(1), album(2)]}).to_string();
        assert_eq!(read(body.as_bytes()).unwrap().updates.len(), 1);
    }

    #[test]
    fn what_is_not_for_the_gateway_is_passed_over_but_counted() {
        let chat = json!({"id": 42, "type": "private"});
        let result = json!([
            {"update_id": 5, "edited_message": {"from": from(), "chat": chat, "text": "/stop"}},
            {"update_id": 6, "message": {"from": from(), "chat": chat, "sticker": {}}},
            {"update_id": 8, "message": {"from": {"id": 1, "is_bot": true}, "chat": chat, "text": "/stop"}},
            {"update_id": 7, "message": {"from": from(), "chat": {"id": "x"}, "text": "/stop"}},
            {"update_id": 9, "message": {"from": from(), "chat": chat, "location": {"latitude": 946.0, "longitude": 0}}},
            {"no": "id"},
        ]);
        let batch = read(json!({"ok": true, "result": result}).to_string().as_bytes()).unwrap();
        assert_eq!((batch.updates.len(), batch.next), (0, Some(10)));
        for body in ["", "{}", "<html>", r#"{"ok":true,"result":{}}"#] {
            assert!(read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
