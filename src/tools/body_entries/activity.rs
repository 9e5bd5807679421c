//! Creates an activity by hand, and deletes one.

use http::Method;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde_json::{Value, json};

use super::times::milliseconds;
use crate::tools::activity_management::known_type;
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangePlan, ChangeStep, GarminChange, PlannedChange, Sight, call_of, check_name, read,
};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

pub(super) const ACTIVITY: &str = "/activity-service/activity/{activity_id}";

pub(super) fn manual_activity(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let start: DateTime = format!("{}T{}", call.text("date"), call.text("start_time").trim())
        .parse()
        .map_err(|_| AnswerError::Argument("start_time must be HH:MM, such as 09:00".to_owned()))?;
    let zone = zone_of_start(call, start)?;
    let get = call.get(
        "/activitylist-service/activities/search/activities?startDate={date}&endDate={date}&start=0&limit=100",
    );
    let [of_day, types, ..] = answers else {
        let types = GarminGet::plain("/activity-service/activity/activityTypes");
        return Ok(ChangeStep::Read(vec![get.optional(), types.optional()]));
    };
    let type_key = call.text("type_key").trim().to_owned();
    if type_key.is_empty() {
        return Err(AnswerError::Argument("type_key is required".to_owned()));
    }
    if let Some(types) = read(types).filter(|types| types.is_array()) {
        known_type("type_key", &type_key, types)?;
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
        "timeZoneUnitDTO": {"unitKey": zone},
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
    let after = json!({"creates": {
        "activity_name": name,
        "type": type_key,
        "start_time_local": listed,
        "time_zone": zone,
        "duration_minutes": call.whole("duration_minutes"),
        "distance_km": km,
    }});
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

/// The name of the zone in which the activity starts: the one given, or else the person's own. Refuses a time that the
/// clocks skip there.
fn zone_of_start(call: &ToolCall, start: DateTime) -> Result<String, AnswerError> {
    let given = call.text("time_zone");
    let zone = match given.trim() {
        "" => call.now.time_zone().clone(),
        given => TimeZone::get(given).map_err(|_| {
            AnswerError::Argument(format!(
                "time_zone {given:?} is unknown: give one such as Europe/Vienna or UTC"
            ))
        })?,
    };
    let Some(name) = zone.iana_name() else {
        let text = "time_zone is missing, and the name of the person's own is not known: give one such as Europe/Vienna";
        return Err(AnswerError::Argument(text.to_owned()));
    };
    if let AmbiguousOffset::Gap { .. } = zone.to_ambiguous_timestamp(start).offset() {
        return Err(AnswerError::Argument(format!(
            "start_time: {} does not exist on {} in {name}, because the clocks go forward. Nothing was created.",
            start.strftime("%H:%M"),
            start.date()
        )));
    }
    Ok(name.to_owned())
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tools::body_entries::TOOLS;
    use crate::tools::change::PlanPart;

    /// What a preview shows, for a person in Vienna or at an offset without a name.
    fn created(more: &Value, zone: &TimeZone) -> Result<Value, String> {
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == "create_manual_activity")
            .unwrap();
        let mut arguments =
            json!({"type_key": "running", "date": "2026-03-29", "duration_minutes": 30, "distance_km": 5});
        for (name, value) in more.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        let noon = date(2026, 3, 31).at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap();
        let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap();
        let types = json!([{"typeKey": "running"}, {"typeKey": "cycling"}]);
        match manual_activity(&call, &[&json!([]), &types]).map_err(|error| error.to_string())? {
            ChangeStep::Plan(mut plan) => match plan.parts.pop() {
                Some(PlanPart::Send(change)) => Ok(change.after["creates"].clone()),
                other => panic!("{other:?}"),
            },
            ChangeStep::Read(gets) => panic!("{gets:?}"),
        }
    }

    #[test]
    fn an_activity_starts_in_the_zone_of_the_person() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        assert_eq!(
            created(&json!({}), &vienna).unwrap(),
            json!({
                "activity_name": "Running", "type": "running", "start_time_local": "2026-03-29 09:00:00",
                "time_zone": "Europe/Vienna", "duration_minutes": 30, "distance_km": 5.0
            })
        );
        let there = created(&json!({"time_zone": "America/New_York"}), &vienna).unwrap();
        assert_eq!(there["time_zone"], "America/New_York");
        let refused = |more: Value, zone: &TimeZone, why: &str| {
            let error = created(&more, zone).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        refused(
            json!({}),
            &TimeZone::fixed(jiff::tz::offset(5)),
            "time_zone is missing",
        );
        refused(json!({"time_zone": "Wien"}), &vienna, "is unknown");
        // The clocks go from 2 to 3 on this day.
        refused(
            json!({"start_time": "02:30"}),
            &vienna,
            "02:30 does not exist on 2026-03-29",
        );
        refused(
            json!({"type_key": "Laufen"}),
            &vienna,
            "is not a Garmin activity type",
        );
    }
}
