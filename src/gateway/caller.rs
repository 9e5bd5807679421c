//! Who asks: a person's client, whoever holds the token of one race, or `doctor`.

use std::sync::Arc;

use crate::{accounts::AccountId, mcp::Access, oauth::Grant, races::RaceGrant};

/// Who was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data.
    pub(super) account: AccountId,
    /// What may be done with Garmin's data.
    pub(super) access: Access,
    /// What belongs together: the calls of one sign-in, or of one race.
    pub(super) connection: Arc<str>,
    /// How far it reaches.
    pub(super) reach: Reach,
}

/// What a caller may use at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reach {
    /// All that the account has.
    Account,
    /// This race and its tools.
    Race(RaceGrant),
    /// The protocol, and no tool: whoever asks only sees that the way is open.
    Nothing,
}

impl Caller {
    /// Whoever presented a probe.
    pub(super) fn probing() -> Self {
        Self {
            account: AccountId::nobody(),
            access: Access::ReadOnly,
            connection: "probe".into(),
            reach: Reach::Nothing,
        }
    }
}

impl From<Grant> for Caller {
    fn from(grant: Grant) -> Self {
        Self {
            account: grant.account,
            access: grant.access,
            connection: grant.family.into(),
            reach: Reach::Account,
        }
    }
}

impl From<RaceGrant> for Caller {
    fn from(race: RaceGrant) -> Self {
        Self {
            account: race.account.clone(),
            access: Access::ReadOnly,
            connection: race.race.clone().into(),
            reach: Reach::Race(race),
        }
    }
}
