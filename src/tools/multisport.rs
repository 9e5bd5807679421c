//! Multisport activities: a triathlon, for example, is an activity whose parts are activities themselves.
//!
//! Garmin stores laps, splits and weather with the parts. A tool that finds nothing for the whole activity therefore
//! answers for each part. If one part fails, the answer names it and still contains the others.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fields::{Field, at, fields, pick};
use super::json;

/// The request path of one activity.
pub(super) const ACTIVITY: &str = "/activity-service/activity/{activity_id}";
/// The maximum number of parts. No multisport race has more.
const MOST_PARTS: usize = 20;

const PART: &[Field] = fields! {
    "activity_id" <- "activityId";
    "name" <- "activityName";
    "type" <- "activityTypeDTO.typeKey";
    "start_time_local" <- "summaryDTO.startTimeLocal";
    "utc_offset" <- offset "summaryDTO.startTimeLocal" | "summaryDTO.startTimeGMT";
    "duration_seconds" <- "summaryDTO.duration";
    "distance_meters" <- "summaryDTO.distance";
    "avg_speed_mps" <- "summaryDTO.averageSpeed";
    "avg_pace_min_per_km" <- run_pace "summaryDTO.averageSpeed" | "activityTypeDTO.typeKey";
    "avg_pace_min_per_100m" <- swim_pace "summaryDTO.averageSpeed" | "activityTypeDTO.typeKey";
    "avg_hr_bpm" <- "summaryDTO.averageHR";
    "max_hr_bpm" <- "summaryDTO.maxHR";
    "avg_power_watts" <- "summaryDTO.averagePower";
};

/// The answer of a tool for one activity, day or range.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SingleAnswer {
    Json(Arc<Value>),
    /// A text that says there is no data.
    Nothing(String),
}

/// The activity ids of the parts, in order; empty for an ordinary activity.
pub(super) fn part_ids(activity: &Value) -> Vec<i64> {
    let ids = at(activity, "metadataDTO.childIds").and_then(Value::as_array);
    let ids = ids.into_iter().flatten().filter_map(Value::as_i64);
    ids.take(MOST_PARTS).collect()
}

/// Whether an answer has no data: a text, an empty document, or an object whose only list is empty.
pub(super) fn is_empty(answer: &SingleAnswer) -> bool {
    let SingleAnswer::Json(value) = answer else {
        return true;
    };
    let mut lists = value
        .as_object()
        .into_iter()
        .flat_map(Map::values)
        .filter(|value| value.is_array());
    json::is_empty(value)
        || lists
            .next()
            .is_some_and(|list| json::is_empty(list) && lists.next().is_none())
}

/// The result for one part: its summary, and the tool's answer for it (`has_answer`).
pub(super) fn part(
    id: i64,
    summary: Option<&Value>,
    answer: Result<SingleAnswer, String>,
    has_answer: bool,
) -> Value {
    let mut part = summary
        .and_then(|summary| pick(PART, summary).ok())
        .unwrap_or_default();
    part.insert("activity_id".to_owned(), json!(id));
    if summary.is_none() {
        part.insert("summary_missing".to_owned(), json!(true));
    }
    if has_answer {
        match answer {
            Ok(SingleAnswer::Json(value)) => drop(part.insert("answer".to_owned(), Value::clone(&value))),
            Ok(SingleAnswer::Nothing(text)) => drop(part.insert("nothing".to_owned(), json!(text))),
            Err(reason) => drop(part.insert("failed".to_owned(), json!(reason))),
        }
    }
    part.into()
}

/// The answer for the whole activity, combined with its parts.
pub(super) fn whole(id: i64, answer: SingleAnswer, parts: Vec<Value>) -> SingleAnswer {
    let mut whole = match answer {
        SingleAnswer::Json(value) => value.as_object().cloned().unwrap_or_default(),
        SingleAnswer::Nothing(_) => Map::new(),
    };
    whole.entry("activity_id").or_insert(json!(id));
    whole.insert("is_multisport".to_owned(), json!(true));
    whole.insert("parts".to_owned(), parts.into());
    SingleAnswer::Json(Arc::new(whole.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_child_ids_only() {
        assert_eq!(part_ids(&json!({"metadataDTO": {"childIds": [7, 8]}})), [7, 8]);
        for ordinary in [
            json!({"metadataDTO": {"childIds": []}}),
            json!({"metadataDTO": null}),
            json!(null),
        ] {
            assert_eq!(part_ids(&ordinary), [] as [i64; 0]);
        }
    }

    #[test]
    fn an_answer_with_only_an_empty_list_is_empty() {
        let empty = |value: Value| is_empty(&SingleAnswer::Json(Arc::new(value)));
        assert!(empty(json!([])) && empty(json!({"activity_id": 5, "laps": []})));
        assert!(!empty(json!({"activity_id": 5})) && !empty(json!({"laps": [1]})));
        assert!(!empty(json!({"laps": [], "events": [1]})));
        assert!(is_empty(&SingleAnswer::Nothing("No splits".into())));
    }

    #[test]
    fn a_part_that_fails_is_named_beside_the_others() {
        let summary = json!({"activityId": 7, "activityTypeDTO": {"typeKey": "cycling"}, "summaryDTO": {"duration": 60.0, "distance": 500.0}});
        let whole = whole(
            5,
            SingleAnswer::Nothing("No splits".into()),
            vec![
                part(
                    7,
                    Some(&summary),
                    Ok(SingleAnswer::Json(Arc::new(json!([1])))),
                    true,
                ),
                part(8, None, Err("Garmin Connect is unreachable.".into()), true),
            ],
        );
        let expected = json!({"activity_id": 5, "is_multisport": true, "parts": [
            {"activity_id": 7, "type": "cycling", "duration_seconds": 60.0, "distance_meters": 500.0, "answer": [1]},
            {"activity_id": 8, "summary_missing": true, "failed": "Garmin Connect is unreachable."},
        ]});
        assert_eq!(whole, SingleAnswer::Json(Arc::new(expected)));
    }
}
