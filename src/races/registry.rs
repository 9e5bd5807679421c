//! All races of the gateway, and how to read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::caller::RaceGrant;
use super::race::{RaceState, WatchedRace};
use super::records::{AccountRace, RaceProgress, RaceRow, RaceShare, RaceToken, account_key};
use super::state::RacesState;
use super::{series, task, versions};
use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Traces;
use crate::base::secrets::TokenHash;
use crate::coach::Claude;
use crate::garmin::livetrack::LiveTrack;
use crate::notify::Notifier;
use crate::race::ending::EndRules;
use crate::race::id::RaceId;
use crate::race::snapshot::RaceStanding;
use crate::race::snapshot::Snapshot;
use crate::race::track::TrackSample;
use crate::store::{Store, StoreError};

pub struct RacesParts {
    pub store: Store,
    /// The clock for all times of races. Tasks also sleep by it.
    pub clock: Clock,
    pub lifecycle: Lifecycle,
    pub livetrack: LiveTrack,
    /// Rules for ending a race (`STALE_STOP_MIN`, `MIN_ELAPSED_MIN`).
    pub rules: EndRules,
    pub notifier: Notifier,
    /// The time zone of a race whose plan names none; UTC without it.
    pub time_zone: Option<String>,
    /// `None` if the gateway offers no looks.
    pub coach: Option<Claude>,
    pub traces: Traces,
    /// The address that people use, without a slash at its end.
    pub public_url: String,
}

/// All races of the gateway. Clones share one state.
#[derive(Clone)]
pub struct Races(pub(super) Arc<RacesState>);

/// Totals over the watched races, for monitoring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RacesMetrics {
    pub races: usize,
    /// Number of races per status; the key is [`RaceStanding::name`].
    pub states: BTreeMap<&'static str, usize>,
    pub points: usize,
    pub poll_errors: u64,
    /// Age in seconds of the newest point of the race that has been silent longest.
    pub longest_stale_s: Option<i64>,
    /// Size of the whole store on disk in bytes.
    pub store_bytes: u64,
}

/// A race as its readers see it.
#[derive(Clone, Debug)]
pub struct RaceOverview {
    pub snapshot: Snapshot,
    pub last_words: Option<String>,
    pub watched: bool,
    /// Recipients who have not accepted their invitation, or have left.
    pub waiting: Vec<String>,
}

impl Races {
    /// Resumes all races that are not over.
    pub fn start(parts: RacesParts) -> Result<Self, StoreError> {
        let races = Self(Arc::new(RacesState {
            store: parts.store,
            clock: parts.clock,
            lifecycle: parts.lifecycle,
            livetrack: parts.livetrack,
            rules: parts.rules,
            notifier: parts.notifier,
            time_zone: parts.time_zone,
            coach: parts.coach,
            traces: parts.traces,
            public_url: parts.public_url,
            versions: watch::Sender::default(),
            lacking_fades: watch::Sender::default(),
            watched: Mutex::default(),
            past: Mutex::default(),
            gates: Mutex::default(),
        }));
        for (key, progress) in races.0.store.list::<RaceProgress>(b"")? {
            let id = String::from_utf8(key)
                .ok()
                .and_then(|id| id.parse::<RaceId>().ok());
            if let Some(id) = id.filter(|_| !progress.done)
                && let Some(state) = RaceState::load(&races.0.store, &id)?
            {
                tracing::info!(race.id = %id, account.id = %state.row.account, points = state.track.points, "race.resumed");
                races.spawn(id, state);
            }
        }
        let shown = races.clone();
        races
            .0
            .lifecycle
            .spawn("home", async move { shown.keep_home().await });
        Ok(races)
    }

    /// The clock for all times of races.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Number of races that are being watched.
    pub fn count(&self) -> usize {
        self.0.watched.lock().len()
    }

    /// The account of each watched race and of each share, with the time when it was started or made.
    pub fn accounts_at_work(&self) -> Result<Vec<(AccountId, Timestamp)>, StoreError> {
        let shares = self.0.store.list::<RaceShare>(b"")?.into_iter();
        let shares = shares.map(|(_, share)| (share.account, share.created_at));
        let watched = self.0.watched.lock();
        let states = watched.values().map(|race| race.state());
        let watched = states.map(|state| (state.row.account.clone(), state.progress.watch.since));
        Ok(watched.chain(shares).collect())
    }

    pub(super) fn ids_of(&self, account: &AccountId) -> Result<Vec<RaceId>, StoreError> {
        let rows = self.0.store.list::<AccountRace>(&account_key(account, ""))?;
        Ok(rows.into_iter().map(|(_, row)| row.race).collect())
    }

    /// A race of this account; `None` if it belongs to another person.
    pub fn view(&self, account: &AccountId, id: &RaceId) -> Result<Option<RaceOverview>, StoreError> {
        let state = match self.0.watched_race(id) {
            Some(race) => Some(race.state()),
            None => self.0.past_race(id)?,
        };
        let Some(state) = state.filter(|state| state.row.account == *account) else {
            return Ok(None);
        };
        Ok(Some(RaceOverview {
            snapshot: state.snapshot(id, self.0.clock.now()),
            last_words: state.progress.last_words.as_ref().map(|(_, words)| words.clone()),
            watched: !state.progress.done,
            waiting: self.waiting_recipients(account, &state.row.settings.recipients)?,
        }))
    }

    /// The samples of a race of this account with device times from `from` to `to`, in order. Empty if the race
    /// belongs to another person.
    pub fn samples(
        &self,
        account: &AccountId,
        id: &RaceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<TrackSample>, StoreError> {
        let row = self.0.store.find::<RaceRow>(id.key())?;
        if row.is_none_or(|row| row.account != *account) {
            return Ok(Vec::new());
        }
        series::read(&self.0.store, id, from, to)
    }

    pub fn metrics(&self) -> RacesMetrics {
        let now = self.0.clock.now();
        let races: Vec<_> = self.0.watched.lock().values().map(|race| race.state()).collect();
        let mut metrics = RacesMetrics {
            races: races.len(),
            store_bytes: self.0.store.size_on_disk(),
            ..RacesMetrics::default()
        };
        for state in races {
            let (watch, track) = (&state.progress.watch, &state.track);
            *metrics
                .states
                .entry(RaceStanding::of(now, watch, track).name())
                .or_default() += 1;
            metrics.points += track.points;
            metrics.poll_errors += watch.errors;
            let stale = track
                .last
                .map(|last| now.duration_since(track.true_time(last.at)).as_secs());
            metrics.longest_stale_s = metrics.longest_stale_s.max(stale);
        }
        metrics
    }

    /// All races of this account, newest first.
    pub fn list(&self, account: &AccountId) -> Result<Vec<RaceOverview>, StoreError> {
        let mut views = Vec::new();
        for id in self.ids_of(account)? {
            views.extend(self.view(account, &id)?);
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.snapshot.watch.since));
        Ok(views)
    }

    /// The watched races of this account, newest first.
    pub fn watched(&self, account: &AccountId) -> Result<Vec<RaceOverview>, StoreError> {
        let ids: Vec<RaceId> = {
            let watched = self.0.watched.lock();
            let own = watched
                .values()
                .filter(|race| race.state().row.account == *account);
            own.map(|race| race.id.clone()).collect()
        };
        let mut views = Vec::new();
        for id in ids {
            views.extend(self.view(account, &id)?);
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.snapshot.watch.since));
        Ok(views)
    }

    /// The races of this account for which the pages offer to make and end links, newest first: the watched ones, those
    /// with links, and the newest.
    pub fn with_pages(&self, account: &AccountId) -> Result<Vec<RaceOverview>, StoreError> {
        let mut views = self.watched(account)?;
        let add = |views: &mut Vec<RaceOverview>, view: RaceOverview| {
            if views
                .iter()
                .all(|known| known.snapshot.race != view.snapshot.race)
            {
                views.push(view);
            }
        };
        for id in self.ids_of(account)? {
            if !self.shares(account, &id)?.is_empty()
                && let Some(view) = self.view(account, &id)?
            {
                add(&mut views, view);
            }
        }
        if let Some(newest) = self.newest(account)? {
            add(&mut views, newest);
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.snapshot.watch.since));
        Ok(views)
    }

    /// All races of all accounts, newest first, for the operator.
    pub fn all(&self) -> Result<Vec<RaceOverview>, StoreError> {
        let mut views = Vec::new();
        for (_, AccountRace { race }) in self.0.store.list::<AccountRace>(b"")? {
            if let Some(account) = self.owner(&race)? {
                views.extend(self.view(&account, &race)?);
            }
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.snapshot.watch.since));
        Ok(views)
    }

    /// The race that a tool uses when none is named: the newest watched one, else the newest.
    pub fn newest(&self, account: &AccountId) -> Result<Option<RaceOverview>, StoreError> {
        let mut newest: Option<((bool, Timestamp), RaceId)> = None;
        for id in self.ids_of(account)? {
            if let Some(row) = self.0.store.find::<RaceRow>(id.key())? {
                let rank = (self.0.watched_race(&id).is_some(), row.created_at);
                if newest.as_ref().is_none_or(|(best, _)| rank > *best) {
                    newest = Some((rank, id));
                }
            }
        }
        newest.map_or(Ok(None), |(_, id)| self.view(account, &id))
    }

    /// The access that a bearer token gives, if it is a valid token of a race. Reads one record.
    pub fn authenticate(&self, bearer: &str) -> Result<Option<RaceGrant>, StoreError> {
        if !bearer.starts_with(task::TOKEN_PREFIX) {
            return Ok(None);
        }
        let token = TokenHash::of(bearer);
        let found = self.0.store.find::<RaceToken>(token.as_bytes())?;
        Ok(found.map(|RaceToken { race, account }| RaceGrant { race, account, token }))
    }

    /// The account of a race, for the operator.
    pub fn owner(&self, id: &RaceId) -> Result<Option<AccountId>, StoreError> {
        Ok(self.0.store.find::<RaceRow>(id.key())?.map(|row| row.account))
    }

    /// Starts the task of a race.
    pub(super) fn spawn(&self, id: RaceId, state: RaceState) {
        let cancelled = self.0.lifecycle.stopping().child_token();
        self.0.past.lock().remove(&id);
        let race = Arc::new(WatchedRace::new(
            id.clone(),
            state,
            cancelled,
            self.0.versions.clone(),
        ));
        self.0.watched.lock().insert(id, Arc::clone(&race));
        versions::changed(&self.0.versions, &race.id);
        let races = Arc::clone(&self.0);
        self.0.lifecycle.spawn("race", task::watch(races, race));
    }
}
