//! What a race causes beyond itself, as two narrow seams: messages to a phone, and a look by Claude.
//!
//! Both are told what to do and never ask the race anything, so a phone that is out of reach or a runner that is down
//! costs a race nothing.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alerts::{Alert, Severity};
use super::course::Course;
use super::id::RaceId;
use super::settings::RaceSettings;
use super::track::{Step, Track};
use super::watch::Watch;
use crate::accounts::AccountId;
use crate::foundation::secrets::Secret;
use crate::foundation::store::{StoreError, Tx};

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

/// A race as it stands at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Which race.
    pub race: RaceId,
    /// Whose.
    pub account: AccountId,
    /// When this was so.
    pub now: Timestamp,
    /// What the person wants.
    pub settings: RaceSettings,
    /// The way, if there is one.
    pub course: Option<Arc<Course>>,
    /// The watching.
    pub watch: Watch,
    /// What the points amount to.
    pub track: Track,
    /// The alerts so far, oldest first.
    pub alerts: Vec<Alert>,
}

/// What Claude is shown.
#[derive(Clone, Debug)]
pub struct Look {
    /// The race.
    pub snapshot: Snapshot,
    /// The last `analyze_window_min` minutes.
    pub window: Vec<Step>,
    /// Reaches this race and nothing else, at `/mcp` and `/control`; good until the race ends or the next look.
    pub token: Secret,
    /// Somebody asked for it; else it was time.
    pub asked_for: bool,
}

/// Why nobody looked. The next look is taken all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLooked {
    /// The operator: nothing is set up that could look.
    #[error("no analysis is set up here: set CLAUDE_RUNNER_URL or CLAUDE_CMD")]
    NotSetUp,
    /// The operator, if it stays: what should have looked can't, in a few words without secrets.
    #[error("{0}")]
    Failed(String),
}

/// Has Claude look at races.
pub trait Coach: Send + Sync {
    /// Whether looks are set up at all; if not, no race asks for one by itself.
    fn is_set_up(&self) -> bool;

    /// Has Claude look. Returns what it said, if that is told (a runner only takes the order). Takes its own limited
    /// time; dropping the future ends it.
    fn look(&self, look: Look) -> BoxFuture<'static, Result<Option<String>, NotLooked>>;
}

/// Sends nothing and looks at nothing: a gateway on which neither is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Outbox for Nobody {
    fn push(&self, _: &mut Tx<'_>, _: &Message) -> Result<(), StoreError> {
        Ok(())
    }

    fn wake(&self) {}

    fn reach(&self, _: &AccountId) -> Reach {
        Reach::Nowhere
    }

    fn set_phone(&self, _: &AccountId, _: Phone) -> BoxFuture<'static, Result<Reach, NotSet>> {
        Box::pin(std::future::ready(Ok(Reach::Nowhere)))
    }

    fn forget(&self, _: &mut Tx<'_>, _: &AccountId) -> Result<(), StoreError> {
        Ok(())
    }

    fn forget_race(&self, _: &mut Tx<'_>, _: &AccountId, _: &RaceId) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Coach for Nobody {
    fn is_set_up(&self) -> bool {
        false
    }

    fn look(&self, _: Look) -> BoxFuture<'static, Result<Option<String>, NotLooked>> {
        Box::pin(std::future::ready(Err(NotLooked::NotSetUp)))
    }
}
