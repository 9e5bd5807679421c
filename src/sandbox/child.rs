//! The only place that spawns programs.
//!
//! A program gets its own process group and working directory, a cleared environment with only the given variables, and
//! a pipe or a socket as standard input. It starts as the gateway's own binary, which sets up the fence and then
//! executes the program ([`super::fence`]).
//!
//! One thread spawns all of them, and lives as long as [`super::Processes`]. A child's parent-death signal fires when
//! the *thread* that spawned it ends, and tokio's blocking threads end when they are idle.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc as blocking;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::fence::{FencePlan, HelperOrder, SUBCOMMAND};
use super::watch_note::{WatchNote, Watchdog};

/// A spawned process and its process group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    /// Closed when the gateway ends, even if it is killed. `None` if it is a socket, or was taken.
    input: Option<ChildStdin>,
    /// Notified on drop that the group has ended; `None` for the watchdog's own process.
    watch: Option<Watchdog>,
}

impl Process {
    /// The process id, which is also the id of the group.
    pub(crate) fn id(&self) -> Pid {
        self.group
    }

    /// Its standard input, unless it was already taken.
    pub(crate) fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// Its standard output, if that is a pipe.
    pub(crate) fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its standard error, if that is a pipe.
    pub(crate) fn take_errors(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits until the group's first process exits.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        // `input` was taken out of the child, because tokio's `wait` would close it first.
        self.child.wait().await
    }

    /// Sends a signal to the whole group.
    pub(crate) fn signal(&self, signal: Signal) {
        // An error means that the group is already gone.
        killpg(self.group, signal).ok();
    }

    /// Whether any process of the group is still running.
    pub(crate) fn is_alive(&self) -> bool {
        killpg(self.group, None) != Err(Errno::ESRCH)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `wait`, the process id may belong to another process.
        if self.child.id().is_some() {
            self.signal(Signal::SIGKILL);
        }
        if let Some(watch) = &self.watch {
            watch.tell(WatchNote::Ended(self.group));
        }
    }
}

/// Everything needed to start a program.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The program and its fence.
    pub(crate) plan: FencePlan,
    /// The complete environment of the program.
    pub(crate) environment: &'a [(String, String)],
    pub(crate) directory: &'a Path,
    /// A socket as standard input, instead of a pipe. Its other end has to live as long as the program.
    pub(crate) input: Option<OwnedFd>,
    pub(crate) output: Stdio,
    /// Standard error. Its first line is the fence's report.
    pub(crate) errors: Stdio,
}

/// The spawning thread. Dropping the last clone ends the thread, and with it all children that it spawned.
#[derive(Debug, Clone)]
pub(super) struct Spawner(blocking::Sender<SpawnJob>);

struct SpawnJob {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    /// Starts the thread. Must be called within the tokio runtime.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, inbox) = blocking::channel::<SpawnJob>();
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("spawner".into())
            .spawn(move || {
                let _in_runtime = runtime.enter();
                for mut job in inbox {
                    // If the caller is gone, dropping the child kills it.
                    drop(job.reply.send(job.command.spawn()));
                }
            })?;
        Ok(Spawner(jobs))
    }

    /// Starts a program, and registers its group with the watchdog.
    pub(super) async fn launch(
        &self,
        self_exe: &Path,
        launch: Launch<'_>,
        watch: Watchdog,
    ) -> io::Result<Process> {
        let mut command = helper(self_exe, &HelperOrder::Become(launch.plan))?;
        command
            .current_dir(launch.directory)
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(launch.input.map_or_else(Stdio::piped, Stdio::from))
            .stdout(launch.output)
            .stderr(launch.errors)
            .kill_on_drop(true);
        let mut process = self.spawn(command).await?;
        watch.tell(WatchNote::Started(process.group));
        process.watch = Some(watch);
        Ok(process)
    }

    /// Starts the watchdog process. It is not killed with the gateway, because it has to outlive it.
    pub(super) async fn launch_watch(&self, self_exe: &Path) -> io::Result<(Process, ChildStdin)> {
        let mut command = helper(self_exe, &HelperOrder::Watch)?;
        command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process = self.spawn(command).await?;
        let notes = process.take_input().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((process, notes))
    }

    async fn spawn(&self, command: Command) -> io::Result<Process> {
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the spawning thread has ended");
        self.0.send(SpawnJob { command, reply }).map_err(|_| gone())?;
        let mut child = child.await.map_err(|_| gone())??;
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or(io::ErrorKind::NotFound)?;
        let input = child.stdin.take();
        Ok(Process {
            child,
            group: Pid::from_raw(id),
            input,
            watch: None,
        })
    }
}

fn helper(self_exe: &Path, order: &HelperOrder) -> io::Result<Command> {
    #[expect(clippy::disallowed_methods, reason = "this is the sandbox")]
    let mut command = Command::new(self_exe);
    command
        .arg(SUBCOMMAND)
        .arg(serde_json::to_string(order)?)
        .env_clear()
        .process_group(0);
    Ok(command)
}

/// Finds a program as a shell does: a word with a slash is a path, and any other word is looked up in `path`.
pub(crate) fn find_program(word: &str, path: &str) -> Option<PathBuf> {
    if word.contains('/') {
        return std::path::absolute(word)
            .ok()
            .filter(|program| is_executable(program));
    }
    std::env::split_paths(OsStr::new(path))
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(word))
        .find(|program| is_executable(program))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}
