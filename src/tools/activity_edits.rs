//! Changes of activities: name, type, description, event type, effort, feel and gear.
//!
//! Garmin takes a part of the activity's document and merges it. Only the changed member is sent, because Garmin
//! refuses a summary that is sent back whole.

use http::Method;
use serde_json::{Value, json};

use super::activity_management::near;
use super::answer::AnswerError;
use super::call::ToolCall;
use super::change::{ChangeStep, GarminChange, PlannedChange, call_of, read};
use super::fields::{at, list};
use super::garmin_get::GarminGet;
use super::json::rounded;
use super::parameter::Parameter;
use super::table::{Effect, Tool};

const ACTIVITY_ID: Parameter = Parameter::id(
    "activity_id",
    "The activity's id, from one of the lists of activities",
);
const GEAR_UUID: Parameter = Parameter::required_text("gear_uuid", "The gear's uuid, from get_gear");
const SET: Effect = Effect::Change { idempotent: true };

const ACTIVITY: &str = "/activity-service/activity/{activity_id}";
const TYPES: &str = "/activity-service/activity/activityTypes";
const EVENT_TYPES: &str = "/activity-service/activity/eventTypes";
const GEAR: &str = "/gear-service/gear/filterGear?activityId={activity_id}";

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "set_activity_name",
        "Rename an activity.",
        &[
            ACTIVITY_ID,
            Parameter::required_text("activity_name", "The new name"),
        ],
        SET,
        name,
        "Error updating activity name",
    ),
    Tool::change(
        "set_activity_type",
        "Change the type of an activity.",
        &[
            ACTIVITY_ID,
            Parameter::required_text(
                "type_key",
                "The new type, such as trail_running; get_activity_types lists them",
            ),
        ],
        SET,
        type_key,
        "Error updating activity type",
    ),
    Tool::change(
        "set_activity_description",
        "Replace the description of an activity; an empty text clears it.",
        &[
            ACTIVITY_ID,
            Parameter::required_text("description", "The new description; it replaces the old one"),
        ],
        SET,
        description,
        "Error updating activity description",
    ),
    Tool::change(
        "set_activity_event_type",
        "Tag an activity as race, recreation, specialEvent, training, transportation, touring, geocaching, fitness or \
         uncategorized.",
        &[
            ACTIVITY_ID,
            Parameter::required_text("event_type", "The new tag, such as race or training"),
        ],
        SET,
        event_type,
        "Error updating activity event type",
    ),
    Tool::change(
        "set_perceived_effort",
        "Record how hard an activity was (RPE).",
        &[
            ACTIVITY_ID,
            Parameter::number(
                "rpe",
                "The effort from 0 to 10, such as 3 or 7.5; 0 clears it",
                (0.0, 10.0),
            ),
        ],
        SET,
        perceived_effort,
        "Error updating perceived effort",
    ),
    Tool::change(
        "set_activity_feel",
        "Record how an activity felt.",
        &[
            ACTIVITY_ID,
            Parameter::integer(
                "feel",
                "0 very weak, 25 weak, 50 normal, 75 strong, 100 very strong",
                (0, 100),
            ),
        ],
        SET,
        feel,
        "Error updating activity feel",
    ),
    Tool::change(
        "add_gear_to_activity",
        "Add shoes, a bike or other gear to an activity.",
        &[ACTIVITY_ID, GEAR_UUID],
        SET,
        |call, answers| gear(call, answers, true),
        "Error adding gear to activity",
    ),
    Tool::change(
        "remove_gear_from_activity",
        "Remove gear from an activity; the gear itself stays.",
        &[ACTIVITY_ID, GEAR_UUID],
        SET,
        |call, answers| gear(call, answers, false),
        "Error removing gear from activity",
    ),
];

/// One member of an activity's document, and the parameter that sets it.
struct ActivityMember {
    tool: &'static str,
    parameter: &'static str,
    /// The dotted path of the member.
    path: &'static str,
    /// The argument that sets a value of the document again.
    argument: fn(&Value) -> Value,
    message: &'static str,
}

/// Plans the change of a member. `told` is its new value as an argument, `wanted` the same in the document, and `body`
/// what is sent.
fn edit(
    call: &ToolCall,
    activity: &Value,
    member: &'static ActivityMember,
    told: &Value,
    wanted: Value,
    mut body: Value,
) -> PlannedChange {
    let id = call.whole("activity_id");
    if let Some(members) = body.as_object_mut() {
        members.insert("activityId".to_owned(), json!(id));
    }
    let before = read(activity).map(|activity| {
        let value = at(activity, member.path);
        (member.argument)(value.unwrap_or(&Value::Null))
    });
    let before_told = match &before {
        Some(value) => {
            json!({"activity_name": read(activity).and_then(|a| at(a, "activityName")), member.parameter: value})
        }
        None => json!("unknown"),
    };
    let mut after = before_told.clone();
    match after.as_object_mut() {
        Some(members) => {
            members.insert(member.parameter.to_owned(), told.clone());
        }
        None => after = json!({member.parameter: told}),
    }
    let change = PlannedChange::new(
        GarminChange::json(Method::PUT, call.get(ACTIVITY).path, body),
        &json!({"success": true, "activity_id": id, member.parameter: told, "message": member.message}),
    );
    let undo = match before {
        Some(value) => call_of(member.tool, json!({"activity_id": id, member.parameter: value})),
        None => json!("the value before could not be read"),
    };
    change
        .changes(before_told, after)
        .look(call.get(ACTIVITY), "get_activity", move |activity| {
            let now = at(activity, member.path).unwrap_or(&Value::Null);
            let is_zero =
                |value: &Value| value.is_null() || *value == json!("") || value.as_f64() == Some(0.0);
            let is_same = *now == wanted || now.as_f64().is_some_and(|now| Some(now) == wanted.as_f64());
            (is_same || (is_zero(now) && is_zero(&wanted))).into()
        })
        .undo(move |_| undo.clone())
}

/// The activity's document, or the step that reads it. A failure does not prevent the change.
fn activity_step(call: &ToolCall, more: &str) -> ChangeStep {
    let mut gets = vec![call.get(ACTIVITY).optional()];
    if !more.is_empty() {
        gets.push(GarminGet::plain(more));
    }
    ChangeStep::Read(gets)
}

/// A text as it is; an empty one for a missing member.
fn text(value: &Value) -> Value {
    json!(value.as_str().unwrap_or_default())
}

fn name(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const NAME: &ActivityMember = &ActivityMember {
        tool: "set_activity_name",
        parameter: "activity_name",
        path: "activityName",
        argument: text,
        message: "Activity name successfully updated",
    };
    let name = call.text("activity_name").trim().to_owned();
    if name.is_empty() {
        return Err(AnswerError::Argument("Activity name cannot be empty".to_owned()));
    }
    match answers {
        [activity, ..] => {
            let name = json!(name);
            ChangeStep::one(edit(
                call,
                activity,
                NAME,
                &name,
                name.clone(),
                json!({"activityId": 0, "activityName": name}),
            ))
        }
        [] => Ok(activity_step(call, "")),
    }
}

fn description(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const DESCRIPTION: &ActivityMember = &ActivityMember {
        tool: "set_activity_description",
        parameter: "description",
        path: "description",
        argument: text,
        message: "Activity description successfully updated",
    };
    match answers {
        [activity, ..] => {
            let text = json!(call.text("description"));
            let body = json!({"activityId": 0, "description": text});
            ChangeStep::one(edit(call, activity, DESCRIPTION, &text, text.clone(), body))
        }
        [] => Ok(activity_step(call, "")),
    }
}

/// The entry of one of Garmin's lists of types, or an error that names near keys.
fn entry<'a>(types: &'a Value, key: &str, what: &str, tool: &str) -> Result<&'a Value, AnswerError> {
    let types = list(types, "")?;
    let key_of = |entry: &'a Value| entry.get("typeKey").and_then(Value::as_str);
    if let Some(entry) = types.iter().find(|entry| key_of(entry) == Some(key)) {
        return Ok(entry);
    }
    let keys: Vec<&str> = types.iter().filter_map(key_of).collect();
    let near = near(&key.to_lowercase(), &keys);
    let known = match (near.is_empty(), tool.is_empty()) {
        (true, true) => format!(": give one of {}", keys.join(", ")),
        (true, false) => format!(": {tool} lists them"),
        (false, _) => format!(" (near it: {})", near.join(", ")),
    };
    Err(AnswerError::Argument(format!(
        "{key:?} is no {what} of Garmin{known}"
    )))
}

fn type_key(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const TYPE: &ActivityMember = &ActivityMember {
        tool: "set_activity_type",
        parameter: "type_key",
        path: "activityTypeDTO.typeKey",
        argument: text,
        message: "Activity type successfully updated",
    };
    let [activity, types, ..] = answers else {
        return Ok(activity_step(call, TYPES));
    };
    let key = call.text("type_key").trim().to_owned();
    let entry = entry(types, &key, "activity type", "get_activity_types")?;
    let dto = json!({
        "typeId": entry.get("typeId"),
        "typeKey": key,
        "parentTypeId": entry.get("parentTypeId"),
    });
    let body = json!({"activityId": 0, "activityTypeDTO": dto});
    let mut change = edit(call, activity, TYPE, &json!(key), json!(key), body);
    change
        .names
        .insert("type_id".to_owned(), json!(entry.get("typeId")));
    ChangeStep::one(change)
}

fn event_type(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const EVENT: &ActivityMember = &ActivityMember {
        tool: "set_activity_event_type",
        parameter: "event_type",
        path: "eventTypeDTO.typeKey",
        argument: |value| json!(value.as_str().unwrap_or("uncategorized")),
        message: "Activity event type successfully updated",
    };
    let [activity, types, ..] = answers else {
        return Ok(activity_step(call, EVENT_TYPES));
    };
    let key = call.text("event_type").trim().to_owned();
    let entry = entry(types, &key, "event type", "")?;
    let dto = json!({
        "typeId": entry.get("typeId"),
        "typeKey": key,
        "sortOrder": entry.get("sortOrder"),
    });
    let body = json!({"activityId": 0, "eventTypeDTO": dto});
    ChangeStep::one(edit(call, activity, EVENT, &json!(key), json!(key), body))
}

fn perceived_effort(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const EFFORT: &ActivityMember = &ActivityMember {
        tool: "set_perceived_effort",
        parameter: "rpe",
        path: "summaryDTO.directWorkoutRpe",
        argument: |value| rounded(value.as_f64().unwrap_or_default() / 10.0, 1),
        message: "Perceived effort successfully updated",
    };
    let [activity, ..] = answers else {
        return Ok(activity_step(call, ""));
    };
    let rpe = call
        .number("rpe")
        .and_then(|rpe| rpe.as_f64())
        .unwrap_or_default();
    let tenths = whole_number(rpe * 10.0);
    let body = json!({"activityId": 0, "summaryDTO": {"directWorkoutRpe": tenths}});
    ChangeStep::one(edit(call, activity, EFFORT, &json!(rpe), tenths, body))
}

/// The nearest whole number as JSON. A tie goes to the even neighbour, as in Python.
fn whole_number(number: f64) -> Value {
    format!("{number:.0}")
        .parse::<i64>()
        .map_or(Value::Null, Value::from)
}

fn feel(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const FEEL: &ActivityMember = &ActivityMember {
        tool: "set_activity_feel",
        parameter: "feel",
        path: "summaryDTO.directWorkoutFeel",
        argument: Value::clone,
        message: "Activity feel successfully updated",
    };
    let feel = call.whole("feel");
    if feel % 25 != 0 {
        let text = "feel must be one of 0, 25, 50, 75, 100";
        return Err(AnswerError::Argument(text.to_owned()));
    }
    match answers {
        [activity, ..] => {
            let body = json!({"activityId": 0, "summaryDTO": {"directWorkoutFeel": feel}});
            ChangeStep::one(edit(call, activity, FEEL, &json!(feel), json!(feel), body))
        }
        [] => Ok(activity_step(call, "")),
    }
}

fn gear(call: &ToolCall, answers: &[&Value], adds: bool) -> Result<ChangeStep, AnswerError> {
    let [gear, ..] = answers else {
        return ChangeStep::get(call.get(GEAR).optional());
    };
    let uuid = call.text("gear_uuid").trim().to_owned();
    let names = |gear: &Value| -> Value {
        let names = gear.as_array().into_iter().flatten();
        names
            .filter_map(|gear| Some(json!({"uuid": gear.get("uuid")?, "name": gear.get("displayName")})))
            .collect()
    };
    let before = read(gear).map_or(json!("unknown"), |gear| json!({"gear": names(gear)}));
    let template = if adds {
        "/gear-service/gear/link/{gear_uuid}/activity/{activity_id}"
    } else {
        "/gear-service/gear/unlink/{gear_uuid}/activity/{activity_id}"
    };
    let (message, back) = if adds {
        ("Gear successfully added to activity", "remove_gear_from_activity")
    } else {
        ("Gear successfully removed from activity", "add_gear_to_activity")
    };
    let names = json!({
        "success": true, "activity_id": call.whole("activity_id"), "gear_uuid": uuid, "message": message,
    });
    let undo = call_of(
        back,
        json!({"activity_id": call.whole("activity_id"), "gear_uuid": uuid}),
    );
    let after = if adds {
        json!({"adds": uuid})
    } else {
        json!({"removes": uuid})
    };
    ChangeStep::one(
        PlannedChange::new(GarminChange::new(Method::PUT, call.get(template).path), &names)
            .changes(before, after)
            .look(call.get(GEAR), "get_activity_gear", move |gear| {
                let mut gear = gear.as_array().into_iter().flatten();
                (gear.any(|gear| gear.get("uuid") == Some(&json!(uuid))) == adds).into()
            })
            .undo(move |_| undo.clone()),
    )
}
