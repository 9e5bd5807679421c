//! A token family: all tokens of one consent, and the rotation of its refresh tokens.
//!
//! Each successor is derived from the presented token with the family's own key. The response to a refresh can
//! therefore be repeated without being stored: the store alone yields no token, and an old token alone yields no
//! successor.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::grants::{
    ACCESS_PREFIX, AccessToken, Consent, FamilyId, FamilyUse, GRACE, REFRESH_PREFIX, RefreshToken, after,
};
use crate::base::secrets::{Secret, TokenHash, derived_token, random_token};
use crate::store::{Record, StoreError, Table, Tx};

/// Upper bound of spent refresh tokens that a family remembers, to detect reuse. Older ones are unknown.
const MAX_SPENT: usize = 32;

/// Upper bound of access tokens of one family that are valid at the same time.
const MAX_ACCESS_TOKENS: usize = 16;

/// All tokens of one consent, under the family's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TokenFamily {
    pub(super) consent: Consent,
    pub(super) created_at: Timestamp,
    /// The time of the last rotation; never goes back.
    pub(super) refreshed_at: Timestamp,
    key: Secret,
    /// The refresh token that is currently valid.
    refresh: TokenHash,
    /// Spent refresh tokens, oldest first.
    spent: Vec<SpentToken>,
    /// Access tokens that have a record, oldest first.
    access_tokens: Vec<IssuedAccessToken>,
    /// When an [imported](super::imported) sign-in ends: with its access token, because it has no refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ends_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SpentToken {
    token: TokenHash,
    at: Timestamp,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct IssuedAccessToken {
    token: TokenHash,
    expires_at: Timestamp,
}

impl Record for TokenFamily {
    const TABLE: Table = Table("token_family");
}

/// Implements no `Debug`, because these are secrets in plain text.
pub(super) struct TokenPair {
    pub(super) access: Secret,
    pub(super) refresh: Secret,
    /// Seconds until the access token expires.
    pub(super) expires_in_s: i64,
}

/// The outcome of a presented refresh token.
pub(super) enum Rotation {
    /// The token was valid and is now spent: write the family.
    Rotated(TokenPair),
    /// The token was spent within [`GRACE`]: the current pair again, nothing to write.
    Again(TokenPair),
    /// The token was spent earlier, so there is a second copy: end the family.
    Reused,
}

impl TokenFamily {
    /// Creates the first tokens of a consent. `access_life`: see [`TokenFamily::rotate`].
    pub(super) fn begin(consent: Consent, now: Timestamp, access_life: SignedDuration) -> (Self, TokenPair) {
        let pair = TokenPair {
            access: random_token(ACCESS_PREFIX),
            refresh: random_token(REFRESH_PREFIX),
            expires_in_s: access_life.as_secs(),
        };
        let family = Self {
            consent,
            created_at: now,
            refreshed_at: now,
            key: random_token(""),
            refresh: TokenHash::of(pair.refresh.expose()),
            spent: Vec::new(),
            access_tokens: vec![IssuedAccessToken {
                token: TokenHash::of(pair.access.expose()),
                expires_at: after(now, access_life),
            }],
            ends_at: None,
        };
        (family, pair)
    }

    /// A sign-in from another gateway, with its one access token and no refresh token.
    pub(super) fn imported(
        consent: Consent,
        created_at: Timestamp,
        last_used_at: Timestamp,
        access: TokenHash,
        ends_at: Option<Timestamp>,
    ) -> Self {
        // The refresh token of this pair is discarded, so nobody can use it.
        let (family, _) = Self::begin(consent, created_at, SignedDuration::ZERO);
        Self {
            refreshed_at: last_used_at,
            access_tokens: vec![IssuedAccessToken {
                token: access,
                expires_at: ends_at.unwrap_or(Timestamp::MAX),
            }],
            ends_at,
            ..family
        }
    }

    /// Handles a refresh token whose record names this family.
    ///
    /// A token spent within [`GRACE`] yields the current pair, no matter how many rotations have followed: two
    /// machines that refresh at once end up with the same tokens.
    pub(super) fn rotate(
        &mut self,
        presented: &str,
        now: Timestamp,
        access_life: SignedDuration,
    ) -> Rotation {
        let hash = TokenHash::of(presented);
        if hash == self.refresh {
            return Rotation::Rotated(self.advance(presented, now, access_life));
        }
        let Some(spent) = self.spent.iter().find(|spent| spent.token == hash) else {
            // The record outlived the list of spent tokens, so the token was spent long ago.
            return Rotation::Reused;
        };
        // A clock that was set back by more than the window does not reopen it.
        if now.duration_since(spent.at).abs() > GRACE {
            return Rotation::Reused;
        }
        let mut refresh = Secret::new(presented);
        for _ in 0..=MAX_SPENT {
            let access = self.next_access(refresh.expose());
            refresh = self.next_refresh(refresh.expose());
            if TokenHash::of(refresh.expose()) != self.refresh {
                continue;
            }
            let issued = TokenHash::of(access.expose());
            let left = self.access_tokens.iter().find(|one| one.token == issued);
            let left = left.map_or(0, |one| one.expires_at.duration_since(now).as_secs());
            if left <= 0 {
                // The client revoked the access token, or it expired: rotate once more.
                return Rotation::Rotated(self.advance(refresh.expose(), now, access_life));
            }
            return Rotation::Again(TokenPair {
                access,
                refresh,
                expires_in_s: left,
            });
        }
        Rotation::Reused
    }

    /// Spends `current`, the token that is currently valid.
    fn advance(&mut self, current: &str, now: Timestamp, access_life: SignedDuration) -> TokenPair {
        let pair = TokenPair {
            access: self.next_access(current),
            refresh: self.next_refresh(current),
            expires_in_s: access_life.as_secs(),
        };
        self.spent.push(SpentToken {
            token: self.refresh,
            at: now,
        });
        self.refresh = TokenHash::of(pair.refresh.expose());
        // A clock that was set back must not replace a later use with an earlier one.
        self.refreshed_at = self.refreshed_at.max(now);
        self.access_tokens.push(IssuedAccessToken {
            token: TokenHash::of(pair.access.expose()),
            expires_at: after(now, access_life),
        });
        pair
    }

    fn next_access(&self, refresh: &str) -> Secret {
        derived_token(ACCESS_PREFIX, &self.key, format!("access {refresh}").as_bytes())
    }

    fn next_refresh(&self, refresh: &str) -> Secret {
        derived_token(REFRESH_PREFIX, &self.key, format!("refresh {refresh}").as_bytes())
    }

    /// Writes the family and the records of its newest pair, and removes the records that are no longer needed.
    pub(super) fn write(mut self, tx: &mut Tx<'_>, id: &FamilyId, now: Timestamp) -> Result<(), StoreError> {
        let (kept, over) =
            partition_newest(self.access_tokens, MAX_ACCESS_TOKENS, |one| now < one.expires_at);
        self.access_tokens = kept;
        for issued in over {
            tx.remove::<AccessToken>(issued.token.as_bytes());
        }
        let (kept, over) = partition_newest(self.spent, MAX_SPENT, |_| true);
        self.spent = kept;
        for spent in over {
            tx.remove::<RefreshToken>(spent.token.as_bytes());
        }
        if let Some(newest) = self.access_tokens.last() {
            let row = AccessToken {
                family: id.clone(),
                account: self.consent.account.clone(),
                access: self.consent.access,
                client_id: self.consent.client_id.clone(),
                resource: self.consent.resource.clone(),
                expires_at: newest.expires_at,
            };
            tx.put(newest.token.as_bytes(), &row)?;
        }
        tx.put(self.refresh.as_bytes(), &RefreshToken { family: id.clone() })?;
        tx.put(id.key(), &self)
    }

    /// Removes one access token from the family. The caller removes its record.
    pub(super) fn forget_access(&mut self, token: TokenHash) {
        self.access_tokens.retain(|one| one.token != token);
    }

    /// The number of access tokens that are valid at `now`.
    pub(super) fn n_access_tokens(&self, now: Timestamp) -> usize {
        self.access_tokens
            .iter()
            .filter(|one| now < one.expires_at)
            .count()
    }

    /// Removes the family and every record that names it.
    pub(super) fn remove(&self, tx: &mut Tx<'_>, id: &FamilyId) {
        for issued in &self.access_tokens {
            tx.remove::<AccessToken>(issued.token.as_bytes());
        }
        for spent in &self.spent {
            tx.remove::<RefreshToken>(spent.token.as_bytes());
        }
        tx.remove::<RefreshToken>(self.refresh.as_bytes());
        tx.remove::<FamilyUse>(id.key());
        tx.remove::<Self>(id.key());
    }
}

/// Splits into the newest (last) items that are worth keeping, at most `n`, and the rest.
fn partition_newest<T>(all: Vec<T>, n: usize, worth: impl Fn(&T) -> bool) -> (Vec<T>, Vec<T>) {
    let too_many = all.len().saturating_sub(n);
    let (mut kept, mut over) = (Vec::new(), Vec::new());
    for (at, one) in all.into_iter().enumerate() {
        if at >= too_many && worth(&one) {
            kept.push(one);
        } else {
            over.push(one);
        }
    }
    (kept, over)
}

#[cfg(test)]
mod tests;
