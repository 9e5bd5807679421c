//! The walls themselves, one function each: limits, powers, system calls, files and ports. All are one-way: what this
//! process and its heirs gave up does not come back.

use std::collections::BTreeMap;

use caps::errors::CapsError;
use caps::{CapSet, Capability};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, NetPort, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use super::FencePlan;

/// The newest access rights that we know; an older kernel is asked for fewer.
const NEWEST: ABI = ABI::V9;

/// Open files.
const FILES: u64 = 1024;
/// One file that it writes, in bytes: its directory may be on memory.
const FILE_SIZE: u64 = 256 << 20;
/// Processes and threads. The kernel counts all of the gateway's user, so this stops a flood and nothing else.
const PROCESSES: u64 = 4096;

/// Devices that hold nothing.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// The kinds of socket that a program may make: internet, and the kernel's own news of interfaces, which resolvers ask for. No
/// unix sockets: before its ABI 9, landlock lets anybody of the same user reach the console's. (Pairs are another call.)
const SOCKETS: [libc::c_int; 3] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// System calls that no program needs: they look into other processes, leave the namespaces, or get around the rules above.
const REFUSED: [libc::c_long; 11] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_io_uring_setup,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_setns,
    libc::SYS_unshare,
];

/// The limits of a program's resources.
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

/// Lowers a limit; one that is lower already stays.
pub(super) fn limit(resource: Resource, most: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let most = most.min(hard);
    setrlimit(resource, most, most)
}

/// A program of root is root without its powers: some of them see through landlock (CAP_PERFMON reads any process's
/// environment). What the next program gets is decided by these three sets.
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

/// Files, ports and signals, by landlock. Returns the ABI in force; 0 = this kernel has none.
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

/// System calls, by seccomp: what is not needed answers EPERM.
pub(super) fn refuse_calls() -> Result<(), seccompiler::Error> {
    let other_kinds = SOCKETS.map(|kind| {
        let kind = u64::try_from(kind).unwrap_or(u64::MAX);
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, kind)
    });
    let other_kinds = SeccompRule::new(other_kinds.into_iter().collect::<Result<_, _>>()?)?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.map(|call| (call, Vec::new())).into();
    rules.insert(libc::SYS_socket, vec![other_kinds]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, machine)?;
    apply_filter(&BpfProgram::try_from(filter)?)
}
