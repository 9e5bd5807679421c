//! The change of one member of an activity's document.

use http::Method;
use serde_json::{Value, json};

use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, call_of, read};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

const ACTIVITY: &str = "/activity-service/activity/{activity_id}";

/// One member of an activity's document, and the parameter that sets it.
pub(super) struct ActivityMember {
    pub(super) tool: &'static str,
    pub(super) parameter: &'static str,
    /// The dotted path of the member.
    pub(super) path: &'static str,
    /// Converts a value of the document to the argument that sets it again.
    pub(super) argument: fn(&Value) -> Value,
    pub(super) message: &'static str,
}

/// Plans the change of a member. `told` is the new value as the argument, `wanted` the same value as the document holds
/// it, and `body` the body of the request.
pub(super) fn edit(
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
        Some(value) => call_of(member.tool, &json!({"activity_id": id, member.parameter: value})),
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
pub(super) fn activity_step(call: &ToolCall, more: &str) -> ChangeStep {
    let mut gets = vec![call.get(ACTIVITY).optional()];
    if !more.is_empty() {
        gets.push(GarminGet::plain(more));
    }
    ChangeStep::Read(gets)
}
