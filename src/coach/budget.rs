//! The daily limits of looks: their number per account, and the total cost. Stored, so that they survive a restart.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::look::LookError;
use crate::accounts::{AccountId, Accounts};
use crate::store::{Kind, Record, Store, StoreError, Table, Tx};

/// The looks of one UTC day, either of one account or of all accounts together.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LooksOfDay {
    day: Date,
    looks: u32,
    cents: f64,
}

impl Record for LooksOfDay {
    const TABLE: Table = Table("looks");
}

pub(crate) const KIND: Kind = Kind::of::<LooksOfDay>();

/// The key for all accounts together. Account ids are longer, so it cannot collide with one.
const ALL: &[u8] = b"all";

#[derive(Debug)]
pub(super) struct LookBudget {
    store: Store,
    daily: u32,
    daily_cents: Option<u32>,
}

impl LookBudget {
    pub(super) fn new(store: Store, daily: u32, daily_cents: Option<u32>) -> Self {
        Self {
            store,
            daily,
            daily_cents,
        }
    }

    /// Counts one look of `account`. Returns the cents that it may cost; `None` = no limit.
    pub(super) async fn take(&self, account: &AccountId, now: Timestamp) -> Result<Option<f64>, LookError> {
        let day = day(now);
        let (of, key) = (account.clone(), account.as_str().as_bytes().to_vec());
        let (daily, daily_cents) = (self.daily, self.daily_cents);
        let taken = self.store.atomic(move |tx| {
            if Accounts::is_forgotten_within(tx, &of)? {
                return Ok(Err("the account was erased"));
            }
            let cents = today(tx.find::<LooksOfDay>(ALL)?, day).cents;
            let left = daily_cents.map(|most| f64::from(most) - cents);
            // A look costs at least one cent.
            if left.is_some_and(|left| left < 1.0) {
                return Ok(Err("today's ANALYSIS_DAILY_USD is spent"));
            }
            let mut own = today(tx.find::<LooksOfDay>(&key)?, day);
            if own.looks >= daily {
                return Ok(Err("today's looks (ANALYSIS_DAILY) are used up"));
            }
            own.looks += 1;
            tx.put(&key, &own)?;
            Ok::<_, StoreError>(Ok(left))
        });
        match taken.await {
            Ok(Ok(left)) => Ok(left),
            Ok(Err(why)) => Err(LookError::failed(why)),
            Err(_) => Err(LookError::failed("the store can't write")),
        }
    }

    /// Adds the cost of a look in cents.
    pub(super) async fn spent(&self, cents: f64, now: Timestamp) {
        let day = day(now);
        let noted = self.store.atomic(move |tx| {
            let mut all = today(tx.find::<LooksOfDay>(ALL)?, day);
            all.looks += 1;
            all.cents += cents;
            tx.put(ALL, &all)
        });
        if let Err(e) = noted.await {
            tracing::warn!(reason = %e, "coach.cost_not_noted");
        }
    }
}

pub(crate) fn forget(tx: &mut Tx<'_>, account: &AccountId) {
    tx.remove::<LooksOfDay>(account.as_str().as_bytes());
}

fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn today(spent: Option<LooksOfDay>, day: Date) -> LooksOfDay {
    spent.filter(|spent| spent.day == day).unwrap_or(LooksOfDay {
        day,
        looks: 0,
        cents: 0.0,
    })
}
