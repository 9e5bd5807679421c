//! Creates an activity by hand, and deletes one.

use http::Method;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::times::milliseconds;
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangePlan, ChangeStep, GarminChange, PlannedChange, Sight, call_of, check_name, read,
};
use crate::tools::fields::at;

pub(super) const ACTIVITY: &str = "/activity-service/activity/{activity_id}";

pub(super) fn manual_activity(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let start: DateTime = format!("{}T{}", call.text("date"), call.text("start_time").trim())
        .parse()
        .map_err(|_| AnswerError::Argument("start_time must be HH:MM, such as 09:00".to_owned()))?;
    if TimeZone::get(&call.text("time_zone")).is_err() {
        let text = format!(
            "time_zone {:?} is unknown: give one such as Europe/Vienna or UTC",
            call.text("time_zone")
        );
        return Err(AnswerError::Argument(text));
    }
    let get = call.get(
        "/activitylist-service/activities/search/activities?startDate={date}&endDate={date}&start=0&limit=100",
    );
    let [of_day, ..] = answers else {
        return Ok(ChangeStep::get(get.optional()));
    };
    let type_key = call.text("type_key").trim().to_owned();
    if type_key.is_empty() {
        return Err(AnswerError::Argument("type_key is required".to_owned()));
    }
    let name = match call.text("activity_name").trim() {
        "" => title_case(&type_key),
        name => name.to_owned(),
    };
    let km = call
        .number("distance_km")
        .and_then(|km| km.as_f64())
        .unwrap_or_default();
    let body = json!({
        "activityTypeDTO": {"typeKey": type_key},
        "accessControlRuleDTO": {"typeId": 2, "typeKey": "private"},
        "timeZoneUnitDTO": {"unitKey": call.text("time_zone")},
        "activityName": name,
        "metadataDTO": {"autoCalcCalories": true},
        "summaryDTO": {
            "startTimeLocal": milliseconds(start),
            "distance": km * 1_000.0,
            "duration": call.whole("duration_minutes") * 60,
        },
    });
    let id_of = |item: &Value| item.get("activityId").cloned();
    let is_known = read(of_day).is_some();
    let earlier: Vec<Value> = of_day
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(id_of)
        .collect();
    let listed = start.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let after = json!({"creates": {"activity_name": name, "type": type_key, "start_time_local": listed}});
    let seen_name = name.clone();
    Ok(ChangeStep::one(
        PlannedChange::new(
            GarminChange::json(Method::POST, "/activity-service/activity", body),
            &json!({"success": true}),
        )
        .changes(json!({"activities_of_the_day": earlier.len()}), after)
        .look(get, "get_activities_fordate", move |document| {
            let mut items = document.as_array().into_iter().flatten();
            let item = items.find(|item| {
                item.get("activityName").and_then(Value::as_str) == Some(&seen_name)
                    && item.get("startTimeLocal").and_then(Value::as_str) == Some(&listed)
                    && is_known
                    && id_of(item).is_none_or(|id| !earlier.contains(&id))
            });
            item.map_or(Sight::NotMade, |item| Sight::Made(id_of(item)))
        })
        .tells(|landed| {
            let activity = Some(landed.response).filter(|response| response.is_object());
            json!({"activity": activity.cloned().unwrap_or_else(|| json!({})), "activity_id": landed.id("activityId")})
        })
        .undo(move |landed| match landed.id("activityId") {
            Some(id) => call_of("delete_activity", &json!({"activity_id": id, "activity_name": name})),
            None => json!("delete_activity with the new activity's id and name"),
        }),
    ))
}

/// `trail_running` as `Trail Running`.
pub(super) fn title_case(key: &str) -> String {
    let words = key.split(['_', ' ']).map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| {
                first
                    .to_uppercase()
                    .chain(letters.flat_map(char::to_lowercase))
                    .collect::<String>()
            })
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

pub(super) fn delete_activity(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let [activity, ..] = answers else {
        return Ok(ChangeStep::get(call.get(ACTIVITY)));
    };
    let name = at(activity, "activityName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let id = call.whole("activity_id");
    check_name(
        &call.text("activity_name"),
        name,
        &format!("Activity {id}"),
        "activity_name",
    )?;
    let before = json!({
        "activity_name": name,
        "start_time_local": at(activity, "summaryDTO.startTimeLocal"),
        "type": at(activity, "activityTypeDTO.typeKey"),
    });
    let names = json!({"status": "success", "activity_id": id, "message": format!("Activity {id} deleted")});
    let change = PlannedChange::new(GarminChange::new(Method::DELETE, call.get(ACTIVITY).path), &names);
    let plan: ChangePlan = change
        .changes(before, Value::Null)
        .look(call.get(ACTIVITY), "get_activity", |activity| {
            activity.is_null().into()
        })
        .undo(|_| {
            json!("not possible: only the original file, uploaded again in Garmin Connect, brings it back")
        })
        .plan();
    Ok(ChangeStep::Plan(plan))
}
