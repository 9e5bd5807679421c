//! Tests a store written by an earlier version (commit 2b3a99a) with Ann's account, her sign-in for a client, and a
//! race in progress. Its files are in `older_store/`; it does not have a census.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::signals::{PROGRAM, Running, gateway};

const SECRET: &str = "a secret of the version before, for a test alone\n";

fn unpack(data: &Path) {
    let database = data.join("gateway.db");
    fs::create_dir_all(database.join("blobs")).unwrap();
    fs::write(database.join("conf"), include_bytes!("older_store/conf")).unwrap();
    let db = miniz_oxide::inflate::decompress_to_vec_zlib(include_bytes!("older_store/db.zlib")).unwrap();
    fs::write(database.join("db"), db).unwrap();
}

#[test]
fn a_store_of_the_version_before_opens_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    unpack(&dir.path().join("data"));
    let secret = dir.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    // No server answers for LiveTrack, and old sign-ins do not expire.
    let mut command = gateway(dir.path());
    command
        .arg("serve")
        .env("ACCESS_TOKEN_TTL_DAYS", "0")
        .env("GARMIN_LIVETRACK_URL", "http://127.0.0.1:1");
    let gateway = Running::start(&mut command);
    gateway.wait_for("daemon.ready");
    for (subcommand, wanted) in [
        ("accounts", "ann@example.org"),
        ("tokens", "fam_pcpyxzm6ugkufqb7"),
        ("races", "race_r3l4xtef7rzxudxz"),
    ] {
        let shown = Command::new(PROGRAM)
            .args([subcommand, "--json", "--socket"])
            .arg(dir.path().join("runtime"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&shown.stdout);
        assert!(
            shown.status.success() && told.contains(wanted),
            "{subcommand}: {told}"
        );
    }
    assert!(gateway.ends_well());
    assert!(!dir.path().join("data/gateway.db.damaged").exists());
}
