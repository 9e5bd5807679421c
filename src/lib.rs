//! garmin-gateway: a trusted circle's Garmin accounts, connected to Claude.
//!
//! # The way of one call
//!
//! Claude posts to `/mcp`. [`web`] takes the request off the wire and hands it to the [`gateway`], which asks
//! [`oauth`] whose bearer token it is, answers from the catalogue ([`mcp`]) what needs no Garmin, and sends the
//! rest to the worker process of that account ([`workers`]). A worker is this same binary ([`tools`]) or the
//! Python `garmin_mcp`; it talks to Garmin ([`garmin`]) and its answer streams back untouched.
//!
//! The race tools are the gateway's own: [`races`] answers them without a worker. A race goes on by itself: its task asks
//! LiveTrack, keeps the points, and tells what its rules say, whether or not anybody asks.
//!
//! # Floors
//!
//! Rooms are stacked; a room imports only from floors below its own, and rooms on one floor do not know each
//! other. The list is also a good reading order. `tests/it/tidy.rs` holds it.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`base`]: clock, id, secrets, lifecycle, http, log |
//! | 1 | [`config`]: the settings; [`store`]: sealed records on disk; [`sandbox`]: child processes; [`mcp`]: the protocol without I/O |
//! | 2 | [`garmin`]: all that talks to Garmin; [`tls`]: the certificate of the public address |
//! | 3 | [`accounts`]: who is who, and who lets whom see what |
//! | 4 | [`race`]: a race without I/O; [`oauth`]: the authorization server without HTTP; [`workers`]: one process per account; [`history`]: a person's own days, kept if they say so |
//! | 5 | [`notify`]: messages to phones, and devices of a home automation; [`coach`]: Claude looks at a race; [`tools`]: the built-in worker |
//! | 6 | [`advice`]: the coach who speaks first, from a person's kept days |
//! | 7 | [`races`]: LiveTrack links, watched, kept and coached |
//! | 8 | [`gateway`]: bearer → account → answer |
//! | 9 | [`admin`]: the private face, and what concerns several rooms; [`upkeep`]: backups, and the secret; [`import`]: moving in from the Python gateway; [`simulator`]: a pretend Garmin |
//! | 10 | [`web`]: the public face |
//! | 11 | [`daemon`]: build, announce, wait, drain; [`console`]: the terminal; [`doctor`]: looks at everything; [`install`]: plan, show, do |
//! | 12 | [`cli`]: the subcommands |
//!
//! # Invariants
//!
//! - Fenced crates: warp in [`web`]; sled in [`store`]; rusqlite in [`import`]; orion in `base::secrets`; clap in [`cli`]; rumqttc in `notify::mqtt`;
//!   ratatui and crossterm in [`console`]; child processes in [`sandbox`] (and the system's own programs in
//!   [`install`]); the environment in [`config`] (and what the service manager puts there in [`daemon`]).
//! - A write that was acknowledged survives `kill -9` and a power cut.
//! - Every record is sealed; bearer tokens, codes and client secrets are stored as SHA-256 only.
//! - No e-mail, password, code, token, cookie or position reaches a log; an address does only where a sign-in fails.
//! - The gateway keeps no MCP session for a client: a restart or a reaped worker goes unnoticed.
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
