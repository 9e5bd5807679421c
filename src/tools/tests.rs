//! Tests of every tool against documents in Garmin's format.
//!
//! `tests/tools/cases.json` was recorded by running garmin_mcp at commit 2974244 (garminconnect 0.3.2) against these
//! answers: `gets` are its requests, `tells` is its result. Where the built-in worker differs, the case names the row
//! of `assets/differences.md`, and `garmin_mcp` holds garmin_mcp's result.

mod broken;
mod examples;
mod schemas;
mod zones;

use std::collections::BTreeSet;

use jiff::Zoned;
use jiff::civil::{Date, date};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::ToolCall;
use super::garmin_get::GarminGet;
use super::table::{Effect, GarminQuery, NextStep, Tool, ToolAnswer};
use super::{lists, tools};
use crate::mcp::catalogue::{Overlay, ToolEffect};
use examples::examples;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    tool: String,
    arguments: Map<String, Value>,
    /// The requests, with an unencoded query.
    gets: Vec<String>,
    /// Garmin's answers, in the order of the requests.
    answers: Vec<Value>,
    /// The text of the result. If the text is JSON, its value is given here.
    tells: Value,
    #[serde(default)]
    difference: Option<String>,
    #[serde(default)]
    garmin_mcp: Option<Value>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../tests/tools/cases.json")).unwrap()
}

const GRAPHQL: &str = "/graphql-gateway/graphql";

fn noon(day: Date) -> Zoned {
    day.at(12, 0, 0, 0).in_tz("UTC").unwrap()
}

/// The next reads of a tool; none when it has all answers.
fn gets(tool: &Tool, call: &ToolCall, answers: &[&Value]) -> Vec<GarminGet> {
    match tool.next(call, answers) {
        Ok(NextStep::Get(gets)) => gets,
        _ => vec![],
    }
}

/// Runs a case and returns its requests and the text of its result.
fn outcome(case: &Case) -> (Vec<String>, String) {
    let tool = tools().find(|tool| tool.name == case.tool).unwrap();
    let call = match ToolCall::check(tool.parameters, &case.arguments, &noon(date(2026, 1, 31))) {
        Ok(call) => call,
        Err(refused) => return (vec![], format!("Error executing tool {}: {refused}", tool.name)),
    };
    let gets = gets(tool, &call, &[]);
    let asked = gets.into_iter().map(|get| {
        let get = get.of_person("runner1");
        if let Some(query) = get.graphql {
            return format!("{GRAPHQL}?{query}");
        }
        let query: Vec<String> = get
            .query
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        if query.is_empty() {
            get.path
        } else {
            format!("{}?{}", get.path, query.join("&"))
        }
    });
    let answers: Vec<&Value> = case.answers.iter().collect();
    let text = match tool.told(&call, &answers) {
        Ok(ToolAnswer::AsSent) => case.answers[0].to_string(),
        Ok(ToolAnswer::Json(value)) => value.to_string(),
        Ok(ToolAnswer::Text(text)) => text,
        Ok(ToolAnswer::Nothing) => call.fill(tool.nothing),
        Err(untold) => format!("{}: {untold}", tool.failing),
    };
    (asked.collect(), text)
}

fn text(tells: &Value) -> String {
    match tells {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    }
}

#[test]
fn every_case_has_the_recorded_requests_and_result() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (asked, told) = outcome(&case);
        let arguments = Value::Object(case.arguments.clone());
        if asked != case.gets {
            wrong.push(format!(
                "{} {arguments} asked {asked:?}, not {:?}",
                case.tool, case.gets
            ));
        }
        if told != text(&case.tells) {
            wrong.push(format!(
                "{} {arguments} told {told}\nnot {}",
                case.tool,
                text(&case.tells)
            ));
        }
        assert!(
            case.garmin_mcp
                .as_ref()
                .is_none_or(|theirs| text(theirs) != text(&case.tells)),
            "{} {arguments} is no difference",
            case.tool
        );
        assert!(
            case.garmin_mcp.is_none() || case.difference.is_some(),
            "{} {arguments}",
            case.tool
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_tool_has_cases_with_and_without_data() {
    let cases = cases();
    let examples: BTreeSet<String> = examples().into_iter().map(|example| example.tool).collect();
    // The questions have their own tests.
    let questions = super::questions::TOOLS;
    let is_question = |tool: &Tool| questions.iter().any(|question| question.name == tool.name);
    let reads = tools().filter(|tool| tool.effect() == Effect::Read && !is_question(tool));
    for tool in reads.filter(|tool| !examples.contains(tool.name)) {
        let told = |json: bool| {
            cases
                .iter()
                .filter(|case| case.tool == tool.name && !case.answers.is_empty())
                .any(|case| case.tells.is_string() != json)
        };
        assert!(told(true), "{} never tells JSON", tool.name);
        // These tools always answer: with an empty page, or with the name or units of the profile.
        let always = ["get_activities_by_date", "get_full_name", "get_unit_system"];
        assert!(
            always.contains(&tool.name) || told(false),
            "{} never has nothing",
            tool.name
        );
    }
}

#[test]
fn every_difference_is_a_row_of_the_table() {
    let table = include_str!("../../assets/differences.md");
    let rows: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| **")?.split_once("** |"))
        .map(|(name, _)| name)
        .collect();
    let cases = cases();
    let used: BTreeSet<&str> = cases
        .iter()
        .filter_map(|case| case.difference.as_deref())
        .collect();
    // The other tests in this file, those beside the tools, `examples.json`, `outcome.rs`, `page.rs`, `change/tests.rs`,
    // `tests/it/tools.rs` and `tests/it/changes.rs` cover these rows.
    let elsewhere = BTreeSet::from([
        "FIT analysis",
        "HRV keys",
        "blood pressure",
        "changes",
        "deletions",
        "device maps",
        "digits",
        "failures",
        "food updates",
        "form",
        "full pages",
        "kept days",
        "latest score",
        "future days",
        "long answers",
        "manual activities",
        "lost changes",
        "multisport",
        "one weigh-in",
        "plan sections",
        "progress units",
        "record dates",
        "scheduling",
        "schemas",
        "server paths",
        "strength sets",
        "threshold speed",
        "times of a weigh-in",
        "unknown types",
        "walk breaks",
        "whole weeks",
        "virtual challenges",
        "workout keys",
    ]);
    assert_eq!(&used | &elsewhere, rows, "shown by cases, and told by the table");
}

#[test]
fn every_placeholder_is_a_parameter() {
    for tool in tools() {
        let mut texts = vec![tool.nothing];
        match tool.ask {
            GarminQuery::Get(one) => texts.push(one),
            GarminQuery::Both(one, other) => texts.extend([one, other]),
            GarminQuery::Made(_)
            | GarminQuery::Steps(_)
            | GarminQuery::ByDay(_)
            | GarminQuery::Change(..) => {}
        }
        for text in texts {
            for placeholder in text.split('{').skip(1) {
                let name = placeholder.split_once('}').unwrap().0;
                assert!(
                    name == "display_name" || tool.parameters.iter().any(|p| p.name == name),
                    "{} has no {name}",
                    tool.name
                );
            }
        }
    }
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<&str> = tools().map(|tool| tool.name).collect();
    assert_eq!(names.len(), tools().count());
}

/// `tests/tools/schemas.json` is the tool list of garmin_mcp at commit 2974244, without descriptions, because ours
/// differ. Names, order, required parameters and defaults must match. Each of our parameters has a single type.
#[test]
fn the_parameters_are_those_of_garmin_mcp() {
    let theirs: Vec<Value> = serde_json::from_str(include_str!("../../tests/tools/schemas.json")).unwrap();
    let ours: Value = serde_json::from_str(&lists().tools).unwrap();
    for theirs in theirs {
        let name = theirs["name"].as_str().unwrap();
        let ours = ours["tools"]
            .as_array()
            .unwrap()
            .iter()
            .find(|tool| tool["name"] == name)
            .unwrap();
        assert!(ours["description"].as_str().unwrap().len() > 20, "{name}");
        let (ours, theirs) = (&ours["inputSchema"], &theirs["inputSchema"]);
        assert_eq!(ours["required"], theirs["required"], "{name}");
        let members = |schema: &Value| schema["properties"].as_object().unwrap().clone();
        let mut ours = members(ours);
        for own in ["cursor", "dry_run", "again"] {
            ours.shift_remove(own);
        }
        let theirs = members(theirs);
        assert!(ours.keys().eq(theirs.keys()), "{name}");
        for (parameter, schema) in &theirs {
            let ours = &ours[parameter];
            if schema["type"].is_string() {
                assert_eq!(ours["type"], schema["type"], "{name} {parameter}");
            }
            // Ours is the person's own zone.
            if (name, parameter.as_str()) != ("create_manual_activity", "time_zone") {
                assert_eq!(ours["default"], schema["default"], "{name} {parameter}");
            }
        }
    }
}

#[test]
fn schemas_are_plain() {
    let ours: Value = serde_json::from_str(&lists().tools).unwrap();
    for tool in ours["tools"].as_array().unwrap() {
        let text = tool.to_string();
        for strange in ["anyOf", "oneOf", "allOf", "$ref", "\"null\"", "\"type\":["] {
            assert!(!text.contains(strange), "{strange} in {text}");
        }
        for (name, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(
                schema["description"].as_str().unwrap().len() > 10,
                "{name} of {}",
                tool["name"]
            );
            let kinds = ["string", "integer", "number", "boolean", "array", "object"];
            assert!(kinds.contains(&schema["type"].as_str().unwrap()));
        }
    }
}

/// Every tool has a title in `assets/catalogue.json`. Its effect is written down once, in the row.
#[test]
fn the_catalogue_has_titles_and_the_rows_have_effects() {
    let overlay = Overlay::built_in(&lists().tools).unwrap();
    let file: Value = serde_json::from_str(include_str!("../../assets/catalogue.json")).unwrap();
    for tool in tools() {
        let Some(known) = overlay.find(tool.name, false) else {
            panic!("{} is not in assets/catalogue.json", tool.name)
        };
        if known.effect == ToolEffect::Local {
            // garmin_mcp writes these files to its own machine.
            continue;
        }
        assert_eq!(file["garmin"][tool.name].get("effect"), None, "{}", tool.name);
        let effect = match tool.effect() {
            Effect::Read => (ToolEffect::Read, false),
            Effect::Change { idempotent } => (ToolEffect::Write, idempotent),
            Effect::Delete => (ToolEffect::Delete, true),
        };
        assert_eq!((known.effect, known.idempotent), effect, "{}", tool.name);
    }
}

#[test]
fn a_day_to_come_says_so_and_the_end_of_a_range_may_be_one() {
    let check = |tool: &str, arguments: Value| {
        let tool = tools().find(|known| known.name == tool).unwrap();
        let checked = ToolCall::check(
            tool.parameters,
            arguments.as_object().unwrap(),
            &noon(date(2026, 1, 31)),
        );
        checked.map_err(|mistakes| mistakes.to_string())
    };
    let future = check("get_stats", serde_json::json!({"date": "2026-02-10"})).unwrap_err();
    assert!(
        future.contains("is in the future: today is 2026-01-31"),
        "{future}"
    );
    assert!(check("get_stats", serde_json::json!({"date": "2026-02-01"})).is_err());
    assert!(check("get_stats", serde_json::json!({"date": "2026-01-31"})).is_ok());
    let range = |start: &str, end: &str| {
        let arguments = serde_json::json!({"start_date": start, "end_date": end});
        check("get_body_battery", arguments)
    };
    assert!(range("this week", "2026-02-10").is_ok());
    assert!(range("2026-02-09", "2026-02-10").is_err());
    let week = range("last week", "last week").unwrap();
    assert_eq!(
        (week.day("start_date"), week.day("end_date")),
        (Some(date(2026, 1, 19)), Some(date(2026, 1, 25)))
    );
}

#[test]
fn an_unknown_activity_type_is_refused_with_near_ones() {
    let tool = tools()
        .find(|tool| tool.name == "get_activities_by_date")
        .unwrap();
    let types =
        serde_json::json!([{"typeKey": "running"}, {"typeKey": "trail_running"}, {"typeKey": "cycling"}]);
    let told = |wanted: &str| {
        let arguments = serde_json::json!({"start_date": "2026-01-01", "end_date": "2026-01-02", "activity_type": wanted});
        let call = ToolCall::check(
            tool.parameters,
            arguments.as_object().unwrap(),
            &noon(date(2026, 1, 31)),
        )
        .unwrap();
        tool.told(&call, &[&serde_json::json!([]), &types])
            .map_err(|e| e.to_string())
    };
    assert!(told("running").is_ok());
    let near = told("Running").unwrap_err();
    assert!(near.contains("similar: running, trail_running"), "{near}");
    let near = told("trailrun").unwrap_err();
    assert!(near.contains("trail_running"), "{near}");
    let far = told("xyz").unwrap_err();
    assert!(
        !far.contains("similar") && far.contains("get_activity_types"),
        "{far}"
    );
}

#[test]
fn status_and_trend_take_the_primary_device_and_survive_nulls() {
    let tool = |name: &str| tools().find(|tool| tool.name == name).unwrap();
    let example = |name: &str, variant: &str| {
        let examples = examples();
        examples
            .into_iter()
            .find(|example| example.tool == name && example.variant == variant)
            .unwrap()
    };
    let told = |name: &str, variant: &str| {
        let example = example(name, variant);
        let call = ToolCall::check(
            tool(name).parameters,
            &example.arguments,
            &noon(date(2026, 12, 31)),
        )
        .unwrap();
        let bodies: Vec<Value> = example
            .answers
            .into_iter()
            .map(|reply| {
                if reply.status < 300 {
                    reply.body
                } else {
                    serde_json::json!({"$failed": "unreachable"})
                }
            })
            .collect();
        tool(name)
            .told(&call, &bodies.iter().collect::<Vec<_>>())
            .unwrap()
    };
    let ToolAnswer::Json(status) = told("get_training_status", "rich") else {
        panic!("no status")
    };
    // garmin_mcp takes the first device of the map, even if it is not the primary one.
    assert_eq!(
        (&status["training_status"], &status["load_ratio"]),
        (&serde_json::json!(3), &serde_json::json!(0.55))
    );
    assert_eq!(told("get_training_status", "sparse"), ToolAnswer::Nothing);
    let ToolAnswer::Json(trend) = told("get_training_load_trend", "rich") else {
        panic!("no trend")
    };
    assert_eq!(trend["failed_days"].as_array().unwrap().len(), 1);
    assert!(trend["trend"][0]["acute_load"].is_number() && trend["trend"][0]["vo2_max"].is_number());
    let ToolAnswer::Json(trend) = told("get_hrv_trend", "rich") else {
        panic!("no trend")
    };
    assert!(trend["period_avg_hrv_ms"].is_number() && trend["trend"][0]["last_night_avg_hrv_ms"].is_number());
}
