//! Rounding with the same results as in Python, and the check for empty documents.

use serde_json::{Number, Value};

/// Rounds to this number of decimals. A tie (2.25 to one decimal) rounds to even, as in Python.
pub(super) fn rounded(number: f64, digits: usize) -> Value {
    // Formatting rounds the exact binary value. Multiplying first would create false ties.
    let text = format!("{number:.digits$}");
    text.parse()
        .ok()
        .and_then(Number::from_f64)
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
}
