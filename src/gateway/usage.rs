//! How often each account calls each tool: counted in memory, written down every half minute.
//!
//! A crash forgets at most that half minute. Days are UTC days.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::store::{Record, Store, StoreError, Table, Tx};

/// How long counts stay in memory only.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// The calls of one tool by one account on one day. Key: `account/day/tool`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All calls.
    pub calls: u64,
    /// Those without a good answer: refused by a worker, or none came.
    pub errors: u64,
}

impl Record for Usage {
    const TABLE: Table = Table("usage");
}

/// One line of what was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedTool {
    /// The UTC day.
    pub day: Date,
    /// The tool.
    pub tool: String,
    /// How often.
    pub usage: Usage,
}

/// What an account used, by day and tool, oldest first.
pub fn used(store: &Store, account: &AccountId) -> Result<Vec<UsedTool>, StoreError> {
    let records = store.list::<Usage>(format!("{account}/").as_bytes())?;
    let lines = records.into_iter().filter_map(|(key, usage)| {
        let key = String::from_utf8(key).ok()?;
        let mut parts = key.splitn(3, '/').skip(1);
        Some(UsedTool {
            day: parts.next()?.parse().ok()?,
            tool: parts.next()?.to_owned(),
            usage,
        })
    });
    Ok(lines.collect())
}

/// Forgets what an account used.
pub fn forget(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), StoreError> {
    for (key, _) in tx.list::<Usage>(format!("{account}/").as_bytes())? {
        tx.remove::<Usage>(&key);
    }
    Ok(())
}

/// Forgets what was used before a day, by one account or by all. Returns how many lines went.
pub fn purge(tx: &mut Tx<'_>, account: Option<&AccountId>, before: Date) -> Result<usize, StoreError> {
    let prefix = account.map_or_else(String::new, |account| format!("{account}/"));
    let mut purged = 0;
    for (key, _) in tx.list::<Usage>(prefix.as_bytes())? {
        let text = std::str::from_utf8(&key).unwrap_or_default();
        let day = text.split('/').nth(1).and_then(|day| day.parse::<Date>().ok());
        if day.is_some_and(|day| day < before) {
            tx.remove::<Usage>(&key);
            purged += 1;
        }
    }
    Ok(purged)
}

/// The counters. Clones are the same counters.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    clock: Clock,
    pending: Arc<Mutex<Pending>>,
    since_start: Arc<Totals>,
}

/// All calls since the start, for the console.
#[derive(Debug, Default)]
struct Totals {
    calls: AtomicU64,
    errors: AtomicU64,
}

type PerTool = HashMap<Arc<str>, Usage>;

/// By day (since 1970): usually one, two around midnight.
#[derive(Debug, Default)]
struct Pending(BTreeMap<i64, HashMap<AccountId, PerTool>>);

impl Counters {
    pub(super) fn new(clock: Clock) -> Self {
        Counters {
            clock,
            pending: Arc::default(),
            since_start: Arc::default(),
        }
    }

    /// What was counted since the start, of all accounts together.
    pub(super) fn since_start(&self) -> Usage {
        Usage {
            calls: self.since_start.calls.load(Ordering::Relaxed),
            errors: self.since_start.errors.load(Ordering::Relaxed),
        }
    }

    /// Counts one call. Costs a lock and two look-ups; nothing is allocated for a tool that was counted before.
    pub(super) fn count(&self, account: &AccountId, tool: &Arc<str>, failed: bool) {
        self.since_start.calls.fetch_add(1, Ordering::Relaxed);
        self.since_start
            .errors
            .fetch_add(failed.into(), Ordering::Relaxed);
        let day = self.clock.now().as_second().div_euclid(86_400);
        self.locked().add(
            day,
            account,
            tool,
            Usage {
                calls: 1,
                errors: failed.into(),
            },
        );
    }

    /// Adds what was counted to the store. What can't be written is counted on.
    pub(super) async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let counted = self.locked().take();
        if counted.is_empty() {
            return Ok(());
        }
        let written = {
            let counted = counted.clone();
            store.atomic(move |tx| {
                for (day, account, tool, usage) in &counted {
                    let key = format!("{account}/{}/{tool}", date(*day));
                    let mut sum: Usage = tx.find(key.as_bytes())?.unwrap_or_default();
                    sum.calls += usage.calls;
                    sum.errors += usage.errors;
                    tx.put(key.as_bytes(), &sum)?;
                }
                Ok::<_, StoreError>(())
            })
        };
        let written = written.await;
        if written.is_err() {
            self.locked().put_back(counted);
        }
        written
    }

    /// Flushes every half minute, and once more when the program stops.
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

    fn locked(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Counted = Vec<(i64, AccountId, Arc<str>, Usage)>;

impl Pending {
    fn add(&mut self, day: i64, account: &AccountId, tool: &Arc<str>, usage: Usage) {
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

    fn take(&mut self) -> Counted {
        let mut counted = Counted::new();
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

    fn put_back(&mut self, counted: Counted) {
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
