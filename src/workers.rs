//! One worker process per account: started on demand, watched, replaced without the caller noticing.
//!
//! A worker is an MCP server for one person on `127.0.0.1`: the built-in one (this same binary) or the unmodified
//! Python `garmin_mcp`. The gateway owns the one MCP session that each worker has.
//!
//! | what | where |
//! |---|---|
//! | the interface: call, stop, list, drain | `handle`, `call` |
//! | which account has a worker, which calls wait, what to do when (a pure step) | `pool`, `policy` |
//! | doing it: one task for all workers, one for each | `supervisor`, `task` |
//! | the process: environment and files, output, known causes of a failed start | `process`, `environment`, `output`, [`causes`]; the rest is [`crate::sandbox`] |
//! | MCP over HTTP on the loopback | `session` |
//! | a trial run of the worker program for `doctor` | [`rehearsal`] |
//! | Garmin's tokens: handed out, watched, read back, wiped | `tokens`, `watcher`, `leftovers` |
//!
//! # Invariants
//!
//! - An account has one process at most, and there are `MAX_WORKERS` in all. A worker with a call in flight is never
//!   stopped to make room.
//! - Only a read-only call is ever sent twice. Where a change may have happened, the caller is told.
//! - Tokens that a worker refreshed are sealed before its directory is wiped and before the next worker starts. A sign-in
//!   in between wins.
//! - A worker sees no secret of the gateway: none in its environment or arguments, no file but its own, as far as the
//!   kernel can fence it in.
//! - A worker's process group ends with the worker, and within two seconds when the gateway itself is killed.
//!
//! # Absent on purpose
//!
//! No shell, no health checks on a timer (a failed or a silent call is what makes a worker suspect), no MCP session of a client.

mod attached;
mod call;
pub mod causes;
mod environment;
mod handle;
mod info;
mod leftovers;
mod output;
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
pub use policy::StopReason;
#[cfg(fuzzing)]
pub use session::fuzz as fuzz_message;
pub use task::SILENCE;
pub use tokens::{BEARER_FILE, SIGN_IN_NEEDED};
