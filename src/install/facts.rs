//! The current state of the machine: everything that the plan depends on.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{AccessFlags, access};

use super::layout::BACKUP_TIMER;
use super::{Layout, Scope};
use crate::config::{Config, Sources};
use crate::store::fallback;

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    pub layout: Layout,
    /// The version of the running program.
    pub version: String,
    pub is_root: bool,
    pub has_systemd: bool,
    pub has_user: bool,
    pub installed: Option<String>,
    /// Whether the installed program is identical to this file.
    pub is_same_program: bool,
    /// Whether the unit exists and is up to date.
    pub is_same_unit: bool,
    /// Whether the backup unit and timer exist and are up to date.
    pub is_same_backup: bool,
    pub has_backup: bool,
    pub has_unit: bool,
    pub is_running: bool,
    pub has_settings: bool,
    pub has_secret: bool,
    pub has_data: bool,
    /// Whether there is a store, which only its own secret opens.
    pub has_store: bool,
    /// The path of the store according to the settings.
    pub store: PathBuf,
    pub manuals: Vec<Manual>,
    /// Whether all manuals exist and are up to date.
    pub has_same_manuals: bool,
    /// Paths that a removal would remove if they existed.
    pub missing: BTreeSet<PathBuf>,
}

/// A manual page, or the completions of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manual {
    /// The path relative to [`Layout::share`].
    pub path: PathBuf,
    pub text: String,
}

/// The name of the service user and its group.
pub(super) const USER: &str = "garmin-gateway";

impl Facts {
    /// Collects the facts. `program` is the file to install, which is this program.
    pub fn find(layout: Layout, program: &Path, manuals: Vec<Manual>) -> io::Result<Self> {
        let has_systemd = has_systemd(layout.scope);
        let unit = read(&layout.unit)?;
        let store = store(&layout);
        let missing = removed_paths(&layout, &store, &manuals).filter(|path| !path.exists());
        Ok(Self {
            missing: missing.collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            is_root: nix::unistd::geteuid().is_root(),
            has_user: nix::unistd::User::from_name(USER)?.is_some(),
            installed: installed(&layout.program),
            is_same_program: is_same(program, &layout.program)?,
            is_same_unit: unit.as_deref() == Some(layout.unit_text().as_bytes()),
            is_same_backup: is_same_backup(&layout)?,
            has_backup: layout.backup_timer().exists(),
            has_unit: unit.is_some(),
            is_running: has_systemd && systemctl(layout.scope, &["is-active", "--quiet"]).is_ok_and(|ok| ok),
            has_settings: layout.env_file().exists(),
            has_secret: layout.secret().exists(),
            has_data: layout.state.exists(),
            has_store: fs::read_dir(&store).is_ok_and(|mut entries| entries.next().is_some()),
            store,
            has_same_manuals: has_same_manuals(&layout, &manuals)?,
            manuals,
            has_systemd,
            layout,
        })
    }
}

/// Everything that a removal with all data removes by its path, except units.
pub(super) fn removed_paths(
    layout: &Layout,
    store: &Path,
    manuals: &[Manual],
) -> impl Iterator<Item = PathBuf> {
    let paths = [
        layout.program.clone(),
        layout.old_program(),
        layout.library.clone(),
        layout.config.clone(),
        layout.state.clone(),
        layout.runtime.clone(),
        store.to_owned(),
        fallback::copy_of(store),
    ];
    let manuals: Vec<PathBuf> = manuals.iter().map(|one| layout.share.join(&one.path)).collect();
    paths.into_iter().chain(manuals)
}

/// The path of the service's store according to its settings. Wrong settings stop the installation later, before the
/// store is touched.
fn store(layout: &Layout) -> PathBuf {
    let path = |path: &Path| path.display().to_string();
    let (state, config, runtime) = (path(&layout.state), path(&layout.config), path(&layout.runtime));
    let unit = [
        ("STATE_DIRECTORY", state.as_str()),
        ("CONFIGURATION_DIRECTORY", &config),
        ("RUNTIME_DIRECTORY", &runtime),
    ];
    let env_file = layout.env_file();
    let sources = Sources::of_pairs(unit).with_file(env_file.exists().then_some(env_file.as_path()));
    let settings = sources.ok().and_then(|sources| Config::load(&sources).ok());
    settings.map_or_else(|| layout.store(), |settings| settings.db_path)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn is_same_backup(layout: &Layout) -> io::Result<bool> {
    for (path, text) in layout.backup_units() {
        if read(&path)?.as_deref() != Some(text.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has_same_manuals(layout: &Layout, manuals: &[Manual]) -> io::Result<bool> {
    for Manual { path, text } in manuals {
        if read(&layout.share.join(path))?.as_deref() != Some(text.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_same(a: &Path, b: &Path) -> io::Result<bool> {
    let sizes = (fs::metadata(a)?.len(), fs::metadata(b).map_or(0, |b| b.len()));
    Ok(sizes.0 == sizes.1 && read(a)? == read(b)?)
}

/// The version that the installed program reports, such as `1.2.3`. If it reports none, a text that is not a version.
fn installed(program: &Path) -> Option<String> {
    if !program.exists() {
        return None;
    }
    let version = version_of(program).ok().flatten();
    Some(version.unwrap_or_else(|| "of an unknown version".to_owned()))
}

/// The version that a program reports, if it is this kind of program.
pub(super) fn version_of(program: &Path) -> io::Result<Option<String>> {
    let told = command(program.as_os_str()).arg("--version").output()?;
    let told = String::from_utf8(told.stdout).unwrap_or_default();
    Ok(told.split_whitespace().nth(1).map(str::to_owned))
}

/// Whether systemd is the running service manager and accepts commands for this scope.
fn has_systemd(scope: Scope) -> bool {
    Path::new("/run/systemd/system").exists()
        && match scope {
            Scope::System => true,
            Scope::User => command("systemctl".as_ref())
                .args(["--user", "show-environment"])
                .stdout(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
}

/// Runs `systemctl` for the gateway's unit, unless `words` name another. Returns whether it succeeded.
pub(super) fn systemctl(scope: Scope, words: &[&str]) -> io::Result<bool> {
    let mut systemctl = command("systemctl".as_ref());
    if scope == Scope::User {
        systemctl.arg("--user");
    }
    systemctl.args(words);
    if !words.contains(&"daemon-reload") && !words.contains(&BACKUP_TIMER) {
        systemctl.arg("garmin-gateway.service");
    }
    Ok(systemctl.status()?.success())
}

/// The path of a program as a shell would find it in `search_path`.
pub(super) fn program_in_path(name: &str, search_path: &str) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file() && access(program, AccessFlags::X_OK).is_ok())
}

/// A command that runs a system program with this process's output and without input.
#[expect(
    clippy::disallowed_methods,
    reason = "an installer has the system's own programs do the system's work"
)]
pub(super) fn command(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}
