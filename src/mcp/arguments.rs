//! Converts the arguments of a tool call to the types of the tool's input schema.
//!
//! Models and clients often send a number as a string, or a list or an object as a JSON string, at any depth:
//! `{"race_config": "{\"hr_max\":\"165\"}"}`. [`coerce`] accepts these where the schema makes the meaning unambiguous.
//! An ambiguous value is refused with its path and the fix. No value is changed silently.
//!
//! Call `coerce(arguments, &schema)?` with the `inputSchema` from `tools/list` before reading arguments. The result has
//! the types of the schema. Missing, unknown and out-of-range arguments pass unchanged, because the tool can reject
//! them with better advice. `null` passes unchanged too: it means "absent", or "remove this limit".

use std::fmt;

use serde_json::{Map, Number, Value};

/// An argument that does not fit its schema. `Display` gives `path: fix` for the model and the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fix}")]
pub struct ArgumentMismatch {
    /// The path of the argument, such as `race_config.checkpoints[2]`.
    pub path: String,
    pub fix: String,
}

/// Converts `arguments` to the types of `schema`, which must be an object schema.
pub fn coerce(arguments: Map<String, Value>, schema: &Value) -> Result<Map<String, Value>, ArgumentMismatch> {
    object(arguments, schema, &ArgumentPath::Root)
}

/// The path of a value, as a linked list from the innermost member outwards.
enum ArgumentPath<'a> {
    Root,
    Member(&'a ArgumentPath<'a>, &'a str),
    Item(&'a ArgumentPath<'a>, usize),
}

impl fmt::Display for ArgumentPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentPath::Root => Ok(()),
            ArgumentPath::Member(ArgumentPath::Root, name) => f.write_str(name),
            ArgumentPath::Member(parent, name) => write!(f, "{parent}.{name}"),
            ArgumentPath::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl ArgumentPath<'_> {
    fn error(&self, fix: impl Into<String>) -> ArgumentMismatch {
        ArgumentMismatch {
            path: self.to_string(),
            fix: fix.into(),
        }
    }
}

fn object(
    members: Map<String, Value>,
    schema: &Value,
    path: &ArgumentPath<'_>,
) -> Result<Map<String, Value>, ArgumentMismatch> {
    let mut coerced = Map::new();
    for (name, value) in members {
        let member_schema = schema
            .get("properties")
            .and_then(|properties| properties.get(&name))
            .or_else(|| schema.get("additionalProperties"));
        let value = match member_schema {
            Some(member_schema) => coerce_value(value, member_schema, &ArgumentPath::Member(path, &name))?,
            None => value,
        };
        coerced.insert(name, value);
    }
    Ok(coerced)
}

fn coerce_value(value: Value, schema: &Value, path: &ArgumentPath<'_>) -> Result<Value, ArgumentMismatch> {
    if value.is_null() {
        return Ok(value);
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => integer(&value, path),
        Some("number") => number(&value, path),
        Some("boolean") => boolean(&value, path),
        Some("string") => string(value, path),
        Some("array") => array(value, schema, path),
        Some("object") => match json_in_string(value, path, "an object", '{')? {
            Value::Object(members) => Ok(Value::Object(object(members, schema, path)?)),
            _ => Err(path.error("must be an object, such as {\"name\": 1}")),
        },
        _ => Ok(value),
    }
}

fn integer(value: &Value, path: &ArgumentPath<'_>) -> Result<Value, ArgumentMismatch> {
    const FIX: &str = "must be a whole number in digits, such as 165";
    if value.is_i64() || value.is_u64() {
        return Ok(value.clone());
    }
    let parsed = match value {
        Value::Number(number) => number.as_f64().and_then(whole),
        Value::String(text) => {
            let text = text.trim();
            refuse_comma(text, path)?;
            text.parse::<i64>().map(Number::from).ok().or_else(|| {
                let number = text.parse::<f64>().ok().filter(|_| is_plain_number(text));
                number.and_then(whole)
            })
        }
        _ => None,
    };
    parsed.map(Value::Number).ok_or_else(|| path.error(FIX))
}

/// Accepts `165.0` as a whole number. Floats beyond 2^53 are not exact.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<Number> {
    (number.fract() == 0.0 && number.abs() < 9e15).then(|| Number::from(number as i64))
}

fn number(value: &Value, path: &ArgumentPath<'_>) -> Result<Value, ArgumentMismatch> {
    const FIX: &str = "must be a number, such as 10.5";
    let text = match value {
        Value::Number(_) => return Ok(value.clone()),
        Value::String(text) => text.trim(),
        _ => return Err(path.error(FIX)),
    };
    let decimal = decimal_comma(text);
    if decimal.is_none() {
        refuse_comma(text, path)?;
    }
    let text = decimal.as_deref().unwrap_or(text);
    if !is_plain_number(text) {
        return Err(path.error(FIX));
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(Value::from(whole));
    }
    let parsed = text.parse::<f64>().ok().and_then(Number::from_f64);
    parsed.map(Value::Number).ok_or_else(|| path.error(FIX))
}

/// Whether the text consists of digits with an optional sign, point and exponent. Rust also parses `inf` and `nan`,
/// which this excludes.
fn is_plain_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
}

/// Replaces the comma of `10,5` with a point. `42,195` may mean 42.195 or 42195, so it gives `None`.
fn decimal_comma(text: &str) -> Option<String> {
    let (before, after) = text.split_once(',')?;
    let digits = before.trim_start_matches(['+', '-']);
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(digits) || !are_digits(after) {
        return None;
    }
    let may_be_thousands = after.len() == 3 && digits.len() <= 3 && !digits.starts_with('0');
    (!may_be_thousands).then(|| format!("{before}.{after}"))
}

fn refuse_comma(text: &str, path: &ArgumentPath<'_>) -> Result<(), ArgumentMismatch> {
    let is_number_with_comma = text.contains(',')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-., '".contains(&byte));
    if !is_number_with_comma {
        return Ok(());
    }
    Err(match text.split_once(',') {
        Some((before, after)) if !after.contains([',', '.']) && !before.contains('.') && after.len() == 3 => path
            .error(format!(
                "\"{before},{after}\" is ambiguous; write {before}.{after} or {before}{after}, without a comma"
            )),
        _ => path.error("write the number with a decimal point and without commas, such as 10.5"),
    })
}

fn boolean(value: &Value, path: &ArgumentPath<'_>) -> Result<Value, ArgumentMismatch> {
    match value {
        Value::Bool(_) => return Ok(value.clone()),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => return Ok(true.into()),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => return Ok(false.into()),
        _ => {}
    }
    Err(path.error("must be true or false"))
}

/// Numbers are accepted as text, because clients send chat ids in both forms.
fn string(value: Value, path: &ArgumentPath<'_>) -> Result<Value, ArgumentMismatch> {
    match value {
        Value::String(_) => Ok(value),
        Value::Number(number) => Ok(Value::String(number.to_string())),
        _ => Err(path.error("must be a string")),
    }
}

fn array(value: Value, schema: &Value, path: &ArgumentPath<'_>) -> Result<Value, ArgumentMismatch> {
    let item_schema = schema.get("items");
    let item_type = item_schema
        .and_then(|items| items.get("type"))
        .and_then(Value::as_str);
    let value = match value {
        // A list of strings is often sent as `a, b`.
        Value::String(text) if item_type == Some("string") && !text.trim_start().starts_with('[') => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(Value::from).collect()
        }
        other => json_in_string(other, path, "a list", '[')?,
    };
    let Value::Array(items) = value else {
        return Err(path.error("must be a list, such as [1, 2]"));
    };
    let Some(item_schema) = item_schema else {
        return Ok(Value::Array(items));
    };
    let items = items.into_iter().enumerate();
    items
        .map(|(index, item)| coerce_value(item, item_schema, &ArgumentPath::Item(path, index)))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

/// Parses a string that contains JSON starting with `open`. Other values pass unchanged.
fn json_in_string(
    value: Value,
    path: &ArgumentPath<'_>,
    wanted: &str,
    open: char,
) -> Result<Value, ArgumentMismatch> {
    let Value::String(text) = value else {
        return Ok(value);
    };
    if !text.trim_start().starts_with(open) {
        return Err(path.error(format!("must be {wanted}, not a string")));
    }
    serde_json::from_str(&text).map_err(|error| {
        path.error(format!(
            "is a string that holds malformed JSON (line {}, column {}); send {wanted} instead",
            error.line(),
            error.column()
        ))
    })
}

#[cfg(test)]
mod tests;
