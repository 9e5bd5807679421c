use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schema() -> Value {
    json!({"type": "object", "properties": {
        "count": {"type": "integer"}, "km": {"type": "number"}, "deep": {"type": "boolean"}, "chat": {"type": "string"},
        "metrics": {"type": "array", "items": {"type": "string"}},
        "race_config": {"type": "object", "properties": {
            "hr_max": {"type": "integer"}, "course_km": {"type": "number"},
            "checkpoints": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "km": {"type": "number"}}}},
            "splits": {"type": "array", "items": {"type": "number"}}}},
    }})
}

fn coerced(arguments: Value) -> Result<Value, String> {
    let Value::Object(arguments) = arguments else {
        panic!()
    };
    coerce(arguments, &schema())
        .map(Value::Object)
        .map_err(|error| error.to_string())
}

#[test]
fn strings_become_the_schemas_types_at_every_depth() {
    for (given, expected) in [
        (
            json!({"count": "12", "km": "10.5", "deep": "TRUE"}),
            json!({"count": 12, "km": 10.5, "deep": true}),
        ),
        (
            json!({"count": 12.0, "km": "42", "chat": -1001}),
            json!({"count": 12, "km": 42, "chat": "-1001"}),
        ),
        (
            json!({"metrics": "[\"pace\",\"power\"]"}),
            json!({"metrics": ["pace", "power"]}),
        ),
        (
            json!({"metrics": "pace, power"}),
            json!({"metrics": ["pace", "power"]}),
        ),
        (
            json!({"race_config": {"hr_max": "165"}}),
            json!({"race_config": {"hr_max": 165}}),
        ),
        (
            json!({"race_config": "{\"hr_max\":\"165\"}"}),
            json!({"race_config": {"hr_max": 165}}),
        ),
        (
            json!({"race_config": {"checkpoints": "[{\"name\": 1, \"km\": \"10,5\"}]"}}),
            json!({"race_config": {"checkpoints": [{"name": "1", "km": 10.5}]}}),
        ),
        (
            json!({"race_config": {"splits": ["1", "2,25", 3]}}),
            json!({"race_config": {"splits": [1, 2.25, 3]}}),
        ),
        (json!({"km": "0,750"}), json!({"km": 0.75})),
        (json!({"km": "-3,5"}), json!({"km": -3.5})),
        // `null` and unknown members are left for the tool to handle.
        (
            json!({"count": null, "unknown": "1"}),
            json!({"count": null, "unknown": "1"}),
        ),
        (
            json!({"km": 1e3, "count": 18_446_744_073_709_551_615_u64}),
            json!({"km": 1e3, "count": 18_446_744_073_709_551_615_u64}),
        ),
    ] {
        assert_eq!(coerced(given.clone()).as_ref(), Ok(&expected), "{given}");
    }
}

#[test]
fn doubtful_values_are_refused_by_path() {
    for (given, expected) in [
        (
            json!({"km": "42,195"}),
            "km: \"42,195\" is ambiguous; write 42.195 or 42195, without a comma",
        ),
        (
            json!({"race_config": {"course_km": "42,195"}}),
            "race_config.course_km: \"42,195\" is ambiguous",
        ),
        (json!({"count": "1,000"}), "count: \"1,000\" is ambiguous"),
        (
            json!({"count": "10,5"}),
            "count: write the number with a decimal point",
        ),
        (
            json!({"km": "1.234,5"}),
            "km: write the number with a decimal point",
        ),
        (
            json!({"km": "1,234,567"}),
            "km: write the number with a decimal point",
        ),
        (json!({"count": "10.5"}), "count: must be a whole number"),
        (json!({"count": "many"}), "count: must be a whole number"),
        (json!({"count": ""}), "count: must be a whole number"),
        (json!({"count": true}), "count: must be a whole number"),
        (json!({"km": "inf"}), "km: must be a number"),
        (json!({"km": "NaN"}), "km: must be a number"),
        (json!({"deep": "yes"}), "deep: must be true or false"),
        (json!({"chat": {}}), "chat: must be a string"),
        (
            json!({"metrics": "[\"pace\""}),
            "metrics: is a string that holds malformed JSON",
        ),
        (json!({"metrics": {"a": 1}}), "metrics: must be a list"),
        (
            json!({"race_config": "hr_max=165"}),
            "race_config: must be an object, not a string",
        ),
        (json!({"race_config": [1]}), "race_config: must be an object"),
        (
            json!({"race_config": {"splits": "42,195"}}),
            "race_config.splits: must be a list, not a string",
        ),
        (
            json!({"race_config": {"checkpoints": [{"km": 1}, {"km": "far"}]}}),
            "race_config.checkpoints[1].km: must be a number",
        ),
    ] {
        let refused = coerced(given.clone()).unwrap_err();
        assert!(refused.starts_with(expected), "{given}: {refused}");
    }
}

proptest! {
    #[test]
    fn a_number_in_a_string_is_the_number(value in -1e9..1e9_f64) {
        let text = coerced(json!({"km": value.to_string()})).unwrap();
        prop_assert_eq!(text["km"].as_f64(), Some(value));
    }

    #[test]
    fn arbitrary_texts_never_panic(text in ".{0,40}") {
        for name in ["count", "km", "deep", "metrics", "race_config"] {
            drop(coerced(json!({name: text})));
        }
    }
}
