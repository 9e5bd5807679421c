//! Tests of signals that terminate a program by default: in every long-running program, HUP reloads the settings, and
//! USR1 and USR2 are ignored.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_garmin-gateway");
const ALL: [Signal; 3] = [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];
const PATIENCE: Duration = Duration::from_secs(30);

/// A running program and the lines of its standard output.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Waits for a line that contains `word`.
    pub(crate) fn wait_for(&self, word: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {word}"));
            if line.contains(word) {
                return line;
            }
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Sends SIGKILL, and waits until the program is gone.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM. Returns whether the program drained and exited with 0.
    pub(crate) fn ends_well(mut self) -> bool {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap().success()
    }
}

pub(crate) fn gateway(dir: &Path) -> Command {
    let at = |name: &str| dir.join(name);
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(dir)
        .env_clear()
        .env("HOME", dir)
        .env("DATA_DIR", at("data"))
        .env("RUNTIME_DIR", at("runtime"))
        .env("GATEWAY_SECRET_FILE", at("secret"))
        .env("PORT", "0");
    command
}

#[test]
fn sighup_reloads_the_settings_and_no_other_signal_ends_the_gateway() {
    let dir = tempfile::tempdir().unwrap();
    // This is outside the directory of the env file, which is watched.
    fs::create_dir(dir.path().join("apart")).unwrap();
    let token = dir.path().join("apart/token");
    fs::write(&token, "123456:AAbbCCddEEffGGhhIIjj").unwrap();
    fs::write(
        dir.path().join(".env"),
        format!(
            "TELEGRAM_BOT_TOKEN_FILE={}\nOPERATOR_NAME=Ann & $Bob\n",
            token.display()
        ),
    )
    .unwrap();
    let gateway = Running::start(gateway(dir.path()).arg("serve"));
    // `serve` reads the `.env` of the working directory and logs that.
    assert!(gateway.wait_for("config.read").contains("/.env"));
    gateway.wait_for("daemon.ready");
    for signal in ALL {
        gateway.signal(signal);
    }
    gateway.wait_for("config.reload_requested");
    fs::write(&token, "654321:AAbbCCddEEffGGhhIIjj").unwrap();
    gateway.signal(Signal::SIGHUP);
    gateway.wait_for("config.reloaded");
    assert!(gateway.ends_well());
}

#[test]
fn other_commands_do_not_read_the_working_directorys_env_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".env"), "MAX_WORKERS=7\nbroken\n").unwrap();
    let shown = gateway(dir.path()).arg("config").output().unwrap();
    let told = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.status.success() && !told.contains(".env"), "{told}");
    let refused = gateway(dir.path()).arg("serve").output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    assert!(told.contains("line 2") && !told.contains("broken"), "{told}");
}

#[test]
fn a_worker_and_the_simulator_outlive_the_signals() {
    let dir = tempfile::tempdir().unwrap();
    let mut worker = Command::new(PROGRAM);
    worker.arg("worker").env_clear().env("HOME", dir.path());
    let mut worker = Running::start(&mut worker);
    let mut input = worker.child.stdin.take().unwrap();
    let mut ping = |id: u32| {
        writeln!(
            input,
            "{}",
            serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": "ping" })
        )
        .unwrap();
        worker.wait_for("\"id\"");
    };
    ping(1);
    for signal in ALL {
        worker.signal(signal);
    }
    ping(2);
    worker.child.kill().unwrap();
    worker.child.wait().unwrap();

    let simulator = Running::start(Command::new(PROGRAM).arg("simulator"));
    simulator.wait_for("people");
    for signal in ALL {
        simulator.signal(signal);
    }
    assert!(simulator.ends_well());
}
