//! Tools that read an activity's file: garmin_mcp's module `activity_analysis`, and two of our own.
//!
//! The worker downloads a file, turns it into a small document at once ([`read`]) and forgets the file. The tool's
//! answer is then built from that document, as from any other answer of Garmin.

mod fit_data;
mod messages;
mod shifts;
mod timeseries;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Value, json};

use super::activity_management::known_type;
use super::call::ToolCall;
use super::fields::{at, list};
use super::file_reading::FileReading;
use super::garmin_get::{FAILED, GarminGet};
use super::json::{is_empty, rounded};
use super::parameter::Parameter;
use super::recordings::Analysis;
use super::recordings::metric::SampleQuantity;
use super::recordings::power::DURATIONS;
use super::resources;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};
use crate::garmin::files::{self, Recording};

const ACTIVITY_ID: Parameter = Parameter::id(
    "activity_id",
    "The activity's id, from one of the lists of activities",
);
/// The path of an activity's original file.
pub(super) const ORIGINAL: &str = "/download-service/files/activity/{activity_id}";

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_activity_fit_data",
        about: "What the device recorded in an activity: totals, laps, power curve, drift of heart rate against power and pace, time by grade, climbs, gear shifts, heart rate variability.",
        parameters: &[
            ACTIVITY_ID,
            Parameter::flag(
                "include_records",
                "Whether to add the values over time (default false)",
            ),
        ],
        ask: GarminQuery::Steps(fit_data::next),
        tell: AnswerShape::Made(|call, answers| Ok(fit_data::told(call, answers))),
        nothing: "No FIT data returned for activity {activity_id}",
        failing: "Error downloading FIT data for activity",
    },
    Tool {
        name: "get_activity_timeseries",
        about: "An activity over time, as columns with a fixed interval: heart rate, pace, power, cadence, altitude, grade and more, of the whole activity, of a lap or of a part. Values are time-weighted means; pauses are null. track is the route as an encoded polyline.",
        parameters: &[
            ACTIVITY_ID,
            Parameter::text(
                "window",
                "all, \"lap 3\", \"km 5-10\", or a part by time as \"10:00-25:30\" (default all)",
                "all",
            ),
            Parameter::whole(
                "resolution",
                "Seconds for each value; 0 chooses one that gives about 200 values (default 0)",
                (0, 3_600),
                0,
            ),
            Parameter::text("metrics", timeseries::METRICS, "").at_most(500),
        ],
        ask: GarminQuery::Made(|call| vec![call.get(ORIGINAL).file(FileReading::Timeseries)]),
        tell: AnswerShape::Raw,
        nothing: "No FIT data returned for activity {activity_id}",
        failing: "Error reading the course of the activity",
    },
    Tool {
        name: "get_activity_fit_messages",
        about: "The messages of an activity's FIT file as the device wrote them, page by page: without a kind, the kinds there are and how many of each.",
        parameters: &[
            ACTIVITY_ID,
            Parameter::text(
                "message",
                "The kind of message, such as record, lap, event or device_info; empty: all kinds, counted",
                "",
            ),
            Parameter::whole("start", "How many to skip (default 0)", (0, 10_000_000), 0),
            Parameter::whole(
                "limit",
                "How many to return (default 50, at most 300)",
                (1, 300),
                50,
            ),
        ],
        ask: GarminQuery::Made(|call| vec![call.get(ORIGINAL).file(FileReading::Messages)]),
        tell: AnswerShape::Raw,
        nothing: "No FIT data returned for activity {activity_id}",
        failing: "Error reading the messages of the activity",
    },
    Tool {
        name: "get_power_duration_curve",
        about: "The best mean power over 5 s to 60 min among recent activities, each with its activity and day, and an estimate of FTP from it.",
        parameters: &[
            Parameter::whole(
                "num_activities",
                "How many recent activities to look through (default 20, at most 50)",
                (1, 50),
                20,
            ),
            Parameter::text(
                "activity_type",
                "A type such as cycling or running (default cycling)",
                "cycling",
            ),
        ],
        ask: GarminQuery::Steps(curve_step),
        tell: AnswerShape::Made(curve),
        nothing: "No activities found.",
        failing: "Error computing power duration curve",
    },
    Tool {
        name: "download_activity_file",
        about: "An activity as a file (FIT, GPX, TCX or CSV): its size and the resource to read it from.",
        parameters: &[
            ACTIVITY_ID,
            Parameter::one_of(
                "format",
                "fit, gpx, tcx or csv (default fit)",
                resources::FORMATS,
                "fit",
            ),
            Parameter::text(
                "output_dir",
                "Not used: the file is a resource of this server",
                "",
            )
            .at_most(4_096)
            .optional(),
        ],
        ask: GarminQuery::Made(|call| {
            let path = resources::activity_path(&call.text("format"), &call.text("activity_id"));
            vec![GarminGet::plain(&path).file(FileReading::Size)]
        }),
        tell: AnswerShape::Shaped(|call, document| Ok(download(call, document))),
        nothing: "No {format} data returned for activity {activity_id}",
        failing: "Error downloading activity",
    },
    Tool {
        name: "download_workout",
        about: "A saved workout as a FIT file: its size and the resource to read it from.",
        parameters: &[Parameter::id("workout_id", "The workout's id, from get_workouts")],
        ask: GarminQuery::Made(|call| {
            vec![
                call.get("/workout-service/workout/FIT/{workout_id}")
                    .file(FileReading::Size),
            ]
        }),
        tell: AnswerShape::Shaped(|call, document| Ok(download_workout(call, document))),
        nothing: "No workout data found for workout with ID {workout_id}.",
        failing: "Error downloading workout",
    },
];

/// Reads a file; `null` if Garmin sent an empty one.
pub(super) fn read(reading: FileReading, call: &ToolCall, sent: Vec<u8>) -> Result<Value, AnswerError> {
    if sent.is_empty() {
        return Ok(Value::Null);
    }
    let unpacked = match files::unpack(&sent)? {
        Cow::Owned(file) => Some(file),
        Cow::Borrowed(file) => (file.len() < sent.len()).then(|| file.to_vec()),
    };
    // Frees the archive before the analysis, because a worker has too little memory for both.
    let bytes = &unpacked.unwrap_or(sent);
    match reading {
        FileReading::FitData => fit_data::read(call, bytes),
        FileReading::Timeseries => timeseries::read(call, bytes),
        FileReading::Messages => messages::read(call, bytes),
        FileReading::PowerCurve => {
            let recording = files::read(bytes)?;
            Ok(json!(Analysis::new(&recording).power_curve()))
        }
        FileReading::Endurance => Ok(endurance(&files::read(bytes)?)),
        FileReading::Size => Ok(json!({"size_bytes": bytes.len()})),
    }
}

/// The decoupling of heart rate from power and speed in percent, and the grade-adjusted speed in m/s.
fn endurance(recording: &Recording) -> Value {
    let analysis = Analysis::new(recording);
    let whole = analysis.whole();
    let percent = |metric| Some(analysis.decoupling(metric, whole)?.percent);
    json!({
        "samples": recording.samples.len(),
        "decoupling_power_percent": percent(SampleQuantity::Power),
        "decoupling_pace_percent": percent(SampleQuantity::Speed),
        "decoupling_grade_adjusted_percent": percent(SampleQuantity::GradeAdjustedSpeed),
        "grade_adjusted_mps": analysis.mean(SampleQuantity::GradeAdjustedSpeed, whole).map(|mean| mean.average),
    })
}

/// A moment of the recording, in the local time of the device if the file gives it, else in UTC.
fn local_time(recording: &Recording, at_s: f64) -> Option<String> {
    let since = jiff::SignedDuration::try_from_secs_f64(at_s).ok()?;
    let at: Timestamp = recording.start.checked_add(since).ok()?;
    let offset = Offset::from_seconds(recording.utc_offset_s.unwrap_or(0)).ok()?;
    Some(
        at.to_zoned(offset.to_time_zone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string(),
    )
}

/// Whether the speed of a sport is given as pace.
fn is_run(sport: Option<&str>) -> bool {
    matches!(sport, Some("running" | "walking" | "hiking" | "trail_running"))
}

fn download(call: &ToolCall, document: &Value) -> ToolAnswer {
    let (id, format) = (call.text("activity_id"), call.text("format"));
    ToolAnswer::Json(json!({
        "activity_id": call.whole("activity_id"),
        "format": format,
        "uri": resources::activity_uri(&id, &format),
        "mime_type": resources::mime_type(&format),
        "size_bytes": document.get("size_bytes"),
        "message": format!("Read the resource at uri for the file (at most {} MB).", resources::MOST_MB),
    }))
}

fn download_workout(call: &ToolCall, document: &Value) -> ToolAnswer {
    ToolAnswer::Json(json!({
        "workout_id": call.whole("workout_id"),
        "format": "FIT",
        "uri": format!("garmin://workout/{}/fit", call.text("workout_id")),
        "mime_type": resources::mime_type("fit"),
        "size_bytes": document.get("size_bytes"),
        "message": "Read the resource at uri for the file.",
    }))
}

/// Requests first the recent activities, then the files of those with the wanted type.
fn curve_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    match answers {
        [] => vec![
            call.get("/activitylist-service/activities/search/activities?start=0&limit={num_activities}"),
        ],
        [activities] => {
            let ids = of_type(call, activities).filter_map(|activity| at(activity, "activityId")?.as_i64());
            let files: Vec<GarminGet> = ids
                .map(|id| {
                    GarminGet::plain(&resources::activity_path("fit", &id.to_string()))
                        .file(FileReading::PowerCurve)
                        .optional()
                })
                .collect();
            if files.is_empty() && !is_empty(activities) {
                // The type may not exist, so Garmin's types are read.
                return vec![GarminGet::plain("/activity-service/activity/activityTypes").optional()];
            }
            files
        }
        _ => vec![],
    }
}

/// The activities of the wanted type. Unlike in garmin_mcp, other types are not mixed in; but indoor and virtual rides
/// are rides too.
fn of_type<'a>(call: &ToolCall, activities: &'a Value) -> impl Iterator<Item = &'a Value> {
    let wanted = call.text("activity_type").trim().to_lowercase();
    activities
        .as_array()
        .into_iter()
        .flatten()
        .filter(move |activity| {
            let kind = at(activity, "activityType.typeKey")
                .and_then(Value::as_str)
                .unwrap_or_default();
            kind.contains(&wanted)
                || (wanted == "cycling" && (kind.contains("biking") || kind.contains("ride")))
        })
}

/// Refuses a type that is not part of the key of any of Garmin's types.
fn must_be_part_of_a_type(wanted: &str, types: &Value) -> Result<(), AnswerError> {
    let keys = types.as_array().into_iter().flatten();
    let mut keys = keys.filter_map(|kind| kind.get("typeKey")?.as_str());
    if keys.any(|key| key.contains(&wanted.trim().to_lowercase())) {
        return Ok(());
    }
    known_type("activity_type", wanted, types)
}

fn curve(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let Some((activities, curves)) = answers.split_first() else {
        return Ok(ToolAnswer::Nothing);
    };
    if list(activities, "")?.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let (number, kind) = (call.text("num_activities"), call.text("activity_type"));
    let found: Vec<&Value> = of_type(call, activities).collect();
    if found.is_empty() {
        if let Some(types) = curves.first().filter(|types| types.is_array()) {
            must_be_part_of_a_type(&kind, types)?;
        }
        let text = format!("No {kind} activities found in the last {number} activities.");
        return Ok(ToolAnswer::Text(text));
    }
    let is_read = |curve: &&&Value| curve.is_object() && curve.get(FAILED).is_none();
    let analysed = curves.iter().filter(is_read).count();
    let mut bests = serde_json::Map::new();
    for (_, name) in DURATIONS {
        let watts = |curve: &Value| curve.get(name).and_then(Value::as_u64);
        let best = found
            .iter()
            .zip(curves)
            .filter_map(|(activity, curve)| Some((watts(curve)?, activity)))
            .max_by_key(|(watts, _)| *watts);
        if let Some((watts, activity)) = best {
            let day = at(activity, "startTimeLocal")
                .and_then(Value::as_str)
                .and_then(|start| start.get(..10));
            let best = json!({"watts": watts, "activity_id": activity.get("activityId"), "date": day});
            bests.insert(name.to_owned(), best);
        }
    }
    if bests.is_empty() {
        return Ok(ToolAnswer::Text(format!(
            "No power data found across {analysed} activities."
        )));
    }
    let ftp = bests.get("20min").and_then(|best| best.get("watts")?.as_f64());
    Ok(ToolAnswer::Json(json!({
        "activities_analyzed": analysed,
        "activities_skipped": found.len() - analysed,
        "ftp_estimate_w": ftp.map(|watts| rounded(watts * 0.95, 0)),
        "ftp_note": "Estimated as 95% of 20-minute best power",
        "season_bests": bests,
    })))
}

/// Finds a metric by its name, with or without the unit, or by a short form that people use.
fn metric_named(word: &str) -> Option<SampleQuantity> {
    let word = word.trim().to_lowercase().replace([' ', '-'], "_");
    let short = match word.as_str() {
        "hr" | "heartrate" => SampleQuantity::HeartRate,
        "pace" => SampleQuantity::Speed,
        "gap" | "grade_adjusted_pace" => SampleQuantity::GradeAdjustedSpeed,
        "elevation" => SampleQuantity::Altitude,
        "temp" => SampleQuantity::Temperature,
        _ => {
            let known = SampleQuantity::ALL.into_iter().find(|(_, name)| {
                *name == word || name.rsplit_once('_').is_some_and(|(plain, _)| plain == word)
            });
            return known.map(|(metric, _)| metric);
        }
    };
    Some(short)
}
