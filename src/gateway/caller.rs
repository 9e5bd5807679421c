//! Who asks: a person's client, or whoever holds the token of one race.

use crate::{accounts::AccountId, mcp::Access, oauth::Grant, races::RaceGrant};

/// Who was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data.
    pub(super) account: AccountId,
    /// What may be done with Garmin's data.
    pub(super) access: Access,
    /// What belongs together: the calls of one sign-in, or of one race.
    pub(super) connection: String,
    /// Only this race and its tools are reached.
    pub(super) race: Option<RaceGrant>,
}

impl From<Grant> for Caller {
    fn from(grant: Grant) -> Self {
        Self {
            account: grant.account,
            access: grant.access,
            connection: grant.family.as_str().to_owned(),
            race: None,
        }
    }
}

impl From<RaceGrant> for Caller {
    fn from(race: RaceGrant) -> Self {
        Self {
            account: race.account.clone(),
            access: Access::ReadOnly,
            connection: race.race.as_str().to_owned(),
            race: Some(race),
        }
    }
}
