//! The acts on races: start, stop, change the limits, have Claude look, erase.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::life;
use super::race::{Also, Race, State};
use super::records::{CourseRow, OfAccount, Progress, RaceRow, account_key};
use super::series;
use super::{Races, View, records};
use crate::accounts::AccountId;
use crate::base::secrets::Secret;
use crate::coach::budget;
use crate::coach::look::NotLooked;
use crate::garmin::livetrack::{LiveTrackError, LiveTrackLink, ResolveError};
use crate::race::alerts::Alert;
use crate::race::course::{BadCourse, Course};
use crate::race::id::RaceId;
use crate::race::settings::{BadFields, RaceSettings, Thresholds};
use crate::race::track::Track;
use crate::store::{StoreError, Tx};

/// The most races of one person that are watched at once, and of all together.
const MOST_EACH: usize = 8;
const MOST: usize = 2000;

/// Why a race is not watched. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// Settings that can't be taken.
    #[error("{0}")]
    Settings(#[from] BadFields),
    /// The course can't be taken.
    #[error(transparent)]
    Course(#[from] BadCourse),
    /// The link leads nowhere.
    #[error("url: {0}")]
    Link(#[from] ResolveError),
    /// Garmin does not know the session.
    #[error(
        "url: Garmin does not know this LiveTrack session (any more); links work for 24 hours. Ask the athlete for the new \
         link, or look for it in Garmin's latest e-mail"
    )]
    Gone,
    /// Too many.
    #[error("{0} races are watched already; stop one of them first")]
    TooMany(usize),
    /// The race that is to go on is not there.
    #[error("continue_race: there is no such race; list_races tells their ids")]
    NoSuchRace,
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an act was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Not there, or another's.
    #[error("race: there is no such race; list_races tells their ids")]
    NoSuchRace,
    /// It is over.
    #[error("race: it is over, nothing can be changed any more")]
    Over,
    /// Limits that can't be taken.
    #[error("{0}")]
    Fields(#[from] BadFields),
    /// Nobody looks.
    #[error(transparent)]
    Look(#[from] NotLooked),
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A race that is watched now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its name.
    pub race: RaceId,
    /// It was watched before: the same link came again.
    pub known: bool,
    /// A race that was there goes on with this link.
    pub continued: bool,
    /// Garmin did not answer yet; it is tried again.
    pub unreachable: bool,
}

impl Races {
    /// Watches the race that `text` (a link, or an e-mail with one) leads to, with the settings of a `race_config`. With
    /// `carry_on`, the link carries on that race. The same link twice is one race.
    pub async fn start_tracking(
        &self,
        account: &AccountId,
        text: &str,
        config: &Map<String, Value>,
        carry_on: Option<&RaceId>,
    ) -> Result<Started, NotStarted> {
        let house = &self.0;
        let (settings, gpx) = RaceSettings::read(config)?;
        let course = gpx.as_deref().map(Course::from_gpx).transpose()?;
        let link = house.livetrack.resolve(text).await?;
        let unreachable = match house.livetrack.session(&link).await {
            Ok(_) => false,
            Err(LiveTrackError::Gone) if house.livetrack.page(&link).await.is_err() => {
                return Err(NotStarted::Gone);
            }
            Err(failure) => failure != LiveTrackError::Gone,
        };
        let _one = house.starting.lock().await;
        let ids = self.ids_of(account)?;
        if let Some(race) = carry_on {
            if !ids.contains(race) {
                return Err(NotStarted::NoSuchRace);
            }
            self.carry_on(race, link).await?;
            return Ok(started(race.clone(), false, true, unreachable));
        }
        for id in &ids {
            let row = house.store.find::<RaceRow>(id.key())?;
            if row.is_some_and(|row| row.link.session_id == link.session_id) {
                let watched = self.live_race(id).is_some();
                if !watched {
                    self.carry_on(id, link).await?;
                }
                return Ok(started(id.clone(), watched, !watched, unreachable));
            }
        }
        let mine = ids.iter().filter(|id| self.live_race(id).is_some()).count();
        if mine >= MOST_EACH || self.count() >= MOST {
            return Err(NotStarted::TooMany(if mine >= MOST_EACH {
                mine
            } else {
                self.count()
            }));
        }
        let course = match course {
            Some(course) => Some(course),
            None => self.own_course(&link).await,
        };
        let id = self.write(account, link, settings, course).await?;
        Ok(started(id, false, false, unreachable))
    }

    /// The course that the athlete follows, if Garmin tells one.
    async fn own_course(&self, link: &LiveTrackLink) -> Option<Course> {
        let places = self.0.livetrack.course(link).await.ok()?;
        Course::from_places(&places).ok()
    }

    async fn write(
        &self,
        account: &AccountId,
        link: LiveTrackLink,
        settings: RaceSettings,
        course: Option<Course>,
    ) -> Result<RaceId, StoreError> {
        let house = &self.0;
        let (id, now) = (RaceId::random(), house.clock.now());
        let state = State {
            track: Track::new(settings.kind),
            row: RaceRow {
                account: account.clone(),
                created_at: now,
                link,
                settings,
            },
            progress: Progress::new(now),
            course: course.clone().map(Arc::new),
            alerts: Vec::new(),
        };
        let (race, row, progress) = (id.clone(), state.row.clone(), state.progress.clone());
        let write = move |tx: &mut Tx<'_>| {
            tx.put(race.key(), &row)?;
            tx.put(race.key(), &progress)?;
            if let Some(course) = course {
                tx.put(race.key(), &CourseRow { course })?;
            }
            let of = OfAccount { race: race.clone() };
            tx.put(&account_key(&row.account, race.as_str()), &of)
        };
        house.store.atomic(write).await?;
        tracing::info!(race.id = %id, account.id = %account, "race.started");
        self.spawn(id.clone(), state);
        Ok(id)
    }

    /// Lets a race go on with this link, whether it is watched or over.
    async fn carry_on(&self, id: &RaceId, link: LiveTrackLink) -> Result<(), NotStarted> {
        let house = &self.0;
        let race = if let Some(race) = self.live_race(id) {
            race
        } else {
            let state = State::load(&house.store, id)?.ok_or(NotStarted::NoSuchRace)?;
            Arc::new(Race::new(
                id.clone(),
                state,
                house.lifecycle.stopping().child_token(),
            ))
        };
        let now = house.clock.now();
        let changed = race.change(house, |state| {
            state.row.link = link;
            state.progress.watch.carried_on(now);
            state.progress.done = false;
            Ok::<_, StoreError>(Also {
                row: true,
                ..Also::default()
            })
        });
        let Some(state) = changed.await? else {
            return Err(NotStarted::NoSuchRace);
        };
        tracing::info!(race.id = %id, account.id = %state.row.account, "race.carried_on");
        match self.live_race(id) {
            Some(race) => race.changed.notify_one(),
            None => drop(self.spawn(id.clone(), State::clone(&state))),
        }
        Ok(())
    }

    /// Stops watching; what was recorded stays. Returns the race as it is then.
    pub async fn stop_tracking(&self, account: &AccountId, id: &RaceId) -> Result<View, Refused> {
        let now = self.0.clock.now();
        if let Some(race) = self
            .live_race(id)
            .filter(|race| race.state().row.account == *account)
        {
            race.change(&self.0, |state| {
                state.progress.watch.stopped(now);
                Ok::<_, StoreError>(Also::default())
            })
            .await?;
            race.changed.notify_one();
        }
        self.view(account, id)?.ok_or(Refused::NoSuchRace)
    }

    /// Changes limits: a number sets one, null takes it away. Returns those that hold then.
    pub async fn update_thresholds(
        &self,
        account: &AccountId,
        id: &RaceId,
        changes: &Map<String, Value>,
    ) -> Result<Thresholds, Refused> {
        let Some(race) = self
            .live_race(id)
            .filter(|race| race.state().row.account == *account)
        else {
            let there = self.view(account, id)?.is_some();
            return Err(if there { Refused::Over } else { Refused::NoSuchRace });
        };
        let changed = race.change(&self.0, |state| {
            state.row.settings.thresholds = state.row.settings.thresholds.with(changes)?;
            Ok::<_, Refused>(Also {
                row: true,
                ..Also::default()
            })
        });
        let state = changed.await?.ok_or(Refused::NoSuchRace)?;
        tracing::info!(race.id = %id, account.id = %account, "race.limits_changed");
        race.changed.notify_one();
        Ok(state.row.settings.thresholds.clone())
    }

    /// Has Claude look now, beside everything else.
    pub fn look(&self, account: &AccountId, id: &RaceId) -> Result<(), Refused> {
        let race = self
            .live_race(id)
            .filter(|race| race.state().row.account == *account);
        let Some(race) = race else {
            let there = self.view(account, id)?.is_some();
            return Err(if there { Refused::Over } else { Refused::NoSuchRace });
        };
        if !self.0.coach.is_set_up() {
            return Err(NotLooked::NotSetUp.into());
        }
        life::look(&self.0, &race, true);
        Ok(())
    }

    /// A new token that reaches this race alone, until the race ends or two newer ones were given out.
    pub async fn token(&self, account: &AccountId, id: &RaceId) -> Result<Secret, Refused> {
        let race = self
            .live_race(id)
            .filter(|race| race.state().row.account == *account);
        let race = race.ok_or(Refused::NoSuchRace)?;
        let token = life::mint(&self.0, &race, self.0.clock.now()).await?;
        token.ok_or(Refused::NoSuchRace)
    }

    /// Whose race it is, for the operator.
    pub fn owner(&self, id: &RaceId) -> Result<Option<AccountId>, StoreError> {
        Ok(self.0.store.find::<RaceRow>(id.key())?.map(|row| row.account))
    }

    /// Stops all races of an account, and with them their tokens. Returns how many were watched.
    pub async fn stop_all(&self, account: &AccountId) -> Result<usize, StoreError> {
        let mut stopped = 0;
        for id in self.ids_of(account)? {
            if self.live_race(&id).is_none() {
                continue;
            }
            match self.stop_tracking(account, &id).await {
                Ok(_) => stopped += 1,
                Err(Refused::Store(e)) => return Err(e),
                Err(_) => {}
            }
            // The tokens go now, not when the task comes round to it.
            if let Some(race) = self.live_race(&id) {
                race.change(&self.0, |_| {
                    Ok::<_, StoreError>(Also {
                        keep_tokens: Some(0),
                        ..Also::default()
                    })
                })
                .await?;
            }
        }
        Ok(stopped)
    }

    /// Erases all races of an account, with their points, alerts, tokens and waiting messages. Returns how many.
    pub async fn forget(&self, account: &AccountId) -> Result<usize, StoreError> {
        let _one = self.0.starting.lock().await;
        let ids = self.ids_of(account)?;
        for id in &ids {
            let live = self.0.live().remove(id);
            self.0.past().remove(id);
            if let Some(race) = live {
                race.erase().await;
            }
            let (id, account) = (id.clone(), account.clone());
            self.0.store.atomic(move |tx| erase(tx, &id, &account)).await?;
        }
        let (outbox, of) = (Arc::clone(&self.0.outbox), account.clone());
        let erased = self.0.store.atomic(move |tx| {
            budget::forget(tx, &of);
            outbox.forget(tx, &of)
        });
        erased.await?;
        Ok(ids.len())
    }
}

pub(super) fn erase(tx: &mut Tx<'_>, id: &RaceId, account: &AccountId) -> Result<(), StoreError> {
    series::forget(tx, id)?;
    for (key, _) in tx.list::<Alert>(id.key())? {
        tx.remove::<Alert>(&key);
    }
    if let Some(mut progress) = tx.find::<Progress>(id.key())? {
        records::drop_tokens(tx, &mut progress, 0);
    }
    tx.remove::<Progress>(id.key());
    tx.remove::<CourseRow>(id.key());
    tx.remove::<RaceRow>(id.key());
    tx.remove::<OfAccount>(&account_key(account, id.as_str()));
    Ok(())
}

fn started(race: RaceId, known: bool, continued: bool, unreachable: bool) -> Started {
    Started {
        race,
        known,
        continued,
        unreachable,
    }
}
