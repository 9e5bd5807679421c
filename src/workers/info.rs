//! What the console and `stats` show about workers. Read from the kernel only on request.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::pool::WorkerPool;
use super::procfs::{self, GroupUsage};
use crate::accounts::AccountId;
use crate::sandbox::FenceReport;

/// One worker, or an account that is waiting for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerInfo {
    pub account: AccountId,
    /// `builtin`, or the name of the program.
    pub kind: String,
    /// `waiting` (for capacity), `starting`, `ready`, `stopping`, or `failed` (the next start must wait for
    /// `retry_in`).
    pub state: String,
    /// Present once the worker is ready.
    pub process: Option<WorkerProcess>,
    /// The number of calls in flight.
    pub in_flight: usize,
    /// The number of calls waiting for this worker.
    pub waiting: usize,
    /// How long the worker has been without a call; absent while a call is in flight.
    pub idle: Option<Duration>,
    /// The number of worker starts since the gateway started.
    pub starts: u64,
    /// The number of consecutive failures without a stable run in between.
    pub failures: u32,
    /// The time until the next start is allowed after these failures.
    pub retry_in: Option<Duration>,
}

/// The process of a ready worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerProcess {
    /// The id of the first process, which leads its group.
    pub pid: i32,
    /// The port that it listens on, on 127.0.0.1.
    pub port: u16,
    /// The number of calls so far.
    pub calls: u64,
    /// Resident memory of the group, in bytes.
    pub resident_bytes: u64,
    /// CPU time of the group so far.
    pub cpu: Duration,
    /// The active parts of the fence, for example `files, ports, signals`.
    pub fence: String,
}

/// All workers, sorted by account.
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
