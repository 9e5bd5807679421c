//! One tool call: its validated arguments, and the requests built from them.

mod check;
mod mistakes;

use jiff::Zoned;
use jiff::civil::Date;
use serde_json::{Number, Value, json};

use super::garmin_get::{GarminGet, fill};

/// The arguments of one call, validated against the tool's parameters, with defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ToolCall {
    values: Vec<(&'static str, ArgumentValue)>,
    /// The index of the record at which a long answer continues.
    pub(super) cursor: usize,
    /// Whether to show only what a change would do.
    pub(super) dry_run: bool,
    /// Whether to make a change even if the same one was made a moment ago.
    pub(super) again: bool,
    /// The current day in the person's time zone.
    pub(super) today: Date,
    /// The current time in the person's time zone.
    pub(super) now: Zoned,
}

#[derive(Debug, Clone, PartialEq)]
enum ArgumentValue {
    Nothing,
    Day(Date),
    Text(String),
    Whole(i64),
    Number(Number),
    Flag(bool),
    List(Vec<ArgumentValue>),
    Object(Vec<(String, ArgumentValue)>),
    /// A member of an object that the parameter does not describe.
    Other(Value),
}

impl ArgumentValue {
    fn json(&self) -> Value {
        match self {
            ArgumentValue::Nothing => Value::Null,
            ArgumentValue::Day(day) => json!(day.to_string()),
            ArgumentValue::Text(text) => json!(text),
            ArgumentValue::Whole(number) => json!(number),
            ArgumentValue::Number(number) => json!(number),
            ArgumentValue::Flag(flag) => json!(flag),
            ArgumentValue::List(items) => items.iter().map(ArgumentValue::json).collect(),
            ArgumentValue::Object(members) => {
                let given = members
                    .iter()
                    .filter(|(_, value)| *value != ArgumentValue::Nothing);
                given.map(|(name, value)| (name.clone(), value.json())).collect()
            }
            ArgumentValue::Other(value) => value.clone(),
        }
    }
}

impl ToolCall {
    fn given(&self, name: &str) -> &ArgumentValue {
        self.values
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(&ArgumentValue::Nothing, |(_, given)| given)
    }

    /// The day given for this parameter; `None` when it was omitted.
    pub(super) fn day(&self, name: &str) -> Option<Date> {
        match self.given(name) {
            ArgumentValue::Day(day) => Some(*day),
            _ => None,
        }
    }

    /// The same call for another activity.
    pub(super) fn for_activity(&self, id: i64) -> Self {
        let mut call = self.clone();
        for (name, value) in &mut call.values {
            if *name == "activity_id" {
                *value = ArgumentValue::Whole(id);
            }
        }
        call
    }

    /// The number given for this parameter; 0 for a parameter of another type.
    pub(super) fn whole(&self, name: &str) -> i64 {
        match self.given(name) {
            ArgumentValue::Whole(number) => *number,
            _ => 0,
        }
    }

    /// The number given for this parameter; `None` when it was omitted.
    pub(super) fn number(&self, name: &str) -> Option<Number> {
        match self.given(name) {
            ArgumentValue::Number(number) => Some(number.clone()),
            _ => None,
        }
    }

    /// The argument as JSON, with the defaults of its members; `null` when it was omitted.
    pub(super) fn json(&self, name: &str) -> Value {
        self.given(name).json()
    }

    /// All arguments that were given or have a default.
    pub(super) fn given_arguments(&self) -> Value {
        let given = self
            .values
            .iter()
            .filter(|(_, value)| *value != ArgumentValue::Nothing);
        given
            .map(|(name, value)| ((*name).to_owned(), value.json()))
            .collect()
    }

    /// A text that is equal for two calls with the same arguments, however they were written.
    pub(super) fn fingerprint(&self) -> String {
        format!("{:?}", self.values)
    }

    /// Whether this flag was given as true, or is true by default.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.given(name), ArgumentValue::Flag(true))
    }

    /// One optional request for each day of the range, which replaces `{day}` in the template.
    pub(super) fn each_day(&self, template: &str) -> Vec<GarminGet> {
        let (Some(first), Some(last)) = (self.day("start_date"), self.day("end_date")) else {
            return Vec::new();
        };
        let days = first
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= last);
        days.map(|day| GarminGet::of(template, |_| day.to_string()).optional())
            .collect()
    }

    /// The argument as text; empty when it was omitted.
    pub(super) fn text(&self, name: &str) -> String {
        match self.given(name) {
            ArgumentValue::Nothing => String::new(),
            ArgumentValue::Day(day) => day.to_string(),
            ArgumentValue::Text(text) => text.clone(),
            ArgumentValue::Whole(number) => number.to_string(),
            ArgumentValue::Flag(flag) => flag.to_string(),
            other => other.json().to_string(),
        }
    }

    /// Replaces each `{parameter}` in a text of the table with its argument.
    pub(super) fn fill(&self, template: &str) -> String {
        fill(template, |name| self.text(name))
    }

    /// Replaces each `{parameter}` in a request of the table with its argument.
    pub(super) fn get(&self, template: &str) -> GarminGet {
        GarminGet::of(template, |name| self.text(name))
    }
}

#[cfg(test)]
mod tests;
