//! Reads the past activities of athletes who are watched in a race, for the outlook. It happens beside the race: if
//! Garmin does not answer, the race goes on with the usual slowdown, and the reading is tried again while it is watched.
//!
//! After each wait it checks again whether the race still lacks a fade and whether the person still has access.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use parking_lot::Mutex;

use super::reader::BackgroundReader;
use crate::accounts::GarminLogin;
use crate::race::id::RaceId;
use crate::race::outlook::fade::OwnFade;
use crate::race::past::{PastReply, PastRequest, READ_PAST};
use crate::races::{FoundFade, Races, WantedFade};
use crate::store::StoreError;

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
    pub(super) reader: BackgroundReader,
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
    let lifecycle = reading.reader.lifecycle.clone();
    let stopping = lifecycle.stopping();
    lifecycle.spawn("fades", async move {
        let mut lacking = reading.races.lacking_fades();
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
        self.reader.lifecycle.spawn("fade", async move {
            reading.read(&race, &running).await;
        });
    }

    /// Reads until the race lacks nothing, or until the program stops.
    async fn read(&self, race: &RaceId, running: &Mutex<BTreeSet<RaceId>>) {
        let stopping = self.reader.lifecycle.stopping();
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
            let now = self.reader.clock.now();
            let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.reader.clock.sleep_until(until) => {}
            }
        }
    }

    /// Finds out one thing that a race lacks.
    async fn step(&self, race: &RaceId, wanted: &WantedFade) -> Result<ReadStep, StoreError> {
        let Some(account) = self.reader.accounts.find(&wanted.account)? else {
            return Ok(ReadStep::Dropped);
        };
        if !wanted.session.is_clearly(&account.full_name) {
            return self.keep(race, wanted, FoundFade::NotTheOwner).await;
        }
        if self.reader.must_wait(&account.id) {
            return Ok(ReadStep::Again(TRY_SOON));
        }
        let permit = match account.garmin {
            GarminLogin::Working => self.reader.gateway.begin_fill(&account.id)?,
            GarminLogin::SignInNeeded { .. } => None,
        };
        let Some(permit) = permit else {
            return Ok(ReadStep::Again(TRY_AGAIN));
        };
        let request = self.request(wanted);
        let reply = tokio::select! {
            biased;
            () = permit.ended() => return Ok(ReadStep::Dropped),
            reply = self.reader.read(&account.id, READ_PAST, &request) => reply,
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

    /// The past activities of a sport, up to yesterday.
    fn request(&self, wanted: &WantedFade) -> PastRequest {
        let today = self.reader.clock.now().to_zoned(TimeZone::UTC).date();
        PastRequest {
            sport: wanted.sport,
            from: today.saturating_sub(MONTHS_BACK.months()),
            to: today.saturating_sub(1.day()),
        }
    }
}
