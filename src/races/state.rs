//! State shared by the tasks of all races.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::race::{RaceState, WatchedRace};
use super::versions::RaceVersions;
use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Traces;
use crate::coach::Claude;
use crate::garmin::livetrack::LiveTrack;
use crate::notify::Notifier;
use crate::race::ending::EndRules;
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::store::{Store, StoreError};

/// Maximum number of finished races kept in memory.
const MOST_PAST: usize = 64;

/// Held while an account's races are started, erased, or all stopped; never during a request to Garmin.
type AccountGate = Arc<tokio::sync::Mutex<()>>;

pub(super) struct RacesState {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) lifecycle: Lifecycle,
    pub(super) livetrack: LiveTrack,
    pub(super) rules: EndRules,
    pub(super) notifier: Notifier,
    /// The server's time zone, for races whose plan names none.
    pub(super) time_zone: Option<String>,
    pub(super) coach: Option<Claude>,
    pub(super) traces: Traces,
    /// The address that people use, without a slash at its end.
    pub(super) public_url: String,
    pub(super) versions: watch::Sender<RaceVersions>,
    /// The watched races whose athlete's fade may still have to be read.
    pub(super) lacking_fades: watch::Sender<BTreeSet<RaceId>>,
    pub(super) watched: Mutex<BTreeMap<RaceId, Arc<WatchedRace>>>,
    /// Finished races that were requested recently, cached because computing a track needs all its points.
    pub(super) past: Mutex<BTreeMap<RaceId, Arc<RaceState>>>,
    /// The gate of each account. Entries are never removed, because there are no more than accounts.
    pub(super) gates: Mutex<BTreeMap<AccountId, AccountGate>>,
}

impl RacesState {
    pub(super) fn gate(&self, account: &AccountId) -> AccountGate {
        Arc::clone(self.gates.lock().entry(account.clone()).or_default())
    }

    pub(super) fn watched_race(&self, id: &RaceId) -> Option<Arc<WatchedRace>> {
        self.watched.lock().get(id).cloned()
    }

    /// A race that the caller wants to change. A race without a task is read from the store.
    pub(super) fn watched_or_stored(&self, id: &RaceId) -> Result<Option<Arc<WatchedRace>>, StoreError> {
        if let Some(race) = self.watched_race(id) {
            return Ok(Some(race));
        }
        let cancelled = self.lifecycle.stopping().child_token();
        let stored = RaceState::load(&self.store, id)?;
        Ok(stored.map(|state| {
            Arc::new(WatchedRace::new(
                id.clone(),
                state,
                cancelled,
                self.versions.clone(),
            ))
        }))
    }

    /// A race that is over, from the cache or computed from its points.
    pub(super) fn past_race(&self, id: &RaceId) -> Result<Option<Arc<RaceState>>, StoreError> {
        let known = self.past.lock().get(id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(mut state) = RaceState::load(&self.store, id)? else {
            return Ok(None);
        };
        state.track.recent.clear();
        state.track.recent.shrink_to_fit();
        let state = Arc::new(state);
        let mut past = self.past.lock();
        if past.len() >= MOST_PAST {
            past.pop_first();
        }
        past.insert(id.clone(), Arc::clone(&state));
        Ok(Some(state))
    }

    /// The plan with the server's time zone if it names none.
    pub(super) fn in_time_zone(&self, mut plan: RacePlan) -> RacePlan {
        plan.time_zone = plan.time_zone.or_else(|| self.time_zone.clone());
        plan
    }

    /// The coach, if one is configured.
    pub(super) fn coach(&self) -> Option<&Claude> {
        self.coach.as_ref().filter(|coach| coach.is_set_up())
    }

    /// Time of the next scheduled look, according to the race's own interval.
    pub(super) fn next_look(&self, race: &RaceState) -> Option<Timestamp> {
        if !race.is_under_way() {
            return None;
        }
        self.coach()?;
        let since = race.progress.looked_at.unwrap_or(race.progress.watch.since);
        let every = SignedDuration::from_secs(race.row.settings.analyze_interval_s.into());
        since.checked_add(every).ok()
    }
}
