//! Ends sign-ins that are unused or expired, and removes records that are no longer needed.

use jiff::{SignedDuration, Timestamp};

use super::OAuth;
use super::family::TokenFamily;
use super::grants::{AuthorizationCode, FamilyId, FamilyUse, family_id};
use super::own_page;
use super::revoke::{Revocation, RevocationReason, end_family};
use crate::store::StoreError;

/// How long revocations stay listed.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How long a spent code is remembered, to detect a second exchange.
const CODE_REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

impl OAuth {
    /// When a family was last used: the latest of the value in memory, the stored one, and its last rotation.
    pub(super) fn last_used(&self, id: &FamilyId, family: &TokenFamily) -> Result<Timestamp, StoreError> {
        let flushed = self
            .0
            .store
            .find::<FamilyUse>(id.key())?
            .map(|used| used.last_used_at);
        let noted = self.0.uses.noted(id);
        Ok([flushed, noted]
            .into_iter()
            .flatten()
            .fold(family.refreshed_at, Timestamp::max))
    }

    /// Whether a family was unused for the lifetime of a sign-in. Never true while the clock cannot be trusted.
    pub(super) fn is_unused(
        &self,
        id: &FamilyId,
        family: &TokenFamily,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(ttl) = self.0.sign_in_ttl else {
            return Ok(false);
        };
        let Some(counted_since) = self.0.clocks.counted_since(&self.0.clock) else {
            return Ok(false);
        };
        // A use in the future was noted while the clock was ahead.
        let used = self.last_used(id, family)?;
        let idle_since = Some(used)
            .filter(|used| *used <= now)
            .map_or(counted_since, |used| used.max(counted_since));
        Ok(now.duration_since(idle_since) >= ttl)
    }

    /// Removes old codes, unused and expired families, and old revocations.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        if self.0.clocks.counted_since(&self.0.clock).is_none() {
            return Ok(());
        }
        let now = self.0.clock.now();
        let oauth = self.clone();
        self.0
            .store
            .atomic(move |tx| {
                for (key, family) in tx.list::<TokenFamily>(b"")? {
                    let Some(id) = family_id(&key) else { continue };
                    if family.ends_at.is_some_and(|ends_at| ends_at <= now) {
                        end_family(tx, &id, &family, RevocationReason::Expired, now)?;
                    } else if oauth.is_unused(&id, &family, now)? {
                        end_family(tx, &id, &family, RevocationReason::Unused, now)?;
                    }
                }
                for (key, code) in tx.list::<AuthorizationCode>(b"")? {
                    if now.duration_since(code.issued_at) > CODE_REMEMBERED {
                        tx.remove::<AuthorizationCode>(&key);
                    }
                }
                own_page::sweep(tx, now)?;
                for (key, revocation) in tx.list::<Revocation>(b"")? {
                    if now.duration_since(revocation.at) > REMEMBERED {
                        tx.remove::<Revocation>(&key);
                    }
                }
                Ok(())
            })
            .await
    }
}
