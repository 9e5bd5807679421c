//! One tool call: its validated arguments, and the requests built from them.

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::days::{DAY_FORM, Edge, day};
use super::garmin_get::{GarminGet, fill};
use super::parameter::{CURSOR, DefaultValue, Parameter, ParameterKind};

/// The arguments of one call, validated against the tool's parameters, with defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ToolCall {
    values: Vec<(&'static str, ArgumentValue)>,
    /// The index of the record at which a long answer continues.
    pub(super) cursor: usize,
    /// The current day in the person's time zone.
    pub(super) today: Date,
}

#[derive(Debug, Clone, PartialEq)]
enum ArgumentValue {
    Nothing,
    Day(Date),
    Text(String),
    Whole(i64),
    Flag(bool),
}

/// Arguments that a tool rejects, with one line for each mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(super) struct InvalidArguments(pub(super) Vec<String>);

impl ToolCall {
    /// Validates the client's arguments against the parameters of a tool. Unknown arguments are ignored, and `null`
    /// counts as absent.
    pub(super) fn check(
        parameters: &[Parameter],
        given: &Map<String, Value>,
        today: impl Fn() -> Date,
    ) -> Result<Self, InvalidArguments> {
        let mut values = Vec::with_capacity(parameters.len());
        let mut mistakes = Vec::new();
        for parameter in parameters {
            match value(
                parameter,
                given.get(parameter.name).unwrap_or(&Value::Null),
                &today,
            ) {
                Ok(value) => values.push((parameter.name, value)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        let cursor = match given.get(CURSOR).filter(|cursor| !cursor.is_null()) {
            None => 0,
            Some(cursor) => whole(cursor)
                .and_then(|cursor| usize::try_from(cursor).ok())
                .unwrap_or_else(|| {
                    mistakes.push(format!(
                        "{CURSOR} must be the number that the answer before gave, not {}",
                        shown(cursor)
                    ));
                    0
                }),
        };
        let call = Self {
            values,
            cursor,
            today: today(),
        };
        if mistakes.is_empty() {
            mistakes.extend(call.wrong_range(parameters));
        }
        if mistakes.is_empty() {
            Ok(call)
        } else {
            Err(InvalidArguments(mistakes))
        }
    }

    /// The error message for an invalid range of days: the end is before the start, or too far from it.
    fn wrong_range(&self, parameters: &[Parameter]) -> Option<String> {
        let (start, end) = (self.day("start_date")?, self.day("end_date")?);
        if start > end {
            return Some(format!(
                "start_date ({start}) is after end_date ({end}): give the earlier day first"
            ));
        }
        let within = parameters.iter().find_map(|parameter| match parameter.kind {
            ParameterKind::LastDay { within } => Some(within),
            _ => None,
        })?;
        (i64::from((end - start).get_days()) >= within).then(|| {
            format!(
                "start_date to end_date may be at most {within} days: ask for a part of the range at a time"
            )
        })
    }

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

/// The value given for a parameter, or an error message.
fn value(parameter: &Parameter, given: &Value, today: &impl Fn() -> Date) -> Result<ArgumentValue, String> {
    let Parameter {
        name, kind, default, ..
    } = parameter;
    if given.is_null() {
        return match default {
            Some(DefaultValue::Nothing) => Ok(ArgumentValue::Nothing),
            Some(DefaultValue::Text(text)) => Ok(ArgumentValue::Text((*text).to_owned())),
            Some(DefaultValue::Whole(number)) => Ok(ArgumentValue::Whole(*number)),
            Some(DefaultValue::Flag(flag)) => Ok(ArgumentValue::Flag(*flag)),
            None => Err(format!("{name} is missing: give {}", form(*kind))),
        };
    }
    let understood = match (kind, given) {
        // Clients send "" to omit an optional day.
        (ParameterKind::Day { .. }, Value::String(text)) if text.trim().is_empty() && default.is_some() => {
            Some(ArgumentValue::Nothing)
        }
        (ParameterKind::Day { may_be_future }, Value::String(text)) => match day(text, Edge::of(name), today)
        {
            // The person's time zone may be one day ahead of this machine.
            Some(day) if !may_be_future && Some(day) > today().tomorrow().ok() => {
                return Err(format!(
                    "{name} ({day}) is in the future: today is {}, and Garmin has data up to today",
                    today()
                ));
            }
            day => day.map(ArgumentValue::Day),
        },
        (ParameterKind::LastDay { .. }, Value::String(text)) => {
            day(text, Edge::Last, today).map(ArgumentValue::Day)
        }
        (ParameterKind::Text, Value::String(text)) => Some(ArgumentValue::Text(text.clone())),
        (ParameterKind::Text, Value::Number(number)) => Some(ArgumentValue::Text(number.to_string())),
        (
            ParameterKind::Whole {
                least,
                most,
                refuse_less,
            },
            _,
        ) => whole(given)
            .filter(|number| number >= least || !refuse_less)
            .map(|number| ArgumentValue::Whole(number.clamp(*least, *most))),
        (ParameterKind::OneOf(words), Value::String(text)) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(text.trim()))
            .map(|word| ArgumentValue::Text((*word).to_owned())),
        (ParameterKind::Flag, Value::Bool(flag)) => Some(ArgumentValue::Flag(*flag)),
        (ParameterKind::Flag, Value::String(text)) => {
            text.trim().to_lowercase().parse().ok().map(ArgumentValue::Flag)
        }
        (ParameterKind::Id, _) => whole(given).filter(|id| *id > 0).map(ArgumentValue::Whole),
        _ => None,
    };
    understood.ok_or_else(|| format!("{name} must be {}, not {}", form(*kind), shown(given)))
}

/// An integer; also accepts text ("3") and a zero fraction (3.0).
fn whole(given: &Value) -> Option<i64> {
    match given {
        Value::Number(number) => number.as_i64().or_else(|| {
            // Doubles beyond 2^53 are not exact.
            number
                .as_f64()
                .filter(|n| n.fract() == 0.0 && n.abs() < 9e15)
                .and_then(|n| format!("{n:.0}").parse().ok())
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Describes the accepted values of a parameter, for an error message.
fn form(kind: ParameterKind) -> String {
    match kind {
        ParameterKind::Day { .. } | ParameterKind::LastDay { .. } => DAY_FORM.to_owned(),
        ParameterKind::Text => "a text".to_owned(),
        ParameterKind::Flag => "true or false".to_owned(),
        ParameterKind::OneOf(words) => words.join(" or "),
        ParameterKind::Whole {
            least,
            refuse_less: true,
            ..
        } => format!("a whole number, {least} or more"),
        ParameterKind::Whole { .. } => "a whole number".to_owned(),
        ParameterKind::Id => "the number that Garmin gave it, for example 20000000001".to_owned(),
    }
}

/// The given value, shortened so that an error message can quote it.
fn shown(given: &Value) -> String {
    const LONGEST: usize = 40;
    let text = given.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests;
