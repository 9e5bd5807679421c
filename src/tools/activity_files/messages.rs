//! `get_activity_fit_messages`: the messages of a FIT file, page by page.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::garmin::files::fit::{self, FitField, FitMessage, profile};
use crate::garmin::files::unpack;
use crate::tools::call::ToolCall;
use crate::tools::json::rounded;
use crate::tools::recordings::power::index;
use crate::tools::table::AnswerError;

/// Arrays, such as the beats of a `hrv` message, are cut to this length.
const MOST_VALUES: usize = 64;

pub(super) fn read(call: &ToolCall, bytes: &[u8]) -> Result<Value, AnswerError> {
    let file = unpack(bytes)?;
    if !fit::is_fit(&file) {
        return Err(AnswerError::Argument(
            "this activity has no FIT file: it was entered by hand or imported from another format"
                .to_owned(),
        ));
    }
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    let mut is_cut = false;
    for message in fit::messages(&file) {
        match message {
            Ok(message) => *counts.entry(message.number).or_default() += 1,
            Err(_) => is_cut = true,
        }
    }
    let wanted = call.text("message").trim().to_lowercase();
    if wanted.is_empty() {
        let kinds: Map<String, Value> = counts
            .iter()
            .map(|(number, count)| (name(*number), json!(count)))
            .collect();
        return Ok(
            json!({"activity_id": call.whole("activity_id"), "messages": kinds, "is_cut": is_cut.then_some(true)}),
        );
    }
    let Some(count) = counts.iter().find(|(number, _)| name(**number) == wanted) else {
        let known: Vec<String> = counts.keys().map(|number| name(*number)).collect();
        return Err(AnswerError::Argument(format!(
            "message {wanted} is not in this file; it has {}",
            known.join(", ")
        )));
    };
    let (start, limit) = (
        index(call.whole("start") as f64),
        index(call.whole("limit") as f64),
    );
    let page = fit::messages(&file)
        .map_while(Result::ok)
        .filter(|message| message.number == *count.0)
        .skip(start)
        .take(limit);
    let told: Vec<Value> = page.map(|message| Value::Object(told(&message))).collect();
    let next = start + told.len();
    Ok(json!({
        "activity_id": call.whole("activity_id"),
        "message": wanted,
        "count": count.1,
        "start": start,
        "next_start": (next < *count.1).then_some(next),
        "items": told,
    }))
}

/// Kinds that the public profile does not describe are named by their number.
fn name(number: u16) -> String {
    profile::message_name(number).map_or_else(|| format!("message_{number}"), str::to_owned)
}

fn told(message: &FitMessage<'_>) -> Map<String, Value> {
    let mut told = Map::new();
    for field in message.fields() {
        let Some(value) = value(message.number, field) else {
            continue;
        };
        let known = profile::field(message.number, field.number);
        let key = known.map_or_else(
            || format!("field_{}", field.number),
            |known| match known.unit {
                "bpm" | "w" | "m" | "s" | "mps" | "rpm" | "deg" | "pct" | "c" | "kcal" | "ms" | "mm" => {
                    format!("{}_{}", known.name, known.unit)
                }
                "semicircles" => format!("{}_deg", known.name),
                _ => known.name.to_owned(),
            },
        );
        told.insert(key, value);
    }
    told
}

/// A field's value in its unit: times as UTC, positions in degrees, names for enumerations. `None` if it is invalid.
pub(super) fn value(message: u16, field: FitField<'_>) -> Option<Value> {
    if let Some(text) = field.text() {
        return Some(json!(text));
    }
    let Some(known) = profile::field(message, field.number) else {
        return numbers(field, |raw| rounded_short(raw, 3));
    };
    match known.unit {
        "time" => {
            let at = jiff::Timestamp::from_second(i64::try_from(index(field.time_s()?)).ok()?).ok()?;
            Some(json!(at.to_string()))
        }
        "semicircles" => Some(rounded(field.number()? * 180.0 / 2_147_483_648.0, 6)),
        unit => numbers(field, |raw| {
            let named = profile::value_name(unit, raw);
            named.map_or_else(
                || rounded_short(raw / known.scale - known.offset, 3),
                |name| json!(name),
            )
        }),
    }
}

/// The value of a field, or the list of its values.
fn numbers(field: FitField<'_>, told: impl Fn(f64) -> Value) -> Option<Value> {
    let values: Vec<Option<f64>> = field.numbers().take(MOST_VALUES).collect();
    match values.as_slice() {
        [] => None,
        [one] => one.map(told),
        many if many.iter().all(Option::is_none) => None,
        many => Some(
            many.iter()
                .map(|value| value.map_or(Value::Null, &told))
                .collect(),
        ),
    }
}

/// Rounds to this number of decimals; a whole number stays whole.
fn rounded_short(value: f64, digits: usize) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return format!("{value:.0}")
            .parse::<i64>()
            .map_or(Value::Null, |whole| json!(whole));
    }
    rounded(value, digits)
}
