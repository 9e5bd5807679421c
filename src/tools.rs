//! The built-in worker: an MCP server for one person, which answers from the person's Garmin account.
//!
//! | file | |
//! |---|---|
//! | [`table`] | what a tool is: a row of its module's table |
//! | [`call`] | arguments, checked, and the requests made of them |
//! | [`fields`], [`json`] | from Garmin's documents to what a tool tells |
//! | [`outcome`] | results and failures, in words |
//! | [`activity_management`], [`health_wellness`], [`user_profile`] | the tools, a module of garmin_mcp each |
//! | [`mod@server`] | MCP: a message in, a reply out |
//! | [`stdio`], [`http`] | its two transports |
//!
//! # Invariants
//!
//! - Names, parameters, schemas, JSON and texts are those of garmin_mcp at 2974244; every difference is a row of
//!   `assets/differences.md`.
//! - A tool is pure: arguments → requests, and Garmin's answers → text. Only [`mod@server`] asks Garmin.
//! - A failure says what to do about it, and never holds what Garmin sent.
//!
//! # Absent on purpose
//!
//! Pacing, retries, refreshing of tokens and keeping of answers (they are the API's, in [`crate::garmin`]); a sign-in
//! (the worker is given tokens); progress, logging, sampling and all else that no tool needs.

mod activity_management;
mod call;
mod fields;
mod health_wellness;
mod http;
mod json;
mod outcome;
mod server;
mod stdio;
mod table;
#[cfg(test)]
mod tests;
mod user_profile;

use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::unix::pipe;

use crate::base::clock::Clock;
use crate::base::lifecycle::{Lifecycle, StopSignals};
use crate::config::{Transport, WorkerConfig};
use crate::garmin::{self, Api, ApiParts, ApiSettings};
use crate::workers::SIGN_IN_NEEDED;
use server::Server;
use table::Tool;

/// How long a stop waits for calls and for tokens that are being saved; the gateway kills after 5 s.
const DRAIN: Duration = Duration::from_secs(4);

/// Why the worker could not run. *The operator* can act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused what every program gets: threads, signals, its standard input.
    #[error("the worker could not be set up")]
    SetUp(#[source] io::Error),
    /// The TLS library or its trust store.
    #[error("HTTPS could not be set up")]
    Https(#[source] reqwest::Error),
    /// `GARMIN_MCP_HOST` or `GARMIN_MCP_PORT`.
    #[error("the worker can't listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// Standard output was closed while there was something to say.
    #[error("the output was closed")]
    Output(#[source] io::Error),
}

/// Every tool, in the order of the list.
fn tools() -> impl Iterator<Item = &'static Tool> {
    [
        activity_management::TOOLS,
        health_wellness::TOOLS,
        user_profile::TOOLS,
    ]
    .into_iter()
    .flatten()
}

/// What the built-in worker lists, as JSON: the results of `tools/list` and of `resources/list`.
pub fn lists() -> (String, String) {
    let tools: Vec<_> = tools().map(Tool::listing).collect();
    (
        serde_json::json!({"tools": tools}).to_string(),
        serde_json::json!({"resources": []}).to_string(),
    )
}

/// Runs the worker until its input ends, or a signal stops it.
///
/// Over HTTP a standard input that is a pipe is a life line: when its other end closes, the worker ends, so that it
/// never outlives the gateway. A rustls provider must be installed.
pub fn run(config: WorkerConfig) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Token files and standard input; each thread costs memory.
        .max_blocking_threads(4)
        .build()
        .map_err(Error::SetUp)?;
    let ended = runtime.block_on(serve(config));
    // A read of standard input that nobody waits for must not hold up the end.
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
            let server = server(config, clock, &lifecycle, Box::new(|| ()))?;
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
            let is_supervised = follow_life_line(&lifecycle).map_err(Error::SetUp)?;
            // The gateway watches for this file beside the tokens.
            let mark = config.tokens.with_file_name(SIGN_IN_NEEDED);
            let sign_in_needed: server::SignInNeeded = if is_supervised {
                Box::new(move || leave_mark(&mark))
            } else {
                Box::new(|| ())
            };
            let server = server(config, clock, &lifecycle, sign_in_needed)?;
            let port = listener.local_addr().map_or(0, |address| address.port());
            tracing::info!(transport = "streamable-http", port, "worker.listening");
            lifecycle.spawn("http", http::serve(listener, server, stopping.clone()));
            stopping.cancelled().await;
            Ok(())
        }
    };
    if !lifecycle.drain(DRAIN).await {
        tracing::warn!("worker.drain_cut");
    }
    result
}

fn server(
    config: WorkerConfig,
    clock: Clock,
    lifecycle: &Lifecycle,
    sign_in_needed: server::SignInNeeded,
) -> Result<Server, Error> {
    let offered = tools().filter(|tool| config.offers(tool.name)).collect();
    for name in config.enabled.iter().flatten().chain(&config.disabled) {
        if !tools().any(|tool| tool.name == name) {
            tracing::warn!(tool = %name, "worker.filter_unknown");
        }
    }
    let api = Api::new(ApiParts {
        settings: ApiSettings::new(&config.garmin),
        http: garmin::client(&config.garmin).map_err(Error::Https)?,
        tokens: config.tokens,
        hosts: config.garmin,
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
    });
    Ok(Server::new(offered, api, clock, sign_in_needed))
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

/// Stops when the other end of standard input closes, if that is a pipe. Returns whether it is one.
fn follow_life_line(lifecycle: &Lifecycle) -> io::Result<bool> {
    let stdin = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned()?);
    if !stdin.metadata()?.file_type().is_fifo() {
        return Ok(false);
    }
    let mut line = pipe::Receiver::from_file(stdin)?;
    let told = lifecycle.clone();
    lifecycle.spawn("life line", async move {
        let stopping = told.stopping();
        let mut ignored = [0; 64];
        loop {
            tokio::select! {
                read = line.read(&mut ignored) => match read {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => break,
                },
                () = stopping.cancelled() => break,
            }
        }
        told.stop();
    });
    Ok(true)
}

fn leave_mark(path: &Path) {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            tracing::warn!(reason = %e, "worker.mark_failed");
        }
        _ => {}
    }
}
