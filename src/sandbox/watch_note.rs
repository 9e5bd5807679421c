//! The messages from the gateway to its watchdog, and the sender that every spawned process holds.

use std::collections::BTreeSet;

use nix::unistd::Pid;
use tokio::sync::mpsc;

/// A message from the gateway to the watchdog, one line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchNote {
    Started(Pid),
    Ended(Pid),
}

impl WatchNote {
    pub(super) fn line(self) -> String {
        match self {
            WatchNote::Started(group) => format!("+{group}\n"),
            WatchNote::Ended(group) => format!("-{group}\n"),
        }
    }

    pub(super) fn apply(self, groups: &mut BTreeSet<Pid>) {
        match self {
            WatchNote::Started(group) => groups.insert(group),
            WatchNote::Ended(group) => groups.remove(&group),
        };
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let group = |digits: &str| digits.parse().ok().filter(|id| *id > 1).map(Pid::from_raw);
        match line.split_at_checked(1)? {
            ("+", digits) => group(digits).map(WatchNote::Started),
            ("-", digits) => group(digits).map(WatchNote::Ended),
            _ => None,
        }
    }
}

/// The gateway's end of the pipe. The watchdog ends when the gateway is shutting down and no group is left, or when
/// the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Watchdog(mpsc::UnboundedSender<WatchNote>);

impl Watchdog {
    /// A sender, and the receiver of its notes.
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<WatchNote>) {
        let (notes, inbox) = mpsc::unbounded_channel();
        (Watchdog(notes), inbox)
    }

    pub(super) fn tell(&self, note: WatchNote) {
        self.0.send(note).ok();
    }
}
