//! Logs the `stats` event, with counts of accounts, tokens and so on, at the start and whenever a count changes.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::base::lifecycle::Lifecycle;
use crate::oauth::OAuth;
use crate::store::StoreError;
use crate::workers::Workers;

const EVERY: Duration = Duration::from_secs(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    accounts: usize,
    /// The number of valid token families.
    tokens: usize,
    /// The number of accounts with at least one token family.
    people: usize,
    clients: usize,
    workers: usize,
}

pub(super) fn start(accounts: &Accounts, oauth: &OAuth, workers: &Workers, lifecycle: &Lifecycle) {
    let (accounts, oauth, workers) = (accounts.clone(), oauth.clone(), workers.clone());
    let stopping = lifecycle.stopping();
    lifecycle.spawn("stats", async move {
        let mut told = None;
        loop {
            match count(&accounts, &oauth, &workers) {
                Ok(now) if told == Some(now) => {}
                Ok(now) => {
                    let Counts {
                        accounts,
                        tokens,
                        people,
                        clients,
                        workers,
                    } = now;
                    tracing::info!(accounts, tokens, people, clients, workers, "stats");
                    told = Some(now);
                }
                Err(e) => tracing::debug!(reason = %e, "stats.failed"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stopping.cancelled() => return,
            }
        }
    });
}

fn count(accounts: &Accounts, oauth: &OAuth, workers: &Workers) -> Result<Counts, StoreError> {
    let families = oauth.families()?;
    let people: BTreeSet<_> = families.iter().map(|family| &family.account).collect();
    let clients: BTreeSet<_> = families.iter().map(|family| &family.client_id).collect();
    Ok(Counts {
        accounts: accounts.list()?.len(),
        tokens: families.len(),
        people: people.len(),
        clients: clients.len(),
        workers: workers.running(),
    })
}
