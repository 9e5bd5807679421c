//! Acts that concern several rooms, each one function that reads like the policy.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::api::{PurgeSummary, RevocationSummary};
use crate::accounts::{AccountId, Accounts};
use crate::gateway::{self, Gateway};
use crate::oauth::{self, FamilyId, FamilyOverview, OAuth};
use crate::races::Races;
use crate::store::{Store, StoreError};
use crate::workers::{StopReason, Workers};

/// The rooms that an act may concern.
#[derive(Clone)]
pub struct Rooms {
    /// Who is who.
    pub accounts: Accounts,
    /// Their access.
    pub oauth: OAuth,
    /// Their workers.
    pub workers: Workers,
    /// Their races.
    pub races: Races,
    /// The gateway, which counts calls.
    pub gateway: Gateway,
    /// What was used.
    pub store: Store,
}

impl Rooms {
    /// Ends all access of one person: first the tokens, so that no new call begins, then what is under way.
    ///
    /// `by_uid`, here and below: the operator, for the record of it.
    pub async fn revoke_account(
        &self,
        account: &AccountId,
        by_uid: Option<u32>,
    ) -> Result<RevocationSummary, StoreError> {
        let fell = self.oauth.revoke_account(account, by_uid).await?;
        self.end(&fell, std::slice::from_ref(account)).await
    }

    /// Ends one sign-in of one client. Worker and races stay if another client of the person still has access.
    pub async fn revoke_family(
        &self,
        family: &FamilyId,
        by_uid: Option<u32>,
    ) -> Result<RevocationSummary, StoreError> {
        let before = self.oauth.families()?;
        let fell = self.oauth.revoke_family(family, by_uid).await?;
        self.end(&fell, &self.without_access(&before, &fell)?).await
    }

    /// Ends all access through one client.
    pub async fn revoke_client(
        &self,
        client_id: &str,
        by_uid: Option<u32>,
    ) -> Result<RevocationSummary, StoreError> {
        let before = self.oauth.families()?;
        let fell = self.oauth.revoke_client(client_id, by_uid).await?;
        self.end(&fell, &self.without_access(&before, &fell)?).await
    }

    /// Ends all access of everybody.
    pub async fn revoke_all(&self, by_uid: Option<u32>) -> Result<RevocationSummary, StoreError> {
        let fell = self.oauth.revoke_all(by_uid).await?;
        let accounts: Vec<AccountId> = self.accounts.list()?.into_iter().map(|a| a.id).collect();
        self.end(&fell, &accounts).await
    }

    /// Revokes, then erases the account, its Garmin tokens, its races and what it used.
    pub async fn forget(
        &self,
        account: &AccountId,
        by_uid: Option<u32>,
    ) -> Result<RevocationSummary, StoreError> {
        let revoked = self.revoke_account(account, by_uid).await?;
        self.races.forget(account).await?;
        let forgotten = self.accounts.forget(account).await?;
        let used_by = account.clone();
        self.store
            .atomic(move |tx| gateway::usage::forget(tx, &used_by))
            .await?;
        Ok(RevocationSummary {
            accounts: u32::from(forgotten),
            ..revoked
        })
    }

    /// Erases what is over: races that told nothing new since `before`, and what was used before that day; of one person
    /// or of all. Accounts and their access stay.
    pub async fn purge(
        &self,
        account: Option<&AccountId>,
        before: Timestamp,
    ) -> Result<PurgeSummary, StoreError> {
        let races = self.races.purge(account, before).await?;
        let (day, of) = (before.to_zoned(TimeZone::UTC).date(), account.cloned());
        let used = self
            .store
            .atomic(move |tx| gateway::usage::purge(tx, of.as_ref(), day));
        Ok(PurgeSummary {
            races: count(races),
            usage: count(used.await?),
            compacted: None,
        })
    }

    /// Whose the sign-ins were that fell, as far as they have no other one left.
    fn without_access(
        &self,
        before: &[FamilyOverview],
        fell: &oauth::Revoked,
    ) -> Result<Vec<AccountId>, StoreError> {
        let left = self.oauth.families()?;
        let fallen = before.iter().filter(|family| fell.families.contains(&family.id));
        let mut accounts: Vec<AccountId> = fallen.map(|family| family.account.clone()).collect();
        accounts.retain(|account| !left.iter().any(|family| family.account == *account));
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    /// Ends what is under way: the calls of the sign-ins that fell, then workers and races of those without access.
    async fn end(
        &self,
        fell: &oauth::Revoked,
        without_access: &[AccountId],
    ) -> Result<RevocationSummary, StoreError> {
        let mut revoked = RevocationSummary {
            families: count(fell.families.len()),
            tokens: count(fell.n_access_tokens),
            calls: count(self.gateway.cut(&fell.families)),
            ..RevocationSummary::default()
        };
        for worker in self.workers.list() {
            if without_access.contains(&worker.account) {
                revoked.workers += u32::from(worker.process.is_some());
                self.workers.stop(&worker.account, StopReason::Revoked).await;
            }
        }
        for account in without_access {
            revoked.races += count(self.races.stop_all(account).await?);
        }
        Ok(revoked)
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
