//! What a race causes beyond itself, as two narrow seams: messages to a phone, and a look by Claude.
//!
//! Both are told what to do and never ask the race anything, so a phone that is out of reach or a runner that is down
//! costs a race nothing.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

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

/// Takes messages in and sends them in its own time.
pub trait Outbox: Send + Sync {
    /// Queues `message` as a part of `tx`, so that what was told and what is noted as told are kept together or not at
    /// all. A key that is known for the race is left out quietly. Errors: the store's.
    fn push(&self, tx: &mut Tx<'_>, message: &Message) -> Result<(), StoreError>;

    /// Something was queued and is durable now.
    fn wake(&self);

    /// Whether any phone of this account is set up.
    fn reaches(&self, account: &AccountId) -> bool;

    /// Erases what waits for this account, as a part of `tx`.
    fn forget(&self, tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError>;
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

    fn reaches(&self, _: &AccountId) -> bool {
        false
    }

    fn forget(&self, _: &mut Tx<'_>, _: &AccountId) -> Result<(), StoreError> {
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
