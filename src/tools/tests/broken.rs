//! Failures of Garmin: where garmin_mcp gives an error, so does this worker, but with a more precise reason.

use jiff::Timestamp;
use jiff::civil::date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::call::ToolCall;
use super::super::garmin_get::FAILED;
use super::super::outcome::{ToolFailure, ToolResult};
use super::super::table::{AnswerShape, Effect, NextStep, Tool, ToolAnswer};
use super::super::tools;
use super::examples::{Example, Reply, examples, same};
use super::noon;
use crate::garmin::ApiError;

/// garmin_mcp's text for every failure.
const EVERYTHING: &str = "Garmin Connect is unreachable. Check your network connection or try again later.";

impl Reply {
    /// What the API client would return for this reply.
    fn outcome(&self) -> Result<Value, ApiError> {
        let is_page = self.body.as_str().is_some_and(|body| body.starts_with('<'));
        match self.status {
            200..300 if is_page => Err(ApiError::Unreachable),
            200..300 if self.body == "" => Ok(Value::Null),
            200..300 => Ok(self.body.clone()),
            404 => Err(ApiError::NotFound),
            429 => Err(ApiError::RateLimited { until: None }),
            400..500 => Err(ApiError::Refused {
                status: self.status,
                message: String::new(),
            }),
            _ => Err(ApiError::Unreachable),
        }
    }
}

/// The result of an example, computed as the server does: an optional request may fail, unless all of them do.
fn result(tool: &Tool, example: &Example) -> ToolResult {
    let call = ToolCall::check(tool.parameters, &example.arguments, &noon(date(2026, 12, 31))).unwrap();
    let failed = |failure: ToolFailure| ToolResult::of_failure(tool, &failure, Timestamp::UNIX_EPOCH);
    let mut answers: Vec<Value> = Vec::new();
    loop {
        let documents: Vec<&Value> = answers.iter().collect();
        match tool.next(&call, &documents) {
            Ok(NextStep::Get(gets)) => {
                let is_first = answers.is_empty();
                let mut failure = None;
                for get in gets {
                    // Only this worker sends some of the requests, so they have no recorded reply.
                    let reply = example.answers.get(answers.len());
                    let outcome = reply.map_or(Err(ApiError::NotFound), Reply::outcome);
                    match outcome.map_err(ToolFailure::from) {
                        Ok(answer) => answers.push(answer),
                        Err(error) if get.is_optional && error.concerns_one_request() => {
                            answers.push(json!({FAILED: error.class()}));
                            failure.get_or_insert(error);
                        }
                        Err(error) => return failed(error),
                    }
                }
                match failure {
                    Some(first) if is_first && answers.iter().all(|answer| answer.get(FAILED).is_some()) => {
                        return failed(first);
                    }
                    _ => {}
                }
            }
            Ok(_) => break,
            Err(error) => return failed(error.into()),
        }
    }
    let documents: Vec<&Value> = answers.iter().collect();
    match tool.told(&call, &documents) {
        Ok(ToolAnswer::AsSent) => ToolResult::of_json(documents[0]),
        Ok(ToolAnswer::Json(value)) => ToolResult::of_json(&value),
        Ok(ToolAnswer::Text(text)) => ToolResult::Text(text),
        Ok(ToolAnswer::Nothing) => ToolResult::Text(call.fill(tool.nothing)),
        Err(error) => failed(error.into()),
    }
}

#[test]
fn an_error_of_garmin_mcp_is_one_of_ours_with_its_own_reason() {
    let mut wrong = Vec::new();
    for example in examples().iter().filter(|example| example.variant == "broken") {
        let tool = tools().find(|tool| tool.name == example.tool).unwrap();
        let told = result(tool, example);
        let is_right = match (&example.tells, &told) {
            (Value::String(theirs), ToolResult::Failed(ours)) if theirs.starts_with("Error") => {
                let is_outage = example
                    .answers
                    .iter()
                    .any(|reply| reply.outcome() == Err(ApiError::Unreachable));
                // garmin_mcp's text includes the kind of goals.
                theirs.split_once(": ").unwrap().0.replace(" active ", " ") == tool.failing
                    && ours.starts_with(&format!("{}: ", tool.failing))
                    && (is_outage || !ours.contains(EVERYTHING))
            }
            // Where every day of a range fails, garmin_mcp says that there is no data.
            (Value::String(theirs), ToolResult::Failed(_)) => {
                theirs.starts_with("No ") && example.answers.iter().all(|reply| reply.outcome().is_err())
            }
            (Value::String(theirs), ToolResult::Text(ours)) => ours == theirs && !theirs.starts_with("Error"),
            (theirs, ToolResult::Json { text, .. }) => same(&serde_json::from_str(text).unwrap(), theirs),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{} told {told:?}\nnot {}", example.tool, example.tells));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// A document with an unknown shape is reported as such, and never as a day without data.
#[test]
fn every_tool_that_reads_a_shape_has_a_case_of_another_one() {
    // Their documents are this worker's own, made from files.
    let of_files = [
        "get_activity_fit_data",
        "download_activity_file",
        "download_workout",
    ];
    let questions = super::super::questions::TOOLS;
    let is_question = |tool: &Tool| questions.iter().any(|question| question.name == tool.name);
    let cases = super::cases();
    let examples = examples();
    let reads_a_shape = |tool: &&Tool| {
        tool.effect() == Effect::Read
            && !matches!(tool.tell, AnswerShape::Raw | AnswerShape::Series)
            && !of_files.contains(&tool.name)
            && !is_question(tool)
            // These two pass Garmin's document on, whatever its shape.
            && !["get_user_summary", "get_body_composition"].contains(&tool.name)
    };
    for tool in tools().filter(reads_a_shape) {
        let mut told = cases
            .iter()
            .filter(|case| case.tool == tool.name)
            .filter_map(|case| case.tells.as_str());
        let is_told =
            told.any(|text| text.starts_with(tool.failing) && text.contains("Garmin changed its answer"));
        let is_played = examples
            .iter()
            .any(|example| example.tool == tool.name && example.variant == "broken");
        assert!(is_told || is_played, "{}", tool.name);
    }
}

/// The texts of failed changes begin like garmin_mcp's.
#[test]
fn a_failed_change_begins_as_in_garmin_mcp() {
    #[derive(Deserialize)]
    struct Change {
        tool: String,
        variant: String,
        tells: Value,
    }
    let changes: Vec<Change> =
        serde_json::from_str(include_str!("../../../tests/tools/changes.json")).unwrap();
    let mut compared = 0;
    for change in changes.iter().filter(|change| change.variant == "broken") {
        let tool = tools().find(|tool| tool.name == change.tool).unwrap();
        let Some((start, _)) = change.tells.as_str().and_then(|text| text.split_once(": ")) else {
            continue;
        };
        compared += 1;
        assert_eq!(tool.failing, start, "{}", tool.name);
    }
    assert!(compared > 20, "{compared}");
}
