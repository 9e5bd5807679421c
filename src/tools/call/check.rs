//! Validates the arguments of a call against the parameters of its tool.

use jiff::Zoned;
use jiff::civil::Date;
use serde_json::{Map, Number, Value, json};

use super::mistakes::{form, shown, unknown_arguments, unknown_members};
use super::{ArgumentValue, ToolCall};
use crate::mcp::arguments::coerce;
use crate::tools::days::{Edge, day, no_such_day};
use crate::tools::parameter::{AGAIN, CURSOR, DRY_RUN, DefaultValue, Parameter, ParameterKind};

/// Arguments that a tool rejects, with one line for each mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(in crate::tools) struct InvalidArguments(pub(in crate::tools) Vec<String>);

impl ToolCall {
    /// Validates the client's arguments against the parameters of a tool. Unknown arguments are refused, because the
    /// answer would not be the one that was asked for. `null` counts as absent.
    pub(in crate::tools) fn check(
        parameters: &[Parameter],
        given: &Map<String, Value>,
        now: &Zoned,
    ) -> Result<Self, InvalidArguments> {
        let today = now.date();
        let mut values = Vec::with_capacity(parameters.len());
        let mut mistakes = unknown_arguments(parameters, given);
        for parameter in parameters {
            let given = given.get(parameter.name).unwrap_or(&Value::Null);
            let understood = match parameter.kind {
                ParameterKind::Number { .. } | ParameterKind::List { .. } | ParameterKind::Object { .. } => {
                    lenient(parameter, given)
                }
                _ => Ok(given.clone()),
            };
            match understood.and_then(|given| value(parameter, parameter.name, &given, today)) {
                Ok(value) => values.push((parameter.name, value)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        end_of_period(&mut values, given, today);
        let mut switch = |name| match flag(given.get(name).unwrap_or(&Value::Null)) {
            Some(ArgumentValue::Flag(switch)) => switch,
            _ if given.get(name).is_none_or(Value::is_null) => false,
            _ => {
                mistakes.push(format!("{name} must be true or false"));
                false
            }
        };
        let (dry_run, again) = (switch(DRY_RUN), switch(AGAIN));
        let cursor = match given.get(CURSOR).filter(|cursor| !cursor.is_null()) {
            None => 0,
            Some(cursor) => whole(cursor)
                .and_then(|cursor| usize::try_from(cursor).ok())
                .unwrap_or_else(|| {
                    mistakes.push(format!(
                        "{CURSOR} must be the number that the previous answer gave, not {}",
                        shown(cursor)
                    ));
                    0
                }),
        };
        let call = Self {
            values,
            cursor,
            dry_run,
            again,
            today,
            now: now.clone(),
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
}

/// Sets the end of a range that is named by its start alone, such as `last week`.
fn end_of_period(values: &mut [(&'static str, ArgumentValue)], given: &Map<String, Value>, today: Date) {
    let edge = |edge| day(given.get("start_date")?.as_str()?, edge, &|| today);
    let (Some(first), Some(last)) = (edge(Edge::First), edge(Edge::Last)) else {
        return;
    };
    let end = values.iter_mut().find(|(name, _)| *name == "end_date");
    if let Some((_, end)) = end.filter(|(_, end)| first != last && *end == ArgumentValue::Nothing) {
        *end = ArgumentValue::Day(last);
    }
}

/// Converts numbers, lists and objects that were sent as text, at every depth.
fn lenient(parameter: &Parameter, given: &Value) -> Result<Value, String> {
    let name = parameter.name;
    let schema = json!({"properties": {name: parameter.schema()}});
    let arguments = Map::from_iter([(name.to_owned(), given.clone())]);
    match coerce(arguments, &schema) {
        Ok(mut coerced) => Ok(coerced.remove(name).unwrap_or_default()),
        Err(mismatch) => Err(mismatch.to_string()),
    }
}

fn flag(given: &Value) -> Option<ArgumentValue> {
    match given {
        Value::Bool(flag) => Some(ArgumentValue::Flag(*flag)),
        Value::String(text) => text.trim().to_lowercase().parse().ok().map(ArgumentValue::Flag),
        _ => None,
    }
}

/// The value given for a parameter, or an error message. `name` is its path in the arguments, such as `week[0].date`.
fn value(parameter: &Parameter, name: &str, given: &Value, today: Date) -> Result<ArgumentValue, String> {
    let Parameter { kind, default, .. } = parameter;
    if given.is_null() {
        return match default {
            Some(DefaultValue::Nothing) => Ok(ArgumentValue::Nothing),
            Some(DefaultValue::Text(text)) => Ok(ArgumentValue::Text((*text).to_owned())),
            Some(DefaultValue::Whole(number)) => Ok(ArgumentValue::Whole(*number)),
            Some(DefaultValue::Number(number)) => {
                Ok(Number::from_f64(*number).map_or(ArgumentValue::Nothing, ArgumentValue::Number))
            }
            Some(DefaultValue::Flag(flag)) => Ok(ArgumentValue::Flag(*flag)),
            None => Err(format!("{name} is missing: give {}", form(*kind))),
        };
    }
    let understood = match (kind, given) {
        // Clients send "" to omit an optional day.
        (ParameterKind::Day { .. }, Value::String(text)) if text.trim().is_empty() && default.is_some() => {
            Some(ArgumentValue::Nothing)
        }
        (ParameterKind::Day { may_be_future }, Value::String(text)) => {
            match day(text, Edge::of(name), &|| today) {
                Some(day) if !may_be_future && day > today => {
                    return Err(format!(
                        "{name} ({day}) is in the future: today is {today}, and Garmin has data up to today"
                    ));
                }
                day => day.map(ArgumentValue::Day),
            }
        }
        (ParameterKind::LastDay { .. }, Value::String(text)) => {
            day(text, Edge::Last, &|| today).map(ArgumentValue::Day)
        }
        (ParameterKind::Text, Value::String(text)) if text.chars().count() > parameter.longest => {
            return Err(format!(
                "{name} is {} characters long: give at most {}",
                text.chars().count(),
                parameter.longest
            ));
        }
        (ParameterKind::Text, Value::String(text)) => Some(ArgumentValue::Text(text.clone())),
        (ParameterKind::Text, Value::Number(number)) => Some(ArgumentValue::Text(number.to_string())),
        (ParameterKind::OneOf(words), Value::String(text)) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(text.trim()))
            .map(|word| ArgumentValue::Text((*word).to_owned())),
        (ParameterKind::Flag, _) => flag(given),
        (ParameterKind::Number { least, most }, Value::Number(number)) => number
            .as_f64()
            .filter(|number| (*least..=*most).contains(number))
            .map(|_| ArgumentValue::Number(number.clone())),
        (ParameterKind::Integer { least, most }, _) => whole(given)
            .filter(|number| (*least..=*most).contains(number))
            .map(ArgumentValue::Whole),
        (ParameterKind::List { item, most }, Value::Array(items)) => {
            if items.len() > *most {
                return Err(format!(
                    "{name} has {} items: give at most {most} at a time",
                    items.len()
                ));
            }
            let items = items.iter().enumerate();
            let items = items.map(|(index, given)| value(item, &format!("{name}[{index}]"), given, today));
            Some(ArgumentValue::List(items.collect::<Result<_, _>>()?))
        }
        (ParameterKind::Object { members, is_document }, Value::Object(given)) => {
            if let Some(mistake) = unknown_members(members, name, given).filter(|_| !is_document) {
                return Err(mistake);
            }
            Some(object(members, name, given, today)?)
        }
        (ParameterKind::Id, _) => whole(given).filter(|id| *id > 0).map(ArgumentValue::Whole),
        _ => None,
    };
    understood.ok_or_else(|| wrong_value(parameter, name, given))
}

/// The error message for a value that the parameter does not take.
fn wrong_value(parameter: &Parameter, name: &str, given: &Value) -> String {
    let is_day = matches!(
        parameter.kind,
        ParameterKind::Day { .. } | ParameterKind::LastDay { .. }
    );
    if let Some(why) = given.as_str().filter(|_| is_day).and_then(no_such_day) {
        return format!("{name}: {why}");
    }
    let is_below = match parameter.kind {
        ParameterKind::Integer { least, .. } => whole(given).is_some_and(|number| number < least),
        _ => false,
    };
    let advice = match parameter.advice {
        advice if is_below && !advice.is_empty() => format!("; {advice}"),
        _ => String::new(),
    };
    format!(
        "{name} must be {}, not {}{advice}",
        form(parameter.kind),
        shown(given)
    )
}

/// The members of an object in the order of the parameter, then those that the parameter does not describe.
fn object(
    members: &[Parameter],
    name: &str,
    given: &Map<String, Value>,
    today: Date,
) -> Result<ArgumentValue, String> {
    let known = members.iter().map(|member| {
        let given = given.get(member.name).unwrap_or(&Value::Null);
        let path = format!("{name}.{}", member.name);
        Ok((member.name.to_owned(), value(member, &path, given, today)?))
    });
    let mut values: Vec<(String, ArgumentValue)> = known.collect::<Result<_, String>>()?;
    let others = given
        .iter()
        .filter(|(key, _)| members.iter().all(|member| member.name != key.as_str()));
    values.extend(others.map(|(key, value)| (key.clone(), ArgumentValue::Other(value.clone()))));
    Ok(ArgumentValue::Object(values))
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
