//! What is kept of a sign-in: the code, and the rows by which the tokens of its [family](super::family) are found.
//!
//! Invariants:
//! - Codes and tokens are kept as SHA-256 only.
//! - An access token has a row exactly as long as it is good. Ending a family removes its rows in the same unit of work,
//!   so the next call finds nothing.
//!
//! Times are [`crate::base::clock::Clock`]'s.

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

/// Claude exchanges a code within a second; a minute is for slow machines.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// An access token's life. Claude's refresh is flaky in places, so a day, which costs nothing: every token is looked up
/// on every call, and a revoked one is gone at once.
pub(super) const ACCESS_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// For this long after a rotation the old refresh token still gets the new pair: Claude refreshes from two machines at
/// once, in bursts of up to 76 seconds.
pub(super) const GRACE: SignedDuration = SignedDuration::from_secs(120);

/// What a [`FamilyId`] names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OfFamily {}

impl Named for OfFamily {
    const PREFIX: &'static str = "fam_";
    const WORDS: &'static str = "the id of a sign-in";
}

/// Names a token family in logs and on the console: `fam_` and 16 letters. Not a secret. Whether there is such a family is
/// another question than whether a text can be its name.
pub type FamilyId = Id<OfFamily>;

/// Who may do what, for whom: what a consent says, and what its code and its tokens carry on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Consent {
    pub(super) account: AccountId,
    pub(super) access: Access,
    pub(super) client_id: String,
    /// What the client called itself then.
    pub(super) client_name: String,
    /// The audience: our own endpoint as it was called then.
    pub(super) resource: String,
}

/// A code on its way through the browser, under its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AuthorizationCode {
    pub(super) consent: Consent,
    pub(super) redirect_uri: String,
    pub(super) challenge: CodeChallenge,
    pub(super) issued_at: Timestamp,
    /// What it gave when it was exchanged: it is kept for a while to notice a second time.
    pub(super) gave: Option<FamilyId>,
}

impl Record for AuthorizationCode {
    const TABLE: Table = Table("authorization_code");
}

/// An access token, under its hash: all that a call needs, in one look.
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

/// A refresh token, spent or next, under its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
}

impl Record for RefreshToken {
    const TABLE: Table = Table("refresh_token");
}

/// When a family was last used, beside it because it changes more often.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct FamilyUse {
    pub(super) last_used_at: Timestamp,
}

impl Record for FamilyUse {
    const TABLE: Table = Table("token_family_use");
}

/// Written before Garmin is asked, to find out whether a sign-in could be kept. Nobody reads it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WriteTest {
    pub(super) at: Timestamp,
    pub(super) filler: String,
}

/// Account, Garmin tokens and code together have some 6 kB.
pub(super) const WRITE_TEST_BYTES: usize = 8 * 1024;

impl Record for WriteTest {
    const TABLE: Table = Table("sign_in_write_test");
}

pub(super) fn after(now: Timestamp, life: SignedDuration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}
