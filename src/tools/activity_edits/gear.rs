//! The gear of an activity.

use http::Method;
use serde_json::{Value, json};

use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, call_of, read};

const GEAR: &str = "/gear-service/gear/filterGear?activityId={activity_id}";

/// `adds`: whether the gear is added or removed.
pub(super) fn gear(call: &ToolCall, answers: &[&Value], adds: bool) -> ChangeStep {
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
        &json!({"activity_id": call.whole("activity_id"), "gear_uuid": uuid}),
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
