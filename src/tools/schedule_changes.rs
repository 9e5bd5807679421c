//! The training calendar: scheduling workouts, moving and removing them.
//!
//! The calendar is read first, because Garmin adds a second entry when a workout is scheduled twice. Nothing is sent if
//! it can't be read.

use http::Method;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::answer::AnswerError;
use super::calendar::{CalendarEntry, calendar_get, entries, of_day, schedule_request};
use super::call::ToolCall;
use super::change::{
    ChangePlan, ChangeStep, ChangedPart, GarminChange, Landed, PlanPart, PlannedChange, call_of, read, total,
};
use super::fields::at;
use super::garmin_get::GarminGet;
use super::parameter::Parameter;
use super::table::{Effect, Tool};
use super::workout_changes::{plan_upload, workouts_step};
use super::workout_document::prepared;

const ADD: Effect = Effect::Change { idempotent: false };
const WORKOUT_ID: Parameter = Parameter::id("workout_id", "The workout's id, from get_workouts");
const ENTRY_ID: Parameter = Parameter::id(
    "scheduled_workout_id",
    "The id of the calendar's entry, from get_scheduled_workouts",
);

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "schedule_workout",
        "Put a workout on a day of the calendar.",
        &[
            WORKOUT_ID,
            Parameter::day("calendar_date", "The day: YYYY-MM-DD, today or tomorrow").may_be_future(),
        ],
        ADD,
        schedule_workout,
        "Error scheduling workout",
    ),
    Tool::change(
        "schedule_workouts",
        "Put several workouts on days of the calendar; a new workout can be given as Garmin's document.",
        &[Parameter::list(
            "schedules",
            "The workouts and their days",
            &Parameter::object(
                "schedule",
                "A workout and its day",
                &[
                    WORKOUT_ID.optional(),
                    Parameter::object(
                        "workout_data",
                        "A new workout as Garmin's document, instead of workout_id",
                        &[],
                    )
                    .optional(),
                    Parameter::day("calendar_date", "The day: YYYY-MM-DD")
                        .may_be_future()
                        .optional(),
                ],
            ),
            50,
        )],
        ADD,
        schedule_workouts,
        "Error scheduling workout",
    ),
    Tool::change(
        "schedule_week",
        "Put workouts on the days of a week.",
        &[Parameter::list(
            "week",
            "The days and their workouts",
            &Parameter::object(
                "day",
                "A day and its workout",
                &[
                    Parameter::day("date", "The day: YYYY-MM-DD").may_be_future(),
                    WORKOUT_ID,
                ],
            ),
            50,
        )],
        ADD,
        schedule_week,
        "Error scheduling week",
    ),
    Tool::change(
        "reschedule_workout",
        "Move a scheduled workout to another day. The new day is entered first, then the old entry is removed.",
        &[
            Parameter::day("from_date", "The day it is on now: YYYY-MM-DD, today or tomorrow")
                .may_be_future(),
            Parameter::day("to_date", "The day it moves to: YYYY-MM-DD, today or tomorrow").may_be_future(),
            Parameter::text("name", "The workout's name, if several are on that day", ""),
            ENTRY_ID.optional(),
        ],
        ADD,
        reschedule_workout,
        "Error rescheduling workout",
    ),
    Tool::change(
        "unschedule_workout",
        "Remove an entry from the calendar; the workout itself stays.",
        &[ENTRY_ID],
        Effect::Delete,
        |call, answers| match answers {
            [] => ChangeStep::get(entry_get(&json!(call.whole("scheduled_workout_id"))).optional()),
            [entry, ..] => ChangeStep::one(removal(
                &json!(call.whole("scheduled_workout_id")),
                &entry_of(entry),
            )),
        },
        "Error unscheduling workout",
    ),
    Tool::change(
        "unschedule_workouts",
        "Remove several entries from the calendar; the workouts themselves stay.",
        &[Parameter::list(
            "scheduled_workout_ids",
            "The ids of the entries",
            &ENTRY_ID,
            50,
        )],
        Effect::Delete,
        |call, answers| {
            let ids = call.json("scheduled_workout_ids");
            let ids = ids.as_array().cloned().unwrap_or_default();
            if answers.is_empty() && !ids.is_empty() {
                return Ok(ChangeStep::Read(
                    ids.iter().map(|id| entry_get(id).optional()).collect(),
                ));
            }
            let parts = ids
                .iter()
                .zip(answers)
                .map(|(id, entry)| removal(id, &entry_of(entry)).part());
            ChangeStep::many(parts.collect(), total)
        },
        "Error unscheduling workout",
    ),
];

/// The part of a plan that schedules a workout, unless it is on the day already.
fn scheduling(
    workout_id: i64,
    date: Date,
    calendar: &Value,
    names: &Value,
    settled: &Value,
) -> Result<PlanPart, AnswerError> {
    let on_day = of_day(calendar, date)?;
    if on_day.iter().any(|entry| entry.workout_id == Some(workout_id)) {
        let mut members = names.as_object().cloned().unwrap_or_default();
        members.extend(settled.as_object().cloned().unwrap_or_default());
        members.insert("done".to_owned(), json!(false));
        return Ok(PlanPart::Settled(members));
    }
    Ok(schedule_request(workout_id, date, &on_day, names).part())
}

fn already(workout_id: i64, date: Date) -> Value {
    json!({
        "status": "success",
        "idempotent": true,
        "message": format!("Workout {workout_id} already scheduled for {date} — no action taken"),
    })
}

fn schedule_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let date = call.day("calendar_date").unwrap_or(call.today);
    let [calendar, ..] = answers else {
        return ChangeStep::get(calendar_get(date, date));
    };
    let id = call.whole("workout_id");
    let names = json!({"workout_id": id, "scheduled_date": date.to_string()});
    let part = scheduling(id, date, calendar, &names, &already(id, date))?;
    Ok(ChangeStep::Plan(ChangePlan {
        parts: vec![part],
        whole: None,
    }))
}

/// The items of a list argument, each with its day.
fn dated(call: &ToolCall, list: &str, day: &str) -> Vec<(Value, Option<Date>)> {
    let items = call.json(list);
    let items = items.as_array().cloned().unwrap_or_default().into_iter();
    items
        .map(|item| {
            let date = item
                .get(day)
                .and_then(Value::as_str)
                .and_then(|day| day.parse().ok());
            (item, date)
        })
        .collect()
}

/// Reads the calendar of each item's day.
fn calendars_step(items: &[(Value, Option<Date>)], more: Option<GarminGet>) -> ChangeStep {
    let days = items
        .iter()
        .filter_map(|(_, date)| date.map(|date| calendar_get(date, date)));
    ChangeStep::Read(days.chain(more).collect())
}

fn schedule_workouts(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let items = dated(call, "schedules", "calendar_date");
    if items.is_empty() {
        return Err(AnswerError::Argument(
            "schedules is empty: give at least one".to_owned(),
        ));
    }
    let dated = items.iter().filter(|(_, date)| date.is_some()).count();
    if answers.is_empty() && dated > 0 {
        let uploads = items.iter().any(|(item, _)| item.get("workout_data").is_some());
        let workouts = match workouts_step() {
            Ok(ChangeStep::Read(gets)) if uploads => gets.into_iter().next(),
            _ => None,
        };
        return Ok(calendars_step(&items, workouts));
    }
    let mut calendars = answers.iter();
    let workouts = answers.get(dated).copied().unwrap_or(&Value::Null);
    let parts = items.iter().map(|(item, date)| {
        let id = item.get("workout_id").and_then(Value::as_i64);
        let names = json!({"workout_id": id, "scheduled_date": date.map(|date| date.to_string())});
        let refused = |reason: &str| {
            let names: Map<String, Value> = names.as_object().cloned().unwrap_or_default();
            PlanPart::Refused(names, reason.to_owned())
        };
        let Some(date) = *date else {
            return refused("Missing required field: calendar_date");
        };
        let calendar = calendars.next().copied().unwrap_or(&Value::Null);
        match (id, item.get("workout_data")) {
            (Some(id), _) => scheduling(id, date, calendar, &names, &already(id, date))
                .unwrap_or_else(|error| refused(&error.to_string())),
            (None, Some(document)) => {
                let on_day = match of_day(calendar, date) {
                    Ok(on_day) => on_day,
                    Err(error) => return refused(&error.to_string()),
                };
                match prepared(document.clone()) {
                    Ok(document) => uploaded_and_scheduled(workouts, document, date, on_day),
                    Err(reason) => refused(&reason),
                }
            }
            (None, None) => refused("Missing required fields: provide either workout_id or workout_data"),
        }
    });
    ChangeStep::many(parts.collect(), total)
}

fn uploaded_and_scheduled(
    workouts: &Value,
    document: Value,
    date: Date,
    on_day: Vec<CalendarEntry>,
) -> PlanPart {
    let name = at(&document, "workoutName").cloned();
    let upload = plan_upload(workouts, document, &json!({"scheduled_date": date.to_string()}));
    let part = upload.then(move |landed: &Landed<'_>| {
        let id = landed.id("workoutId").and_then(|id| id.as_i64());
        let id = id.ok_or("Upload succeeded but no workout_id returned")?;
        let names = json!({"workout_id": id, "scheduled_date": date.to_string(), "workout_name": name});
        Ok(schedule_request(id, date, &on_day, &names))
    });
    part.part()
}

fn schedule_week(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let items = dated(call, "week", "date");
    if items.is_empty() {
        return Err(AnswerError::Argument(
            "week is empty: give at least one day".to_owned(),
        ));
    }
    if answers.is_empty() {
        return Ok(calendars_step(&items, None));
    }
    let parts = items.iter().zip(answers).map(|((item, date), calendar)| {
        let id = item.get("workout_id").and_then(Value::as_i64).unwrap_or_default();
        let date = date.unwrap_or(call.today);
        let names = json!({"date": date.to_string(), "workout_id": id});
        let settled = json!({"status": "already_scheduled", "idempotent": true});
        scheduling(id, date, calendar, &names, &settled)
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    ChangeStep::many(parts, |_, parts: Vec<ChangedPart>| {
        let all = parts.iter().all(|part| part.state.is_good());
        let scheduled = parts.into_iter().map(|part| {
            let mut members = part.members;
            if members.get("status") == Some(&json!("success")) {
                members.insert("status".to_owned(), json!("scheduled"));
                members.shift_remove("message");
            }
            Value::Object(members)
        });
        json!({"status": if all { "complete" } else { "incomplete" }, "scheduled": scheduled.collect::<Vec<_>>()})
    })
}

fn reschedule_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
    ChangeStep::one(schedule.changes(before, after).then(move |landed: &Landed<'_>| {
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
            .undo(move |_| call_of("reschedule_workout", back.clone())))
    }))
}

fn entry_get(id: &Value) -> GarminGet {
    GarminGet::plain(&format!("/workout-service/schedule/{id}"))
}

/// The entry of a document about a single one.
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
            json!({"workout_id": workout, "calendar_date": entry.date}),
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
