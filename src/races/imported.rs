//! Races that another program watched. They are over: their points can be read, and nothing is polled.

use jiff::Timestamp;

use super::records::{AccountRace, RaceProgress, RaceRow, account_key};
use super::registry::Races;
use super::series;
use crate::accounts::AccountId;
use crate::garmin::livetrack::{LiveTrackLink, Trackpoint};
use crate::race::ending::EndReason;
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::race::schedule::RacePhase;
use crate::race::track::TrackSample;
use crate::store::{Store, StoreError, Tx};

/// A race as another program kept it.
#[derive(Clone, Debug)]
pub struct PastRace {
    pub settings: RacePlan,
    /// The link that was watched, if it is known.
    pub link: Option<LiveTrackLink>,
    /// In order of time, at least one.
    pub points: Vec<Trackpoint>,
}

impl PastRace {
    /// The time of the first point. It identifies the race among those of an account.
    pub fn began_at(&self) -> Option<Timestamp> {
        self.points.first().map(|point| point.at)
    }
}

impl Races {
    /// When the imported races of an account began. Other races have the time at which their watch began.
    pub fn imported_times(store: &Store, account: &AccountId) -> Result<Vec<Timestamp>, StoreError> {
        let mut times = Vec::new();
        for (_, of) in store.list::<AccountRace>(&account_key(account, ""))? {
            times.extend(store.find::<RaceRow>(of.race.key())?.map(|row| row.created_at));
        }
        Ok(times)
    }

    /// Stores a past race, inside a unit of work. Points of the same time are merged.
    pub fn import_within(tx: &mut Tx<'_>, account: &AccountId, past: PastRace) -> Result<(), StoreError> {
        let (Some(began_at), Some(ended_at)) = (past.began_at(), past.points.last().map(|last| last.at))
        else {
            return Ok(());
        };
        let race = RaceId::random();
        let mut progress = RaceProgress::new(began_at);
        progress.watch.phase = RacePhase::Over {
            reason: EndReason::Stale,
            at: ended_at,
        };
        progress.watch.last_ok_at = Some(ended_at);
        progress.watch.last_new_at = Some(ended_at);
        progress.done = true;
        let row = RaceRow {
            account: account.clone(),
            created_at: began_at,
            link: past.link,
            settings: past.settings,
        };
        tx.put(race.key(), &row)?;
        tx.put(race.key(), &progress)?;
        tx.put(
            &account_key(account, race.as_str()),
            &AccountRace { race: race.clone() },
        )?;
        let samples = past.points.into_iter().map(|point| TrackSample {
            seen_at: point.at,
            point,
        });
        series::append(tx, &race, samples.collect())?;
        Ok(())
    }
}
