//! The integration tests: one binary that uses real sockets, processes and files, and the simulator in place of Garmin.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests start processes, ask the clock, and speak to their parents"
)]

mod admin;
mod advice;
mod bot;
mod changes;
mod claude;
mod coaching;
mod console;
mod crowd;
mod doctor;
mod ended_looks;
mod face;
mod garmin_api;
mod grants;
mod history;
mod https;
mod import;
mod isolation;
mod keys;
mod looks;
mod mailbox;
mod mcp;
mod oauth;
mod older_store;
mod outputs;
mod own_page;
mod pages;
mod progress;
mod races;
mod readme;
mod refused_names;
mod repeats;
mod restart;
mod revocation;
mod rotation;
mod rows;
mod sign_in;
mod signals;
mod signing_out;
mod store;
mod tidy;
mod tools;
mod upgrade;
mod web;
mod whole;
mod withdrawal;
mod workers;
