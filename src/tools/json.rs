//! Rounding with the same results as in Python, and the check for empty documents.
//!
//! Garmin computes in single precision and writes the result as a double: 2.789 m/s is sent as 2.7890000343322754. Such
//! a number is shortened to its single-precision digits.

use serde_json::{Number, Value};

/// Rounds to this number of decimals. A tie (2.25 to one decimal) rounds to even, as in Python.
pub(super) fn rounded(number: f64, digits: usize) -> Value {
    // Formatting rounds the exact binary value. Multiplying first would create false ties.
    let text = format!("{number:.digits$}");
    // Adding zero makes a negative zero positive.
    text.parse::<f64>()
        .ok()
        .and_then(|rounded| Number::from_f64(rounded + 0.0))
        .map_or(Value::Null, Value::Number)
}

/// Whether a document has no content: `null`, or an empty object, list or text.
pub(super) fn is_empty(document: &Value) -> bool {
    match document {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The single-precision number that a number with false digits stands for; `None` for any other number.
fn single_precision(number: &Number) -> Option<Number> {
    /// Only a number written with at least this many characters can have false digits.
    const LONG: usize = 12;
    let text = number.to_string();
    if number.is_i64() || number.is_u64() || text.len() < LONG {
        return None;
    }
    let single: f32 = text.parse().ok()?;
    if number.as_f64() != Some(f64::from(single)) {
        return None;
    }
    single.to_string().parse().ok().and_then(Number::from_f64)
}

/// Whether a document has numbers with more digits than their precision.
pub(super) fn has_false_digits(document: &Value) -> bool {
    match document {
        Value::Number(number) => single_precision(number).is_some(),
        Value::Array(items) => items.iter().any(has_false_digits),
        Value::Object(members) => members.values().any(has_false_digits),
        _ => false,
    }
}

/// The document with its single-precision numbers shortened to their own digits.
pub(super) fn in_their_precision(document: Value) -> Value {
    match document {
        Value::Number(number) => Value::Number(single_precision(&number).unwrap_or(number)),
        Value::Array(items) => items.into_iter().map(in_their_precision).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, in_their_precision(value)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ties_go_to_the_even_neighbour() {
        let check =
            |number, digits, expected: f64| assert_eq!(rounded(number, digits), json!(expected), "{number}");
        check(2.25, 1, 2.2);
        check(2.75, 1, 2.8);
        check(0.125, 2, 0.12);
        check(0.375, 2, 0.38);
        // These are not ties: the double is slightly below or above its decimal notation.
        check(2.35, 1, 2.4);
        check(2.675, 2, 2.67);
        check(1260.0 / 60.0, 1, 21.0);
        check(-0.25, 1, -0.2);
    }
    #[test]
    fn numbers_have_the_digits_of_their_precision() {
        let sent = json!({"laps": [{"averageSpeed": 2.789_000_034_332_275_4, "distance": 10_023.459_960_937_5, "bpm": 150.0}]});
        assert!(has_false_digits(&sent));
        let told = in_their_precision(sent);
        assert_eq!(
            told.to_string(),
            r#"{"laps":[{"averageSpeed":2.789,"distance":10023.46,"bpm":150.0}]}"#
        );
        for whole in [
            json!(22.129_206_123_816_29),
            json!(1_768_000_000_000_i64),
            json!(0.5),
        ] {
            assert!(!has_false_digits(&whole));
        }
    }
}
