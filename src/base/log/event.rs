//! One log event, and its text and JSON forms.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

/// The fields of an event or a span, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(super) struct EventFields(Map<String, Value>);

impl EventFields {
    /// Adds the fields that are not present yet, so that an inner span takes precedence over an outer one.
    pub(super) fn add_missing(&mut self, outer: &Self) {
        for (name, value) in &outer.0 {
            self.0.entry(name).or_insert_with(|| value.clone());
        }
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogEvent {
    pub at: Timestamp,
    /// `error`, `warn`, `info` or `debug`.
    pub level: &'static str,
    /// The name of the event, for example `worker.ready`.
    pub event: String,
    /// Its fields, for example `account.id`, including those of its spans.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl LogEvent {
    pub(super) fn new(at: Timestamp, level: Level, EventFields(mut fields): EventFields) -> Self {
        let level = match level {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        };
        let event = match fields.shift_remove("message") {
            Some(Value::String(name)) => name,
            other => other.map(|v| v.to_string()).unwrap_or_default(),
        };
        Self {
            at,
            level,
            event,
            fields,
        }
    }

    /// The event as one JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The event as one line for people: time of day, level unless it is info, name, fields.
    pub fn to_line(&self) -> String {
        let mut line = self.at.strftime("%H:%M:%S ").to_string();
        if self.level != "info" {
            line.push_str(self.level);
            line.push(' ');
        }
        line.push_str(&self.event);
        for (name, value) in &self.fields {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            line.extend([" ", name, "=", &text]);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_line_and_a_json_form() {
        let mut fields = Map::new();
        fields.insert("message".into(), "worker.ready".into());
        fields.insert("account.id".into(), "acc_x".into());
        fields.insert("ms".into(), 41.into());
        let event = LogEvent::new(Timestamp::UNIX_EPOCH, Level::WARN, EventFields(fields));
        assert_eq!(
            event.to_line(),
            "00:00:00 warn worker.ready account.id=acc_x ms=41"
        );
        assert_eq!(
            event.to_json(),
            r#"{"at":"1970-01-01T00:00:00Z","level":"warn","event":"worker.ready","account.id":"acc_x","ms":41}"#
        );
    }
}
