//! Removing entries from the calendar.

use http::Method;
use serde_json::{Value, json};

use crate::tools::calendar::CalendarEntry;
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, PlannedChange, call_of, read, total};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

pub(super) fn unschedule_workout(call: &ToolCall, answers: &[&Value]) -> ChangeStep {
    let id = json!(call.whole("scheduled_workout_id"));
    match answers {
        [] => ChangeStep::get(entry_get(&id).optional()),
        [entry, ..] => ChangeStep::one(removal(&id, &entry_of(entry))),
    }
}

pub(super) fn unschedule_workouts(call: &ToolCall, answers: &[&Value]) -> ChangeStep {
    let ids = call.json("scheduled_workout_ids");
    let ids = ids.as_array().cloned().unwrap_or_default();
    if answers.is_empty() && !ids.is_empty() {
        return ChangeStep::Read(ids.iter().map(|id| entry_get(id).optional()).collect());
    }
    let parts = ids
        .iter()
        .zip(answers)
        .map(|(id, entry)| removal(id, &entry_of(entry)).part());
    ChangeStep::many(parts.collect(), total)
}

fn entry_get(id: &Value) -> GarminGet {
    GarminGet::plain(&format!("/workout-service/schedule/{id}"))
}

/// The calendar entry in a document about a single entry.
fn entry_of(document: &Value) -> CalendarEntry {
    let document = read(document).unwrap_or(&Value::Null);
    let text = |path: &str| {
        at(document, path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    CalendarEntry {
        id: None,
        workout_id: at(document, "workout.workoutId").and_then(Value::as_i64),
        name: text("workout.workoutName"),
        date: text("calendarDate"),
    }
}

fn removal(id: &Value, entry: &CalendarEntry) -> PlannedChange {
    let before = match entry.workout_id {
        Some(_) => json!({"name": entry.name, "date": entry.date}),
        None => json!("unknown"),
    };
    let undo = match entry.workout_id {
        Some(workout) => call_of(
            "schedule_workout",
            &json!({"workout_id": workout, "calendar_date": entry.date}),
        ),
        None => json!("schedule_workout with the workout's id and the day"),
    };
    let message = format!("Scheduled workout {id} removed from calendar");
    PlannedChange::new(
        GarminChange::new(Method::DELETE, format!("/workout-service/schedule/{id}")),
        &json!({"scheduled_workout_id": id}),
    )
    .changes(before, Value::Null)
    .look(entry_get(id), "get_scheduled_workouts", |entry| {
        entry.is_null().into()
    })
    .tells(move |_| json!({"status": "success", "message": message}))
    .undo(move |_| undo.clone())
}
