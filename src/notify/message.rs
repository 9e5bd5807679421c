//! A message to a person's phone, and the address of that phone.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::race::recipients::RecipientPhone;
use crate::store::{Record, StoreError, Table};

/// What a message is about. Messages about one subject are sent in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageSubject {
    Race(RaceId),
    Coach,
    /// The person's link to Garmin.
    Link,
    /// An e-mail of the person's that could not start a race.
    Mail,
}

impl MessageSubject {
    /// The name of the subject in the queue. No two people share a name.
    pub(super) fn lane(&self, account: &AccountId) -> String {
        match self {
            Self::Race(race) => race.to_string(),
            Self::Coach => format!("coach_{account}"),
            Self::Link => format!("link_{account}"),
            Self::Mail => format!("mail_{account}"),
        }
    }
}

/// A message to a person: about a race that they track, or about themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneMessage {
    pub account: AccountId,
    /// The phone of a recipient whom the person named for the race; `None` = the person's own.
    pub to: Option<RecipientPhone>,
    pub subject: MessageSubject,
    pub severity: Severity,
    /// The athlete and the race, or another subject; for display.
    pub title: String,
    /// A message with a key that its subject has already used is not sent.
    pub key: String,
    /// For display only: contains positions and heart rates, so it is never logged.
    pub text: String,
}

impl PhoneMessage {
    /// The name in the queue of the messages about this subject to this phone.
    pub(super) fn lane(&self) -> String {
        let lane = self.subject.lane(&self.account);
        match &self.to {
            Some(phone) => format!("{lane}.{}", phone.key()),
            None => lane,
        }
    }
}

/// A message to the operator's own phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorMessage {
    /// A message with a key that was used before is not sent.
    pub key: String,
    pub text: String,
}

/// One message as the phone displays it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShownMessage<'a> {
    /// The same for each attempt to send it.
    pub(super) id: &'a str,
    pub(super) queued_at: Timestamp,
    /// `race`, `coach`, `link`, `mail`, `operator` or `test`.
    pub(super) kind: &'static str,
    pub(super) race: Option<&'a str>,
    pub(super) severity: Severity,
    /// The athlete and the race; may be empty.
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// The page that a tap opens.
    pub(super) click: &'a str,
}

impl ShownMessage<'_> {
    /// The title and the text combined, for a channel without titles.
    pub(super) fn in_one_text(&self) -> String {
        if self.title.is_empty() {
            self.text.to_owned()
        } else {
            format!("{}: {}", self.title, self.text)
        }
    }
}

/// Where a person wants to receive messages. Personal data: no part of it is logged or shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// The numeric id of a Telegram chat, or `@name`.
    pub telegram_chat: Option<String>,
    pub ntfy_topic: Option<String>,
}

impl Record for Phone {
    const TABLE: Table = Table("phone");
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").finish_non_exhaustive()
    }
}

/// Who chose where a person's messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRoute {
    /// No channel reaches this person.
    Nowhere,
    Operator,
    /// The person chose, with `set_phone`.
    Personal,
}

/// Why a test message did not reach a phone, grouped by what the person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneTrouble {
    /// Telegram knows no such chat, or the bot has never seen it.
    UnknownChat,
    /// The topic of the group is closed or was deleted.
    ClosedTopic,
    /// The bot may not write to the group.
    NotInGroup,
    /// The person never pressed Start in the bot's chat, or blocked the bot.
    NotStarted,
    /// The ntfy server does not let everybody publish to the topic.
    ProtectedTopic,
    /// The server can't be reached, or asks for a pause. A later attempt may succeed.
    Later,
    /// Only the operator can mend it.
    OfOperator,
}

/// Why a phone was not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SetPhoneError {
    /// For the person: the text is not a valid chat or topic.
    #[error("{field}: must be {shape}")]
    Shape {
        /// Name of the argument of `set_phone`.
        field: &'static str,
        /// Description of a valid value.
        shape: &'static str,
    },
    /// For the operator: the channel is not configured.
    #[error("{field}: this gateway has no {channel}; its operator can set {setting}")]
    NoChannel {
        field: &'static str,
        channel: &'static str,
        /// Name of the missing setting.
        setting: &'static str,
    },
    /// The test message failed. Usually the person can fix this.
    #[error("{field}: the test message could not be sent: {why}")]
    NotSent {
        field: &'static str,
        /// The reason, and what to do about it.
        why: String,
        trouble: PhoneTrouble,
    },
    /// The account was revoked or forgotten while the test message was sent.
    #[error("access ended while this was under way; the phone was not set. Connect again")]
    AccessEnded,
    #[error("the last attempt was less than ten seconds ago; wait ten seconds")]
    TooSoon,
    #[error(transparent)]
    Store(#[from] StoreError),
}
