//! Operations on a watched race: stop it, change its limits, start a look, issue a token.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::caller::RaceCaller;
use super::messages::dropped_phones;
use super::race::{RaceChange, WatchedRace};
use super::recipients::{ChatInvitation, RecipientProblem};
use super::records::RaceProgress;
use super::registry::{RaceOverview, Races};
use super::start::adopt_course;
use super::task::LookCause;
use super::{series, task};
use crate::accounts::AccountId;
use crate::base::secrets::Secret;
use crate::coach::look::LookError;
use crate::race::course::BadCourse;
use crate::race::fields::BadFields;
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::race::thresholds::Thresholds;
use crate::race::track::Track;
use crate::store::StoreError;

/// Why an operation was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RaceActError {
    /// No race of this account has the id.
    #[error("race: there is no such race; list_races shows the ids")]
    NoSuchRace,
    #[error("race: it is over and can't be changed")]
    Over,
    #[error("share: this race has no such share; list its shares first")]
    NoSuchShare,
    #[error("with: no link with this address works; ask the athlete who made it for a new one")]
    NoSuchLink,
    #[error("with: this race is on that link already; end its share there first to change it")]
    OnLinkAlready,
    #[error("with: that link is full; no more athletes can join it")]
    TooManyAthletes,
    #[error("this race already has the maximum number of shares; end one of them first")]
    TooManyShares,
    #[error("place: no such place is being watched; action list shows those that are")]
    NoSuchPlace,
    #[error("this race already has the maximum number of watched places; remove one of them first")]
    TooManyPlaces,
    /// The caller was revoked, or the account forgotten, in the meantime.
    #[error("access ended while this was under way; nothing was changed. Connect again")]
    AccessEnded,
    #[error("{0}")]
    Fields(#[from] BadFields),
    #[error(transparent)]
    Course(#[from] BadCourse),
    #[error(transparent)]
    Look(#[from] LookError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RecipientProblem> for RaceActError {
    fn from(problem: RecipientProblem) -> Self {
        match problem {
            RecipientProblem::Fields(bad) => bad.into(),
            RecipientProblem::Store(e) => e.into(),
        }
    }
}

/// The fields whose change may contradict the others.
const CONTRADICTING: [&str; 5] = ["race_type", "distance_km", "checkpoints", "legs", "course_gpx"];

impl Races {
    /// A watched race of this account.
    pub(super) fn watched_race_of(
        &self,
        account: &AccountId,
        id: &RaceId,
    ) -> Result<Arc<WatchedRace>, RaceActError> {
        let race = self.0.watched_race(id);
        if let Some(race) = race.filter(|race| race.state().row.account == *account) {
            return Ok(race);
        }
        let is_over = self.view(account, id)?.is_some();
        Err(if is_over {
            RaceActError::Over
        } else {
            RaceActError::NoSuchRace
        })
    }

    /// Whether a race is watched. Errors: the account has no such race.
    pub fn is_watched(&self, account: &AccountId, id: &RaceId) -> Result<bool, RaceActError> {
        match self.watched_race_of(account, id) {
            // The task of a race that was just stopped needs a moment to end.
            Ok(race) => Ok(!race.state().is_over()),
            Err(RaceActError::Over) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Stops watching, ends the race's looks, and keeps what was recorded. Returns the race as it is afterwards. A race
    /// that is over does not change.
    pub async fn stop_tracking(
        &self,
        account: &AccountId,
        id: &RaceId,
    ) -> Result<RaceOverview, RaceActError> {
        match self.watched_race_of(account, id) {
            Ok(race) => self.stop(&race, RaceChange::default()).await?,
            Err(RaceActError::Over) => {}
            Err(other) => return Err(other),
        }
        self.view(account, id)?.ok_or(RaceActError::NoSuchRace)
    }

    async fn stop(&self, race: &WatchedRace, change: RaceChange) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let stopped = race.change(&self.0.store, &self.0.notifier, |state| {
            state.progress.watch.stopped(now);
            Ok::<_, StoreError>(change)
        });
        stopped.await?;
        race.changed.notify_one();
        race.looks.end().await;
        Ok(())
    }

    /// Stops all races of an account, ends their looks and shares, and removes their tokens and queued messages.
    /// Returns the races that were watched.
    pub async fn stop_all(&self, account: &AccountId) -> Result<Vec<RaceId>, StoreError> {
        let gate = self.0.gate(account);
        let _starting = gate.lock().await;
        self.end_all_shares(account).await?;
        let mut stopped = Vec::new();
        for id in self.ids_of(account)? {
            // An interrupted call may have stored a race that has no task yet. The gateway's next start would watch it.
            let is_over = |progress: RaceProgress| progress.done;
            if self.0.store.find(id.key())?.is_none_or(is_over) {
                continue;
            }
            if let Some(race) = self.0.watched_or_stored(&id)? {
                // The task would remove the tokens too, but later.
                let change = RaceChange {
                    keep_tokens: Some(0),
                    withdraw_messages: true,
                    ..RaceChange::default()
                };
                self.stop(&race, change).await?;
                stopped.push(id);
            }
        }
        Ok(stopped)
    }

    /// Changes limits: a number sets one, null removes it. Returns all limits.
    pub async fn update_thresholds(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        changes: &Map<String, Value>,
    ) -> Result<Thresholds, RaceActError> {
        let race = self.watched_race_of(caller.account(), id)?;
        let changed = race.change(&self.0.store, &self.0.notifier, |state| {
            if state.is_over() {
                return Err(RaceActError::Over);
            }
            let thresholds = state.row.settings.thresholds.with(changes)?;
            state.row.settings.thresholds = thresholds;
            Ok::<_, RaceActError>(RaceChange {
                row: true,
                caller: Some(caller.clone()),
                ..RaceChange::default()
            })
        });
        let state = changed.await?.ok_or(RaceActError::AccessEnded)?;
        tracing::info!(race.id = %id, account.id = %caller.account(), "race.limits_changed");
        race.changed.notify_one();
        Ok(state.row.settings.thresholds.clone())
    }

    /// Changes the plan of a race: a value sets a field, null restores its default. What depends on the changed fields
    /// is computed again from the stored points. Returns the invitations of new recipients.
    pub async fn update_race(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        changes: &Map<String, Value>,
    ) -> Result<Vec<ChatInvitation>, RaceActError> {
        let race = self.watched_race_of(caller.account(), id)?;
        let store = &self.0.store;
        let names_recipients = changes.contains_key("recipients");
        let recipients = if names_recipients {
            let state = race.state();
            let (before, title) = (&state.row.settings.recipients, state.title());
            let (mut plan, _) = state.row.settings.with(changes)?;
            self.prepare_recipients(caller.account(), before, &mut plan, &title)
                .await?;
            Some(plan.recipients)
        } else {
            None
        };
        let changed = race.change(store, &self.0.notifier, |state| {
            if state.is_over() {
                return Err(RaceActError::Over);
            }
            let before = state.row.settings.kind;
            let (plan, gpx) = state.row.settings.with(changes)?;
            let mut plan = self.0.in_time_zone(plan);
            // The prepared recipients replace those that the change names.
            if let Some(recipients) = recipients {
                plan.recipients = recipients;
            }
            let dropped_phones = dropped_phones(&state.row.settings.recipients, &plan.recipients);
            let has_distance = changes.contains_key("distance_km");
            let is_given = changes.get("distance_km").is_some_and(|km| !km.is_null());
            let most = RacePlan::course_tolerance(is_given || plan.has_given_distance());
            let new_course = changes.contains_key("course_gpx") || has_distance;
            if let Some(gpx) = gpx {
                state.course = Some(Arc::new(adopt_course(&mut plan, &gpx, is_given)?));
            } else if changes.contains_key("course_gpx") {
                state.course = None;
            } else if let (true, Some(distance_m)) = (has_distance, plan.distance_m) {
                let course = state.course.as_deref().cloned();
                if let Some(course) = &course {
                    plan.refuse_other_course(course, is_given)?;
                }
                state.course = course.map(|course| Arc::new(course.scaled_to(distance_m, most)));
            }
            // What was accepted earlier is not asked again by a change of something else.
            if CONTRADICTING.iter().any(|field| changes.contains_key(*field)) {
                plan.refuse_contradictions(state.course.as_deref())?;
            }
            state.row.settings = plan;
            if new_course || state.row.settings.kind != before {
                state.track = Track::of(
                    state.row.settings.kind,
                    state.course.as_deref(),
                    &series::read_all(store, id)?,
                );
            }
            Ok::<_, RaceActError>(RaceChange {
                row: true,
                course: new_course,
                dropped_phones,
                caller: Some(caller.clone()),
                ..RaceChange::default()
            })
        });
        changed.await?.ok_or(RaceActError::AccessEnded)?;
        tracing::info!(race.id = %id, account.id = %caller.account(), "race.plan_changed");
        race.changed.notify_one();
        if !names_recipients {
            return Ok(Vec::new());
        }
        Ok(self.invite(caller, id).await?)
    }

    /// Starts a look by Claude. Returns at once.
    pub fn look(&self, caller: &RaceCaller, id: &RaceId) -> Result<(), RaceActError> {
        let race = self.watched_race_of(caller.account(), id)?;
        if self.0.coach().is_none() {
            return Err(LookError::NotSetUp.into());
        }
        task::look(&self.0, &race, LookCause::AskedFor(caller.clone()));
        Ok(())
    }

    /// Issues a token that grants access to this race only, until the race ends or two newer tokens were issued.
    pub async fn token(&self, account: &AccountId, id: &RaceId) -> Result<Secret, RaceActError> {
        let race = self.watched_race_of(account, id)?;
        let token = task::new_token(&self.0, &race, None).await?;
        token.ok_or(RaceActError::NoSuchRace)
    }
}
