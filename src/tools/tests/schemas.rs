//! The schemas of all parameters: description, bounds, and the words for days.

use jiff::civil::date;
use serde_json::{Value, json};

use super::super::call::ToolCall;
use super::super::parameter::{Parameter, ParameterKind};
use super::super::table::Tool;
use super::super::{lists, tools};
use super::noon;

/// What is missing in a schema, at every depth.
fn missing(path: &str, schema: &Value, found: &mut Vec<String>) {
    let has = |key: &str| schema.get(key).is_some();
    let mut lacks = |what: &str| found.push(format!("{path} has no {what}"));
    if schema["description"]
        .as_str()
        .is_none_or(|about| about.len() <= 5)
    {
        lacks("description");
    }
    match schema["type"].as_str() {
        Some("string") => {
            let is_day = schema["description"]
                .as_str()
                .is_some_and(|about| about.contains("YYYY-MM-DD"));
            if !has("enum") && !has("maxLength") && !is_day {
                lacks("form");
            }
        }
        Some("integer" | "number") => {
            // Garmin's ids have no upper bound.
            if !has("minimum") || !has("maximum") && schema["minimum"] != 1 && !path.ends_with(".cursor") {
                lacks("bounds");
            }
        }
        Some("array") => {
            if !has("maxItems") {
                lacks("bound");
            }
            missing(&format!("{path}[]"), &schema["items"], found);
        }
        Some("object") => members(path, schema, found),
        Some("boolean") => {}
        _ => lacks("type"),
    }
}

fn members(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (name, schema) in schema["properties"].as_object().unwrap() {
        missing(&format!("{path}.{name}"), schema, found);
    }
}

#[test]
fn every_parameter_has_a_description_and_bounds() {
    let ours: Value = serde_json::from_str(&lists().tools).unwrap();
    let mut found = Vec::new();
    for tool in ours["tools"].as_array().unwrap() {
        members(tool["name"].as_str().unwrap(), &tool["inputSchema"], &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let mut wrong = Vec::new();
    missing(
        "x",
        &json!({"type": "integer", "description": "How many"}),
        &mut wrong,
    );
    missing(
        "y",
        &json!({"type": "array", "description": "Some names", "items": {"type": "string"}}),
        &mut wrong,
    );
    assert_eq!(
        wrong,
        [
            "x has no bounds",
            "y has no bound",
            "y[] has no description",
            "y[] has no form"
        ]
    );
}

/// The result of a check with a word for this parameter, and no other argument.
fn day_of(tool: &Tool, parameter: &'static str, word: &str) -> Option<String> {
    let given = json!({parameter: word});
    let parameters = tool.parameters.iter().find(|known| known.name == parameter);
    let parameters: &[Parameter] = std::slice::from_ref(parameters.unwrap());
    let call = ToolCall::check(parameters, given.as_object().unwrap(), &noon(date(2026, 4, 8)));
    call.ok()
        .and_then(|call| call.day(parameter))
        .map(|day| day.to_string())
}

#[test]
fn every_day_takes_the_same_words() {
    let mut days = 0;
    for tool in tools() {
        for parameter in tool.parameters {
            let (is_last, may_be_future) = match parameter.kind {
                ParameterKind::Day { may_be_future } => (false, may_be_future),
                ParameterKind::LastDay { .. } => (true, true),
                _ => continue,
            };
            days += 1;
            let told = |word: &str| day_of(tool, parameter.name, word);
            let name = format!("{} {}", tool.name, parameter.name);
            // 8 April 2026 is a Wednesday.
            for (word, day) in [
                ("2026-04-02", "2026-04-02"),
                ("today", "2026-04-08"),
                ("Yesterday", "2026-04-07"),
                ("-7d", "2026-04-01"),
                ("3 days ago", "2026-04-05"),
                ("-2w", "2026-03-25"),
            ] {
                assert_eq!(told(word).as_deref(), Some(day), "{name} {word}");
            }
            let periods = match parameter.name {
                "start_date" => [Some("2026-04-06"), Some("2026-03-30"), Some("2026-04-01")],
                "end_date" => [Some("2026-04-08"), Some("2026-04-05"), Some("2026-04-08")],
                _ => [None; 3],
            };
            for (word, day) in ["this week", "last week", "this month"].into_iter().zip(periods) {
                assert_eq!(told(word).as_deref(), day, "{name} {word}");
            }
            assert!(is_last || told("2026-04-09").is_some() == may_be_future, "{name}");
            assert_eq!(told("next week"), None, "{name}");
        }
    }
    assert!(days > 70, "{days}");
}

#[test]
fn a_range_may_be_named_by_its_start_alone() {
    let tool = tools().find(|tool| tool.name == "get_body_composition").unwrap();
    let range = |arguments: Value| {
        let call = ToolCall::check(
            tool.parameters,
            arguments.as_object().unwrap(),
            &noon(date(2026, 4, 8)),
        )
        .unwrap();
        (call.text("start_date"), call.text("end_date"))
    };
    let pair = |start: &str, end: &str| (start.to_owned(), end.to_owned());
    assert_eq!(
        range(json!({"start_date": "last week"})),
        pair("2026-03-30", "2026-04-05")
    );
    assert_eq!(
        range(json!({"start_date": "this month"})),
        pair("2026-04-01", "2026-04-08")
    );
    assert_eq!(range(json!({"start_date": "-7d"})), pair("2026-04-01", ""));
    assert_eq!(
        range(json!({"start_date": "last week", "end_date": "2026-03-31"})),
        pair("2026-03-30", "2026-03-31")
    );
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let tool = tools().find(|tool| tool.name == "search_foods").unwrap();
    let check = |length: usize| {
        let arguments = json!({"query": "ü".repeat(length)});
        ToolCall::check(
            tool.parameters,
            arguments.as_object().unwrap(),
            &noon(date(2026, 4, 8)),
        )
    };
    assert!(check(255).is_ok());
    assert_eq!(
        check(256).unwrap_err().to_string(),
        "query is 256 characters long: give at most 255"
    );
}
