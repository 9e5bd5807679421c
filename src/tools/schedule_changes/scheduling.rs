//! Putting workouts on days of the calendar.

use std::collections::HashSet;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::tools::answer::AnswerError;
use crate::tools::calendar::{CalendarEntry, calendar_get, of_day, schedule_request};
use crate::tools::call::ToolCall;
use crate::tools::change::{ChangePlan, ChangeStep, ChangedPart, Landed, PlanPart, total};
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;
use crate::tools::workout_changes::{plan_upload, workouts_step};
use crate::tools::workout_document::prepared;

pub(super) fn schedule_workout(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let date = call.day("calendar_date").unwrap_or(call.today);
    let [calendar, ..] = answers else {
        return Ok(ChangeStep::get(calendar_get(date, date)));
    };
    let id = call.whole("workout_id");
    let names = json!({"workout_id": id, "scheduled_date": date.to_string()});
    let part = scheduling(
        id,
        date,
        calendar,
        &names,
        &already(id, date),
        &mut ScheduledHere::new(),
    )?;
    Ok(ChangeStep::Plan(ChangePlan {
        parts: vec![part],
        whole: None,
    }))
}

pub(super) fn schedule_workouts(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
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
            ChangeStep::Read(gets) if uploads => gets.into_iter().next(),
            _ => None,
        };
        return Ok(calendars_step(&items, workouts));
    }
    let mut calendars = answers.iter();
    let workouts = answers.get(dated).copied().unwrap_or(&Value::Null);
    let mut planned = ScheduledHere::new();
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
            (Some(id), _) => scheduling(id, date, calendar, &names, &already(id, date), &mut planned)
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
    Ok(ChangeStep::many(parts.collect(), total))
}

pub(super) fn schedule_week(call: &ToolCall, answers: &[&Value]) -> Result<ChangeStep, AnswerError> {
    let items = dated(call, "week", "date");
    if items.is_empty() {
        return Err(AnswerError::Argument(
            "week is empty: give at least one day".to_owned(),
        ));
    }
    if answers.is_empty() {
        return Ok(calendars_step(&items, None));
    }
    let mut planned = ScheduledHere::new();
    let parts = items.iter().zip(answers).map(|((item, date), calendar)| {
        let id = item.get("workout_id").and_then(Value::as_i64).unwrap_or_default();
        let date = date.unwrap_or(call.today);
        let names = json!({"date": date.to_string(), "workout_id": id});
        let settled = json!({"status": "already_scheduled", "idempotent": true});
        scheduling(id, date, calendar, &names, &settled, &mut planned)
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    Ok(ChangeStep::many(parts, |_, parts: Vec<ChangedPart>| {
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
    }))
}

/// Workouts that this call puts on a day. The calendar was read before, so it does not contain them.
type ScheduledHere = HashSet<(i64, Date)>;

/// The part of a plan that schedules a workout, unless it is on the day already, or will be after an earlier part.
fn scheduling(
    workout_id: i64,
    date: Date,
    calendar: &Value,
    names: &Value,
    settled: &Value,
    planned: &mut ScheduledHere,
) -> Result<PlanPart, AnswerError> {
    let on_day = of_day(calendar, date)?;
    let is_on_day = on_day.iter().any(|entry| entry.workout_id == Some(workout_id));
    if is_on_day || !planned.insert((workout_id, date)) {
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
