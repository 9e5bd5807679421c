//! The workouts that Garmin has.

use serde_json::Value;

use crate::tools::change::ChangeStep;
use crate::tools::fields::at;
use crate::tools::garmin_get::GarminGet;

pub(super) const WORKOUTS: &str = "/workout-service/workouts?start=0&limit=999";

pub(super) fn of_id(id: &Value) -> GarminGet {
    GarminGet::plain(&format!("/workout-service/workout/{id}"))
}

/// Reads the existing workouts, so that a new one can be told apart from them.
pub(in crate::tools) fn workouts_step() -> ChangeStep {
    ChangeStep::get(GarminGet::plain(WORKOUTS).optional())
}

pub(super) fn named(document: &Value) -> String {
    at(document, "workoutName")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned()
}
