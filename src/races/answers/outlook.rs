//! Plan, distance left and outlook: `get_outlook`, `ask_crew_sheet`, and the parts that every answer about a race has.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::recipients::recipients;
use super::values::{clean, km, local, name, round, standing};
use crate::race::outlook::{self, ArrivalWindow, PlaceOutlook, PlaceState};
use crate::race::place_rule::{PlaceEvent, PlaceRule, RulePlace, read_kilometres, read_position};
use crate::race::plan::RacePlan;
use crate::race::recipients::Units;
use crate::race::snapshot::Snapshot;
use crate::race::text;
use crate::race::track::{SHORTEST_STOP_S, Stop};
use crate::race::trend;

/// How long before the early end of an arrival window a crew should be at a place.
const CREW_BEFORE: SignedDuration = SignedDuration::from_mins(10);

/// Kilometres that are this little beyond the finish are rounded ones; metres.
const BEYOND_M: f64 = 50.0;

const METRES_PER_MILE: f64 = 1609.344;

/// Adds plan, distance left, climb left and outlook to an answer about a race.
pub(super) fn with_outlook(snapshot: &Snapshot, answer: Value) -> Value {
    let Value::Object(mut members) = answer else {
        return answer;
    };
    members.insert("plan".into(), plan(snapshot));
    let unfit = snapshot.track.course_unfit;
    members.extend(unfit.map(|unfit| ("course_note".to_owned(), json!(unfit.sentence()))));
    members.extend(ahead(snapshot));
    Value::Object(members)
}

/// What lies ahead: distance, climb, and the arrival at the finish.
pub(super) fn ahead(snapshot: &Snapshot) -> Map<String, Value> {
    let goal = snapshot.goal();
    let is_finished = snapshot.is_finished();
    let left_m = goal.left_m().filter(|_| !is_finished);
    let climb_m = outlook::climb_left_m(goal).filter(|_| !is_finished);
    let mut members = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("distance_left_km", left_m.map(|left_m| json!(km(left_m))));
    add("climb_left_m", climb_m.map(|climb_m| json!(round(climb_m, 0))));
    let outlook = snapshot.outlook();
    let finish = outlook.as_ref().and_then(outlook::Outlook::finish);
    let view = match (&outlook, finish) {
        (Some(outlook), Some(finish)) => clean(json!({
            "finish": window(snapshot, &finish, None),
            "next": next(&outlook.places(), snapshot),
            "signal": silence(outlook.silence_s),
            "slowdown": snapshot.slowdown(outlook),
        })),
        _ => json!({"unknown": why_unknown(snapshot).told()}),
    };
    add("outlook", Some(view));
    members
}

/// Why there is no outlook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNoOutlook {
    Over,
    NoDistance,
    /// Too little of the race has been seen.
    TooEarly,
}

impl WhyNoOutlook {
    /// The reason in English, for Claude.
    fn told(self) -> &'static str {
        match self {
            Self::Over => "the race is over",
            Self::NoDistance => "the distance is not known; Claude can set it with update_race",
            Self::TooEarly => {
                "too little of the race has been seen; the outlook starts after 15 minutes and 1 km"
            }
        }
    }
}

pub fn why_unknown(snapshot: &Snapshot) -> WhyNoOutlook {
    if snapshot.watch.over().is_some() || snapshot.is_finished() {
        WhyNoOutlook::Over
    } else if snapshot.goal().whole_m().is_none() {
        WhyNoOutlook::NoDistance
    } else {
        WhyNoOutlook::TooEarly
    }
}

fn silence(silence_s: Option<f64>) -> Option<String> {
    silence_s.map(|silence_s| {
        format!(
            "no data for {}: the outlook is projected from the last point, and its window widens",
            text::minutes(silence_s)
        )
    })
}

/// An arrival as times of day and as race time, with the margin to a cut-off.
fn window(snapshot: &Snapshot, arrival: &ArrivalWindow, cutoff_s: Option<u32>) -> Value {
    let at = |race_s: f64| local(snapshot, outlook::at_race_time(&snapshot.track, race_s));
    clean(json!({
        "early": at(arrival.early_s),
        "likely": at(arrival.likely_s),
        "late": at(arrival.late_s),
        "likely_race_time": text::time(arrival.likely_s),
        "cutoff": cutoff_s.map(given_time),
        "margin": cutoff_s.map(|cutoff_s| signed(f64::from(cutoff_s) - arrival.likely_s)),
        "margin_if_late": cutoff_s.map(|cutoff_s| signed(f64::from(cutoff_s) - arrival.late_s)),
    }))
}

/// A difference of times, such as `+2:03` or `-1:00`.
fn signed(difference_s: f64) -> String {
    let sign = if difference_s < 0.0 { '-' } else { '+' };
    format!("{sign}{}", text::time(difference_s.abs()))
}

fn next(places: &[PlaceOutlook], snapshot: &Snapshot) -> Option<Value> {
    let ahead = |place: &&PlaceOutlook| matches!(place.state, PlaceState::Ahead(_));
    places.iter().find(ahead).map(|next| place(next, snapshot))
}

fn place(place: &PlaceOutlook, snapshot: &Snapshot) -> Value {
    let track = &snapshot.track;
    let race_time = |at: Timestamp| {
        track
            .started_at
            .map(|start| text::time(at.duration_since(start).as_secs_f64()))
    };
    let (state, mut members) = match &place.state {
        PlaceState::Passed(crossing) => (
            "passed",
            json!({
                "at": local(snapshot, track.true_time(crossing.at)),
                "race_time": race_time(crossing.at),
                "between": crossing.between.map(|(from, to)| json!([race_time(from), race_time(to)])),
                "cutoff": place.cutoff_s.map(given_time),
            }),
        ),
        PlaceState::Ahead(arrival) => ("ahead", window(snapshot, arrival, place.cutoff_s)),
        PlaceState::Unknown => ("unknown", json!({})),
    };
    if let Some(members) = members.as_object_mut() {
        members.insert("name".into(), json!(place.name));
        members.insert("km".into(), json!(km(place.at_m)));
        members.insert("state".into(), json!(state));
        let left_m = place.at_m - track.progress_m();
        if left_m > 0.0 && !matches!(place.state, PlaceState::Passed(_)) {
            members.insert("left_km".into(), json!(km(left_m)));
        }
        let target_s = place.target_s.map(|s| json!(given_time(s)));
        members.extend(target_s.map(|target| ("target".to_owned(), target)));
    }
    clean(members)
}

/// A time of the plan as h:mm:ss, so that it can be given back.
fn given_time(s: u32) -> String {
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// The plan of a race as it was given.
pub(super) fn plan(snapshot: &Snapshot) -> Value {
    let plan = &snapshot.settings;
    let time = |s: Option<u32>| s.map(given_time);
    let checkpoints: Vec<_> = plan
        .checkpoints
        .iter()
        .map(|at| {
            clean(json!({
                "name": at.name, "km": round(at.km, 2), "cutoff": time(at.cutoff_s), "target": time(at.target_s),
                "stop_min": at.stop_s.map(|s| s / 60),
            }))
        })
        .collect();
    let legs: Vec<_> = plan
        .legs
        .iter()
        .map(|leg| {
            clean(json!({"sport": leg.kind.word(), "km": km(leg.distance_m), "target": time(leg.target_s)}))
        })
        .collect();
    clean(json!({
        "type": plan.type_text,
        "distance_km": snapshot.goal().whole_m().map(km),
        "course": snapshot.course.as_ref().map(|course| course.describe()),
        "climb_m": snapshot.course.as_ref().and_then(|course| course.profile())
            .map(|profile| round(profile.climb_m(0.0, f64::INFINITY), 0)),
        "duration": time(plan.timed_s),
        "target_time": time(plan.target_time_s),
        "checkpoints": (!checkpoints.is_empty()).then_some(checkpoints),
        "legs": (!legs.is_empty()).then_some(legs),
        "fuel": plan.fuel,
        "notes": plan.notes,
        "time_zone": plan.time_zone,
        "watched_places": (!plan.place_rules.is_empty()).then(|| place_rules(snapshot)),
        "recipients": (!plan.recipients.is_empty()).then(|| recipients(plan)),
    }))
}

/// The alerts about places that the person asked for.
pub fn place_rules(snapshot: &Snapshot) -> Vec<Value> {
    let rule = |rule: &PlaceRule| {
        let at = match rule.place {
            RulePlace::Finish => json!({}),
            RulePlace::Mark { at_m } => json!({"km": km(at_m)}),
            RulePlace::Circle { lat, lon, radius_m } => {
                json!({"position": [round(lat, 5), round(lon, 5)], "radius_m": radius_m})
            }
        };
        let (event, by) = match rule.event {
            PlaceEvent::NotThereBy(by) => ("not_there_by", Some(local(snapshot, by))),
            PlaceEvent::Enters => ("enters", None),
            PlaceEvent::Leaves => ("leaves", None),
        };
        let mut members = Map::from_iter([
            ("place".to_owned(), json!(rule.name)),
            ("tell".to_owned(), json!(event)),
        ]);
        members.extend(by.map(|by| ("by".to_owned(), json!(by))));
        members.extend(at.as_object().cloned().unwrap_or_default());
        Value::Object(members)
    };
    snapshot.settings.place_rules.iter().map(rule).collect()
}

/// A place that somebody asks for: a checkpoint by name, the finish, kilometres from the start, or a position on the
/// course. `None` also for a place beyond the finish ([`beyond_finish`]).
pub fn find_place(snapshot: &Snapshot, asked: &str) -> Option<PlaceOutlook> {
    let asked = asked.trim();
    let outlook = snapshot.outlook();
    let mut known = snapshot.places().into_iter();
    if let Some(found) = known.find(|place| place.name.eq_ignore_ascii_case(asked)) {
        return Some(found);
    }
    if beyond_finish(snapshot, asked).is_some() {
        return None;
    }
    let at_m = read_kilometres(asked).or_else(|| {
        let course = snapshot.course.as_ref()?;
        let near_m = snapshot.track.progress_m();
        Some(course.place(read_position(asked)?, Some(near_m))?.along_m)
    })?;
    let state = match snapshot.passed(at_m) {
        Some(crossing) => PlaceState::Passed(crossing),
        None => outlook
            .and_then(|outlook| outlook.at(at_m))
            .map_or(PlaceState::Unknown, PlaceState::Ahead),
    };
    Some(PlaceOutlook {
        name: asked.to_owned(),
        at_m,
        cutoff_s: None,
        target_s: None,
        state,
    })
}

/// The length of the race in metres, if somebody asks for kilometres beyond its finish.
pub fn beyond_finish(snapshot: &Snapshot, asked: &str) -> Option<f64> {
    let whole_m = snapshot
        .goal()
        .whole_m()
        .filter(|_| snapshot.settings.timed_s.is_none())?;
    let is_beyond = read_kilometres(asked.trim()).is_some_and(|at_m| at_m > whole_m + BEYOND_M);
    is_beyond.then_some(whole_m)
}

/// `get_outlook`. `asked` is the place that the call names.
pub fn outlook(snapshot: &Snapshot, asked: Option<&PlaceOutlook>) -> Value {
    let goal = snapshot.goal();
    let track = &snapshot.track;
    let places: Vec<_> = snapshot
        .places()
        .iter()
        .map(|known| place(known, snapshot))
        .collect();
    let stops = track.stops().iter().chain(track.standing());
    let lost_s: f64 = stops
        .map(Stop::duration_s)
        .filter(|s| *s >= SHORTEST_STOP_S)
        .sum();
    let hour = trend::last_hour(goal).map(|hour| {
        clean(json!({
            "distance_km": km(hour.distance_m),
            "standing": text::time(hour.stood_s),
            "gained_on_plan": hour.gained_s.filter(|s| *s >= 0.5).map(text::time),
            "lost_on_plan": hour.gained_s.filter(|s| *s <= -0.5).map(|s| text::time(-s)),
        }))
    });
    with_outlook(
        snapshot,
        clean(json!({
            "race": snapshot.race.as_str(),
            "name": name(snapshot),
            "state": standing(snapshot).name(),
            "now": local(snapshot, snapshot.now),
            "window": "four of five arrivals should fall between early and late",
            "place": asked.map(|asked| place(asked, snapshot)),
            "places": places,
            "time_lost_at_stops": text::time(lost_s),
            "last_hour": hour,
            "heart_rate_drift_percent": trend::drift_percent(track).map(|percent| round(percent, 1)),
            "off_course_m": track.off_course_m.filter(|m| *m > 50.0).map(|m| round(m, 0)),
            "battery": "unknown: LiveTrack does not report it",
            "weather": "unknown: LiveTrack does not report it",
        })),
    )
}

/// `ask_crew_sheet`: where to stand next and when.
pub fn crew_sheet(snapshot: &Snapshot) -> Value {
    let outlook = snapshot.outlook();
    let plan: &RacePlan = &snapshot.settings;
    let in_miles = plan.recipients.iter().any(|to| to.units == Units::Imperial);
    let stops: Vec<_> = snapshot
        .places()
        .iter()
        .filter(|known| !matches!(known.state, PlaceState::Passed(_)) && !snapshot.is_finished())
        .map(|known| {
            let mut row = place(known, snapshot);
            let at = plan.checkpoints.iter().find(|at| at.name == known.name);
            let position = snapshot
                .course
                .as_ref()
                .and_then(|course| course.position_at(known.at_m));
            let be_there = match &known.state {
                PlaceState::Ahead(arrival) => outlook::at_race_time(&snapshot.track, arrival.early_s)
                    .checked_sub(CREW_BEFORE)
                    .ok(),
                _ => None,
            };
            if let Some(row) = row.as_object_mut() {
                let mut add = |name: &str, value: Option<Value>| {
                    row.extend(value.map(|value| (name.to_owned(), value)));
                };
                add("be_there_by", be_there.map(|at| json!(local(snapshot, at))));
                add(
                    "planned_stop_min",
                    at.and_then(|at| at.stop_s).map(|s| json!(s / 60)),
                );
                add(
                    "where",
                    position.map(|at| json!({"lat": round(at.lat, 5), "lon": round(at.lon, 5)})),
                );
                add(
                    "mile",
                    in_miles.then(|| json!(round(known.at_m / METRES_PER_MILE, 1))),
                );
            }
            row
        })
        .collect();
    with_outlook(
        snapshot,
        clean(json!({
            "race": snapshot.race.as_str(),
            "name": name(snapshot),
            "state": standing(snapshot).name(),
            "now": local(snapshot, snapshot.now),
            "athlete_at_km": km(snapshot.track.progress_m()),
            "places": stops,
            "signal": outlook.and_then(|outlook| silence(outlook.silence_s)),
        })),
    )
}
