//! Workouts as people say them: "10 min warm-up, 6 times 800 m in 3:50 to 4:00 with 2 min recovery, 10 min cool-down".

use serde_json::{Value, json};

use super::fields::at;
use super::parameter::{DefaultValue, Parameter};
use super::workout_document::{StepEnd, step, with_target};

/// The kinds of a step.
const KINDS: &[&str] = &["warmup", "interval", "recovery", "rest", "cooldown"];

/// The members of a step that is not a repetition.
macro_rules! step_members {
    ($($more:expr),*) => {
        &[
            Parameter::one_of("kind", "What kind of step this is (default interval)", KINDS, "interval"),
            Parameter::number("duration_min", "Ends after this many minutes, such as 10 or 1.5", (0.05, 1_440.0)).optional(),
            Parameter::number("distance_m", "Ends after this many metres", (1.0, 1_000_000.0)).optional(),
            Parameter::integer("reps", "Ends after this many repetitions of an exercise", (1, 1_000)).optional(),
            Parameter::required_text("pace_from", "The slower pace as min:s per km, such as 4:10").optional(),
            Parameter::required_text("pace_to", "The faster pace as min:s per km, such as 4:00").optional(),
            Parameter::integer("hr_zone", "A heart rate zone, 1 to 5", (1, 5)).optional(),
            Parameter::integer("hr_min_bpm", "The lower heart rate", (30, 250)).optional(),
            Parameter::integer("hr_max_bpm", "The upper heart rate", (30, 250)).optional(),
            Parameter::integer("power_zone", "A power zone, 1 to 7", (1, 7)).optional(),
            Parameter::integer("power_min_w", "The lower power in watts", (1, 3_000)).optional(),
            Parameter::integer("power_max_w", "The upper power in watts", (1, 3_000)).optional(),
            Parameter::text("note", "A note that the watch shows", ""),
            $($more),*
        ]
    };
}

const INNER_STEP: Parameter = Parameter::object("step", "A step of the repetition", step_members!());
const STEP: Parameter = Parameter::object(
    "step",
    "A step: its length, or none for the lap button, and at most one target. A repetition has `times` and `steps` instead.",
    step_members!(
        Parameter::integer("times", "Repeat `steps` this many times", (1, 100)).optional(),
        Parameter::list("steps", "The steps to repeat", &INNER_STEP, 20).or(DefaultValue::Nothing)
    ),
);
pub(super) const STEPS: Parameter = Parameter::list("steps", "The steps in order", &STEP, 50);

/// Converts readable steps to Garmin's. Garmin numbers all steps consecutively, repetitions included.
pub(super) fn garmin_steps(steps: &Value) -> Result<Vec<Value>, String> {
    let mut order = 0;
    list(steps, "steps", &mut order)
}

fn list(steps: &Value, path: &str, order: &mut usize) -> Result<Vec<Value>, String> {
    let steps = steps.as_array().into_iter().flatten().enumerate();
    steps
        .map(|(index, step)| one(step, &format!("{path}[{index}]"), order))
        .collect()
}

fn one(given: &Value, path: &str, order: &mut usize) -> Result<Value, String> {
    *order += 1;
    let number = |name: &str| at(given, name).and_then(Value::as_f64);
    let text = |name: &str| at(given, name).and_then(Value::as_str).unwrap_or_default();
    if let Some(inner) = at(given, "steps") {
        let Some(times) = number("times") else {
            return Err(format!(
                "{path}.times is missing: give how many times to repeat the steps"
            ));
        };
        let group_order = *order;
        let inner = list(inner, &format!("{path}.steps"), order)?;
        if inner.is_empty() {
            return Err(format!("{path}.steps is empty: give the steps to repeat"));
        }
        return Ok(json!({
            "type": "RepeatGroupDTO",
            "stepOrder": group_order,
            "stepType": {"stepTypeId": 6, "stepTypeKey": "repeat"},
            "numberOfIterations": times,
            "smartRepeat": false,
            "endCondition": {"conditionTypeId": 7, "conditionTypeKey": "iterations"},
            "endConditionValue": times,
            "workoutSteps": inner,
        }));
    }
    if number("times").is_some() {
        return Err(format!("{path}.steps is missing: give the steps to repeat"));
    }
    let ends: Vec<StepEnd> = [
        number("duration_min").map(|minutes| StepEnd::Seconds((minutes * 60.0).round())),
        number("distance_m").map(StepEnd::Metres),
        number("reps").map(StepEnd::Reps),
    ]
    .into_iter()
    .flatten()
    .collect();
    let end = match ends.as_slice() {
        [] => StepEnd::LapButton,
        [end] => *end,
        _ => {
            return Err(format!(
                "{path}: give only one of duration_min, distance_m and reps"
            ));
        }
    };
    let plain = step(*order, text("kind"), text("note"), end);
    let range = |low: &str, high: &str| match (number(low), number(high)) {
        (None, None) => Ok(None),
        (Some(low_value), Some(high_value)) if low_value < high_value => Ok(Some(
            json!({"targetValueOne": low_value, "targetValueTwo": high_value}),
        )),
        (Some(_), Some(_)) => Err(format!("{path}.{low} must be below {high}")),
        _ => Err(format!("{path}: give both {low} and {high}")),
    };
    let zone = |name: &str| number(name).map(|zone| json!({"zoneNumber": zone}));
    let targets: Vec<(&str, Value)> = [
        ("pace.zone", pace(text("pace_from"), text("pace_to"), path)?),
        ("heart.rate.zone", zone("hr_zone")),
        ("heart.rate.zone", range("hr_min_bpm", "hr_max_bpm")?),
        ("power.zone", zone("power_zone")),
        ("power.zone", range("power_min_w", "power_max_w")?),
    ]
    .into_iter()
    .filter_map(|(key, values)| Some((key, values?)))
    .collect();
    match targets.as_slice() {
        [] => Ok(plain),
        [(key, values)] => Ok(with_target(plain, key, values)),
        _ => Err(format!(
            "{path} has several targets: give only one of pace, heart rate and power"
        )),
    }
}

/// A range of paces as speeds in metres a second, the slower one first.
fn pace(from: &str, to: &str, path: &str) -> Result<Option<Value>, String> {
    if from.is_empty() && to.is_empty() {
        return Ok(None);
    }
    let seconds = |text: &str, name: &str| {
        let parts = text.trim().split_once(':');
        let seconds = parts.and_then(|(minutes, seconds)| {
            let (minutes, seconds): (u16, u16) = (minutes.parse().ok()?, seconds.parse().ok()?);
            (seconds < 60 && (2..=30).contains(&minutes)).then(|| f64::from(minutes * 60 + seconds))
        });
        seconds.ok_or_else(|| {
            format!("{path}.{name} must be a pace per km from 2:00 to 30:59, such as 4:10, not {text:?}")
        })
    };
    let (slow, fast) = (seconds(from, "pace_from")?, seconds(to, "pace_to")?);
    if slow <= fast {
        return Err(format!(
            "{path}: pace_from ({from}) must be slower than pace_to ({to})"
        ));
    }
    let speed = |seconds: f64| (1_000_000.0 / seconds).round() / 1_000.0;
    Ok(Some(
        json!({"targetValueOne": speed(slow), "targetValueTwo": speed(fast)}),
    ))
}

/// Garmin's steps in a line: `10 min warmup; 6 x (800 m interval, 2 min recovery); 10 min cooldown`.
pub(super) fn summary(document: &Value) -> String {
    let segments = at(document, "workoutSegments")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let parts: Vec<String> = segments
        .flat_map(|segment| lines(at(segment, "workoutSteps").unwrap_or(&Value::Null)))
        .collect();
    parts.join("; ")
}

fn lines(steps: &Value) -> Vec<String> {
    let line = |step: &Value| {
        let number = |path: &str| at(step, path).and_then(Value::as_f64).unwrap_or_default();
        if let Some(inner) = at(step, "workoutSteps") {
            return format!("{} x ({})", number("numberOfIterations"), lines(inner).join(", "));
        }
        let text = |path: &str| at(step, path).and_then(Value::as_str).unwrap_or_default();
        let value = number("endConditionValue");
        let kind = match text("exerciseName") {
            "" => text("stepType.stepTypeKey"),
            exercise => exercise,
        };
        let length = match text("endCondition.conditionTypeKey") {
            "time" if value % 60.0 == 0.0 => format!("{} min", value / 60.0),
            "time" => format!("{value} s"),
            "distance" => format!("{value} m"),
            "reps" => format!("{value} reps"),
            "lap.button" => return format!("{kind} until the lap button{}", target(step)),
            other => other.to_owned(),
        };
        format!("{length} {kind}{}", target(step))
    };
    steps.as_array().into_iter().flatten().map(line).collect()
}

fn target(step: &Value) -> String {
    let key = at(step, "targetType.workoutTargetTypeKey").and_then(Value::as_str);
    let number = |path: &str| at(step, path).and_then(Value::as_f64);
    if let Some(zone) = number("zoneNumber") {
        return match key {
            Some("heart.rate.zone") => format!(" in heart rate zone {zone}"),
            Some("power.zone") => format!(" in power zone {zone}"),
            _ => format!(" in zone {zone}"),
        };
    }
    let (Some(key), Some(one), Some(two)) = (key, number("targetValueOne"), number("targetValueTwo")) else {
        return String::new();
    };
    let pace = |speed: f64| {
        let seconds = (1_000.0 / speed).round();
        format!("{:.0}:{:02.0}", (seconds / 60.0).floor(), seconds % 60.0)
    };
    match key {
        "pace.zone" if one > 0.0 && two > 0.0 => format!(" at {} to {} min/km", pace(one), pace(two)),
        "heart.rate.zone" => format!(" at {one} to {two} bpm"),
        "power.zone" => format!(" at {one} to {two} W"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::workout_document::workout;

    #[test]
    fn steps_are_counted_through_and_told_in_a_line() {
        let steps = json!([
            {"kind": "warmup", "duration_min": 10},
            {"times": 6, "steps": [
                {"kind": "interval", "distance_m": 800, "pace_from": "4:10", "pace_to": "4:00"},
                {"kind": "recovery", "duration_min": 1.5},
            ]},
            {"kind": "cooldown"},
        ]);
        let steps = garmin_steps(&steps).unwrap();
        let orders = (
            &steps[1]["stepOrder"],
            &steps[1]["workoutSteps"][1]["stepOrder"],
            &steps[2]["stepOrder"],
        );
        assert_eq!(orders, (&json!(2), &json!(4), &json!(5)));
        let first = &steps[1]["workoutSteps"][0];
        assert_eq!(
            (&first["targetValueOne"], &first["targetValueTwo"]),
            (&json!(4.0), &json!(4.167))
        );
        assert_eq!(
            summary(&workout("W", "", "running", &steps)),
            "10 min warmup; 6 x (800 m interval at 4:10 to 4:00 min/km, 90 s recovery); cooldown until the lap button"
        );
    }

    #[test]
    fn a_line_says_which_zone_and_which_exercise() {
        let steps = json!([
            {"kind": "interval", "duration_min": 5, "hr_zone": 3},
            {"kind": "interval", "duration_min": 5, "power_zone": 4},
            {"kind": "interval", "reps": 12},
        ]);
        let mut steps = garmin_steps(&steps).unwrap();
        steps[2]["exerciseName"] = json!("Squat");
        assert_eq!(
            summary(&workout("W", "", "running", &steps)),
            "5 min interval in heart rate zone 3; 5 min interval in power zone 4; 12 reps Squat"
        );
    }

    #[test]
    fn an_ambiguous_step_is_refused_by_its_path() {
        let refused = |step: Value, wanted: &str| {
            let error = garmin_steps(&json!([step])).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        };
        refused(
            json!({"kind": "interval", "duration_min": 1, "distance_m": 5}),
            "steps[0]: give only one of",
        );
        refused(json!({"times": 3}), "steps[0].steps is missing");
        refused(json!({"steps": [{"kind": "rest"}]}), "steps[0].times is missing");
        refused(
            json!({"kind": "interval", "pace_from": "4:00", "pace_to": "4:10"}),
            "must be slower",
        );
        refused(
            json!({"kind": "interval", "pace_from": "4.00", "pace_to": "4:10"}),
            "pace_from must be a pace",
        );
        refused(
            json!({"kind": "interval", "hr_zone": 2, "power_zone": 3}),
            "several targets",
        );
        refused(
            json!({"kind": "interval", "hr_min_bpm": 150}),
            "give both hr_min_bpm and hr_max_bpm",
        );
    }
}
