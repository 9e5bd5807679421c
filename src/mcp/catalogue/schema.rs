//! Rewrites a tool's schema so that every client accepts it.
//!
//! Gemini-type clients refuse a whole request if a single schema contains `type: ["integer", "null"]` or `anyOf`.
//! Claude's connectors refuse an `outputSchema` with `anyOf`. FastMCP writes both for optional and union arguments. An
//! optional argument may simply be omitted, so `null` needs no type of its own.
//!
//! Left alone on purpose: `$ref` and `$defs`, and conditions on a schema that has a type (`allOf` with `required`).
//! They belong to JSON Schema 2020-12, and the conformance suite checks that they are preserved.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// Schemas nested more deeply than this are not rewritten.
const MAX_DEPTH: usize = 32;

/// An input schema with a single type per value. Returns `None` if nothing has to change, so that the worker's bytes
/// are kept.
pub(super) fn simplified(schema: &RawValue) -> Option<String> {
    let mut value: Value = serde_json::from_str(schema.get()).ok()?;
    simplify(&mut value, 0).then(|| value.to_string())
}

/// Whether clients accept this schema unchanged. An output schema is never rewritten, because clients validate results
/// against it. If it would have to change, it is omitted.
pub(super) fn is_simple(schema: &RawValue) -> bool {
    !schema.get().contains("\"anyOf\"")
        && serde_json::from_str(schema.get()).is_ok_and(|mut value: Value| !simplify(&mut value, 0))
}

/// Simplifies a schema in place, and returns whether anything changed.
fn simplify(schema: &mut Value, depth: usize) -> bool {
    let Value::Object(schema) = schema else {
        return false;
    };
    if depth > MAX_DEPTH {
        return false;
    }
    let mut changed = false;
    for key in ["properties", "patternProperties", "$defs", "definitions"] {
        if let Some(Value::Object(members)) = schema.get_mut(key) {
            for member in members.values_mut() {
                changed |= simplify(member, depth + 1);
            }
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(nested) = schema.get_mut(key) {
            changed |= simplify(nested, depth + 1);
        }
    }
    if !schema.contains_key("type") {
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(alternatives)) = schema.shift_remove(key) {
                merge(schema, chosen(alternatives, depth));
                changed = true;
            }
        }
        if let Some(Value::Array(parts)) = schema.shift_remove("allOf") {
            for mut part in parts {
                simplify(&mut part, depth + 1);
                merge(schema, part);
            }
            changed = true;
        }
    }
    changed | single_type(schema)
}

/// Reduces the schema to one type, removes `null` from its values, and gives the items of an array a type.
fn single_type(schema: &mut Map<String, Value>) -> bool {
    let mut changed = false;
    if let Some(Value::Array(types)) = schema.get("type") {
        let names = types.iter().filter_map(Value::as_str);
        let names: Vec<&str> = names.filter(|name| *name != "null").collect();
        let name = common_type(&names).to_owned();
        schema.insert("type".to_owned(), name.into());
        changed = true;
    }
    if let Some(constant) = schema.shift_remove("const") {
        schema.insert("enum".to_owned(), json!([constant]));
        changed = true;
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.shift_remove("default");
        changed = true;
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        let before = values.len();
        values.retain(|value| !value.is_null());
        changed |= values.len() != before;
        // Gemini accepts an `enum` only of strings.
        if values.iter().any(|value| !value.is_string()) {
            if !schema.contains_key("type") {
                schema.insert("type".to_owned(), "string".into());
            }
            schema.shift_remove("enum");
            changed = true;
        } else if !schema.contains_key("type") {
            schema.insert("type".to_owned(), "string".into());
            changed = true;
        }
    }
    let is_array = schema.get("type").is_some_and(|name| name == "array");
    let has_typed_items = schema
        .get("items")
        .is_some_and(|items| items.as_object().is_some_and(|items| !items.is_empty()));
    if is_array && !has_typed_items && !schema.contains_key("prefixItems") {
        schema.insert("items".to_owned(), json!({"type": "string"}));
        changed = true;
    }
    changed
}

/// The one alternative that replaces all of them.
fn chosen(alternatives: Vec<Value>, depth: usize) -> Value {
    let mut left: Vec<Value> = alternatives
        .into_iter()
        .filter(|alternative| alternative.get("type").is_none_or(|name| name != "null"))
        .collect();
    for alternative in &mut left {
        simplify(alternative, depth + 1);
    }
    if left.len() <= 1 {
        return left.pop().unwrap_or_else(|| json!({"type": "string"}));
    }
    let enums: Option<Vec<&Vec<Value>>> = left
        .iter()
        .map(|alternative| alternative.get("enum")?.as_array())
        .collect();
    if let Some(enums) = enums {
        let values: Vec<Value> = enums.into_iter().flatten().cloned().collect();
        return json!({"type": "string", "enum": values});
    }
    let types: Vec<&str> = left
        .iter()
        .filter_map(|alternative| alternative.get("type")?.as_str())
        .collect();
    let name = common_type(&types);
    let is_scalar = matches!(name, "string" | "number" | "integer" | "boolean");
    if is_scalar && types.len() == left.len() {
        return json!({"type": name});
    }
    left.swap_remove(0)
}

/// The type that accepts the values of all given types. A string type accepts any scalar, because workers parse numbers
/// from text.
fn common_type<'a>(types: &[&'a str]) -> &'a str {
    match types {
        [] => "string",
        [first, rest @ ..] if rest.iter().all(|name| name == first) => first,
        types if types.contains(&"string") => "string",
        types if types.iter().all(|name| matches!(*name, "integer" | "number")) => "number",
        [first, ..] => first,
    }
}

/// Adds the members that `schema` does not yet have.
fn merge(schema: &mut Map<String, Value>, other: Value) {
    let Value::Object(other) = other else { return };
    for (key, value) in other {
        match (schema.get_mut(&key), value) {
            (None, value) => drop(schema.insert(key, value)),
            (Some(Value::Object(own)), Value::Object(more)) if key == "properties" => {
                for (name, property) in more {
                    own.entry(name).or_insert(property);
                }
            }
            (Some(Value::Array(own)), Value::Array(more)) if key == "required" => {
                own.extend(more);
            }
            _ => {}
        }
    }
}

/// The reasons why a client refuses this schema, each with its place. Empty if all clients accept it.
#[cfg(test)]
pub(crate) fn objections(schema: &Value) -> Vec<String> {
    fn look(schema: &Value, path: &str, found: &mut Vec<String>) {
        let Value::Object(members) = schema else {
            return;
        };
        let mut object = |what: &str| found.push(format!("{path}: {what}"));
        for key in ["anyOf", "oneOf", "allOf", "const", "nullable"] {
            if members.contains_key(key) {
                object(key);
            }
        }
        let name = members.get("type").and_then(Value::as_str);
        if name.is_none() && !members.contains_key("$ref") {
            object("no single type");
        }
        if members.get("default").is_some_and(Value::is_null) {
            object("default null");
        }
        let values = members.get("enum").and_then(Value::as_array);
        if values.is_some_and(|values| values.iter().any(|value| !value.is_string())) {
            object("an enum of other values than strings");
        }
        if name == Some("array") && !members.contains_key("items") {
            object("no items");
        }
        for key in ["properties", "$defs"] {
            if let Some(Value::Object(nested)) = members.get(key) {
                for (name, nested) in nested {
                    look(nested, &format!("{path}.{name}"), found);
                }
            }
        }
        if let Some(items) = members.get("items") {
            look(items, &format!("{path}[]"), found);
        }
    }
    let mut found = Vec::new();
    look(schema, "", &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(schema: &Value) -> Value {
        let raw = RawValue::from_string(schema.to_string()).unwrap();
        simplified(&raw).map_or_else(|| schema.clone(), |text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn unions_become_one_type() {
        for (given, expected) in [
            (
                json!({"type": ["integer", "null"], "minimum": 1}),
                json!({"type": "integer", "minimum": 1}),
            ),
            (json!({"type": ["string", "integer"]}), json!({"type": "string"})),
            (
                json!({"type": ["integer", "number", "null"]}),
                json!({"type": "number"}),
            ),
            (json!({"type": ["null"]}), json!({"type": "string"})),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null, "title": "X"}),
                json!({"title": "X", "type": "string"}),
            ),
            (
                json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "title": "Id"}),
                json!({"title": "Id", "type": "string"}),
            ),
            (
                json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
                json!({"type": "number"}),
            ),
            (
                json!({"anyOf": [{"const": "a"}, {"const": "b"}, {"type": "null"}]}),
                json!({"type": "string", "enum": ["a", "b"]}),
            ),
            (
                json!({"anyOf": [{"type": "array", "items": {"type": ["string", "null"]}}, {"type": "null"}]}),
                json!({"type": "array", "items": {"type": "string"}}),
            ),
            (
                json!({"anyOf": [{"type": "object", "properties": {"a": {"type": ["number", "null"]}}}, {"type": "array"}]}),
                json!({"type": "object", "properties": {"a": {"type": "number"}}}),
            ),
            (
                json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]}),
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
            ),
            (
                json!({"type": "array", "items": {}}),
                json!({"type": "array", "items": {"type": "string"}}),
            ),
            (
                json!({"type": "array"}),
                json!({"type": "array", "items": {"type": "string"}}),
            ),
            (
                json!({"type": "integer", "enum": [1, 2]}),
                json!({"type": "integer"}),
            ),
            (
                json!({"type": "string", "enum": ["a", null]}),
                json!({"type": "string", "enum": ["a"]}),
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": ["number", "null"]}}),
                json!({"type": "object", "additionalProperties": {"type": "number"}}),
            ),
        ] {
            let simple = rewritten(&given);
            assert_eq!(simple, expected, "{given}");
            assert_eq!(objections(&simple), Vec::<String>::new(), "{simple}");
            assert_eq!(rewritten(&simple), simple, "a second pass changes nothing");
        }
    }

    /// The conformance suite checks that these are preserved.
    #[test]
    fn simple_schemas_keep_their_bytes() {
        for schema in [
            r#"{"type":"object", "properties":{"n":{"type":"integer","default":1.0}}}"#,
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"a":{"type":"object","properties":{"s":{"type":"string"}}}},"properties":{"a":{"$ref":"#/$defs/a"}},"additionalProperties":false}"##,
            r#"{"type":"object","properties":{"a":{"type":"string"}},"allOf":[{"anyOf":[{"required":["a"]}]}],"if":{"properties":{"a":{"const":"x"}}}}"#,
            "{}",
            "true",
        ] {
            let raw: &RawValue = serde_json::from_str(schema).unwrap();
            assert_eq!(simplified(raw), None, "{schema}");
            assert_eq!(is_simple(raw), !schema.contains("anyOf"), "{schema}");
        }
        let union =
            r#"{"type":"object","properties":{"result":{"anyOf":[{"type":"string"},{"type":"null"}]}}}"#;
        assert!(!is_simple(serde_json::from_str(union).unwrap()));
    }

    #[test]
    fn depth_is_harmless() {
        let deep = format!(
            "{}{{\"type\":[\"string\",\"null\"]}}{}",
            "{\"items\":".repeat(100),
            "}".repeat(100)
        );
        drop(simplified(serde_json::from_str(&deep).unwrap()));
    }
}
