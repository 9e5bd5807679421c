//! Laps, weather and types of activities.

use serde_json::{Value, json};

use crate::tools::call::ToolCall;
use crate::tools::fields::{Changed, Field, at, fields, list, pick, pick_each};
use crate::tools::json::{is_empty, rounded};
use crate::tools::local_time;
use crate::tools::table::{AnswerError, ToolAnswer};

const LAP: &[Field] = fields! {
    "lap_number" <- "lapIndex";
    "start_time" <- "startTimeGMT";
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
    "moving_duration_seconds" <- "movingDuration";
    "elapsed_duration_seconds" <- "elapsedDuration";
    "avg_speed_mps" <- "averageSpeed";
    "avg_pace_min_per_km" <- run_pace "averageSpeed" | "averageRunCadence";
    "avg_pace_min_per_100m" <- swim_pace "averageSpeed" | "numberOfActiveLengths";
    "avg_moving_speed_mps" <- "averageMovingSpeed";
    "max_speed_mps" <- "maxSpeed";
    "avg_hr_bpm" <- "averageHR";
    "max_hr_bpm" <- "maxHR";
    "calories" <- "calories";
    "bmr_calories" <- "bmrCalories";
    "avg_cadence" <- "averageRunCadence";
    "avg_power_watts" <- "averagePower";
    "avg_swim_cadence" <- "averageSwimCadence";
    "active_length_count" <- "numberOfActiveLengths";
    "total_strokes" <- "totalNumberOfStrokes";
    "avg_strokes" <- "averageStrokes";
    "avg_swolf" <- "averageSWOLF";
    "avg_stroke_distance" <- "averageStrokeDistance";
    "intensity_type" <- "intensityType";
    "elevation_gain_meters" <- "elevationGain";
    "elevation_loss_meters" <- "elevationLoss";
    "workout_step_index" <- "wktStepIndex";
};

const LENGTH: &[Field] = fields! {
    "length_number" <- "lengthIndex";
    "start_time" <- "startTimeGMT";
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
    "avg_speed_mps" <- "averageSpeed";
    "avg_pace_min_per_100m" <- swim_pace "averageSpeed" | "lengthIndex";
    "max_speed_mps" <- "maxSpeed";
    "calories" <- "calories";
    "avg_hr_bpm" <- "averageHR";
    "max_hr_bpm" <- "maxHR";
    "total_strokes" <- "totalNumberOfStrokes";
    "avg_swolf" <- "averageSWOLF";
    "stroke" <- "swimStroke";
};

const TYPE: &[Field] = fields! {
    "type_id" <- "typeId";
    "type_key" <- "typeKey";
    "display_name" <- "displayName";
    "parent_type_id" <- "parentTypeId";
    "is_hidden" <- "isHidden";
};

pub(super) fn splits(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut laps = Vec::new();
    for (index, lap) in list(document, "lapDTOs")?.iter().enumerate() {
        let place = |changed: Changed| Changed {
            path: format!("$.lapDTOs[{index}]{}", changed.path.trim_start_matches('$')),
            ..changed
        };
        let mut told = pick(LAP, lap).map_err(place)?;
        // Garmin does not give the time zone of a lap, so the person's own zone is used.
        if let Some(start) = at(lap, "startTimeGMT").and_then(|start| local_time::utc(start.as_str()?)) {
            let local = local_time::text(start, call.now.time_zone());
            let place = told.keys().position(|key| key == "start_time");
            told.shift_insert(
                place.map_or(0, |place| place + 1),
                "start_time_local".to_owned(),
                json!(local),
            );
        }
        let lengths = pick_each(LENGTH, lap, "lengthDTOs").map_err(place)?;
        if !lengths.is_empty() {
            told.insert("lengths".to_owned(), Value::Array(lengths));
        }
        laps.push(Value::Object(told));
    }
    Ok(ToolAnswer::Json(json!({
        "activity_id": document.get("activityId"),
        "lap_count": laps.len(),
        "laps": laps,
    })))
}

/// A temperature of the weather document in °C. Garmin sends °F to everybody.
pub(in crate::tools) fn celsius(weather: &Value, key: &str) -> Option<f64> {
    Some((at(weather, key)?.as_f64()? - 32.0) * 5.0 / 9.0)
}

/// The wind in m/s. Garmin sends km/h or mph, according to the person's units.
pub(in crate::tools) fn wind_mps(weather: &Value, settings: &Value) -> Option<f64> {
    let metric = at(settings, "userData.measurementSystem").is_none_or(|units| units == "metric");
    let mps_per_unit = if metric { 1.0 / 3.6 } else { 0.447_04 };
    Some(at(weather, "windSpeed")?.as_f64()? * mps_per_unit)
}

pub(super) fn weather(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let [weather, settings, ..] = answers else {
        return Ok(ToolAnswer::Nothing);
    };
    if is_empty(weather) {
        return Ok(ToolAnswer::Nothing);
    }
    if !weather.is_object() {
        return Err(Changed {
            path: "$".to_owned(),
            expected: "an object",
        }
        .into());
    }
    let celsius = |key| celsius(weather, key).map(|celsius| rounded(celsius, 1));
    let first = |paths: [&str; 2]| paths.iter().find_map(|path| at(weather, path)).cloned();
    let members = [
        ("activity_id", Some(json!(call.whole("activity_id")))),
        ("temperature_celsius", celsius("temp")),
        ("apparent_temperature_celsius", celsius("apparentTemp")),
        ("humidity_percent", at(weather, "relativeHumidity").cloned()),
        (
            "wind_speed_mps",
            wind_mps(weather, settings).map(|speed| rounded(speed, 1)),
        ),
        ("wind_direction_degrees", at(weather, "windDirection").cloned()),
        (
            "weather_type",
            at(weather, "weatherTypeDTO.weatherTypeName").cloned(),
        ),
        (
            "weather_description",
            first(["weatherTypeDTO.weatherTypeDesc", "weatherTypeDTO.desc"]),
        ),
        ("location", first(["issueLocation", "weatherStationDTO.name"])),
        ("issue_time", at(weather, "issueDate").cloned()),
    ];
    let filled = members
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Ok(ToolAnswer::Json(Value::Object(filled.collect())))
}

pub(super) fn types(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let types = pick_each(TYPE, document, "")?;
    Ok(ToolAnswer::Json(
        json!({"count": types.len(), "activity_types": types}),
    ))
}
