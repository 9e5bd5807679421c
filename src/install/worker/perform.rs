//! Performs the plan. After a failure the program that was in use before is still in use.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::stat::{Mode, umask};

use super::{SETTING, WorkerDirectory, WorkerFacts, WorkerInstallError, WorkerInstallStep};
use crate::base::disk::{remove_file, remove_tree};
use crate::base::lifecycle::Lifecycle;
use crate::config::Config;
use crate::install::facts::command;
use crate::install::perform::{replace_text, service};
use crate::install::settings;
use crate::workers::rehearsal::{self, Rehearsal, Script};

/// The maximum time to stop the processes of a program under test.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Performs the steps in order; `say` is called before each step with its description. `config` has the settings of
/// the gateway; `self_exe` is this program.
pub async fn perform(
    actions: &[WorkerInstallStep],
    facts: &WorkerFacts,
    config: &Config,
    self_exe: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<(), WorkerInstallError> {
    // The service user must be able to read what root installs.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    for action in actions {
        say(&action.to_string());
        let done = match action {
            WorkerInstallStep::Try { program } => tried(program, config, self_exe).await,
            other => act(other, facts).map_err(|e| e.to_string()),
        };
        done.map_err(|reason| WorkerInstallError::Step {
            step: action.to_string(),
            reason,
        })?;
    }
    Ok(())
}

fn act(action: &WorkerInstallStep, facts: &WorkerFacts) -> io::Result<()> {
    let place = WorkerDirectory::of(&facts.layout);
    match action {
        WorkerInstallStep::Fetch {
            source,
            revision,
            into,
        } => fetch(program(facts.git.as_deref())?, source, revision, into),
        WorkerInstallStep::Build { revision } => build(program(facts.uv.as_deref())?, &place, revision),
        WorkerInstallStep::Switch { to, from } => {
            if let Some(from) = from {
                point(&place.previous(), from)?;
            }
            point(&place.current(), to)
        }
        WorkerInstallStep::Sweep { keep } => sweep(&place, keep),
        WorkerInstallStep::Choose { command, restart } => choose(facts, command.as_deref(), *restart),
        WorkerInstallStep::Remove(path) => remove_tree(path),
        // This step needs an async runtime, so `perform` does it.
        WorkerInstallStep::Try { .. } => Ok(()),
    }
}

fn program(found: Option<&Path>) -> io::Result<&OsStr> {
    found
        .map(Path::as_os_str)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Fetches a revision. git verifies the content against a full commit id.
fn fetch(git: &OsStr, source: &str, revision: &str, into: &Path) -> io::Result<()> {
    remove_tree(into)?;
    fs::create_dir_all(into)?;
    for words in [
        &["init", "--quiet"][..],
        &["fetch", "--quiet", "--depth=1", source, revision],
        &["checkout", "--quiet", "--detach", revision],
    ] {
        let mut git = command(git);
        // The user's git configuration must not affect the result.
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0");
        run(git.arg("-C").arg(into).args(words))?;
    }
    Ok(())
}

fn build(uv: &OsStr, place: &WorkerDirectory, revision: &Path) -> io::Result<()> {
    let cache = place.0.join("cache");
    let mut sync = command(uv);
    sync.args([
        "sync",
        "--frozen",
        "--no-dev",
        "--no-editable",
        "--no-config",
        "--project",
    ])
    .arg(revision.join("source"))
    .env("UV_PROJECT_ENVIRONMENT", revision.join("venv"))
    .env("UV_PYTHON_INSTALL_DIR", place.0.join("python"))
    .env("UV_CACHE_DIR", &cache)
    // The cache is deleted afterwards, so files must be copied instead of linked from it.
    .env("UV_LINK_MODE", "copy")
    .env("UV_COMPILE_BYTECODE", "1");
    run(&mut sync)?;
    remove_tree(&cache)
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    Err(io::Error::other(format!(
        "{name} ended with {status}; its output is above"
    )))
}

async fn tried(program: &Path, config: &Config, self_exe: &Path) -> Result<(), String> {
    let lifecycle = Lifecycle::new();
    let mut script = Script::of(config, self_exe.to_owned(), &lifecycle).map_err(|e| e.to_string())?;
    script.settings.command = Some(vec![program.display().to_string()]);
    let rehearsed = rehearsal::rehearse(script).await;
    lifecycle.drain(CLEAN_UP).await;
    match rehearsed {
        Rehearsal::Fails(reason) => Err(reason),
        Rehearsal::Answers { .. } | Rehearsal::WantsTokens => Ok(()),
    }
}

/// Atomically replaces `link` with a link to `to`.
fn point(link: &Path, to: &str) -> io::Result<()> {
    let new = link.with_extension("new");
    remove_file(&new)?;
    symlink(to, &new)?;
    fs::rename(&new, link)
}

/// Removes the directories of revisions (40 hexadecimal digits), except `keep`.
fn sweep(place: &WorkerDirectory, keep: &[String]) -> io::Result<()> {
    for entry in fs::read_dir(&place.0)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.len() == 40 && !keep.contains(&name) {
            remove_tree(&place.revision(&name))?;
        }
    }
    Ok(())
}

fn choose(facts: &WorkerFacts, command: Option<&str>, restart: bool) -> io::Result<()> {
    let file: PathBuf = facts.layout.env_file();
    let old = fs::read_to_string(&file)?;
    replace_text(&file, &settings::with(&old, SETTING, command)?)?;
    if !restart {
        return Ok(());
    }
    // With Type=notify this waits until the gateway is ready, and fails if it does not become ready.
    let scope = facts.layout.scope;
    service(scope, &["restart"]).or_else(|failure| {
        replace_text(&file, &old)?;
        service(scope, &["restart"])?;
        Err(failure)
    })
}
