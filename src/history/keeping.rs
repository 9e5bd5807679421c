//! Switching a history on and off, storing fetched days, and erasing.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use tokio::sync::watch;

use super::block::{DayBlock, block_key};
use super::kept::{HistoryTrouble, KeptHistory, KindProgress, TroubleClass};
use super::plan::{self, DaysToFetch};
use super::rows::{KeptRow, UnknownShape};
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::store::{Store, StoreError, Tx};

/// The histories of all people. Clones share everything.
#[derive(Clone, Debug)]
pub struct History {
    pub(super) store: Store,
    pub(super) clock: Clock,
    changed: watch::Sender<()>,
}

/// The outcome of switching a history on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switched {
    Done,
    /// The history was already on, or already off.
    Unchanged,
    /// The account was forgotten, or the caller's access has ended.
    NotAllowed,
}

/// The rows of fetched days.
#[derive(Debug)]
pub struct FetchedRows {
    pub days: DaysToFetch,
    pub(super) rows: Vec<KeptRow>,
}

impl FetchedRows {
    /// Reads one of Garmin's documents. Rows of days that were not requested are left out.
    pub fn read(days: DaysToFetch, document: &serde_json::Value) -> Result<Self, UnknownShape> {
        let mut rows = days.kind.rows_of(document)?;
        rows.retain(|row| (days.from..=days.to).contains(&row.date));
        Ok(Self { days, rows })
    }
}

impl History {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            changed: watch::Sender::new(()),
        }
    }

    /// Fires when a history was switched on or off, or when fetching may continue.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Makes the fetching task check again, for instance after a new sign-in.
    pub fn wake(&self) {
        self.changed.send_replace(());
    }

    pub fn kept(&self, account: &AccountId) -> Result<Option<KeptHistory>, StoreError> {
        self.store.find(account.as_str().as_bytes())
    }

    /// The histories of all people who want one.
    pub fn all(&self) -> Result<Vec<(AccountId, KeptHistory)>, StoreError> {
        let named = |(key, kept): (Vec<u8>, KeptHistory)| {
            let account = std::str::from_utf8(&key).ok()?.parse().ok()?;
            Some((account, kept))
        };
        Ok(self.store.list(b"")?.into_iter().filter_map(named).collect())
    }

    /// Switches a history on. `is_allowed` is checked in the same transaction.
    pub async fn switch_on(
        &self,
        account: &AccountId,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<Switched, StoreError> {
        let (id, now) = (account.clone(), self.clock.now());
        let switched = self
            .store
            .atomic(move |tx| {
                let key = id.as_str().as_bytes();
                if !Accounts::exists_within(tx, &id)? || !is_allowed(tx)? {
                    return Ok(Switched::NotAllowed);
                }
                if tx.find::<KeptHistory>(key)?.is_some() {
                    return Ok(Switched::Unchanged);
                }
                tx.put(key, &KeptHistory::new(now))?;
                Ok::<_, StoreError>(Switched::Done)
            })
            .await?;
        if switched == Switched::Done {
            tracing::info!(account.id = %account, "history.switched_on");
        }
        self.wake();
        Ok(switched)
    }

    /// Switches a history off and erases all of it, in one write.
    pub async fn switch_off(
        &self,
        account: &AccountId,
        is_allowed: impl FnOnce(&Tx<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<Switched, StoreError> {
        let id = account.clone();
        let switched = self
            .store
            .atomic(move |tx| {
                if !is_allowed(tx)? {
                    return Ok(Switched::NotAllowed);
                }
                let was_on = erase(tx, &id)?;
                Ok::<_, StoreError>(if was_on {
                    Switched::Done
                } else {
                    Switched::Unchanged
                })
            })
            .await?;
        if switched == Switched::Done {
            tracing::info!(account.id = %account, "history.erased");
        }
        self.wake();
        Ok(switched)
    }

    /// Stores fetched days and the progress, unless the person has switched the history off meanwhile. `since`
    /// identifies the switching-on for which the days were fetched. `is_allowed` is checked on the writer's thread, so
    /// that nothing more is stored once the end of an access has been confirmed. Returns whether the days were stored.
    pub async fn store_days(
        &self,
        account: &AccountId,
        since: Timestamp,
        fetched: FetchedRows,
        is_allowed: impl FnOnce() -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.change(account, since, move |tx, id, kept| {
            if !is_allowed()? {
                return Ok(false);
            }
            let FetchedRows { days, rows } = fetched;
            plan::fetched(kept, &days, !rows.is_empty(), now);
            let (added_days, added_bytes) = write_blocks(tx, id, &days, rows)?;
            if let Some(progress) = kept.kinds.get_mut(days.kind.name) {
                progress.days = progress.days.saturating_add_signed(added_days);
                progress.bytes = progress.bytes.saturating_add_signed(added_bytes);
            }
            Ok(true)
        })
        .await
    }

    /// Stores the person's time zone.
    pub async fn store_zone(
        &self,
        account: &AccountId,
        since: Timestamp,
        zone: String,
    ) -> Result<bool, StoreError> {
        self.change(account, since, move |_, _, kept| {
            kept.zone = Some(zone);
            kept.trouble = None;
            Ok(true)
        })
        .await
    }

    /// Stores why days were not fetched: for their kind if the class of trouble concerns a single kind, else for the
    /// person.
    pub async fn store_trouble(
        &self,
        account: &AccountId,
        since: Timestamp,
        days: Option<DaysToFetch>,
        class: TroubleClass,
        until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.change(account, since, move |_, _, kept| {
            match days.filter(|_| class.concerns_one_kind()) {
                Some(days) => {
                    let morning = kept.morning(now);
                    let progress = kept
                        .kinds
                        .entry(days.kind.name.to_owned())
                        // Nothing is covered yet: the first day is after the last one.
                        .or_insert_with(|| {
                            KindProgress::new(days.to.tomorrow().unwrap_or(days.to), days.to, now, morning)
                        });
                    progress.trouble = Some(HistoryTrouble::again(
                        progress.trouble.as_ref(),
                        class,
                        now,
                        until,
                    ));
                }
                None => kept.trouble = Some(HistoryTrouble::again(kept.trouble.as_ref(), class, now, until)),
            }
            Ok(true)
        })
        .await
    }

    /// Clears a person's trouble, so that fetching is tried again at once.
    pub async fn clear_trouble(&self, account: &AccountId, since: Timestamp) -> Result<bool, StoreError> {
        self.change(account, since, |_, _, kept| {
            kept.trouble = None;
            Ok(true)
        })
        .await
    }

    async fn change(
        &self,
        account: &AccountId,
        since: Timestamp,
        change: impl FnOnce(&mut Tx<'_>, &AccountId, &mut KeptHistory) -> Result<bool, StoreError>
        + Send
        + 'static,
    ) -> Result<bool, StoreError> {
        let id = account.clone();
        self.store
            .atomic(move |tx| {
                let key = id.as_str().as_bytes();
                let kept = tx.find::<KeptHistory>(key)?.filter(|kept| kept.since == since);
                let Some(mut kept) = kept.filter(|_| matches!(Accounts::exists_within(tx, &id), Ok(true)))
                else {
                    return Ok(false);
                };
                let is_changed = change(tx, &id, &mut kept)?;
                if is_changed {
                    tx.put(key, &kept)?;
                }
                Ok(is_changed)
            })
            .await
    }
}

/// Writes rows into their blocks. Returns how many days and bytes that added.
fn write_blocks(
    tx: &mut Tx<'_>,
    account: &AccountId,
    days: &DaysToFetch,
    mut rows: Vec<KeptRow>,
) -> Result<(i32, i32), StoreError> {
    use crate::store::Packed;
    let kind = days.kind;
    let (mut added_days, mut added_bytes) = (0, 0);
    let mut from = days.from;
    while from <= days.to {
        let unit_end = kind.unit_start(from).saturating_add((kind.unit_days - 1).days());
        let to = unit_end.min(days.to);
        let (own, rest): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row: &KeptRow| (from..=to).contains(&row.date));
        rows = rest;
        let key = block_key(account, kind, kind.unit_of(from));
        let mut block = match tx.last_packed::<DayBlock>(&key, &key)? {
            Some((_, block)) => block,
            None => DayBlock::new(kind),
        };
        let (days_before, bytes_before) = if block.rows.is_empty() {
            (0, 0)
        } else {
            (block.days(), block.pack().len())
        };
        block.replace(from, to, own);
        if block.rows.is_empty() {
            // An empty block needs no record: the progress says that its days are covered.
            tx.remove_packed::<DayBlock>(&key)?;
            added_bytes -= signed(bytes_before);
        } else {
            tx.put_packed(&key, &block)?;
            added_bytes += signed(block.pack().len()) - signed(bytes_before);
        }
        added_days += signed(block.days()) - signed(days_before);
        from = next_day(to);
    }
    Ok((added_days, added_bytes))
}

fn signed(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn next_day(day: Date) -> Date {
    day.tomorrow().unwrap_or(Date::MAX)
}

/// Erases the history of an account. Returns whether there was one.
pub fn erase(tx: &mut Tx<'_>, account: &AccountId) -> Result<bool, StoreError> {
    let key = account.as_str().as_bytes();
    let was_on = tx.find::<KeptHistory>(key)?.is_some();
    tx.remove::<KeptHistory>(key);
    let blocks = tx.remove_packed::<DayBlock>(key)?;
    Ok(was_on || blocks > 0)
}

#[cfg(test)]
mod tests;
