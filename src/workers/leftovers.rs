//! What a gateway that was killed left behind: taken in before the first worker starts.
//!
//! First the processes are ended, so that nobody refreshes tokens any more; then the tokens in their directories are
//! sealed where they are newer; then everything is cleared.

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

/// From TERM to KILL.
const GRACE: Duration = Duration::from_secs(2);
/// From KILL to the end, which the kernel may take a moment for.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Whom to signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Group(Pid),
    Process(Pid),
}

/// Takes in everything under `root`. What can't be taken in stays, and is tried again when its account's worker starts.
pub(super) async fn take_in(root: &Path, accounts: &Accounts) -> std::io::Result<()> {
    let mut directories: Vec<Directory> = Directory::all(root)?
        .iter()
        .filter_map(|account| Directory::find(root, account))
        .collect();
    let groups = directories.iter().filter_map(group_of).map(Left::Group);
    // Those who left their group are known by the directory that they were given.
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

/// The process group that the directory was handed to, if any of it is left. (While a group has members, its number is
/// given to no other process; a process of that number that started at another time is another's.)
fn group_of(directory: &Directory) -> Option<Pid> {
    let mark = directory.process()?.of_this_boot()?;
    let group = Pid::from_raw(mark.id);
    let is_ours = match Stat::of(group) {
        Some(stat) => stat.started == mark.started,
        None => killpg(group, None) != Err(Errno::ESRCH),
    };
    is_ours.then_some(group)
}

/// TERM, then KILL. Until they have ended they may still write.
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

/// Whether there was anybody to hear it.
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
