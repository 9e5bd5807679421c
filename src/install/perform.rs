//! Performs the plan, and rolls it back if the new program does not start.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Group, Uid, chown};

use super::facts::{USER, command, systemctl};
use super::layout::BACKUP_TIMER;
use super::{Action, Facts, InstallError, Layout, Plan, Scope};
use crate::base::disk::{Scratch, remove_file, remove_tree, sync_parent};
use crate::base::secrets::random_token;
use crate::store::fallback;

/// Performs the steps in order. `program` is the file to install; `say` is called before each step with its
/// description.
pub fn perform(
    plan: &Plan,
    facts: &Facts,
    program: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<(), InstallError> {
    let layout = &facts.layout;
    // The old unit is needed for a rollback.
    let old_unit = fs::read(&layout.unit).ok();
    for (number, action) in plan.actions.iter().enumerate() {
        say(&action.to_string());
        let Err(source) = act(action, layout, program) else {
            continue;
        };
        if plan.takes_back_from.is_none_or(|from| number < from) {
            return Err(InstallError::Step {
                step: action.to_string(),
                source,
            });
        }
        let reason = format!("could not {action}: {source}");
        say("that failed: restoring the old program and its data");
        let done = plan.actions.get(..number).unwrap_or_default();
        return Err(match roll_back(done, layout, old_unit.as_deref()) {
            Ok(()) => InstallError::RolledBack { reason },
            Err(failure) => InstallError::NotRolledBack {
                reason,
                failure: failure.to_string(),
                copy: fallback::copy_of(&facts.store),
            },
        });
    }
    Ok(())
}

fn roll_back(done: &[Action], layout: &Layout, old_unit: Option<&[u8]>) -> io::Result<()> {
    // The store must be closed before it is restored. Stopping a stopped service is harmless.
    service(layout.scope, &["stop"])?;
    for action in done.iter().rev() {
        match action {
            Action::PlaceProgram { to, old } => fs::rename(old, to)?,
            Action::AskForCopy(store) => fallback::go_back(store)?,
            Action::WriteFile { path, .. } if *path == layout.unit => {
                if let Some(text) = old_unit {
                    write(path, 0o644, text)?;
                }
                service(layout.scope, &["daemon-reload"])?;
            }
            _ => {}
        }
    }
    service(layout.scope, &["start"])
}

fn act(action: &Action, layout: &Layout, program: &Path) -> io::Result<()> {
    let scope = layout.scope;
    match action {
        Action::CreateUser => system(&[
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            "/var/lib/garmin-gateway",
            "--shell",
            "/usr/sbin/nologin",
            USER,
        ]),
        Action::MakeDirectory {
            path,
            mode,
            for_service,
        } => {
            DirBuilder::new().recursive(true).mode(*mode).create(path)?;
            if *for_service {
                give_to_group(path)?;
            }
            Ok(())
        }
        Action::WriteFile {
            path,
            mode,
            for_service,
            text,
        } => {
            write(path, *mode, text.as_bytes())?;
            if *for_service {
                give_to_group(path)?;
            }
            Ok(())
        }
        Action::MakeSecret(path) => make_secret(path),
        Action::CheckSettings(path) => {
            let path = path.as_os_str();
            succeeds(command(program.as_os_str()).args([
                "config".as_ref(),
                "--json".as_ref(),
                "--env-file".as_ref(),
                path,
            ]))
        }
        Action::CheckStore {
            installed,
            runtime,
            env_file,
        } => check_store(installed, runtime, env_file, program),
        Action::AskForCopy(store) => fallback::ask(store),
        Action::PlaceProgram { to, old } => place(program, to, old),
        Action::PlaceManuals { share, manuals } => manuals
            .iter()
            .try_for_each(|manual| write(&share.join(&manual.path), 0o644, manual.text.as_bytes())),
        Action::RemoveManuals { share, paths } => {
            paths.iter().try_for_each(|path| remove_file(&share.join(path)))
        }
        Action::ReloadUnits => service(scope, &["daemon-reload"]),
        Action::EnableAndStart => service(scope, &["enable", "--now"]),
        // With Type=notify this waits until the gateway is ready, and fails if it does not become ready.
        Action::Restart => service(scope, &["restart"]),
        Action::DisableAndStop => service(scope, &["disable", "--now"]),
        Action::EnableBackups => service(scope, &["enable", "--now", BACKUP_TIMER]),
        Action::DisableBackups => service(scope, &["disable", "--now", BACKUP_TIMER]),
        Action::Remove(path) => remove_file(path),
        Action::RemoveTree(path) => remove_tree(path),
        Action::RemoveUser => system(&["userdel", USER]),
    }
}

/// Checks that `program` can read a backup made by the installed program. The backup is sealed, and is deleted
/// afterwards.
fn check_store(installed: &Path, runtime: &Path, env_file: &Path, program: &Path) -> io::Result<()> {
    let directory = Scratch::make(&std::env::temp_dir(), "garmin-gateway-upgrade-")?;
    let backup = directory.path().join("check.backup");
    let of_settings = ["--env-file".as_ref(), env_file.as_os_str()];
    let mut make = command(installed.as_os_str());
    make.arg("backup")
        .args(of_settings)
        .arg("--socket")
        .arg(runtime)
        .arg(&backup);
    let mut read = command(program.as_os_str());
    read.args(["restore", "--verify"]).args(of_settings).arg(&backup);
    succeeds(&mut make).and_then(|()| succeeds(&mut read))
}

/// Runs a command. Errors: the output of a command that failed.
fn succeeds(command: &mut Command) -> io::Result<()> {
    let ended = command.output()?;
    if ended.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(io::Error::other(words))
}

/// Installs the program. It is first copied to a temporary name in the same directory, so that the old one survives a
/// full disk. A running process keeps using its old file.
fn place(program: &Path, to: &Path, old: &Path) -> io::Result<()> {
    make_parent(to)?;
    let new = to.with_extension("new");
    fs::copy(program, &new)?;
    fs::set_permissions(&new, Permissions::from_mode(0o755))?;
    fs::File::open(&new)?.sync_all()?;
    if to.exists() {
        fs::rename(to, old)?;
    }
    fs::rename(&new, to)?;
    sync_parent(to)
}

fn make_secret(path: &Path) -> io::Result<()> {
    make_parent(path)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match file {
        Ok(mut file) => {
            file.write_all(random_token("").expose().as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            sync_parent(path)
        }
        // Another process has created it in the meantime, and may have sealed data with it.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

fn write(path: &Path, mode: u32, text: &[u8]) -> io::Result<()> {
    make_parent(path)?;
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&new)?;
    file.write_all(text)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_parent(path)
}

/// Replaces the text of an existing file atomically, and keeps its mode and owner.
pub(super) fn replace_text(path: &Path, text: &str) -> io::Result<()> {
    let found = fs::metadata(path)?;
    let new = path.with_extension("changed");
    write(&new, found.mode() & 0o777, text.as_bytes())?;
    chown(
        &new,
        Some(Uid::from_raw(found.uid())),
        Some(Gid::from_raw(found.gid())),
    )?;
    fs::rename(&new, path)
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn give_to_group(path: &Path) -> io::Result<()> {
    let group =
        Group::from_name(USER)?.ok_or_else(|| io::Error::other(format!("there is no group {USER}")))?;
    Ok(chown(path, None, Some(group.gid))?)
}

pub(super) fn service(scope: Scope, words: &[&str]) -> io::Result<()> {
    if systemctl(scope, words)? {
        return Ok(());
    }
    let user = if scope == Scope::User { "--user " } else { "" };
    Err(io::Error::other(format!(
        "systemctl failed; `journalctl {user}-u garmin-gateway -n 20` shows why"
    )))
}

fn system(words: &[&str]) -> io::Result<()> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| io::Error::other("no program was named"))?;
    let status = command(program.as_ref()).args(arguments).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{program} ended with {status}")))
    }
}
