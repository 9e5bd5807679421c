//! Workouts: upload, create from readable steps, change, and delete.

mod deletion;
mod saved;
mod update;
mod upload;

use super::parameter::{LONGEST_DESCRIPTION, Parameter, ParameterKind};
use super::table::{Effect, Tool};
use super::workout_steps::STEPS;
use deletion::{delete_workout, delete_workouts};
use update::update_workout;
use upload::{create_workout, upload_workout, upload_workouts};

pub(super) use saved::workouts_step;
pub(super) use upload::plan_upload;

const ADD: Effect = Effect::Change { idempotent: false };
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
const DOCUMENT: Parameter = Parameter::document(
    "workout_data",
    "The workout as Garmin's document; create_workout takes readable steps instead",
    &[
        Parameter::required_text("workoutName", "The workout's name"),
        Parameter::document("sportType", "The sport: {sportTypeId, sportTypeKey}", &[]).optional(),
        Parameter::list(
            "workoutSegments",
            "The segments: {segmentOrder, sportType, workoutSteps}",
            &Parameter::document("segment", "A segment with its workoutSteps", &[]),
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
            Parameter::text("description", "A description that Garmin Connect shows", "")
                .at_most(LONGEST_DESCRIPTION),
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
        "Change a workout: its name, description or all its steps. It stays scheduled.",
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
            Parameter::required_text("description", "The new description")
                .at_most(LONGEST_DESCRIPTION)
                .optional(),
            Parameter::document(
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
        upload_workout,
        "Error uploading workout",
    ),
    Tool::change(
        "upload_workouts",
        "Upload several workouts as Garmin's documents, one after the other.",
        &[Parameter::list("workouts", "The workouts", &DOCUMENT, 50)],
        ADD,
        |call, answers| Ok(upload_workouts(call, answers)),
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
    ParameterKind::List { item, .. } => item,
    _ => &STEPS,
};
