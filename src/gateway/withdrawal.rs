//! Ends what depends on a person's access, besides the calls: the worker, waiting messages, the races with their shared
//! pages, and the grants on both sides.

use super::service::Gateway;
use crate::accounts::AccountId;
use crate::races::Races;
use crate::store::StoreError;
use crate::workers::{StopReason, WorkerInfo};

/// What was running for an account and was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndedWork {
    pub workers: usize,
    pub races: usize,
}

impl Gateway {
    /// Stops the worker and the races of an account that has no access any more. When this returns, nothing runs for
    /// it.
    pub async fn end_work(&self, account: &AccountId) -> Result<EndedWork, StoreError> {
        let (workers, races) = self.workers_and_races();
        // The history's request is cut first, so that it does not start another worker.
        self.cut_connection(account.as_str());
        if let Some(reading) = self.history_workers() {
            reading.stop(account, StopReason::Revoked).await;
        }
        self.sharing().end_of(account).await?;
        self.advice().withdraw(account).await?;
        let is_running = |worker: &WorkerInfo| worker.account == *account;
        let worker = workers.list().into_iter().find(is_running);
        let stopped = worker.as_ref().is_some_and(|worker| worker.process.is_some());
        if worker.is_some() {
            workers.stop(account, StopReason::Revoked).await;
        }
        Ok(EndedWork {
            workers: usize::from(stopped),
            races: self.stop_races(races, account).await?,
        })
    }

    /// Stops the races of an account, and ends the calls that are made with their tokens.
    async fn stop_races(&self, races: &Races, account: &AccountId) -> Result<usize, StoreError> {
        let stopped = races.stop_all(account).await?;
        for race in &stopped {
            self.cut_connection(race.as_str());
        }
        Ok(stopped.len())
    }

    /// Completes withdrawals that were interrupted when the program was killed between the end of the sign-in and the
    /// end of the work. Races, links and grants that were made after the withdrawal do not count as its leftovers.
    pub async fn finish_withdrawals(&self) -> Result<(), StoreError> {
        let mut at_work = self.workers_and_races().1.accounts_at_work()?;
        for (sides, since) in self.sharing().accounts.all_grants()? {
            at_work.extend([(sides.granter, since), (sides.grantee, since)]);
        }
        for (account, since) in at_work {
            if self.was_withdrawn(&account, since)? {
                self.end_work_without_sign_in(&account).await?;
            }
        }
        Ok(())
    }

    /// Ends the work for an account when its last sign-in has ended. A person with another client keeps the worker and
    /// the races, which belong to the account.
    pub async fn end_work_without_sign_in(&self, account: &AccountId) -> Result<(), StoreError> {
        if self.has_sign_in(account)? {
            return Ok(());
        }
        let ended = self.end_work(account).await?;
        tracing::info!(account.id = %account, workers = ended.workers, races = ended.races, "account.work_ended");
        Ok(())
    }
}
