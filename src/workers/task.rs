//! Runs one worker from start to end, as the policy decided.
//!
//! The order at the end prevents lost logins: first the process exits, then its tokens are read back and sealed, then
//! the directory is wiped, and only then is the end reported. The next start therefore hands out the newest tokens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::context::{ProcessFacts, TaskContext, WorkerHandle};
use super::policy::{Incarnation, StopReason, WorkerEvent, WorkerExit};
use super::pool::WorkerPool;
use super::process::{LaunchedWorker, ending, is_there};
use super::session::WorkerSession;
use super::tokens::{Directory, TakenIn, TokenError};
use super::watcher::DirectoryWatch;
use crate::accounts::{AccountId, GarminLogin};
use crate::sandbox::FenceReport;

/// How long a worker may be silent during a call. Generous, because `garmin_mcp` sends nothing while it waits for
/// Garmin.
pub const SILENCE: Duration = Duration::from_secs(60);
/// The time limit of a health check.
const CHECK: Duration = Duration::from_secs(10);
/// The delay before the first readiness probe; it grows with each further probe, up to `LAST_PROBE`.
const FIRST_PROBE: Duration = Duration::from_millis(2);
const LAST_PROBE: Duration = Duration::from_millis(50);
/// How long to wait before retrying to seal tokens.
const SEAL_AGAIN: Duration = Duration::from_secs(10);

/// A command from the supervisor to a task.
#[derive(Debug, Clone, Copy)]
pub(super) enum TaskCommand {
    Stop,
    Check,
}

/// The task that runs one worker.
#[derive(Debug)]
pub(super) struct WorkerTask {
    pub(super) context: Arc<TaskContext>,
    pub(super) pool: Arc<WorkerPool>,
    pub(super) account: AccountId,
    pub(super) incarnation: Incarnation,
    pub(super) commands: mpsc::UnboundedReceiver<TaskCommand>,
}

impl WorkerTask {
    /// Runs the worker, and reports its start and its end to the pool.
    pub(super) async fn run(mut self) {
        let end = match self.prepare().await {
            Ok(mut directory) => {
                let end = self.run_process(&mut directory).await;
                self.close(directory).await;
                end
            }
            Err(end) => end,
        };
        match &end {
            WorkerExit::NotStarted { reason } | WorkerExit::TooSlow { reason } => {
                tracing::warn!(account.id = %self.account, reason, "worker.start_failed");
            }
            WorkerExit::Crashed { reason } => {
                tracing::warn!(account.id = %self.account, reason, "worker.exited");
            }
            WorkerExit::Stopped => tracing::info!(account.id = %self.account, "worker.stopped"),
            WorkerExit::SignInNeeded => {}
        }
        self.pool.happened(WorkerEvent::Gone {
            account: self.account,
            incarnation: self.incarnation,
            end,
        });
    }

    /// Creates the worker's directory with the newest tokens in it.
    async fn prepare(&self) -> Result<Directory, WorkerExit> {
        let TaskContext { accounts, root, .. } = &*self.context;
        let not_started = |reason: &str| WorkerExit::NotStarted {
            reason: reason.to_owned(),
        };
        let unreadable = |error| {
            tracing::error!(reason = %error, "worker.tokens_failed");
            not_started("the gateway can't read its store")
        };
        match accounts.find(&self.account).map_err(unreadable)? {
            Some(account) if account.garmin == GarminLogin::Working => {}
            Some(_) | None => return Err(WorkerExit::SignInNeeded),
        }
        let failed = |error: TokenError| {
            error.log(&self.account);
            not_started("the gateway can't write its runtime directory or its store")
        };
        if let Some(mut left) = Directory::find(root, &self.account) {
            left.take_in(accounts).await.map_err(failed)?;
            left.wipe().map_err(failed)?;
        }
        let held = accounts
            .tokens(&self.account)
            .map_err(unreadable)?
            .ok_or(WorkerExit::SignInNeeded)?;
        Directory::hand_out(root, &self.account, &held).map_err(failed)
    }

    /// Reads back the tokens that the process left, and wipes its directory.
    async fn close(&self, mut directory: Directory) {
        let closed = match directory.take_in(&self.context.accounts).await {
            Ok(_) => directory.wipe(),
            // The directory stays as it is. The next start of the worker or the gateway reads the tokens back.
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            error.log(&self.account);
        }
    }

    async fn run_process(&mut self, directory: &mut Directory) -> WorkerExit {
        let begin = Instant::now();
        let Some(port) = self.context.ports.lease() else {
            return WorkerExit::NotStarted {
                reason: "none of the workers' ports is free".to_owned(),
            };
        };
        let mut running =
            match LaunchedWorker::launch(&self.context, &self.account, directory, port.number()).await {
                Ok(running) => running,
                Err(reason) => return WorkerExit::NotStarted { reason },
            };
        let session = self.until_ready(&mut running, directory).await;
        let end = match session {
            Ok(session) => {
                self.tell_ready(&running.facts, begin.elapsed());
                self.pool.happened(WorkerEvent::Started {
                    account: self.account.clone(),
                    incarnation: self.incarnation,
                    handle: self.ready(&running, session),
                });
                self.until_end(&mut running, directory).await
            }
            Err(end) => end,
        };
        running.end(end).await
    }

    /// Waits until the session is open or the start has failed. `garmin_mcp` may refresh its tokens before it
    /// listens.
    async fn until_ready(
        &mut self,
        running: &mut LaunchedWorker,
        directory: &mut Directory,
    ) -> Result<WorkerSession, WorkerExit> {
        let LaunchedWorker {
            process,
            client,
            facts,
            watched,
            ..
        } = running;
        let answers = async {
            let mut pause = FIRST_PROBE;
            loop {
                sleep(pause).await;
                if is_there(client, facts).await {
                    return client.open().await;
                }
                pause = pause.mul_f64(1.25).min(LAST_PROBE);
            }
        };
        let limit = self.context.startup_timeout;
        let opened = timeout(limit, answers);
        tokio::pin!(opened);
        loop {
            tokio::select! {
                () = stop_asked(&mut self.commands) => return Err(WorkerExit::Stopped),
                status = process.wait() => {
                    return Err(WorkerExit::NotStarted { reason: ending(status.ok(), " before it was ready") });
                }
                opened = &mut opened => return match opened {
                    Ok(Ok(session)) => Ok(session),
                    Ok(Err(failure)) => Err(WorkerExit::NotStarted { reason: failure.to_string() }),
                    Err(_) => {
                        tracing::warn!(account.id = %self.account, "worker.start_timed_out");
                        Err(WorkerExit::TooSlow { reason: format!("it was not ready within {} s", limit.as_secs_f64()) })
                    }
                },
                // Tokens that can't be sealed now are retried once the worker is ready, or when it ends.
                () = changed(watched.as_ref()) => {
                    self.look_into(directory).await;
                }
            }
        }
    }

    /// Waits until the worker exits or is to be stopped.
    async fn until_end(&mut self, running: &mut LaunchedWorker, directory: &mut Directory) -> WorkerExit {
        let mut is_sealed = self.look_into(directory).await;
        loop {
            tokio::select! {
                status = running.process.wait() => {
                    return WorkerExit::Crashed { reason: ending(status.ok(), "") };
                }
                command = self.commands.recv() => match command {
                    Some(TaskCommand::Check) => match self.check(running).await {
                        Ok(session) => self.pool.happened(WorkerEvent::Cleared {
                            account: self.account.clone(),
                            incarnation: self.incarnation,
                            handle: self.ready(running, session),
                        }),
                        Err(end) => return end,
                    },
                    Some(TaskCommand::Stop) | None => return WorkerExit::Stopped,
                },
                () = changed(running.watched.as_ref()) => is_sealed = self.look_into(directory).await,
                () = sleep(SEAL_AGAIN), if !is_sealed => is_sealed = self.look_into(directory).await,
            }
        }
    }

    /// Seals refreshed tokens, and acts on the worker's sign-in marker. Returns whether everything is sealed.
    async fn look_into(&self, directory: &mut Directory) -> bool {
        let is_sealed = match directory.take_in(&self.context.accounts).await {
            Ok(TakenIn::Nothing | TakenIn::Sealed) => true,
            Ok(TakenIn::Outdated) => {
                self.retire(StopReason::SignedInAgain);
                true
            }
            Err(error) => {
                error.log(&self.account);
                false
            }
        };
        if directory.says_sign_in_needed() {
            self.mark_sign_in_needed(directory).await;
            self.retire(StopReason::SignInNeeded);
        }
        is_sealed
    }

    /// Checks whether a suspect worker still responds. Opens a new session, because it may have lost the old one.
    async fn check(&mut self, running: &mut LaunchedWorker) -> Result<WorkerSession, WorkerExit> {
        let LaunchedWorker {
            process,
            client,
            facts,
            ..
        } = running;
        let answers = async {
            if is_there(client, facts).await {
                client.open().await.ok()
            } else {
                None
            }
        };
        let silent = || "it stopped answering".to_owned();
        let reason = tokio::select! {
            biased;
            status = process.wait() => ending(status.ok(), ""),
            () = stop_asked(&mut self.commands) => return Err(WorkerExit::Stopped),
            session = timeout(self.pool.silence().min(CHECK), answers) => match session {
                Ok(Some(session)) => return Ok(session),
                // The process may be about to exit, and its exit status is the more useful reason.
                Ok(None) => match timeout(Duration::from_millis(100), process.wait()).await {
                    Ok(status) => ending(status.ok(), ""),
                    Err(_) => silent(),
                },
                Err(_) => silent(),
            },
        };
        Err(WorkerExit::Crashed { reason })
    }

    fn ready(&self, running: &LaunchedWorker, session: WorkerSession) -> Arc<WorkerHandle> {
        self.pool.set_server_info(session.server_info());
        Arc::new(WorkerHandle {
            account: self.account.clone(),
            session,
            facts: Arc::clone(&running.facts),
        })
    }

    fn retire(&self, reason: StopReason) {
        self.pool.happened(WorkerEvent::StopWanted {
            account: self.account.clone(),
            reason,
        });
    }

    async fn mark_sign_in_needed(&self, directory: &Directory) {
        let reason = "Garmin refused the tokens";
        let marked = self
            .context
            .accounts
            .mark_sign_in_needed(&self.account, directory.generation(), reason)
            .await;
        if let Err(error) = marked {
            TokenError::from(error).log(&self.account);
        }
    }

    fn tell_ready(&self, facts: &ProcessFacts, took: Duration) {
        let fence = facts.fence.get();
        tracing::info!(
            account.id = %self.account,
            worker.pid = facts.process.as_raw(),
            worker.port = facts.port,
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            fence = fence.map_or("unknown", FenceReport::words),
            "worker.ready"
        );
        if let Some(report) = fence.filter(|report| !report.failed.is_empty() || report.landlock == 0) {
            let failed = report.failed.join("; ");
            tracing::warn!(landlock = report.landlock, failed, "worker.fence_incomplete");
        }
    }
}

async fn changed(watched: Option<&DirectoryWatch>) {
    match watched {
        Some(watched) => watched.changed().await,
        // Without inotify, the directory is polled every two seconds.
        None => sleep(Duration::from_secs(2)).await,
    }
}

/// Resolves when the worker is to be stopped, or when the supervisor is gone.
async fn stop_asked(commands: &mut mpsc::UnboundedReceiver<TaskCommand>) {
    while let Some(TaskCommand::Check) = commands.recv().await {}
}
