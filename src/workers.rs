//! One worker process per account: started on demand, supervised, and replaced without the caller noticing.
//!
//! A worker is an MCP server for one person on `127.0.0.1`: either the built-in one (this same binary) or the
//! unmodified Python `garmin_mcp`. The gateway owns the single MCP session with each worker.
//!
//! | what | where |
//! |---|---|
//! | the interface: call, stop, list, drain | `handle`, `call` |
//! | which account has a worker, which calls wait, and what to do (a pure state machine) | `pool`, `policy` |
//! | carrying it out: one task for all workers, and one task per worker | `supervisor`, `task` |
//! | the process: environment and files, output, known causes of a failed start | `process`, `environment`, `output`, [`causes`]; the rest is [`crate::sandbox`] |
//! | MCP over HTTP on the loopback interface | `session` |
//! | the pace of requests to Garmin, and a pause that it asked for, shared by all workers | `permits`, `pause` |
//! | a trial run of the worker program for `doctor` | [`rehearsal`] |
//! | Garmin tokens: handed out, watched, read back, wiped | `tokens`, `watcher`, `leftovers` |
//!
//! # Invariants
//!
//! - An account has at most one process, and there are at most `MAX_WORKERS` in all. A worker with a call in flight
//!   is never stopped to free its slot.
//! - A call that may have begun is retried only if it is read-only. If a change may have happened, the caller is told.
//! - Tokens that a worker refreshed are sealed before its directory is wiped and before the next worker starts,
//!   unless a sign-in has replaced them.
//! - A worker sees none of the gateway's secrets: there are none in its environment or arguments, and it can read no
//!   private file but its own, as far as the kernel can enforce that.
//! - A worker's process group ends with the worker, and within two seconds if the gateway is killed.
//!
//! # Deliberately absent
//!
//! No shell, no periodic health checks (only a failed or silent call makes a worker suspect), no MCP session per
//! client.

mod attached;
mod call;
pub mod causes;
mod context;
mod environment;
mod handle;
mod info;
mod leftovers;
mod output;
mod pause;
mod permits;
mod policy;
mod pool;
mod ports;
mod process;
mod procfs;
pub mod rehearsal;
mod session;
mod supervisor;
mod task;
mod tokens;
mod watcher;

pub use call::{UpstreamAnswer, UpstreamCall, WorkerError};
pub use handle::{Workers, WorkersError, WorkersParts};
pub use info::{WorkerInfo, WorkerProcess};
pub use permits::{PermitMessage, PermitReader, PermitWriter, permit_channel};
pub use policy::StopReason;
#[cfg(fuzzing)]
pub use session::fuzz as fuzz_message;
pub use task::SILENCE;
pub use tokens::{BEARER_FILE, SIGN_IN_NEEDED};
