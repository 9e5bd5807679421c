//! Recovers what a killed gateway left behind, before the first worker starts.
//!
//! First the remaining processes are terminated, so that none of them refreshes tokens any more. Then the tokens in
//! their directories are sealed if they are newer, and the directories are removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::time::{sleep, timeout};

use super::procfs::{self, Stat};
use super::tokens::{Directory, TakenIn};
use crate::accounts::Accounts;

/// The time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait after SIGKILL, because the kernel may need a moment.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// A process or process group to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Group(Pid),
    Process(Pid),
}

/// Recovers everything under `root`. A directory that can't be recovered stays, and is retried when its account's
/// worker starts.
pub(super) async fn take_in(root: &Path, accounts: &Accounts) -> std::io::Result<()> {
    let mut directories: Vec<Directory> = Directory::all(root)?
        .iter()
        .filter_map(|account| Directory::find(root, account))
        .collect();
    let groups = directories.iter().filter_map(group_of).map(Left::Group);
    // Processes that left their group are recognised by the directory in their environment.
    let strays = procfs::with_variable_under("GARMINTOKENS", root)
        .into_iter()
        .map(Left::Process);
    let left: BTreeSet<Left> = groups.chain(strays).collect();
    let (processes, mut sealed, mut kept) = (left.len(), 0, 0);
    end(left).await;

    for mut directory in directories.drain(..) {
        match directory.take_in(accounts).await {
            Ok(taken) => {
                sealed += usize::from(taken == TakenIn::Sealed);
                if let Err(error) = directory.wipe() {
                    tracing::error!(reason = %error, "worker.leftover_kept");
                }
            }
            Err(error) => {
                kept += 1;
                tracing::error!(reason = %error, "worker.leftover_kept");
            }
        }
    }
    clear_half_written(root)?;
    if processes + sealed + kept > 0 {
        tracing::warn!(processes, sealed, kept, "worker.leftovers_taken_in");
    }
    Ok(())
}

/// The process group that the directory was handed to, if any of it remains. The kernel does not reuse a group's
/// number while the group has members. A process with this id but another start time belongs to someone else.
fn group_of(directory: &Directory) -> Option<Pid> {
    let mark = directory.process()?.of_this_boot()?;
    let group = Pid::from_raw(mark.id);
    let is_ours = match Stat::of(group) {
        Some(stat) => stat.started == mark.started,
        None => killpg(group, None) != Err(Errno::ESRCH),
    };
    is_ours.then_some(group)
}

/// Sends SIGTERM, then SIGKILL, and waits, because the processes may write until they have ended.
async fn end(mut left: BTreeSet<Left>) {
    for (sent, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, LAST_MOMENT)] {
        left.retain(|left| signal(*left, Some(sent)));
        let all_ended = async {
            while !left.is_empty() {
                sleep(Duration::from_millis(10)).await;
                left.retain(|left| signal(*left, None));
            }
        };
        if timeout(patience, all_ended).await.is_ok() {
            return;
        }
    }
}

/// Sends a signal, or only checks with `None`. Returns whether the target exists.
fn signal(left: Left, signal: Option<Signal>) -> bool {
    match left {
        Left::Group(group) => killpg(group, signal) != Err(Errno::ESRCH),
        Left::Process(process) => Stat::of(process).is_some() && kill(process, signal) != Err(Errno::ESRCH),
    }
}

fn clear_half_written(root: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(root)?.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(".new-") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
