//! The person's profile: garmin_mcp's module `user_profile`.

use serde_json::{Value, json};

use super::fields::{Changed, at};
use super::table::{AnswerError, AnswerShape, GarminQuery, Tool, ToolAnswer};

/// The document with `userData.measurementSystem`, which other modules need too.
pub(super) const USER_SETTINGS: &str = "/userprofile-service/userprofile/user-settings";
pub(super) const SOCIAL_PROFILE: &str = "/userprofile-service/socialProfile";

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "get_full_name",
        about: "The person's full name, from the Garmin profile.",
        parameters: &[],
        ask: GarminQuery::Get(SOCIAL_PROFILE),
        tell: AnswerShape::Made(|_, answers| member("full_name", "fullName", answers)),
        nothing: "No user profile information found.",
        failing: "Error retrieving user's full name",
    },
    Tool {
        name: "get_unit_system",
        about: "The units that the person chose at Garmin: metric, statute_us or statute_uk.",
        parameters: &[],
        ask: GarminQuery::Get(USER_SETTINGS),
        tell: AnswerShape::Made(|_, answers| member("unit_system", "userData.measurementSystem", answers)),
        nothing: "No user profile information found.",
        failing: "Error retrieving unit system",
    },
    Tool {
        name: "get_user_profile",
        about: "The person's body data and preferences as Garmin keeps them: weight, height, birth date, units, \
                VO2 max, lactate threshold (speed in tens of m/s: 0.322 is 3.22 m/s), usual sleep times.",
        parameters: &[],
        ask: GarminQuery::Get(USER_SETTINGS),
        tell: AnswerShape::Raw,
        nothing: "No user profile information found.",
        failing: "Error retrieving user profile",
    },
    Tool {
        name: "get_userprofile_settings",
        about: "The settings of the person's Garmin profile: names, location, units and number formats.",
        parameters: &[],
        ask: GarminQuery::Get("/userprofile-service/userprofile/settings"),
        tell: AnswerShape::Raw,
        nothing: "No user profile settings found.",
        failing: "Error retrieving user profile settings",
    },
];

/// An object with a single member of the document, which is null when Garmin has no value.
fn member(key: &str, path: &str, answers: &[&Value]) -> Result<ToolAnswer, AnswerError> {
    match answers {
        [document @ Value::Object(_), ..] => Ok(ToolAnswer::Json(json!({ key: at(document, path) }))),
        _ => Err(Changed {
            path: "$".to_owned(),
            expected: "an object",
        }
        .into()),
    }
}
