//! `analyze_activity`: one activity, its laps, its zones, its weather, and how even its pace was.

use serde_json::{Map, Value, json};

use super::compare::conditions;
use super::effort::Effort;
use super::figures::{failed, figure, object};
use super::laps::{Lap, are_intervals, endurance, laps, table};
use super::listing::{must_be_known, page, types_if_none};
use super::period::Period;
use super::volume::zone_seconds;
use crate::tools::call::ToolCall;
use crate::tools::fields::at;
use crate::tools::file_reading::FileReading;
use crate::tools::garmin_get::{FAILED, GarminGet};
use crate::tools::resources::activity_path;
use crate::tools::sport::{SportFamily, clock};
use crate::tools::table::{AnswerError, ToolAnswer};
use crate::tools::user_profile::USER_SETTINGS;

/// Shorter activities say nothing about drift, so their file is not requested.
const SHORTEST_S: f64 = 1_200.0;

/// The number of documents about one activity, before its file.
const DOCUMENTS: usize = 5;

/// How many days back the newest activity is looked for.
const YEAR: i64 = 366;

/// Requests the newest activity if none is given, then everything about it, then its file.
pub(super) fn step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    if let documents @ [activity, ..] = documents(call, answers)
        && documents.len() == DOCUMENTS
    {
        return file_of(activity);
    }
    let id = match (call.whole("activity_id"), answers) {
        (0, []) => {
            let period = Period::up_to(call.today, YEAR);
            return vec![page(period, &call.text("activity_type"), 0, 1)];
        }
        (0, [list]) => match list.get(0).and_then(Effort::read) {
            Some(effort) => Some(effort.id),
            None => return types_if_none(call, list),
        },
        (id, []) if id > 0 => Some(id),
        _ => None,
    };
    let Some(id) = id else {
        return Vec::new();
    };
    let path = format!("/activity-service/activity/{id}");
    let part = |name: &str| GarminGet::plain(&format!("{path}/{name}")).optional();
    vec![
        GarminGet::plain(&path),
        part("splits"),
        part("hrTimeInZones"),
        part("weather"),
        GarminGet::plain(USER_SETTINGS).optional(),
    ]
}

/// The documents about the activity itself, without the list that it was found in.
fn documents<'a, 'b>(call: &ToolCall, answers: &'a [&'b Value]) -> &'a [&'b Value] {
    let listed = usize::from(call.whole("activity_id") == 0);
    answers.get(listed..).unwrap_or_default()
}

/// The file of an activity that is long enough for a comparison of its halves, and has a speed.
fn file_of(activity: &Value) -> Vec<GarminGet> {
    let effort = Effort::read(activity).filter(|effort| {
        effort.moving_s >= SHORTEST_S
            && effort.bpm.is_some()
            && matches!(
                effort.family(),
                SportFamily::Run | SportFamily::Ride | SportFamily::Walk
            )
            && !is_parent(activity)
    });
    let file = effort.map(|effort| {
        let path = activity_path("fit", &effort.id.to_string());
        GarminGet::plain(&path).file(FileReading::Endurance).optional()
    });
    file.into_iter().collect()
}

/// Whether this is a multisport activity, whose parts are answered one by one.
fn is_parent(activity: &Value) -> bool {
    at(activity, "metadataDTO.childIds")
        .and_then(Value::as_array)
        .is_some_and(|parts| !parts.is_empty())
}

pub(super) fn analysis(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let documents = documents(call, answers);
    let [activity, splits, zones, weather, settings, file @ ..] = documents else {
        must_be_known(call, documents.first())?;
        return Ok(ToolAnswer::Nothing);
    };
    let Some(effort) = Effort::read(activity) else {
        return Ok(ToolAnswer::Nothing);
    };
    if is_parent(activity) {
        return Ok(ToolAnswer::Nothing);
    }
    let mut failures = Vec::new();
    let mut given = |name: &str, answer: &'_ Value| {
        let reason = answer.get(FAILED).and_then(Value::as_str);
        if let Some(reason) = reason {
            failures.push((name.to_owned(), reason.to_owned()));
        }
        reason.is_none() && !answer.is_null()
    };
    let laps = if given("laps", splits) {
        laps(splits)?
    } else {
        Vec::new()
    };
    let zones = if given("zones", zones) {
        zone_seconds(zones)?
    } else {
        None
    };
    let weather = given("weather", weather).then_some(*weather);
    let zones = zones.map(|zones| {
        let total: f64 = zones.iter().sum();
        json!({
            "minutes": zones.map(|seconds| figure(seconds / 60.0, 0)),
            "percent": zones.map(|seconds| figure(seconds / total.max(1.0) * 100.0, 0)),
        })
    });
    let recording = file.first().filter(|file| given("recording", file));
    let mut told = effort.told();
    if let (SportFamily::Run | SportFamily::Walk, Some(mps)) = (
        effort.family(),
        recording.and_then(|recording| at(recording, "grade_adjusted_mps")?.as_f64()),
    ) && mps > 0.1
    {
        told.insert(
            "grade_adjusted_pace_min_per_km".to_owned(),
            json!(clock(1_000.0 / mps)),
        );
    }
    let (halves, is_recorded) = halves(&laps, &effort, recording.copied());
    let rests_on = if is_recorded {
        "Garmin's summary, laps and zones; decoupling is from the recording, by time without pauses"
    } else {
        "Garmin's summary, laps and zones"
    };
    told.extend(object([
        ("weather", conditions(weather, settings).into()),
        ("heart_rate_zones", json!(zones)),
        ("second_half_against_first", halves.into()),
        ("laps", table(&laps, effort.family()).into()),
        (
            "rests_on",
            json!({
                "laps": laps.len(),
                "samples": recording.and_then(|recording| at(recording, "samples")),
                "of": rests_on,
            }),
        ),
        ("failed", failed(failures)),
    ]));
    Ok(ToolAnswer::Json(told.into()))
}

/// The second half against the first. The figures of the halves are from laps; the decoupling is from the recording
/// where there is one, because laps hide pauses and hills. The flag says whether the recording was used.
fn halves(laps: &[Lap], effort: &Effort, recording: Option<&Value>) -> (Map<String, Value>, bool) {
    let mut told = if laps.is_empty() {
        Map::new()
    } else {
        endurance(laps, effort.family())
    };
    let is_run = effort.family() != SportFamily::Ride;
    let recorded: Vec<(&str, Value)> = [
        ("decoupling_pace_percent", true),
        ("decoupling_grade_adjusted_percent", is_run),
        ("decoupling_power_percent", true),
    ]
    .into_iter()
    .filter(|(_, is_told)| *is_told && !are_intervals(laps))
    .filter_map(|(key, _)| Some((key, figure(at(recording?, key)?.as_f64()?, 1))))
    .collect();
    if recorded.is_empty() {
        return (told, false);
    }
    told.shift_remove("not_computed");
    told.extend(recorded.into_iter().map(|(key, value)| (key.to_owned(), value)));
    let note = "speed or power per heartbeat lost from the first half to the second; up to 5 percent is usual for a \
                well-paced steady effort";
    told.insert("note".to_owned(), json!(note));
    (told, true)
}
