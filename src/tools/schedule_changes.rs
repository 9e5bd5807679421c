//! The training calendar: scheduling workouts, moving and removing them.
//!
//! The calendar is read first, because Garmin adds a second entry when a workout is scheduled twice. Nothing is sent if
//! it can't be read.

mod moving;
mod removal;
mod scheduling;

use super::parameter::Parameter;
use super::table::{Effect, Tool};
use moving::reschedule_workout;
use removal::{unschedule_workout, unschedule_workouts};
use scheduling::{schedule_week, schedule_workout, schedule_workouts};

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
                    Parameter::document(
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
        |call, answers| Ok(unschedule_workout(call, answers)),
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
        |call, answers| Ok(unschedule_workouts(call, answers)),
        "Error unscheduling workout",
    ),
];
