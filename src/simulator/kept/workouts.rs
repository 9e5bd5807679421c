//! Workouts, and the calendar on which they are scheduled.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use super::{
    ChangeRequest, Planned, ReadRequest, at, done, listed, missing, number, object, text, told, with,
};

/// The workout that everybody has, scheduled for every Thursday.
const STANDING: (i64, &str) = (123_450, "6 x 800 m");
/// The calendar entry of the standing workout on a day has this id plus the number of the day.
const STANDING_ENTRY: i64 = 9_870_000;

#[derive(Debug, Default)]
pub(super) struct KeptWorkouts {
    workouts: BTreeMap<i64, Value>,
    deleted: BTreeSet<i64>,
    /// Entries of the calendar by their id: the workout's id and name, and the day.
    entries: BTreeMap<i64, (i64, String, Date)>,
    removed: BTreeSet<i64>,
}

fn epoch_day(day: Date) -> i64 {
    (day - Date::constant(2020, 1, 1)).get_days().into()
}

pub(super) fn plan(change: &ChangeRequest<'_>) -> Option<Planned> {
    Some(match (change.method, change.path.as_slice()) {
        ("POST", ["workout-service", "workout"]) => {
            let id = change.id;
            let workout = with(&change.body, "workoutId", id);
            let kept_workout = workout.clone();
            told(&workout, move |kept| {
                kept.workouts.workouts.insert(id, kept_workout);
            })
        }
        (method @ ("PUT" | "DELETE"), ["workout-service", "workout", id]) => {
            if (change.read)(&format!("/workout-service/workout/{id}")).is_none() {
                return Some(missing());
            }
            let id = number(id);
            let workout = with(&change.body, "workoutId", id);
            let deletes = method == "DELETE";
            done(204, move |kept| {
                if deletes {
                    kept.workouts.workouts.remove(&id);
                    kept.workouts.deleted.insert(id);
                    kept.workouts.entries.retain(|_, (workout, ..)| *workout != id);
                } else {
                    kept.workouts.workouts.insert(id, workout);
                }
            })
        }
        ("POST", ["workout-service", "schedule", workout_id]) => {
            let Some(workout) = (change.read)(&format!("/workout-service/workout/{workout_id}")) else {
                return Some(missing());
            };
            let day = text(&change.body, "date").parse::<Date>().ok()?;
            let (id, workout_id, name) = (
                change.id,
                number(workout_id),
                text(&workout, "workoutName").to_owned(),
            );
            let entry = json!({
                "workoutScheduleId": id,
                "calendarDate": day.to_string(),
                "workout": {"workoutId": workout_id, "workoutName": name},
            });
            told(&entry, move |kept| {
                kept.workouts.entries.insert(id, (workout_id, name, day));
            })
        }
        ("DELETE", ["workout-service", "schedule", id]) => {
            if (change.read)(&format!("/workout-service/schedule/{id}")).is_none() {
                return Some(missing());
            }
            let id = number(id);
            done(204, move |kept| {
                kept.workouts.entries.remove(&id);
                kept.workouts.removed.insert(id);
            })
        }
        _ => return None,
    })
}

impl KeptWorkouts {
    pub(super) fn document(&self, request: &ReadRequest<'_>, computed: Option<Value>) -> Option<Value> {
        let id_of = |item: &Value| item.get("workoutId").and_then(Value::as_i64).unwrap_or_default();
        match request.path.as_slice() {
            ["workout-service", "workouts"] => {
                let is_first_page = request.parameter("start").is_none_or(|start| start == "0");
                let own = self.workouts.values().rev().filter(|_| is_first_page).cloned();
                let keeps = |item: &Value| {
                    !self.deleted.contains(&id_of(item)) && !self.workouts.contains_key(&id_of(item))
                };
                Some(listed(computed, keeps, own))
            }
            ["workout-service", "workout", id] => {
                let id = number(id);
                if self.deleted.contains(&id) {
                    return None;
                }
                self.workouts
                    .get(&id)
                    .cloned()
                    .or(computed)
                    .or_else(|| (id == STANDING.0).then(standing_workout))
            }
            ["workout-service", "schedule", id] => {
                let id = number(id);
                let days = id
                    .checked_sub(STANDING_ENTRY)
                    .filter(|days| (0..10_000).contains(days));
                let standing = days
                    .and_then(|days| Date::constant(2020, 1, 1).checked_add(days.days()).ok())
                    .filter(|day| day.weekday() == Weekday::Thursday && !self.removed.contains(&id))
                    .map(|day| (STANDING.0, STANDING.1.to_owned(), day));
                let (workout_id, name, day) = self.entries.get(&id).cloned().or(standing)?;
                Some(json!({
                    "workoutScheduleId": id,
                    "calendarDate": day.to_string(),
                    "workout": {"workoutId": workout_id, "workoutName": name},
                }))
            }
            _ => computed,
        }
    }

    /// The answer to a GraphQL query of the calendar; `None` for another query.
    pub(super) fn graphql(&self, query: &str) -> Option<Value> {
        let scalar = "workoutScheduleSummariesScalar";
        let arguments = query.split_once(scalar)?.1;
        let day = |name: &str| -> Option<Date> {
            let text = arguments.split_once(&format!("{name}:\""))?.1;
            text.get(..10)?.parse().ok()
        };
        let (first, last) = (day("startDate")?, day("endDate")?);
        let standing = first
            .series(1.day())
            .take_while(|day| *day <= last)
            .filter_map(|day| {
                let id = STANDING_ENTRY + epoch_day(day);
                let is_there = day.weekday() == Weekday::Thursday && !self.removed.contains(&id);
                (is_there && !self.deleted.contains(&STANDING.0))
                    .then(|| entry(id, STANDING.0, STANDING.1, day))
            });
        let own = self
            .entries
            .iter()
            .filter(|(_, (.., day))| first <= *day && *day <= last);
        let own = own.map(|(id, (workout, name, day))| entry(*id, *workout, name, *day));
        let mut entries: Vec<Value> = standing.chain(own).collect();
        entries.sort_by(|a, b| text(a, "scheduleDate").cmp(text(b, "scheduleDate")));
        Some(json!({"data": {scalar: entries}}))
    }
}

fn entry(id: i64, workout_id: i64, name: &str, day: Date) -> Value {
    json!({
        "workoutUuid": null,
        "scheduledWorkoutId": id,
        "workoutId": workout_id,
        "workoutName": name,
        "workoutType": "running",
        "scheduleDate": day.to_string(),
        "isRestDay": false,
        "race": false,
        "associatedActivityId": null,
    })
}

fn standing_workout() -> Value {
    let sport = json!({"sportTypeId": 1, "sportTypeKey": "running"});
    let step = |order: i64, kind: (i64, &str), condition: (i64, &str), value: f64| {
        json!({
            "type": "ExecutableStepDTO",
            "stepOrder": order,
            "stepType": {"stepTypeId": kind.0, "stepTypeKey": kind.1},
            "endCondition": {"conditionTypeId": condition.0, "conditionTypeKey": condition.1},
            "endConditionValue": value,
            "targetType": {"workoutTargetTypeId": 1, "workoutTargetTypeKey": "no.target"},
        })
    };
    let steps = json!([
        step(1, (1, "warmup"), (2, "time"), 900.0),
        {
            "type": "RepeatGroupDTO", "stepOrder": 2, "numberOfIterations": 6,
            "workoutSteps": [step(3, (3, "interval"), (3, "distance"), 800.0), step(4, (4, "recovery"), (2, "time"), 120.0)],
        },
        step(5, (2, "cooldown"), (2, "time"), 600.0),
    ]);
    object(&[
        ("workoutId", json!(STANDING.0)),
        ("workoutName", json!(STANDING.1)),
        ("description", json!("Easy between the repetitions")),
        ("sportType", sport.clone()),
        ("estimatedDurationInSecs", json!(3_300)),
        ("estimatedDistanceInMeters", json!(10_200.0)),
        (
            "workoutSegments",
            json!([{"segmentOrder": 1, "sportType": sport, "workoutSteps": at(&json!({"s": steps}), "s")}]),
        ),
    ])
}
