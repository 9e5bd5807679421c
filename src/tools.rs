//! The built-in worker: an MCP server for one person's Garmin account.
//!
//! | file | |
//! |---|---|
//! | [`table`], [`parameter`] | the definition of a tool: a row in the table of its module |
//! | [`call`], [`days`], [`garmin_get`] | validated arguments, and the requests built from them |
//! | [`change`] | changes: the plan, its preview, and its outcome |
//! | [`fields`], [`json`], [`series`], [`page`] | the conversion of Garmin's documents to a tool's answer |
//! | [`time_zone`], [`local_time`], [`sport`] | the zone that decides what `today` is and how times are shown; pace |
//! | [`activity_files`], [`recordings`] | activity files, and what can be computed from them |
//! | [`resources`] | files and templates as MCP resources |
//! | [`outcome`], [`output_schema`] | results and failures in MCP's format; the schemas of results |
//! | [`activity_management`], [`health_wellness`], [`user_profile`], [`training`], … | the tools, by garmin_mcp's modules |
//! | [`questions`] | tools that compute an answer from several documents |
//! | [`from_history`] | the same answers from a person's history |
//! | [`mod@server`] | the MCP server, independent of the transport |
//! | [`progress`] | progress of calls that take long |
//! | [`stdio`], [`http`] | the two transports |
//! | [`supervisor`] | the gateway that started the worker |
//!
//! # Invariants
//!
//! - Names, parameters, JSON and texts match garmin_mcp at commit 2974244. Every difference is a row of
//!   `assets/differences.md`.
//! - A tool does no I/O. It turns arguments into requests, and Garmin's answers into text. Only [`mod@server`] sends
//!   requests.
//! - An error message says what to do about the failure, and never contains text from Garmin.
//!
//! # Out of scope
//!
//! Pacing, retries, token refresh and caching, which are the job of the API client in [`crate::garmin`]; sign-in,
//! because the worker is started with tokens; MCP's logging and sampling, which no tool needs.

mod activity_edits;
mod activity_files;
mod activity_management;
mod answer;
mod badges;
mod body_entries;
mod calendar;
mod call;
mod challenges;
mod change;
mod course_changes;
mod days;
mod devices;
mod diary;
#[cfg(test)]
mod failed_parts;
mod fields;
mod file_reading;
mod food_changes;
mod from_history;
mod garmin_get;
mod gear_management;
mod health_wellness;
mod http;
mod json;
mod local_time;
mod multisport;
#[cfg(any(test, fuzzing))]
mod mutated;
mod outcome;
pub mod output_schema;
pub mod page;
mod parameter;
mod planned;
mod progress;
mod questions;
mod recordings;
mod resources;
mod schedule_changes;
mod scores;
mod series;
mod server;
mod sport;
mod stdio;
mod supervisor;
mod table;
#[cfg(test)]
mod tests;
mod time_zone;
mod training;
mod trends;
mod user_profile;
mod weight_management;
mod workout_builders;
mod workout_changes;
mod workout_details;
mod workout_document;
mod workout_steps;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::base::clock::Clock;
use crate::base::lifecycle::{Lifecycle, StopSignals};
use crate::config::{Transport, WorkerConfig};
use crate::garmin::{self, Api, ApiParts, ApiSettings};
use crate::mcp::DataGroup;
use crate::workers::SIGN_IN_NEEDED;
use server::Server;
use supervisor::{Supervisor, create_marker};
use table::Tool;

/// The time that a stop waits for running calls and for tokens to be saved. The gateway kills a worker after 5 s.
const DRAIN: Duration = Duration::from_secs(4);

pub use change::{EarlierChange, REPETITION_WINDOW, RequestedChange};
pub use from_history::{MissingParts, answer_from, is_answered_from_history};
pub use outcome::ASKS_FOR_SIGN_IN;

/// Why the worker could not run. The *operator* can fix it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Threads, signals or standard input could not be set up.
    #[error("the worker could not be set up")]
    SetUp(#[source] io::Error),
    #[error("HTTPS could not be set up")]
    Https(#[source] reqwest::Error),
    /// `GARMIN_MCP_HOST` or `GARMIN_MCP_PORT` is unusable.
    #[error("the worker can't listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The gateway left a bearer token file that can't be read.
    #[error("the bearer token {} can't be read", .0.display())]
    Bearer(PathBuf, #[source] io::Error),
    /// Standard output was closed before the last answer was written.
    #[error("the output was closed")]
    Output(#[source] io::Error),
}

/// The change that a call of a tool asks for; `None` if it asks for none, or if the worker will refuse it.
pub fn requested_change(
    tool: &str,
    arguments: &serde_json::Map<String, serde_json::Value>,
    now: jiff::Timestamp,
) -> Option<RequestedChange> {
    let tool = tools().find(|known| known.name == tool)?;
    RequestedChange::of(tool, arguments, now)
}

/// The metrics that the arguments [`METRIC_ARGUMENTS`] of a question can name, each with its group of data.
pub fn metric_groups() -> impl Iterator<Item = (&'static str, DataGroup)> {
    questions::metric_groups()
}

/// The arguments of questions that name a metric.
pub const METRIC_ARGUMENTS: [&str; 2] = ["metric", "other"];

/// Fuzzer entry point: runs a tool on mutated answers of Garmin.
#[cfg(fuzzing)]
pub fn fuzz(choices: &[u8]) {
    mutated::run_mutated(choices);
}

/// All tools, in the order of `tools/list`.
fn tools() -> impl Iterator<Item = &'static Tool> {
    [
        activity_management::TOOLS,
        activity_edits::TOOLS,
        body_entries::TOOLS,
        workout_changes::TOOLS,
        workout_builders::TOOLS,
        schedule_changes::TOOLS,
        food_changes::TOOLS,
        course_changes::TOOLS,
        health_wellness::TOOLS,
        user_profile::TOOLS,
        training::TOOLS,
        trends::TOOLS,
        weight_management::TOOLS,
        devices::TOOLS,
        gear_management::TOOLS,
        challenges::TOOLS,
        badges::TOOLS,
        scores::TOOLS,
        diary::TOOLS,
        questions::TOOLS,
        planned::TOOLS,
        activity_files::TOOLS,
    ]
    .into_iter()
    .flatten()
}

/// The JSON results of `tools/list`, `resources/list` and `resources/templates/list`.
pub struct WorkerListing {
    pub tools: String,
    pub resources: String,
    pub resource_templates: String,
}

pub fn lists() -> WorkerListing {
    let tools: Vec<_> = tools().map(Tool::listing).collect();
    WorkerListing {
        tools: serde_json::json!({"tools": tools}).to_string(),
        resources: resources::list().to_string(),
        resource_templates: resources::template_list().to_string(),
    }
}

/// Runs the worker until its input ends or a signal stops it.
///
/// Over HTTP, a standard input that is a pipe ties the worker to the gateway. The worker stops when the other end of
/// the pipe closes, so it never outlives the gateway. A rustls provider must be installed.
pub fn run(config: WorkerConfig) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Four threads are enough for token files and standard input, and each one costs memory.
        .max_blocking_threads(4)
        .build()
        .map_err(Error::SetUp)?;
    let ended = runtime.block_on(serve(config));
    // A blocked read of standard input must not delay the exit.
    runtime.shutdown_background();
    ended
}

async fn serve(config: WorkerConfig) -> Result<(), Error> {
    let clock = Clock::system();
    let lifecycle = Lifecycle::new();
    stop_on_signals(&lifecycle).map_err(Error::SetUp)?;
    let stopping = lifecycle.stopping();
    let result = match config.transport {
        Transport::Stdio => {
            let server = server(config, clock, &lifecycle, None)?;
            tracing::info!(transport = "stdio", "worker.listening");
            let streams = (tokio::io::stdin(), tokio::io::stdout());
            stdio::serve(&server, streams.0, streams.1, stopping.cancelled())
                .await
                .map_err(Error::Output)
        }
        Transport::StreamableHttp(address) => {
            let listener = TcpListener::bind(address)
                .await
                .map_err(|e| Error::Listen(address, e))?;
            let supervisor = Supervisor::find(&config.tokens)?;
            let bearer = supervisor.as_ref().and_then(|supervisor| supervisor.bearer);
            let server = server(config, clock, &lifecycle, supervisor)?;
            let port = listener.local_addr().map_or(0, |address| address.port());
            tracing::info!(transport = "streamable-http", port, "worker.listening");
            lifecycle.spawn("http", http::serve(listener, server, bearer, stopping.clone()));
            stopping.cancelled().await;
            Ok(())
        }
    };
    if !lifecycle.drain(DRAIN).await {
        tracing::warn!("worker.drain_cut");
    }
    result
}

/// `supervisor`: the gateway, which paces the requests, watches the token directory, and stops the worker.
fn server(
    config: WorkerConfig,
    clock: Clock,
    lifecycle: &Lifecycle,
    supervisor: Option<Supervisor>,
) -> Result<Server, Error> {
    let mark = config.tokens.with_file_name(SIGN_IN_NEEDED);
    let sign_in_needed: server::SignInNeeded = if supervisor.is_some() {
        Box::new(move || create_marker(&mark))
    } else {
        Box::new(|| ())
    };
    let permits = supervisor.and_then(|supervisor| supervisor.follow(lifecycle));
    let offered = tools().filter(|tool| config.offers(tool.name)).collect();
    for name in config.enabled.iter().flatten().chain(&config.disabled) {
        if !tools().any(|tool| tool.name == name) {
            tracing::warn!(tool = %name, "worker.filter_unknown");
        }
    }
    let api = Api::new(ApiParts {
        permits,
        settings: ApiSettings::new(&config.garmin),
        http: garmin::client(&config.garmin).map_err(Error::Https)?,
        tokens: config.tokens,
        hosts: config.garmin,
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
    });
    let server = Server::new(offered, api, clock, sign_in_needed);
    if let Some(zone) = config.time_zone {
        server.set_zone(zone);
    }
    Ok(server)
}

fn stop_on_signals(lifecycle: &Lifecycle) -> io::Result<()> {
    let mut signals = StopSignals::listen()?;
    let told = lifecycle.clone();
    lifecycle.spawn("signals", async move {
        let stopping = told.stopping();
        tokio::select! {
            () = signals.wait() => told.stop(),
            () = stopping.cancelled() => {}
        }
    });
    Ok(())
}
