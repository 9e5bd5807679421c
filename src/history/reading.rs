//! The rows of Garmin's documents from the history, and how old they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use parking_lot::Mutex;
use serde_json::Value;

use super::block::{DayBlock, block_key, kind_prefix};
use super::keeping::History;
use super::kept::{KeptHistory, KindProgress};
use super::kind::{AskedDays, KEPT_KINDS, KeptKind, TodayRule};
use super::rows::{KeptRow, KeptRows};
use crate::accounts::AccountId;
use crate::store::{Store, StoreError};

/// How many of the newest days may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptFreshness {
    /// None may be missing: all days that are over must be covered, and today must meet the kind's [`TodayRule`].
    Complete,
    /// Some weeks may be missing: Garmin can't be asked, and older days are better than none.
    MayBeOld,
}

/// The most missing days for [`KeptFreshness::MayBeOld`].
const OLDEST_DAYS: i64 = 28;

/// Maximum age of days that [`TodayRule::IsRecent`] accepts.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// How fresh an answer from the history is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOf {
    /// When the newest days were fetched.
    pub at: Zoned,
    /// The newest day that is covered.
    pub last_day: Date,
    /// Whether that day was over when it was fetched.
    pub is_last_day_over: bool,
}

/// The history of one person, as the source of one question.
#[derive(Debug)]
pub struct KeptDocuments {
    store: Store,
    account: AccountId,
    kept: KeptHistory,
    now: Zoned,
    freshness: KeptFreshness,
    /// The blocks that were read for this question. Its requests share blocks, and reading one means unsealing and
    /// inflating it.
    blocks: Mutex<BTreeMap<Vec<u8>, Arc<[KeptRow]>>>,
    /// The oldest fetch and the earliest last day of the kinds that were read.
    used: Mutex<Option<(Timestamp, Date)>>,
    failed: Mutex<Option<StoreError>>,
}

impl History {
    /// The documents of a person; `None` if they keep no history, or nothing was stored yet.
    pub fn documents(
        &self,
        account: &AccountId,
        freshness: KeptFreshness,
    ) -> Result<Option<KeptDocuments>, StoreError> {
        let Some(kept) = self.kept(account)?.filter(|kept| kept.filled_at.is_some()) else {
            return Ok(None);
        };
        Ok(Some(KeptDocuments {
            store: self.store.clone(),
            account: account.clone(),
            now: kept.local(self.clock.now()),
            kept,
            freshness,
            blocks: Mutex::default(),
            used: Mutex::default(),
            failed: Mutex::default(),
        }))
    }

    /// Everything that is kept of a person, by kind, in Garmin's shape: for the person's own export.
    pub fn export(
        &self,
        account: &AccountId,
        mut each: impl FnMut(&'static str, Value),
    ) -> Result<Option<KeptHistory>, StoreError> {
        let Some(kept) = self.kept(account)? else {
            return Ok(None);
        };
        for kind in &KEPT_KINDS {
            let prefix = kind_prefix(account, kind);
            let last = block_key(account, kind, u32::MAX);
            for block in self.store.range_packed::<DayBlock>(&prefix, &prefix, &last)? {
                each(kind.name, kind.document(&block.rows));
            }
        }
        Ok(Some(kept))
    }
}

impl KeptDocuments {
    /// The current time in the person's time zone.
    pub fn now(&self) -> &Zoned {
        &self.now
    }

    /// The rows of the document that Garmin would send for this request; `None` if the history does not cover it. The
    /// request may be for more days than Garmin sends at once.
    pub fn rows(&self, path: &str, query: &[(String, String)]) -> Option<KeptRows> {
        let (kind, asked) = KEPT_KINDS
            .iter()
            .find_map(|kind| Some((kind, kind.asked(path, query)?)))?;
        let progress = self.kept.kinds.get(kind.name)?;
        if !covers(progress, &asked, &self.now, self.freshness) {
            return None;
        }
        // Nothing is stored beyond what is covered.
        let first = kind.unit_of(asked.from.max(progress.first));
        let last = kind.unit_of(asked.to.min(progress.last));
        let blocks: Result<Vec<_>, _> = (first..=last).map(|unit| self.block(kind, unit)).collect();
        let blocks = match blocks {
            Ok(blocks) => blocks,
            Err(error) => {
                *self.failed.lock() = Some(error);
                return None;
            }
        };
        let rows = KeptRows { kind, asked, blocks };
        let has_row_today = || rows.of_asked_days().any(|row| row.date == self.now.date());
        let is_fresh = match kind.today {
            _ if self.freshness == KeptFreshness::MayBeOld || asked.to < self.now.date() => true,
            TodayRule::Any => true,
            TodayRule::HasRow => has_row_today(),
            TodayRule::IsRecent => self.now.timestamp().duration_since(progress.fetched_at) <= RECENT,
        };
        if !is_fresh {
            return None;
        }
        let mut used = self.used.lock();
        let (at, last) = used.unwrap_or((progress.fetched_at, progress.last));
        *used = Some((at.min(progress.fetched_at), last.min(progress.last)));
        Some(rows)
    }

    /// The rows of a block; empty if there is none.
    fn block(&self, kind: &KeptKind, unit: u32) -> Result<Arc<[KeptRow]>, StoreError> {
        let key = block_key(&self.account, kind, unit);
        if let Some(rows) = self.blocks.lock().get(&key) {
            return Ok(Arc::clone(rows));
        }
        let block = self.store.find_packed::<DayBlock>(&key)?;
        let rows: Arc<[KeptRow]> = block.map_or_else(Vec::new, |block| block.rows).into();
        self.blocks.lock().insert(key, Arc::clone(&rows));
        Ok(rows)
    }

    /// How fresh the documents read so far are; `None` if none was read.
    pub fn as_of(&self) -> Option<AsOf> {
        let (at, last_day) = (*self.used.lock())?;
        let at = at.to_zoned(self.now.time_zone().clone());
        Some(AsOf {
            is_last_day_over: at.date() > last_day,
            at,
            last_day,
        })
    }

    /// Why a record could not be read.
    pub fn failure(&self) -> Option<StoreError> {
        self.failed.lock().clone()
    }
}

/// Whether the covered days suffice for a request.
fn covers(progress: &KindProgress, asked: &AskedDays, now: &Zoned, freshness: KeptFreshness) -> bool {
    if progress.first > progress.last {
        return false;
    }
    let (today, begins) = (now.date(), progress.is_complete || progress.first <= asked.from);
    match freshness {
        KeptFreshness::Complete => {
            let fetched_on = progress.fetched_at.to_zoned(now.time_zone().clone()).date();
            // A day that was fetched before it was over has only a part of its values.
            let last_whole = progress.last.min(fetched_on.saturating_sub(1.day()));
            begins && last_whole >= asked.to.min(today.saturating_sub(1.day()))
        }
        KeptFreshness::MayBeOld => {
            begins && progress.last >= asked.to.min(today.saturating_sub(OLDEST_DAYS.days()))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn progress(first: Date, last: Date, is_complete: bool) -> KindProgress {
        KindProgress {
            first,
            last,
            fetched_at: noon(last).timestamp(),
            refreshed_on: last,
            empty_days: 0,
            is_complete,
            days: 0,
            bytes: 0,
            trouble: None,
        }
    }

    fn noon(day: Date) -> Zoned {
        day.at(12, 0, 0, 0).in_tz("Europe/Vienna").unwrap()
    }

    fn asked(from: Date, to: Date) -> AskedDays {
        AskedDays {
            from,
            to,
            start: 0,
            limit: usize::MAX,
        }
    }

    #[test]
    fn a_range_is_covered_by_what_was_fetched() {
        use KeptFreshness::{Complete, MayBeOld};
        let today = date(2026, 1, 29);
        let part = progress(date(2025, 6, 1), today, false);
        let within = asked(date(2025, 6, 1), today);
        assert!(covers(&part, &within, &noon(today), Complete));
        let older = asked(date(2025, 5, 31), today);
        assert!(!covers(&part, &older, &noon(today), Complete));
        assert!(covers(
            &progress(part.first, part.last, true),
            &older,
            &noon(today),
            Complete
        ));
        let tomorrow = today.tomorrow().unwrap();
        let day_of_fetch = asked(part.first, today);
        assert!(
            !covers(&part, &day_of_fetch, &noon(tomorrow), Complete),
            "it was not over"
        );
        assert!(covers(&part, &day_of_fetch, &noon(tomorrow), MayBeOld));
        let long_after = date(2026, 3, 1);
        assert!(!covers(
            &part,
            &asked(part.first, long_after),
            &noon(long_after),
            MayBeOld
        ));
        assert!(covers(
            &part,
            &asked(part.first, date(2026, 1, 10)),
            &noon(long_after),
            Complete
        ));
        let nothing = progress(today, today.yesterday().unwrap(), false);
        assert!(!covers(&nothing, &asked(today, today), &noon(today), MayBeOld));
    }
}
