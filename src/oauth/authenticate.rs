//! Checks bearer tokens. The store is read on every call, so a revocation takes effect at the next call.

use std::collections::HashMap;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::OAuth;
use super::family::TokenFamily;
use super::grants::{ACCESS_PREFIX, FamilyId, FamilyUse};
use crate::accounts::AccountId;
use crate::base::secrets::TokenHash;
use crate::mcp::Access;
use crate::store::StoreError;

/// The length of 32 random bytes in base64url.
const RANDOM_CHARS: usize = 43;

/// What a valid access token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub account: AccountId,
    pub access: Access,
    pub client_id: String,
    /// The sign-in that issued the token.
    pub family: FamilyId,
}

/// Why a bearer token was not accepted. The client gets 401 with `error="invalid_token"` for the first three.
#[derive(Debug, thiserror::Error)]
pub enum Unauthenticated {
    /// Caller: never issued, or revoked.
    #[error("the access token is unknown")]
    Unknown,
    /// Caller: the token expired, and the client should refresh it.
    #[error("the access token expired")]
    Expired,
    /// Caller or operator: it was issued for another endpoint, or `PUBLIC_URL` has changed since.
    #[error("the access token is for another endpoint")]
    ForeignAudience,
    /// Operator: the token cannot be checked now. Answer 503, because a 401 makes a client discard valid tokens.
    #[error("the store could not be read")]
    Unavailable(#[from] StoreError),
}

impl OAuth {
    /// Identifies the token's owner. Costs one read of the store, and none for text that cannot be one of these
    /// tokens.
    /// Errors: [`Unauthenticated`]; each variant says who can act.
    pub fn authenticate(&self, bearer: &str) -> Result<Grant, Unauthenticated> {
        let random = bearer.strip_prefix(ACCESS_PREFIX);
        // An imported token has no prefix.
        if bearer.len() != RANDOM_CHARS && random.map(str::len) != Some(RANDOM_CHARS) {
            return Err(Unauthenticated::Unknown);
        }
        let token = self
            .0
            .access_tokens
            .find(&self.0.store, TokenHash::of(bearer).as_bytes())?
            .ok_or(Unauthenticated::Unknown)?;
        let now = self.0.clock.now();
        if now >= token.expires_at {
            return Err(Unauthenticated::Expired);
        }
        if token.resource != self.0.resource {
            return Err(Unauthenticated::ForeignAudience);
        }
        self.0.uses.note(&token.family, now);
        Ok(Grant {
            account: token.account.clone(),
            access: token.access,
            client_id: token.client_id.clone(),
            family: token.family.clone(),
        })
    }

    /// Writes the last uses of families that have changed since the last flush.
    pub(super) async fn flush_uses(&self) -> Result<(), StoreError> {
        let uses = self.0.uses.take_changed();
        if uses.is_empty() {
            return Ok(());
        }
        let again = uses.clone();
        let written = self
            .0
            .store
            .atomic(move |tx| {
                for (id, last_used_at) in uses {
                    // The family may have been revoked since.
                    if tx.find::<TokenFamily>(id.key())?.is_none() {
                        continue;
                    }
                    // A clock that was set back must not replace a later use with an earlier one.
                    let stored = tx.find::<FamilyUse>(id.key())?;
                    if stored.is_none_or(|stored| stored.last_used_at < last_used_at) {
                        tx.put(id.key(), &FamilyUse { last_used_at })?;
                    }
                }
                Ok::<_, StoreError>(())
            })
            .await;
        if written.is_err() {
            for (id, at) in again {
                self.0.uses.note(&id, at);
            }
        }
        written
    }
}

/// The last use of each family since the last flush. A crash loses a few minutes of it, so a sign-in of months may
/// expire minutes earlier.
#[derive(Default)]
pub(super) struct FamilyUses(Mutex<HashMap<FamilyId, Timestamp>>);

impl FamilyUses {
    pub(super) fn note(&self, family: &FamilyId, now: Timestamp) {
        let mut uses = self.0.lock();
        match uses.get_mut(family) {
            Some(last) => *last = now.max(*last),
            None => drop(uses.insert(family.clone(), now)),
        }
    }

    pub(super) fn noted(&self, family: &FamilyId) -> Option<Timestamp> {
        self.0.lock().get(family).copied()
    }

    fn take_changed(&self) -> HashMap<FamilyId, Timestamp> {
        std::mem::take(&mut *self.0.lock())
    }
}
