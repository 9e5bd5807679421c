//! Takes known members out of a JSON object. Unknown members and implausible values stay in it.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// Longer texts are left in place. Names of people and activities are shorter.
const MAX_TEXT_BYTES: usize = 200;

pub(super) struct JsonFields(pub(super) Map<String, Value>);

impl JsonFields {
    /// A number within `range`; a number written as text is accepted.
    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        self.take(name, |value| {
            let number = match value {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            // NaN and infinities are in no range.
            number.filter(|n| range.contains(n))
        })
    }

    /// A whole number within `range`, rounded.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is one of u32"
    )]
    pub(super) fn whole(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let range = f64::from(*range.start())..=f64::from(*range.end());
        self.number(name, range).map(|n| n.round() as u32)
    }

    /// A time in whole milliseconds, from ISO 8601 (UTC without a zone) or milliseconds since the epoch.
    pub(super) fn moment(&mut self, name: &str) -> Option<Timestamp> {
        self.take(name, |value| match value {
            Value::String(text) => moment(text),
            Value::Number(number) => millis(number.as_i64()?),
            _ => None,
        })
    }

    /// A text member that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, |value| match value {
            Value::String(text) if !text.is_empty() && text.len() <= MAX_TEXT_BYTES => Some(text.clone()),
            _ => None,
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name, Value::as_bool)
    }

    /// A list of up to 16 texts; other items are left out.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let taken = self.take(name, |value| {
            let items = value.as_array()?;
            let texts = items.iter().filter_map(Value::as_str);
            Some(
                texts
                    .filter(|text| text.len() <= MAX_TEXT_BYTES)
                    .take(16)
                    .map(str::to_owned)
                    .collect(),
            )
        });
        taken.unwrap_or_default()
    }

    pub(super) fn object(&mut self, name: &str) -> Option<JsonFields> {
        self.take(name, |value| value.as_object().cloned().map(JsonFields))
    }

    /// Takes a member if `read` accepts it. An explicit null counts as absent.
    fn take<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.0.get(name)?;
        let read = read(value);
        if read.is_some() || value.is_null() {
            self.0.remove(name);
        }
        read
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let exact = text
        .parse::<Timestamp>()
        .or_else(|_| {
            text.parse::<DateTime>()
                .and_then(|local| Ok(local.to_zoned(TimeZone::UTC)?.timestamp()))
        })
        .ok()?;
    millis(exact.as_millisecond())
}

/// Between 1990 and 2100, which allows for a watch with a wrong clock and keeps arithmetic in range.
fn millis(millis: i64) -> Option<Timestamp> {
    (631_152_000_000..4_102_444_800_000)
        .contains(&millis)
        .then(|| Timestamp::from_millisecond(millis).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> JsonFields {
        JsonFields(value.as_object().unwrap().clone())
    }

    #[test]
    fn only_understood_members_are_taken() {
        let object = json!({"a": "12.5", "b": 9999, "c": null, "d": [1], "e": true, "f": "x"});
        let mut fields = fields(&object);
        assert_eq!(fields.number("a", 0.0..=20.0), Some(12.5));
        assert_eq!(fields.number("b", 0.0..=20.0), None);
        assert_eq!(fields.number("c", 0.0..=20.0), None);
        assert_eq!(fields.number("d", 0.0..=20.0), None);
        assert_eq!(fields.flag("e"), Some(true));
        assert_eq!(fields.text("f"), Some("x".into()));
        assert_eq!(Value::Object(fields.0), json!({"b": 9999, "d": [1]}));
    }

    #[test]
    fn times_are_read_in_every_format() {
        for (value, expected) in [
            (json!("2026-10-04T08:01:10.000Z"), Some("2026-10-04T08:01:10Z")),
            (
                json!("2026-10-04T10:01:10.1239+02:00"),
                Some("2026-10-04T08:01:10.123Z"),
            ),
            (json!("2026-10-04T08:01:10"), Some("2026-10-04T08:01:10Z")),
            (json!(1_791_100_870_000_i64), Some("2026-10-04T08:01:10Z")),
            (json!("0001-01-01T00:00:00Z"), None),
            (json!(1e300), None),
            (json!("yesterday"), None),
        ] {
            let read = fields(&json!({ "at": value })).moment("at");
            assert_eq!(read.map(|at| at.to_string()).as_deref(), expected, "{value}");
        }
    }
}
