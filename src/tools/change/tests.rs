//! Plays `tests/tools/changes.json`: calls of garmin_mcp's tools with the requests that it sent, and Garmin's answers.
//!
//! A change must be the same request as garmin_mcp's. Reads may be added: those without a recorded answer are answered
//! from `documents`, or fail as if Garmin could not be reached.

use jiff::civil::date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::call::ToolCall;
use super::super::garmin_get::{FAILED, GarminGet};
use super::super::table::{Effect, NextStep, Tool};
use super::super::tools;
use super::plan::{ChangeBody, ChangedPart, GarminChange, Landed, PlanPart};
use super::told::{ReadBack, not_made, settled};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ours {
    body: Option<Value>,
    tells: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    tool: String,
    variant: String,
    arguments: Map<String, Value>,
    requests: Vec<Request>,
    answers: Vec<Reply>,
    tells: Value,
    /// What garmin_mcp gets wrong in this tool.
    #[serde(default)]
    known_wrong: Option<Value>,
    /// This worker's change and answer, where garmin_mcp's are wrong.
    #[serde(default)]
    ours: Option<Ours>,
    /// Answers to reads that garmin_mcp does not send, by path.
    #[serde(default)]
    documents: Map<String, Value>,
}

impl Example {
    fn body<'a>(&'a self, request: &'a Request) -> &'a Value {
        let ours = self.ours.as_ref().and_then(|ours| ours.body.as_ref());
        ours.unwrap_or(&request.body)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    path: String,
    query: String,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    status: u16,
    body: Value,
}

/// An example that is being played.
struct Play<'a> {
    example: &'a Example,
    /// The indices of the recorded changes that were sent.
    sent: Vec<usize>,
    problems: Vec<String>,
}

fn examples() -> Vec<Example> {
    serde_json::from_str(include_str!("../../../tests/tools/changes.json")).unwrap()
}

fn find(name: &str) -> &'static Tool {
    tools()
        .find(|tool| tool.name == name)
        .unwrap_or_else(|| panic!("there is no {name}"))
}

impl Play<'_> {
    fn read(&self, get: &GarminGet) -> Value {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&get.query)
            .finish();
        let plain = |text: &str| text.replace("%20", "+").replace("=True", "=true");
        let recorded = self
            .example
            .requests
            .iter()
            .position(|request| match &get.graphql {
                Some(graphql) => request.body.get("query").and_then(Value::as_str) == Some(graphql),
                None => {
                    request.method == "GET"
                        && request.path == get.path
                        && plain(&request.query) == plain(&query)
                }
            });
        let failed = |class: &str| json!({FAILED: class});
        match recorded.and_then(|index| self.example.answers.get(index)) {
            Some(reply) if reply.status < 300 && reply.body != "" => reply.body.clone(),
            Some(reply) if reply.status < 300 => Value::Null,
            Some(_) => failed("unreachable"),
            None if self.example.documents.is_empty() => failed("unreachable"),
            None => self
                .example
                .documents
                .get(&get.path)
                .cloned()
                .unwrap_or_else(|| failed("not_found")),
        }
    }

    /// Garmin's recorded answer to a change.
    fn send(&mut self, change: &GarminChange) -> Option<Value> {
        let is_recorded = |request: &Request| {
            request.method == change.method.as_str()
                && request.path == change.path
                && same_body(change, self.example.body(request))
        };
        let open = |(index, request): &(usize, &Request)| !self.sent.contains(index) && is_recorded(request);
        let Some((index, _)) = self.example.requests.iter().enumerate().find(open) else {
            let body = match &change.body {
                Some(ChangeBody::Json(body)) => body.to_string(),
                _ => String::new(),
            };
            self.problems
                .push(format!("sent {} {} {body}", change.method, change.path));
            return None;
        };
        self.sent.push(index);
        let reply = &self.example.answers[index];
        let body = if reply.body == "" {
            Value::Null
        } else {
            reply.body.clone()
        };
        (reply.status < 300).then_some(body)
    }

    fn part(&mut self, part: PlanPart, failing: &str) -> ChangedPart {
        let mut change = match part {
            PlanPart::Send(change) => *change,
            PlanPart::Settled(members) => return settled(&members),
            PlanPart::Refused(names, reason) => return not_made(&names, &format!("{failing}: {reason}")),
        };
        loop {
            let then = change.then.take();
            let Some(response) = self.send(&change.request) else {
                return not_made(&change.names, failing);
            };
            let landed = Landed {
                response: &response,
                seen: None,
            };
            match then {
                None => return change.made(&landed, ReadBack::NotYet),
                Some(then) => match then(&landed) {
                    Ok(next) => change = next,
                    Err(reason) => return not_made(&change.names, &reason),
                },
            }
        }
    }
}

/// Whether the body is the recorded one. Current times and the bytes of files are not compared.
fn same_body(change: &GarminChange, recorded: &Value) -> bool {
    match &change.body {
        None => recorded.is_null(),
        Some(ChangeBody::Json(body)) => same(body, recorded),
        Some(ChangeBody::File { name, .. }) => recorded["multipart"][0]["filename"] == *name,
    }
}

/// Whether both values are equal. Ours may have more members.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => theirs
            .iter()
            .all(|(key, theirs)| same(ours.get(key).unwrap_or(&Value::Null), theirs)),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        // The last digits of a distance depend on the order of the operations.
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            (ours - theirs).abs() <= theirs.abs() * 1e-12
        }
        (Value::String(_), Value::String(theirs)) if theirs.starts_with("<now") => true,
        (ours, theirs) => ours == theirs,
    }
}

/// The members of an answer without the words of a failure, which are our own.
fn without_reasons(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for part in answer
        .get_mut("results")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(members) = part.as_object_mut().filter(|part| part["status"] != "success") {
            members.retain(|name, _| name != "message" && name != "status");
        }
    }
    answer
}

#[test]
fn examples_have_the_recorded_changes_and_results() {
    let mut wrong = Vec::new();
    let now = date(2026, 12, 31).at(12, 0, 0, 0).in_tz("UTC").unwrap();
    for example in examples() {
        let tool = find(&example.tool);
        let call = ToolCall::check(tool.parameters, &example.arguments, &now).unwrap();
        let mut play = Play {
            example: &example,
            sent: vec![],
            problems: vec![],
        };
        let mut answers: Vec<Value> = Vec::new();
        let plan = loop {
            let documents: Vec<&Value> = answers.iter().collect();
            match tool.next(&call, &documents) {
                Ok(NextStep::Get(gets)) => {
                    answers.extend(gets.iter().map(|get| play.read(get)).collect::<Vec<_>>());
                }
                Ok(NextStep::Change(plan)) => break Ok(plan),
                Ok(NextStep::Done) => panic!("{} plans nothing", example.tool),
                Err(error) => break Err(error.to_string()),
            }
        };
        let told = match plan {
            Err(error) => format!("{}: {error}", tool.failing).into(),
            Ok(plan) => {
                let whole = plan.whole;
                let mut parts: Vec<ChangedPart> = plan
                    .parts
                    .into_iter()
                    .map(|part| play.part(part, tool.failing))
                    .collect();
                match whole {
                    Some(whole) => whole(&call, parts),
                    None => Value::Object(parts.pop().unwrap().members),
                }
            }
        };
        let title = format!("{} {}", example.tool, example.variant);
        wrong.extend(play.problems.iter().map(|problem| format!("{title} {problem}")));
        // A change that Garmin refused in the recording need not be sent.
        let unsent = example.requests.iter().enumerate().filter(|(index, request)| {
            request.method != "GET"
                && !request.path.ends_with("/graphql")
                && !play.sent.contains(index)
                && example.answers[*index].status < 300
        });
        wrong.extend(unsent.map(|(_, request)| {
            format!(
                "{title} did not send {} {} {}",
                request.method, request.path, request.body
            )
        }));
        assert!(
            example.ours.is_none() || example.known_wrong.is_some(),
            "{title} differs without a reason"
        );
        let is_compared = example.variant != "broken";
        // garmin_mcp returns some results as plain text, which is the `message` of our answer.
        let told = if example.tells.is_string() {
            told["message"].clone()
        } else {
            told
        };
        let right = example
            .ours
            .as_ref()
            .and_then(|ours| ours.tells.as_ref())
            .unwrap_or(&example.tells);
        if is_compared && !same(&without_reasons(&told), &without_reasons(right)) {
            wrong.push(format!("{title} told {told}\nnot {right}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_change_can_be_previewed_and_has_examples() {
    let examples: Vec<String> = examples().into_iter().map(|example| example.tool).collect();
    // These tools are not garmin_mcp's, are newer than the examples, or refuse every call. The tests in
    // `tests/it/changes.rs` cover them.
    let own = [
        "create_workout",
        "update_workout",
        "reschedule_workout",
        "delete_activity",
        "set_fit_download_dir",
        "set_nutrition_daily_settings",
    ];
    for tool in tools().filter(|tool| tool.effect() != Effect::Read) {
        assert!(
            own.contains(&tool.name) || examples.iter().any(|name| name == tool.name),
            "{} has no example",
            tool.name
        );
        let listing = tool.listing();
        assert_eq!(listing["annotations"]["readOnlyHint"], false, "{}", tool.name);
        for switch in ["dry_run", "again"] {
            assert_eq!(
                listing["inputSchema"]["properties"][switch]["type"], "boolean",
                "{}",
                tool.name
            );
        }
    }
}
