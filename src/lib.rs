//! garmin-gateway: a trusted circle's Garmin accounts, connected to Claude.
//!
//! # The path of one call
//!
//! Claude posts to `/mcp`. [`web`] decodes the HTTP request and passes it to the [`gateway`]. The gateway asks
//! [`oauth`] whose bearer token it is, answers from the catalogue ([`mcp`]) whatever needs no data from Garmin, and
//! sends all other requests to the worker process of that account ([`workers`]). A worker is this same binary
//! ([`tools`]) or the Python `garmin_mcp`. It talks to Garmin ([`garmin`]), and its answer is relayed without being
//! re-serialised.
//!
//! The race tools are the gateway's own: [`races`] answers them without a worker. A race does not depend on calls: its
//! task polls LiveTrack, stores the points, and sends the alerts that its rules raise.
//!
//! # Floors
//!
//! Rooms (the modules below) are stacked on floors. A room imports only from floors below its own, and rooms on one
//! floor do not know each other. The table is also a good reading order. `tests/it/tidy.rs` reads it and enforces the
//! rule.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`base`]: clock, id, secrets, lifecycle, http, log |
//! | 1 | [`config`]: the settings; [`store`]: sealed records on disk; [`sandbox`]: child processes; [`mcp`]: the protocol without I/O |
//! | 2 | [`garmin`]: everything that talks to Garmin; [`tls`]: the certificate of the public address |
//! | 3 | [`accounts`]: the people, and who may see whose data |
//! | 4 | [`race`]: a race without I/O; [`oauth`]: the authorization server without HTTP; [`workers`]: one process per account; [`history`]: a person's own days, kept if they opt in |
//! | 5 | [`notify`]: messages to phones, and devices for home automation; [`coach`]: Claude's analyses of races; [`tools`]: the built-in worker |
//! | 6 | [`advice`]: the proactive coach, which reads a person's kept days |
//! | 7 | [`races`]: LiveTrack links, watched, kept and coached |
//! | 8 | [`gateway`]: bearer token → account → answer |
//! | 9 | [`admin`]: the private interface, and operations that span several rooms; [`upkeep`]: backups, and changes of the secret; [`import`]: migration from the Python gateway; [`simulator`]: a simulated Garmin |
//! | 10 | [`web`]: the public interface |
//! | 11 | [`daemon`]: starts all parts, announces readiness, waits and drains; [`console`]: the terminal; [`doctor`]: checks the installation; [`install`]: plans, shows and performs the installation |
//! | 12 | [`cli`]: the subcommands |
//!
//! # Invariants
//!
//! - Fenced crates: warp in [`web`]; sled in [`store`]; rusqlite in [`import`]; orion in `base::secrets`; clap in
//!   [`cli`]; rumqttc in `notify::mqtt`; ratatui and crossterm in [`console`]; child processes in [`sandbox`] (and the
//!   system's own programs in [`install`]); the environment in [`config`] (and what the service manager puts there in
//!   [`daemon`]).
//! - A write that was acknowledged survives `kill -9` and a power cut.
//! - Every record is sealed; bearer tokens, codes and client secrets are stored as SHA-256 only.
//! - No e-mail, password, code, token, cookie or position reaches a log. A client's IP address does only when a sign-in
//!   fails.
//! - The gateway keeps no MCP session for a client, so clients do not notice a restart, or a worker that was stopped.
//!
//! # Absent on purpose
//!
//! No MCP sessions, no server-to-client requests, no cache of tokens in front of the store that could outlive a
//! revocation, no unsafe code.

pub mod base;

pub mod config;
pub mod mcp;
pub mod sandbox;
pub mod store;

pub mod garmin;
pub mod tls;

pub mod accounts;

pub mod history;
pub mod oauth;
pub mod race;
pub mod workers;

pub mod coach;
pub mod notify;
pub mod tools;

pub mod advice;

pub mod races;

pub mod gateway;

pub mod admin;
pub mod import;
pub mod simulator;
pub mod upkeep;

pub mod web;

pub mod daemon;

pub mod console;
pub mod doctor;
pub mod install;

pub mod cli;
