//! Races as the console and the CLI show them.

use serde_json::{Map, Value};

use super::api::AdminRefusal;
use super::service::AdminService;
use super::views::{RaceDetail, RaceView, TrackPointView};
use crate::accounts::AccountId;
use crate::race::id::RaceId;
use crate::races::{RaceActError, RaceOverview, TrackingError, answers};
use jiff::Timestamp;

/// The maximum number of points sent for drawing.
const MAX_DRAWN: usize = 600;

impl From<RaceActError> for AdminRefusal {
    fn from(e: RaceActError) -> Self {
        match e {
            RaceActError::Store(e) => e.into(),
            RaceActError::NoSuchRace => Self::NotFound("there is no such race; `races` lists them".into()),
            RaceActError::Look(e) => Self::Unavailable(e.to_string()),
            RaceActError::Over
            | RaceActError::AccessEnded
            | RaceActError::Fields(_)
            | RaceActError::Course(_) => Self::Invalid(e.to_string()),
        }
    }
}

impl From<TrackingError> for AdminRefusal {
    fn from(e: TrackingError) -> Self {
        match e {
            TrackingError::Store(e) => e.into(),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl AdminService {
    /// All races, newest first.
    pub(super) fn races(&self) -> Result<Vec<RaceView>, AdminRefusal> {
        Ok(self.rooms.races.all()?.iter().map(row).collect())
    }

    /// The race with this id, and its account.
    pub(super) fn race_of(&self, text: &str) -> Result<(AccountId, RaceId), AdminRefusal> {
        let missing = || AdminRefusal::NotFound(format!("there is no race {text}; `races` lists them"));
        let id: RaceId = text.trim().parse().map_err(|_| missing())?;
        let owner = self.rooms.races.owner(&id)?.ok_or_else(missing)?;
        Ok((owner, id))
    }

    pub(super) fn race(&self, text: &str) -> Result<RaceDetail, AdminRefusal> {
        let (account, id) = self.race_of(text)?;
        let races = &self.rooms.races;
        let view = races.view(&account, &id)?.ok_or(RaceActError::NoSuchRace)?;
        let samples = races.samples(&account, &id, Timestamp::UNIX_EPOCH, Timestamp::MAX)?;
        let (snapshot, track) = (&view.snapshot, &view.snapshot.track);
        let every = samples.len().div_ceil(MAX_DRAWN).max(1);
        let last = samples.len().saturating_sub(1);
        let drawn = samples
            .iter()
            .enumerate()
            .filter(|(i, _)| i % every == 0 || *i == last);
        let mut before: Option<Timestamp> = None;
        let drawn = drawn.map(|(_, sample)| {
            let (point, since) = (&sample.point, before.replace(sample.point.at));
            let crossed = |from: Timestamp| {
                track
                    .gaps
                    .iter()
                    .any(|gap| gap.from >= from && gap.to <= point.at)
            };
            TrackPointView {
                at: point.at,
                position: point.position.map(|place| (place.lat, place.lon)),
                distance_m: point.total_distance_m.or(point.distance_m),
                heart_bpm: point.heart_rate_bpm.map(f64::from),
                power_w: point.power_w.map(f64::from),
                speed_mps: point.speed_mps,
                after_gap: since.is_some_and(crossed),
            }
        });
        let limits = match serde_json::to_value(&snapshot.settings.thresholds) {
            Ok(Value::Object(limits)) => limits,
            _ => Map::new(),
        };
        let course = snapshot.course.as_ref();
        Ok(RaceDetail {
            race: row(&view),
            track: drawn.collect(),
            course: course.map_or_else(Vec::new, |course| {
                course.places().map(|p| (p.lat, p.lon)).collect()
            }),
            limits,
            splits: track
                .splits
                .iter()
                .map(|split| (label(split.to_m), split.duration_s))
                .collect(),
            alerts: snapshot
                .alerts
                .iter()
                .map(|alert| (alert.at, alert.text.clone()))
                .collect(),
            last_words: view.last_words.clone(),
        })
    }
}

fn row(view: &RaceOverview) -> RaceView {
    let (snapshot, track) = (&view.snapshot, &view.snapshot.track);
    RaceView {
        id: snapshot.race.to_string(),
        account: snapshot.account.to_string(),
        name: answers::name(snapshot),
        state: answers::standing(snapshot).name().replace('_', " "),
        started_at: track.started_at.map(|at| track.true_time(at)),
        last_point_at: track.last.map(|last| track.true_time(last.at)),
        distance_m: track.started_at.map(|_| track.distance_m()),
        points: track.points as u64,
        last_alert: snapshot.alerts.last().map(|alert| alert.text.clone()),
    }
}

fn label(metres: f64) -> String {
    format!("{:.1} km", metres / 1000.0)
}
