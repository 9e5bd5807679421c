//! Information about processes, read from `/proc` on request.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::unistd::{Pid, SysconfVar, sysconf};

/// The parts of `/proc/<pid>/stat` that the gateway uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) group: Pid,
    /// Its start time, in ticks since boot. Together with the process id, it is unique within one boot.
    pub(super) started: u64,
    /// User plus system time, in ticks.
    cpu_ticks: u64,
    /// Resident memory of the process, in pages.
    resident_pages: u64,
}

impl Stat {
    /// Returns `None` if there is no such process.
    pub(super) fn of(process: Pid) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // The second field is the program's name in brackets, which may contain any character.
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        // A zombie has ended, and is only waiting to be reaped.
        if matches!(fields.first(), Some(&"Z" | &"X")) {
            return None;
        }
        Some(Stat {
            group: Pid::from_raw(i32::try_from(number(2)?).ok()?),
            cpu_ticks: number(11)? + number(12)?,
            started: number(19)?,
            resident_pages: number(21)?,
        })
    }

    fn usage(&self) -> GroupUsage {
        GroupUsage {
            resident_bytes: self.resident_pages * setting(SysconfVar::PAGE_SIZE, 4096),
            cpu: Duration::from_secs_f64(self.cpu_ticks as f64 / setting(SysconfVar::CLK_TCK, 100) as f64),
        }
    }
}

/// The resources that a process group uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct GroupUsage {
    /// Resident memory of the group, in bytes.
    pub(super) resident_bytes: u64,
    /// CPU time used so far.
    pub(super) cpu: Duration,
}

/// The usage of every process group on the machine.
pub(super) fn usages() -> HashMap<Pid, GroupUsage> {
    let mut usages: HashMap<Pid, GroupUsage> = HashMap::new();
    for stat in processes().filter_map(Stat::of) {
        let usage = usages.entry(stat.group).or_default();
        usage.resident_bytes += stat.usage().resident_bytes;
        usage.cpu += stat.usage().cpu;
    }
    usages
}

fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
}

/// Whether a process of this group listens on this TCP port. Another program may have taken the port between the
/// gateway's check and the worker's bind.
pub(super) fn listens(group: Pid, port: u16) -> bool {
    let sockets = listeners(port);
    let has_one = |process: Pid| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten();
        files
            .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
            .any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
    };
    // Usually the first process listens; with a launcher such as `uvx` it is a child.
    !sockets.is_empty()
        && (has_one(group)
            || processes()
                .any(|process| Stat::of(process).is_some_and(|stat| stat.group == group) && has_one(process)))
}

/// The sockets that listen on a port, in the form of the links in `/proc/<pid>/fd`.
fn listeners(port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            // Columns: sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …; state 0A is
            // LISTEN.
            let sockets = table.lines().filter_map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                let is_it = fields.get(1)?.ends_with(&port) && *fields.get(3)? == "0A";
                is_it.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
            });
            sockets.collect::<Vec<_>>()
        })
        .collect()
}

/// The id of this boot. Process ids and start times are only meaningful within one boot.
pub(super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn setting(name: SysconfVar, usual: u64) -> u64 {
    sysconf(name)
        .ok()
        .flatten()
        .and_then(|value| u64::try_from(value).ok())
        .filter(|value| *value > 0)
        .unwrap_or(usual)
}

/// This user's processes whose environment has a variable `name` with a path under `directory`.
pub(super) fn with_variable_under(name: &str, directory: &Path) -> Vec<Pid> {
    let prefix = format!("{name}={}/", directory.display());
    // Other users' environments can't be read, and need not be.
    let has_it = |process: &Pid| {
        fs::read(format!("/proc/{process}/environ")).is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|line| line.starts_with(prefix.as_bytes()))
        })
    };
    processes().filter(has_it).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_confuse() {
        let stat =
            "4711 (a) b (c) S 1 4700 4700 0 -1 4194560 1 0 0 0 7 5 0 0 20 0 1 0 123456 2703360 250 184 1 1";
        let expected = Stat {
            group: Pid::from_raw(4700),
            started: 123_456,
            cpu_ticks: 12,
            resident_pages: 250,
        };
        assert_eq!(Stat::parse(stat), Some(expected));
        assert_eq!(Stat::parse(&stat.replace(") S ", ") Z ")), None);
        assert_eq!(Stat::parse("4711 (x"), None);
    }

    #[test]
    fn a_listener_is_known_by_its_process() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ours = nix::unistd::getpgrp();
        assert!(listens(ours, port));
        assert!(!listens(Pid::from_raw(1), port), "somebody else's");
        drop(listener);
        assert!(!listens(ours, port));
    }

    #[test]
    fn this_process_can_be_read() {
        let stat = Stat::of(nix::unistd::getpid()).unwrap();
        assert!(stat.started > 0);
        assert!(usages()[&stat.group].resident_bytes >= 1 << 20);
        assert_eq!(boot_id().len(), 36);
        assert_eq!(Stat::of(Pid::from_raw(i32::MAX)), None);
    }
}
