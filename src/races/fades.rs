//! The athletes' own fades: which past activities are still to be read for a race, and keeping what was found.
//!
//! The reading itself needs the person's worker, and waits for Garmin. It is done elsewhere, beside the race.

use std::collections::BTreeSet;

use tokio::sync::watch;

use super::caller::RaceCaller;
use super::race::{RaceChange, RaceState, WatchedRace};
use super::registry::Races;
use super::state::RacesState;
use crate::accounts::AccountId;
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::id::RaceId;
use crate::race::outlook::fade::{OwnFade, OwnFades, SportFade};
use crate::race::sport::{LegKind, RaceKind};
use crate::store::StoreError;

/// What is still to be found out about the fade of a race's athlete.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedFade {
    pub account: AccountId,
    /// The session whose athlete may be the account's owner.
    pub session: LiveTrackSession,
    /// The sport whose past activities are to be read if so.
    pub sport: LegKind,
}

/// What was found out about the athlete of a race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FoundFade {
    /// The athlete is not clearly the owner of the account, so nothing was read.
    NotTheOwner,
    /// `None` if no past activity of the sport shows a fade.
    Read(Option<OwnFade>),
}

impl RacesState {
    /// Notes whether a race lacks a fade, and wakes who reads it.
    pub(super) fn note_fade(&self, race: &WatchedRace) {
        let is_wanted = wanted(&race.state()).is_some();
        self.lacking_fades.send_if_modified(|lacking| {
            if is_wanted {
                lacking.insert(race.id.clone())
            } else {
                lacking.remove(&race.id);
                false
            }
        });
    }
}

impl Races {
    /// The races that may lack a fade. Fires when one is added.
    pub fn lacking_fades(&self) -> watch::Receiver<BTreeSet<RaceId>> {
        self.0.lacking_fades.subscribe()
    }

    /// What a race lacks; `None` if it lacks nothing or is no longer watched. It is then no longer among those that may.
    pub fn wanted_fade(&self, id: &RaceId) -> Option<WantedFade> {
        let race = self.0.watched_race(id);
        let wanted = race.and_then(|race| wanted(&race.state()));
        if wanted.is_none() {
            self.0.lacking_fades.send_if_modified(|lacking| {
                lacking.remove(id);
                false
            });
        }
        wanted
    }

    /// Keeps what was found out, unless the race was stopped or erased meanwhile, its link shows another athlete now, or
    /// the person's access has ended. Returns whether it was kept.
    pub async fn keep_fade(
        &self,
        id: &RaceId,
        asked: &WantedFade,
        found: FoundFade,
    ) -> Result<bool, StoreError> {
        let races = &self.0;
        let Some(race) = races.watched_race(id) else {
            return Ok(false);
        };
        let changed = race.change(&races.store, &races.notifier, |state| {
            let athlete = wanted(state)
                .filter(|now| now.session.athlete == asked.session.athlete && now.sport == asked.sport)
                .and_then(|now| now.session.athlete_key())
                .ok_or(NotKept::Unwanted)?;
            let watch = &mut state.progress.watch;
            let mut fades = watch.fades().cloned().unwrap_or(OwnFades {
                athlete,
                is_owner: true,
                sports: Vec::new(),
            });
            match found {
                FoundFade::NotTheOwner => fades.is_owner = false,
                FoundFade::Read(fade) => fades.sports.push(SportFade {
                    sport: asked.sport,
                    fade,
                }),
            }
            watch.own_fades = Some(fades);
            Ok(RaceChange {
                caller: Some(RaceCaller::Gateway(asked.account.clone())),
                ..RaceChange::default()
            })
        });
        match changed.await {
            Ok(state) => Ok(state.is_some()),
            Err(NotKept::Unwanted) => Ok(false),
            Err(NotKept::Store(e)) => Err(e),
        }
    }
}

/// Why a fade was not written.
enum NotKept {
    Unwanted,
    Store(StoreError),
}

impl From<StoreError> for NotKept {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

/// What a race lacks, once its athlete and a sport are known.
fn wanted(state: &RaceState) -> Option<WantedFade> {
    let watch = &state.progress.watch;
    let session = watch.session.as_ref()?;
    if state.is_over() || session.athlete_key().is_none() {
        return None;
    }
    let known = watch.fades();
    if known.is_some_and(|known| !known.is_owner) {
        return None;
    }
    let is_read = |sport: &LegKind| known.is_some_and(|known| known.read(*sport).is_some());
    Some(WantedFade {
        account: state.row.account.clone(),
        session: session.clone(),
        sport: sports(state).into_iter().find(|sport| !is_read(sport))?,
    })
}

/// The sports of a race: as planned, as recorded so far, or as the session says.
fn sports(state: &RaceState) -> Vec<LegKind> {
    let plan = &state.row.settings;
    let mut sports: Vec<LegKind> = plan.legs.iter().map(|leg| leg.kind).collect();
    if sports.is_empty() {
        match plan.kind {
            RaceKind::Triathlon => sports.extend([LegKind::Swim, LegKind::Ride, LegKind::Run]),
            RaceKind::Duathlon => sports.extend([LegKind::Run, LegKind::Ride]),
            one => sports.extend(one.first_leg()),
        }
    }
    sports.extend(state.track.legs.iter().filter_map(|leg| leg.kind));
    if sports.is_empty() {
        let session = state.progress.watch.session.as_ref();
        let activity = session.and_then(|session| session.activity_type.as_deref());
        sports.extend(activity.and_then(LegKind::from_activity));
    }
    sports.retain(|sport| *sport != LegKind::Transition);
    sports
}
