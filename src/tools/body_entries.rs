//! Entries by hand: weigh-ins, body composition, blood pressure, hydration, activities, and the reload of a day.

mod activity;
#[cfg(test)]
mod tests;
mod times;
mod vitals;
mod weight;
mod weight_file;

use http::Method;
use serde_json::{Value, json};

use super::change::{ChangeStep, GarminChange, PlannedChange};
use super::parameter::{DefaultValue, LONGEST_DESCRIPTION, Parameter};
use super::table::{Effect, Tool};
use activity::{delete_activity, manual_activity};
use vitals::{blood_pressure, hydration};
use weight::{body_composition, delete_weigh_ins, weigh_in};

const ADD: Effect = Effect::Change { idempotent: false };
const WEIGHT: Parameter = Parameter::number("weight", "The weight, in the unit of unit_key", (1.0, 1_500.0));
const UNIT: Parameter = Parameter::one_of(
    "unit_key",
    "The unit of the weight (default kg)",
    &["kg", "lbs"],
    "kg",
);

/// An optional figure of a body composition.
const fn figure(name: &'static str, about: &'static str, most: f64) -> Parameter {
    Parameter::number(name, about, (0.0, most)).optional()
}

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "add_weigh_in",
        "Add a weigh-in taken now.",
        &[WEIGHT, UNIT],
        ADD,
        |call, answers| weigh_in(call, answers, &["success", ""]),
        "Error adding weight measurement",
    ),
    Tool::change(
        "add_weigh_in_with_timestamps",
        "Add a weigh-in at a given time, or now if no time is given. One of the times is enough.",
        &[
            WEIGHT,
            UNIT,
            Parameter::required_text("date_timestamp", "The local time, such as 2026-01-08T07:30:00")
                .optional(),
            Parameter::required_text(
                "gmt_timestamp",
                "The same time in UTC, such as 2026-01-08T06:30:00",
            )
            .optional(),
        ],
        ADD,
        |call, answers| weigh_in(call, answers, &["success", "times"]),
        "Error adding weight measurement with timestamps",
    ),
    Tool::change(
        "delete_weigh_ins",
        "Delete the weigh-ins of a day, or one of them by its sample_pk.",
        &[
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::flag_on(
                "delete_all",
                "Whether to delete several weigh-ins of the day (default true)",
            ),
            Parameter::id("sample_pk", "Only the weigh-in with this sample_pk").optional(),
        ],
        Effect::Delete,
        delete_weigh_ins,
        "Error deleting weight measurements",
    ),
    Tool::change(
        "add_body_composition",
        "Add a weight with body composition, as a scale would.",
        &[
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::number("weight", "The weight in kg", (1.0, 650.0)),
            figure("percent_fat", "Body fat in percent", 100.0),
            figure("percent_hydration", "Body water in percent", 100.0),
            figure("visceral_fat_mass", "Visceral fat in kg", 600.0),
            figure("bone_mass", "Bone mass in kg", 600.0),
            figure("muscle_mass", "Muscle mass in kg", 600.0),
            figure("basal_met", "Basal metabolism in kcal a day", 16_000.0),
            figure("active_met", "Active metabolism in kcal a day", 16_000.0),
            Parameter::integer("physique_rating", "Physique rating, 1 to 9", (0, 254)).optional(),
            figure("metabolic_age", "Metabolic age in years", 254.0),
            Parameter::integer("visceral_fat_rating", "Visceral fat rating, 1 to 59", (0, 254)).optional(),
            figure("bmi", "Body mass index", 6_500.0),
        ],
        ADD,
        body_composition,
        "Error adding body composition data",
    ),
    Tool::change(
        "set_blood_pressure",
        "Add a blood pressure reading taken now.",
        &[
            Parameter::integer("systolic", "The upper value in mmHg", (70, 260)),
            Parameter::integer("diastolic", "The lower value in mmHg", (40, 150)),
            Parameter::integer("pulse", "The pulse in beats a minute", (20, 250)),
            Parameter::required_text("notes", "A note about the reading")
                .at_most(LONGEST_DESCRIPTION)
                .optional(),
        ],
        ADD,
        blood_pressure,
        "Error setting blood pressure values",
    ),
    Tool::change(
        "add_hydration_data",
        "Add what was drunk; a negative amount takes some away.",
        &[
            Parameter::integer("value_in_ml", "The amount in millilitres", (-10_000, 10_000)),
            Parameter::day("cdate", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::required_text(
                "timestamp",
                "The local time on that day, such as 2026-01-08T09:15:00",
            ),
        ],
        ADD,
        hydration,
        "Error adding hydration data",
    ),
    Tool::change(
        "request_reload",
        "Ask Garmin to reload a day from its archive. The data appears some minutes later.",
        &[Parameter::day(
            "date",
            "The day: YYYY-MM-DD, today, yesterday or -7d",
        )],
        Effect::Change { idempotent: true },
        |call, _| {
            let change = GarminChange::new(
                Method::POST,
                call.get("/wellness-service/wellness/epoch/request/{date}").path,
            );
            let change = PlannedChange::new(change, &json!({}));
            Ok(ChangeStep::one(
                change
                    .changes(Value::Null, json!({"requests_reload_of": call.text("date")}))
                    .tells(|landed| landed.response.clone())
                    .undo(|_| json!("nothing to undo: Garmin was only asked to reload")),
            ))
        },
        "Error requesting data reload",
    ),
    Tool::change(
        "create_manual_activity",
        "Create an activity that no device recorded.",
        &[
            Parameter::required_text(
                "type_key",
                "The type, such as running; get_activity_types lists them",
            ),
            Parameter::day("date", "The day: YYYY-MM-DD, today, yesterday or -7d"),
            Parameter::integer("duration_minutes", "The duration in minutes", (1, 100_000)),
            Parameter::text(
                "start_time",
                "The local time of the start as HH:MM (default 09:00)",
                "09:00",
            ),
            Parameter::text("activity_name", "The name; empty: named after the type", ""),
            Parameter::number(
                "distance_km",
                "The distance in kilometres (default 0)",
                (0.0, 100_000.0),
            )
            .or(DefaultValue::Number(0.0)),
            Parameter::required_text(
                "time_zone",
                "The time zone of the start, such as Europe/Vienna (default: the person's own)",
            )
            .optional(),
        ],
        ADD,
        manual_activity,
        "Error creating manual activity",
    ),
    Tool::change(
        "delete_activity",
        "Delete an activity with all its data. This can't be undone.",
        &[
            Parameter::id(
                "activity_id",
                "The activity's id, from one of the lists of activities",
            ),
            Parameter::required_text(
                "activity_name",
                "The activity's name, which must match; it guards against a wrong id",
            ),
        ],
        Effect::Delete,
        delete_activity,
        "Error deleting activity",
    ),
];
