//! The door: what the gateway asks of the workers, and what it gets back.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use tokio_util::sync::CancellationToken;

use super::call::{CallFailure, UpstreamAnswer, UpstreamCall, WorkerError, give_up};
use super::environment::Recipe;
use super::info::{self, WorkerInfo};
use super::output;
use super::policy::{Policy, PoolLimits, StopReason, WorkerEvent};
use super::pool::WorkerPool;
use super::ports::Ports;
use super::session::Watch;
use super::task::TaskContext;
use super::watcher::DirectoryWatcher;
use super::{leftovers, supervisor};
use crate::accounts::{AccountId, Accounts};
use crate::base::lifecycle::Lifecycle;
use crate::config::{GarminHosts, WorkerSettings};
use crate::sandbox::Processes;

/// How long a call waits for room when all workers are busy.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(10);

/// The workers of all accounts. Clones are the same workers.
#[derive(Debug, Clone)]
pub struct Workers(Arc<WorkersInner>);

#[derive(Debug)]
struct WorkersInner {
    pool: Arc<WorkerPool>,
    kind: String,
    ending: CancellationToken,
    /// `DATA_DIR/users`
    outputs: PathBuf,
}

/// What the workers need of the house.
#[derive(Debug)]
pub struct WorkersParts {
    /// How workers are run.
    pub settings: WorkerSettings,
    /// `RUNTIME_DIR`: the workers' directories are made in it.
    pub runtime_dir: PathBuf,
    /// `DATA_DIR`: the workers' logs are in it.
    pub data_dir: PathBuf,
    /// Where Garmin is.
    pub garmin: GarminHosts,
    /// Whose tokens are handed out, and taken in again.
    pub accounts: Accounts,
    /// Tasks and the stop signal: when it fires, calls in flight get a moment, then all workers stop.
    pub lifecycle: Lifecycle,
    /// Starts the processes. This program's own file sets up their fence, and is the built-in worker.
    pub processes: Processes,
    /// How long a worker may be silent during a call before it is checked; [`super::SILENCE`] but in tests.
    pub silence: Duration,
}

/// Why the workers can't be run at all. *The operator* can act.
#[derive(Debug, thiserror::Error)]
pub enum WorkersError {
    /// Another gateway has its workers there.
    #[error("another gateway uses {}; give this one a RUNTIME_DIR of its own", .0.display())]
    InUse(PathBuf),
    /// A directory can't be made or read.
    #[error("{} can't be used", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl Workers {
    /// Takes in what an earlier gateway left behind, then stands ready. No worker is started before it is called.
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
        let (pool, actions) = WorkerPool::new(limits);
        replace_after_sign_in(&accounts, &pool);
        let workers = Workers::new(Arc::clone(&pool), &recipe.kind(), &lifecycle, users.clone());
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
            _lock: lock,
        };
        lifecycle.spawn(
            "workers",
            supervisor::run(pool, Arc::new(context), actions, ending),
        );
        Ok(workers)
    }

    /// The workers of `pool`. Something else must carry out the pool's actions.
    pub(super) fn new(pool: Arc<WorkerPool>, kind: &str, lifecycle: &Lifecycle, outputs: PathBuf) -> Self {
        Workers(Arc::new(WorkersInner {
            pool,
            kind: kind.to_owned(),
            ending: lifecycle.stopping().child_token(),
            outputs,
        }))
    }

    /// One call to the worker of `account`, which is started where it does not run. Dropping the future cancels it.
    ///
    /// A call that only reads is repeated once when its worker ends in the middle of it; any call is repeated when its
    /// worker has provably not begun with it.
    /// How long it may take is the caller's to say.
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

    /// [`WorkerInfo::state`] of one account; `None` where there is nothing to tell.
    pub fn state(&self, account: &AccountId) -> Option<&'static str> {
        self.0
            .pool
            .look(|policy| policy.status(account))
            .map(|status| status.state)
    }

    /// The `serverInfo` of the worker that was started last, as it wrote it; `None` before the first.
    pub fn server(&self) -> Option<Arc<str>> {
        self.0.pool.server_info()
    }

    /// How many processes there are.
    pub fn running(&self) -> usize {
        self.0.pool.look(Policy::running)
    }

    /// Stops an account's worker, if it has one, and waits until its tokens are sealed and its directory is wiped.
    pub async fn stop(&self, account: &AccountId, reason: StopReason) {
        let mut changes = self.0.pool.changes();
        let before = self.0.pool.look(|policy| policy.incarnation(account));
        self.0.pool.happened(WorkerEvent::StopWanted {
            account: account.clone(),
            reason,
        });
        // A new one may be on its way already, for calls that wait.
        while before.is_some() && self.0.pool.look(|policy| policy.incarnation(account)) == before {
            if changes.changed().await.is_err() {
                break;
            }
        }
    }

    /// The last lines that an account's workers printed, secrets masked, oldest first. Empty where none ran.
    pub fn output(&self, account: &AccountId) -> Vec<String> {
        output::last_lines(&self.0.outputs.join(account.as_str()))
    }

    /// Every account that has a worker, waits for one, or failed to get one.
    pub fn list(&self) -> Vec<WorkerInfo> {
        info::list(&self.0.pool, &self.0.kind)
    }

    /// Stops all workers and waits for their end: calls in flight get a few seconds, new ones are refused.
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

/// The worker of somebody who signed in again has the wrong tokens. What is told here is true when the sign-in is
/// acknowledged: a call that begins after that waits for a worker with the new ones. Calls in flight end first.
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

/// Makes `RUNTIME_DIR/workers` ours alone.
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
    // The real path: it is compared with what processes were given.
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
