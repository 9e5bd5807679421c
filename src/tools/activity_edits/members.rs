//! The members of an activity that can be changed: name, type, description, event type, effort and feel.

use serde_json::{Value, json};

use super::edit::{ActivityMember, activity_step, edit};
use crate::tools::activity_management::near;
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::ChangeStep;
use crate::tools::fields::list;
use crate::tools::json::rounded;

const TYPES: &str = "/activity-service/activity/activityTypes";
const EVENT_TYPES: &str = "/activity-service/activity/eventTypes";

pub(super) fn name(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
            Ok(ChangeStep::one(edit(
                call,
                activity,
                NAME,
                &name,
                name.clone(),
                json!({"activityId": 0, "activityName": name}),
            )))
        }
        [] => Ok(activity_step(call, "")),
    }
}

pub(super) fn type_key(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const TYPE: &ListedMember = &ListedMember {
        member: ActivityMember {
            tool: "set_activity_type",
            parameter: "type_key",
            path: "activityTypeDTO.typeKey",
            argument: text,
            message: "Activity type successfully updated",
        },
        list: TYPES,
        noun: "activity type",
        lister: "get_activity_types",
        object: "activityTypeDTO",
        sent_along: "parentTypeId",
        told_id: Some("type_id"),
    };
    listed(call, answers, TYPE)
}

pub(super) fn description(call: &ToolCall, answers: &[&Value]) -> ChangeStep {
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
        [] => activity_step(call, ""),
    }
}

pub(super) fn event_type(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    const EVENT: &ListedMember = &ListedMember {
        member: ActivityMember {
            tool: "set_activity_event_type",
            parameter: "event_type",
            path: "eventTypeDTO.typeKey",
            argument: |value| json!(value.as_str().unwrap_or("uncategorized")),
            message: "Activity event type successfully updated",
        },
        list: EVENT_TYPES,
        noun: "event type",
        lister: "",
        object: "eventTypeDTO",
        sent_along: "sortOrder",
        told_id: None,
    };
    listed(call, answers, EVENT)
}

pub(super) fn perceived_effort(call: &ToolCall, answers: &[&Value]) -> ChangeStep {
    const EFFORT: &ActivityMember = &ActivityMember {
        tool: "set_perceived_effort",
        parameter: "rpe",
        path: "summaryDTO.directWorkoutRpe",
        argument: |value| rounded(value.as_f64().unwrap_or_default() / 10.0, 1),
        message: "Perceived effort successfully updated",
    };
    let [activity, ..] = answers else {
        return activity_step(call, "");
    };
    let rpe = call
        .number("rpe")
        .and_then(|rpe| rpe.as_f64())
        .unwrap_or_default();
    let tenths = whole_number(rpe * 10.0);
    let body = json!({"activityId": 0, "summaryDTO": {"directWorkoutRpe": tenths}});
    ChangeStep::one(edit(call, activity, EFFORT, &json!(rpe), tenths, body))
}

pub(super) fn feel(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
            Ok(ChangeStep::one(edit(
                call,
                activity,
                FEEL,
                &json!(feel),
                json!(feel),
                body,
            )))
        }
        [] => Ok(activity_step(call, "")),
    }
}

/// A member whose value is an entry of one of Garmin's lists.
struct ListedMember {
    member: ActivityMember,
    list: &'static str,
    noun: &'static str,
    /// The tool that lists the entries, if there is one.
    lister: &'static str,
    /// The object of the request that holds the entry.
    object: &'static str,
    /// The member that Garmin requires of the entry besides its id and its key.
    sent_along: &'static str,
    /// The name under which the answer gives the entry's id.
    told_id: Option<&'static str>,
}

fn listed(
    call: &ToolCall,
    answers: &[&Value],
    listed: &'static ListedMember,
) -> Result<ChangeStep, AnswerError> {
    let [activity, entries, ..] = answers else {
        return Ok(activity_step(call, listed.list));
    };
    let key = call.text(listed.member.parameter).trim().to_owned();
    let entry = entry(entries, &key, listed.noun, listed.lister)?;
    let body = json!({"activityId": 0, listed.object: {
        "typeId": entry.get("typeId"),
        "typeKey": key,
        listed.sent_along: entry.get(listed.sent_along),
    }});
    let mut change = edit(call, activity, &listed.member, &json!(key), json!(key), body);
    if let Some(name) = listed.told_id {
        change.names.insert(name.to_owned(), json!(entry.get("typeId")));
    }
    Ok(ChangeStep::one(change))
}

/// A text as it is; an empty one for a missing member.
fn text(value: &Value) -> Value {
    json!(value.as_str().unwrap_or_default())
}

/// The entry of one of Garmin's lists of types, or an error that suggests similar keys.
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
        (false, _) => format!(" (similar: {})", near.join(", ")),
    };
    Err(AnswerError::Argument(format!(
        "{key:?} is not a Garmin {what}{known}"
    )))
}

/// The nearest whole number as JSON. A tie goes to the even neighbour, as in Python.
fn whole_number(number: f64) -> Value {
    format!("{number:.0}")
        .parse::<i64>()
        .map_or(Value::Null, Value::from)
}
