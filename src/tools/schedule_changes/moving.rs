//! Moving a scheduled workout to another day.

use http::Method;
use serde_json::{Value, json};

use crate::tools::answer::AnswerError;
use crate::tools::calendar::{CalendarEntry, calendar_get, entries, of_day, schedule_request};
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangeStep, GarminChange, Landed, PlannedChange, call_of};

pub(super) fn reschedule_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let (from, to) = (
        call.day("from_date").unwrap_or(call.today),
        call.day("to_date").unwrap_or(call.today),
    );
    if from == to {
        return Err(AnswerError::Argument(
            "from_date and to_date are the same day".to_owned(),
        ));
    }
    let [old_day, new_day, ..] = answers else {
        return Ok(ChangeStep::Read(vec![
            calendar_get(from, from),
            calendar_get(to, to),
        ]));
    };
    let (old_day, new_day) = (of_day(old_day, from)?, of_day(new_day, to)?);
    let (name, id) = (
        call.text("name").trim().to_lowercase(),
        call.whole("scheduled_workout_id"),
    );
    let movable = |entry: &&CalendarEntry| {
        (id == 0 || entry.id == Some(id)) && (name.is_empty() || entry.name.to_lowercase().contains(&name))
    };
    let found: Vec<&CalendarEntry> = old_day.iter().filter(movable).collect();
    let told = |entries: &[CalendarEntry]| {
        let entries = entries
            .iter()
            .map(|entry| format!("{:?} ({})", entry.name, entry.id.unwrap_or_default()));
        entries.collect::<Vec<_>>().join(", ")
    };
    let entry = match found.as_slice() {
        [entry] => (*entry).clone(),
        [] if old_day.is_empty() => {
            return Err(AnswerError::Argument(format!(
                "nothing is scheduled for {from}. Nothing was moved."
            )));
        }
        [] => {
            let text = format!(
                "{from} has {}, but nothing that matches. Nothing was moved.",
                told(&old_day)
            );
            return Err(AnswerError::Argument(text));
        }
        _ => {
            let text = format!(
                "{from} has {}: give name or scheduled_workout_id. Nothing was moved.",
                told(&old_day)
            );
            return Err(AnswerError::Argument(text));
        }
    };
    let (Some(entry_id), Some(workout_id)) = (entry.id, entry.workout_id) else {
        let text = format!(
            "{:?} belongs to a training plan, which Garmin moves itself. Nothing was moved.",
            entry.name
        );
        return Err(AnswerError::Argument(text));
    };
    if new_day.iter().any(|other| other.workout_id == Some(workout_id)) {
        let text = format!("{:?} is already on {to}. Nothing was moved.", entry.name);
        return Err(AnswerError::Argument(text));
    }
    let names = json!({"workout_id": workout_id, "name": entry.name, "scheduled_date": to.to_string()});
    let before = json!({"date": from.to_string(), "on_the_new_day": new_day.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>()});
    let after = json!({"date": to.to_string(), "on_the_new_day": before.get("on_the_new_day")});
    let schedule = schedule_request(workout_id, to, &new_day, &names);
    Ok(ChangeStep::one(schedule.changes(before, after).then(move |landed: &Landed<'_>| {
        let new_id = landed.id("workoutScheduleId");
        let message = format!("Moved {:?} from {from} to {to}", entry.name);
        let names = json!({
            "status": "success", "workout_id": workout_id, "name": entry.name, "scheduled_date": to.to_string(),
            "scheduled_workout_id": new_id, "message": message,
        });
        let back = json!({
            "from_date": to.to_string(), "to_date": from.to_string(), "name": entry.name, "scheduled_workout_id": new_id,
        });
        let request = GarminChange::new(Method::DELETE, format!("/workout-service/schedule/{entry_id}"));
        Ok(PlannedChange::new(request, &names)
            .changes(json!({"date": from.to_string()}), Value::Null)
            .look(calendar_get(from, from), "get_scheduled_workouts", move |calendar| {
                entries(calendar).iter().all(|entry| entry.id != Some(entry_id)).into()
            })
            .undo_of_all(move |_| call_of("reschedule_workout", &back)))
    })))
}
