//! Garmin's document of a workout: its steps, the repairs of common mistakes, and what Garmin would misunderstand.

use serde_json::{Map, Value, json};

use super::fields::at;

/// End conditions: id and key.
const CONDITIONS: [(i64, &str); 11] = [
    (1, "lap.button"),
    (2, "time"),
    (3, "distance"),
    (4, "calories"),
    (5, "power"),
    (6, "heart.rate"),
    (7, "iterations"),
    (8, "fixed.rest"),
    (9, "fixed.repetition"),
    (10, "reps"),
    (11, "training.peaks.tss"),
];
/// Targets whose id and key must agree. Id 6 has two keys.
const TARGETS: [(i64, &str); 5] = [
    (1, "no.target"),
    (2, "power.zone"),
    (4, "heart.rate.zone"),
    (6, "pace.zone"),
    (6, "power.between"),
];
/// Step types: id and key.
const STEP_TYPES: [(i64, &str); 6] = [
    (1, "warmup"),
    (2, "cooldown"),
    (3, "interval"),
    (4, "recovery"),
    (5, "rest"),
    (6, "repeat"),
];
/// The sports of a workout: id and key.
const SPORTS: [(i64, &str); 9] = [
    (1, "running"),
    (2, "cycling"),
    (3, "other"),
    (4, "swimming"),
    (5, "strength_training"),
    (6, "cardio_training"),
    (7, "yoga"),
    (9, "hiit"),
    (12, "walking"),
];

fn id_of(table: &[(i64, &str)], key: &str) -> Option<i64> {
    table.iter().find(|(_, known)| *known == key).map(|(id, _)| *id)
}

fn key_of(table: &[(i64, &'static str)], id: i64) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == id).map(|(_, key)| *key)
}

/// The end of a step.
#[derive(Debug, Clone, Copy)]
pub(super) enum StepEnd {
    Seconds(f64),
    Metres(f64),
    Reps(f64),
    LapButton,
}

impl StepEnd {
    fn condition(self) -> (&'static str, Option<f64>) {
        match self {
            StepEnd::Seconds(value) => ("time", Some(value)),
            StepEnd::Metres(value) => ("distance", Some(value)),
            StepEnd::Reps(value) => ("reps", Some(value)),
            StepEnd::LapButton => ("lap.button", None),
        }
    }
}

/// One step without a target. `order` counts from 1.
pub(super) fn step(order: usize, kind: &str, description: &str, end: StepEnd) -> Value {
    let (condition, value) = end.condition();
    let mut step = json!({
        "type": "ExecutableStepDTO",
        "stepOrder": order,
        "stepType": {"stepTypeId": id_of(&STEP_TYPES, kind), "stepTypeKey": kind},
    });
    if let Some(members) = step.as_object_mut() {
        if !description.is_empty() {
            members.insert("description".to_owned(), json!(description));
        }
        let condition =
            json!({"conditionTypeId": id_of(&CONDITIONS, condition), "conditionTypeKey": condition});
        members.insert("endCondition".to_owned(), condition);
        if let Some(value) = value {
            members.insert("endConditionValue".to_owned(), json!(value));
        }
    }
    with_target(step, "no.target", &json!({}))
}

/// The step with a target, such as `heart.rate.zone` with `{"zoneNumber": 3}`.
pub(super) fn with_target(mut step: Value, key: &str, values: &Value) -> Value {
    if let Some(members) = step.as_object_mut() {
        let target = json!({"workoutTargetTypeId": id_of(&TARGETS, key), "workoutTargetTypeKey": key});
        members.insert("targetType".to_owned(), target);
        members.extend(values.as_object().cloned().unwrap_or_default());
    }
    step
}

/// A workout of one sport with these steps.
pub(super) fn workout(name: &str, description: &str, sport: &str, steps: &[Value]) -> Value {
    let sport = json!({"sportTypeId": id_of(&SPORTS, sport), "sportTypeKey": sport});
    let mut workout = json!({"workoutName": name, "description": description, "sportType": sport});
    if let Some(members) = workout.as_object_mut() {
        if description.is_empty() {
            members.shift_remove("description");
        }
        let segment = json!({"segmentOrder": 1, "sportType": sport, "workoutSteps": steps});
        members.insert("workoutSegments".to_owned(), json!([segment]));
    }
    workout
}

/// Refuses an empty name, under which nobody finds the workout again.
pub(super) fn must_have_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("the workout's name is empty: give one".to_owned());
    }
    Ok(())
}

/// The document as it is sent: repaired where the meaning is clear, refused where Garmin would misunderstand it.
pub(super) fn prepared(mut document: Value) -> Result<Value, String> {
    let segments = document.get_mut("workoutSegments").and_then(Value::as_array_mut);
    for (index, segment) in segments.into_iter().flatten().enumerate() {
        steps(segment, &format!("workoutSegments[{index}]"))?;
    }
    Ok(document)
}

fn steps(parent: &mut Value, path: &str) -> Result<(), String> {
    let steps = parent.get_mut("workoutSteps").and_then(Value::as_array_mut);
    for (index, step) in steps.into_iter().flatten().enumerate() {
        let path = format!("{path}.workoutSteps[{index}]");
        if let Some(members) = step.as_object_mut() {
            repair(members, &path)?;
            check_condition(members, &path)?;
            check_target(members, "targetType", &path)?;
            check_target(members, "secondaryTargetType", &path)?;
        }
        self::steps(step, &path)?;
    }
    Ok(())
}

fn repair(step: &mut Map<String, Value>, path: &str) -> Result<(), String> {
    lift(
        step,
        "targetType",
        &["targetValueOne", "targetValueTwo", "zoneNumber"],
        path,
    )?;
    let secondary = [
        "secondaryTargetValueOne",
        "secondaryTargetValueTwo",
        "secondaryZoneNumber",
    ];
    lift(step, "secondaryTargetType", &secondary, path)?;
    let target = step
        .get("targetType")
        .and_then(|target| target.get("workoutTargetTypeKey"));
    let zone = step.get("targetValueOne").and_then(Value::as_f64);
    if target == Some(&json!("heart.rate.zone")) && !step.contains_key("zoneNumber") {
        // A heart rate from 1 to 5 is the number of a zone.
        if let Some(zone) = zone.filter(|zone| (1.0..=5.0).contains(zone)) {
            step.shift_remove("targetValueOne");
            step.shift_remove("targetValueTwo");
            step.insert(
                "zoneNumber".to_owned(),
                json!(format!("{:.0}", zone.floor()).parse::<i64>().unwrap_or(1)),
            );
        }
    }
    if step.get("type") == Some(&json!("RepeatGroupDTO")) {
        if let Some(condition) = step.get_mut("endCondition").and_then(Value::as_object_mut)
            && condition.get("conditionTypeKey") == Some(&json!("iterations"))
        {
            condition.entry("conditionTypeId").or_insert(json!(7));
        }
        let times = step.get("endConditionValue").and_then(Value::as_f64);
        if let (None, Some(times)) = (step.get("numberOfIterations"), times) {
            let times = format!("{:.0}", times.floor()).parse::<i64>().unwrap_or(1);
            step.insert("numberOfIterations".to_owned(), json!(times));
        }
    }
    Ok(())
}

/// Moves target values out of the target's type, where Garmin does not look for them.
fn lift(step: &mut Map<String, Value>, field: &str, names: &[&str; 3], path: &str) -> Result<(), String> {
    let [.., zone] = names;
    for name in names {
        let inner = step
            .get_mut(field)
            .and_then(Value::as_object_mut)
            .and_then(|target| target.shift_remove(*name));
        let Some(inner) = inner else { continue };
        match step.get(*name) {
            Some(outer) if *outer != inner => {
                return Err(format!(
                    "{path}.{name}={outer} conflicts with {path}.{field}.{name}={inner}; keep only the step-level {name}"
                ));
            }
            _ => {
                step.insert((*name).to_owned(), inner);
            }
        }
    }
    let custom: Vec<&str> = names
        .iter()
        .take(2)
        .copied()
        .filter(|name| step.contains_key(*name))
        .collect();
    match step.get(*zone) {
        Some(number) if !custom.is_empty() && !number.is_null() => Err(format!(
            "{path} mixes {zone}={number} with custom range fields ({}); use either a named zone or a custom range",
            custom.join(", ")
        )),
        _ => Ok(()),
    }
}

fn check_condition(step: &Map<String, Value>, path: &str) -> Result<(), String> {
    let Some(condition) = step.get("endCondition").filter(|condition| condition.is_object()) else {
        return Ok(());
    };
    let key = condition
        .get("conditionTypeKey")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let id = condition.get("conditionTypeId").filter(|id| !id.is_null());
    let known = id_of(&CONDITIONS, key);
    match (known, id) {
        (Some(wanted), None) => Err(format!(
            "{path}.endCondition conditionTypeKey '{key}' requires conditionTypeId {wanted}"
        )),
        (Some(wanted), Some(id)) if id.as_i64() != Some(wanted) => {
            let other = id
                .as_i64()
                .and_then(|id| key_of(&CONDITIONS, id))
                .unwrap_or("unknown");
            Err(format!(
                "{path}.endCondition conditionTypeKey '{key}' requires conditionTypeId {wanted}, got {id} ({other})"
            ))
        }
        (None, Some(id)) => match id.as_i64().and_then(|id| key_of(&CONDITIONS, id)) {
            Some(wanted) => Err(format!(
                "{path}.endCondition conditionTypeId {id} requires conditionTypeKey '{wanted}', got '{key}'"
            )),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_target(step: &Map<String, Value>, field: &str, path: &str) -> Result<(), String> {
    let Some(target) = step.get(field).filter(|target| target.is_object()) else {
        return Ok(());
    };
    let key = target
        .get("workoutTargetTypeKey")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Some(id) = target.get("workoutTargetTypeId").filter(|id| !id.is_null()) else {
        return Ok(());
    };
    let number = id.as_i64().or_else(|| id.as_str()?.trim().parse().ok());
    let Some(number) = number else {
        return Err(format!("{path}.{field}.workoutTargetTypeId must be numeric"));
    };
    let keys: Vec<&str> = TARGETS
        .iter()
        .filter(|(known, _)| *known == number)
        .map(|(_, key)| *key)
        .collect();
    match (keys.as_slice(), id_of(&TARGETS, key)) {
        ([_, ..], _) if keys.contains(&key) => Ok(()),
        ([one], _) => Err(format!(
            "{path}.{field} mismatch: workoutTargetTypeId {number} is '{one}', not '{key}'"
        )),
        ([one, other, ..], _) => Err(format!(
            "{path}.{field} mismatch: workoutTargetTypeId {number} is one of ('{one}', '{other}'), not '{key}'"
        )),
        ([], Some(wanted)) => Err(format!(
            "{path}.{field} mismatch: workoutTargetTypeKey '{key}' requires workoutTargetTypeId {wanted}, not {number}"
        )),
        ([], None) => Ok(()),
    }
}

/// What two documents must have in common to be the same workout: the name, and kind and length of each step. Garmin
/// adds members of its own to a document.
pub(super) fn outline(document: &Value) -> Vec<String> {
    fn walk(steps: &Value, lines: &mut Vec<String>) {
        for step in steps.as_array().into_iter().flatten() {
            let text = |path: &str| at(step, path).and_then(Value::as_str).unwrap_or_default();
            let number = |path: &str| at(step, path).and_then(Value::as_f64).unwrap_or_default();
            lines.push(match step.get("workoutSteps") {
                Some(_) => format!("{} times", number("numberOfIterations")),
                None => {
                    format!(
                        "{} {} {}",
                        text("stepType.stepTypeKey"),
                        text("endCondition.conditionTypeKey"),
                        number("endConditionValue")
                    )
                }
            });
            walk(at(step, "workoutSteps").unwrap_or(&Value::Null), lines);
        }
    }
    let name = at(document, "workoutName")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut lines = vec![name.trim().to_owned()];
    for segment in at(document, "workoutSegments")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        walk(at(segment, "workoutSteps").unwrap_or(&Value::Null), &mut lines);
    }
    lines
}
