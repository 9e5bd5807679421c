//! A workout in detail: its segments, steps and repetitions.

use serde_json::{Map, Value, json};

use super::answer::{AnswerError, ToolAnswer};
use super::call::ToolCall;
use super::fields::{Changed, Field, fields, list, pick};
use super::json::is_empty;

const WORKOUT: &[Field] = fields! {
    "id" <- "workoutId";
    "uuid" <- "workoutUuid";
    "name" <- "workoutName";
    "sport" <- "sportType.sportTypeKey";
    "provider" <- "workoutProvider";
    "created_date" <- "createdDate";
    "updated_date" <- "updatedDate" | "updateDate";
    "description" <- "description";
    "estimated_duration_seconds" <- "estimatedDuration" | "estimatedDurationInSecs";
    "estimated_distance_meters" <- "estimatedDistance" | "estimatedDistanceInMeters";
    "avg_training_speed_mps" <- "avgTrainingSpeed";
    "workout_type" <- "workoutPhrase";
    "training_effect_label" <- "trainingEffectLabel";
    "estimated_training_effect" <- "estimatedTrainingEffect";
};
const SEGMENT: &[Field] = fields! {
    "order" <- "segmentOrder";
    "sport" <- "sportType.sportTypeKey";
    "estimated_duration_seconds" <- "estimatedDurationInSecs";
    "estimated_distance_meters" <- "estimatedDistanceInMeters";
};
const STEP: &[Field] = fields! {
    "order" <- "stepOrder";
    "type" <- "stepType.stepTypeKey";
    "description" <- "description";
    "end_condition" <- "endCondition.conditionTypeKey";
    "end_condition_value" <- "endConditionValue";
    "target_type" <- "targetType.workoutTargetTypeKey";
    "target_value_low" <- "targetValueOne";
    "target_value_high" <- "targetValueTwo";
    "target_zone" <- "zoneNumber";
    "secondary_target_type" <- "secondaryTargetType.workoutTargetTypeKey";
    "secondary_target_value_low" <- "secondaryTargetValueOne";
    "secondary_target_value_high" <- "secondaryTargetValueTwo";
    "secondary_target_zone" <- "secondaryZoneNumber";
    "stroke_type" <- "strokeType.strokeTypeKey";
    "equipment_type" <- "equipmentType.equipmentTypeKey";
    "drill_type" <- "drillType.drillTypeKey";
    "category" <- "category";
    "exercise_name" <- "exerciseName";
    "weight_value" <- "weightValue";
    "weight_unit" <- "weightUnit.unitKey";
    "repeat_count" <- "numberOfIterations";
};

/// The maximum depth of nested repetitions. Garmin's editor allows two.
const MOST_DEPTH: usize = 5;

pub(super) fn workout(_: &ToolCall, document: &Value) -> Result<ToolAnswer, AnswerError> {
    let mut told = pick(WORKOUT, document)?;
    told.retain(|key, value| key == "id" || is_truthy(value));
    let mut segments = Vec::new();
    for segment in list(document, "workoutSegments")? {
        let mut told = pick(SEGMENT, segment)?;
        add_steps(&mut told, segment, MOST_DEPTH)?;
        segments.push(Value::Object(told));
    }
    if !segments.is_empty() {
        told.insert("segment_count".to_owned(), json!(segments.len()));
        told.shift_insert(told.len() - 1, "segments".to_owned(), segments.into());
    }
    Ok(ToolAnswer::object(told))
}

/// Adds the steps of a segment or of a repetition.
fn add_steps(told: &mut Map<String, Value>, document: &Value, depth: usize) -> Result<(), Changed> {
    let mut steps = Vec::new();
    for document in list(document, "workoutSteps")? {
        let mut step = pick(STEP, document)?;
        for prefix in ["", "secondary_"] {
            // A step without a target may still have stale target values.
            let kind = step.get(&format!("{prefix}target_type"));
            if kind.is_none_or(|kind| kind == "no.target") {
                step.retain(|key, _| {
                    key.strip_prefix(prefix)
                        .is_none_or(|key| !key.starts_with("target_"))
                });
            }
        }
        step.retain(|key, value| key != "end_condition_value" || is_truthy(value));
        if depth > 0 && document.get("workoutSteps").is_some() {
            add_steps(&mut step, document, depth - 1)?;
        }
        steps.push(Value::Object(step));
    }
    told.insert("step_count".to_owned(), json!(steps.len()));
    told.shift_insert(told.len() - 1, "steps".to_owned(), steps.into());
    Ok(())
}

/// Whether the value is true in Python, which decides whether garmin_mcp shows it.
pub(super) fn is_truthy(value: &Value) -> bool {
    !is_empty(value) && value.as_f64() != Some(0.0) && value != &Value::Bool(false)
}
