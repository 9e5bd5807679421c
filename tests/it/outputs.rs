//! Checks answers against the output schemas of their tools: a client that validates refuses an answer that differs.

use garmin_gateway::races::tools::RaceTools;
use garmin_gateway::tools;
use serde_json::Value;

/// The output schema of a tool of the built-in worker or of the races.
fn schema(tool: &str) -> Option<Value> {
    let lists: Value = serde_json::from_str(&tools::lists().tools).unwrap();
    let all = lists["tools"].as_array().unwrap().iter().cloned();
    let mut all = all.chain(RaceTools::listings());
    let listing = all.find(|listing| listing["name"] == tool)?;
    listing.get("outputSchema").cloned()
}

fn has_type(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("unknown type {other}"),
    }
}

/// Checks one answer; returns how many of its members the schema describes. The schemas have types and properties only.
pub(crate) fn check(tool: &str, answer: &Value) -> usize {
    let Some(schema) = schema(tool) else { return 0 };
    assert!(
        schema.as_object().unwrap().keys().eq(["type", "properties"]),
        "{tool}"
    );
    assert!(
        has_type(answer, schema["type"].as_str().unwrap()),
        "{tool}: {answer}"
    );
    let mut described = 0;
    for (name, property) in schema["properties"].as_object().unwrap() {
        let Some(value) = answer.get(name) else { continue };
        described += 1;
        let is_valid = has_type(value, property["type"].as_str().unwrap());
        let mut items = value.as_array().into_iter().flatten();
        let is_item = |item: &Value| has_type(item, property["items"]["type"].as_str().unwrap());
        assert!(is_valid && items.all(is_item), "{tool} {name}: {value}");
    }
    described
}
