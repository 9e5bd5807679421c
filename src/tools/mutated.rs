//! Runs every tool on answers that Garmin might give after a change: members missing or of another type, huge numbers,
//! empty, endless and deeply nested lists.
//!
//! The answers are the recorded ones, mutated. Whatever they are, a tool must not panic, its answer must keep to the
//! limit, and an error must say something.

use std::sync::OnceLock;

use jiff::civil::date;
use serde_json::{Map, Value, json};

use super::call::ToolCall;
use super::change::{ChangePlan, Landed, PlanPart, ReadBack, preview};
use super::garmin_get::FAILED;
use super::outcome::ToolResult;
use super::page::{self, MOST_CHARACTERS};
use super::parameter::{Parameter, ParameterKind};
use super::table::{NextStep, Tool, ToolAnswer};
use super::tools;

/// No tool needs more rounds of requests.
const ROUNDS: usize = 12;
/// At most this many answers are given in one round.
const MOST_ANSWERS: usize = 60;
/// A list is repeated up to this many bytes of JSON. Lists of lists would otherwise grow beyond every response that
/// Garmin can send, and beyond the fuzzer's memory.
const LONGEST_LIST: usize = 2_000_000;

/// A recorded call: the tool, its arguments, and Garmin's answers.
struct AnsweredCall {
    tool: String,
    arguments: Map<String, Value>,
    answers: Vec<Value>,
}

/// All recorded calls, and one with plausible arguments for each tool that has none.
fn recorded() -> &'static [AnsweredCall] {
    static RECORDED: OnceLock<Vec<AnsweredCall>> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let files = [
            include_str!("../../tests/tools/cases.json"),
            include_str!("../../tests/tools/examples.json"),
            include_str!("../../tests/tools/changes.json"),
        ];
        let calls = files
            .into_iter()
            .flat_map(|file| serde_json::from_str::<Vec<Value>>(file).unwrap_or_default());
        let of = |call: &Value, name: &str| call.get(name).cloned().unwrap_or_default();
        let mut all: Vec<AnsweredCall> = calls
            .map(|call| AnsweredCall {
                tool: of(&call, "tool").as_str().unwrap_or_default().to_owned(),
                arguments: of(&call, "arguments").as_object().cloned().unwrap_or_default(),
                answers: of(&call, "answers")
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(body)
                    .collect(),
            })
            .collect();
        let documents: Vec<Value> = all.iter().flat_map(|call| call.answers.clone()).collect();
        for (n, tool) in tools().enumerate() {
            if !all.iter().any(|call| call.tool == tool.name) {
                all.push(AnsweredCall {
                    tool: tool.name.to_owned(),
                    arguments: plausible_members(tool.parameters),
                    answers: documents.iter().skip(n).step_by(29).take(8).cloned().collect(),
                });
            }
        }
        all
    })
}

/// The body of an answer, which some files store together with its HTTP status.
fn body(answer: &Value) -> Value {
    match (answer.get("status"), answer.get("body")) {
        (Some(_), Some(body)) => body.clone(),
        _ => answer.clone(),
    }
}

fn plausible_members(parameters: &[Parameter]) -> Map<String, Value> {
    let required = parameters.iter().filter(|parameter| parameter.default.is_none());
    required
        .map(|parameter| (parameter.name.to_owned(), plausible(parameter.kind)))
        .collect()
}

fn plausible(kind: ParameterKind) -> Value {
    match kind {
        ParameterKind::Day { .. } => json!("2026-01-08"),
        ParameterKind::LastDay { .. } => json!("2026-01-10"),
        ParameterKind::Text => json!("morning"),
        ParameterKind::Id => json!(20_000_000_001_u64),
        ParameterKind::Flag => json!(true),
        ParameterKind::OneOf(words) => json!(words.last()),
        ParameterKind::Number { least, most } => json!(f64::midpoint(least, most)),
        ParameterKind::Integer { least, most } => {
            json!((least + 3).min(most))
        }
        ParameterKind::List { item, .. } => json!([plausible(item.kind)]),
        ParameterKind::Object { members, .. } => Value::Object(plausible_members(members)),
    }
}

/// The ways in which one value is changed.
const MUTATIONS: usize = 17;

fn mutate(value: &mut Value, how: usize) {
    let old = value.take();
    *value = match how % MUTATIONS {
        0 => json!("x"),
        1 => json!(-1),
        2 => json!(1e308),
        3 => json!(u64::MAX),
        4 => json!(i64::MIN),
        5 => json!([]),
        6 => json!({}),
        7 => json!(true),
        8 => (0..100).fold(old, |inner, _| json!([inner])),
        9 => json!("\u{fffd}ü".repeat(33_000)),
        10 => json!([old, old]),
        11 => json!("2026-02-30T99:99:99"),
        12 => {
            let record = match old {
                Value::Array(items) => items.into_iter().next().unwrap_or_default(),
                other => other,
            };
            let fitting = LONGEST_LIST / record.to_string().len();
            Value::Array(vec![record; fitting.clamp(1, 900)])
        }
        13 => json!(old.to_string()),
        14 => json!({FAILED: "unreachable"}),
        15 => json!(0),
        _ => Value::Null,
    };
}

/// The JSON pointers of a document's values, outermost first. For a list, the first few records are enough.
fn places(document: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(place) = found.get(next).cloned() {
        next += 1;
        match document.pointer(&place) {
            Some(Value::Array(items)) => {
                found.extend((0..items.len().min(3)).map(|n| format!("{place}/{n}")));
            }
            Some(Value::Object(members)) => found.extend(
                members
                    .keys()
                    .map(|key| format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))),
            ),
            _ => {}
        }
    }
    found
}

fn remove(document: &mut Value, place: &str) {
    let Some((parent, key)) = place.rsplit_once('/') else {
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(items)) => {
            if let Some(n) = key.parse().ok().filter(|n| *n < items.len()) {
                items.remove(n);
            }
        }
        _ => {}
    }
}

/// Runs a call with these answers, in the order of its requests; further ones are `null`.
fn run(recorded: &AnsweredCall, answers: &[Value]) {
    let Some(tool) = tools().find(|tool| tool.name == recorded.tool) else {
        return;
    };
    let Ok(noon) = date(2026, 12, 31).at(12, 0, 0, 0).in_tz("Pacific/Auckland") else {
        return;
    };
    let Ok(call) = ToolCall::check(tool.parameters, &recorded.arguments, &noon) else {
        return;
    };
    let mut given = answers.iter().cloned();
    let mut documents: Vec<Value> = Vec::new();
    for _ in 0..ROUNDS {
        let known: Vec<&Value> = documents.iter().collect();
        match tool.next(&call, &known) {
            Ok(NextStep::Get(gets)) => {
                let more = gets.len().min(MOST_ANSWERS);
                documents.extend((0..more).map(|_| given.next().unwrap_or_default()));
            }
            Ok(NextStep::Change(plan)) => return change(tool, plan, answers),
            Ok(NextStep::Done) => break,
            Err(error) => return check_error(tool, &error.to_string()),
        }
    }
    let known: Vec<&Value> = documents.iter().collect();
    let answer = match tool.told(&call, &known) {
        Ok(ToolAnswer::AsSent) => documents.first().cloned().unwrap_or_default(),
        Ok(ToolAnswer::Json(value)) => value,
        Ok(ToolAnswer::Text(text)) => Value::String(text),
        Ok(ToolAnswer::Nothing) => Value::String(call.fill(tool.nothing)),
        Err(error) => return check_error(tool, &error.to_string()),
    };
    let first = page::fitting(&answer, 0);
    check_size(tool, &first);
    if matches!(&first, ToolResult::Json { text, .. } if text.contains("records_in_all")) {
        check_size(tool, &page::fitting(&answer, 1_000));
    }
}

/// Previews a plan, and builds its outcome from unrelated answers.
fn change(tool: &Tool, plan: ChangePlan, answers: &[Value]) {
    check_size(tool, &ToolResult::of_json(&page::clipped(preview(&plan))));
    for part in plan.parts {
        let mut next = match part {
            PlanPart::Send(change) => Some(*change),
            PlanPart::Settled(_) | PlanPart::Refused(..) => None,
        };
        while let Some(mut change) = next.take() {
            let response = answers.last().unwrap_or(&Value::Null);
            if let Some(look) = &change.look {
                look.read(response);
                for document in answers {
                    look.sight(document);
                }
            }
            let landed = Landed {
                response,
                seen: answers.first(),
            };
            change.made(&landed, ReadBack::Same);
            change.lost(true);
            next = change.then.take().and_then(|then| then(&landed).ok());
        }
    }
}

fn check_size(tool: &Tool, result: &ToolResult) {
    let (ToolResult::Json { text, .. } | ToolResult::Text(text) | ToolResult::Failed(text)) = result;
    let characters = text.chars().count();
    assert!(
        characters <= MOST_CHARACTERS,
        "{}: an answer of {characters} characters",
        tool.name
    );
}

fn check_error(tool: &Tool, error: &str) {
    assert!(
        error.chars().count() > 10 && error.chars().count() < 2_000,
        "{}: {error}",
        tool.name
    );
}

/// Mutates the answers of one recorded call as `choices` say, and runs the call on them.
pub(super) fn run_mutated(choices: &[u8]) {
    let mut choices = choices.iter().map(|byte| usize::from(*byte));
    let mut choose = |most: usize| {
        let number = choices.next().unwrap_or(0) * 256 + choices.next().unwrap_or(0);
        number % most.max(1)
    };
    let all = recorded();
    let Some(recorded) = all.get(choose(all.len())) else {
        return;
    };
    let mut answers = recorded.answers.clone();
    for _ in 0..=choose(4) {
        let (which, place, how) = (choose(answers.len()), choose(usize::MAX), choose(MUTATIONS + 1));
        let Some(answer) = answers.get_mut(which) else {
            break;
        };
        let places = places(answer);
        let Some(place) = places.get(place % places.len()) else {
            break;
        };
        if how == MUTATIONS {
            remove(answer, place);
        } else if let Some(value) = answer.pointer_mut(place) {
            mutate(value, how);
        }
    }
    run(recorded, &answers);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every value of every recorded answer, once mutated and once removed.
    #[test]
    fn no_change_of_one_value_breaks_a_tool() {
        let mut tried = 0;
        for (n, recorded) in recorded().iter().enumerate() {
            for (which, answer) in recorded.answers.iter().enumerate() {
                for (m, place) in places(answer).iter().enumerate() {
                    let mut answers = recorded.answers.clone();
                    if let Some(value) = answers[which].pointer_mut(place) {
                        mutate(value, n + which + m);
                    }
                    run(recorded, &answers);
                    answers[which] = answer.clone();
                    remove(&mut answers[which], place);
                    run(recorded, &answers);
                    tried += 2;
                }
            }
        }
        assert!(tried > 5_000, "{tried}");
    }

    #[test]
    fn every_tool_is_tried() {
        for tool in tools() {
            let called = recorded().iter().find(|call| call.tool == tool.name);
            let noon = date(2026, 12, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
            let arguments = &called.unwrap().arguments;
            let is_callable = recorded()
                .iter()
                .filter(|call| call.tool == tool.name)
                .any(|call| ToolCall::check(tool.parameters, &call.arguments, &noon).is_ok());
            assert!(is_callable, "{}: {arguments:?}", tool.name);
        }
    }

    /// Nested four times without a limit, the record would take many gigabytes.
    #[test]
    fn a_list_of_long_lists_stays_as_small_as_a_response() {
        let mut document = json!([{"score": 38, "level": "LOW"}]);
        for place in ["/0", "", "/0", ""] {
            mutate(document.pointer_mut(place).unwrap(), 12);
        }
        let length = document.to_string().len();
        assert!(length > 2 * 900 && length < 4 * LONGEST_LIST, "{length}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn several_changes_at_once_break_no_tool(choices in prop::collection::vec(any::<u8>(), 4..30)) {
            run_mutated(&choices);
        }
    }
}
