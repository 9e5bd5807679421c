//! Counts calls per account, tool and UTC day.
//!
//! Counts are kept in memory and stored every 30 seconds, so a crash loses at most 30 seconds of them.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::store::{Record, Store, StoreError, Table, Tx};

const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// The number of calls of one tool by one account on one day. Key: `account/day/tool`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCounts {
    pub calls: u64,
    /// The number of calls that ended with an error or without an answer.
    pub errors: u64,
}

impl Record for CallCounts {
    const TABLE: Table = Table("usage");
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLine {
    /// The day in UTC.
    pub day: Date,
    pub tool: String,
    pub usage: CallCounts,
}

/// The usage of an account by day and tool, oldest first.
pub fn used(store: &Store, account: &AccountId) -> Result<Vec<UsageLine>, StoreError> {
    let records = store.list::<CallCounts>(format!("{account}/").as_bytes())?;
    let lines = records.into_iter().filter_map(|(key, usage)| {
        let key = String::from_utf8(key).ok()?;
        let mut parts = key.splitn(3, '/').skip(1);
        Some(UsageLine {
            day: parts.next()?.parse().ok()?,
            tool: parts.next()?.to_owned(),
            usage,
        })
    });
    Ok(lines.collect())
}

/// Erases the usage of an account.
pub fn forget(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    for (key, _) in tx.list::<CallCounts>(format!("{account}/").as_bytes())? {
        tx.remove::<CallCounts>(&key);
    }
    Ok(())
}

/// Erases the usage before a day, of one account or of all. Returns the number of erased records.
pub fn purge(tx: &mut Tx<'_>, account: Option<&AccountId>, before: Date) -> Result<usize, StoreError> {
    let prefix = account.map_or_else(String::new, |account| format!("{account}/"));
    let mut purged = 0;
    for (key, _) in tx.list::<CallCounts>(prefix.as_bytes())? {
        let text = std::str::from_utf8(&key).unwrap_or_default();
        let day = text.split('/').nth(1).and_then(|day| day.parse::<Date>().ok());
        if day.is_some_and(|day| day < before) {
            tx.remove::<CallCounts>(&key);
            purged += 1;
        }
    }
    Ok(purged)
}

/// The counters of all accounts. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct UsageCounters {
    clock: Clock,
    pending: Arc<Mutex<UnstoredCounts>>,
    since_start: Arc<CallTotals>,
}

/// The total calls of all accounts since the start.
#[derive(Debug, Default)]
struct CallTotals {
    calls: AtomicU64,
    errors: AtomicU64,
}

type PerTool = HashMap<Arc<str>, CallCounts>;

/// Counts by day, as days since 1970. Usually there is one day, and around midnight there are two.
#[derive(Debug, Default)]
struct UnstoredCounts(BTreeMap<i64, HashMap<AccountId, PerTool>>);

impl UsageCounters {
    pub(super) fn new(clock: Clock) -> Self {
        UsageCounters {
            clock,
            pending: Arc::default(),
            since_start: Arc::default(),
        }
    }

    pub(super) fn since_start(&self) -> CallCounts {
        CallCounts {
            calls: self.since_start.calls.load(Ordering::Relaxed),
            errors: self.since_start.errors.load(Ordering::Relaxed),
        }
    }

    /// Counts one call. This takes a lock and two look-ups, and allocates only for a tool's first call of the day.
    pub(super) fn count(&self, account: &AccountId, tool: &Arc<str>, failed: bool) {
        self.since_start.calls.fetch_add(1, Ordering::Relaxed);
        self.since_start
            .errors
            .fetch_add(failed.into(), Ordering::Relaxed);
        let day = self.clock.now().as_second().div_euclid(86_400);
        self.pending.lock().add(
            day,
            account,
            tool,
            CallCounts {
                calls: 1,
                errors: failed.into(),
            },
        );
    }

    /// Adds the counts to the stored ones, except those of accounts that were forgotten meanwhile. If that fails, they
    /// stay in memory.
    pub(super) async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let counted = self.pending.lock().take();
        if counted.is_empty() {
            return Ok(());
        }
        let written = {
            let counted = counted.clone();
            store.atomic(move |tx| {
                for (day, account, tool, usage) in &counted {
                    if Accounts::is_forgotten_within(tx, account)? {
                        continue;
                    }
                    let key = format!("{account}/{}/{tool}", date(*day));
                    let mut sum: CallCounts = tx.find(key.as_bytes())?.unwrap_or_default();
                    sum.calls += usage.calls;
                    sum.errors += usage.errors;
                    tx.put(key.as_bytes(), &sum)?;
                }
                Ok::<_, StoreError>(())
            })
        };
        let written = written.await;
        if written.is_err() {
            self.pending.lock().put_back(counted);
        }
        written
    }

    /// Flushes every 30 seconds, and once more at the stop.
    pub(super) fn keep_flushing(&self, store: Store, lifecycle: &Lifecycle) {
        let (counters, stopping) = (self.clone(), lifecycle.stopping());
        lifecycle.spawn("usage.flush", async move {
            loop {
                let stopped = tokio::select! {
                    () = stopping.cancelled() => true,
                    () = tokio::time::sleep(FLUSH_EVERY) => false,
                };
                if let Err(error) = counters.flush(&store).await {
                    tracing::warn!(%error, "usage.flush_failed");
                }
                if stopped {
                    return;
                }
            }
        });
    }
}

type CountedCalls = Vec<(i64, AccountId, Arc<str>, CallCounts)>;

impl UnstoredCounts {
    fn add(&mut self, day: i64, account: &AccountId, tool: &Arc<str>, usage: CallCounts) {
        let accounts = self.0.entry(day).or_default();
        let known = accounts.get_mut(account).and_then(|tools| tools.get_mut(tool));
        let sum = match known {
            Some(sum) => sum,
            None => accounts
                .entry(account.clone())
                .or_default()
                .entry(tool.clone())
                .or_default(),
        };
        sum.calls += usage.calls;
        sum.errors += usage.errors;
    }

    fn take(&mut self) -> CountedCalls {
        let mut counted = CountedCalls::new();
        for (day, accounts) in mem::take(&mut self.0) {
            for (account, tools) in accounts {
                let lines = tools
                    .into_iter()
                    .map(|(tool, usage)| (day, account.clone(), tool, usage));
                counted.extend(lines);
            }
        }
        counted
    }

    fn put_back(&mut self, counted: CountedCalls) {
        for (day, account, tool, usage) in counted {
            self.add(day, &account, &tool, usage);
        }
    }
}

fn date(day: i64) -> Date {
    let at = Timestamp::from_second(day * 86_400).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests;
