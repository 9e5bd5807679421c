//! The fence: restrictions that the gateway's own binary puts on itself before it executes a program.
//!
//! `garmin-gateway __fence <plan>` ties its life to the gateway's, limits its resources, drops its privileges and the
//! means to gain new ones, and restricts itself with landlock and seccomp. It reports on its first line of output
//! which parts succeeded, and then executes the program. This is a single-threaded helper rather than code between
//! fork and exec, where hardly any function is safe to call.
//!
//! Programs are treated as hostile. A program may read the system's libraries and its own files, write to its own
//! directory, listen on its own port, and connect to its services and name servers. If a kernel lacks some of these
//! mechanisms, the others still apply, and the report names the gap.

mod walls;

use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{execv, getppid};
use serde::{Deserialize, Serialize};

/// The hidden subcommand. Its only argument is a [`HelperOrder`] as JSON.
pub const SUBCOMMAND: &str = "__fence";

/// The prefix of the first line that a fenced process prints; the [`FenceReport`] follows.
pub(crate) const REPORT: &str = "garmin-gateway fence: ";

/// System directories and files that any program needs. Not all of `/etc`, because secrets are stored there.
pub(super) const SYSTEM: &[&str] = &[
    "/usr",
    "/lib",
    "/lib64",
    "/lib32",
    "/bin",
    "/sbin",
    "/nix/store",
    "/proc",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/timezone",
];

/// The task of the helper process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HelperOrder {
    /// Set up the fence, then execute the program.
    Become(FencePlan),
    /// Wait until the gateway ends, then terminate its remaining process groups.
    Watch,
}

/// A program to execute, and its fence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FencePlan {
    /// The gateway's process id. A helper with another parent was started too late, and exits.
    pub(crate) gateway: i32,
    /// The resolved path of the program.
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Paths that it may read and execute, including the system's.
    pub(crate) read: Vec<PathBuf>,
    pub(crate) write: Vec<PathBuf>,
    pub(crate) listen: Vec<u16>,
    pub(crate) connect: Vec<u16>,
    /// Limit of heap and other writable memory, in bytes.
    pub(crate) memory: u64,
    /// Limit of the address space, in bytes; most of it is never used. `None` means no limit.
    pub(crate) address_space: Option<u64>,
}

/// Which parts of the fence are active on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FenceReport {
    /// The landlock ABI in force: files from 1, TCP ports from 4, signals from 6. 0 means no landlock.
    pub(crate) landlock: i32,
    /// The parts that failed although the kernel supports them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<String>,
}

impl FenceReport {
    /// A short description for the log and the console.
    pub(crate) fn words(&self) -> &'static str {
        match self.landlock {
            _ if !self.failed.is_empty() => "incomplete",
            0 => "limits, system calls",
            1..4 => "files",
            4..6 => "files, ports",
            _ => "files, ports, signals",
        }
    }
}

/// Why the helper could not execute the program. *The operator* can fix it.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// The subcommand was called by someone other than the gateway.
    #[error("this subcommand is for the gateway's own use")]
    NotForYou,
    /// The gateway ended before the program was executed.
    #[error("the gateway has ended")]
    Orphaned,
    #[error("{} could not be run", program.display())]
    Program {
        /// The program that could not be executed.
        program: PathBuf,
        source: io::Error,
    },
}

/// Carries out the order in `arguments` (without program and subcommand). Returns only on failure, or when the
/// watchdog is done.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<(), FenceError> {
    let mut arguments = arguments.into_iter();
    let (Some(order), None) = (
        arguments.next().and_then(|order| order.into_string().ok()),
        arguments.next(),
    ) else {
        return Err(FenceError::NotForYou);
    };
    match serde_json::from_str(&order) {
        Ok(HelperOrder::Become(plan)) => Err(become_program(plan)),
        Ok(HelperOrder::Watch) => {
            super::watchdog::run();
            Ok(())
        }
        Err(_) => Err(FenceError::NotForYou),
    }
}

fn become_program(plan: FencePlan) -> FenceError {
    let mut failed = Vec::new();
    let mut note = |what: &str, result: nix::Result<()>| {
        if let Err(error) = result {
            failed.push(format!("{what}: {error}"));
        }
    };
    // This comes first, so that the gateway can't end unnoticed before the parent is checked. SIGTERM rather than
    // SIGKILL: a worker in the middle of a token refresh needs a moment to write the new token.
    note("end with the gateway", prctl::set_pdeathsig(Signal::SIGTERM));
    if getppid().as_raw() != plan.gateway {
        return FenceError::Orphaned;
    }
    for (name, resource, most) in walls::limits(&plan) {
        note(name, walls::limit(resource, most));
    }
    note("no new privileges", prctl::set_no_new_privs());
    if let Err(error) = walls::give_up_capabilities() {
        failed.push(format!("capabilities: {error}"));
    }
    let landlock = walls::lock_in(&plan).unwrap_or_else(|error| {
        failed.push(format!("landlock: {error}"));
        0
    });
    if let Err(error) = walls::refuse_calls() {
        failed.push(format!("system calls: {error}"));
    }
    say(&FenceReport { landlock, failed });
    run_program(plan)
}

/// Prints the report as the first line of standard error, where the gateway looks for it.
fn say(report: &FenceReport) {
    let line = format!("{REPORT}{}\n", serde_json::to_string(report).unwrap_or_default());
    // If nobody reads it, the report is lost.
    drop(io::stderr().write_all(line.as_bytes()));
}

fn run_program(plan: FencePlan) -> FenceError {
    let failed = |program: PathBuf, source: io::Error| FenceError::Program { program, source };
    let words: Result<Vec<CString>, _> = std::iter::once(plan.program.clone().into_os_string())
        .chain(plan.arguments.into_iter().map(OsString::from))
        .map(|word| CString::new(word.into_vec()))
        .collect();
    match words.as_deref() {
        Ok(words @ [program, ..]) => match execv(program, words) {
            Err(error) => failed(plan.program, error.into()),
            Ok(never) => match never {},
        },
        Ok([]) | Err(_) => failed(plan.program, io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_order_is_taken() {
        for arguments in [
            &[][..],
            &["--help"],
            &["{}"],
            &["\"become\""],
            &["\"watch\"", "x"],
        ] {
            let arguments = arguments.iter().map(OsString::from);
            assert!(matches!(run(arguments), Err(FenceError::NotForYou)));
        }
    }

    #[test]
    fn a_late_helper_does_not_begin() {
        let plan = FencePlan {
            gateway: 0,
            program: "/bin/true".into(),
            arguments: Vec::new(),
            read: Vec::new(),
            write: Vec::new(),
            listen: vec![1],
            connect: vec![443],
            memory: 1 << 30,
            address_space: None,
        };
        // Runs in its own thread, because the restrictions must not affect other tests.
        let order = serde_json::to_string(&HelperOrder::Become(plan)).unwrap();
        let result = std::thread::spawn(|| run([OsString::from(order)]))
            .join()
            .unwrap();
        assert!(matches!(result, Err(FenceError::Orphaned)));
    }

    #[test]
    fn the_report_says_how_far_it_goes() {
        for (landlock, failed, words) in [
            (0, vec![], "limits, system calls"),
            (3, vec![], "files"),
            (7, vec![], "files, ports, signals"),
            (7, vec!["memory: EPERM".to_owned()], "incomplete"),
        ] {
            assert_eq!(FenceReport { landlock, failed }.words(), words);
        }
    }
}
