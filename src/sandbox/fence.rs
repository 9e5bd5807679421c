//! The fence around a program: what it may use of the machine, set up by our own binary before it becomes the program.
//!
//! `garmin-gateway __fence <plan>` ties its life to the gateway's, limits its own resources, gives up its privileges and
//! the way to new ones, locks itself in with landlock and seccomp, says on its first line of output how far that went,
//! and replaces itself by the program. A helper of one thread, rather than code between fork and exec, where hardly anything is
//! allowed.
//!
//! A program is treated as hostile: it may read the system's libraries and its own parts, write its own directory, listen
//! on its own port, and connect to where its services and name servers are. A kernel that can't do all of it does what
//! it can: the report says what.

mod walls;

use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{execv, getppid};
use serde::{Deserialize, Serialize};

/// The hidden subcommand; its only argument is an [`HelperOrder`] as JSON.
pub const SUBCOMMAND: &str = "__fence";

/// What the first line of a fenced process begins with; the [`FenceReport`] follows.
pub(crate) const REPORT: &str = "garmin-gateway fence: ";

/// Directories and files of the system that any program needs. Not `/etc` as a whole: secrets live there.
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

/// What the helper is told to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HelperOrder {
    /// Lock yourself in, then become the program.
    Become(FencePlan),
    /// Wait for the gateway's end, then end what it left.
    Watch,
}

/// A program to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FencePlan {
    /// The gateway's process id: a helper whose parent is another came too late.
    pub(crate) gateway: i32,
    /// The program, found already.
    pub(crate) program: PathBuf,
    /// Its arguments, without the program itself.
    pub(crate) arguments: Vec<String>,
    /// What it may read and run, the system's own files included.
    pub(crate) read: Vec<PathBuf>,
    /// What it may write.
    pub(crate) write: Vec<PathBuf>,
    /// The TCP ports that it may listen on.
    pub(crate) listen: Vec<u16>,
    /// The TCP ports that it may connect to.
    pub(crate) connect: Vec<u16>,
    /// Heap and other writable memory, in bytes.
    pub(crate) memory: u64,
    /// Address space, most of which is never used, in bytes; `None` = any.
    pub(crate) address_space: Option<u64>,
}

/// How far the fence goes on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FenceReport {
    /// Landlock's ABI in force: files from 1, TCP ports from 4, signals from 6; 0 = no landlock.
    pub(crate) landlock: i32,
    /// What did not work though it should have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<String>,
}

impl FenceReport {
    /// For the log and the console.
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

/// Why the helper did not become the program. *The operator* can act.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// Nobody but the gateway calls this subcommand.
    #[error("this subcommand is for the gateway's own use")]
    NotForYou,
    /// The gateway ended before the program began.
    #[error("the gateway has ended")]
    Orphaned,
    /// The program could not be run.
    #[error("{} could not be run", program.display())]
    Program {
        /// What should have been run.
        program: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Does what `arguments` (without program and subcommand) say. Returns only when that failed or, for the watch,
/// when it is done.
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
    // First, so that nothing is missed between this and the look at the parent. TERM and not KILL: a worker that is
    // just spending its refresh token gets the moment that it needs to write the next one.
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

/// The first line of the program's output, which the gateway reads as ours.
fn say(report: &FenceReport) {
    let line = format!("{REPORT}{}\n", serde_json::to_string(report).unwrap_or_default());
    // Without a reader there is nobody to tell.
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
        // In a thread of its own: what the helper does to itself must not reach the tests beside it.
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
