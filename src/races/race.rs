//! One race in memory, and the only way to change it.
//!
//! A change is made on a copy, committed, and only then visible, so readers see only what is on disk. They never wait
//! for the disk or for Garmin.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::caller::RaceCaller;
use super::messages::{self, MessageHead};
use super::records::{CourseRow, RaceProgress, RaceRow, RaceToken, alert_key, drop_tokens};
use super::running_looks::RunningLooks;
use super::series;
use super::versions::{self, RaceVersions};
use crate::base::secrets::TokenHash;
use crate::notify::Notifier;
use crate::notify::message::PhoneMessage;
use crate::race::alerts;
use crate::race::alerts::{Alert, Situation};
use crate::race::course::Course;
use crate::race::ending::EndReason;
use crate::race::id::RaceId;
use crate::race::recipients::RecipientPhone;
use crate::race::schedule::RacePhase;
use crate::race::snapshot::{Snapshot, race_title};
use crate::race::track::TrackSample;
use crate::race::track::{Track, TrackStep};
use crate::store::{Store, StoreError};

const MOST_ALERTS: usize = 500;

#[derive(Clone, Debug)]
pub(super) struct RaceState {
    pub(super) row: RaceRow,
    pub(super) progress: RaceProgress,
    pub(super) course: Option<Arc<Course>>,
    pub(super) track: Track,
    /// The newest alerts, oldest first.
    pub(super) alerts: Vec<Alert>,
}

/// A watched race, shared by its task and its readers.
pub(super) struct WatchedRace {
    pub(super) id: RaceId,
    state: Mutex<Arc<RaceState>>,
    /// Serializes changes. The value is whether the race was erased.
    change: tokio::sync::Mutex<bool>,
    /// Tells the task that the race was changed elsewhere.
    pub(super) changed: Notify,
    /// Ends the task without ending the race.
    pub(super) cancelled: CancellationToken,
    pub(super) looks: RunningLooks,
    versions: watch::Sender<RaceVersions>,
}

/// What a change commits besides the race's progress.
#[derive(Default)]
pub(super) struct RaceChange {
    pub(super) samples: Vec<TrackSample>,
    pub(super) alerts: Vec<Alert>,
    /// Messages in addition to those of the alerts.
    pub(super) messages: Vec<PhoneMessage>,
    /// Phones of recipients who are no longer in the plan.
    pub(super) dropped_phones: Vec<RecipientPhone>,
    /// Whether the settings or the link changed.
    pub(super) row: bool,
    pub(super) course: bool,
    /// Removes the queued messages of the race.
    pub(super) withdraw_messages: bool,
    /// Removes all but this many of the newest tokens.
    pub(super) keep_tokens: Option<usize>,
    pub(super) new_token: Option<(TokenHash, RaceToken)>,
    /// Who asked for the change; nothing is committed if their access has ended.
    pub(super) caller: Option<RaceCaller>,
}

impl RaceState {
    /// Reads a race and computes its track.
    pub(super) fn load(store: &Store, id: &RaceId) -> Result<Option<Self>, StoreError> {
        let (Some(row), Some(progress)) = (
            store.find::<RaceRow>(id.key())?,
            store.find::<RaceProgress>(id.key())?,
        ) else {
            return Ok(None);
        };
        let course = store.find::<CourseRow>(id.key())?.map(|row| Arc::new(row.course));
        let samples = series::read_all(store, id)?;
        let stored = store.list::<Alert>(id.key())?;
        let mut alerts: Vec<Alert> = stored.into_iter().map(|(_, alert)| alert).collect();
        alerts.drain(..alerts.len().saturating_sub(MOST_ALERTS));
        let track = Track::of(row.settings.kind, course.as_deref(), &samples);
        Ok(Some(Self {
            row,
            progress,
            course,
            track,
            alerts,
        }))
    }

    pub(super) fn snapshot(&self, id: &RaceId, now: Timestamp) -> Snapshot {
        Snapshot {
            race: id.clone(),
            account: self.row.account.clone(),
            now,
            settings: self.row.settings.clone(),
            course: self.course.clone(),
            watch: self.progress.watch.clone(),
            track: self.track.clone(),
            alerts: self.alerts.clone(),
        }
    }

    /// Whether polling has ended or a user stopped the race.
    pub(super) fn is_over(&self) -> bool {
        self.progress.done || self.progress.watch.over() == Some(EndReason::ByHand)
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.progress.watch.phase == RacePhase::Live && self.track.started_at.is_some()
    }

    /// Adds new samples, which are in order. If one of them is late, the track is computed again from the whole
    /// series.
    pub(super) fn add(&mut self, store: &Store, id: &RaceId, new: &[TrackSample]) -> Result<(), StoreError> {
        let newest = self.track.last.map(|last| last.at);
        let is_late = |first: &TrackSample| newest.is_some_and(|newest| first.point.at <= newest);
        let course = self.course.clone();
        if !new.first().is_some_and(is_late) {
            for sample in new {
                self.track.push(course.as_deref(), sample);
            }
            return Ok(());
        }
        let mut all = series::read_all(store, id)?;
        all.extend_from_slice(new);
        all.sort_by_key(|sample| sample.point.at);
        self.track = Track::of(self.row.settings.kind, course.as_deref(), &all);
        Ok(())
    }

    /// Applies the alert rules. Returns the new alerts, which are already recorded as raised.
    pub(super) fn judge(&mut self, now: Timestamp) -> Vec<Alert> {
        let situation = Situation {
            now,
            track: &self.track,
            watch: &self.progress.watch,
            settings: &self.row.settings,
            course: self.course.as_deref(),
        };
        alerts::judge(&mut self.progress.told, &situation)
    }

    /// The steps of the last `analyze_window_min` minutes.
    pub(super) fn window(&self, store: &Store, id: &RaceId) -> Result<Vec<TrackStep>, StoreError> {
        let Some(last) = self.track.last else {
            return Ok(Vec::new());
        };
        let minutes = SignedDuration::from_mins(self.row.settings.analyze_window_min.into());
        let from = last.at.checked_sub(minutes).unwrap_or(last.at);
        let recent = &self.track.recent;
        if recent.front().is_some_and(|first| first.at <= from) {
            return Ok(recent.iter().filter(|step| step.at >= from).copied().collect());
        }
        // The window is longer than the track keeps, so compute the track again from the whole series.
        let mut track = Track::new(self.row.settings.kind);
        let samples = series::read_all(store, id)?;
        let steps = samples
            .iter()
            .filter_map(|sample| track.push(self.course.as_deref(), sample));
        Ok(steps.filter(|step| step.at >= from).collect())
    }

    /// The athlete and the race, as far as known.
    pub(super) fn title(&self) -> String {
        race_title(self.progress.watch.session.as_ref(), &self.row.settings)
    }
}

impl WatchedRace {
    pub(super) fn new(
        id: RaceId,
        state: RaceState,
        cancelled: CancellationToken,
        versions: watch::Sender<RaceVersions>,
    ) -> Self {
        Self {
            id,
            state: Mutex::new(Arc::new(state)),
            change: tokio::sync::Mutex::new(false),
            changed: Notify::new(),
            cancelled,
            looks: RunningLooks::default(),
            versions,
        }
    }

    pub(super) fn state(&self) -> Arc<RaceState> {
        Arc::clone(&self.state.lock())
    }

    /// Changes the race: `make` works on a copy and returns what else to commit. When this returns, either all of it
    /// is durable or none. `None` if the race was erased meanwhile, or the caller's access ended. Errors: those of
    /// `make`, or the store's.
    pub(super) async fn change<E>(
        &self,
        store: &Store,
        notifier: &Notifier,
        make: impl FnOnce(&mut RaceState) -> Result<RaceChange, E>,
    ) -> Result<Option<Arc<RaceState>>, E>
    where
        E: From<StoreError>,
    {
        let erased = self.change.lock().await;
        if *erased {
            return Ok(None);
        }
        let mut next = RaceState::clone(&self.state());
        let mut change = make(&mut next)?;
        let first = next.progress.alerts;
        next.progress.alerts += u32::try_from(change.alerts.len()).unwrap_or(u32::MAX);
        next.alerts.extend(change.alerts.iter().cloned());
        let surplus = next.alerts.len().saturating_sub(MOST_ALERTS);
        next.alerts.drain(..surplus);
        // Recipients get only as many messages as they chose, but the race's record keeps all alerts.
        let title = next.title();
        let head = MessageHead {
            account: &next.row.account,
            race: &self.id,
            title: &title,
        };
        let mut messages = Vec::new();
        if !change.alerts.is_empty() {
            let named = &next.row.settings.recipients;
            let recipients = messages::reachable(notifier, head.account, named)?;
            messages = messages::of_alerts(&head, &recipients, &mut next.progress, &change.alerts);
        }
        messages.append(&mut change.messages);
        let course = change.course.then(|| next.course.as_deref().cloned());
        let withdraw_messages = change.withdraw_messages;
        let (id, row, mut progress) = (self.id.clone(), next.row.clone(), next.progress.clone());
        let (outbox, has_messages) = (notifier.clone(), !messages.is_empty());
        let written = store
            .atomic(move |tx| {
                if let Some(caller) = &change.caller
                    && !caller.may_write(tx)?
                {
                    return Ok(None);
                }
                series::append(tx, &id, std::mem::take(&mut change.samples))?;
                for (number, alert) in (first..).zip(&change.alerts) {
                    tx.put(&alert_key(&id, number), alert)?;
                }
                if let Some((hash, token)) = &change.new_token {
                    tx.put(hash.as_bytes(), token)?;
                }
                if let Some(keep) = change.keep_tokens {
                    drop_tokens(tx, &mut progress, keep);
                }
                if change.row {
                    tx.put(id.key(), &row)?;
                }
                match course {
                    Some(Some(course)) => tx.put(id.key(), &CourseRow { course })?,
                    Some(None) => tx.remove::<CourseRow>(id.key()),
                    None => {}
                }
                tx.put(id.key(), &progress)?;
                messages::drop_phones(tx, &row.account, &id, &change.dropped_phones)?;
                if withdraw_messages {
                    outbox.withdraw_race(tx, &row.account, &id)?;
                }
                messages.iter().try_for_each(|message| outbox.push(tx, message))?;
                Ok::<_, StoreError>(Some(progress))
            })
            .await?;
        let Some(written) = written else {
            return Ok(None);
        };
        next.progress = written;
        let next = Arc::new(next);
        *self.state.lock() = Arc::clone(&next);
        versions::changed(&self.versions, &self.id);
        if has_messages {
            notifier.wake();
        }
        Ok(Some(next))
    }

    /// Ends the task and the looks, and prevents further changes. Waits for a change in progress.
    pub(super) async fn erase(&self) {
        self.cancelled.cancel();
        *self.change.lock().await = true;
        self.looks.end().await;
    }
}
