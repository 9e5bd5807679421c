//! The parts of the fence, one function each: limits, capabilities, system calls, files and ports. None can be
//! undone: the process and its children never regain what was given up.

use std::collections::BTreeMap;

use caps::errors::CapsError;
use caps::{CapSet, Capability};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
#[cfg(target_arch = "x86_64")]
use seccompiler::sock_filter;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use super::FencePlan;

/// The newest landlock ABI that is requested. An older kernel is asked for fewer access rights.
const NEWEST: ABI = ABI::V9;

/// The limit of open files per process.
const FILES: u64 = 1024;
/// The size limit of each written file, in bytes, because its directory may be on tmpfs.
const FILE_SIZE: u64 = 256 << 20;
/// The limit of processes and threads. The kernel counts all of the gateway's user, so this only stops fork bombs.
const PROCESSES: u64 = 4096;

/// Devices that are safe to use because they store nothing.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// The socket families that a program may create: internet, and netlink, which resolvers use to learn about
/// interfaces. No unix sockets: before its ABI 9, landlock does not stop a process of the same user from reaching the
/// console's socket. (Socket pairs are a separate system call.)
const SOCKETS: [libc::c_int; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// System calls that no program needs. They inspect or change other processes, leave the namespaces, or bypass the
/// rules below.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_io_uring_setup,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_unshare,
];

/// System calls that take a process id first and change that process. The kernel only requires the same user, which
/// the gateway has too: `prlimit(getppid(), RLIMIT_CPU, 1)` would end it. Only 0, the caller itself, is allowed.
const OF_THE_CALLER: &[libc::c_long] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
];

/// The `which` argument of `setpriority` and `ioprio_set` for a single process. Users and groups would include the
/// gateway.
const PRIO_PROCESS: u64 = 0;
const IOPRIO_WHO_PROCESS: u64 = 1;

/// Terminal requests that inject input as if the user had typed it.
const TYPING: [u64; 2] = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */];

/// The resource limits of a program.
pub(super) fn limits(plan: &FencePlan) -> impl Iterator<Item = (&'static str, Resource, u64)> {
    let address_space = plan
        .address_space
        .map(|most| ("address space", Resource::RLIMIT_AS, most));
    [
        ("memory", Resource::RLIMIT_DATA, plan.memory),
        ("open files", Resource::RLIMIT_NOFILE, FILES),
        ("file size", Resource::RLIMIT_FSIZE, FILE_SIZE),
        ("processes", Resource::RLIMIT_NPROC, PROCESSES),
        ("core dumps", Resource::RLIMIT_CORE, 0),
    ]
    .into_iter()
    .chain(address_space)
}

/// Lowers a limit, unless it is already lower.
pub(super) fn limit(resource: Resource, most: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let most = most.min(hard);
    setrlimit(resource, most, most)
}

/// Drops all capabilities, so that a program run by root lacks root's powers. Some of them bypass landlock:
/// CAP_PERFMON reads any process's environment. These three sets decide what the next program gets.
pub(super) fn give_up_capabilities() -> Result<(), CapsError> {
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::read(None, CapSet::Bounding)? {
            caps::drop(None, CapSet::Bounding, capability)?;
        }
    }
    Ok(())
}

/// Restricts files, ports and signals with landlock. Returns the ABI in force; 0 means that the kernel has none.
pub(super) fn lock_in(plan: &FencePlan) -> Result<i32, RulesetError> {
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(&plan.read, AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(&plan.write, AccessFs::from_all(NEWEST)))?
        .add_rules(path_beneath_rules(DEVICES, device))?
        .add_rules(ports(&plan.listen, AccessNet::BindTcp))?
        .add_rules(ports(&plan.connect, AccessNet::ConnectTcp))?
        .restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _)
        | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => 0,
        (_, LandlockStatus::Available { effective_abi, .. }) => effective_abi as i32,
    })
}

fn ports(ports: &[u16], access: AccessNet) -> impl Iterator<Item = Result<NetPort, RulesetError>> {
    ports.iter().map(move |port| Ok(NetPort::new(*port, access)))
}

/// Restricts system calls with seccomp; a refused call fails with EPERM.
///
/// Signals are left to landlock (from its ABI 6), which knows which processes are inside the fence: a seccomp rule on
/// numbers can't tell a child from the gateway. Only `kill(-1)`, which signals every process, is refused here.
pub(super) fn refuse_calls() -> Result<(), seccompiler::Error> {
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules()?, SeccompAction::Allow, refused, machine)?;
    apply_filter(&BpfProgram::try_from(filter)?)?;
    #[cfg(target_arch = "x86_64")]
    apply_filter(&x32_calls())?;
    Ok(())
}

/// Each refused call, with the arguments that are refused. No rule means that any arguments are refused.
fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let other_kinds = SOCKETS.map(|kind| differs(0, u64::try_from(kind).unwrap_or(u64::MAX)));
    let other_kinds = other_kinds.into_iter().collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(other_kinds)?]);
    for call in OF_THE_CALLER {
        rules.insert(*call, vec![refused_if(differs(0, 0))?]);
    }
    for (call, of_a_process) in [
        (libc::SYS_setpriority, PRIO_PROCESS),
        (libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS),
    ] {
        let others = [refused_if(differs(0, of_a_process))?, refused_if(differs(1, 0))?];
        rules.insert(call, others.into());
    }
    let everyone = u64::from(u32::MAX); // -1
    rules.insert(libc::SYS_kill, vec![refused_if(equals(0, everyone))?]);
    let typing = TYPING.map(|request| refused_if(equals(1, request)));
    rules.insert(libc::SYS_ioctl, typing.into_iter().collect::<Result<_, _>>()?);
    Ok(rules)
}

fn refused_if(
    condition: Result<SeccompCondition, seccompiler::BackendError>,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![condition?])
}

fn differs(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn equals(argument: u8, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

/// Kernels with the x32 interface offer the same calls under other numbers, which the rules don't cover. All are
/// refused.
#[cfg(target_arch = "x86_64")]
fn x32_calls() -> BpfProgram {
    const X32_BIT: u32 = 0x4000_0000;
    let step = |code: u32, jt, jf, k| sock_filter {
        code: u16::try_from(code).unwrap_or_default(),
        jt,
        jf,
        k,
    };
    vec![
        // The number of the call is the first member of `seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32_BIT),
        step(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs(),
        ),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}
