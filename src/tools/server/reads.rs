//! Builds the answer of a tool from Garmin's answers to its requests.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use serde_json::{Value, json};

use super::super::activity_files;
use super::super::call::ToolCall;
use super::super::garmin_get::{FAILED, GarminGet};
use super::super::multisport::{self, SingleAnswer};
use super::super::outcome::{ToolFailure, ToolResult};
use super::super::output_schema::output_schema;
use super::super::page;
use super::super::parameter::ParameterKind;
use super::super::progress::{CallProgress, DOWNLOADING, READING};
use super::super::table::{AnswerError, Effect, NextStep, Tool, ToolAnswer};
use super::Server;
use crate::garmin::ApiError;
use crate::garmin::files::FileError;

/// An upper bound for rounds of requests. No tool needs as many.
pub(in crate::tools) const MOST_ROUNDS: usize = 12;

/// How many requests of one call are under way at once.
const AT_ONCE: usize = 4;

impl Server {
    /// The answer to a call. If a tool takes an activity id and finds nothing for a multisport activity, it answers for
    /// the parts of the activity.
    pub(super) async fn answer(
        &self,
        tool: &Tool,
        call: &ToolCall,
        progress: &CallProgress,
    ) -> Result<ToolResult, ToolFailure> {
        if tool.effect() != Effect::Read {
            return self.change(tool, call, progress).await;
        }
        let answer = self.single(tool, call, progress).await?;
        if !takes_id(tool) {
            return Ok(paged(tool, call, answer));
        }
        let id = call.whole("activity_id");
        let is_summary = tool.name == "get_activity";
        if !is_summary && !multisport::is_empty(&answer) {
            return Ok(paged(tool, call, answer));
        }
        // If the activity can't be read, the tool's own answer is returned.
        let Ok(parent) = self.get(call.get(multisport::ACTIVITY)).await else {
            return Ok(paged(tool, call, answer));
        };
        let part_ids = multisport::part_ids(&parent);
        if part_ids.is_empty() {
            return Ok(paged(tool, call, answer));
        }
        let part = async |part_id: i64| {
            let call = call.for_activity(part_id);
            let summary = self.get(call.get(multisport::ACTIVITY)).await;
            let answer = if is_summary {
                Ok(SingleAnswer::Nothing(String::new()))
            } else {
                self.single(tool, &call, progress).await
            };
            (part_id, summary, answer)
        };
        let parts = join_all(part_ids.into_iter().map(part)).await;
        let now = self.0.clock.now();
        let parts = parts.into_iter().map(|(part_id, summary, answer)| {
            let answer = answer.map_err(|failure| failure.told(now));
            multisport::part(part_id, summary.as_deref().ok(), answer, !is_summary)
        });
        Ok(paged(tool, call, multisport::whole(id, answer, parts.collect())))
    }

    /// The answer for a single activity, day or range.
    async fn single(
        &self,
        tool: &Tool,
        call: &ToolCall,
        progress: &CallProgress,
    ) -> Result<SingleAnswer, ToolFailure> {
        let mut answers: Vec<Arc<Value>> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let documents: Vec<&Value> = answers.iter().map(AsRef::as_ref).collect();
            let NextStep::Get(gets) = tool.next(call, &documents)? else {
                break;
            };
            match self.round(call, gets, answers.is_empty(), progress).await {
                Ok(more) => answers.extend(more),
                // For an unknown id, the text that there is no data is an answer, not a failure.
                Err(ToolFailure::Garmin(ApiError::NotFound)) if takes_id(tool) => {
                    return Ok(SingleAnswer::Nothing(call.fill(tool.nothing)));
                }
                Err(failure) => return Err(failure),
            }
        }
        let documents: Vec<&Value> = answers.iter().map(AsRef::as_ref).collect();
        Ok(match tool.told(call, &documents)? {
            ToolAnswer::Json(value) => SingleAnswer::Json(Arc::new(value)),
            ToolAnswer::AsSent => SingleAnswer::Json(answers.into_iter().next().unwrap_or_default()),
            ToolAnswer::Text(text) => SingleAnswer::Nothing(text),
            ToolAnswer::Nothing => SingleAnswer::Nothing(call.fill(tool.nothing)),
        })
    }

    /// The answers to requests, of which a few are sent concurrently: a long call must leave room for the person's other
    /// calls. An optional request that fails gives an answer with [`FAILED`], unless all requests of the first round
    /// failed.
    pub(super) async fn round(
        &self,
        call: &ToolCall,
        gets: Vec<GarminGet>,
        is_first: bool,
        progress: &CallProgress,
    ) -> Result<Vec<Arc<Value>>, ToolFailure> {
        let optional: Vec<bool> = gets.iter().map(|get| get.is_optional).collect();
        progress.begin(gets.len());
        let requests = gets.into_iter().map(async |get| {
            let document = self.document(call, get, progress).await;
            progress.answered();
            document
        });
        let results: Vec<_> = stream::iter(requests).buffered(AT_ONCE).collect().await;
        let (mut answers, mut failures) = (Vec::new(), Vec::new());
        for (result, is_optional) in results.into_iter().zip(optional) {
            match result {
                Ok(answer) => answers.push(answer),
                Err(failure) if is_optional && failure.concerns_one_request() => {
                    answers.push(Arc::new(json!({FAILED: failure.class()})));
                    failures.push(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        match failures.into_iter().next() {
            Some(first) if is_first && answers.iter().all(|answer| answer.get(FAILED).is_some()) => {
                Err(first)
            }
            _ => Ok(answers),
        }
    }

    /// The answer to a read; a file is turned into a document.
    async fn document(
        &self,
        call: &ToolCall,
        get: GarminGet,
        progress: &CallProgress,
    ) -> Result<Arc<Value>, ToolFailure> {
        let Some(reading) = get.file else {
            return self.get(get).await;
        };
        progress.begin(1);
        progress.step(DOWNLOADING);
        let bytes = self.0.api.get_bytes(&get.path).await?;
        progress.answered();
        progress.step(READING);
        let call = call.clone();
        // A large file takes too long for the thread that answers the person's other calls.
        let read = tokio::task::spawn_blocking(move || activity_files::read(reading, &call, bytes)).await;
        let document = read.map_err(|_| AnswerError::File(FileError::Damaged))??;
        Ok(Arc::new(document))
    }

    pub(super) async fn get(&self, get: GarminGet) -> Result<Arc<Value>, ToolFailure> {
        let get = if get.needs_display_name() {
            match self.0.api.display_name().await? {
                "" => return Err(ToolFailure::NoDisplayName),
                name => get.of_person(name),
            }
        } else {
            get
        };
        Ok(match &get.graphql {
            Some(query) => self.0.api.graphql(query).await?,
            None => self.0.api.get_json(&get.path, &get.query).await?,
        })
    }
}

/// Makes an answer the result of the call. A long answer is reduced to the requested page.
fn paged(tool: &Tool, call: &ToolCall, answer: SingleAnswer) -> ToolResult {
    match answer {
        SingleAnswer::Json(value) => page::fitting(&value, call.cursor),
        // A tool with an output schema must answer with an object.
        SingleAnswer::Nothing(text) if output_schema(tool.name).is_some() => {
            ToolResult::of_json(&json!({"nothing": text}))
        }
        SingleAnswer::Nothing(text) => page::fitting(&Value::String(text), 0),
    }
}

fn takes_id(tool: &Tool) -> bool {
    tool.parameters
        .iter()
        .any(|parameter| matches!(parameter.kind, ParameterKind::Id))
}
