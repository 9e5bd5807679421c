//! The output schemas of the questions. `questions/outputs.json` has the members of their answers.

use serde_json::{Map, Value, json};

/// The schema of a question's answer; `None` for a tool that is not a question.
///
/// Everything is optional: an answer leaves out what Garmin does not have. Without any data it has only `nothing`.
pub(super) fn output_schema(tool: &str) -> Option<Value> {
    let outputs: Value = serde_json::from_str(include_str!("questions/outputs.json")).ok()?;
    let mut properties = Map::new();
    let mut add = |name: &str, kind: &str, about: &str| {
        properties.insert(name.to_owned(), property(kind, about));
    };
    for (name, described) in outputs.get(tool)?.as_object()? {
        add(name, described.get(0)?.as_str()?, described.get(1)?.as_str()?);
    }
    for (name, kind, about) in [
        (
            "rests_on",
            "object",
            "The days, activities and gaps behind the answer",
        ),
        (
            "failed",
            "array of strings",
            "The parts that Garmin did not give, and why",
        ),
        ("nothing", "string", "In place of all others: Garmin has no data"),
    ] {
        add(name, kind, about);
    }
    if super::is_answered_from_history(tool) {
        for (name, kind, about) in [
            (
                "source",
                "string",
                "history: from the days that the gateway keeps for the person",
            ),
            (
                "as_of",
                "string",
                "With source: when the newest of these days were fetched",
            ),
            (
                "last_day",
                "object",
                "With source: the newest day, and whether it was over then",
            ),
        ] {
            properties.insert(name.to_owned(), property(kind, about));
        }
    }
    Some(json!({"type": "object", "properties": properties}))
}

/// The schema of a member. `kind` is a type, or a list type such as `array of strings`.
pub fn property(kind: &str, about: &str) -> Value {
    match kind.strip_prefix("array of ") {
        Some(items) => {
            let items = items.trim_end_matches('s');
            json!({"type": "array", "items": {"type": items}, "description": about})
        }
        None => json!({"type": kind, "description": about}),
    }
}
