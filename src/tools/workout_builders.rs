//! garmin_mcp's workout builders, which need only a few numbers each.

use serde_json::{Value, json};

use super::answer::AnswerError;
use super::call::ToolCall;
use super::change::ChangeStep;
use super::fields::at;
use super::parameter::{DefaultValue, Parameter};
use super::table::{Effect, Tool};
use super::workout_changes::{plan_upload, workouts_step};
use super::workout_document::{StepEnd, must_have_name, step, with_target, workout};

const ADD: Effect = Effect::Change { idempotent: false };
const NAME: Parameter = Parameter::required_text("name", "The workout's name");
const WARMUP: Parameter = Parameter::integer("warmup_min", "Minutes of warm-up; 0: none", (0, 600));
const COOLDOWN: Parameter = Parameter::integer("cooldown_min", "Minutes of cool-down; 0: none", (0, 600));
const RUN: Parameter = Parameter::integer("run_seconds", "Seconds of running", (1, 86_400));
const ZONE: Parameter = Parameter::text(
    "hr_zone",
    "The heart rate zone of the run, Z1 to Z5 (default Z3)",
    "Z3",
);

const EXERCISE: Parameter = Parameter::object(
    "exercise",
    "An exercise",
    &[
        Parameter::text("name", "The exercise, such as Squat", "Exercise"),
        Parameter::integer("sets", "Sets (default 1)", (1, 100)).or(DefaultValue::Whole(1)),
        Parameter::integer("reps", "Repetitions in a set (default 1)", (1, 1_000)).or(DefaultValue::Whole(1)),
        Parameter::integer(
            "rest_seconds",
            "Seconds of rest after a set (default 60)",
            (0, 3_600),
        )
        .or(DefaultValue::Whole(60)),
        Parameter::required_text("category", "Garmin's category, such as SQUAT").optional(),
    ],
);

pub(super) const TOOLS: &[Tool] = &[
    Tool::change(
        "create_walk_run_workout",
        "Create a workout that alternates running and walking.",
        &[
            NAME,
            RUN,
            Parameter::integer("walk_seconds", "Seconds of walking", (1, 86_400)),
            Parameter::integer("repeats", "How many times both are repeated", (1, 100)),
            WARMUP,
            COOLDOWN,
            ZONE,
        ],
        ADD,
        |call, answers| built(call, answers, walk_run),
        "Error creating walk/run workout",
    ),
    Tool::change(
        "create_run_workout",
        "Create a workout with one steady run.",
        &[
            NAME,
            RUN,
            WARMUP,
            COOLDOWN,
            ZONE,
            Parameter::integer(
                "hr_min",
                "The lower heart rate in bpm, instead of a zone",
                (30, 250),
            )
            .optional(),
            Parameter::integer(
                "hr_max",
                "The upper heart rate in bpm, instead of a zone",
                (30, 250),
            )
            .optional(),
        ],
        ADD,
        |call, answers| built(call, answers, run),
        "Error creating run workout",
    ),
    Tool::change(
        "create_z2_walk_workout",
        "Create a walk in heart rate zone 2.",
        &[
            NAME,
            Parameter::integer("duration_min", "Minutes of walking", (1, 1_440)),
            Parameter::integer(
                "hr_min",
                "The lower heart rate in bpm, for the description",
                (30, 250),
            ),
            Parameter::integer(
                "hr_max",
                "The upper heart rate in bpm, for the description",
                (30, 250),
            ),
        ],
        ADD,
        |call, answers| built(call, answers, z2_walk),
        "Error creating Z2 walk workout",
    ),
    Tool::change(
        "create_strength_workout",
        "Create a strength workout of exercises with sets and repetitions.",
        &[
            NAME,
            Parameter::list("exercises", "The exercises in order", &EXERCISE, 50),
        ],
        ADD,
        |call, answers| built(call, answers, strength),
        "Error creating strength workout",
    ),
];

fn built(
    call: &ToolCall,
    answers: &[&Value],
    build: fn(&ToolCall) -> Result<Value, String>,
) -> Result<ChangeStep, AnswerError> {
    must_have_name(&call.text("name")).map_err(AnswerError::Argument)?;
    let document = build(call).map_err(AnswerError::Argument)?;
    match answers {
        [] => Ok(workouts_step()),
        [workouts, ..] => Ok(ChangeStep::one(plan_upload(workouts, document, &json!({})))),
    }
}

fn seconds(seconds: i64) -> StepEnd {
    StepEnd::Seconds(seconds as f64)
}

/// A step between warm-up and cool-down. One of 0 minutes is left out, so that the watch does not stop at it.
fn between(warm: i64, main: Value, cool: i64) -> Vec<Value> {
    let part = |kind: &str, name: &str, minutes: i64| {
        (minutes > 0).then(|| step(0, kind, &format!("{name} {minutes} min"), seconds(minutes * 60)))
    };
    let parts = [
        part("warmup", "Warmup", warm),
        Some(main),
        part("cooldown", "Cooldown", cool),
    ];
    let mut steps: Vec<Value> = parts.into_iter().flatten().collect();
    for (order, step) in (1..).zip(&mut steps) {
        if let Some(members) = step.as_object_mut() {
            members.insert("stepOrder".to_owned(), json!(order));
        }
    }
    steps
}

/// What the workout consists of: `5m warmup + 30m run Z3 + 5m cooldown`.
fn described(warm: i64, main: String, cool: i64) -> String {
    let part = |minutes: i64, name: &str| (minutes > 0).then(|| format!("{minutes}m {name}"));
    let parts = [part(warm, "warmup"), Some(main), part(cool, "cooldown")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" + ")
}

fn zone(call: &ToolCall) -> Result<i64, String> {
    let text = call.text("hr_zone");
    let number = text.trim().trim_start_matches(['z', 'Z']).parse().ok();
    number
        .filter(|zone| (1..=5).contains(zone))
        .ok_or_else(|| format!("Invalid hr_zone '{text}'. Use Z1-Z5 or 1-5."))
}

fn in_zone(step: Value, zone: i64) -> Value {
    with_target(step, "heart.rate.zone", &json!({"zoneNumber": zone}))
}

fn walk_run(call: &ToolCall) -> Result<Value, String> {
    let zone = zone(call)?;
    let [run, walk, repeats, warm, cool] = [
        "run_seconds",
        "walk_seconds",
        "repeats",
        "warmup_min",
        "cooldown_min",
    ]
    .map(|name| call.whole(name));
    let group = json!({
        "type": "RepeatGroupDTO",
        "stepOrder": 2,
        "numberOfIterations": repeats,
        "workoutSteps": [
            in_zone(step(1, "interval", &format!("Run {run}s Z{zone}"), seconds(run)), zone),
            // Walking brings the heart rate down, so a zone would make the watch complain.
            step(2, "recovery", &format!("Walk {walk}s"), seconds(walk)),
        ],
    });
    let main = format!("{repeats}x({run}s run Z{zone} / {walk}s walk)");
    let (description, steps) = (described(warm, main, cool), between(warm, group, cool));
    Ok(workout(&call.text("name"), &description, "running", &steps))
}

fn run(call: &ToolCall) -> Result<Value, String> {
    let [run, warm, cool, low, high] =
        ["run_seconds", "warmup_min", "cooldown_min", "hr_min", "hr_max"].map(|name| call.whole(name));
    let length = if run % 60 == 0 {
        format!("{}m", run / 60)
    } else {
        format!("{run}s")
    };
    let (label, target) = match (low, high) {
        (0, 0) => {
            let zone = zone(call)?;
            (format!("Z{zone}"), json!({"zoneNumber": zone}))
        }
        (0, _) | (_, 0) => return Err("give both hr_min and hr_max, or neither".to_owned()),
        (low, high) if low < high => (
            format!("{low}-{high} bpm"),
            json!({"targetValueOne": low, "targetValueTwo": high}),
        ),
        _ => return Err("hr_min must be below hr_max".to_owned()),
    };
    let interval = step(2, "interval", &format!("Run {run}s {label}"), seconds(run));
    let steps = between(warm, with_target(interval, "heart.rate.zone", &target), cool);
    let description = described(warm, format!("{length} run {label}"), cool);
    Ok(workout(&call.text("name"), &description, "running", &steps))
}

fn z2_walk(call: &ToolCall) -> Result<Value, String> {
    let [minutes, low, high] = ["duration_min", "hr_min", "hr_max"].map(|name| call.whole(name));
    if low >= high {
        return Err("hr_min must be below hr_max".to_owned());
    }
    let walk = step(
        2,
        "interval",
        &format!("Walk {minutes} min Z2"),
        seconds(minutes * 60),
    );
    let description = format!("Walk {minutes} min at Z2 ({low}-{high} bpm)");
    let steps = between(5, in_zone(walk, 2), 5);
    Ok(workout(&call.text("name"), &description, "walking", &steps))
}

/// An exercise with several sets becomes a repetition of one set and the rest after it. A final exercise with a single
/// set has no rest.
fn strength(call: &ToolCall) -> Result<Value, String> {
    let exercises = call.json("exercises");
    let exercises = exercises.as_array().map(Vec::as_slice).unwrap_or_default();
    if exercises.is_empty() {
        return Err("exercises is empty: give at least one".to_owned());
    }
    let mut order = 0;
    let mut next = || {
        order += 1;
        order
    };
    let mut steps = Vec::new();
    for (index, exercise) in exercises.iter().enumerate() {
        let number = |name: &str| at(exercise, name).and_then(Value::as_i64).unwrap_or_default();
        let text = |name: &str| at(exercise, name).and_then(Value::as_str).unwrap_or_default();
        let (name, sets, reps, rest) = (
            text("name"),
            number("sets"),
            number("reps"),
            number("rest_seconds"),
        );
        let group_order = (sets > 1).then(&mut next);
        let end = StepEnd::Reps(reps as f64);
        let mut set = step(
            next(),
            "interval",
            &format!("{name}: {sets} sets x {reps} reps"),
            end,
        );
        if let Some(members) = set.as_object_mut() {
            members.insert("exerciseName".to_owned(), json!(name));
            if !text("category").is_empty() {
                members.insert("category".to_owned(), json!(text("category")));
            }
        }
        let is_last = index + 1 == exercises.len() && sets == 1;
        let pause =
            (rest > 0 && !is_last).then(|| step(next(), "rest", &format!("Rest {rest}s"), seconds(rest)));
        let inner: Vec<Value> = std::iter::once(set).chain(pause).collect();
        match group_order {
            Some(order) => steps.push(json!({
                "type": "RepeatGroupDTO",
                "stepOrder": order,
                "numberOfIterations": sets,
                "workoutSteps": inner,
            })),
            None => steps.extend(inner),
        }
    }
    let description = format!("Strength: {} exercises", exercises.len());
    Ok(workout(
        &call.text("name"),
        &description,
        "strength_training",
        &steps,
    ))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::tools::workout_steps::summary;

    fn document(arguments: &Value) -> Result<Value, String> {
        let tool = TOOLS
            .iter()
            .find(|tool| tool.name == "create_walk_run_workout")
            .unwrap();
        let noon = date(2026, 1, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
        let call = ToolCall::check(tool.parameters, arguments.as_object().unwrap(), &noon).unwrap();
        built(&call, &[], walk_run).map_err(|error| error.to_string())?;
        walk_run(&call)
    }

    #[test]
    fn a_step_of_no_length_is_left_out_and_walking_has_no_target() {
        let mut given = json!({
            "name": "Start", "run_seconds": 90, "walk_seconds": 60, "repeats": 8, "warmup_min": 0, "cooldown_min": 5
        });
        let built = document(&given).unwrap();
        assert_eq!(
            summary(&built),
            "8 x (90 s interval in heart rate zone 3, 1 min recovery); 5 min cooldown"
        );
        assert_eq!(built["description"], "8x(90s run Z3 / 60s walk) + 5m cooldown");
        let orders: Vec<&Value> = built["workoutSegments"][0]["workoutSteps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| &step["stepOrder"])
            .collect();
        assert_eq!(orders, [&json!(1), &json!(2)]);
        given["name"] = json!(" ");
        assert!(document(&given).unwrap_err().contains("name is empty"));
    }
}
