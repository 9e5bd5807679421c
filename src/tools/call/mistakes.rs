//! The error messages for arguments that a tool does not take.

use serde_json::{Map, Value};

use crate::tools::days::day_form;
use crate::tools::parameter::{AGAIN, CURSOR, DRY_RUN, Parameter, ParameterKind};

/// One line for each argument that is not a parameter of the tool. A tool without parameters ignores its arguments,
/// because some clients send a dummy argument to such a tool.
pub(super) fn unknown_arguments(parameters: &[Parameter], given: &Map<String, Value>) -> Vec<String> {
    if parameters.is_empty() {
        return Vec::new();
    }
    let unknown = unknown(parameters, given).filter(|name| ![CURSOR, DRY_RUN, AGAIN].contains(name));
    let line = |name: &str| {
        format!(
            "{} is not an argument of this tool; its arguments are {}{}",
            short(name),
            names(parameters),
            meant(name, parameters, given)
        )
    };
    unknown.map(line).collect()
}

/// One line for all members of an object that its parameter does not describe. `path` is that of the object.
pub(super) fn unknown_members(
    members: &[Parameter],
    path: &str,
    given: &Map<String, Value>,
) -> Option<String> {
    let lines = unknown(members, given).map(|name| {
        format!(
            "{path}.{} is not a member of this object; its members are {}{}",
            short(name),
            names(members),
            meant(name, members, given)
        )
    });
    Some(lines.collect::<Vec<_>>().join("\n")).filter(|lines| !lines.is_empty())
}

/// The given names that no parameter has. `null` counts as absent.
fn unknown<'g>(parameters: &[Parameter], given: &'g Map<String, Value>) -> impl Iterator<Item = &'g str> {
    let is_unknown = |name: &str| parameters.iter().all(|known| known.name != name);
    given
        .iter()
        .filter(move |(name, value)| !value.is_null() && is_unknown(name))
        .map(|(name, _)| name.as_str())
}

fn names(parameters: &[Parameter]) -> String {
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
    names.join(", ")
}

/// Asks whether a parameter was meant that was not given and has a similar name: one with a typing error, or one that
/// says more or less, as `distance` does for `distance_km`.
fn meant(name: &str, parameters: &[Parameter], given: &Map<String, Value>) -> String {
    let name = name.to_lowercase();
    let is_given = |known: &str| given.get(known).is_some_and(|value| !value.is_null());
    let free = || {
        let names = parameters.iter().map(|parameter| parameter.name);
        names.filter(|known| !is_given(known))
    };
    let misspelled = free()
        .map(|known| (strsim::damerau_levenshtein(known, &name), known))
        .min()
        .filter(|(slips, known)| slips * 3 <= known.len())
        .map(|(_, known)| known);
    let reworded = || {
        let related = free().filter_map(|known| Some((surplus(known, &name)?, known)));
        related
            .min_by_key(|(surplus, _)| *surplus)
            .map(|(_, known)| known)
    };
    let meant = misspelled.or_else(reworded);
    meant.map_or(String::new(), |known| format!(". Did you mean {known}?"))
}

/// How many words one of the names has beyond the other, if it has all words of the other. Words are equal if one
/// abbreviates the other, such as `min` and `minutes`.
fn surplus(one: &str, other: &str) -> Option<usize> {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(['_', '-', ' ']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (mut fewer, mut more) = (words(one), words(other));
    if fewer.len() > more.len() {
        std::mem::swap(&mut fewer, &mut more);
    }
    let is_abbreviated = |long: &str, short: &str| short.len() >= 3 && long.starts_with(short);
    let are_equal =
        |one: &str, other: &str| one == other || is_abbreviated(one, other) || is_abbreviated(other, one);
    let has_all = fewer
        .iter()
        .all(|word| more.iter().any(|other| are_equal(word, other)));
    (has_all && !fewer.is_empty()).then(|| more.len() - fewer.len())
}

/// The name of an argument, shortened and without control characters, so that an error message can quote it.
fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The most characters that an error message quotes.
const LONGEST: usize = 40;

/// Describes the accepted values of a parameter, for an error message.
pub(super) fn form(kind: ParameterKind) -> String {
    match kind {
        ParameterKind::Day { may_be_future } => day_form(may_be_future),
        ParameterKind::LastDay { .. } => day_form(true),
        ParameterKind::Text => "a text".to_owned(),
        ParameterKind::Flag => "true or false".to_owned(),
        ParameterKind::OneOf(words) => words.join(" or "),
        ParameterKind::Number { least, most } => format!("a number from {least} to {most}"),
        ParameterKind::Integer { least, most } => format!("a whole number from {least} to {most}"),
        ParameterKind::List { .. } => "a list, such as [1, 2]".to_owned(),
        ParameterKind::Object { members, .. } => format!("an object with {}", names(members)),
        ParameterKind::Id => "the number that Garmin gave it, for example 20000000001".to_owned(),
    }
}

/// The given value, shortened so that an error message can quote it.
pub(super) fn shown(given: &Value) -> String {
    let text = given.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain("…".chars()).collect()
}
