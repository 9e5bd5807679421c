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
//! other. The list is also a good reading order.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`foundation`]: clock, config, disk, id, secrets, store, telemetry, lifecycle, causes, http, lanes, post, processes, turns |
//! | 1 | [`garmin`]: all that talks to Garmin; [`mcp`]: the protocol without I/O |
//! | 2 | [`accounts`]: who is who |
//! | 3 | [`oauth`]: the authorization server without HTTP; [`workers`]: one process per account; [`races`]: LiveTrack links, watched, kept and coached |
//! | 4 | [`tools`]: the built-in worker; [`gateway`]: bearer → account → answer |
//! | 5 | [`web`]: the public face; [`admin`]: the private one; [`simulator`]: a pretend Garmin |
//! | 6 | [`daemon`]: build, announce, wait, drain |
//! | 7 | [`console`]: the terminal; [`doctor`]: looks at everything; [`install`]: plan, show, do; [`upkeep`]: backups, and the secret |
//! | 8 | [`cli`]: the subcommands |
//!
//! # Invariants
//!
//! - Fenced crates: warp in [`web`]; sled in `foundation::store`; orion in `foundation::secrets`; clap in [`cli`];
//!   ratatui and crossterm in [`console`]; child processes in `foundation::processes` (and the system's own programs in
//!   [`install`]); the environment in `foundation::config` (and what the service manager puts there in [`daemon`]).
//! - A write that was acknowledged survives `kill -9` and a power cut.
//! - Every record is sealed; bearer tokens, codes and client secrets are stored as SHA-256 only.
//! - No e-mail, password, code, token, cookie or position reaches a log; an address does only where a sign-in fails.
//! - The gateway keeps no MCP session for a client: a restart or a reaped worker goes unnoticed.
//!
//! # Absent on purpose
//!
//! No MCP sessions, no server-to-client requests, no cache of tokens in front of the store that could outlive a
//! revocation, no unsafe code.

pub mod foundation;

pub mod garmin;
pub mod mcp;

pub mod accounts;

pub mod oauth;
pub mod races;
pub mod workers;

pub mod gateway;
pub mod tools;

pub mod admin;
pub mod simulator;
pub mod web;

pub mod daemon;

pub mod console;
pub mod doctor;
pub mod install;
pub mod upkeep;

pub mod cli;
