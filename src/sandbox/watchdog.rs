//! The watch: one small process that outlives the gateway by a moment, to end what the gateway left.
//!
//! A direct child dies with the gateway by itself, its own children (`uvx` starts `python`) would live on. So the gateway
//! tells the watch of every process group that it starts and that has ended, over a pipe; when the pipe closes, whatever
//! the reason, the watch ends the groups that are left: TERM at once, KILL a second later.

use std::collections::BTreeSet;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::child::Spawner;
use crate::base::lifecycle::Lifecycle;

/// From TERM to KILL. A worker that is spending its refresh token needs a moment to write the next.
const GRACE: Duration = Duration::from_millis(1200);

/// What the gateway tells the watch: one line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchNote {
    /// A process group was started.
    Started(Pid),
    /// A process group has ended.
    Ended(Pid),
}

impl WatchNote {
    pub(super) fn line(self) -> String {
        match self {
            WatchNote::Started(group) => format!("+{group}\n"),
            WatchNote::Ended(group) => format!("-{group}\n"),
        }
    }

    fn apply(self, groups: &mut BTreeSet<Pid>) {
        match self {
            WatchNote::Started(group) => groups.insert(group),
            WatchNote::Ended(group) => groups.remove(&group),
        };
    }

    fn parse(line: &str) -> Option<Self> {
        let group = |digits: &str| digits.parse().ok().filter(|id| *id > 1).map(Pid::from_raw);
        match line.split_at_checked(1)? {
            ("+", digits) => group(digits).map(WatchNote::Started),
            ("-", digits) => group(digits).map(WatchNote::Ended),
            _ => None,
        }
    }
}

/// The gateway's end of the pipe. The watch ends when the program stops and no group is left, or the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Watchdog(mpsc::UnboundedSender<WatchNote>);

impl Watchdog {
    /// Starts the watch, and starts it again should it end.
    pub(super) fn start(spawner: Spawner, self_exe: PathBuf, lifecycle: &Lifecycle) -> Self {
        let (notes, inbox) = mpsc::unbounded_channel();
        lifecycle.spawn("watch", keep(spawner, self_exe, inbox, lifecycle.stopping()));
        Watchdog(notes)
    }

    pub(super) fn tell(&self, note: WatchNote) {
        self.0.send(note).ok();
    }
}

async fn keep(
    spawner: Spawner,
    self_exe: PathBuf,
    mut inbox: mpsc::UnboundedReceiver<WatchNote>,
    stopping: CancellationToken,
) {
    let mut groups = BTreeSet::new();
    loop {
        match spawner.launch_watch(&self_exe).await {
            Ok((mut process, mut pipe)) => {
                // A new watch takes over where the former one ended.
                let mut unsaid: String = groups
                    .iter()
                    .map(|group| WatchNote::Started(*group).line())
                    .collect();
                while pipe.write_all(unsaid.as_bytes()).await.is_ok() {
                    let note = tokio::select! {
                        // In order: what was started is known before it is asked whether nothing is left.
                        biased;
                        note = inbox.recv() => note,
                        _ = process.wait() => break,
                        // Whoever may start programs lives on while the program drains.
                        () = stopping.cancelled(), if groups.is_empty() => None,
                    };
                    let Some(note) = note else {
                        drop(pipe);
                        drop(timeout(2 * GRACE, process.wait()).await);
                        return;
                    };
                    note.apply(&mut groups);
                    unsaid = note.line();
                }
            }
            Err(error) => tracing::warn!(reason = %error, "watch.failed"),
        }
        tracing::warn!("watch.ended");
        sleep(Duration::from_secs(1)).await;
    }
}

/// The whole life of the watch: reads notes to the end of the pipe, then ends what is left.
pub(super) fn run() {
    // A signal to all of the unit or the terminal is meant for the gateway; its end is ours.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        signals.add(signal);
    }
    // Should that fail, the watch ends a moment before the gateway at worst.
    signals.thread_block().ok();
    end_groups(remaining(io::stdin().lock()));
}

/// The groups that were started and have not ended.
fn remaining(notes: impl BufRead) -> BTreeSet<Pid> {
    let mut groups = BTreeSet::new();
    for note in notes
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| WatchNote::parse(&line))
    {
        match note {
            WatchNote::Started(group) => groups.insert(group),
            WatchNote::Ended(group) => groups.remove(&group),
        };
    }
    groups
}

/// TERM to all, then KILL to those that are still there when the grace is over. Returns when none is left, or was killed.
pub(crate) fn end_groups(mut groups: BTreeSet<Pid>) {
    groups.retain(|group| killpg(*group, Signal::SIGTERM) != Err(Errno::ESRCH));
    let deadline = Instant::now() + GRACE;
    while !groups.is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
        groups.retain(|group| killpg(*group, None) != Err(Errno::ESRCH));
    }
    for group in groups {
        killpg(group, Signal::SIGKILL).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_told_and_understood() {
        for note in [
            WatchNote::Started(Pid::from_raw(4711)),
            WatchNote::Ended(Pid::from_raw(2)),
        ] {
            assert_eq!(WatchNote::parse(note.line().trim_end()), Some(note));
        }
        // 0 would be the group of the watch itself, 1 that of init, a minus sign everything.
        for line in ["", "+", "+0", "+1", "--1", "+x", "4711", "é1"] {
            assert_eq!(WatchNote::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn what_was_started_and_has_not_ended_remains() {
        let groups = remaining(&b"+10\n+11\n+12\n-11\nnonsense\n-99\n+13\n-10"[..]);
        assert_eq!(groups, [12, 13].map(Pid::from_raw).into());
    }
}
