//! A worker's process: starting it, reading its output, checking that it responds, and terminating its group.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::sys::signal::Signal;
use parking_lot::Mutex;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::context::{ProcessFacts, TaskContext};
use super::output::{self, LastWords, WorkerLog};
use super::policy::WorkerExit;
use super::procfs::{self, Stat};
use super::session::WorkerClient;
use super::tokens::Directory;
use super::watcher::DirectoryWatch;
use crate::accounts::AccountId;
use crate::sandbox::{Launch, Process, REPORT};

/// The time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How much of the grace period the rest of a group gets after its first process has exited.
const REST_GRACE: Duration = Duration::from_secs(1);

/// A running process and everything attached to it.
pub(super) struct LaunchedWorker {
    pub(super) process: Process,
    pub(super) client: WorkerClient,
    pub(super) facts: Arc<ProcessFacts>,
    pub(super) watched: Option<DirectoryWatch>,
    words: Arc<Mutex<LastWords>>,
    /// Resolves when all output has been read.
    output_end: oneshot::Receiver<()>,
    /// Stops the reading if a stray process keeps the pipe open.
    output_stop: CancellationToken,
}

impl LaunchedWorker {
    /// Starts the worker in its fence, with the tokens in `directory`, listening on `port`. The error is in plain
    /// words.
    pub(super) async fn launch(
        context: &TaskContext,
        account: &AccountId,
        directory: &mut Directory,
        port: u16,
    ) -> Result<Self, String> {
        let TaskContext {
            recipe,
            processes,
            accounts,
            changes,
            lifecycle,
            users,
            permits,
            ..
        } = context;
        let plan = recipe
            .plan(directory.path(), port)
            .map_err(|error| error.to_string())?;
        let bearer = if recipe.is_built_in() {
            Some(directory.hand_out_bearer().map_err(|error| error.to_string())?)
        } else {
            None
        };
        let log = WorkerLog::open(&users.join(account.as_str())).await;
        if let Err(error) = &log {
            tracing::warn!(reason = %error, "worker.log_failed");
        }
        let failed = |error: io::Error| format!("no process could be started ({error})");
        let (pipe, writer) = io::pipe().map_err(failed)?;
        // `garmin_mcp` asks for no permits, so it needs no socket.
        let (socket, input) = if recipe.is_built_in() {
            let (ours, theirs) = UnixStream::pair().map_err(failed)?;
            (Some(ours), Some(theirs.into_std().map_err(failed)?.into()))
        } else {
            (None, None)
        };
        // If the person has chosen no time zone, the worker uses that of the Garmin profile.
        let choices = accounts.choices(account).unwrap_or_default();
        let zone = choices
            .zone()
            .and_then(|zone| zone.iana_name().map(str::to_owned));
        let launched = processes
            .launch(Launch {
                plan,
                environment: &recipe.environment(directory.path(), port, zone.as_deref()),
                directory: directory.path(),
                input,
                output: writer.try_clone().map_err(failed)?.into(),
                errors: writer.into(),
            })
            .await;
        let process = launched.map_err(failed)?;
        let pipe = pipe::Receiver::from_owned_fd(pipe.into()).map_err(failed)?;
        if let Some(socket) = socket {
            lifecycle.spawn("worker.permits", Arc::clone(permits).serve(socket));
        }
        let id = process.id();
        let facts = Arc::new(ProcessFacts {
            process: id,
            port,
            calls: AtomicU64::new(0),
            fence: OnceLock::new(),
        });
        tracing::info!(
            account.id = %account, worker.pid = id.as_raw(), worker.port = port, kind = recipe.kind(),
            "worker.started"
        );
        if let Err(error) = directory.mark(id, Stat::of(id).map_or(0, |stat| stat.started)) {
            error.log(account);
        }
        let watched = changes
            .as_ref()
            .and_then(|changes| changes.watch(directory.path()).ok());
        let (words, output_stop) = (Arc::default(), CancellationToken::new());
        let (told, output_end) = oneshot::channel();
        lifecycle.spawn("worker.output", {
            let (words, facts, stop) = (Arc::clone(&words), Arc::clone(&facts), output_stop.clone());
            async move {
                tokio::select! {
                    () = read_output(pipe, log.ok(), &words, &facts) => {}
                    () = stop.cancelled() => {}
                }
                told.send(()).ok();
            }
        });
        let client = WorkerClient::new(port, bearer.as_ref(), lifecycle.clone());
        Ok(LaunchedWorker {
            process,
            client,
            facts,
            watched,
            words,
            output_end,
            output_stop,
        })
    }

    /// Terminates the whole group, however the worker ended.
    pub(super) async fn end(self, end: WorkerExit) -> WorkerExit {
        let LaunchedWorker {
            mut process,
            words,
            output_end,
            output_stop,
            watched,
            ..
        } = self;
        drop(watched);
        end_group(&mut process).await;
        drop(process);
        if timeout(Duration::from_millis(500), output_end).await.is_err() {
            output_stop.cancel();
        }
        let advice = words.lock().advice();
        match (end, advice) {
            (WorkerExit::NotStarted { reason }, Some(advice)) => WorkerExit::NotStarted {
                reason: format!("{reason}: {advice}"),
            },
            (end, _) => end,
        }
    }
}

/// Checks that the worker itself responds. Another program on its port would receive everything sent to the worker.
pub(super) async fn is_there(client: &WorkerClient, facts: &ProcessFacts) -> bool {
    client.is_healthy().await && procfs::listens(facts.process, facts.port)
}

/// Sends SIGTERM to the group, then SIGKILL to what remains. Returns when its first process has exited.
async fn end_group(process: &mut Process) {
    process.signal(Signal::SIGTERM);
    let first_ended = timeout(GRACE, process.wait()).await.is_ok();
    if first_ended && timeout(REST_GRACE, no_one_left(process)).await.is_ok() {
        return;
    }
    process.signal(Signal::SIGKILL);
    drop(process.wait().await);
}

async fn no_one_left(process: &Process) {
    while process.is_alive() {
        sleep(Duration::from_millis(5)).await;
    }
}

async fn read_output(
    pipe: pipe::Receiver,
    log: Option<WorkerLog>,
    words: &Mutex<LastWords>,
    facts: &ProcessFacts,
) {
    let mut is_first = true;
    output::keep(pipe, log, |line| {
        // Only the first line can be the fence's report; later lines are from the worker.
        if std::mem::take(&mut is_first)
            && let Some(report) = line.strip_prefix(REPORT)
            && let Ok(report) = serde_json::from_str(report)
        {
            drop(facts.fence.set(report));
            return;
        }
        words.lock().hear(line);
    })
    .await;
}

/// Describes in plain words how a process ended.
pub(super) fn ending(status: Option<ExitStatus>, when: &str) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => format!("it ended with exit code {code}{when}"),
        Some((None, Some(signal))) => format!("it was ended by signal {signal}{when}"),
        _ => format!("it ended{when}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_in_plain_words() {
        let exited = |code: i32| Some(ExitStatus::from_raw(code << 8));
        assert_eq!(
            ending(exited(1), " before it was ready"),
            "it ended with exit code 1 before it was ready"
        );
        assert_eq!(
            ending(Some(ExitStatus::from_raw(9)), ""),
            "it was ended by signal 9"
        );
        assert_eq!(ending(None, ""), "it ended");
    }
}
