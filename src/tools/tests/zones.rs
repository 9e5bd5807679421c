//! Every tool for a person in Auckland and for one in Honolulu, on a day when the clocks change.
//!
//! `tests/tools/zones.json` has a case for each tool and person: the arguments in words such as `yesterday`, the reads
//! that follow from them, and the changes that are sent. A case has Garmin's answers and the result if the tool tells
//! local times. Otherwise it takes the answers of the tool's other cases.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::call::ToolCall;
use super::super::change::{ChangeBody, PlanPart};
use super::super::garmin_get::{FAILED, GarminGet};
use super::super::parameter::ParameterKind;
use super::super::table::{Effect, NextStep, Tool, ToolAnswer};
use super::super::tools;
use super::text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneCase {
    tool: String,
    person: Person,
    arguments: Map<String, Value>,
    gets: Vec<String>,
    #[serde(default)]
    sends: Vec<Value>,
    /// Garmin's answers, in the order of the requests.
    #[serde(default)]
    answers: Vec<Value>,
    /// The tool's result for these answers.
    #[serde(default)]
    tells: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Person {
    /// It is half past midnight on Monday, 6 April 2026. Yesterday had 25 hours, and in UTC it is still yesterday.
    Auckland,
    /// It is half past eleven at night on Saturday, 7 March 2026. In UTC it is Sunday, when the clocks change on the
    /// mainland, but not in Hawaii.
    Honolulu,
}

impl Person {
    fn now(self) -> jiff::Zoned {
        let (at, zone) = match self {
            Person::Auckland => ("2026-04-05T12:30:00Z", "Pacific/Auckland"),
            Person::Honolulu => ("2026-03-08T09:30:00Z", "Pacific/Honolulu"),
        };
        at.parse::<Timestamp>().unwrap().in_tz(zone).unwrap()
    }
}

fn cases() -> Vec<ZoneCase> {
    serde_json::from_str(include_str!("../../../tests/tools/zones.json")).unwrap()
}

/// A read as a line of text.
fn shown(get: &GarminGet) -> String {
    let get = get.clone().of_person("runner1");
    if let Some(query) = get.graphql {
        return query;
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
}

/// The same path for every id and day.
fn without_digits(path: &str) -> String {
    path.replace(|c: char| c.is_ascii_digit(), "0")
}

/// Garmin's answers in the other cases of all tools.
struct KnownAnswers(Vec<KnownAnswer>);

struct KnownAnswer {
    tool: String,
    /// The path, with its digits replaced by 0.
    path: String,
    answer: Value,
}

impl KnownAnswers {
    fn read() -> Self {
        let known = |tool: &str, path: &str, answer: Value| KnownAnswer {
            tool: tool.to_owned(),
            path: without_digits(path.split('?').next().unwrap()),
            answer,
        };
        let mut all = Vec::new();
        for case in super::cases() {
            let pairs = case.gets.iter().zip(case.answers);
            all.extend(pairs.map(|(path, answer)| known(&case.tool, path, answer)));
        }
        for example in super::examples::examples()
            .into_iter()
            .filter(|example| example.variant == "rich")
        {
            let pairs = example.requests.iter().zip(example.answers);
            all.extend(pairs.map(|(request, reply)| known(&example.tool, &request.path, reply.body)));
        }
        let changes: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/tools/changes.json")).unwrap();
        for example in changes.iter().filter(|example| example["variant"] == "rich") {
            let tool = example["tool"].as_str().unwrap();
            let requests = example["requests"].as_array().unwrap();
            for (request, reply) in requests.iter().zip(example["answers"].as_array().unwrap()) {
                if request["method"] == "GET" || request["path"] == super::GRAPHQL {
                    all.push(known(
                        tool,
                        request["path"].as_str().unwrap(),
                        reply["body"].clone(),
                    ));
                }
            }
            let documents = example["documents"].as_object().into_iter().flatten();
            all.extend(documents.map(|(path, document)| known(tool, path, document.clone())));
        }
        Self(all)
    }

    /// The known answer. If there is none, an optional request fails, and any other request gives `None`.
    fn answer(&self, tool: &str, get: &GarminGet) -> Option<Value> {
        let path = if get.graphql.is_some() {
            super::GRAPHQL.to_owned()
        } else {
            without_digits(&get.clone().of_person("runner1").path)
        };
        let parts: Vec<&str> = path.split('/').collect();
        let is_same = |known: &&KnownAnswer| {
            let known_parts: Vec<&str> = known.path.split('/').collect();
            // The examples have display names of their own.
            let is_part = |(a, b): (&&str, &&str)| a == b || a.starts_with("dn-");
            known.tool == tool
                && known_parts.len() == parts.len()
                && known_parts.iter().zip(&parts).all(is_part)
        };
        let found = self.0.iter().find(is_same);
        let failed = || get.is_optional.then(|| json!({FAILED: "not_found"}));
        found.map(|known| known.answer.clone()).or_else(failed)
    }
}

/// The requests of a case, the changes that it sends, and its answer.
struct Played {
    gets: Vec<String>,
    sends: Vec<Value>,
    tells: Value,
}

fn play(tool: &Tool, case: &ZoneCase, known: &KnownAnswers) -> Result<Played, String> {
    let now = case.person.now();
    let call = ToolCall::check(tool.parameters, &case.arguments, &now).map_err(|wrong| wrong.to_string())?;
    let mut gets = Vec::new();
    let mut answers: Vec<Value> = Vec::new();
    // No tool needs as many rounds.
    for _ in 0..12 {
        let documents: Vec<&Value> = answers.iter().collect();
        match tool.next(&call, &documents).map_err(|error| error.to_string())? {
            NextStep::Get(next) => {
                for get in next {
                    let own = case.answers.get(answers.len()).cloned();
                    let answer = own.or_else(|| known.answer(tool.name, &get));
                    answers.push(answer.ok_or_else(|| format!("no answer to {}", shown(&get)))?);
                    gets.push(shown(&get));
                }
            }
            NextStep::Change(plan) => {
                let sends = plan.parts.into_iter().filter_map(|part| match part {
                    PlanPart::Send(change) => Some(json!({
                        "method": change.request.method.as_str(),
                        "path": change.request.path,
                        "body": match change.request.body {
                            Some(ChangeBody::Json(body)) => body,
                            Some(ChangeBody::File { name, .. }) => json!({"file": name}),
                            None => Value::Null,
                        },
                    })),
                    _ => None,
                });
                return Ok(Played {
                    gets,
                    sends: sends.collect(),
                    tells: Value::Null,
                });
            }
            NextStep::Done => break,
        }
    }
    let documents: Vec<&Value> = answers.iter().collect();
    let tells = match tool.told(&call, &documents) {
        Ok(ToolAnswer::AsSent) => answers.first().cloned().unwrap_or_default(),
        Ok(ToolAnswer::Json(value)) => value,
        Ok(ToolAnswer::Text(text)) => text.into(),
        Ok(ToolAnswer::Nothing) => call.fill(tool.nothing).into(),
        Err(error) => return Err(format!("{}: {error}", tool.failing)),
    };
    Ok(Played {
        gets,
        sends: vec![],
        tells,
    })
}

#[test]
fn words_for_days_and_local_times_are_right_in_auckland_and_in_honolulu() {
    let mut wrong = Vec::new();
    let known = KnownAnswers::read();
    for case in cases() {
        let tool = tools().find(|tool| tool.name == case.tool).unwrap();
        let name = format!("{} in {:?}", case.tool, case.person);
        let played = match play(tool, &case, &known) {
            Ok(played) => played,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        if played.gets != case.gets {
            wrong.push(format!("{name} asked {:?}\nnot {:?}", played.gets, case.gets));
        }
        if played.sends != case.sends {
            wrong.push(format!(
                "{name} sent {}\nnot {}",
                json!(played.sends),
                json!(case.sends)
            ));
        }
        if !case.answers.is_empty() && text(&played.tells) != text(&case.tells) {
            wrong.push(format!("{name} told {}\nnot {}", played.tells, case.tells));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_tool_has_a_case_in_both_places() {
    let cases = cases();
    let shown: BTreeSet<(&str, Person)> = cases
        .iter()
        .map(|case| (case.tool.as_str(), case.person))
        .collect();
    let missing: Vec<_> = tools()
        .flat_map(|tool| [Person::Auckland, Person::Honolulu].map(|person| (tool.name, person)))
        // This tool refuses every call.
        .filter(|case| !shown.contains(case) && case.0 != "set_fit_download_dir")
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    // A tool with a day gets it in words, so that the zone decides which day it is.
    for case in &cases {
        let tool = tools().find(|tool| tool.name == case.tool).unwrap();
        let is_day = |kind| matches!(kind, ParameterKind::Day { .. } | ParameterKind::LastDay { .. });
        let days = tool.parameters.iter().filter(|parameter| is_day(parameter.kind));
        let has_words = |name: &str| {
            case.arguments
                .get(name)
                .is_none_or(|day| day.as_str().is_some_and(|day| !day.starts_with("20")))
        };
        for day in days {
            assert!(has_words(day.name), "{} {}", case.tool, day.name);
        }
        assert!(tool.effect() == Effect::Read || case.tells.is_null());
    }
}
