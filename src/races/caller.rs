//! For whom a call acts, and whether it still has access when it writes.

use super::records::RaceToken;
use crate::accounts::{AccountId, Accounts};
use crate::base::secrets::TokenHash;
use crate::oauth::{FamilyId, OAuth, PageVisitor};
use crate::race::id::RaceId;
use crate::store::{StoreError, Tx};

/// The access that a race's token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaceGrant {
    pub race: RaceId,
    pub account: AccountId,
    pub token: TokenHash,
}

/// The origin of a call. Access may end while the call waits for Garmin or Telegram, so the transaction of its last
/// write checks it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaceCaller {
    /// The operator of this machine, for this account.
    Operator(AccountId),
    /// A client through which the person signed in.
    SignIn(AccountId, FamilyId),
    /// The holder of a race's token.
    Race(RaceGrant),
    /// A message in the person's chat.
    Chat(AccountId),
    /// An e-mail to the person.
    Mail(AccountId),
    /// The person, on their own page.
    Page(PageVisitor),
    /// The gateway itself, for a person who has access.
    Gateway(AccountId),
    /// A member of the circle whom the person lets see their races. It can only read.
    Member(AccountId),
}

impl RaceCaller {
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Operator(account)
            | Self::SignIn(account, _)
            | Self::Chat(account)
            | Self::Mail(account)
            | Self::Gateway(account)
            | Self::Member(account) => account,
            Self::Race(grant) => &grant.account,
            Self::Page(visitor) => &visitor.account,
        }
    }

    /// Whether the account still exists, and the sign-in or the token is still valid.
    pub fn may_write(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        if Accounts::is_forgotten_within(tx, self.account())? {
            return Ok(false);
        }
        match self {
            Self::Operator(_) => Ok(true),
            Self::Member(_) => Ok(false),
            Self::SignIn(_, family) => OAuth::has_family_within(tx, family),
            Self::Chat(account) | Self::Mail(account) | Self::Gateway(account) => {
                OAuth::has_access_within(tx, account)
            }
            Self::Page(visitor) => visitor.is_open_within(tx),
            Self::Race(grant) => Ok(tx.find::<RaceToken>(grant.token.as_bytes())?.is_some()),
        }
    }
}
