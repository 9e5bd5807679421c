//! What opens a person's own page: a one-time code, and the visit that it starts in one browser.
//!
//! Invariants:
//! - Codes and cookies are stored as SHA-256 only. A code starts one visit, and an account has one valid code at most.
//! - A visit ends after [`VISIT_LIFE`], or earlier with the sign-in that requested its code, with the access of its
//!   account, or with the account itself. Every write of a visit checks that again, in the same unit of work.
//! - The token in the forms of a visit is derived from its cookie, which no other site can read.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::OAuth;
use super::family::TokenFamily;
use super::grants::{FamilyId, after};
use crate::accounts::{AccountId, Accounts};
use crate::base::secrets::{Secret, TokenHash, constant_time_eq, derived_token, random_token};
use crate::store::{Kind, Record, StoreError, Table, Tx};

const CODE_PREFIX: &str = "gpc_";
const VISIT_PREFIX: &str = "gpv_";

/// How long a link may wait for the person to open it.
pub const PAGE_CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Long enough to read and change a few things; a page left open on somebody else's computer is closed soon.
pub const VISIT_LIFE: SignedDuration = SignedDuration::from_mins(30);

/// Upper bound of browsers in which one person's page is open at once. Beyond it, the oldest visit ends.
const MAX_VISITS: usize = 4;

/// The account that a code or a visit is for, the sign-in that requested it, and its expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PageAccess {
    account: AccountId,
    /// The client's sign-in that requested the link; `None` after a sign-in at Garmin, or from a chat.
    via: Option<FamilyId>,
    expires_at: Timestamp,
}

impl PageAccess {
    /// Whether the page still opens: the access has not expired, and its account and sign-in still exist.
    fn is_valid_within(&self, tx: &Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
        if now >= self.expires_at || !Accounts::exists_within(tx, &self.account)? {
            return Ok(false);
        }
        match &self.via {
            Some(family) => Ok(tx.find::<TokenFamily>(family.key())?.is_some()),
            None => Ok(true),
        }
    }
}

/// A code in a link. The key is its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageCode(PageAccess);

impl Record for PageCode {
    const TABLE: Table = Table("page_code");
}

/// A browser in which the page is open. The key is the hash of its cookie.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageVisit(PageAccess);

impl Record for PageVisit {
    const TABLE: Table = Table("page_visit");
}

pub(super) const KINDS: [Kind; 2] = [Kind::of::<PageCode>(), Kind::of::<PageVisit>()];

/// A person on their own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageVisitor {
    pub account: AccountId,
    /// The client's sign-in that requested the link, if one did.
    pub via: Option<FamilyId>,
    pub expires_at: Timestamp,
    visit: TokenHash,
    csrf: Secret,
}

impl PageVisitor {
    /// The token that every form of this visit carries.
    pub fn csrf(&self) -> &str {
        self.csrf.expose()
    }

    pub fn is_own_form(&self, csrf: &str) -> bool {
        constant_time_eq(csrf.as_bytes(), self.csrf.expose().as_bytes())
    }

    /// Whether the visit is still open, inside a unit of work.
    pub fn is_open_within(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        Ok(tx.find::<PageVisit>(self.visit.as_bytes())?.is_some()
            && Accounts::exists_within(tx, &self.account)?)
    }
}

/// Stores a new code in place of the account's earlier ones. Only the person may see its text.
pub(super) fn put_code(
    tx: &mut Tx<'_>,
    code: &Secret,
    account: &AccountId,
    via: Option<FamilyId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (key, PageCode(earlier)) in tx.list::<PageCode>(b"")? {
        if earlier.account == *account || now >= earlier.expires_at {
            tx.remove::<PageCode>(&key);
        }
    }
    let access = PageAccess {
        account: account.clone(),
        via,
        expires_at: after(now, PAGE_CODE_LIFE),
    };
    tx.put(TokenHash::of(code.expose()).as_bytes(), &PageCode(access))
}

pub(super) fn new_code() -> Secret {
    random_token(CODE_PREFIX)
}

/// Removes the codes and visits for which `is_ended` returns true.
pub(super) fn end_within(
    tx: &mut Tx<'_>,
    is_ended: impl Fn(&AccountId, Option<&FamilyId>) -> bool,
) -> Result<(), StoreError> {
    for (key, PageCode(access)) in tx.list::<PageCode>(b"")? {
        if is_ended(&access.account, access.via.as_ref()) {
            tx.remove::<PageCode>(&key);
        }
    }
    for (key, PageVisit(access)) in tx.list::<PageVisit>(b"")? {
        if is_ended(&access.account, access.via.as_ref()) {
            tx.remove::<PageVisit>(&key);
        }
    }
    Ok(())
}

/// Removes what has expired, and what belongs to accounts that no longer exist.
pub(super) fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    for (key, PageCode(access)) in tx.list::<PageCode>(b"")? {
        if !access.is_valid_within(tx, now)? {
            tx.remove::<PageCode>(&key);
        }
    }
    for (key, PageVisit(access)) in tx.list::<PageVisit>(b"")? {
        if !access.is_valid_within(tx, now)? {
            tx.remove::<PageVisit>(&key);
        }
    }
    Ok(())
}

impl OAuth {
    /// A code that opens the page of `account` once, within [`PAGE_CODE_LIFE`]. `None`: the account no longer exists,
    /// or `is_allowed` returned false. It is called in the same unit of work.
    pub async fn issue_page_code(
        &self,
        account: &AccountId,
        via: Option<FamilyId>,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<Option<Secret>, StoreError> {
        let (id, now, code) = (account.clone(), self.0.clock.now(), new_code());
        let written = code.clone();
        let is_issued = self
            .0
            .store
            .atomic(move |tx| {
                if !Accounts::exists_within(tx, &id)? || !is_allowed(tx)? {
                    return Ok(false);
                }
                put_code(tx, &written, &id, via, now)?;
                Ok::<_, StoreError>(true)
            })
            .await?;
        if is_issued {
            tracing::info!(account.id = %account, "page.link_issued");
        }
        Ok(is_issued.then_some(code))
    }

    /// Spends a code and starts a visit. Returns the value of its cookie; `None` for a code that is unknown, spent or
    /// expired.
    pub async fn open_page(&self, code: &str) -> Result<Option<Secret>, StoreError> {
        if !code.starts_with(CODE_PREFIX) {
            return Ok(None);
        }
        let (hash, now) = (TokenHash::of(code), self.0.clock.now());
        // This read comes first, so that a guessed code costs no write.
        if self.0.store.find::<PageCode>(hash.as_bytes())?.is_none() {
            tracing::info!("page.code_refused");
            return Ok(None);
        }
        let cookie = random_token(VISIT_PREFIX);
        let visit = TokenHash::of(cookie.expose());
        let opened = self
            .0
            .store
            .atomic(move |tx| {
                let Some(PageCode(access)) = tx.find::<PageCode>(hash.as_bytes())? else {
                    return Ok(None);
                };
                tx.remove::<PageCode>(hash.as_bytes());
                if !access.is_valid_within(tx, now)? {
                    return Ok(None);
                }
                make_room(tx, &access.account)?;
                let access = PageAccess {
                    expires_at: after(now, VISIT_LIFE),
                    ..access
                };
                tx.put(visit.as_bytes(), &PageVisit(access.clone()))?;
                Ok::<_, StoreError>(Some(access.account))
            })
            .await?;
        let Some(account) = opened else {
            tracing::info!("page.code_refused");
            return Ok(None);
        };
        tracing::info!(account.id = %account, "page.opened");
        Ok(Some(cookie))
    }

    /// The person whose browser has this cookie; `None` if the visit is over.
    pub fn page_visitor(&self, cookie: &str) -> Result<Option<PageVisitor>, StoreError> {
        if !cookie.starts_with(VISIT_PREFIX) {
            return Ok(None);
        }
        let (visit, store) = (TokenHash::of(cookie), &self.0.store);
        let Some(PageVisit(access)) = store.find::<PageVisit>(visit.as_bytes())? else {
            return Ok(None);
        };
        let has_sign_in = match &access.via {
            Some(family) => store.find::<TokenFamily>(family.key())?.is_some(),
            None => true,
        };
        let is_over = self.0.clock.now() >= access.expires_at;
        if is_over || !has_sign_in || self.0.accounts.find(&access.account)?.is_none() {
            return Ok(None);
        }
        Ok(Some(PageVisitor {
            account: access.account,
            via: access.via,
            expires_at: access.expires_at,
            visit,
            csrf: derived_token("", &Secret::new(cookie), b"own page"),
        }))
    }

    /// Whether a visit is still open.
    pub fn is_page_open(&self, visitor: &PageVisitor) -> bool {
        let found = self.0.store.find::<PageVisit>(visitor.visit.as_bytes());
        self.0.clock.now() < visitor.expires_at && found.is_ok_and(|found| found.is_some())
    }

    /// Ends a visit, because the person closed the page.
    pub async fn close_page(&self, visitor: &PageVisitor) -> Result<(), StoreError> {
        let visit = visitor.visit;
        self.0
            .store
            .atomic(move |tx| {
                tx.remove::<PageVisit>(visit.as_bytes());
                Ok::<_, StoreError>(())
            })
            .await?;
        tracing::info!(account.id = %visitor.account, "page.closed");
        Ok(())
    }
}

/// Removes the oldest visits of an account beyond its limit, so that one more fits.
fn make_room(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    let visits = tx.list::<PageVisit>(b"")?.into_iter();
    let mut own: Vec<(Timestamp, Vec<u8>)> = visits
        .filter(|(_, PageVisit(access))| access.account == *account)
        .map(|(key, PageVisit(access))| (access.expires_at, key))
        .collect();
    own.sort();
    let too_many = (own.len() + 1).saturating_sub(MAX_VISITS);
    for (_, key) in own.iter().take(too_many) {
        tx.remove::<PageVisit>(key);
    }
    Ok(())
}
