//! What the tasks of workers share, and what a task hands to the calls.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::fcntl::Flock;

use super::environment::Recipe;
use super::permits::GarminPermits;
use super::ports::Ports;
use super::session::WorkerSession;
use super::watcher::DirectoryWatcher;
use crate::accounts::{AccountId, Accounts};
use crate::base::lifecycle::Lifecycle;
use crate::sandbox::{FenceReport, Processes};

/// Everything a call needs to use a ready worker.
#[derive(Debug)]
pub(super) struct WorkerHandle {
    pub(super) account: AccountId,
    pub(super) session: WorkerSession,
    pub(super) facts: Arc<ProcessFacts>,
}

/// Facts about a running worker.
#[derive(Debug)]
pub(super) struct ProcessFacts {
    pub(super) process: nix::unistd::Pid,
    pub(super) port: u16,
    pub(super) calls: AtomicU64,
    pub(super) fence: OnceLock<FenceReport>,
}

/// State shared by all worker tasks.
#[derive(Debug)]
pub(super) struct TaskContext {
    pub(super) recipe: Recipe,
    pub(super) processes: Processes,
    pub(super) ports: Ports,
    pub(super) changes: Option<DirectoryWatcher>,
    pub(super) accounts: Accounts,
    pub(super) lifecycle: Lifecycle,
    /// The directory `RUNTIME_DIR/workers`, which holds the workers' directories.
    pub(super) root: PathBuf,
    /// The directory `DATA_DIR/users`, which holds the workers' logs.
    pub(super) users: PathBuf,
    pub(super) startup_timeout: Duration,
    pub(super) permits: Arc<GarminPermits>,
    /// The lock that keeps other gateways out of `root`.
    pub(super) _lock: Flock<File>,
}
