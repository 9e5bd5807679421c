//! The stored records of a sign-in: its code, and the records that lead from a token to its [family](super::family).
//!
//! Invariants:
//! - Codes and tokens are stored as SHA-256 only.
//! - An access token without a record is invalid. Ending a family removes its records in the same unit of work, so the
//!   next call finds none.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::pkce::CodeChallenge;
use crate::accounts::AccountId;
use crate::base::id::{Id, Named};
use crate::mcp::Access;
use crate::store::{Record, Table};

pub(super) const CODE_PREFIX: &str = "gac_";
pub(super) const ACCESS_PREFIX: &str = "gat_";
pub(super) const REFRESH_PREFIX: &str = "grt_";

/// Claude exchanges a code within a second. A minute allows for slow machines.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// The lifetime of an access token. It is a day, because Claude's refresh is sometimes unreliable. That costs no
/// security: every token is looked up on every call, so a revocation takes effect at once.
pub(super) const ACCESS_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// How long the old refresh token still yields the new pair after a rotation. Claude refreshes from two machines at
/// once, in bursts of up to 76 seconds.
pub(super) const GRACE: SignedDuration = SignedDuration::from_secs(120);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfFamily {}

impl Named for OfFamily {
    const PREFIX: &'static str = "fam_";
    const WORDS: &'static str = "the id of a sign-in";
}

/// Names a token family in logs and on the console: `fam_` and 16 letters. It is not a secret. A well-formed id does
/// not mean that the family exists.
pub type FamilyId = Id<OfFamily>;

/// The family whose record has this key.
pub(super) fn family_id(key: &[u8]) -> Option<FamilyId> {
    std::str::from_utf8(key).ok()?.parse().ok()
}

/// The access that the person allowed, copied from the consent to its code and its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Consent {
    pub(super) account: AccountId,
    pub(super) access: Access,
    pub(super) client_id: String,
    /// The client's name for itself at that time.
    pub(super) client_name: String,
    /// The audience: the URL of the endpoint at that time.
    pub(super) resource: String,
}

/// A code in transit through the browser. The key is its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AuthorizationCode {
    pub(super) consent: Consent,
    pub(super) redirect_uri: String,
    pub(super) challenge: CodeChallenge,
    pub(super) issued_at: Timestamp,
    /// The family that the exchange of the code started. The record stays for a day to detect a second exchange.
    pub(super) gave: Option<FamilyId>,
}

impl Record for AuthorizationCode {
    const TABLE: Table = Table("authorization_code");
}

/// An access token, with everything a call needs. The key is its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) family: FamilyId,
    pub(super) account: AccountId,
    pub(super) access: Access,
    pub(super) client_id: String,
    pub(super) resource: String,
    pub(super) expires_at: Timestamp,
}

impl Record for AccessToken {
    const TABLE: Table = Table("access_token");
}

/// A refresh token, spent or valid. The key is its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
}

impl Record for RefreshToken {
    const TABLE: Table = Table("refresh_token");
}

/// When a family was last used. It is a separate record because it changes more often than the family.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct FamilyUse {
    pub(super) last_used_at: Timestamp,
}

impl Record for FamilyUse {
    const TABLE: Table = Table("token_family_use");
}

pub(super) fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}
