//! New workouts: as Garmin's document, or from readable steps.

use http::Method;
use serde_json::{Map, Value, json};

use super::saved::{WORKOUTS, named, of_id, workouts_step};
use crate::tools::answer::AnswerError;
use crate::tools::calendar::{calendar_get, of_day, schedule_request};
use crate::tools::call::ToolCall;
use crate::tools::change::{
    ChangeStep, GarminChange, Landed, PlanPart, PlannedChange, Sight, call_of, read, total,
};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;
use crate::tools::workout_document::{must_have_name, outline, prepared, workout};
use crate::tools::workout_steps::{garmin_steps, summary};

pub(super) fn create_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    must_have_name(&call.text("name")).map_err(AnswerError::Argument)?;
    if let Some(date) = call.day("date").filter(|date| *date < call.today) {
        return Err(AnswerError::Argument(format!(
            "date ({date}) is in the past: today is {}. Give today or a later day, or leave date out. Nothing was \
             created.",
            call.today
        )));
    }
    let steps = garmin_steps(&call.json("steps")).map_err(AnswerError::Argument)?;
    if steps.is_empty() {
        return Err(AnswerError::Argument(
            "steps is empty: give at least one step".to_owned(),
        ));
    }
    let document = workout(
        &call.text("name"),
        &call.text("description"),
        &call.text("sport"),
        &steps,
    );
    let steps = json!({"steps": summary(&document)});
    let (workouts, calendar) = match (call.day("date"), answers) {
        (None, []) => return Ok(workouts_step()),
        (Some(date), []) => {
            let gets = vec![GarminGet::plain(WORKOUTS).optional(), calendar_get(date, date)];
            return Ok(ChangeStep::Read(gets));
        }
        (None, [workouts, ..]) => return Ok(ChangeStep::one(plan_upload(workouts, document, &steps))),
        (Some(date), [workouts, calendar, ..]) => (workouts, (date, of_day(calendar, date)?)),
        (Some(_), [_]) => return Err(AnswerError::Argument("the calendar could not be read".to_owned())),
    };
    let (date, on_day) = calendar;
    let name = call.text("name");
    let upload = plan_upload(workouts, document, &steps);
    let mut after = upload.after.clone();
    if let Some(after) = after.as_object_mut() {
        after.insert("schedules_for".to_owned(), json!(date.to_string()));
    }
    let before = json!({"on_that_day": on_day.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>()});
    Ok(ChangeStep::one(upload.changes(before, after).then(
        move |landed: &Landed<'_>| {
            let id = landed.id("workoutId").and_then(|id| id.as_i64());
            let id = id.ok_or("the workout was created, but Garmin gave no id, so it was not scheduled")?;
            Ok(schedule_request(
                id,
                date,
                &on_day,
                &json!({"name": name, "workout_id": id, "scheduled_date": date.to_string()}),
            ))
        },
    )))
}

pub(super) fn upload_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    match answers {
        [] => Ok(workouts_step()),
        [workouts, ..] => {
            let document = prepared(call.json("workout_data")).map_err(AnswerError::Argument)?;
            Ok(ChangeStep::one(plan_upload(workouts, document, &json!({}))))
        }
    }
}

pub(super) fn upload_workouts(call: &ToolCall, answers: &[&Value]) -> ChangeStep {
    let [workouts, ..] = answers else {
        return workouts_step();
    };
    let given = call.json("workouts");
    let parts = given
        .as_array()
        .into_iter()
        .flatten()
        .map(|document| match prepared(document.clone()) {
            Ok(document) => plan_upload(workouts, document, &json!({})).part(),
            Err(reason) => {
                let names = Map::from_iter([("name".to_owned(), json!(named(document)))]);
                PlanPart::Refused(names, reason)
            }
        });
    ChangeStep::many(parts.collect(), total)
}

/// The upload of a document. The members of `more` are added to the answer.
pub(in crate::tools) fn plan_upload(workouts: &Value, document: Value, more: &Value) -> PlannedChange {
    let name = named(&document);
    let id_of = |item: &Value| item.get("workoutId").cloned();
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let earlier: Vec<Value> = read(workouts)
        .map_or_else(Vec::new, items)
        .iter()
        .filter_map(id_of)
        .collect();
    let namesakes = read(workouts).map(|list| items(list).iter().filter(|item| named(item) == name).count());
    let is_known = read(workouts).is_some();
    let (wanted, seen_name, undo_name) = (outline(&document), name.clone(), name.clone());
    let mut names = json!({"name": name});
    if let (Some(names), Some(more)) = (names.as_object_mut(), more.as_object()) {
        names.extend(more.clone());
    }
    let after = json!({"creates": {"name": name, "steps": summary(&document)}});
    PlannedChange::new(
        GarminChange::json(Method::POST, "/workout-service/workout", document),
        &names,
    )
    .changes(json!({"workouts_with_this_name": namesakes}), after)
    .look(
        GarminGet::plain(WORKOUTS),
        "get_workouts",
        move |document| match document {
            Value::Array(list) => {
                let new = list.iter().find(|item| {
                    is_known
                        && named(item) == seen_name
                        && id_of(item).is_some_and(|id| !earlier.contains(&id))
                });
                new.map_or(Sight::NotMade, |item| Sight::Made(id_of(item)))
            }
            one => (outline(one) == wanted).into(),
        },
    )
    .look_by(|response| at(response, "workoutId").map(of_id))
    .tells(|landed| {
        json!({
            "status": "success",
            "workout_id": landed.id("workoutId"),
            "name": at(landed.response, "workoutName"),
            "message": "Workout uploaded successfully",
        })
    })
    .undo(move |landed| match landed.id("workoutId") {
        Some(id) => call_of("delete_workout", &json!({"workout_id": id, "name": undo_name})),
        None => json!("delete_workout with the id that get_workouts shows"),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tools::workout_changes::TOOLS;

    #[test]
    fn a_workout_without_a_name_or_for_a_day_that_is_over_is_refused() {
        let tool = TOOLS.iter().find(|tool| tool.name == "create_workout").unwrap();
        let noon = date(2026, 1, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
        let refused = |name: &str, day: &str| {
            let arguments = json!({"name": name, "steps": [{"kind": "interval"}], "date": day});
            let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap();
            create_workout(&call, &[]).err().map(|error| error.to_string())
        };
        let past = refused("Tempo", "yesterday").unwrap();
        assert!(
            past.contains("2026-01-30) is in the past: today is 2026-01-31"),
            "{past}"
        );
        assert!(refused("", "today").unwrap().contains("name is empty"));
        assert_eq!(refused("Tempo", "today"), None);
    }
}
