//! Races: a LiveTrack link becomes a watched race.
//!
//! One task per race asks Garmin, keeps the points ([`series`]), folds them, and sends what the rules of [`crate::race`]
//! say. The door is [`Races`].
//!
//! Invariants:
//! - What was told, what is noted as told, and the points that made it so are kept together: after a crash a race goes on
//!   where it was, and tells nothing twice.
//! - A person reaches only their own races; another's is not there.
//! - A link's token is sealed with its race and is in no answer and no log; neither is a position in a log.
//!
//! | file | what |
//! |---|---|
//! | `series`, `records` | what is kept |
//! | `race`, `life` | one race: its state, its task |
//! | `open`, `retention` | the acts: start, stop, change, erase |
//! | `coaching` | a message on its way to the phone |
//! | `answers`, `tools` | what people and Claude ask |
//! | `effects` | a gateway without phones and without Claude |

pub mod answers;
mod coaching;
pub mod effects;
mod life;
mod open;
mod race;
mod records;
mod retention;
pub mod series;
pub mod tools;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::accounts::AccountId;
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::log::Traces;
use crate::base::secrets::TokenHash;
use crate::coach::{self, look::Coach};
use crate::garmin::livetrack::LiveTrack;
use crate::notify::{
    self,
    message::{Outbox, Phone},
};
use crate::race::alerts::Alert;
use crate::race::ending::EndRules;
use crate::race::id::RaceId;
use crate::race::sample;
use crate::race::snapshot::Snapshot;
use crate::race::standing::Standing;
use crate::store::{Kind, Store, StoreError};
use race::{Race, State};
use records::{OfAccount, Progress, RaceRow, RaceToken, account_key};

pub use coaching::{Coached, LONGEST_MESSAGE, NotCoached};
pub use open::{NotStarted, Refused, Started};

/// What this room keeps in the store.
pub const KINDS: &[Kind] = &[
    Kind::of::<RaceRow>(),
    Kind::of::<Progress>(),
    Kind::of::<records::CourseRow>(),
    Kind::of::<Alert>(),
    Kind::of::<OfAccount>(),
    Kind::of::<RaceToken>(),
    series::KIND,
    notify::KINDS[0],
    notify::KINDS[1],
    Kind::of::<Phone>(),
    coach::KIND,
];

/// What races are watched with.
pub struct RacesParts {
    /// Where they are kept.
    pub store: Store,
    /// Business time; the tasks sleep by it too.
    pub clock: Clock,
    /// Runs the tasks.
    pub lifecycle: Lifecycle,
    /// The way to Garmin.
    pub livetrack: LiveTrack,
    /// When silence ends a race (`STALE_STOP_MIN`, `MIN_ELAPSED_MIN`).
    pub rules: EndRules,
    /// Where messages go.
    pub outbox: Arc<dyn Outbox>,
    /// Who looks.
    pub coach: Arc<dyn Coach>,
    /// Where spans go.
    pub traces: Traces,
}

/// All races. Clones are the same.
#[derive(Clone)]
pub struct Races(Arc<House>);

/// What the tasks share.
struct House {
    store: Store,
    clock: Clock,
    lifecycle: Lifecycle,
    livetrack: LiveTrack,
    rules: EndRules,
    outbox: Arc<dyn Outbox>,
    coach: Arc<dyn Coach>,
    traces: Traces,
    live: Mutex<BTreeMap<RaceId, Arc<Race>>>,
    /// Races that are over, as far as somebody asked for them lately.
    past: Mutex<BTreeMap<RaceId, Arc<State>>>,
    /// One start at a time for each answer to "is it watched already?".
    starting: tokio::sync::Mutex<()>,
}

impl House {
    fn live(&self) -> MutexGuard<'_, BTreeMap<RaceId, Arc<Race>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> MutexGuard<'_, BTreeMap<RaceId, Arc<State>>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A race that is over. A track is folded from all points, so what was asked for once is kept for a while.
    fn past_state(&self, id: &RaceId) -> Result<Option<Arc<State>>, StoreError> {
        let known = self.past().get(id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(mut state) = State::load(&self.store, id)? else {
            return Ok(None);
        };
        state.track.recent.clear();
        state.track.recent.shrink_to_fit();
        let state = Arc::new(state);
        let mut past = self.past();
        if past.len() >= MOST_PAST {
            past.pop_first();
        }
        past.insert(id.clone(), Arc::clone(&state));
        Ok(Some(state))
    }
}

/// How many races that are over are kept at hand.
const MOST_PAST: usize = 64;

/// What a token of a race reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaceGrant {
    /// The race, and nothing else.
    pub race: RaceId,
    /// Whose it is.
    pub account: AccountId,
}

/// Figures of all races together, for whatever watches the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many are watched.
    pub races: usize,
    /// How many of them stand how, by [`Standing::name`].
    pub states: BTreeMap<&'static str, usize>,
    /// Their points.
    pub points: usize,
    /// Polls of them that failed.
    pub poll_errors: u64,
    /// The longest time since a newest point, in seconds.
    pub longest_stale_s: Option<i64>,
    /// What the whole store takes on the disk.
    pub store_bytes: u64,
}

/// A race in a few words.
#[derive(Clone, Debug)]
pub struct View {
    /// All that is known of it.
    pub snapshot: Snapshot,
    /// What Claude said last.
    pub last_words: Option<String>,
    /// Whether it is still watched.
    pub watched: bool,
}

impl Races {
    /// Takes up all races that are not over. Errors: the store's.
    pub fn start(parts: RacesParts) -> Result<Self, StoreError> {
        let races = Self(Arc::new(House {
            store: parts.store,
            clock: parts.clock,
            lifecycle: parts.lifecycle,
            livetrack: parts.livetrack,
            rules: parts.rules,
            outbox: parts.outbox,
            coach: parts.coach,
            traces: parts.traces,
            live: Mutex::default(),
            past: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
        }));
        for (key, progress) in races.0.store.list::<Progress>(b"")? {
            let id = String::from_utf8(key)
                .ok()
                .and_then(|id| id.parse::<RaceId>().ok());
            if let Some(id) = id.filter(|_| !progress.done)
                && let Some(state) = State::load(&races.0.store, &id)?
            {
                tracing::info!(race.id = %id, account.id = %state.row.account, points = state.track.points, "race.resumed");
                races.spawn(id, state);
            }
        }
        Ok(races)
    }

    /// How many races are watched.
    pub fn count(&self) -> usize {
        self.0.live().len()
    }

    /// The ids of a person's races, oldest first by name.
    fn ids_of(&self, account: &AccountId) -> Result<Vec<RaceId>, StoreError> {
        let rows = self.0.store.list::<OfAccount>(&account_key(account, ""))?;
        Ok(rows.into_iter().map(|(_, row)| row.race).collect())
    }

    /// A race of this account. Errors: the store's; another's race is not there.
    pub fn view(&self, account: &AccountId, id: &RaceId) -> Result<Option<View>, StoreError> {
        let live = self.live_race(id).map(|race| race.state());
        let Some(state) = live.map_or_else(|| self.0.past_state(id), |state| Ok(Some(state)))? else {
            return Ok(None);
        };
        if state.row.account != *account {
            return Ok(None);
        }
        Ok(Some(View {
            snapshot: state.snapshot(id, self.0.clock.now()),
            last_words: state.progress.last_words.as_ref().map(|(_, words)| words.clone()),
            watched: !state.progress.done,
        }))
    }

    /// The samples of a race of this account with device times from `from` to `to`, in order; none of another's.
    pub fn samples(
        &self,
        account: &AccountId,
        id: &RaceId,
        from: jiff::Timestamp,
        to: jiff::Timestamp,
    ) -> Result<Vec<sample::Sample>, StoreError> {
        let row = self.0.store.find::<RaceRow>(id.key())?;
        if row.is_none_or(|row| row.account != *account) {
            return Ok(Vec::new());
        }
        series::read(&self.0.store, id, from, to)
    }

    /// How many races are watched and how they stand.
    pub fn figures(&self) -> Figures {
        let now = self.0.clock.now();
        let races: Vec<_> = self.0.live().values().map(|race| race.state()).collect();
        let mut figures = Figures {
            races: races.len(),
            store_bytes: self.0.store.size_on_disk(),
            ..Figures::default()
        };
        for state in races {
            let (watch, track) = (&state.progress.watch, &state.track);
            *figures
                .states
                .entry(Standing::of(now, watch, track).name())
                .or_default() += 1;
            figures.points += track.points;
            figures.poll_errors += watch.errors;
            let stale = track
                .last
                .map(|last| now.duration_since(track.true_time(last.at)).as_secs());
            figures.longest_stale_s = figures.longest_stale_s.max(stale);
        }
        figures
    }

    /// All races of this account, newest first.
    pub fn list(&self, account: &AccountId) -> Result<Vec<View>, StoreError> {
        let mut views = Vec::new();
        for id in self.ids_of(account)? {
            views.extend(self.view(account, &id)?);
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.snapshot.watch.since));
        Ok(views)
    }

    /// All races of everybody, newest first, for the operator.
    pub fn all(&self) -> Result<Vec<View>, StoreError> {
        let mut views = Vec::new();
        for (_, of) in self.0.store.list::<OfAccount>(b"")? {
            if let Some(account) = self.owner(&of.race)? {
                views.extend(self.view(&account, &of.race)?);
            }
        }
        views.sort_by_key(|view| std::cmp::Reverse(view.snapshot.watch.since));
        Ok(views)
    }

    /// The race that is meant when none is named: the newest that is watched, or the newest of all.
    pub fn newest(&self, account: &AccountId) -> Result<Option<View>, StoreError> {
        let mut newest: Option<((bool, jiff::Timestamp), RaceId)> = None;
        for id in self.ids_of(account)? {
            if let Some(row) = self.0.store.find::<RaceRow>(id.key())? {
                let rank = (self.live_race(&id).is_some(), row.created_at);
                if newest.as_ref().is_none_or(|(best, _)| rank > *best) {
                    newest = Some((rank, id));
                }
            }
        }
        newest.map_or(Ok(None), |(_, id)| self.view(account, &id))
    }

    /// What a bearer token reaches, if it is one of a race's and still good. One look into the store.
    pub fn authenticate(&self, bearer: &str) -> Result<Option<RaceGrant>, StoreError> {
        if !bearer.starts_with(life::TOKEN_PREFIX) {
            return Ok(None);
        }
        let token = self.0.store.find::<RaceToken>(TokenHash::of(bearer).as_bytes())?;
        Ok(token.map(|token| RaceGrant {
            race: token.race,
            account: token.account,
        }))
    }

    fn live_race(&self, id: &RaceId) -> Option<Arc<Race>> {
        self.0.live().get(id).cloned()
    }

    fn spawn(&self, id: RaceId, state: State) -> Arc<Race> {
        let cancelled = self.0.lifecycle.stopping().child_token();
        self.0.past().remove(&id);
        let race = Arc::new(Race::new(id.clone(), state, cancelled));
        self.0.live().insert(id, Arc::clone(&race));
        let (house, watched) = (Arc::clone(&self.0), Arc::clone(&race));
        self.0.lifecycle.spawn("race", life::watch(house, watched));
        race
    }
}
