//! How many looks a day may still have, and what they may cost. Kept over restarts.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{NotLooked, failed};
use crate::accounts::AccountId;
use crate::store::{Kind, Record, Store, StoreError, Table, Tx};

/// The looks of one day (UTC): of one account, or the cost of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Spent {
    day: Date,
    looks: u32,
    cents: f64,
}

impl Record for Spent {
    const TABLE: Table = Table("looks");
}

/// The table of the looks.
pub(crate) const KIND: Kind = Kind::of::<Spent>();

/// The key of what all looks cost together; no account id is so short.
const ALL: &[u8] = b"all";

#[derive(Debug)]
pub(super) struct Budget {
    store: Store,
    daily: u32,
    daily_cents: Option<u32>,
}

impl Budget {
    pub(super) fn new(store: Store, daily: u32, daily_cents: Option<u32>) -> Self {
        Self {
            store,
            daily,
            daily_cents,
        }
    }

    /// Takes one look of the day, if there is one. Returns the cents that it may cost; `None` = any.
    pub(super) async fn take(&self, account: &AccountId, now: Timestamp) -> Result<Option<f64>, NotLooked> {
        let day = day(now);
        let key = account.as_str().as_bytes().to_vec();
        let (daily, daily_cents) = (self.daily, self.daily_cents);
        let taken = self.store.atomic(move |tx| {
            let cents = today(tx.find::<Spent>(ALL)?, day).cents;
            let left = daily_cents.map(|most| f64::from(most) - cents);
            // Less than a cent buys nothing.
            if left.is_some_and(|left| left < 1.0) {
                return Ok(Err("today's ANALYSIS_DAILY_USD is spent"));
            }
            let mut mine = today(tx.find::<Spent>(&key)?, day);
            if mine.looks >= daily {
                return Ok(Err("today's looks (ANALYSIS_DAILY) are used up"));
            }
            mine.looks += 1;
            tx.put(&key, &mine)?;
            Ok::<_, StoreError>(Ok(left))
        });
        match taken.await {
            Ok(Ok(left)) => Ok(left),
            Ok(Err(why)) => Err(failed(why)),
            Err(_) => Err(failed("the store can't write")),
        }
    }

    /// Notes what a look cost.
    pub(super) async fn spent(&self, cents: f64, now: Timestamp) {
        let day = day(now);
        let noted = self.store.atomic(move |tx| {
            let mut all = today(tx.find::<Spent>(ALL)?, day);
            all.looks += 1;
            all.cents += cents;
            tx.put(ALL, &all)
        });
        if let Err(e) = noted.await {
            tracing::warn!(reason = %e, "coach.cost_not_noted");
        }
    }
}

/// Erases the count of an account.
pub(crate) fn forget(tx: &mut Tx<'_>, account: &AccountId) {
    tx.remove::<Spent>(account.as_str().as_bytes());
}

fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn today(spent: Option<Spent>, day: Date) -> Spent {
    spent.filter(|spent| spent.day == day).unwrap_or(Spent {
        day,
        looks: 0,
        cents: 0.0,
    })
}
