//! Lists of activities: of a range, of a day, and page by page.

use serde_json::{Value, json};

use crate::tools::call::ToolCall;
use crate::tools::fields::{Changed, Field, fields, list, pick_each};
use crate::tools::garmin_get::GarminGet;
use crate::tools::json::is_empty;
use crate::tools::table::{AnswerError, ToolAnswer};

const BY_DATE: &[Field] = fields! {
    "id" <- "activityId";
    "name" <- "activityName";
    "type" <- "activityType.typeKey";
    "event_type" <- "eventType.typeKey";
    "start_time" <- "startTimeLocal";
    "utc_offset" <- offset "startTimeLocal" | "startTimeGMT";
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
    "avg_pace_min_per_km" <- run_pace "averageSpeed" | "activityType.typeKey";
    "avg_pace_min_per_100m" <- swim_pace "averageSpeed" | "activityType.typeKey";
    "calories" <- "calories";
    "avg_hr_bpm" <- "averageHR";
    "max_hr_bpm" <- "maxHR";
    "steps" <- "steps";
    "elevation_gain_meters" <- "elevationGain";
    "elevation_loss_meters" <- "elevationLoss";
};

const OF_DAY: &[Field] = fields! {
    "id" <- "activityId";
    "name" <- "activityName";
    "type" <- "activityType.typeKey";
    "event_type" <- "eventType.typeKey";
    "start_time" <- "startTimeLocal";
    "utc_offset" <- offset "startTimeLocal" | "startTimeGMT";
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
    "avg_pace_min_per_km" <- run_pace "averageSpeed" | "activityType.typeKey";
    "avg_pace_min_per_100m" <- swim_pace "averageSpeed" | "activityType.typeKey";
    "calories" <- "calories";
    "avg_hr_bpm" <- "averageHR";
    "steps" <- "steps";
    "lap_count" <- "lapCount";
    "moderate_intensity_minutes" <- "moderateIntensityMinutes";
    "vigorous_intensity_minutes" <- "vigorousIntensityMinutes";
};

const PAGE: &[Field] = fields! {
    "id" <- "activityId";
    "name" <- "activityName";
    "type" <- "activityType.typeKey";
    "event_type" <- "eventType.typeKey";
    "start_time" <- "startTimeLocal";
    "utc_offset" <- offset "startTimeLocal" | "startTimeGMT";
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
    "moving_duration_seconds" <- "movingDuration";
    "avg_pace_min_per_km" <- run_pace "averageSpeed" | "activityType.typeKey";
    "avg_pace_min_per_100m" <- swim_pace "averageSpeed" | "activityType.typeKey";
    "calories" <- "calories";
    "avg_hr_bpm" <- "averageHR";
    "max_hr_bpm" <- "maxHR";
    "steps" <- "steps";
    "elevation_gain_meters" <- "elevationGain";
    "elevation_loss_meters" <- "elevationLoss";
    "owner_display_name" <- "ownerDisplayName";
};

/// Garmin addresses a page by the index of its first entry.
pub(super) fn by_date_gets(call: &ToolCall) -> Vec<GarminGet> {
    let start = call.whole("page").saturating_mul(call.whole("page_size"));
    let template = "/activitylist-service/activities/search/activities?startDate={start_date}&endDate={end_date}\
                    &start={start}&limit={page_size}&activityType={activity_type}";
    let list = GarminGet::of(template, |name| {
        if name == "start" {
            start.to_string()
        } else {
            call.text(name)
        }
    });
    // Garmin answers an unknown type with an empty list, so the type is validated here.
    let types = call.get("/activity-service/activity/activityTypes");
    let is_typed = !call.text("activity_type").is_empty();
    std::iter::once(list).chain(is_typed.then_some(types)).collect()
}

/// Rejects an activity type that Garmin does not have. `parameter` is the name of the argument that holds it.
pub(in crate::tools) fn known_type(parameter: &str, wanted: &str, types: &Value) -> Result<(), AnswerError> {
    let keys = list(types, "")?
        .iter()
        .filter_map(|kind| kind.get("typeKey")?.as_str());
    let keys: Vec<&str> = keys.collect();
    if keys.is_empty() || keys.contains(&wanted) {
        return Ok(());
    }
    let near = near(&wanted.to_lowercase(), &keys);
    let near = if near.is_empty() {
        String::new()
    } else {
        format!(" (similar: {})", near.join(", "))
    };
    Err(AnswerError::Argument(format!(
        "{parameter} {wanted:?} is not a Garmin activity type{near}: get_activity_types lists them"
    )))
}

/// Up to five keys that resemble the wanted one: they begin with or contain its first three letters, or are part of it.
pub(in crate::tools) fn near<'a>(wanted: &str, keys: &[&'a str]) -> Vec<&'a str> {
    let letters = |word: &str| {
        word.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
    };
    let wanted = letters(wanted);
    let stem: String = wanted.chars().take(3).collect();
    let score = |key: &str| {
        let key = letters(key);
        let common = wanted
            .chars()
            .zip(key.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let within = !stem.is_empty() && (key.contains(&stem) || wanted.contains(&key));
        (common >= 3 || within).then_some(std::cmp::Reverse(common))
    };
    let mut found: Vec<_> = keys.iter().filter_map(|key| Some((score(key)?, *key))).collect();
    found.sort();
    found.into_iter().map(|(_, key)| key).take(5).collect()
}

/// Whether more may follow: the page has at least what was asked for.
fn is_full(count: usize, asked: i64) -> bool {
    i64::try_from(count).is_ok_and(|count| count >= asked)
}

/// A range without activities gives an empty page instead of the tool's text for no data.
pub(super) fn by_date(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    if let [_, types, ..] = answers {
        known_type("activity_type", &call.text("activity_type"), types)?;
    }
    let activities = match answers {
        [document, ..] if !is_empty(document) => pick_each(BY_DATE, document, "")?,
        _ => Vec::new(),
    };
    let (page, size) = (call.whole("page"), call.whole("page_size"));
    let full = is_full(activities.len(), size);
    let mut told = json!({
        "count": activities.len(),
        "page": page,
        "page_size": size,
        "has_more": full,
        "date_range": {"start": call.text("start_date"), "end": call.text("end_date")},
        "activities": activities,
    });
    if let (true, Some(told)) = (full, told.as_object_mut()) {
        told.insert("next_page".to_owned(), json!(page + 1));
    }
    Ok(ToolAnswer::Json(told))
}

/// The activities of the day, without the heart rates that Garmin sends along with them.
pub(super) fn of_day(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let activities = pick_each(OF_DAY, document, "ActivitiesForDay.payload")?;
    if activities.is_empty() {
        return Ok(ToolAnswer::Nothing);
    }
    Ok(ToolAnswer::Json(
        json!({"date": call.text("date"), "count": activities.len(), "activities": activities}),
    ))
}

pub(super) fn page(call: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let (start, limit) = (call.whole("start"), call.whole("limit"));
    let count = list(document, "")?.len();
    let full = is_full(count, limit);
    Ok(ToolAnswer::Json(json!({
        "start": start,
        "limit": limit,
        "count": count,
        "has_more": full,
        "next_start": full.then(|| start + i64::try_from(count).unwrap_or(limit)),
        "activities": pick_each(PAGE, document, "")?,
    })))
}

pub(super) fn count(_: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    match answers.first().and_then(|document| document.get("totalCount")) {
        Some(Value::Null) => Ok(ToolAnswer::Nothing),
        Some(total) => Ok(ToolAnswer::Json(json!({
            "total_activities": total,
            "note": "Use get_activities() with pagination to retrieve activity details",
        }))),
        None => Err(Changed {
            path: "$.totalCount".to_owned(),
            expected: "a number",
        }
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_full;

    #[test]
    fn a_page_that_is_longer_than_asked_is_not_the_last() {
        assert_eq!([19, 20, 21].map(|count| is_full(count, 20)), [false, true, true]);
    }
}
