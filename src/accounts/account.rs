//! The records of an account: the person, and the Garmin tokens.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::base::id::{Id, Named};
use crate::config::ToolProfile;
use crate::garmin::GarminTokens;
use crate::store::{Record, Table};

/// Marks an [`Id`] as that of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountIdKind {}

impl Named for AccountIdKind {
    const PREFIX: &'static str = "acc_";
    const WORDS: &'static str = "an account id";
}

/// `acc_` and 16 letters, which are safe in logs, paths and keys.
pub type AccountId = Id<AccountIdKind>;

/// A person whose Garmin account is linked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    /// Garmin's number of the profile. Sign-ins with the same number are the same person. `None` for an imported account
    /// until the person signs in here.
    pub profile_id: Option<u64>,
    /// The e-mail of the last sign-in: a label for people, never an identity.
    pub email: String,
    /// The name in Garmin's profile; may be empty.
    pub full_name: String,
    /// When the person first signed in.
    pub linked_at: Timestamp,
    pub garmin: GarminLogin,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("garmin", &self.garmin)
            .finish_non_exhaustive()
    }
}

impl Record for Account {
    const TABLE: Table = Table("account");
}

/// Whether Garmin still accepts the tokens of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GarminLogin {
    /// Garmin accepts the tokens, as far as is known.
    Working,
    /// Garmin refused them. The person must sign in again at `PUBLIC_URL/link`.
    SignInNeeded {
        since: Timestamp,
        /// The reason in one word, for the log.
        reason: String,
    },
}

/// Finds the account of a profile. Key: Garmin's profile id, big endian.
#[derive(Serialize, Deserialize)]
pub(super) struct AccountByProfile {
    pub(super) account: AccountId,
}

impl Record for AccountByProfile {
    const TABLE: Table = Table("account_by_profile");
}

/// The Garmin tokens of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldTokens {
    pub tokens: GarminTokens,
    /// Increases with every change. A write-back names the generation that it is based on.
    pub generation: u64,
    pub changed_at: Timestamp,
}

impl Record for HeldTokens {
    const TABLE: Table = Table("garmin_tokens");
}

/// An account that was forgotten. Ids are never reused, so a record that appears under this id afterwards was written
/// late and is erased. Key: the account's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    pub account: AccountId,
    pub forgotten_at: Timestamp,
}

impl Record for Tombstone {
    const TABLE: Table = Table("account_tombstone");
}

/// What a person has chosen for themselves. Key: the account's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// The tools in the person's list; `None` for the gateway's default.
    #[serde(default)]
    pub tools: Option<ToolProfile>,
    /// A name such as `Europe/Vienna`; `None` for the zone in the person's Garmin profile.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Whether the person's clients get no views, which clients display next to an answer.
    #[serde(default)]
    pub are_views_off: bool,
    /// E-mail addresses, besides that of the account, whose LiveTrack mails start the person's races. In lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail_addresses: Vec<String>,
}

impl Choices {
    /// The chosen time zone, if this machine knows it.
    pub fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(self.time_zone.as_deref()?).ok()
    }
}

impl Record for Choices {
    const TABLE: Table = Table("choices");
}

/// The outcome of a write-back of refreshed tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBack {
    /// The tokens were stored, as this generation.
    Sealed(u64),
    /// The tokens equal the stored ones.
    Unchanged,
    /// The tokens were dropped, because a sign-in or another write-back was newer, or the account no longer exists.
    Stale,
}

impl WriteBack {
    /// The word in the log, so that events do not spell Rust types.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sealed(_) => "sealed",
            Self::Unchanged => "unchanged",
            Self::Stale => "stale",
        }
    }
}
