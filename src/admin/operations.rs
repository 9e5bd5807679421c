//! Acts that concern several rooms, each one function that reads like the policy.

use super::api::Revoked;
use crate::accounts::{AccountId, Accounts};
use crate::foundation::store::{Store, StoreError};
use crate::gateway::{self, Gateway};
use crate::oauth::{FamilyId, OAuth};
use crate::races::Races;
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
    pub async fn revoke_account(&self, account: &AccountId) -> Result<Revoked, StoreError> {
        let fell = self.oauth.revoke_account(account).await?;
        let stopped = self.stop(std::slice::from_ref(account)).await?;
        Ok(report(fell, stopped))
    }

    /// Ends one sign-in of one client. Worker and races stay if another client of the person still has access.
    pub async fn revoke_family(&self, family: &FamilyId) -> Result<Revoked, StoreError> {
        let before = self.oauth.families()?;
        let fell = self.oauth.revoke_family(family).await?;
        let account = before.into_iter().find(|f| f.id == *family).map(|f| f.account);
        let stopped = self
            .stop(&self.without_access(account.into_iter().collect())?)
            .await?;
        Ok(report(fell, stopped))
    }

    /// Ends all access through one client.
    pub async fn revoke_client(&self, client_id: &str) -> Result<Revoked, StoreError> {
        let before = self.oauth.families()?;
        let fell = self.oauth.revoke_client(client_id).await?;
        let accounts = before
            .into_iter()
            .filter(|f| f.client_id == client_id)
            .map(|f| f.account)
            .collect();
        let stopped = self.stop(&self.without_access(accounts)?).await?;
        Ok(report(fell, stopped))
    }

    /// Ends all access of everybody.
    pub async fn revoke_all(&self) -> Result<Revoked, StoreError> {
        let fell = self.oauth.revoke_all().await?;
        let accounts: Vec<AccountId> = self.accounts.list()?.into_iter().map(|a| a.id).collect();
        let stopped = self.stop(&accounts).await?;
        Ok(report(fell, stopped))
    }

    /// Revokes, then erases the account, its Garmin tokens, its races and what it used.
    pub async fn forget(&self, account: &AccountId) -> Result<Revoked, StoreError> {
        let revoked = self.revoke_account(account).await?;
        self.races.forget(account).await?;
        let forgotten = self.accounts.forget(account).await?;
        let used_by = account.clone();
        self.store
            .atomic(move |tx| gateway::usage::forget(tx, &used_by))
            .await?;
        Ok(Revoked {
            accounts: u32::from(forgotten),
            ..revoked
        })
    }

    /// Those of `accounts` that have no sign-in left.
    fn without_access(&self, mut accounts: Vec<AccountId>) -> Result<Vec<AccountId>, StoreError> {
        let left = self.oauth.families()?;
        accounts.retain(|account| !left.iter().any(|family| family.account == *account));
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    /// Stops the workers and the races of these accounts; the calls in the workers are cut.
    async fn stop(&self, accounts: &[AccountId]) -> Result<Stopped, StoreError> {
        let mut stopped = Stopped::default();
        for running in self
            .workers
            .list()
            .iter()
            .filter(|w| accounts.contains(&w.account))
        {
            stopped.workers += u32::from(running.process.is_some());
            stopped.calls += count(running.in_flight + running.waiting);
            self.workers.stop(&running.account, StopReason::Revoked).await;
        }
        for account in accounts {
            stopped.races += count(self.races.stop_all(account).await?);
        }
        Ok(stopped)
    }
}

/// What was under way and ended with an access.
#[derive(Clone, Copy, Default)]
struct Stopped {
    workers: u32,
    calls: u32,
    races: u32,
}

fn report(fell: crate::oauth::Revoked, stopped: Stopped) -> Revoked {
    Revoked {
        families: count(fell.n_families),
        tokens: count(fell.n_access_tokens),
        workers: stopped.workers,
        calls: stopped.calls,
        races: stopped.races,
        ..Revoked::default()
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
