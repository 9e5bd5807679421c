//! Reads the rooms for whoever looks, and passes acts on.
//!
//! | file | what |
//! |---|---|
//! | `views` | what can be known, as the console and the CLI see it |
//! | `acts` | what can be done, each told in the log with who did it |

mod acts;
mod views;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::accounts::AccountId;
use crate::admin::api::AdminRefusal;
use crate::admin::operations::Rooms;
use crate::base::clock::Clock;
use crate::notify::Notifier;
use crate::store::StoreError;
use crate::workers::rehearsal::Script;

/// Knows the rooms.
#[derive(Clone)]
pub struct Desk {
    /// What is read and acted on.
    pub rooms: Rooms,
    /// What the daemon is.
    pub facts: Facts,
    /// The time.
    pub clock: Clock,
    /// The way to phones.
    pub notifier: Notifier,
    /// How the workers' program is tried.
    pub script: Script,
}

/// What does not change while the daemon runs.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When it started.
    pub started_at: Timestamp,
    /// The connector URL.
    pub url: String,
    /// Whether its Garmin is pretended.
    pub simulated: bool,
    /// `MAX_WORKERS`
    pub max_workers: usize,
}

impl From<StoreError> for AdminRefusal {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::NotWritten(_) | StoreError::NotRead(_) | StoreError::Busy | StoreError::Closed => {
                Self::Unavailable(e.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl Desk {
    /// What people call each account.
    fn labels(&self) -> Result<BTreeMap<AccountId, String>, AdminRefusal> {
        Ok(self
            .rooms
            .accounts
            .list()?
            .into_iter()
            .map(|account| (account.id, account.email))
            .collect())
    }

    /// The account that `text` names: by its id, or by the e-mail of its last sign-in.
    pub(in crate::admin) fn account(&self, text: &str) -> Result<AccountId, AdminRefusal> {
        let wanted = text.trim().to_lowercase();
        let mut found = self.rooms.accounts.list()?.into_iter();
        found
            .find(|account| account.id.as_str() == wanted || account.email == wanted)
            .map(|account| account.id)
            .ok_or_else(|| {
                AdminRefusal::NotFound(format!("there is no account {text}; `accounts` lists them"))
            })
    }
}
