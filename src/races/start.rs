//! Starts a race, or continues one with a new link.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::caller::RaceCaller;
use super::race::{RaceChange, RaceState};
use super::reach::ReachedLink;
use super::records::{AccountRace, CourseRow, RaceProgress, RaceRow, account_key};
use super::registry::Races;
use super::started::{StartOutcome, StartedRace, TrackingError};
use crate::accounts::AccountId;
use crate::garmin::livetrack::LiveTrackLink;
use crate::race::course::{BadCourse, Course, CourseFile};
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::race::snapshot::race_title;
use crate::race::track::Track;
use crate::store::{StoreError, Tx};

/// Maximum number of watched races: per person, and in total.
const MOST_EACH: usize = 8;
const MOST: usize = 2000;

/// Reads the course of a race, whose waypoints become checkpoints.
pub(super) fn adopt_course(plan: &mut RacePlan, gpx: &str, is_given: bool) -> Result<Course, BadCourse> {
    let most = RacePlan::course_tolerance(is_given || plan.has_given_distance());
    let file = CourseFile::read(gpx, plan.distance_m, most)?;
    plan.refuse_other_course(&file.course, is_given)?;
    plan.adopt(&file);
    Ok(file.course)
}

impl Races {
    /// Starts watching the race of a LiveTrack link. `text` is the link or an e-mail that contains it; `config` is a
    /// `race_config`. If `carry_on` names a race, that race continues with the link. The same link given twice is one
    /// race.
    pub async fn start_tracking(
        &self,
        caller: &RaceCaller,
        text: &str,
        config: &Map<String, Value>,
        carry_on: Option<&RaceId>,
    ) -> Result<StartedRace, TrackingError> {
        let races = &self.0;
        let (settings, gpx) = RacePlan::read(config)?;
        let mut settings = races.in_time_zone(settings);
        let is_given = config.get("distance_km").is_some_and(|km| !km.is_null());
        let most = RacePlan::course_tolerance(is_given || settings.has_given_distance());
        let mut course = gpx
            .map(|gpx| adopt_course(&mut settings, &gpx, is_given))
            .transpose()?;
        settings.refuse_contradictions(course.as_ref())?;
        let reached = self.reach(text).await?;
        let Some(race) = carry_on else {
            let mut course_left_out = false;
            if course.is_none() {
                course = self.course_of_session(&reached.link).await;
                let is_other = |course: &mut Course| settings.is_contradicted_by(course, is_given);
                course_left_out = course.take_if(is_other).is_some();
                if let Some(distance_m) = settings.distance_m {
                    course = course.map(|course| course.scaled_to(distance_m, most));
                }
            }
            let is_new = self.race_of_link(caller.account(), &reached.link)?.is_none();
            if is_new && !settings.recipients.is_empty() {
                let title = race_title(reached.session.as_ref(), &settings);
                self.prepare_recipients(caller.account(), &[], &mut settings, &title)
                    .await?;
            }
            let started = self.begin(caller, reached, settings, course).await?;
            let invitations = self.invite(caller, &started.race).await?;
            return Ok(StartedRace {
                invitations,
                course_left_out: course_left_out && is_new,
                ..started
            });
        };
        self.go_on(caller, race, reached).await
    }

    /// Continues a race of this account with another link.
    pub(super) async fn go_on(
        &self,
        caller: &RaceCaller,
        race: &RaceId,
        reached: ReachedLink,
    ) -> Result<StartedRace, TrackingError> {
        let gate = self.0.gate(caller.account());
        let _starting = gate.lock().await;
        if !self.ids_of(caller.account())?.contains(race) {
            return Err(TrackingError::NoSuchRace);
        }
        self.carry_on(caller, race, reached.link).await?;
        Ok(StartedRace {
            race: race.clone(),
            outcome: StartOutcome::Continued,
            unreachable: reached.unreachable,
            left_out: reached.left_out,
            course_left_out: false,
            invitations: Vec::new(),
        })
    }

    /// The race of this account that has this link.
    pub(super) fn race_of_link(
        &self,
        account: &AccountId,
        link: &LiveTrackLink,
    ) -> Result<Option<RaceId>, StoreError> {
        for id in self.ids_of(account)? {
            let row = self.0.store.find::<RaceRow>(id.key())?;
            if row
                .and_then(|row| row.link)
                .is_some_and(|known| known.session_id == link.session_id)
            {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Watches a new race with this link, or the race that has it already. Nothing in here waits for Garmin, because
    /// the account's gate is held. A revocation stops the races under the same gate.
    pub(super) async fn begin(
        &self,
        caller: &RaceCaller,
        reached: ReachedLink,
        settings: RacePlan,
        course: Option<Course>,
    ) -> Result<StartedRace, TrackingError> {
        let (races, account) = (&self.0, caller.account());
        let ReachedLink {
            link,
            unreachable,
            left_out,
            ..
        } = reached;
        let started = |race: RaceId, outcome| StartedRace {
            race,
            outcome,
            unreachable,
            left_out,
            course_left_out: false,
            invitations: Vec::new(),
        };
        let settings = races.in_time_zone(settings);
        let gate = races.gate(account);
        let _starting = gate.lock().await;
        if let Some(id) = self.race_of_link(account, &link)? {
            if races.watched_race(&id).is_some() {
                return Ok(started(id, StartOutcome::Known));
            }
            self.carry_on(caller, &id, link).await?;
            return Ok(started(id, StartOutcome::Continued));
        }
        let ids = self.ids_of(account)?;
        let own = ids.iter().filter(|id| races.watched_race(id).is_some()).count();
        if own >= MOST_EACH {
            return Err(TrackingError::TooMany(own));
        }
        if self.count() >= MOST {
            return Err(TrackingError::GatewayFull(self.count()));
        }
        let id = self.create(caller, link, settings, course).await?;
        Ok(started(id, StartOutcome::New))
    }

    async fn create(
        &self,
        caller: &RaceCaller,
        link: LiveTrackLink,
        settings: RacePlan,
        course: Option<Course>,
    ) -> Result<RaceId, TrackingError> {
        let (id, now) = (RaceId::random(), self.0.clock.now());
        let state = RaceState {
            track: Track::new(settings.kind),
            row: RaceRow {
                account: caller.account().clone(),
                created_at: now,
                link: Some(link),
                settings,
            },
            progress: RaceProgress::new(now),
            course: course.clone().map(Arc::new),
            alerts: Vec::new(),
        };
        let (race, row, progress) = (id.clone(), state.row.clone(), state.progress.clone());
        let caller = caller.clone();
        let write = move |tx: &mut Tx<'_>| {
            if !caller.may_write(tx)? {
                return Err(TrackingError::AccessEnded);
            }
            tx.put(race.key(), &row)?;
            tx.put(race.key(), &progress)?;
            if let Some(course) = course {
                tx.put(race.key(), &CourseRow { course })?;
            }
            let of = AccountRace { race: race.clone() };
            tx.put(&account_key(&row.account, race.as_str()), &of)?;
            Ok(())
        };
        self.0.store.atomic(write).await?;
        tracing::info!(race.id = %id, account.id = %state.row.account, "race.started");
        self.spawn(id.clone(), state);
        Ok(id)
    }

    /// Continues a race with this link, whether it is still watched or over.
    async fn carry_on(
        &self,
        caller: &RaceCaller,
        id: &RaceId,
        link: LiveTrackLink,
    ) -> Result<(), TrackingError> {
        let races = &self.0;
        let race = races.watched_or_stored(id)?.ok_or(TrackingError::NoSuchRace)?;
        let now = races.clock.now();
        let changed = race.change(&races.store, &races.notifier, |state| {
            state.row.link = Some(link);
            state.progress.watch.carried_on(now);
            state.progress.done = false;
            Ok::<_, StoreError>(RaceChange {
                row: true,
                caller: Some(caller.clone()),
                ..RaceChange::default()
            })
        });
        let state = changed.await?.ok_or(TrackingError::AccessEnded)?;
        tracing::info!(race.id = %id, account.id = %state.row.account, "race.carried_on");
        match races.watched_race(id) {
            Some(race) => race.changed.notify_one(),
            None => self.spawn(id.clone(), RaceState::clone(&state)),
        }
        Ok(())
    }
}
