//! Garmin's training calendar: what is scheduled, and the request that schedules a workout.

use http::Method;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::answer::AnswerError;
use super::change::{GarminChange, PlannedChange, Sight, call_of, must_read};
use super::fields::at;
use super::garmin_get::GarminGet;

/// An entry of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CalendarEntry {
    pub(super) id: Option<i64>,
    pub(super) workout_id: Option<i64>,
    pub(super) name: String,
    pub(super) date: String,
}

/// Reads the calendar of these days. If the read fails, [`of_day`] gives the error.
pub(super) fn calendar_get(first: Date, last: Date) -> GarminGet {
    let query = format!("query{{workoutScheduleSummariesScalar(startDate:\"{first}\", endDate:\"{last}\")}}");
    GarminGet::graphql(query).optional()
}

/// The entries of a document of the calendar.
pub(super) fn entries(calendar: &Value) -> Vec<CalendarEntry> {
    let list = at(calendar, "data.workoutScheduleSummariesScalar").and_then(Value::as_array);
    let entry = |entry: &Value| {
        let text = |name: &str| {
            at(entry, name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        CalendarEntry {
            id: at(entry, "scheduledWorkoutId").and_then(Value::as_i64),
            workout_id: at(entry, "workoutId").and_then(Value::as_i64),
            name: text("workoutName"),
            date: text("scheduleDate"),
        }
    };
    list.into_iter().flatten().map(entry).collect()
}

/// The entries of a day, or an error if the calendar could not be read.
pub(super) fn of_day(calendar: &Value, date: Date) -> Result<Vec<CalendarEntry>, AnswerError> {
    let calendar = must_read(calendar, "The calendar")?;
    if !calendar.get("data").is_some_and(Value::is_object) {
        let text =
            "The calendar could not be read from Garmin, so nothing was changed. Try again in a minute.";
        return Err(AnswerError::Argument(text.to_owned()));
    }
    let day = date.to_string();
    Ok(entries(calendar)
        .into_iter()
        .filter(|entry| entry.date == day)
        .collect())
}

/// The request that puts a workout on a day.
pub(super) fn schedule_request(
    workout_id: i64,
    date: Date,
    on_day: &[CalendarEntry],
    names: &Value,
) -> PlannedChange {
    let earlier: Vec<Option<i64>> = on_day.iter().map(|entry| entry.id).collect();
    let before = json!({"on_that_day": on_day.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>()});
    let after = json!({"adds": {"workout_id": workout_id, "date": date.to_string()}});
    let request = GarminChange::json(
        Method::POST,
        format!("/workout-service/schedule/{workout_id}"),
        json!({"date": date.to_string()}),
    );
    let message = format!("Successfully scheduled workout {workout_id} for {date}");
    PlannedChange::new(request, names)
        .changes(before, after)
        .look(
            calendar_get(date, date),
            "get_scheduled_workouts",
            move |calendar| {
                let new = entries(calendar)
                    .into_iter()
                    .find(|entry| entry.workout_id == Some(workout_id) && !earlier.contains(&entry.id));
                new.map_or(Sight::NotMade, |entry| Sight::Made(entry.id.map(Value::from)))
            },
        )
        .tells(move |landed| {
            json!({
                "status": "success",
                "scheduled_workout_id": landed.id("workoutScheduleId"),
                "message": message,
            })
        })
        .undo(|landed| match landed.id("workoutScheduleId") {
            Some(id) => call_of("unschedule_workout", &json!({"scheduled_workout_id": id})),
            None => json!("unschedule_workout with the id that get_scheduled_workouts shows"),
        })
}
