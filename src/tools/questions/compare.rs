//! `compare_activities` and `find_similar_activities`: several activities side by side, with their weather.

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::effort::Effort;
use super::figures::{columns, failed, figure_or_null, median, object};
use super::listing::{must_be_known, page, types_if_none};
use super::period::Period;
use crate::tools::activity_management::{celsius, wind_mps};
use crate::tools::call::ToolCall;
use crate::tools::fields::{at, list};
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::table::{AnswerError, ToolAnswer};
use crate::tools::user_profile::USER_SETTINGS;

/// How many days back activities are looked for.
const YEAR: i64 = 366;
/// How many of the listed activities are looked through.
const LISTED: usize = 200;
/// The most activities of one comparison.
pub(super) const MOST: usize = 10;
/// The most similar activities in one answer.
const SIMILAR: usize = 6;
/// The largest difference in distance or duration, as a share.
const NEAR: f64 = 0.2;

fn activity(id: i64) -> GarminGet {
    GarminGet::plain(&format!("/activity-service/activity/{id}"))
}

fn weather(id: i64) -> GarminGet {
    GarminGet::plain(&format!("/activity-service/activity/{id}/weather")).optional()
}

fn settings() -> GarminGet {
    GarminGet::plain(USER_SETTINGS).optional()
}

fn ids(call: &ToolCall) -> Result<Vec<i64>, AnswerError> {
    let text = call.text("activity_ids");
    let wrong = || {
        AnswerError::Argument(format!(
            "activity_ids must be up to {MOST} ids with commas between them, not {text:?}"
        ))
    };
    let mut ids = Vec::new();
    for id in text.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let id = id.parse().ok().filter(|id| *id > 0).ok_or_else(wrong)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.len() > MOST { Err(wrong()) } else { Ok(ids) }
}

pub(super) fn compare_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    let Ok(ids) = ids(call) else {
        return Vec::new();
    };
    match answers {
        [] if !ids.is_empty() => {
            let both = ids
                .into_iter()
                .flat_map(|id| [activity(id).optional(), weather(id)]);
            std::iter::once(settings()).chain(both).collect()
        }
        [] => vec![
            settings(),
            page(
                Period::up_to(call.today, YEAR),
                &call.text("activity_type"),
                0,
                LISTED,
            ),
        ],
        [_, list] if ids.is_empty() => {
            let weathers = latest(call, list).into_iter().map(|effort| weather(effort.id));
            weathers.chain(types_if_none(call, list)).collect()
        }
        _ => Vec::new(),
    }
}

/// The newest activities of a list that are long enough.
fn latest(call: &ToolCall, list: &Value) -> Vec<Effort> {
    let shortest_s = call.whole("min_minutes") as f64 * 60.0;
    let last = usize::try_from(call.whole("last")).unwrap_or(MOST).min(MOST);
    let efforts = list.as_array().into_iter().flatten().filter_map(Effort::read);
    efforts
        .filter(|effort| effort.duration_s >= shortest_s)
        .take(last)
        .collect()
}

pub(super) fn compare(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let ids = ids(call)?;
    let Some((settings, rest)) = answers.split_first() else {
        return Ok(ToolAnswer::Nothing);
    };
    let mut failures = Vec::new();
    let mut compared: Vec<(Effort, Option<&Value>)> = Vec::new();
    if ids.is_empty() {
        let Some((listed, weathers)) = rest.split_first() else {
            return Ok(ToolAnswer::Nothing);
        };
        if list(listed, "")?.is_empty() {
            must_be_known(call, weathers.first())?;
        }
        let weathers = weathers.iter().copied().map(Some).chain(std::iter::repeat(None));
        compared.extend(latest(call, listed).into_iter().zip(weathers));
    } else {
        for (id, pair) in ids.into_iter().zip(rest.chunks(2)) {
            match pair.first().and_then(|document| Effort::read(document)) {
                Some(effort) => compared.push((effort, pair.get(1).copied())),
                None => failures.push((format!("activity {id}"), reason(pair.first()))),
            }
        }
        compared.sort_by_key(|(effort, _)| Reverse(effort.start));
    }
    if compared.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    for (effort, weather) in &compared {
        if weather.is_some_and(|weather| weather.get(FAILED).is_some()) {
            failures.push((
                format!("weather of activity {}", effort.id),
                reason(weather.as_ref()),
            ));
        }
    }
    let rows: Vec<Map<String, Value>> = compared
        .iter()
        .map(|(effort, weather)| row(effort, *weather, settings))
        .collect();
    let mut told = object([
        ("count", json!(rows.len())),
        ("activities", columns(&rows).into()),
    ]);
    if let [(newer, newer_weather), (older, older_weather)] = compared.as_slice() {
        let difference = against(
            &[(newer, temperature(*newer_weather))],
            &[(older, temperature(*older_weather))],
        );
        told.insert("newer_against_older".to_owned(), difference.into());
    }
    told.extend(object([("failed", failed(failures))]));
    Ok(ToolAnswer::Json(told.into()))
}

fn reason(answer: Option<&&Value>) -> String {
    answer
        .and_then(|answer| answer.get(FAILED)?.as_str())
        .unwrap_or("no data")
        .to_owned()
}

fn temperature(weather: Option<&Value>) -> Option<f64> {
    celsius(weather?, "temp")
}

/// The weather at the start of an activity.
pub(super) fn conditions(weather: Option<&Value>, settings: &Value) -> Map<String, Value> {
    let Some(weather) = weather else {
        return Map::new();
    };
    let text = at(weather, "weatherTypeDTO.desc").or_else(|| at(weather, "weatherTypeDTO.weatherTypeDesc"));
    object([
        ("temperature_c", figure_or_null(celsius(weather, "temp"), 0)),
        (
            "feels_like_c",
            figure_or_null(celsius(weather, "apparentTemp"), 0),
        ),
        (
            "humidity_percent",
            at(weather, "relativeHumidity").cloned().unwrap_or_default(),
        ),
        ("wind_mps", figure_or_null(wind_mps(weather, settings), 1)),
        ("weather", text.cloned().unwrap_or_default()),
    ])
}

fn row(effort: &Effort, weather: Option<&Value>, settings: &Value) -> Map<String, Value> {
    let mut row = effort.row();
    row.extend(conditions(weather, settings));
    row
}

/// The medians of some activities against those of others.
fn against(these: &[(&Effort, Option<f64>)], those: &[(&Effort, Option<f64>)]) -> Map<String, Value> {
    let both = |of: &dyn Fn(&Effort, Option<f64>) -> Option<f64>| {
        let middle = |efforts: &[(&Effort, Option<f64>)]| {
            median(
                efforts
                    .iter()
                    .filter_map(|(effort, celsius)| of(effort, *celsius)),
            )
        };
        middle(these).zip(middle(those))
    };
    let difference =
        |of: &dyn Fn(&Effort, Option<f64>) -> Option<f64>| both(of).map(|(this, that)| this - that);
    let percent = |of: &dyn Fn(&Effort, Option<f64>) -> Option<f64>| {
        both(of).map(|(this, that)| (this / that - 1.0) * 100.0)
    };
    object([
        (
            "distance_percent",
            figure_or_null(
                percent(&|effort, _| Some(effort.distance_m).filter(|metres| *metres > 0.0)),
                0,
            ),
        ),
        (
            "speed_percent",
            figure_or_null(percent(&|effort, _| effort.speed_mps()), 1),
        ),
        (
            "pace_s_per_km",
            figure_or_null(
                difference(&|effort, _| effort.speed_mps().map(|mps| 1_000.0 / mps)),
                0,
            ),
        ),
        ("avg_bpm", figure_or_null(difference(&|effort, _| effort.bpm), 0)),
        (
            "metres_per_beat_percent",
            figure_or_null(percent(&|effort, _| effort.metres_per_beat()), 1),
        ),
        (
            "climb_m",
            figure_or_null(difference(&|effort, _| effort.climb_m), 0),
        ),
        (
            "training_load",
            figure_or_null(difference(&|effort, _| effort.load), 0),
        ),
        (
            "temperature_c",
            figure_or_null(difference(&|_, celsius| celsius), 0),
        ),
    ])
}

/// Requests the activity, then the list of its type, then the weather of all activities in the answer.
pub(super) fn similar_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    let period = Period::up_to(call.today, YEAR);
    match answers {
        [] => match call.whole("activity_id") {
            0 => vec![page(period, &call.text("activity_type"), 0, 1)],
            id => vec![activity(id)],
        },
        [reference] => match reference_of(reference) {
            Some(effort) => vec![page(period, &effort.type_key, 0, LISTED), settings()],
            None => types_if_none(call, reference),
        },
        [reference, listed, _] => {
            let Some(reference) = reference_of(reference) else {
                return Vec::new();
            };
            let similar = similar_to(&reference, listed);
            std::iter::once(&reference)
                .chain(&similar)
                .map(|effort| weather(effort.id))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The activity itself: a document, or the only entry of a list.
fn reference_of(answer: &Value) -> Option<Effort> {
    Effort::read(answer.as_array().map_or(Some(answer), |list| list.first())?)
}

/// The activities of a list that are most like this one in distance (or duration) and climbing, newest first.
fn similar_to(reference: &Effort, listed: &Value) -> Vec<Effort> {
    let size = |effort: &Effort| {
        if reference.distance_m > 0.0 {
            effort.distance_m
        } else {
            effort.duration_s
        }
    };
    let steepness = |effort: &Effort| effort.climb_m.unwrap_or(0.0) / (effort.distance_m / 1_000.0).max(0.1);
    let distance = |effort: &Effort| {
        let by_size = (size(effort) / size(reference).max(1.0) - 1.0).abs();
        let by_climb = (steepness(effort) - steepness(reference)).abs() / 100.0;
        (by_size <= NEAR).then_some(by_size + by_climb)
    };
    let efforts = listed.as_array().into_iter().flatten().filter_map(Effort::read);
    let mut near: Vec<(f64, Effort)> = efforts
        .filter(|effort| effort.id != reference.id)
        .filter_map(|effort| Some((distance(&effort)?, effort)))
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.truncate(SIMILAR);
    let mut similar: Vec<Effort> = near.into_iter().map(|(_, effort)| effort).collect();
    similar.sort_by_key(|effort| Reverse(effort.start));
    similar
}

pub(super) fn similar(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let [reference, listed, settings, weathers @ ..] = answers else {
        must_be_known(call, answers.get(1))?;
        return Ok(ToolAnswer::Nothing);
    };
    let Some(reference) = reference_of(reference) else {
        return Ok(ToolAnswer::Nothing);
    };
    let looked_through = list(listed, "")?.len();
    let similar = similar_to(&reference, listed);
    let own_weather = weathers.first().copied();
    let others: Vec<(&Effort, Option<&Value>)> = similar
        .iter()
        .zip(
            weathers
                .iter()
                .skip(1)
                .copied()
                .map(Some)
                .chain(std::iter::repeat(None)),
        )
        .collect();
    let rows: Vec<Map<String, Value>> = others
        .iter()
        .map(|(effort, weather)| row(effort, *weather, settings))
        .collect();
    let mut told = object([("activity", row(&reference, own_weather, settings).into())]);
    if !rows.is_empty() {
        let measured: Vec<(&Effort, Option<f64>)> = others
            .iter()
            .map(|(effort, weather)| (*effort, temperature(*weather)))
            .collect();
        told.insert("similar".to_owned(), columns(&rows).into());
        told.insert(
            "against_the_median_of_similar".to_owned(),
            against(&[(&reference, temperature(own_weather))], &measured).into(),
        );
    }
    told.insert(
        "rests_on".to_owned(),
        json!({
            "similar": format!("same type, distance (or duration) within {:.0} percent, and alike in climbing", NEAR * 100.0),
            "found": rows.len(),
            "looked_through": format!("the newest {looked_through} of this type in a year"),
        }),
    );
    let failures = weathers
        .iter()
        .filter(|weather| weather.get(FAILED).is_some())
        .map(|weather| ("weather of an activity".to_owned(), reason(Some(weather))));
    told.extend(object([("failed", failed(failures))]));
    Ok(ToolAnswer::Json(told.into()))
}
