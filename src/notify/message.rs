//! Messages to people, and where each person wants them.

use std::fmt;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::race::alerts::Severity;
use crate::race::id::RaceId;
use crate::store::{StoreError, Tx};

/// A message to the person whose race it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Whose phone.
    pub account: AccountId,
    /// About which race.
    pub race: RaceId,
    /// How much it matters.
    pub severity: Severity,
    /// Within a race, a key is sent once.
    pub key: String,
    /// What to say: text for people, with figures, never for a log.
    pub text: String,
}

/// Where a person wants to be told. Personal: no part of it is logged or shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// A chat of Telegram: its number, or `@name`.
    pub telegram_chat: Option<String>,
    /// A topic of ntfy.
    pub ntfy_topic: Option<String>,
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").finish_non_exhaustive()
    }
}

/// Where the messages to a person go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere.
    Nowhere,
    /// Where the operator's settings say.
    Usual,
    /// Where the person said.
    Own,
}

/// Why a person's phone was not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotSet {
    /// The person: it can't be a chat or a topic.
    #[error("{field}: must be {shape}")]
    Shape {
        /// Which of the two.
        field: &'static str,
        /// What a good one looks like.
        shape: &'static str,
    },
    /// The operator: this way is not set up.
    #[error("{field}: this gateway has no {channel}; its operator sets {setting}")]
    NoWay {
        /// Which of the two.
        field: &'static str,
        /// What it is the way of.
        channel: &'static str,
        /// What is missing.
        setting: &'static str,
    },
    /// The person, mostly: the message did not go out.
    #[error("{field}: the message to try it did not go out: {why}")]
    NotSent {
        /// Which of the two.
        field: &'static str,
        /// Why, and what to do.
        why: String,
    },
    /// The person: they tried a moment ago.
    #[error("it was tried a moment ago; wait ten seconds")]
    TooSoon,
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes messages in and sends them in its own time.
pub trait Outbox: Send + Sync {
    /// Queues `message` as a part of `tx`, so that what was told and what is noted as told are kept together or not at
    /// all. A key that is known for the race is left out quietly. Errors: the store's.
    fn push(&self, tx: &mut Tx<'_>, message: &Message) -> Result<(), StoreError>;

    /// Something was queued and is durable now.
    fn wake(&self);

    /// Where the messages to this account go.
    fn reach(&self, account: &AccountId) -> Reach;

    /// From now on this account is told there and nowhere else; with an empty one, where the operator's settings say. A
    /// message is sent there first. Returns where its messages go then.
    fn set_phone(&self, account: &AccountId, phone: Phone) -> BoxFuture<'static, Result<Reach, NotSet>>;

    /// Erases what waits for this account and where it is told, as a part of `tx`.
    fn forget(&self, tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError>;

    /// Erases what waits for this race and what it has told, as a part of `tx`.
    fn forget_race(&self, tx: &mut Tx<'_>, account: &AccountId, race: &RaceId) -> Result<(), StoreError>;
}
