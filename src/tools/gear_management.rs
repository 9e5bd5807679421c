//! Shoes, bikes and other gear: the read-only tool of garmin_mcp's module `gear_management`.

use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::devices::LAST_USED;
use super::fields::{at, list};
use super::garmin_get::{GarminGet, failure};
use super::json::rounded;
use super::parameter::Parameter;
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "get_gear",
    about: "Shoes, bikes and other gear: kilometres and activities so far, limit, default sports.",
    parameters: &[Parameter::flag_on(
        "include_stats",
        "Whether to add kilometres and activities (default true)",
    )],
    ask: GarminQuery::Steps(gear_step),
    tell: AnswerShape::Made(gear),
    nothing: "No gear found.",
    failing: "Error retrieving gear",
}];

/// Requests the profile's number, then the gear and its sports, then the statistics of each item.
fn gear_step(call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    match answers {
        [] => vec![GarminGet::plain(LAST_USED)],
        [last_used] => match at(last_used, "userProfileNumber").and_then(Value::as_i64) {
            Some(profile) => vec![
                GarminGet::plain(&format!("/gear-service/gear/filterGear?userProfilePk={profile}")),
                GarminGet::plain(&format!("/gear-service/gear/user/{profile}/activityTypes")),
            ],
            None => Vec::new(),
        },
        [_, gear, _] if call.flag("include_stats") => {
            let ids = gear
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|gear| gear.get("uuid")?.as_str());
            ids.map(|id| GarminGet::plain(&format!("/gear-service/gear/stats/{id}")).optional())
                .collect()
        }
        _ => Vec::new(),
    }
}

fn sport_of(number: i64) -> String {
    let names = [
        "Running", "Cycling", "Swimming", "Fitness", "Walking", "Hiking", "Strength", "Other",
    ];
    let name = number
        .checked_sub(1)
        .and_then(|index| usize::try_from(index).ok())
        .and_then(|index| names.get(index));
    name.map_or_else(|| format!("activity_{number}"), |name| (*name).to_owned())
}

fn gear(_: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let [_, gear, sports, stats @ ..] = answers else {
        let text = "Could not retrieve user profile. Please ensure you have a synced device.";
        return Ok(ToolAnswer::Text(text.to_owned()));
    };
    let gear = list(gear, "")?;
    if gear.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    let uuid = |value: &Value| {
        value
            .get("uuid")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let text = |piece: &Value, key: &str| {
        piece
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let day = |piece: &Value, key: &str| {
        at(piece, key)
            .and_then(Value::as_str)
            .and_then(|time| time.get(..10).map(str::to_owned))
    };
    let sports: Vec<(String, String)> = list(sports, "")?
        .iter()
        .filter_map(|sport| Some((uuid(sport), sport_of(sport.get("activityTypePk")?.as_i64()?))))
        .collect();
    let mut defaults = Map::new();
    let (mut pieces, mut failed) = (Vec::new(), Vec::new());
    for piece in gear {
        let mut told = json!({
            "uuid": piece.get("uuid"),
            "name": piece.get("displayName"),
            "full_name": piece.get("customMakeModel"),
            "type": piece.get("gearTypeName"),
            "status": text(piece, "gearStatusName").to_lowercase(),
            "date_begin": day(piece, "dateBegin"),
            "date_end": day(piece, "dateEnd"),
        });
        let Some(members) = told.as_object_mut() else {
            continue;
        };
        if let Some(metres) = at(piece, "maximumMeters")
            .and_then(Value::as_f64)
            .filter(|metres| *metres > 0.0)
        {
            members.insert("max_distance_km".to_owned(), rounded(metres / 1_000.0, 1));
        }
        let mine: Vec<&str> = sports
            .iter()
            .filter(|(id, _)| *id == uuid(piece))
            .map(|(_, sport)| sport.as_str())
            .collect();
        for sport in &mine {
            defaults.insert((*sport).to_owned(), json!(piece.get("displayName")));
        }
        if !mine.is_empty() {
            members.insert("is_default_for".to_owned(), json!(mine));
        }
        let figures = stats
            .iter()
            .find(|stats| stats.get("uuid").is_some() && uuid(stats) == uuid(piece));
        let reason = stats_of(piece, gear, stats).and_then(failure);
        failed
            .extend(reason.map(|reason| json!(format!("stats of {}: {reason}", text(piece, "displayName")))));
        let count = figures.and_then(|figures| at(figures, "totalActivities"));
        let metres = figures.and_then(|figures| at(figures, "totalDistance")?.as_f64());
        if let (Some(count), Some(metres)) = (count, metres) {
            let stats = json!({"total_activities": count, "total_distance_km": rounded(metres / 1_000.0, 1)});
            members.insert("stats".to_owned(), stats);
        }
        pieces.push(told);
    }
    let is = |piece: &Value, status: &str| piece.get("status") == Some(&json!(status));
    pieces.sort_by_key(|piece| std::cmp::Reverse((is(piece, "active"), text(piece, "date_begin"))));
    let count = |status: &str| pieces.iter().filter(|piece| is(piece, status)).count();
    let mut told = json!({
        "gear_count": pieces.len(),
        "active_count": count("active"),
        "retired_count": count("retired"),
        "defaults": defaults,
        "gear": pieces,
    });
    if let (Some(told), false) = (told.as_object_mut(), failed.is_empty()) {
        told.insert("failed".to_owned(), failed.into());
    }
    Ok(ToolAnswer::Json(told))
}

/// The answer to the request for the statistics of a piece. The requests have the order of the pieces that have an id.
fn stats_of<'a>(piece: &Value, gear: &[Value], stats: &[&'a Value]) -> Option<&'a Value> {
    let id = |piece: &Value| piece.get("uuid").and_then(Value::as_str).map(str::to_owned);
    let wanted = id(piece)?;
    let place = gear.iter().filter_map(id).position(|id| id == wanted)?;
    stats.get(place).copied()
}
