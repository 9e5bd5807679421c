//! The valid sign-ins and the ended ones, for the operator.

use jiff::Timestamp;

use super::OAuth;
use super::family::TokenFamily;
use super::grants::{FamilyId, after, family_id};
use super::revoke::Revocation;
use crate::accounts::AccountId;
use crate::mcp::Access;
use crate::store::StoreError;

/// A client's sign-in that is still valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyOverview {
    pub id: FamilyId,
    pub account: AccountId,
    pub access: Access,
    pub client_id: String,
    /// The client's own name for itself.
    pub client_name: String,
    pub created_at: Timestamp,
    /// The time of the last call or refresh.
    pub last_used_at: Timestamp,
    /// Number of access tokens that are valid now.
    pub n_access_tokens: usize,
    /// When the sign-in ends for lack of use, or with its imported token; `None`: never.
    pub expires_at: Option<Timestamp>,
}

impl OAuth {
    /// All valid sign-ins, in no particular order.
    pub fn families(&self) -> Result<Vec<FamilyOverview>, StoreError> {
        let now = self.0.clock.now();
        let mut overviews = Vec::new();
        for (key, family) in self.0.store.list::<TokenFamily>(b"")? {
            let Some(id) = family_id(&key) else { continue };
            let last_used_at = self.last_used(&id, &family)?;
            let unused_at = self.0.sign_in_ttl.map(|ttl| after(last_used_at, ttl));
            let expires_at = [unused_at, family.ends_at].into_iter().flatten().min();
            overviews.push(FamilyOverview {
                n_access_tokens: family.n_access_tokens(now),
                id,
                account: family.consent.account,
                access: family.consent.access,
                client_id: family.consent.client_id,
                client_name: family.consent.client_name,
                created_at: family.created_at,
                last_used_at,
                expires_at,
            });
        }
        Ok(overviews)
    }

    /// The newest revocations, newest first, at most `limit`.
    pub fn revocations(&self, limit: usize) -> Result<Vec<Revocation>, StoreError> {
        let all = self.0.store.list::<Revocation>(b"")?;
        Ok(all.into_iter().rev().take(limit).map(|(_, one)| one).collect())
    }
}
