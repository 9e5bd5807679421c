//! The only place that starts processes of programs.
//!
//! A program gets a process group of its own, a cleared environment with what it is given, its own working directory, and
//! a pipe as standard input. It starts as our own binary, which fences itself in and becomes the program
//! ([`super::fence`]).
//!
//! All are spawned by one thread that lives as long as [`super::Processes`]: a child's parent-death signal fires when the
//! *thread* that spawned it ends, and tokio's blocking threads come and go.

use std::ffi::OsStr;
use std::io;
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
use super::watchdog::{WatchNote, Watchdog};

/// A process that was started, and its group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    /// Closed when we end, however we end.
    input: Option<ChildStdin>,
    /// Knows of the group while this is there.
    watch: Option<Watchdog>,
}

impl Process {
    /// The process id, which is the group's too.
    pub(crate) fn id(&self) -> Pid {
        self.group
    }

    /// Its standard input, if nobody took it before.
    pub(crate) fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// Its standard output, where that is a pipe.
    pub(crate) fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its standard error, where that is a pipe.
    pub(crate) fn take_errors(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits for the end of the first process of the group.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        // The input was taken out of the child, or this would close it first.
        self.child.wait().await
    }

    /// Signals all of the group.
    pub(crate) fn signal(&self, signal: Signal) {
        // Nobody left to hear it is as good.
        killpg(self.group, signal).ok();
    }

    /// Whether any process of the group is left.
    pub(crate) fn is_alive(&self) -> bool {
        killpg(self.group, None) != Err(Errno::ESRCH)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Once it was waited for, its number may be another's.
        if self.child.id().is_some() {
            self.signal(Signal::SIGKILL);
        }
        if let Some(watch) = &self.watch {
            watch.tell(WatchNote::Ended(self.group));
        }
    }
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// The program and its fence.
    pub(crate) plan: FencePlan,
    /// The whole environment.
    pub(crate) environment: &'a [(String, String)],
    /// The working directory.
    pub(crate) directory: &'a Path,
    /// Standard output.
    pub(crate) output: Stdio,
    /// Standard error; its first line is the fence's report.
    pub(crate) errors: Stdio,
}

/// The thread that spawns. Dropping the last clone ends it, and with it all children that it spawned.
#[derive(Debug, Clone)]
pub(super) struct Spawner(blocking::Sender<SpawnJob>);

struct SpawnJob {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    /// Starts the thread; to be called within the runtime.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, inbox) = blocking::channel::<SpawnJob>();
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

    /// Starts a program, and tells the watch of it.
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
            .stdin(Stdio::piped())
            .stdout(launch.output)
            .stderr(launch.errors)
            .kill_on_drop(true);
        let mut process = self.spawn(command).await?;
        watch.tell(WatchNote::Started(process.group));
        process.watch = Some(watch);
        Ok(process)
    }

    /// Starts the watch. It is not killed with us: it is what remains.
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

/// Finds a program as a shell would: a word with a slash is a path, any other is looked for in `path`.
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
