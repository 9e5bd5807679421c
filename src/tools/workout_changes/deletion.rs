//! Deletes workouts whose names match.

use http::Method;
use serde_json::{Map, Value, json};

use super::saved::{named, of_id};
use crate::tools::answer::AnswerError;
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangeStep, GarminChange, PlanPart, PlannedChange, call_of, check_name, must_read, total,
};
use crate::tools::garmin_get::FAILED;
use crate::tools::workout_steps::summary;

pub(super) fn delete_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let id = json!(call.whole("workout_id"));
    let [old, ..] = answers else {
        return Ok(ChangeStep::get(of_id(&id)));
    };
    check_name(&call.text("name"), &named(old), &format!("Workout {id}"), "name")?;
    Ok(ChangeStep::one(deletion(&id, old)))
}

pub(super) fn delete_workouts(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let (ids, names) = (call.json("workout_ids"), call.json("names"));
    let ids: Vec<Value> = ids.as_array().cloned().unwrap_or_default();
    if answers.is_empty() && !ids.is_empty() {
        return Ok(ChangeStep::Read(
            ids.iter().map(|id| of_id(id).optional()).collect(),
        ));
    }
    let Some(given) = names.as_array().filter(|names| names.len() == ids.len()) else {
        let actual: Vec<Value> = answers.iter().map(|old| json!(named(old))).collect();
        return Err(AnswerError::Argument(format!(
            "names must be the name of each workout, in the order of workout_ids: {}. Nothing was deleted.",
            Value::Array(actual)
        )));
    };
    let parts = ids.iter().zip(given).zip(answers).map(|((id, name), old)| {
        let refused = |reason: String| {
            PlanPart::Refused(Map::from_iter([("workout_id".to_owned(), id.clone())]), reason)
        };
        if old.get(FAILED) == Some(&json!("not_found")) {
            return refused("Garmin has no workout with this id".to_owned());
        }
        let checked = must_read(old, "The workout").and_then(|old| {
            check_name(
                name.as_str().unwrap_or_default(),
                &named(old),
                &format!("Workout {id}"),
                "names",
            )
        });
        match checked {
            Ok(()) => deletion(id, old).part(),
            Err(error) => refused(error.to_string()),
        }
    });
    Ok(ChangeStep::many(parts.collect(), total))
}

/// The deletion of a workout whose document was read.
fn deletion(id: &Value, old: &Value) -> PlannedChange {
    let mut back = old.clone();
    if let Some(members) = back.as_object_mut() {
        for own in [
            "workoutId",
            "ownerId",
            "author",
            "createdDate",
            "updatedDate",
            "updateDate",
        ] {
            members.shift_remove(own);
        }
    }
    let names = json!({"workout_id": id, "name": named(old)});
    let message = format!("Workout {id} deleted successfully");
    PlannedChange::new(
        GarminChange::new(Method::DELETE, format!("/workout-service/workout/{id}")),
        &names,
    )
    .changes(json!({"name": named(old), "steps": summary(old)}), Value::Null)
    .look(of_id(id), "get_workouts", |workout| workout.is_null().into())
    .tells(move |_| json!({"status": "success", "message": message}))
    .undo(move |_| call_of("upload_workout", &json!({"workout_data": back})))
}
