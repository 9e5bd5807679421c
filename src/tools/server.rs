//! The MCP server for one person, independent of the transport: it takes a message and returns a reply.
//!
//! It supports the revisions up to 2025-11-25, as garmin_mcp does; the gateway translates for newer clients. It keeps
//! no state about its client, so a client may skip `initialize` or lose its session id.

mod changes;
mod history;
mod past;
mod reads;
mod zone;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use jiff::tz::TimeZone;
use parking_lot::{Mutex, MutexGuard};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

pub(super) use reads::MOST_ROUNDS;

use super::call::ToolCall;
use super::change::RecentChanges;
use super::outcome::{ToolFailure, ToolResult};
use super::progress::{CallProgress, DOWNLOADING, Notifications};
use super::resources::{self, ResourceKind};
use super::table::Tool;
use crate::base::clock::Clock;
use crate::garmin::{Api, ApiError};
use crate::history::wire::READ_DAYS;
use crate::mcp::answer::response;
use crate::mcp::members::Members;
use crate::mcp::params::Params;
use crate::mcp::revision::negotiated;
use crate::mcp::{Era, JsonRpcMessage, McpError, RejectedRequest};
use crate::race::past::READ_PAST;

/// The tools on offer and the person's Garmin account. Clones share both.
#[derive(Clone)]
pub(super) struct Server(Arc<ServerState>);

struct ServerState {
    tools: Vec<&'static Tool>,
    api: Api,
    clock: Clock,
    sign_in_needed: SignInNeeded,
    /// The person's time zone, once it is known from the gateway or from Garmin.
    zone: OnceLock<TimeZone>,
    /// The calls in progress, by their request id as raw JSON.
    in_progress: Mutex<HashMap<String, CancellationToken>>,
    recent: Mutex<RecentChanges>,
}

/// Called when Garmin no longer accepts the sign-in.
pub(super) type SignInNeeded = Box<dyn Fn() + Send + Sync>;

/// The reply to one MCP message.
#[derive(Debug, PartialEq)]
pub(super) enum McpReply {
    Answer(Bytes),
    Opened(Bytes),
    /// An error about the message itself, with its HTTP status.
    Refused(u16, Bytes),
    /// No reply, because the message was a notification or a response.
    Nothing,
}

impl Server {
    pub(super) fn new(
        tools: Vec<&'static Tool>,
        api: Api,
        clock: Clock,
        sign_in_needed: SignInNeeded,
    ) -> Self {
        Self(Arc::new(ServerState {
            tools,
            api,
            clock,
            sign_in_needed,
            zone: OnceLock::new(),
            in_progress: Mutex::default(),
            recent: Mutex::default(),
        }))
    }

    /// Answers one message. Messages about its progress go to `notifications` before the reply. Dropping the future
    /// cancels the call.
    pub(super) async fn reply(&self, message: &[u8], notifications: &Notifications) -> McpReply {
        match JsonRpcMessage::parse(message) {
            Ok(JsonRpcMessage::Request { id, method, params }) => {
                match self.request(id, &method, params, notifications).await {
                    Ok(result) if method == "initialize" => McpReply::Opened(response(id.get(), &result)),
                    Ok(result) => McpReply::Answer(response(id.get(), &result)),
                    Err(refusal) => refused(&refusal.of(Some(id))),
                }
            }
            Ok(JsonRpcMessage::Notification { method, params }) => {
                if method == "notifications/cancelled" {
                    self.cancel(params);
                }
                McpReply::Nothing
            }
            Ok(JsonRpcMessage::Response) => McpReply::Nothing,
            Err(rejected) => refused(&rejected),
        }
    }

    async fn request(
        &self,
        id: &RawValue,
        method: &str,
        params: Option<&RawValue>,
        notifications: &Notifications,
    ) -> Result<String, McpError> {
        let params = Params::read(params)?;
        let progress = CallProgress::new(params.meta.progress_token, notifications);
        match method {
            "initialize" => Ok(initialize(params.text("protocolVersion")?.as_deref())),
            "ping" => Ok("{}".to_owned()),
            "tools/list" => {
                let tools: Vec<Value> = self.0.tools.iter().map(|tool| tool.listing()).collect();
                Ok(json!({"tools": tools}).to_string())
            }
            "tools/call" => self.call(id, &params, &progress).await,
            "resources/list" => Ok(resources::list().to_string()),
            "resources/templates/list" => Ok(resources::template_list().to_string()),
            "resources/read" => {
                let uri = params.text("uri")?.unwrap_or_default().into_owned();
                self.resource(uri, &progress).await
            }
            // The templates have nothing to complete: ids come from the tools.
            "completion/complete" => Ok(json!({"completion": {"values": []}}).to_string()),
            READ_DAYS => self.read_days(&params).await,
            READ_PAST => self.read_past(&params).await,
            "prompts/list" => Ok(json!({"prompts": []}).to_string()),
            unknown => {
                let method = unknown.chars().take(80).collect();
                Err(McpError::MethodNotFound {
                    method,
                    era: Era::Legacy,
                })
            }
        }
    }

    async fn call(
        &self,
        id: &RawValue,
        params: &Params<'_>,
        progress: &CallProgress,
    ) -> Result<String, McpError> {
        let name = params
            .text("name")?
            .ok_or(McpError::InvalidParams("params.name is missing".into()))?;
        let arguments: Map<String, Value> =
            match params.get("arguments").filter(|given| given.get() != "null") {
                None => Map::new(),
                Some(given) => serde_json::from_str(given.get())
                    .map_err(|_| McpError::InvalidParams("params.arguments must be an object".into()))?,
            };
        let Some(tool) = self.0.tools.iter().find(|tool| tool.name == name) else {
            return Ok(ToolResult::Failed(format!("Unknown tool: {name}")).result());
        };
        let cancelled = CancellationToken::new();
        let _in_progress = RegisteredCall::enter(self, id, &cancelled);
        tokio::select! {
            outcome = self.outcome(tool, &arguments, progress) => Ok(outcome.result()),
            // The client no longer waits, but HTTP requires a response.
            () = cancelled.cancelled() => Err(McpError::NoAnswer("Request cancelled".to_owned())),
        }
    }

    /// The result of `resources/read`.
    async fn resource(&self, uri: String, progress: &CallProgress) -> Result<String, McpError> {
        let not_found = |uri| McpError::ResourceNotFound {
            uri,
            era: Era::Legacy,
        };
        let started = Instant::now();
        let (path, format) = match resources::find(&uri) {
            Some(ResourceKind::Text(text)) => return Ok(resources::text(&uri, text).to_string()),
            Some(ResourceKind::File { path, format }) => (path, format),
            None => return Err(not_found(uri)),
        };
        progress.begin(1);
        progress.step(DOWNLOADING);
        let served = match self.0.api.get_bytes(&path).await {
            Ok(bytes) if bytes.is_empty() => return Err(not_found(uri)),
            Ok(bytes) => resources::file(&uri, format, &bytes),
            Err(ApiError::NotFound) => return Err(not_found(uri)),
            Err(error) => {
                let failure = ToolFailure::from(error);
                if let ToolFailure::Garmin(ApiError::SignInNeeded(_)) = failure {
                    (self.0.sign_in_needed)();
                }
                Err(failure.told(self.0.clock.now()))
            }
        };
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(format, ms, is_served = served.is_ok(), "resource.read");
        served.map_err(|reason| McpError::NoAnswer(format!("Error reading {uri}: {reason}")))
    }

    async fn outcome(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        progress: &CallProgress,
    ) -> ToolResult {
        let started = Instant::now();
        let call = match ToolCall::check(tool.parameters, arguments, &self.now().await) {
            Ok(call) => call,
            Err(refused) => {
                tracing::info!(tool = tool.name, "tool.refused");
                return ToolResult::of_arguments(tool.name, &refused.to_string());
            }
        };
        let answer = self.answer(tool, &call, progress).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match answer {
            Ok(result) => {
                tracing::info!(tool = tool.name, ms, bytes = result.bytes(), "tool.told");
                result
            }
            Err(failure) => {
                tracing::warn!(tool = tool.name, ms, class = failure.class(), "tool.failed");
                if let ToolFailure::Garmin(ApiError::SignInNeeded(_)) = failure {
                    (self.0.sign_in_needed)();
                }
                ToolResult::of_failure(tool, &failure, self.0.clock.now())
            }
        }
    }

    /// Handles `notifications/cancelled`; its `requestId` identifies the call.
    fn cancel(&self, params: Option<&RawValue>) {
        let id = params.and_then(|params| Members::of(params.get())?.get("requestId"));
        let call = id.and_then(|id| self.in_progress().remove(id.get()));
        if let Some(call) = call {
            call.cancel();
        }
    }

    fn in_progress(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.in_progress.lock()
    }
}

/// A call that can be cancelled until this is dropped.
struct RegisteredCall<'a> {
    server: &'a Server,
    id: &'a str,
}

impl<'a> RegisteredCall<'a> {
    fn enter(server: &'a Server, id: &'a RawValue, cancelled: &CancellationToken) -> Self {
        server
            .in_progress()
            .insert(id.get().to_owned(), cancelled.clone());
        Self { server, id: id.get() }
    }
}

impl Drop for RegisteredCall<'_> {
    fn drop(&mut self) {
        self.server.in_progress().remove(self.id);
    }
}

fn refused(rejected: &RejectedRequest) -> McpReply {
    match rejected.error.status() {
        200 => McpReply::Answer(rejected.body()),
        status => McpReply::Refused(status, rejected.body()),
    }
}

fn initialize(requested: Option<&str>) -> String {
    json!({
        "protocolVersion": negotiated(requested),
        "capabilities": {
            "tools": {"listChanged": false},
            "resources": {"subscribe": false, "listChanged": false},
        },
        "serverInfo": {
            "name": "garmin-gateway worker",
            "title": "Garmin",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "instructions": "Garmin Connect data of one person. Days are YYYY-MM-DD, today, \
                         yesterday or -7d. Prefer the summary tools (get_stats, \
                         get_sleep_summary, get_heart_rates_summary, get_stress_summary) to the detailed ones.",
    })
    .to_string()
}

#[cfg(test)]
mod tests;
