//! The watchdog: a small process that briefly outlives the gateway, to terminate the processes it left behind.
//!
//! A direct child dies with the gateway, but its own children would survive (`uvx` starts `python`). The gateway
//! therefore tells the watchdog over a pipe about every process group that starts or ends. When the pipe closes, for
//! whatever reason, the watchdog terminates the remaining groups: SIGTERM at once, SIGKILL about a second later.

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
use super::watch_note::{WatchNote, Watchdog};
use crate::base::lifecycle::Lifecycle;

/// The time between SIGTERM and SIGKILL. A worker in the middle of a token refresh needs a moment to write the new
/// token.
const GRACE: Duration = Duration::from_millis(1200);

/// Starts the watchdog process, and restarts it if it exits.
pub(super) fn start(spawner: Spawner, self_exe: PathBuf, lifecycle: &Lifecycle) -> Watchdog {
    let (watchdog, inbox) = Watchdog::new();
    lifecycle.spawn("watch", keep(spawner, self_exe, inbox, lifecycle.stopping()));
    watchdog
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
                // A restarted watchdog first learns of all running groups.
                let mut unsaid: String = groups
                    .iter()
                    .map(|group| WatchNote::Started(*group).line())
                    .collect();
                while pipe.write_all(unsaid.as_bytes()).await.is_ok() {
                    let note = tokio::select! {
                        // The order matters: pending notes are read before checking whether any group is left.
                        biased;
                        note = inbox.recv() => note,
                        _ = process.wait() => break,
                        // Holders of a clone live on during shutdown, so the channel may not close by then.
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

/// The main function of the watchdog process: reads notes until the pipe closes, then terminates the remaining
/// groups.
pub(super) fn run() {
    // A signal to the whole unit or terminal is meant for the gateway; the watchdog ends when the gateway does.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        signals.add(signal);
    }
    // If this fails, the watchdog may at worst end shortly before the gateway.
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

/// Sends SIGTERM to all groups, and SIGKILL to those that remain after the grace period. Returns when all have ended
/// or been killed.
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
        // 0 means the watchdog's own group, 1 means init's, and a negative number means every process.
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
