//! Which days of a person to fetch next. Pure: it depends on the covered days and the time.
//!
//! | order | what | until |
//! |---|---|---|
//! | 1 | the person's time zone | it is known |
//! | 2 | each morning: days since the last fetch, and three more that Garmin may have corrected | today is covered |
//! | 3 | backwards, newest first, all kinds together | a whole year has no data |
//!
//! A kind is complete after [`EMPTY_DAYS`] days in a row without data, because the person presumably had no watch
//! before.

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use super::kept::{KeptHistory, KindProgress};
use super::kind::{KEPT_KINDS, KeptKind};

/// After this many days in a row without data, no older days of a kind are fetched.
pub const EMPTY_DAYS: u32 = 364;
/// Days before this one are not fetched: Garmin's first watch with a wrist heart rate sensor is more recent. The limit
/// also ends a kind that reaches back further, such as weights that were typed in.
const EARLIEST: Date = date(2005, 1, 1);
/// How many of the newest covered days are fetched again.
const AGAIN_DAYS: i64 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FillStep {
    FindZone,
    Fetch(DaysToFetch),
    /// Nothing to do until then.
    Rest(Timestamp),
}

/// Days of one kind, for one request.
#[derive(Debug, Clone, Copy)]
pub struct DaysToFetch {
    pub kind: &'static KeptKind,
    pub from: Date,
    pub to: Date,
}

impl PartialEq for DaysToFetch {
    fn eq(&self, other: &Self) -> bool {
        (self.kind.code, self.from, self.to) == (other.kind.code, other.from, other.to)
    }
}

impl Eq for DaysToFetch {}

/// What to do next, or until when to rest.
pub fn next(kept: &KeptHistory, now: Timestamp) -> FillStep {
    if let Some(trouble) = kept.trouble.as_ref().filter(|trouble| trouble.lasts(now)) {
        return FillStep::Rest(trouble.retry_at);
    }
    if kept.zone.is_none() {
        return FillStep::FindZone;
    }
    let (today, morning) = (kept.local(now).date(), kept.morning(now));
    let mut rests_until = kept.next_morning(now);
    let mut backwards: Option<DaysToFetch> = None;
    for kind in &KEPT_KINDS {
        let progress = kept.kinds.get(kind.name);
        let Some(progress) = progress else {
            // A kind that was never fetched comes before all older days.
            if backwards.is_none_or(|found| found.to < today) {
                let from = kind.unit_start(today);
                backwards = Some(DaysToFetch {
                    kind,
                    from,
                    to: today,
                });
            }
            continue;
        };
        if let Some(trouble) = progress.trouble.as_ref().filter(|trouble| trouble.lasts(now)) {
            rests_until = rests_until.min(trouble.retry_at);
            continue;
        }
        if progress.refreshed_on < morning {
            return FillStep::Fetch(newest(kind, progress, today));
        }
        if !progress.is_complete
            && let Some(older) = older(kind, progress)
            && backwards.is_none_or(|found| found.to < older.to)
        {
            backwards = Some(older);
        }
    }
    backwards.map_or(FillStep::Rest(rests_until), FillStep::Fetch)
}

fn newest(kind: &'static KeptKind, progress: &KindProgress, today: Date) -> DaysToFetch {
    let from = progress
        .last
        .min(today)
        .saturating_sub((AGAIN_DAYS - 1).days())
        .max(progress.first.min(today));
    let to = from.saturating_add((kind.unit_days - 1).days()).min(today);
    DaysToFetch { kind, from, to }
}

/// The block before the covered days.
fn older(kind: &'static KeptKind, progress: &KindProgress) -> Option<DaysToFetch> {
    let to = progress.first.yesterday().ok()?;
    let from = kind.unit_start(to);
    Some(DaysToFetch { kind, from, to })
}

/// Records that these days were fetched, and whether Garmin had any data for them.
pub fn fetched(kept: &mut KeptHistory, days: &DaysToFetch, has_data: bool, now: Timestamp) {
    let (today, morning) = (kept.local(now).date(), kept.morning(now));
    let span = u32::try_from((days.to - days.from).get_days() + 1).unwrap_or(0);
    let is_new = !kept.kinds.contains_key(days.kind.name);
    let progress = kept
        .kinds
        .entry(days.kind.name.to_owned())
        .or_insert_with(|| KindProgress::new(days.from, days.to, now, morning));
    if days.to >= progress.last {
        progress.last = days.to;
        progress.fetched_at = now;
        if days.to >= today {
            progress.refreshed_on = morning;
        }
    }
    // A morning's fetch does not extend the history backwards.
    if is_new || days.from < progress.first {
        progress.first = days.from;
        progress.empty_days = if has_data { 0 } else { progress.empty_days + span };
        progress.is_complete = progress.empty_days >= EMPTY_DAYS || days.from <= EARLIEST;
    }
    progress.trouble = None;
    kept.trouble = None;
    kept.filled_at = Some(now);
}

#[cfg(test)]
mod tests;
