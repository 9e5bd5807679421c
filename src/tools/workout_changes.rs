//! Workouts: upload, create from readable steps, change, and delete.

use http::Method;
use serde_json::{Map, Value, json};

use super::answer::AnswerError;
use super::calendar::{calendar_get, of_day, schedule_request};
use super::call::ToolCall;
use super::change::{
    ChangeStep, GarminChange, Landed, PlanPart, PlannedChange, Sight, call_of, check_name, must_read, read,
    total,
};
use super::fields::at;
use super::garmin_get::{FAILED, GarminGet};
use super::parameter::Parameter;
use super::table::{Effect, Tool};
use super::workout_document::{outline, prepared, workout};
use super::workout_steps::{STEPS, garmin_steps, summary};

const ADD: Effect = Effect::Change { idempotent: false };
const WORKOUTS: &str = "/workout-service/workouts?start=0&limit=999";
const WORKOUT_ID: Parameter = Parameter::id("workout_id", "The workout's id, from get_workouts");
const SPORTS: &[&str] = &[
    "running",
    "cycling",
    "walking",
    "swimming",
    "strength_training",
    "cardio_training",
    "hiit",
    "yoga",
    "other",
];
/// The workout as Garmin's own document.
const DOCUMENT: Parameter = Parameter::object(
    "workout_data",
    "The workout as Garmin's document; create_workout takes readable steps instead",
    &[
        Parameter::required_text("workoutName", "The workout's name"),
        Parameter::object("sportType", "The sport: {sportTypeId, sportTypeKey}", &[]).optional(),
        Parameter::list(
            "workoutSegments",
            "The segments: {segmentOrder, sportType, workoutSteps}",
            &Parameter::object("segment", "A segment with its workoutSteps", &[]),
            50,
        )
        .optional(),
    ],
);

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "create_workout",
        "Create a workout from readable steps, and put it on a day of the calendar if a date is given.",
        &[
            Parameter::required_text("name", "The workout's name"),
            STEPS,
            Parameter::one_of("sport", "The sport (default running)", SPORTS, "running"),
            Parameter::text("description", "A description that Garmin Connect shows", ""),
            Parameter::day(
                "date",
                "The day to schedule it for: YYYY-MM-DD, today or tomorrow",
            )
            .may_be_future()
            .optional(),
        ],
        ADD,
        create_workout,
        "Error creating workout",
    ),
    Tool::change(
        "update_workout",
        "Change a workout: its name, description or all its steps. Scheduled days keep it.",
        &[
            WORKOUT_ID,
            Parameter::text("name", "The new name; empty: unchanged", ""),
            Parameter::list(
                "steps",
                "All steps in order; they replace the old ones",
                STEP_ITEM,
                50,
            )
            .optional(),
            Parameter::required_text("description", "The new description").optional(),
            Parameter::object(
                "workout_data",
                "Garmin's whole document instead, as the undo of an update gives it",
                &[],
            )
            .optional(),
        ],
        Effect::Change { idempotent: true },
        update_workout,
        "Error updating workout",
    ),
    Tool::change(
        "upload_workout",
        "Upload a workout as Garmin's document. create_workout is simpler.",
        &[DOCUMENT],
        ADD,
        |call, answers| match answers {
            [] => workouts_step(),
            [workouts, ..] => {
                let document = prepared(call.json("workout_data")).map_err(AnswerError::Argument)?;
                ChangeStep::one(plan_upload(workouts, document, &json!({})))
            }
        },
        "Error uploading workout",
    ),
    Tool::change(
        "upload_workouts",
        "Upload several workouts as Garmin's documents, one after the other.",
        &[Parameter::list("workouts", "The workouts", &DOCUMENT, 50)],
        ADD,
        upload_workouts,
        "Error uploading workout",
    ),
    Tool::change(
        "delete_workout",
        "Delete a workout, also from the calendar.",
        &[
            WORKOUT_ID,
            Parameter::text(
                "name",
                "The workout's name, which must match; it guards against a wrong id",
                "",
            ),
        ],
        Effect::Delete,
        delete_workout,
        "Error deleting workout",
    ),
    Tool::change(
        "delete_workouts",
        "Delete several workouts, also from the calendar.",
        &[
            Parameter::list("workout_ids", "The workouts' ids", &WORKOUT_ID, 50),
            Parameter::list(
                "names",
                "The workouts' names in the same order, which must match",
                &Parameter::required_text("name", "A workout's name"),
                50,
            )
            .optional(),
        ],
        Effect::Delete,
        delete_workouts,
        "Error deleting workout",
    ),
];

const STEP_ITEM: &Parameter = match STEPS.kind {
    super::parameter::ParameterKind::List { item, .. } => item,
    _ => &STEPS,
};

fn of_id(id: &Value) -> GarminGet {
    GarminGet::plain(&format!("/workout-service/workout/{id}"))
}

/// Reads the workouts that are there, so that a new one can be told from them.
pub(super) fn workouts_step() -> Result<ChangeStep, AnswerError> {
    ChangeStep::get(GarminGet::plain(WORKOUTS).optional())
}

fn named(document: &Value) -> String {
    at(document, "workoutName")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The upload of a document. `more` is told besides.
pub(super) fn plan_upload(workouts: &Value, document: Value, more: &Value) -> PlannedChange {
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
        Some(id) => call_of("delete_workout", json!({"workout_id": id, "name": undo_name})),
        None => json!("delete_workout with the id that get_workouts shows"),
    })
}

fn upload_workouts(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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

fn create_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
        steps,
    );
    let steps = json!({"steps": summary(&document)});
    let (workouts, calendar) = match (call.day("date"), answers) {
        (None, []) => return workouts_step(),
        (Some(date), []) => {
            let gets = vec![GarminGet::plain(WORKOUTS).optional(), calendar_get(date, date)];
            return Ok(ChangeStep::Read(gets));
        }
        (None, [workouts, ..]) => return ChangeStep::one(plan_upload(workouts, document, &steps)),
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
    ChangeStep::one(upload.changes(before, after).then(move |landed: &Landed<'_>| {
        let id = landed.id("workoutId").and_then(|id| id.as_i64());
        let id = id.ok_or("the workout was created, but Garmin gave no id, so it was not scheduled")?;
        Ok(schedule_request(
            id,
            date,
            &on_day,
            &json!({"name": name, "workout_id": id, "scheduled_date": date.to_string()}),
        ))
    }))
}

fn update_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let id = json!(call.whole("workout_id"));
    let [old, ..] = answers else {
        return ChangeStep::get(of_id(&id));
    };
    let (name, steps, data) = (call.text("name"), call.json("steps"), call.json("workout_data"));
    let description = call.given_arguments().get("description").cloned();
    if name.is_empty() && steps.is_null() && data.is_null() && description.is_none() {
        return Err(AnswerError::Argument(
            "give name, steps or description: what is to change".to_owned(),
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
    ChangeStep::one(
        PlannedChange::new(request, &names)
            .changes(before, after)
            .look(of_id(&id), "get_workout_by_id", move |now| {
                (outline(now) == wanted && at(now, "description") == description.as_ref()).into()
            })
            .undo(move |_| call_of("update_workout", json!({"workout_id": id, "workout_data": back}))),
    )
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
    .undo(move |_| call_of("upload_workout", json!({"workout_data": back})))
}

fn delete_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let id = json!(call.whole("workout_id"));
    let [old, ..] = answers else {
        return ChangeStep::get(of_id(&id));
    };
    check_name(&call.text("name"), &named(old), &format!("Workout {id}"), "name")?;
    ChangeStep::one(deletion(&id, old))
}

fn delete_workouts(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
    ChangeStep::many(parts.collect(), total)
}
