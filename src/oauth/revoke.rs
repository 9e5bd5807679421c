//! Ends access: by the client (RFC 7009), by the operator or the person, after reuse of a token, or for lack of use.
//!
//! Every ended family leaves a [`Revocation`], written in the same unit of work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::OAuth;
use super::authorize::EndedSignIns;
use super::error::OAuthError;
use super::family::TokenFamily;
use super::form::FormParameters;
use super::grants::{AccessToken, AuthorizationCode, Consent, FamilyId, RefreshToken, family_id};
use super::own_page;
use crate::accounts::{Account, AccountId};
use crate::base::secrets::TokenHash;
use crate::store::{Record, Store, StoreError, Table, Tx};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    Client,
    Operator,
    /// The person, on their own page.
    Person,
    /// The code was exchanged a second time.
    CodeReuse,
    /// A refresh token was presented long after it was spent.
    RefreshReuse,
    /// The family was not used for `ACCESS_TOKEN_TTL_DAYS`.
    Unused,
    /// The access token of an [imported](super::imported) sign-in expired, and it has no refresh token.
    Expired,
}

impl RevocationReason {
    /// The word used in log events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Person => "person",
            Self::CodeReuse => "code_reuse",
            Self::RefreshReuse => "refresh_reuse",
            Self::Unused => "unused",
            Self::Expired => "expired",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub at: Timestamp,
    pub family: FamilyId,
    pub account: AccountId,
    pub client_id: String,
    /// The client's own name for itself.
    pub client_name: String,
    pub reason: RevocationReason,
    /// The uid of the operator on this machine; `None` if it is unknown, or if somebody else ended the access.
    #[serde(default)]
    pub by_uid: Option<u32>,
    /// Number of access tokens that were valid until then.
    #[serde(default)]
    pub n_access_tokens: usize,
}

impl Record for Revocation {
    const TABLE: Table = Table("revocation");
}

/// Who ends access outside of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The operator, with the uid on this machine if it is known.
    Operator(Option<u32>),
    /// The person, on their own page.
    Person,
}

impl From<EndedBy> for Cause {
    fn from(by: EndedBy) -> Self {
        match by {
            EndedBy::Operator(by_uid) => Self {
                reason: RevocationReason::Operator,
                by_uid,
            },
            EndedBy::Person => RevocationReason::Person.into(),
        }
    }
}

/// Why a family ends, and who caused it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    reason: RevocationReason,
    by_uid: Option<u32>,
}

impl From<RevocationReason> for Cause {
    fn from(reason: RevocationReason) -> Self {
        Self { reason, by_uid: None }
    }
}

/// How much access was revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Token families (sign-ins of clients) that ended.
    pub families: Vec<FamilyId>,
    /// Number of access tokens that were valid until then.
    pub n_access_tokens: usize,
    /// Number of codes that had not been exchanged.
    pub n_codes: usize,
}

/// The sign-ins that the operator or a person ends.
#[derive(Clone, Debug)]
pub enum RevocationScope {
    Account(AccountId),
    Client(String),
    Family(FamilyId),
    All,
}

impl RevocationScope {
    fn covers(&self, id: Option<&FamilyId>, account: &AccountId, client_id: &str) -> bool {
        match self {
            Self::Account(target) => target == account,
            Self::Client(target) => target == client_id,
            Self::Family(target) => Some(target) == id,
            Self::All => true,
        }
    }
}

/// Whether the account has a valid sign-in, or lost its last one only for lack of use or by expiry, so that nobody
/// withdrew its access.
fn has_access(
    account: &AccountId,
    families: &[(Vec<u8>, TokenFamily)],
    revocations: &[(Vec<u8>, Revocation)],
) -> bool {
    let mut own = families.iter().map(|(_, family)| &family.consent.account);
    if own.any(|of| of == account) {
        return true;
    }
    let ended = revocations.iter().map(|(_, revocation)| revocation);
    let last = ended
        .filter(|revocation| revocation.account == *account)
        .max_by_key(|revocation| revocation.at);
    last.is_some_and(|last| matches!(last.reason, RevocationReason::Unused | RevocationReason::Expired))
}

/// Ends a family inside a unit of work and writes its [`Revocation`]. Returns how many valid access tokens it had.
pub(super) fn end_family(
    tx: &mut Tx<'_>,
    id: &FamilyId,
    family: &TokenFamily,
    cause: impl Into<Cause>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let Cause { reason, by_uid } = cause.into();
    let n_access_tokens = family.n_access_tokens(now);
    family.remove(tx, id);
    own_page::end_within(tx, |_, via| via == Some(id))?;
    let revocation = Revocation {
        at: now,
        family: id.clone(),
        account: family.consent.account.clone(),
        client_id: family.consent.client_id.clone(),
        client_name: family.consent.client_name.clone(),
        reason,
        by_uid,
        n_access_tokens,
    };
    // The key starts with the time, so that revocations are sorted by it.
    let mut key = now.as_microsecond().to_be_bytes().to_vec();
    key.extend_from_slice(id.key());
    tx.put(&key, &revocation)?;
    Ok(n_access_tokens)
}

/// Removes the codes that have not been exchanged. Returns how many.
fn remove_codes(tx: &mut Tx<'_>, is_covered: impl Fn(&Consent) -> bool) -> Result<usize, StoreError> {
    let mut removed = 0;
    for (key, code) in tx.list::<AuthorizationCode>(b"")? {
        if code.gave.is_none() && is_covered(&code.consent) {
            tx.remove::<AuthorizationCode>(&key);
            removed += 1;
        }
    }
    Ok(removed)
}

impl OAuth {
    /// `/revoke` (RFC 7009): a refresh token ends its whole family, an access token only itself. Both end the calls in
    /// progress. Returns the account whose sign-in ended as a whole.
    ///
    /// A token that is unknown, or another client's, is no error (§2.2). Errors: `InvalidRequest` (caller),
    /// `TemporarilyUnavailable` (operator).
    pub async fn revoke(
        &self,
        form: &str,
        authorization: Option<&str>,
    ) -> Result<Option<AccountId>, OAuthError> {
        let form = FormParameters::parse(form)?.with_basic_client(authorization)?;
        let hash = TokenHash::of(form.require("token")?);
        let client_id = form.find("client_id").map(str::to_owned);
        let now = self.0.clock.now();
        let is_theirs = move |family: &TokenFamily| {
            client_id
                .as_ref()
                .is_none_or(|id| *id == family.consent.client_id)
        };
        let ended = self
            .0
            .store
            .atomic(move |tx| {
                if let Some(refresh) = tx.find::<RefreshToken>(hash.as_bytes())?
                    && let Some(family) = tx.find::<TokenFamily>(refresh.family.key())?.filter(&is_theirs)
                {
                    end_family(tx, &refresh.family, &family, RevocationReason::Client, now)?;
                    return Ok(Some((family.consent.account, refresh.family, true)));
                }
                if let Some(access) = tx.find::<AccessToken>(hash.as_bytes())?
                    && let Some(mut family) = tx.find::<TokenFamily>(access.family.key())?.filter(&is_theirs)
                {
                    family.forget_access(hash);
                    tx.remove::<AccessToken>(hash.as_bytes());
                    tx.put(access.family.key(), &family)?;
                    return Ok(Some((access.account, access.family, false)));
                }
                Ok::<_, StoreError>(None)
            })
            .await?;
        if let Some((account, family, whole)) = &ended {
            self.tell_sign_in_ended(family);
            tracing::info!(
                account.id = %account, family.id = %family, whole_family = *whole,
                reason = RevocationReason::Client.as_str(), "token.revoked"
            );
        }
        let whole = ended.filter(|(_, _, whole)| *whole);
        Ok(whole.map(|(account, _, _)| account))
    }

    /// Ends the sign-ins in this scope, including those in progress, and the codes that have not been exchanged. Ending
    /// an account's access also closes its own page. Garmin's tokens are kept.
    pub async fn end_access(&self, scope: RevocationScope, by: EndedBy) -> Result<Revoked, StoreError> {
        let now = self.0.clock.now();
        match &scope {
            RevocationScope::Account(account) => {
                if let Some(account) = self.0.accounts.find(account)? {
                    self.end_open_sign_ins(&account);
                }
            }
            RevocationScope::Client(client_id) => {
                self.0
                    .transactions
                    .end(EndedSignIns::Client(client_id.clone()), now);
            }
            RevocationScope::All => self.0.transactions.end(EndedSignIns::All, now),
            RevocationScope::Family(_) => {}
        }
        let cause = Cause::from(by);
        let revoked = self
            .0
            .store
            .atomic(move |tx| {
                let mut revoked = Revoked::default();
                for (key, family) in tx.list::<TokenFamily>(b"")? {
                    let Some(id) = family_id(&key) else { continue };
                    if scope.covers(Some(&id), &family.consent.account, &family.consent.client_id) {
                        revoked.n_access_tokens += end_family(tx, &id, &family, cause, now)?;
                        revoked.families.push(id);
                    }
                }
                revoked.n_codes = remove_codes(tx, |consent| {
                    scope.covers(None, &consent.account, &consent.client_id)
                })?;
                own_page::end_within(tx, |account, _| match &scope {
                    RevocationScope::Account(ended) => ended == account,
                    RevocationScope::All => true,
                    RevocationScope::Client(_) | RevocationScope::Family(_) => false,
                })?;
                Ok::<_, StoreError>(revoked)
            })
            .await?;
        tracing::info!(
            families = revoked.families.len(),
            access_tokens = revoked.n_access_tokens,
            reason = cause.reason.as_str(),
            "token.revoked"
        );
        Ok(revoked)
    }

    /// Ends a person's sign-ins that are in progress; later ones are not affected. A sign-in that is waiting for
    /// Garmin ends when its answer would be written.
    pub fn end_open_sign_ins(&self, account: &Account) {
        let now = self.0.clock.now();
        let transactions = &self.0.transactions;
        if let Some(profile_id) = account.profile_id {
            transactions.end(EndedSignIns::Profile(profile_id), now);
        }
        transactions.end(EndedSignIns::Email(account.email.clone()), now);
    }

    /// Ends the sign-ins with this e-mail that are in progress, and their codes that have not been exchanged. Used
    /// when an invitation is withdrawn; existing connections stay.
    pub async fn end_open_sign_ins_by_email(&self, email: &str) -> Result<(), StoreError> {
        let email = email.trim().to_lowercase();
        let accounts = self.0.accounts.list()?.into_iter();
        let accounts: Vec<AccountId> = accounts
            .filter(|account| account.email == email)
            .map(|account| account.id)
            .collect();
        self.0
            .transactions
            .end(EndedSignIns::Email(email), self.0.clock.now());
        self.0
            .store
            .atomic(move |tx| remove_codes(tx, |consent| accounts.contains(&consent.account)))
            .await?;
        Ok(())
    }

    /// Whether a sign-in is still valid, inside a unit of work.
    pub fn has_family_within(tx: &Tx<'_>, id: &FamilyId) -> Result<bool, StoreError> {
        Ok(tx.find::<TokenFamily>(id.key())?.is_some())
    }

    /// Whether an account has access, inside a unit of work: a valid sign-in, or one that ended only for lack of use.
    pub fn has_access_within(tx: &Tx<'_>, account: &AccountId) -> Result<bool, StoreError> {
        Ok(has_access(account, &tx.list(b"")?, &tx.list(b"")?))
    }

    /// Like [`OAuth::has_access_within`], but outside a unit of work.
    pub fn has_access(store: &Store, account: &AccountId) -> Result<bool, StoreError> {
        Ok(has_access(account, &store.list(b"")?, &store.list(b"")?))
    }
}
