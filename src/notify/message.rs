//! A message to a person's phone, and where that phone is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::store::{Record, StoreError, Table};

/// A message about a race to the person who tracks it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneMessage {
    pub account: AccountId,
    pub race: RaceId,
    pub severity: Severity,
    /// Whose race it is, for people.
    pub title: String,
    /// Each key is sent once per race.
    pub key: String,
    /// For people: contains positions and heart rates, so it is never logged.
    pub text: String,
}

/// Where a person wants their messages. Personal: no part of it is logged or shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// The number of a Telegram chat, or `@name`.
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

/// Who decided where a person's messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRoute {
    /// No channel reaches this person.
    Nowhere,
    Operator,
    /// The person, with `set_phone`.
    Personal,
}

/// Why a phone was not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SetPhoneError {
    /// The person can act: the text is no chat or topic.
    #[error("{field}: must be {shape}")]
    Shape {
        /// The argument of `set_phone`.
        field: &'static str,
        /// What a valid one looks like.
        shape: &'static str,
    },
    /// The operator can act: the channel is not configured.
    #[error("{field}: this gateway has no {channel}; its operator can set {setting}")]
    NoChannel {
        field: &'static str,
        channel: &'static str,
        /// The setting that is missing.
        setting: &'static str,
    },
    /// The person can usually act: the test message failed.
    #[error("{field}: the test message could not be sent: {why}")]
    NotSent {
        field: &'static str,
        /// The reason and what to do about it.
        why: String,
    },
    /// The account was revoked or forgotten while the test message was sent.
    #[error("access ended while this was under way; the phone was not set. Connect again")]
    AccessEnded,
    #[error("the last attempt was less than ten seconds ago; wait ten seconds")]
    TooSoon,
    #[error(transparent)]
    Store(#[from] StoreError),
}
