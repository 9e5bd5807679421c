//! All output of the command line goes through this module.
//!
//! A closed pipe is not an error: the reader has seen enough. Any other failure to write is recorded, and the process
//! then exits with [`DISK`].

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::DISK;
use crate::config::Sources;

static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line to standard output.
pub(super) fn say(text: &str) {
    let mut line = text.to_owned();
    line.push('\n');
    // `put` records the failure; the command continues.
    put(line.as_bytes()).unwrap_or_default();
}

/// Writes to standard output. Errors: the pipe is closed, or the write failed. Either ends a stream.
pub(super) fn put(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    if let Err(e) = &written
        && e.kind() != ErrorKind::BrokenPipe
        && !FAILED.swap(true, Ordering::Relaxed)
    {
        note(&format!("garmin-gateway: standard output can't be written: {e}"));
    }
    written
}

/// A text style for terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Bold,
    Good,
    Warn,
    Bad,
}

impl Paint {
    /// The style of a state word.
    pub(super) fn of_state(text: &str) -> Option<Self> {
        Some(match text {
            "ready" | "working" | "running" | "finished" => Self::Good,
            "no signal" | "stopped" | "starting" | "stopping" | "waiting" => Self::Warn,
            "failed" => Self::Bad,
            text if text.starts_with("sign-in needed") => Self::Bad,
            _ => return None,
        })
    }
}

/// `text` with the ANSI codes of a style. The 16 ANSI colours follow the terminal's theme.
pub(super) fn paint(style: Paint, text: &str) -> String {
    let code = match style {
        Paint::Bold => 1,
        Paint::Good => 32,
        Paint::Warn => 33,
        Paint::Bad => 31,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Whether to use colours: standard output is a terminal, and `NO_COLOR` is not set.
pub(super) fn has_color() -> bool {
    let no_color = Sources::of_process(None).is_ok_and(|sources| sources.terminal().0);
    std::io::stdout().is_terminal() && !no_color
}

/// Prints a line to standard error.
pub(super) fn note(text: &str) {
    // A failure here cannot be reported anywhere.
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}

/// Reports why the program exits with `code`.
pub(super) fn fail(code: u8, text: &str) -> ExitCode {
    note(&format!("garmin-gateway: {text}"));
    ExitCode::from(code)
}

/// The exit code after all output: `code`, or [`DISK`] if `code` is success but a write failed.
pub(super) fn finished(code: ExitCode) -> ExitCode {
    if FAILED.load(Ordering::Relaxed) && code == ExitCode::SUCCESS {
        ExitCode::from(DISK)
    } else {
        code
    }
}
