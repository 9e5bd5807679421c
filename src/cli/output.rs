//! Everything the command line prints goes through here.
//!
//! A closed pipe is not an error: the reader has seen enough. Any other failure to write is remembered, and the process
//! then ends with [`DISK`].

use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::DISK;

static FAILED: AtomicBool = AtomicBool::new(false);

/// Prints a line to standard output.
pub(super) fn say(text: &str) {
    let mut line = text.to_owned();
    line.push('\n');
    // Remembered by `put`; the work goes on.
    put(line.as_bytes()).unwrap_or_default();
}

/// Writes to standard output. Errors: nobody reads it, or it can't be written. Either ends a stream.
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

/// Prints a line to standard error.
pub(super) fn note(text: &str) {
    // There is nowhere left to report a failure.
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}

/// Tells why the program ends with `code`.
pub(super) fn fail(code: u8, text: &str) -> ExitCode {
    note(&format!("garmin-gateway: {text}"));
    ExitCode::from(code)
}

/// The exit code after everything was printed.
pub(super) fn finished(code: ExitCode) -> ExitCode {
    if FAILED.load(Ordering::Relaxed) && code == ExitCode::SUCCESS {
        ExitCode::from(DISK)
    } else {
        code
    }
}
