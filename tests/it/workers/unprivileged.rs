//! Runs the tests of the fence once more as a user without privileges. If an ordinary user runs the tests, the other
//! tests have done that already. If root does, this test runs them again as `nobody`: root has privileges that the
//! fence takes away, and the fence must also hold for a user without them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, chown, geteuid};

use crate::signals::Running;
use crate::whole::{PROGRAM_VARIABLE, program};

/// The user and the group `nobody`.
const NOBODY: u32 = 65_534;

const TESTS: [&str; 2] = [
    "workers::fence::",
    "looks::a_command_sees_nothing_of_the_gateway_or_of_its_people",
];

fn give_away(path: &Path) {
    chown(path, Some(Uid::from_raw(NOBODY)), Some(Gid::from_raw(NOBODY))).unwrap();
}

/// The gateway's memory holds the data key. The kernel gives root the `/proc` files of a process that may not be
/// dumped, so no other process of the gateway's user can read its memory or environment.
#[test]
fn the_gateways_memory_is_closed_to_its_own_user() {
    let place = tempfile::tempdir_in("/tmp").unwrap();
    let mut command = Command::new(for_everybody(&program(), place.path()));
    command
        .arg("serve")
        .current_dir(place.path())
        .env_clear()
        .env("HOME", place.path())
        .env("DATA_DIR", place.path().join("data"))
        .env("RUNTIME_DIR", place.path().join("runtime"))
        .env("GATEWAY_SECRET_FILE", place.path().join("secret"))
        .env("PORT", "0");
    if geteuid().is_root() {
        give_away(place.path());
        command.gid(NOBODY).uid(NOBODY);
    }
    let gateway = Running::start(&mut command);
    gateway.wait_for("daemon.ready");
    for file in ["environ", "maps", "mem"] {
        let owner = fs::metadata(format!("/proc/{}/{file}", gateway.process()))
            .unwrap()
            .uid();
        assert_eq!(owner, 0, "{file}");
    }
    assert!(gateway.ends_well());
}

/// A program at a place from which everybody may run it: the original, or a copy if a directory above it is closed.
fn for_everybody(program: &Path, place: &Path) -> PathBuf {
    let is_open = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o001 != 0;
    if program.ancestors().all(is_open) {
        return program.to_owned();
    }
    let copy = place.join(program.file_name().unwrap());
    fs::copy(program, &copy).unwrap();
    give_away(&copy);
    copy
}

#[test]
fn the_fence_holds_for_a_user_without_rights() {
    if !geteuid().is_root() {
        return;
    }
    let place = tempfile::tempdir_in("/tmp").unwrap();
    give_away(place.path());
    let tests = for_everybody(&std::env::current_exe().unwrap(), place.path());
    let ran = Command::new(tests)
        .args(TESTS)
        .arg("--test-threads=2")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", place.path())
        .env("TMPDIR", place.path())
        .env("INSTA_WORKSPACE_ROOT", place.path())
        .env(PROGRAM_VARIABLE, for_everybody(&program(), place.path()))
        .current_dir(place.path())
        .gid(NOBODY)
        .uid(NOBODY)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let why = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{why}");
    for test in [
        "a_worker_changes_no_other_process",
        "each_refused_system_call_is_refused",
    ] {
        assert!(said.contains(&format!("workers::fence::{test} ... ok")), "{said}");
    }
}
