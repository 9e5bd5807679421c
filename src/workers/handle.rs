//! The interface to the workers for the rest of the gateway.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};
use tokio_util::sync::CancellationToken;

use super::call::{CallFailure, UpstreamAnswer, UpstreamCall, WorkerError, give_up};
use super::context::TaskContext;
use super::environment::Recipe;
use super::info::{self, WorkerInfo};
use super::output;
use super::pause::GarminPause;
use super::permits::GarminPermits;
use super::policy::{Policy, PoolLimits, StopReason, WorkerEvent};
use super::pool::WorkerPool;
use super::ports::Ports;
use super::session::Watch;
use super::watcher::DirectoryWatcher;
use super::{leftovers, supervisor};
use crate::accounts::{AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::config::{GarminHosts, WorkerSettings};
use crate::garmin::RequestRate;
use crate::sandbox::Processes;

/// How long a call waits for capacity when all workers are busy.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(10);

/// The workers of all accounts. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Workers(Arc<WorkersInner>);

#[derive(Debug)]
struct WorkersInner {
    pool: Arc<WorkerPool>,
    kind: String,
    ending: CancellationToken,
    pause: GarminPause,
    /// The directory `DATA_DIR/users`, which holds the workers' logs.
    outputs: PathBuf,
}

/// Everything that the workers need from the gateway.
#[derive(Debug)]
pub struct WorkersParts {
    pub settings: WorkerSettings,
    /// `RUNTIME_DIR`, which holds the workers' directories.
    pub runtime_dir: PathBuf,
    /// `DATA_DIR`, which holds the workers' logs.
    pub data_dir: PathBuf,
    /// The addresses of Garmin's servers.
    pub garmin: GarminHosts,
    /// The store of the tokens that are handed out and read back.
    pub accounts: Accounts,
    /// Runs the tasks and signals shutdown. Calls in flight then get a moment, and all workers stop.
    pub lifecycle: Lifecycle,
    /// Spawns the processes. This program's own binary sets up their fence, and is also the built-in worker.
    pub processes: Processes,
    /// How long a worker may be silent during a call before its health is checked: [`super::SILENCE`] except in
    /// tests.
    pub silence: Duration,
    /// The rate of requests to Garmin, of all workers together. It applies only to the built-in worker, because
    /// `garmin_mcp` asks for no permits.
    pub rate: RequestRate,
}

/// Why the workers can't run at all. *The operator* can fix it.
#[derive(Debug, thiserror::Error)]
pub enum WorkersError {
    /// Another gateway already uses this runtime directory.
    #[error("another gateway uses {}; give this one a RUNTIME_DIR of its own", .0.display())]
    InUse(PathBuf),
    /// A directory can't be created or read.
    #[error("{} can't be used", path.display())]
    Directory {
        /// The directory that can't be used.
        path: PathBuf,
        source: io::Error,
    },
}

impl Workers {
    /// Reads back what an earlier gateway left behind, then accepts calls. Workers start only on demand.
    pub async fn start(parts: WorkersParts) -> Result<Self, WorkersError> {
        let WorkersParts {
            settings,
            runtime_dir,
            data_dir,
            garmin,
            accounts,
            lifecycle,
            processes,
            silence,
            rate,
        } = parts;
        let (root, lock) = open_root(&runtime_dir.join("workers"))?;
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| WorkersError::Directory { path, source }
        };
        leftovers::take_in(&root, &accounts)
            .await
            .map_err(unusable(&root))?;

        let limits = PoolLimits {
            max: settings.max,
            idle_ttl: settings.idle_ttl,
            wait_for_room: WAIT_FOR_ROOM,
            silence,
        };
        let (ports, startup_timeout) = (Ports::new(settings.ports.clone()), settings.startup_timeout);
        let users = data_dir.join("users");
        let (self_exe, private) = (processes.self_exe().to_owned(), processes.private().clone());
        let recipe = Recipe::new(settings, garmin, self_exe, &data_dir, private);
        recipe.prepare().map_err(unusable(&data_dir))?;
        let changes = DirectoryWatcher::start()
            .inspect_err(|error| tracing::warn!(reason = %error, "worker.changes_polled"))
            .ok();
        let clock = Clock::system();
        let pause = GarminPause::kept_in(&data_dir, clock.now());
        let (pool, actions) = WorkerPool::new(limits);
        replace_after_sign_in(&accounts, &pool);
        let workers = Workers::new(
            Arc::clone(&pool),
            &recipe.kind(),
            &lifecycle,
            users.clone(),
            pause.clone(),
        );
        let ending = workers.0.ending.clone();
        let context = TaskContext {
            recipe,
            processes,
            ports,
            changes,
            accounts,
            lifecycle: lifecycle.clone(),
            root,
            users,
            startup_timeout,
            permits: GarminPermits::new(rate, pause, clock),
            _lock: lock,
        };
        lifecycle.spawn(
            "workers",
            supervisor::run(pool, Arc::new(context), actions, ending),
        );
        Ok(workers)
    }

    /// Creates a handle on `pool`. The caller must carry out the pool's actions.
    pub(super) fn new(
        pool: Arc<WorkerPool>,
        kind: &str,
        lifecycle: &Lifecycle,
        outputs: PathBuf,
        pause: GarminPause,
    ) -> Self {
        Workers(Arc::new(WorkersInner {
            pool,
            kind: kind.to_owned(),
            ending: lifecycle.stopping().child_token(),
            pause,
            outputs,
        }))
    }

    /// Makes one call to the worker of `account`, and starts the worker if it is not running. Dropping the future
    /// cancels the call.
    ///
    /// A read-only call is retried once if its worker ends during it. Any call is retried if its worker provably did
    /// not begin it. The caller sets the overall time limit.
    pub async fn call(&self, account: &AccountId, call: UpstreamCall) -> Result<UpstreamAnswer, WorkerError> {
        let mut failures = Vec::new();
        loop {
            let mut lease = self.0.pool.lease(account).await?;
            let worker = lease.worker();
            worker.facts.calls.fetch_add(1, Ordering::Relaxed);
            let on_silence = || lease.silent();
            let watch = Watch::new(self.0.pool.silence(), &on_silence);
            let answer = worker.session.call(&call, &watch).await;
            lease.ended(answer.is_ok());
            match answer {
                Ok(answer) => return Ok(answer),
                Err(failure) => {
                    if !matches!(failure, CallFailure::BadAnswer(_)) {
                        lease.suspect();
                    }
                    failures.push(failure);
                }
            }
            drop(lease);
            if let Some(error) = give_up(&failures, call.read_only) {
                return Err(error);
            }
        }
    }

    /// The [`WorkerInfo::state`] of one account, or `None` if there is nothing to report.
    pub fn state(&self, account: &AccountId) -> Option<&'static str> {
        self.0
            .pool
            .look(|policy| policy.status(account))
            .map(|status| status.state)
    }

    /// The unchanged `serverInfo` of the worker that was started last; `None` before the first.
    pub fn server(&self) -> Option<Arc<str>> {
        self.0.pool.server_info()
    }

    /// The number of running worker processes.
    pub fn running(&self) -> usize {
        self.0.pool.look(Policy::running)
    }

    /// Stops an account's worker, if there is one, and waits until its tokens are sealed and its directory is wiped.
    pub async fn stop(&self, account: &AccountId, reason: StopReason) {
        let mut changes = self.0.pool.changes();
        let before = self.0.pool.look(|policy| policy.incarnation(account));
        self.0.pool.happened(WorkerEvent::StopWanted {
            account: account.clone(),
            reason,
        });
        // A new worker may already be starting for waiting calls; only the old one matters here.
        while before.is_some() && self.0.pool.look(|policy| policy.incarnation(account)) == before {
            if changes.changed().await.is_err() {
                break;
            }
        }
    }

    /// The last lines that an account's workers printed, with secrets masked, oldest first. Empty if none has run.
    pub fn output(&self, account: &AccountId) -> Vec<String> {
        output::last_lines(&self.0.outputs.join(account.as_str()))
    }

    /// Every account that has a worker, is waiting for one, or failed to start one.
    pub fn list(&self) -> Vec<WorkerInfo> {
        info::list(&self.0.pool, &self.0.kind)
    }

    /// Until when Garmin wants no requests (429), if it said so.
    pub fn garmin_pause(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.pause.until(now)
    }

    /// Stops all workers and waits until they have ended. Calls in flight get a few seconds, and new ones are
    /// refused.
    pub async fn drain(&self) {
        self.0.ending.cancel();
        let mut changes = self.0.pool.changes();
        while self.running() > 0 {
            if changes.changed().await.is_err() {
                break;
            }
        }
    }
}

/// After a new sign-in, an account's running worker has outdated tokens and must be replaced. The request takes
/// effect before the sign-in is acknowledged, so a later call waits for a worker with the new tokens. Calls in flight
/// finish first.
fn replace_after_sign_in(accounts: &Accounts, pool: &Arc<WorkerPool>) {
    let pool = Arc::downgrade(pool);
    accounts.on_link(move |account| {
        if let Some(pool) = pool.upgrade() {
            pool.happened(WorkerEvent::StopWanted {
                account: account.clone(),
                reason: StopReason::SignedInAgain,
            });
        }
    });
}

/// Creates and locks `RUNTIME_DIR/workers`, so that no other gateway uses it.
fn open_root(root: &Path) -> Result<(PathBuf, Flock<File>), WorkersError> {
    let unusable = |source| WorkersError::Directory {
        path: root.to_owned(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(root)
        .map_err(unusable)?;
    // Resolved, because it is compared with paths in the environment of running processes.
    let root = root.canonicalize().map_err(unusable)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(root.join("lock"))
        .map_err(unusable)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok((root, lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(WorkersError::InUse(root)),
        Err((_, error)) => Err(unusable(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_gateways_do_not_share_a_runtime_directory() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("run/workers");
        let (_, lock) = open_root(&root).unwrap();
        assert!(matches!(open_root(&root), Err(WorkersError::InUse(_))));
        drop(lock);
        assert!(open_root(&root).is_ok());
    }
}
