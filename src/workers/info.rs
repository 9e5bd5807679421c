//! What the console and `stats` show of a worker. Read from the kernel when somebody looks, never in between.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::pool::WorkerPool;
use super::procfs::{self, GroupUsage};
use crate::accounts::AccountId;
use crate::sandbox::FenceReport;

/// One worker, or an account that waits for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// Whose.
    pub account: AccountId,
    /// `builtin`, or the name of the program.
    pub kind: String,
    /// `waiting` (for room), `starting`, `ready`, `stopping`, `failed` (the next start waits for its pause to end).
    pub state: String,
    /// The process, once it is ready.
    pub process: Option<WorkerProcess>,
    /// Calls that it works on.
    pub in_flight: usize,
    /// Calls that wait for it.
    pub waiting: usize,
    /// How long nobody called; absent while somebody does.
    pub idle: Option<Duration>,
    /// Starts since the gateway's own.
    pub starts: u64,
    /// Unexpected ends in a row.
    pub failures: u32,
    /// How long no new one is started after these.
    pub retry_in: Option<Duration>,
}

/// The process of a ready worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerProcess {
    /// The first process; it leads its group.
    pub pid: i32,
    /// On 127.0.0.1.
    pub port: u16,
    /// Calls so far.
    pub calls: u64,
    /// Resident memory of the group, in bytes.
    pub resident_bytes: u64,
    /// Processor time of the group so far.
    pub cpu: Duration,
    /// How far the fence around it goes, e.g. `files, ports, signals`.
    pub fence: String,
}

/// All workers, by account.
pub(super) fn list(pool: &WorkerPool, kind: &str) -> Vec<WorkerInfo> {
    let statuses = pool.statuses();
    let usages = procfs::usages();
    let mut infos: Vec<WorkerInfo> = statuses
        .into_iter()
        .map(|(account, status)| WorkerInfo {
            account,
            kind: kind.to_owned(),
            state: status.state.to_owned(),
            process: status.handle.map(|live| {
                let facts = &live.facts;
                let GroupUsage { resident_bytes, cpu } =
                    usages.get(&facts.process).copied().unwrap_or_default();
                WorkerProcess {
                    pid: facts.process.as_raw(),
                    port: facts.port,
                    calls: facts.calls.load(Ordering::Relaxed),
                    resident_bytes,
                    cpu,
                    fence: facts.fence.get().map_or("unknown", FenceReport::words).to_owned(),
                }
            }),
            in_flight: status.in_flight,
            waiting: status.waiting,
            idle: status
                .idle_since
                .map(|since| Instant::now().saturating_duration_since(since)),
            starts: status.starts,
            failures: status.failures,
            retry_in: status
                .retry_at
                .map(|at| at.saturating_duration_since(Instant::now()))
                .filter(|pause| !pause.is_zero()),
        })
        .collect();
    infos.sort_by(|a, b| a.account.cmp(&b.account));
    infos
}
