//! One worker process per account: started on demand, watched, and never noticed.
//!
//! A worker is an MCP server for one person on `127.0.0.1`: the built-in one (this same binary) or the unmodified
//! Python `garmin_mcp`. The gateway owns the one MCP session that each worker has.
//!
//! | what | where |
//! |---|---|
//! | the door: call, stop, list, drain; what a call is and comes to | `handle`, `call` |
//! | who has a worker and who waits, and what to do when: a pure step | `board`, `policy` |
//! | doing it: one task for all, one for each worker | `supervisor`, `life` |
//! | the process: its variables and files, its output, why it did not start | `environment`, `output`, [`causes`]; the rest is [`crate::sandbox`] |
//! | the session: MCP over HTTP on the loopback | `upstream` |
//! | the workers' program, tried once for `doctor` | [`rehearsal`] |
//! | Garmin's tokens: handed out, watched, taken in, wiped | `tokens`, `changes`, `leftovers` |
//!
//! # Invariants
//!
//! - One process per account at most, `MAX_WORKERS` in all; one with a call in flight is never stopped to make room.
//! - No call is carried out twice unless it only reads; where a change may have happened, the caller is told.
//! - Tokens that a worker refreshed are sealed before its directory is wiped, and before the next worker starts. A sign-in
//!   in between wins.
//! - A worker sees no secret of the gateway: nothing in its environment or arguments, no file but its own, as far as
//!   the kernel can fence it in.
//! - Every process group is ended when its worker is, within two seconds when the gateway itself is killed.
//!
//! # Absent on purpose
//!
//! No shell, no health checks on a timer (a call that fails is what puts a worker in doubt), no MCP session of a client.

mod attached;
mod board;
mod call;
pub mod causes;
mod changes;
mod environment;
mod handle;
mod info;
mod leftovers;
mod life;
mod output;
mod policy;
mod ports;
mod procfs;
pub mod rehearsal;
mod running;
mod supervisor;
mod tokens;
mod upstream;

pub use call::{UpstreamAnswer, UpstreamCall, WorkerError};
pub use handle::{Workers, WorkersError, WorkersParts};
pub use info::{WorkerInfo, WorkerProcess};
pub use policy::StopReason;
pub use tokens::SIGN_IN_NEEDED;
#[cfg(fuzzing)]
pub use upstream::fuzz as fuzz_message;
