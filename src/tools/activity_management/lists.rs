//! Lists of activities.

use serde_json::{Value, json};

use crate::tools::call::{GarminGet, ToolCall};
use crate::tools::fields::{Changed, Field, fields, list, pick_each};
use crate::tools::json::is_empty;
use crate::tools::table::{AnswerError, ToolAnswer};

const BY_DATE: &[Field] = fields! {
    "id" <- "activityId";
    "name" <- "activityName";
    "type" <- "activityType.typeKey";
    "event_type" <- "eventType.typeKey";
    "start_time" <- "startTimeLocal";
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
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
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
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
    "distance_meters" <- "distance";
    "duration_seconds" <- "duration";
    "moving_duration_seconds" <- "movingDuration";
    "calories" <- "calories";
    "avg_hr_bpm" <- "averageHR";
    "max_hr_bpm" <- "maxHR";
    "steps" <- "steps";
    "elevation_gain_meters" <- "elevationGain";
    "elevation_loss_meters" <- "elevationLoss";
    "owner_display_name" <- "ownerDisplayName";
};

/// Garmin counts a page by the index of its first entry.
pub(super) fn by_date_gets(call: &ToolCall) -> Vec<GarminGet> {
    let start = call.whole("page").saturating_mul(call.whole("page_size"));
    let template = "/activitylist-service/activities/search/activities?startDate={start_date}&endDate={end_date}\
                    &start={start}&limit={page_size}&activityType={activity_type}";
    vec![GarminGet::of(template, |name| {
        if name == "start" {
            start.to_string()
        } else {
            call.text(name)
        }
    })]
}

/// A range without activities is an empty page, not a text.
pub(super) fn by_date(call: &ToolCall, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    let activities = match answers {
        [document, ..] if !is_empty(document) => pick_each(BY_DATE, document, "")?,
        _ => Vec::new(),
    };
    let (page, size) = (call.whole("page"), call.whole("page_size"));
    let full = i64::try_from(activities.len()) == Ok(size);
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

/// The activities of the day, without the heart rates that come with them.
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
    let full = i64::try_from(count) == Ok(limit);
    Ok(ToolAnswer::Json(json!({
        "start": start,
        "limit": limit,
        "count": count,
        "has_more": full,
        "next_start": full.then_some(start + limit),
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
