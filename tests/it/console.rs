//! Tests of the real console on a pseudoterminal, connected to a real daemon: keys are typed and the screen is
//! checked.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::unistd::Pid;
use tokio::sync::Notify;

use crate::whole::World;

const ROWS: NonZeroU16 = NonZeroU16::new(24).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// The maximum time to wait for any expected output.
const PATIENCE: Duration = Duration::from_secs(30);

/// A pseudoterminal in which a program runs.
struct Terminal {
    child: Child,
    keyboard: File,
    /// The program's side of the terminal, kept open to check its final settings.
    line: File,
    before: Termios,
    screen: Arc<Mutex<vt100::Parser>>,
    drawn: Arc<Notify>,
}

impl Terminal {
    fn start(command: &mut Command) -> Self {
        let size = Winsize {
            ws_row: ROWS.get(),
            ws_col: COLUMNS.get(),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(Some(&size), None).unwrap();
        let (line, keyboard) = (File::from(pair.slave), File::from(pair.master));
        let before = tcgetattr(&line).unwrap();
        let stdio = || Stdio::from(line.try_clone().unwrap());
        let child = command
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let drawn = Arc::new(Notify::new());
        let (mut read, shown, told) = (
            keyboard.try_clone().unwrap(),
            Arc::clone(&screen),
            Arc::clone(&drawn),
        );
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(n @ 1..) = read.read(&mut bytes) {
                shown.lock().unwrap().process(&bytes[..n]);
                told.notify_one();
            }
        });
        Self {
            child,
            keyboard,
            line,
            before,
            screen,
            drawn,
        }
    }

    fn console(socket: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_garmin-gateway"));
        Self::start(command.arg("console").arg("--socket").arg(socket))
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until all of these texts are on the screen.
    async fn until(&self, texts: &[&str]) {
        let shown = async {
            loop {
                let drawn = self.drawn.notified();
                let contents = self.screen.lock().unwrap().screen().contents();
                if texts.iter().all(|text| contents.contains(text)) {
                    return;
                }
                drawn.await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, shown).await.is_ok(),
            "not on the screen: {texts:?}\n{}",
            self.screen.lock().unwrap().screen().contents()
        );
    }

    /// Waits for the program to exit, and checks that it restored the terminal. Returns the exit code.
    async fn ended_whole(mut self) -> Option<i32> {
        let mut child = self.child;
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
        let ended = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
        // The program's last output may not have arrived yet.
        self.keyboard.flush().unwrap();
        let whole = async {
            loop {
                let drawn = self.drawn.notified();
                {
                    let parser = self.screen.lock().unwrap();
                    let screen = parser.screen();
                    if !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste() {
                        return;
                    }
                }
                drawn.await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, whole).await.is_ok(),
            "the screen is not the shell's again"
        );
        let after = tcgetattr(&self.line).unwrap();
        assert!(after.local_flags.contains(LocalFlags::ICANON | LocalFlags::ECHO));
        assert_eq!(
            (after.local_flags, after.input_flags, after.output_flags),
            (
                self.before.local_flags,
                self.before.input_flags,
                self.before.output_flags
            )
        );
        ended.code()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_screen_out_and_a_revocation_that_the_client_feels() {
    let world = World::start().await;
    let ann = world.connect("ann@example.org", "demo-ann", None).await;
    assert_eq!(world.full_name(&ann.access_token).await, "Ann Example");
    let mut terminal = Terminal::console(&world.socket());
    terminal.until(&["live", "Overview"]).await;
    terminal.type_in("2");
    terminal.until(&["ann@example.org", "ready", "s stop"]).await;
    terminal.type_in("3");
    terminal.until(&["ann@example.org", "working", "x revoke"]).await;
    terminal.type_in("4");
    terminal.until(&["n new"]).await;
    terminal.type_in("6");
    terminal.until(&["worker.ready"]).await;
    terminal.type_in("?");
    terminal.until(&["quit; the gateway keeps running"]).await;
    terminal.type_in("?5");
    terminal.until(&["Sign-ins of clients (1)", "A test"]).await;

    // The answer No is preselected.
    terminal.type_in("x");
    terminal.until(&["End this sign-in"]).await;
    terminal.type_in("\r");
    terminal
        .until(&["Sign-ins of clients (1), then what was revoked (0)"])
        .await;
    terminal.type_in("x");
    terminal.until(&["End this sign-in"]).await;
    terminal.type_in("y");
    terminal
        .until(&[
            "Ended: 1 sign-in",
            "Sign-ins of clients (0), then what was revoked (1)",
        ])
        .await;
    let refused = world.http.post(world.url("/mcp")).bearer_auth(&ann.access_token);
    assert_eq!(refused.send().await.unwrap().status(), 401);
    // The revocation shows the operator's uid.
    let uid = nix::unistd::getuid();
    terminal.until(&[&format!("operator (uid {uid})")]).await;

    terminal.type_in("q");
    assert_eq!(terminal.ended_whole().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_daemon_is_found_again_without_a_key() {
    let mut world = World::start().await;
    let terminal = Terminal::console(&world.socket());
    terminal.until(&["live"]).await;
    world.stop_gateway().await;
    terminal.until(&["no gateway", "next try in"]).await;
    world.start_gateway().await;
    terminal.until(&["● live"]).await;
    // After reconnecting, the console shows new data.
    world.connect("ann@example.org", "demo-ann", None).await;
    let mut terminal = terminal;
    terminal.type_in("3");
    terminal.until(&["ann@example.org"]).await;
    terminal.type_in("\u{3}");
    assert_eq!(terminal.ended_whole().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_is_whole_after_signals_and_a_panic() {
    let nowhere = tempfile::tempdir().unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let terminal = Terminal::console(&nowhere.path().join("admin.sock"));
        terminal.until(&["no gateway"]).await;
        kill(Pid::from_raw(terminal.child.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(terminal.ended_whole().await, Some(0), "{signal}");
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let terminal = Terminal::start(command.args([
        "--ignored",
        "--exact",
        "--nocapture",
        "console::a_console_that_panics",
    ]));
    terminal.until(&["on purpose"]).await;
    assert_eq!(terminal.ended_whole().await, Some(101));
}

/// Not a test itself: the test above runs it in a separate terminal.
#[tokio::test]
#[ignore = "it panics on purpose"]
async fn a_console_that_panics() {
    let look = garmin_gateway::console::Look::default();
    let clock = garmin_gateway::base::clock::Clock::system();
    let console = garmin_gateway::console::run("/nonexistent/admin.sock".into(), look, clock);
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        panic!("on purpose");
    };
    tokio::select! {
        ended = console => ended.unwrap(),
        () = later => {}
    }
}
