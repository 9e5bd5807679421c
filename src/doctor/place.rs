//! Checks of this machine: settings, secret, directories and disk.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, Uid, User, access};

use super::{Finding, Patient};
use crate::base::causes::chain;
use crate::base::secrets::KEPT_COPY;
use crate::coach::missing_program;
use crate::config::SecretSource;
use crate::gateway::unknown_names;
use crate::tools;

/// Free bytes below which a busy day may fill the disk.
const LITTLE_ROOM: u64 = 500 << 20;
/// Free bytes below which writes are about to fail.
const NO_ROOM: u64 = 20 << 20;

pub(super) fn settings(patient: &Patient) -> Vec<Finding> {
    let from = match patient.visit.sources.file() {
        Some(file) => format!("read, including {}", file.display()),
        None => "read; there is no env file".to_owned(),
    };
    let mut findings = vec![Finding::ok("settings", from)];
    let unknown_tools = unknown_names(&patient.config, &tools::lists().tools);
    let missing = missing_program(&patient.config.races.coach);
    let warnings = patient.config.warnings.iter().chain(&missing);
    findings.extend(
        warnings.map(|warning| Finding::warn("settings", warning.clone(), "see `garmin-gateway config`")),
    );
    findings.extend(unknown_tools.into_iter().map(|unknown| {
        Finding::warn(
            "settings",
            unknown,
            "correct the name, or take it out of the list",
        )
    }));
    let live = &patient.config.live;
    if live.invited.is_empty() && !live.open_sign_up {
        findings.push(Finding::warn(
            "settings",
            "INVITED is empty",
            "set INVITED, or use `garmin-gateway invite E-MAIL`; only invited people can sign in",
        ));
    }
    findings
}

pub(super) fn secret(patient: &Patient) -> Vec<Finding> {
    const CHECK: &str = "secret";
    let path = match &patient.config.secret {
        SecretSource::Text(_) => return vec![Finding::ok(CHECK, "given in the settings")],
        SecretSource::File(path) | SecretSource::Created { path, .. } => path,
    };
    let shown = path.display();
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return vec![if patient.config.secret.is_lost() {
                Finding::fail(
                    CHECK,
                    format!("{shown} is missing, and the data can't be opened without it"),
                    KEPT_COPY,
                )
            } else {
                Finding::ok(CHECK, format!("{shown} will be created at the first start"))
            }];
        }
        // The installed gateway gets the secret as a credential; other users may not read the file.
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            return vec![Finding::ok(
                CHECK,
                format!("this user may not read {shown}; run the doctor with sudo to check it"),
            )];
        }
        Err(e) => {
            return vec![Finding::fail(
                CHECK,
                format!("{shown} can't be checked: {e}"),
                "check GATEWAY_SECRET_FILE",
            )];
        }
    };
    if meta.mode() & 0o077 != 0 {
        return vec![Finding::fail(
            CHECK,
            format!(
                "{shown} can be read by others (mode {:04o})",
                meta.mode() & 0o7777
            ),
            format!("chmod 600 {shown}"),
        )];
    }
    vec![match patient.config.secret.read() {
        Ok(_) => Finding::ok(CHECK, format!("{shown}, readable only by its owner")),
        Err(e) => Finding::fail(
            CHECK,
            chain(&e),
            "put the right secret there; a new one can't open existing data",
        ),
    }]
}

pub(super) fn directories(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let mut findings = vec![directory("data", &config.data_dir, "DATA_DIR")];
    if config.data_dir.exists() {
        findings.extend(room(&config.data_dir));
    }
    findings.push(directory("runtime", &config.runtime_dir, "RUNTIME_DIR"));
    findings
}

fn directory(check: &'static str, path: &Path, setting: &str) -> Finding {
    let shown = path.display();
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return unmade(check, path, setting),
        Err(e) => {
            return Finding::fail(
                check,
                format!("{shown} can't be checked: {e}"),
                format!("set {setting} to a directory that this user owns, or run the doctor with sudo"),
            );
        }
    };
    if !meta.is_dir() {
        return Finding::fail(
            check,
            format!("{shown} is not a directory"),
            format!("set {setting} to one"),
        );
    }
    // The group of the runtime directory needs access to the admin socket. The other entries have their own modes.
    let foreign = if check == "data" { 0o077 } else { 0o027 };
    if meta.mode() & foreign != 0 {
        return Finding::fail(
            check,
            format!("{shown} is open to others (mode {:04o})", meta.mode() & 0o7777),
            format!("chmod {} {shown}", if check == "data" { "700" } else { "750" }),
        );
    }
    if meta.uid() == Uid::effective().as_raw() && access(path, AccessFlags::W_OK).is_err() {
        return Finding::fail(
            check,
            format!("{shown} can't be written"),
            format!("check whether its disk is mounted read-only, or set {setting} to another directory"),
        );
    }
    Finding::ok(check, format!("{shown}, owned by {}", owner(meta.uid())))
}

/// Checks a directory that does not exist yet: the gateway creates it at the start if its nearest existing parent
/// allows that.
fn unmade(check: &'static str, path: &Path, setting: &str) -> Finding {
    let shown = path.display();
    let above = path.ancestors().skip(1).find(|above| above.exists());
    if above.is_some_and(|above| above.is_dir() && access(above, AccessFlags::W_OK).is_ok()) {
        Finding::ok(check, format!("{shown} will be created at the first start"))
    } else {
        Finding::fail(
            check,
            format!("{shown} does not exist, and this user can't create it"),
            format!("set {setting} to a directory that this user owns, or run the doctor with sudo"),
        )
    }
}

fn owner(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

fn room(path: &Path) -> Option<Finding> {
    let stat = statvfs(path).ok()?;
    let free = stat.blocks_available() * stat.fragment_size();
    let says = format!("{} MB free for the data", free >> 20);
    let fix = "free some space: without it nothing can be stored, and sign-ins are refused";
    Some(if free < NO_ROOM {
        Finding::fail("disk", says, fix)
    } else if free < LITTLE_ROOM {
        Finding::warn("disk", says, fix)
    } else {
        Finding::ok("disk", says)
    })
}
