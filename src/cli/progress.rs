//! Progress of long operations: one line on a terminal, erased at the end. Without a terminal, nothing is shown.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::console::words;

/// Minimum time between two updates of the line.
const REFRESH: Duration = Duration::from_millis(100);

/// The progress line. Dropping it erases it from the terminal.
pub(super) struct ProgressLine {
    what: &'static str,
    shown: Option<Instant>,
    is_terminal: bool,
}

impl ProgressLine {
    /// Creates the line. `what` is the operation, such as `backing up`.
    pub(super) fn of(what: &'static str) -> Self {
        Self {
            what,
            shown: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows the bytes done, and the total if it is known.
    pub(super) fn bytes(&mut self, done: u64, all: Option<u64>) {
        if !self.is_terminal || self.shown.is_some_and(|shown| shown.elapsed() < REFRESH) {
            return;
        }
        self.shown = Some(Instant::now());
        let of = all.map_or_else(String::new, |all| format!(" of {}", words::bytes(all)));
        Self::put(&format!("\r\x1b[K{} {}{of}", self.what, words::bytes(done)));
    }

    fn put(text: &str) {
        let mut err = std::io::stderr().lock();
        // This only fails if the terminal is gone, and then nobody needs the progress.
        drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.shown.is_some() {
            Self::put("\r\x1b[K");
        }
    }
}
