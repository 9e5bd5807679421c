//! Races as the console and the CLI show them.

use serde_json::{Map, Value};

use super::api::AdminRefusal;
use super::service::AdminService;
use super::views::{CutoffView, RaceDetail, RacePlaceView, RaceView, TrackPointView};
use crate::accounts::AccountId;
use crate::race::id::RaceId;
use crate::race::outlook::{ArrivalWindow, PlaceOutlook, PlaceState, at_race_time};
use crate::race::pacing::planned_s;
use crate::race::snapshot::Snapshot;
use crate::race::track::Track;
use crate::races::{RaceActError, RaceOverview, TrackingError, answers};
use jiff::Timestamp;

/// The maximum number of points sent for drawing.
const MAX_DRAWN: usize = 600;

/// Parts in which an elevation profile is drawn.
const PROFILE_PARTS: u32 = 240;

impl From<RaceActError> for AdminRefusal {
    fn from(e: RaceActError) -> Self {
        match e {
            RaceActError::Store(e) => e.into(),
            RaceActError::NoSuchRace => Self::NotFound("there is no such race; `races` lists them".into()),
            RaceActError::NoSuchShare => {
                Self::NotFound("the race has no such share; `races shares` lists them".into())
            }
            RaceActError::Look(e) => Self::Unavailable(e.to_string()),
            RaceActError::NoSuchLink => Self::NotFound(e.to_string()),
            RaceActError::Over
            | RaceActError::TooManyShares
            | RaceActError::OnLinkAlready
            | RaceActError::TooManyAthletes
            | RaceActError::NoSuchPlace
            | RaceActError::TooManyPlaces
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
    /// All races of all accounts, newest first.
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
            profile: profile(snapshot),
            progress_m: track.started_at.map(|_| track.progress_m()),
            places: snapshot.places().iter().map(|at| place(track, at)).collect(),
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
            recipients: snapshot
                .settings
                .recipients
                .iter()
                .map(|one| answers::recipient_line(one, &view.waiting))
                .collect(),
            shares: self.shares(id.as_str())?,
        })
    }
}

fn row(view: &RaceOverview) -> RaceView {
    let (snapshot, track) = (&view.snapshot, &view.snapshot.track);
    let outlook = snapshot.outlook();
    let goal = snapshot.goal();
    let finished_at = snapshot.finish().map(|crossing| crossing.at);
    let last_at = track.last.map(|last| track.true_time(last.at));
    RaceView {
        id: snapshot.race.to_string(),
        account: snapshot.account.to_string(),
        name: answers::name(snapshot),
        state: answers::standing(snapshot).name().replace('_', " "),
        started_at: track.started_at.map(|at| track.true_time(at)),
        last_point_at: last_at,
        distance_m: track.started_at.map(|_| track.distance_m()),
        points: track.points as u64,
        last_alert: snapshot.alerts.last().map(|alert| alert.text.clone()),
        athlete: snapshot
            .watch
            .session
            .as_ref()
            .and_then(|session| session.athlete.clone()),
        ended_at: snapshot.watch.over().and(last_at),
        finished_at: finished_at.map(|at| track.true_time(at)),
        whole_m: goal.whole_m(),
        finish: outlook
            .as_ref()
            .and_then(|outlook| Some(times(track, &outlook.finish()?))),
        ahead_of_plan_s: ahead_of_plan_s(snapshot, finished_at),
        next_cutoff: outlook.and_then(|outlook| next_cutoff(&outlook.places())),
    }
}

fn ahead_of_plan_s(snapshot: &Snapshot, finished_at: Option<Timestamp>) -> Option<f64> {
    let (track, goal) = (&snapshot.track, snapshot.goal());
    let started_at = track.started_at?;
    let (at_m, race_s) = match (finished_at, goal.whole_m()) {
        (Some(at), Some(whole_m)) => (whole_m, at.duration_since(started_at).as_secs_f64()),
        _ => (track.progress_m(), track.elapsed_s()),
    };
    Some(planned_s(goal, at_m)? - race_s)
}

fn next_cutoff(places: &[PlaceOutlook]) -> Option<CutoffView> {
    places.iter().find_map(|place| match place.state {
        PlaceState::Ahead(arrival) => Some(CutoffView {
            place: place.name.clone(),
            margin_s: f64::from(place.cutoff_s?) - arrival.likely_s,
        }),
        PlaceState::Passed(_) | PlaceState::Unknown => None,
    })
}

fn times(track: &Track, arrival: &ArrivalWindow) -> [Timestamp; 3] {
    [arrival.early_s, arrival.likely_s, arrival.late_s].map(|race_s| at_race_time(track, race_s))
}

fn place(track: &Track, place: &PlaceOutlook) -> RacePlaceView {
    let (passed_at, arrival) = match &place.state {
        PlaceState::Passed(crossing) => (Some(track.true_time(crossing.at)), None),
        PlaceState::Ahead(arrival) => (None, Some(times(track, arrival))),
        PlaceState::Unknown => (None, None),
    };
    let cutoff_s = place.cutoff_s.filter(|_| track.started_at.is_some());
    RacePlaceView {
        name: place.name.clone(),
        at_m: place.at_m,
        passed_at,
        arrival,
        cutoff_at: cutoff_s.map(|cutoff_s| at_race_time(track, f64::from(cutoff_s))),
    }
}

/// The elevation along the course, in equal parts.
fn profile(snapshot: &Snapshot) -> Vec<(f64, f64)> {
    let Some(course) = snapshot.course.as_ref() else {
        return Vec::new();
    };
    let Some(profile) = course.profile() else {
        return Vec::new();
    };
    let at_m = |part: u32| f64::from(part) / f64::from(PROFILE_PARTS) * course.length_m();
    (0..=PROFILE_PARTS)
        .map(|part| (at_m(part), profile.altitude_m(at_m(part))))
        .collect()
}

fn label(metres: f64) -> String {
    format!("{:.1} km", metres / 1000.0)
}
