//! Validates the arguments of a call against the parameters of its tool.

use jiff::Zoned;
use jiff::civil::Date;
use serde_json::{Map, Number, Value, json};

use super::{ArgumentValue, ToolCall};
use crate::mcp::arguments::coerce;
use crate::tools::days::{DAY_FORM, Edge, day};
use crate::tools::parameter::{AGAIN, CURSOR, DRY_RUN, DefaultValue, Parameter, ParameterKind};

/// Arguments that a tool rejects, with one line for each mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(in crate::tools) struct InvalidArguments(pub(in crate::tools) Vec<String>);

impl ToolCall {
    /// Validates the client's arguments against the parameters of a tool. Unknown arguments are ignored, and `null`
    /// counts as absent.
    pub(in crate::tools) fn check(
        parameters: &[Parameter],
        given: &Map<String, Value>,
        now: &Zoned,
    ) -> Result<Self, InvalidArguments> {
        let today = now.date();
        let mut values = Vec::with_capacity(parameters.len());
        let mut mistakes = Vec::new();
        for parameter in parameters {
            let given = given.get(parameter.name).unwrap_or(&Value::Null);
            let understood = match parameter.kind {
                ParameterKind::Number { .. }
                | ParameterKind::Integer { .. }
                | ParameterKind::List { .. }
                | ParameterKind::Object(_) => lenient(parameter, given),
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
        (ParameterKind::Object(members), Value::Object(given)) => Some(object(members, name, given, today)?),
        (ParameterKind::Id, _) => whole(given).filter(|id| *id > 0).map(ArgumentValue::Whole),
        _ => None,
    };
    understood.ok_or_else(|| format!("{name} must be {}, not {}", form(*kind), shown(given)))
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
        ParameterKind::Number { least, most } => format!("a number from {least} to {most}"),
        ParameterKind::Integer { least, most } => format!("a whole number from {least} to {most}"),
        ParameterKind::List { .. } => "a list, such as [1, 2]".to_owned(),
        ParameterKind::Object(members) => {
            let names: Vec<&str> = members.iter().map(|member| member.name).collect();
            format!("an object with {}", names.join(", "))
        }
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
