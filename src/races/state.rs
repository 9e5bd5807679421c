//! State shared by the tasks of all races.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::race::{RaceState, WatchedRace};
use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Traces;
use crate::coach::Claude;
use crate::garmin::livetrack::LiveTrack;
use crate::notify::Notifier;
use crate::race::ending::EndRules;
use crate::race::id::RaceId;
use crate::store::{Store, StoreError};

/// Maximum number of finished races kept in memory.
const MOST_PAST: usize = 64;

/// Serializes starting and ending one account's races, and tells a call whether access ended while it waited.
#[derive(Debug, Default)]
pub(super) struct AccountGate {
    /// Number of times that the account's access was ended.
    endings: AtomicU64,
    /// Held while races are started, erased, or all stopped; never during a request to Garmin.
    pub(super) starting: tokio::sync::Mutex<()>,
}

/// The access of a call. It becomes invalid when the account is revoked or forgotten.
#[derive(Clone, Debug)]
pub(super) struct CallAccess {
    gate: Arc<AccountGate>,
    endings: u64,
}

impl AccountGate {
    /// Invalidates the access of all calls in progress.
    pub(super) fn end_access(&self) {
        self.endings.fetch_add(1, Ordering::SeqCst);
    }
}

impl CallAccess {
    pub(super) fn stands(&self) -> bool {
        self.gate.endings.load(Ordering::SeqCst) == self.endings
    }
}

pub(super) struct RacesState {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) lifecycle: Lifecycle,
    pub(super) livetrack: LiveTrack,
    pub(super) rules: EndRules,
    pub(super) notifier: Notifier,
    pub(super) coach: Option<Claude>,
    pub(super) traces: Traces,
    pub(super) watched: Mutex<BTreeMap<RaceId, Arc<WatchedRace>>>,
    /// Finished races that were requested recently, cached because computing a track needs all its points.
    pub(super) past: Mutex<BTreeMap<RaceId, Arc<RaceState>>>,
    /// By account. Entries are never removed; there are no more than accounts.
    pub(super) gates: Mutex<BTreeMap<AccountId, Arc<AccountGate>>>,
}

impl RacesState {
    pub(super) fn gate(&self, account: &AccountId) -> Arc<AccountGate> {
        Arc::clone(self.gates.lock().entry(account.clone()).or_default())
    }

    /// Taken at the start of a call, and checked before its last write.
    pub(super) fn call_access(&self, account: &AccountId) -> CallAccess {
        let gate = self.gate(account);
        let endings = gate.endings.load(Ordering::SeqCst);
        CallAccess { gate, endings }
    }

    pub(super) fn watched_race(&self, id: &RaceId) -> Option<Arc<WatchedRace>> {
        self.watched.lock().get(id).cloned()
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
