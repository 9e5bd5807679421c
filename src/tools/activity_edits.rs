//! Changes of activities: name, type, description, event type, effort, feel and gear.
//!
//! Garmin accepts a part of the activity's document and merges it in. Only the changed member is sent, because Garmin
//! refuses a summary that is sent back whole.

mod edit;
mod gear;
mod members;

use super::parameter::{LONGEST_DESCRIPTION, Parameter};
use super::table::{Effect, Tool};
use gear::gear;
use members::{description, event_type, feel, name, perceived_effort, type_key};

const ACTIVITY_ID: Parameter = Parameter::id(
    "activity_id",
    "The activity's id, from one of the lists of activities",
);
const GEAR_UUID: Parameter = Parameter::required_text("gear_uuid", "The gear's uuid, from get_gear");
const SET: Effect = Effect::Change { idempotent: true };

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "set_activity_name",
        "Rename an activity.",
        &[
            ACTIVITY_ID,
            Parameter::required_text("activity_name", "The new name"),
        ],
        SET,
        name,
        "Error updating activity name",
    ),
    Tool::change(
        "set_activity_type",
        "Change the type of an activity.",
        &[
            ACTIVITY_ID,
            Parameter::required_text(
                "type_key",
                "The new type, such as trail_running; get_activity_types lists them",
            ),
        ],
        SET,
        type_key,
        "Error updating activity type",
    ),
    Tool::change(
        "set_activity_description",
        "Replace the description of an activity; an empty text clears it.",
        &[
            ACTIVITY_ID,
            Parameter::required_text("description", "The new description; it replaces the old one")
                .at_most(LONGEST_DESCRIPTION),
        ],
        SET,
        |call, answers| Ok(description(call, answers)),
        "Error updating activity description",
    ),
    Tool::change(
        "set_activity_event_type",
        "Tag an activity as race, recreation, specialEvent, training, transportation, touring, geocaching, fitness or \
         uncategorized.",
        &[
            ACTIVITY_ID,
            Parameter::required_text("event_type", "The new tag, such as race or training"),
        ],
        SET,
        event_type,
        "Error updating activity event type",
    ),
    Tool::change(
        "set_perceived_effort",
        "Record how hard an activity was (RPE).",
        &[
            ACTIVITY_ID,
            Parameter::number(
                "rpe",
                "The effort from 0 to 10, such as 3 or 7.5; 0 clears it",
                (0.0, 10.0),
            ),
        ],
        SET,
        |call, answers| Ok(perceived_effort(call, answers)),
        "Error updating perceived effort",
    ),
    Tool::change(
        "set_activity_feel",
        "Record how an activity felt.",
        &[
            ACTIVITY_ID,
            Parameter::integer(
                "feel",
                "0 very weak, 25 weak, 50 normal, 75 strong, 100 very strong",
                (0, 100),
            ),
        ],
        SET,
        feel,
        "Error updating activity feel",
    ),
    Tool::change(
        "add_gear_to_activity",
        "Add shoes, a bike or other gear to an activity.",
        &[ACTIVITY_ID, GEAR_UUID],
        SET,
        |call, answers| Ok(gear(call, answers, true)),
        "Error adding gear to activity",
    ),
    Tool::change(
        "remove_gear_from_activity",
        "Remove gear from an activity; the gear itself stays.",
        &[ACTIVITY_ID, GEAR_UUID],
        SET,
        |call, answers| Ok(gear(call, answers, false)),
        "Error removing gear from activity",
    ),
];
