//! The only place that starts processes for workers.
//!
//! A worker gets a process group of its own, a cleared environment with documented variables, its own working directory,
//! a pipe as standard input that is its life line, and a pipe for all its output. It starts as our own binary, which
//! fences itself in and becomes the worker ([`super::fence`]). No secret is in its environment or arguments: Garmin's tokens are
//! in a file of its directory.
//!
//! All are spawned by one thread that lives as long as the supervisor: a child's parent-death signal fires when the
//! *thread* that spawned it ends, and tokio's blocking threads come and go.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc as blocking;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::fence::{Order, SUBCOMMAND};

/// A process that was started, and its group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Pid,
    /// Closed when we end, however we end.
    life_line: Option<ChildStdin>,
}

impl Process {
    /// The process id, which is the group's too.
    pub(super) fn id(&self) -> Pid {
        self.group
    }

    /// Waits for the end of the first process of the group.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        // The life line was taken out of the child, or this would close it first.
        self.child.wait().await
    }

    /// Signals all of the group.
    pub(super) fn signal(&self, signal: Signal) {
        // Nobody left to hear it is as good.
        killpg(self.group, signal).ok();
    }

    /// Whether any process of the group is left.
    pub(super) fn is_alive(&self) -> bool {
        killpg(self.group, None) != Err(Errno::ESRCH)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once it was waited for, its number may be another's.
        if self.child.id().is_some() {
            self.signal(Signal::SIGKILL);
        }
    }
}

/// What to start.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    /// Our own binary.
    pub(super) self_exe: &'a Path,
    /// What it is to do there.
    pub(super) order: &'a Order,
    /// The whole environment.
    pub(super) environment: &'a [(String, String)],
    /// The working directory.
    pub(super) directory: &'a Path,
}

/// The thread that spawns. Dropping the last clone ends it, and with it all children that it spawned.
#[derive(Debug, Clone)]
pub(super) struct Spawner(blocking::Sender<Job>);

struct Job {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    /// Starts the thread; to be called within the runtime.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, inbox) = blocking::channel::<Job>();
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("spawner".into())
            .spawn(move || {
                let _in_runtime = runtime.enter();
                for mut job in inbox {
                    // Where nobody waits any more, the child is killed by its drop.
                    drop(job.reply.send(job.command.spawn()));
                }
            })?;
        Ok(Spawner(jobs))
    }

    /// Starts a worker. Returns it with the pipe that all its output comes from.
    pub(super) async fn launch(&self, launch: &Launch<'_>) -> io::Result<(Process, pipe::Receiver)> {
        let (reader, writer) = io::pipe()?;
        let mut command = helper(launch.self_exe, launch.order)?;
        command
            .current_dir(launch.directory)
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .kill_on_drop(true);
        let output = pipe::Receiver::from_owned_fd(reader.into())?;
        let process = self.spawn(command).await?;
        Ok((process, output))
    }

    /// Starts the watch. It is not killed with us: it is what remains.
    pub(super) async fn launch_watch(&self, self_exe: &Path) -> io::Result<(Process, ChildStdin)> {
        let mut command = helper(self_exe, &Order::Watch)?;
        command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process = self.spawn(command).await?;
        let notes = process.life_line.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((process, notes))
    }

    async fn spawn(&self, command: Command) -> io::Result<Process> {
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the spawning thread has ended");
        self.0.send(Job { command, reply }).map_err(|_| gone())?;
        let mut child = child.await.map_err(|_| gone())??;
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or(io::ErrorKind::NotFound)?;
        let life_line = child.stdin.take();
        Ok(Process {
            child,
            group: Pid::from_raw(id),
            life_line,
        })
    }
}

fn helper(self_exe: &Path, order: &Order) -> io::Result<Command> {
    #[expect(clippy::disallowed_methods, reason = "this is workers::child")]
    let mut command = Command::new(self_exe);
    command
        .arg(SUBCOMMAND)
        .arg(serde_json::to_string(order)?)
        .env_clear()
        .process_group(0);
    Ok(command)
}

/// Finds a program as a shell would: a word with a slash is a path, any other is looked for in `path`.
pub(super) fn find_program(word: &str, path: &str) -> Option<PathBuf> {
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
