//! Acts that span several modules. Each is one function that reads like the policy.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::api::{PurgeSummary, RevocationSummary};
use super::views::count;

use crate::accounts::{AccountId, Accounts};
use crate::advice::{self, Advice};
use crate::gateway::{self, Gateway};
use crate::history::{self, History};
use crate::oauth::{EndedBy, FamilyId, OAuth, RevocationScope};
use crate::races::Races;
use crate::store::{Store, StoreError};
use crate::workers::Workers;

/// The modules that an act may touch.
#[derive(Clone)]
pub struct Rooms {
    pub accounts: Accounts,
    pub oauth: OAuth,
    pub workers: Workers,
    pub races: Races,
    pub gateway: Gateway,
    pub history: History,
    pub advice: Advice,
    pub store: Store,
}

impl Rooms {
    /// Ends access: first the tokens, so that no new call starts, then the calls, workers and races in progress.
    ///
    /// A person who still has another sign-in keeps the worker and the races.
    pub async fn revoke(&self, scope: RevocationScope, by: EndedBy) -> Result<RevocationSummary, StoreError> {
        let owners: Vec<(FamilyId, AccountId)> = self
            .oauth
            .families()?
            .into_iter()
            .map(|family| (family.id, family.account))
            .collect();
        let revoked = self.oauth.end_access(scope.clone(), by).await?;
        let mut summary = RevocationSummary {
            families: count(revoked.families.len()),
            tokens: count(revoked.n_access_tokens),
            calls: count(self.gateway.cut(&revoked.families)),
            ..RevocationSummary::default()
        };
        let without_access = match scope {
            RevocationScope::Account(account) => vec![account],
            RevocationScope::All => self.accounts.list()?.into_iter().map(|a| a.id).collect(),
            RevocationScope::Client(_) | RevocationScope::Family(_) => {
                let remaining = self.oauth.families()?;
                let mut accounts: Vec<AccountId> = owners
                    .into_iter()
                    .filter(|(family, _)| revoked.families.contains(family))
                    .map(|(_, account)| account)
                    .filter(|account| !remaining.iter().any(|family| family.account == *account))
                    .collect();
                accounts.sort();
                accounts.dedup();
                accounts
            }
        };
        for account in &without_access {
            let ended = self.gateway.end_work(account).await?;
            summary.workers += count(ended.workers);
            summary.races += count(ended.races);
        }
        Ok(summary)
    }

    /// Withdraws an invitation and ends the sign-ins in progress that use it. Existing connections keep working.
    pub async fn uninvite(&self, email: &str) -> Result<(), StoreError> {
        self.accounts.uninvite(email).await?;
        self.oauth.end_open_sign_ins_by_email(email).await
    }

    /// Revokes, then erases the account, its Garmin tokens, its races, its history, its coach and its usage counts.
    pub async fn forget(&self, account: &AccountId, by: EndedBy) -> Result<RevocationSummary, StoreError> {
        let known = self.accounts.find(account)?;
        let scope = RevocationScope::Account(account.clone());
        let mut summary = self.revoke(scope.clone(), by).await?;
        // The account goes first, so that tasks which check for its existence stop writing.
        summary.accounts = u32::from(self.accounts.forget(account).await?);
        self.erase_traces(account).await?;
        // A sign-in that began after the revocation may have linked the account again before it was erased.
        if let Some(known) = known {
            self.oauth.end_open_sign_ins(&known);
            self.oauth.end_access(scope, by).await?;
        }
        Ok(summary)
    }

    /// Erases data that was written for accounts after they were forgotten.
    pub async fn sweep_forgotten(&self) -> Result<(), StoreError> {
        for tombstone in self.accounts.tombstones()? {
            self.erase_traces(&tombstone.account).await?;
        }
        self.accounts.sweep_tombstones().await
    }

    /// Erases the races, the history, the coach, the usage counts and the remembered changes of an account.
    async fn erase_traces(&self, account: &AccountId) -> Result<(), StoreError> {
        self.races.forget(account).await?;
        let used_by = account.clone();
        self.store
            .atomic(move |tx| {
                history::keeping::erase(tx, &used_by)?;
                advice::erase(tx, &used_by);
                gateway::usage::forget(tx, &used_by)?;
                gateway::repeats::forget(tx, &used_by)
            })
            .await?;
        self.history.wake();
        Ok(())
    }

    /// Erases races without a point since `before`, usage counts of earlier days, and grants to others that ended before,
    /// for one account or for all. A purge of everything also erases histories; one up to a day leaves them, because the
    /// person decides how far back they go. Accounts and their access are kept.
    pub async fn purge(
        &self,
        account: Option<&AccountId>,
        before: Timestamp,
    ) -> Result<PurgeSummary, StoreError> {
        let races = self.races.purge(account, before).await?;
        let (day, of) = (before.to_zoned(TimeZone::UTC).date(), account.cloned());
        let usage = self
            .store
            .atomic(move |tx| gateway::usage::purge(tx, of.as_ref(), day));
        let usage = count(usage.await?);
        let mut histories = 0;
        if before == Timestamp::MAX {
            for (kept_by, _) in self.history.all()? {
                if account.is_none_or(|account| *account == kept_by) {
                    self.history.switch_off(&kept_by, |_| Ok(true)).await?;
                    self.advice.forget_said(&kept_by).await?;
                    histories += 1;
                }
            }
        }
        let grants = self.gateway.sharing().purge(account, before).await?;
        Ok(PurgeSummary {
            races: count(races),
            usage,
            histories,
            grants: count(grants),
            compacted: None,
        })
    }
}
