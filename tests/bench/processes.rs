//! The processes under measurement: the gateway's release binary, its workers, the fast upstream, and nginx.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A child process that is killed on drop.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with exactly this environment. Its output goes to `log`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, String)],
        log: PathBuf,
    ) -> Result<Self> {
        Self::with_input(Stdio::null(), program, arguments, environment, log)
    }

    /// Starts a program with a listening socket as file descriptor 3, like a service manager that keeps the socket
    /// open.
    pub(crate) fn on_socket(
        socket: &TcpListener,
        program: &Path,
        arguments: &str,
        environment: &[(&str, String)],
        log: PathBuf,
    ) -> Result<Self> {
        let socket = OwnedFd::from(socket.try_clone()?);
        // The shell sets `LISTEN_PID` and moves the socket to descriptor 3, then executes the program.
        let becomes = format!("LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" {arguments} 3<&0 </dev/null");
        let program = program.display().to_string();
        let shell = Path::new("/bin/sh");
        Self::with_input(
            socket.into(),
            shell,
            &["-c", &becomes, &program],
            environment,
            log,
        )
    }

    #[expect(clippy::disallowed_methods, reason = "the bench starts what it measures")]
    fn with_input(
        input: Stdio,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, String)],
        log: PathBuf,
    ) -> Result<Self> {
        let out = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(input)
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until the URL responds with 200.
    pub(crate) async fn ready(&mut self, client: &reqwest::Client, url: &str) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", fs::read_to_string(&self.log)?);
            }
            if client
                .get(url)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("not ready within 20 s:\n{}", fs::read_to_string(&self.log)?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the first line that the process prints.
    pub(crate) async fn first_line(&mut self) -> Result<String> {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            let said = fs::read_to_string(&self.log)?;
            if let Some((line, _)) = said.split_once('\n') {
                return Ok(line.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("it printed nothing within 10 s")
    }
}

impl Process {
    /// Stops the process with SIGTERM, and kills it if it has not exited within 5 s.
    pub(crate) fn stop(&mut self) {
        // SIGTERM first: a program with children, such as nginx, then stops them before it exits.
        let id = i32::try_from(self.child.id()).unwrap_or_default();
        if kill(Pid::from_raw(id), Signal::SIGTERM).is_ok() {
            let until = Instant::now() + Duration::from_secs(5);
            while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        if self.child.kill().is_ok() && self.child.wait().is_err() {
            // It was already reaped, so there is nothing left to do.
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Resident memory of a process, in MB of 10^6 bytes.
pub(crate) fn resident_mb(id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// CPU time of a process so far, over all threads. The kernel counts it in hundredths of a second.
pub(crate) fn cpu(id: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| -> Result<u64> { Ok(fields.get(at).context("no time")?.parse()?) };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// The workers whose parent is this process.
pub(crate) fn workers_of(id: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(child) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // The parent is the second field after the name, which is in brackets and may contain any character.
        let Ok(stat) = fs::read_to_string(format!("/proc/{child}/stat")) else {
            continue;
        };
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        // The gateway has one more child, the watchdog.
        let environment = fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
        let has_port = environment
            .split(|byte| *byte == 0)
            .any(|entry| entry.starts_with(b"GARMIN_MCP_PORT="));
        if has_port && parent.and_then(|parent| parent.parse().ok()) == Some(id) {
            found.push(child);
        }
    }
    Ok(found)
}

/// The bearer token that the gateway created for a built-in worker.
pub(crate) fn worker_bearer(id: u32) -> Result<String> {
    let directory = worker_variable(id, "GARMINTOKENS=")?;
    Ok(fs::read_to_string(Path::new(&directory).join("bearer"))?)
}

/// The port that a worker was told to listen on.
pub(crate) fn worker_port(id: u32) -> Result<u16> {
    Ok(worker_variable(id, "GARMIN_MCP_PORT=")?.parse()?)
}

fn worker_variable(id: u32, prefix: &str) -> Result<String> {
    let environment = fs::read_to_string(format!("/proc/{id}/environ"))?;
    let value = environment.split('\0').find_map(|pair| pair.strip_prefix(prefix));
    Ok(value
        .with_context(|| format!("the worker has no {prefix}"))?
        .to_owned())
}
