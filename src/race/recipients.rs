//! Who reads the messages of a race, and where.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::base::id::{Id, Named};
use crate::base::secrets::sha256;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientRole {
    #[default]
    Family,
    Crew,
    Coach,
}

impl RecipientRole {
    pub const ALL: [Self; 3] = [Self::Family, Self::Crew, Self::Coach];

    pub fn name(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Crew => "crew",
            Self::Coach => "coach",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    #[default]
    Metric,
    Imperial,
}

impl Units {
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Imperial => "imperial",
        }
    }
}

/// Which messages crew and coach want. A family gets those that are for families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageChoice {
    #[default]
    All,
    /// Warnings, cut-offs at risk, place alerts that somebody asked for, and the end of the race.
    Important,
}

/// Marker type that makes the ids of invited chats distinct from other ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfInvitedChat {}

impl Named for OfInvitedChat {
    const PREFIX: &'static str = "chat_";
    const WORDS: &'static str = "the id of an invited chat";
}

/// Identifies a Telegram chat that was invited to read races: `chat_` and 16 letters. Not the number of the chat.
pub type InvitedChatId = Id<OfInvitedChat>;

/// The phone of a recipient. Personal data: no part of it is logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientPhone {
    /// A topic that the athlete named.
    Ntfy(String),
    /// The chat of somebody in the circle, as `set_phone` takes it.
    Telegram(String),
    /// A chat whose owner accepts an invitation, or has accepted it.
    Invited(InvitedChatId),
    /// An invitation is still to be made. A stored plan has the id of the invited chat instead.
    Invite,
}

impl fmt::Debug for RecipientPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientPhone").finish_non_exhaustive()
    }
}

impl RecipientPhone {
    /// A name for the phone in storage keys, which are not encrypted. It reveals nothing about the phone, and is the
    /// same for the same phone.
    pub fn key(&self) -> String {
        let text = match self {
            Self::Ntfy(topic) => format!("ntfy:{topic}"),
            Self::Telegram(chat) => format!("telegram:{}", chat.to_lowercase()),
            Self::Invited(id) => id.to_string(),
            Self::Invite => String::new(),
        };
        let mut hash = URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()));
        hash.truncate(12);
        hash
    }
}

/// Somebody who reads the messages of a race.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipient {
    pub role: RecipientRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language of the messages to them, such as `de`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    pub units: Units,
    #[serde(skip_serializing_if = "is_all")]
    pub messages: MessageChoice,
    /// Maximum number of messages in an hour; `None` = the default of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_hour: Option<u32>,
    /// Without a phone of their own, they read the phone of the race's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<RecipientPhone>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_all(choice: &MessageChoice) -> bool {
    *choice == MessageChoice::All
}

impl Recipient {
    /// The name, else the role.
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(self.role.name())
    }

    /// Whether this recipient gets the messages of the coach. A family does not, because they may contain body data.
    pub fn hears_the_coach(&self) -> bool {
        self.role != RecipientRole::Family && self.messages == MessageChoice::All
    }
}
