//! One watched race: what is known of it in memory, and the one way to change it.
//!
//! A change is made on a copy, written, and only then seen by anybody: what is shown is on the disk. Readers never wait
//! for the disk or for Garmin.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::House;
use super::records::{CourseRow, Progress, RaceRow, RaceToken, alert_key, drop_tokens};
use super::series;
use crate::base::secrets::TokenHash;
use crate::notify::message::Message;
use crate::race::alerts;
use crate::race::alerts::{Alert, Situation};
use crate::race::course::Course;
use crate::race::id::RaceId;
use crate::race::sample::Sample;
use crate::race::snapshot::Snapshot;
use crate::race::track::Track;
use crate::store::{Store, StoreError};

/// The most alerts that are kept in memory.
const MOST_ALERTS: usize = 500;

/// What is known of a race.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) row: RaceRow,
    pub(super) progress: Progress,
    pub(super) course: Option<Arc<Course>>,
    pub(super) track: Track,
    /// The newest, oldest first.
    pub(super) alerts: Vec<Alert>,
}

/// A race that is watched. Shared by its task and whoever looks at it.
pub(super) struct Race {
    pub(super) id: RaceId,
    state: Mutex<Arc<State>>,
    /// Who changes it; the value says whether it was erased.
    turn: tokio::sync::Mutex<bool>,
    /// Something changed that the task should know of.
    pub(super) changed: Notify,
    /// Ends the task without ending the race.
    pub(super) cancelled: CancellationToken,
}

/// What a change of a race writes besides the race itself.
#[derive(Default)]
pub(super) struct Also {
    pub(super) samples: Vec<Sample>,
    pub(super) alerts: Vec<Alert>,
    /// A message beside those of the alerts.
    pub(super) message: Option<Message>,
    /// The settings or the link are others now.
    pub(super) row: bool,
    /// Leave only so many tokens.
    pub(super) keep_tokens: Option<usize>,
    /// A new token.
    pub(super) token: Option<(TokenHash, RaceToken)>,
}

impl State {
    /// Reads a race from the store, and folds its track. `None` when there is none.
    pub(super) fn load(store: &Store, id: &RaceId) -> Result<Option<Self>, StoreError> {
        let (Some(row), Some(progress)) = (
            store.find::<RaceRow>(id.key())?,
            store.find::<Progress>(id.key())?,
        ) else {
            return Ok(None);
        };
        let course = store.find::<CourseRow>(id.key())?.map(|row| Arc::new(row.course));
        let samples = series::read_all(store, id)?;
        let mut alerts: Vec<Alert> = store
            .list::<Alert>(id.key())?
            .into_iter()
            .map(|(_, a)| a)
            .collect();
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

    /// The race as others see it.
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

    /// Takes new samples, which are in order, into the track. What came late makes it anew.
    pub(super) fn take(&mut self, store: &Store, id: &RaceId, new: &[Sample]) -> Result<(), StoreError> {
        let newest = self.track.last.map(|last| last.at);
        let is_late = |first: &Sample| newest.is_some_and(|newest| first.point.at <= newest);
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

    /// Asks the rules. Returns what they tell, which is noted as told.
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
}

impl Race {
    pub(super) fn new(id: RaceId, state: State, cancelled: CancellationToken) -> Self {
        Self {
            id,
            state: Mutex::new(Arc::new(state)),
            turn: tokio::sync::Mutex::new(false),
            changed: Notify::new(),
            cancelled,
        }
    }

    /// What is known now.
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the race: `make` works on a copy and says what else to write. All of it is durable when this returns, or
    /// nothing is. Returns `None` when the race was erased meanwhile. Errors: those of `make`, or the store's.
    pub(super) async fn change<E>(
        &self,
        house: &House,
        make: impl FnOnce(&mut State) -> Result<Also, E>,
    ) -> Result<Option<Arc<State>>, E>
    where
        E: From<StoreError>,
    {
        let erased = self.turn.lock().await;
        if *erased {
            return Ok(None);
        }
        let mut next = State::clone(&self.state());
        let mut also = make(&mut next)?;
        let first = next.progress.alerts;
        next.progress.alerts += u32::try_from(also.alerts.len()).unwrap_or(u32::MAX);
        next.alerts.extend(also.alerts.iter().cloned());
        let surplus = next.alerts.len().saturating_sub(MOST_ALERTS);
        next.alerts.drain(..surplus);
        let messages: Vec<Message> = also
            .alerts
            .iter()
            .map(|alert| self.message(&next, alert))
            .chain(also.message.take())
            .collect();
        let (id, row, mut progress) = (self.id.clone(), next.row.clone(), next.progress.clone());
        let (outbox, told) = (Arc::clone(&house.outbox), !messages.is_empty());
        let written = house
            .store
            .atomic(move |tx| {
                series::append(tx, &id, std::mem::take(&mut also.samples))?;
                for (number, alert) in (first..).zip(&also.alerts) {
                    tx.put(&alert_key(&id, number), alert)?;
                }
                if let Some((hash, reaches)) = &also.token {
                    tx.put(hash.as_bytes(), reaches)?;
                }
                if let Some(keep) = also.keep_tokens {
                    drop_tokens(tx, &mut progress, keep);
                }
                if also.row {
                    tx.put(id.key(), &row)?;
                }
                tx.put(id.key(), &progress)?;
                messages.iter().try_for_each(|message| outbox.push(tx, message))?;
                Ok::<_, StoreError>(progress)
            })
            .await?;
        next.progress = written;
        let next = Arc::new(next);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        if told {
            house.outbox.wake();
        }
        Ok(Some(next))
    }

    fn message(&self, state: &State, alert: &Alert) -> Message {
        Message {
            account: state.row.account.clone(),
            race: self.id.clone(),
            severity: alert.severity,
            key: alert.key.clone(),
            text: alert.text.clone(),
        }
    }

    /// No change is made any more; one that is under way ends first.
    pub(super) async fn erase(&self) {
        self.cancelled.cancel();
        *self.turn.lock().await = true;
    }
}
