//! Changes a workout: its whole document is sent again.

use http::Method;
use serde_json::{Value, json};

use super::saved::{named, of_id};
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, call_of};
use crate::tools::fields::at;
use crate::tools::workout_document::{outline, prepared};
use crate::tools::workout_steps::{garmin_steps, summary};

pub(super) fn update_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let id = json!(call.whole("workout_id"));
    let [old, ..] = answers else {
        return Ok(ChangeStep::get(of_id(&id)));
    };
    let (name, steps, data) = (call.text("name"), call.json("steps"), call.json("workout_data"));
    let description = call.given_arguments().get("description").cloned();
    if name.is_empty() && steps.is_null() && data.is_null() && description.is_none() {
        return Err(AnswerError::Argument(
            "give what to change: name, steps or description".to_owned(),
        ));
    }
    let mut new = if data.is_null() {
        (*old).clone()
    } else {
        prepared(data).map_err(AnswerError::Argument)?
    };
    if let Some(members) = new.as_object_mut() {
        members.insert("workoutId".to_owned(), id.clone());
        if !name.is_empty() {
            members.insert("workoutName".to_owned(), json!(name));
        }
        if let Some(description) = description {
            members.insert("description".to_owned(), description);
        }
        if !steps.is_null() {
            let steps = garmin_steps(&steps).map_err(AnswerError::Argument)?;
            let sport = members.get("sportType").cloned();
            let segment = json!({"segmentOrder": 1, "sportType": sport, "workoutSteps": steps});
            members.insert("workoutSegments".to_owned(), json!([segment]));
            // Garmin computes these from the steps.
            members.shift_remove("estimatedDurationInSecs");
            members.shift_remove("estimatedDistanceInMeters");
        }
    }
    let told = |document: &Value| json!({"name": named(document), "description": at(document, "description"), "steps": summary(document)});
    let (before, after, wanted) = (told(old), told(&new), outline(&new));
    let (description, back) = (at(&new, "description").cloned(), (*old).clone());
    let names = json!({"status": "success", "workout_id": id, "name": named(&new), "message": format!("Workout {id} updated")});
    let request = GarminChange::json(Method::PUT, format!("/workout-service/workout/{id}"), new);
    Ok(ChangeStep::one(
        PlannedChange::new(request, &names)
            .changes(before, after)
            .look(of_id(&id), "get_workout_by_id", move |now| {
                (outline(now) == wanted && at(now, "description") == description.as_ref()).into()
            })
            .undo(move |_| call_of("update_workout", &json!({"workout_id": id, "workout_data": back}))),
    ))
}
