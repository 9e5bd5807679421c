//! Reads the past activities of athletes who are watched in a race, for the outlook. It happens beside the race: if
//! Garmin does not answer, the race goes on with the usual slowdown, and the reading is tried again while it is watched.
//!
//! After each wait it checks again whether the race still lacks a fade and whether the person still has access.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use parking_lot::Mutex;
use serde_json::value::to_raw_value;

use crate::accounts::{Account, Accounts, GarminLogin};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::gateway::Gateway;
use crate::race::id::RaceId;
use crate::race::outlook::fade::OwnFade;
use crate::race::past::{PastReply, PastRequest, READ_PAST};
use crate::races::{FoundFade, Races, WantedFade};
use crate::store::StoreError;
use crate::workers::{UpstreamAnswer, UpstreamCall, WorkerError, Workers};

/// The time limit of one request, including a cold start of the worker and the wait for the shared pace.
const LIMIT: Duration = Duration::from_secs(200);
/// The wait after a failure.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(30);
/// The wait while the person's own worker holds the tokens.
const TRY_SOON: SignedDuration = SignedDuration::from_mins(1);
/// How far back the activities may be.
const MONTHS_BACK: i64 = 18;

/// The parts that the reading needs. Clones share everything.
#[derive(Clone)]
pub(super) struct FadeReading {
    pub(super) races: Races,
    pub(super) accounts: Accounts,
    pub(super) gateway: Gateway,
    /// Built-in workers, which read the activities.
    pub(super) workers: Workers,
    /// The people's own workers, if these run an external program.
    pub(super) own_workers: Option<Workers>,
    pub(super) clock: Clock,
    pub(super) lifecycle: Lifecycle,
}

/// The result of one attempt.
enum ReadStep {
    Kept,
    /// What was found is no longer wanted, or the person's access has ended.
    Dropped,
    Again(SignedDuration),
}

/// Starts the reading, for the races that are watched now and later.
pub(super) fn start(reading: FadeReading) {
    let lifecycle = reading.lifecycle.clone();
    lifecycle.spawn("fades", async move {
        let (stopping, mut lacking) = (reading.lifecycle.stopping(), reading.races.lacking_fades());
        let running: Arc<Mutex<BTreeSet<RaceId>>> = Arc::default();
        loop {
            let races = lacking.borrow_and_update().clone();
            for race in races {
                reading.spawn(race, &running);
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                _ = lacking.changed() => {}
            }
        }
    });
}

impl FadeReading {
    /// Starts the task of a race, unless it runs already.
    fn spawn(&self, race: RaceId, running: &Arc<Mutex<BTreeSet<RaceId>>>) {
        if !running.lock().insert(race.clone()) {
            return;
        }
        let (reading, running) = (self.clone(), Arc::clone(running));
        self.lifecycle.spawn("fade", async move {
            reading.read(&race, &running).await;
        });
    }

    /// Reads until the race lacks nothing, or until the program stops.
    async fn read(&self, race: &RaceId, running: &Mutex<BTreeSet<RaceId>>) {
        let stopping = self.lifecycle.stopping();
        loop {
            let Some(wanted) = self.races.wanted_fade(race) else {
                running.lock().remove(race);
                // It may have come to lack one again between the two lines.
                if self.races.wanted_fade(race).is_none() || !running.lock().insert(race.clone()) {
                    return;
                }
                continue;
            };
            let step = tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                step = self.step(race, &wanted) => step,
            };
            let wait = match step {
                Ok(ReadStep::Kept) => continue,
                // Usually the race is over, and lacks nothing any more.
                Ok(ReadStep::Dropped) if self.races.wanted_fade(race).is_none() => continue,
                Ok(ReadStep::Dropped) => TRY_AGAIN,
                Ok(ReadStep::Again(wait)) => wait,
                Err(reason) => {
                    tracing::error!(race.id = %race, %reason, "race.fade_not_kept");
                    TRY_AGAIN
                }
            };
            let until = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.clock.sleep_until(until) => {}
            }
        }
    }

    /// Finds out one thing that a race lacks.
    async fn step(&self, race: &RaceId, wanted: &WantedFade) -> Result<ReadStep, StoreError> {
        let Some(account) = self.accounts.find(&wanted.account)? else {
            return Ok(ReadStep::Dropped);
        };
        if !wanted.session.is_clearly(&account.full_name) {
            return self.keep(race, wanted, FoundFade::NotTheOwner).await;
        }
        // Garmin accepts each refresh token only once, so two workers of one person must not run at a time.
        let own = self.own_workers.as_ref();
        if own.is_some_and(|own| own.state(&account.id).is_some()) {
            return Ok(ReadStep::Again(TRY_SOON));
        }
        let permit = match account.garmin {
            GarminLogin::Working => self.gateway.begin_fill(&account.id)?,
            GarminLogin::SignInNeeded { .. } => None,
        };
        let Some(permit) = permit else {
            return Ok(ReadStep::Again(TRY_AGAIN));
        };
        let reply = tokio::select! {
            biased;
            () = permit.ended() => return Ok(ReadStep::Dropped),
            reply = self.request(&account, wanted) => reply,
        };
        let class = match reply {
            Ok(PastReply::Read(past)) => {
                let fade = OwnFade::of(wanted.sport, &past);
                return self.keep(race, wanted, FoundFade::Read(fade)).await;
            }
            Ok(PastReply::Failed(class)) => class,
            Err(_) => "worker".to_owned(),
        };
        tracing::warn!(race.id = %race, account.id = %account.id, sport = wanted.sport.word(), class, "race.fade_not_read");
        Ok(ReadStep::Again(TRY_AGAIN))
    }

    async fn keep(
        &self,
        race: &RaceId,
        wanted: &WantedFade,
        found: FoundFade,
    ) -> Result<ReadStep, StoreError> {
        if !self.races.keep_fade(race, wanted, found).await? {
            return Ok(ReadStep::Dropped);
        }
        let activities = match found {
            FoundFade::NotTheOwner => None,
            FoundFade::Read(fade) => Some(fade.map_or(0, |fade| fade.activities)),
        };
        tracing::info!(race.id = %race, account.id = %wanted.account, sport = wanted.sport.word(), activities, "race.fade_kept");
        Ok(ReadStep::Kept)
    }

    /// Asks the person's worker for the past activities of a sport, up to yesterday.
    async fn request(&self, account: &Account, wanted: &WantedFade) -> Result<PastReply, WorkerError> {
        let today = self.clock.now().to_zoned(TimeZone::UTC).date();
        let request = PastRequest {
            sport: wanted.sport,
            from: today.saturating_sub(MONTHS_BACK.months()),
            to: today.saturating_sub(1.day()),
        };
        let call = UpstreamCall {
            method: READ_PAST,
            params: to_raw_value(&request).ok(),
            read_only: true,
            progress: None,
            messages: None,
        };
        let answer = tokio::time::timeout(LIMIT, self.workers.call(&account.id, call)).await;
        let bad = |reason: &str| WorkerError::BadAnswer {
            reason: reason.to_owned(),
        };
        match answer.unwrap_or(Err(WorkerError::TimedOut))? {
            UpstreamAnswer::Result(result) => {
                serde_json::from_str(result.get()).map_err(|_| bad("no past activities"))
            }
            UpstreamAnswer::Error(_) => Err(bad("it refused to read past activities")),
        }
    }
}
