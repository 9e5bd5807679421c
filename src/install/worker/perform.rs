//! Does what the plan says. Whatever fails leaves what was in use before.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::stat::{Mode, umask};

use super::{Action, Facts, Place, SETTING, WorkerError};
use crate::base::disk::{remove_file, remove_tree};
use crate::base::lifecycle::Lifecycle;
use crate::config::Config;
use crate::install::facts::command;
use crate::install::perform::{replace_text, service};
use crate::install::settings;
use crate::workers::rehearsal::{self, Rehearsal, Script};

/// After a program was tried.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// Does one step after the other; `say` is given each before it is done. `config` is what the gateway would run with, and
/// `self_exe` this program's file.
pub async fn perform(
    actions: &[Action],
    facts: &Facts,
    config: &Config,
    self_exe: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<(), WorkerError> {
    // The service's user reads what root installs.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    for action in actions {
        say(&action.to_string());
        let done = match action {
            Action::Try { program } => tried(program, config, self_exe).await,
            other => act(other, facts).map_err(|e| e.to_string()),
        };
        done.map_err(|reason| WorkerError::Step {
            step: action.to_string(),
            reason,
        })?;
    }
    Ok(())
}

fn act(action: &Action, facts: &Facts) -> io::Result<()> {
    let place = Place::of(&facts.layout);
    match action {
        Action::Fetch {
            source,
            revision,
            into,
        } => fetch(program(facts.git.as_deref())?, source, revision, into),
        Action::Build { revision } => build(program(facts.uv.as_deref())?, &place, revision),
        Action::Switch { to, from } => {
            if let Some(from) = from {
                point(&place.previous(), from)?;
            }
            point(&place.current(), to)
        }
        Action::Sweep { keep } => sweep(&place, keep),
        Action::Choose { command, restart } => choose(facts, command.as_deref(), *restart),
        Action::Remove(path) => remove_tree(path),
        // It takes a runtime, and is done where there is one.
        Action::Try { .. } => Ok(()),
    }
}

fn program(found: Option<&Path>) -> io::Result<&OsStr> {
    found
        .map(Path::as_os_str)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A revision by its full name is what git says it is, or git says no.
fn fetch(git: &OsStr, source: &str, revision: &str, into: &Path) -> io::Result<()> {
    remove_tree(into)?;
    fs::create_dir_all(into)?;
    for words in [
        &["init", "--quiet"][..],
        &["fetch", "--quiet", "--depth=1", source, revision],
        &["checkout", "--quiet", "--detach", revision],
    ] {
        let mut git = command(git);
        // What a person has set up for git is none of this matter.
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0");
        run(git.arg("-C").arg(into).args(words))?;
    }
    Ok(())
}

fn build(uv: &OsStr, place: &Place, revision: &Path) -> io::Result<()> {
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
    // What is installed must not hang on the cache, which goes.
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
        "{name} ended with {status}; its own words are above"
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

/// A link that names `to` takes the place of whatever `link` was, at once.
fn point(link: &Path, to: &str) -> io::Result<()> {
    let new = link.with_extension("new");
    remove_file(&new)?;
    symlink(to, &new)?;
    fs::rename(&new, link)
}

/// Revisions are 40 digits long; nothing else that lies there is theirs.
fn sweep(place: &Place, keep: &[String]) -> io::Result<()> {
    for entry in fs::read_dir(&place.0)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.len() == 40 && !keep.contains(&name) {
            remove_tree(&place.revision(&name))?;
        }
    }
    Ok(())
}

fn choose(facts: &Facts, command: Option<&str>, restart: bool) -> io::Result<()> {
    let file: PathBuf = facts.layout.env_file();
    let old = fs::read_to_string(&file)?;
    replace_text(&file, &settings::with(&old, SETTING, command)?)?;
    if !restart {
        return Ok(());
    }
    // With Type=notify this waits until the gateway says that it is ready, and fails if it never does.
    let scope = facts.layout.scope;
    service(scope, &["restart"]).or_else(|failure| {
        replace_text(&file, &old)?;
        service(scope, &["restart"])?;
        Err(failure)
    })
}
