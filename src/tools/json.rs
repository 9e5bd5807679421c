//! JSON in the form of Python's `json.dumps`: indented by two, keys in insertion order, ASCII only, and numbers rounded
//! as Python rounds them.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use serde_json::{Number, Value};

/// What Python's `json.dumps(value, indent=2)` writes.
pub(super) fn dump(value: &Value) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer = Serializer::with_formatter(&mut bytes, Ascii(PrettyFormatter::with_indent(b"  ")));
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        // A `Value` always serializes into memory.
        Err(_) => String::new(),
    }
}

/// Pretty JSON in which every character beyond printable ASCII is `\uXXXX`.
struct Ascii(PrettyFormatter<'static>);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain_from = 0;
        for (at, character) in fragment.char_indices() {
            if matches!(character, ' '..='~') {
                continue;
            }
            writer.write_all(fragment.get(plain_from..at).unwrap_or_default().as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain_from = at + character.len_utf8();
        }
        writer.write_all(fragment.get(plain_from..).unwrap_or_default().as_bytes())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

/// Rounds to this many decimals. A tie (2.25 to one decimal) goes to the even neighbour, as in Python.
pub(super) fn rounded(number: f64, digits: usize) -> Value {
    // Formatting rounds the exact binary value; multiplying first would create ties that are none.
    let text = format!("{number:.digits$}");
    text.parse()
        .ok()
        .and_then(Number::from_f64)
        .map_or(Value::Null, Value::Number)
}

/// Whether a document holds nothing: `null`, or an empty object, list or text.
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
    fn text_is_indented_ascii_in_insertion_order() {
        let value = json!({"zone": "M\u{fc}nchen \u{1f3c3}\u{7f}", "a": [1, 2.0, null], "none": [], "empty": {}, "q": "a\"\n\u{1}"});
        assert_eq!(
            dump(&value),
            "{\n  \"zone\": \"M\\u00fcnchen \\ud83c\\udfc3\\u007f\",\n  \"a\": [\n    1,\n    2.0,\n    null\n  ],\n  \
             \"none\": [],\n  \"empty\": {},\n  \"q\": \"a\\\"\\n\\u0001\"\n}"
        );
    }

    #[test]
    fn numbers_pass_digit_for_digit() {
        for number in [
            "95.57142857142857",
            "15.046451999999999",
            "7.2125340599455035",
            "0.1",
            "350.0",
            "20000000001",
        ] {
            let read: Value = serde_json::from_str(number).unwrap();
            assert_eq!(dump(&read), number);
        }
    }

    #[test]
    fn ties_go_to_the_even_neighbour() {
        let check =
            |number, digits, expected: f64| assert_eq!(rounded(number, digits), json!(expected), "{number}");
        check(2.25, 1, 2.2);
        check(2.75, 1, 2.8);
        check(0.125, 2, 0.12);
        check(0.375, 2, 0.38);
        // Not ties: the double is a little below or above what is written.
        check(2.35, 1, 2.4);
        check(2.675, 2, 2.67);
        check(1260.0 / 60.0, 1, 21.0);
        check(-0.25, 1, -0.2);
    }
}
