//! Makes the plan of an installation. Planning has no side effects.

use std::fmt;
use std::path::PathBuf;

use super::facts::USER;
use super::{Answers, Facts, InstallError, InstallOperation, Layout, Manual, Scope};
use crate::base::version::is_older;
use crate::store::fallback;

/// One step of the plan. Each may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    CreateUser,
    MakeDirectory {
        path: PathBuf,
        mode: u32,
        /// Whether to change its group to that of the service user.
        for_service: bool,
    },
    /// The file is written atomically.
    WriteFile {
        path: PathBuf,
        mode: u32,
        /// Whether to change its group to that of the service user.
        for_service: bool,
        text: String,
    },
    /// Does nothing if a secret exists.
    MakeSecret(PathBuf),
    /// The new program reads the settings, so that problems are found before the old one stops.
    CheckSettings(PathBuf),
    /// The installed program makes a backup and the new one reads it, so that problems are found before the old one
    /// stops.
    CheckStore {
        installed: PathBuf,
        runtime: PathBuf,
        env_file: PathBuf,
    },
    /// The next process to open this store first makes a copy of it, which replaces any older copy.
    AskForCopy(PathBuf),
    PlaceProgram {
        to: PathBuf,
        /// The path at which the old program is kept.
        old: PathBuf,
    },
    PlaceManuals {
        share: PathBuf,
        manuals: Vec<Manual>,
    },
    RemoveManuals {
        share: PathBuf,
        paths: Vec<PathBuf>,
    },
    ReloadUnits,
    EnableAndStart,
    /// Restarts the service. Clients that connect in the meantime wait in the queue of the listening socket.
    Restart,
    DisableAndStop,
    EnableBackups,
    DisableBackups,
    Remove(PathBuf),
    RemoveTree(PathBuf),
    RemoveUser,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub actions: Vec<Action>,
    /// The index of the first action whose failure restores the old program and store. `None`: there is no old
    /// program.
    pub takes_back_from: Option<usize>,
    /// Notes that are printed at the end.
    pub notes: Vec<String>,
}

/// Makes the plan. Errors: why the wish can't be fulfilled; nothing was changed.
pub fn plan(facts: &Facts, wish: &InstallOperation) -> Result<Plan, InstallError> {
    if facts.layout.scope == Scope::System && !facts.is_root {
        return Err(InstallError::NeedsRoot);
    }
    match wish {
        InstallOperation::Install(answers) => {
            if let Some(installed) = &facts.installed
                && is_older(&facts.version, installed)
            {
                return Err(InstallError::Downgrade {
                    installed: installed.clone(),
                    this: facts.version.clone(),
                });
            }
            // A user's gateway refuses by itself, because it creates its own secret.
            if facts.layout.scope == Scope::System && !facts.has_secret && facts.has_store {
                return Err(InstallError::SecretLost(facts.layout.secret()));
            }
            let mut plan = install(facts, &answers.env_file()?);
            plan.notes = after_install(facts, answers);
            Ok(plan)
        }
        InstallOperation::Uninstall { purge } => Ok(uninstall(facts, *purge)),
    }
}

fn install(facts: &Facts, settings: &str) -> Plan {
    let layout = &facts.layout;
    let is_system = layout.scope == Scope::System;
    let changes_program = !facts.is_same_program;
    let changes_unit = facts.has_systemd && !facts.is_same_unit;
    let restarts = facts.is_running && (changes_program || changes_unit);
    let mut plan = Plan::default();
    let mut act = |action| plan.actions.push(action);
    if is_system && !facts.has_user {
        act(Action::CreateUser);
    }
    if !facts.has_settings {
        act(Action::MakeDirectory {
            path: layout.config.clone(),
            mode: if is_system { 0o750 } else { 0o700 },
            for_service: is_system,
        });
        act(Action::WriteFile {
            path: layout.env_file(),
            mode: if is_system { 0o640 } else { 0o600 },
            for_service: is_system,
            text: settings.to_owned(),
        });
    }
    // A user's gateway creates its own secret. The system service gets the secret from systemd and may not read the
    // file.
    if is_system && !facts.has_secret {
        act(Action::MakeSecret(layout.secret()));
    }
    if facts.has_settings {
        act(Action::CheckSettings(layout.env_file()));
    }
    if restarts && changes_program {
        act(Action::CheckStore {
            installed: layout.program.clone(),
            runtime: layout.runtime.clone(),
            env_file: layout.env_file(),
        });
    }
    if !facts.has_same_manuals {
        plan.actions.push(Action::PlaceManuals {
            share: layout.share.clone(),
            manuals: facts.manuals.clone(),
        });
    }
    let mut takes_back_from = None;
    // These steps do not touch the running service, so a failure needs no rollback.
    if restarts {
        plan.actions.extend(backups(facts));
        takes_back_from = Some(plan.actions.len());
        if changes_program {
            plan.actions.push(Action::AskForCopy(facts.store.clone()));
        }
    }
    let mut act = |action| plan.actions.push(action);
    if changes_program {
        act(Action::PlaceProgram {
            to: layout.program.clone(),
            old: layout.old_program(),
        });
    }
    if changes_unit {
        act(Action::WriteFile {
            path: layout.unit.clone(),
            mode: 0o644,
            for_service: false,
            text: layout.unit_text().to_owned(),
        });
        act(Action::ReloadUnits);
    }
    if restarts {
        act(Action::Restart);
    } else if facts.has_systemd && !facts.has_unit {
        act(Action::EnableAndStart);
    }
    if !restarts {
        plan.actions.extend(backups(facts));
    }
    plan.takes_back_from = takes_back_from;
    plan
}

fn backups(facts: &Facts) -> Vec<Action> {
    if !facts.has_systemd || facts.is_same_backup {
        return Vec::new();
    }
    let write = |(path, text): (PathBuf, &str)| Action::WriteFile {
        path,
        mode: 0o644,
        for_service: false,
        text: text.to_owned(),
    };
    let units = facts.layout.backup_units().into_iter().map(write);
    units
        .chain([Action::ReloadUnits, Action::EnableBackups])
        .collect()
}

/// The next steps for the operator, as notes.
fn after_install(facts: &Facts, answers: &Answers) -> Vec<String> {
    let layout = &facts.layout;
    let (program, env_file) = (layout.program.display(), layout.env_file());
    let env_file = env_file.display();
    let mut notes = vec![format!("Settings: {env_file}")];
    let ignored: Vec<&str> = answers.given().map(|(_, option, _)| option).collect();
    if facts.has_settings && !ignored.is_empty() {
        notes.push(format!(
            "Not used: {}. The settings of an earlier installation stay as they are; change them in that file.",
            ignored.join(", ")
        ));
    }
    if !facts.has_systemd {
        notes.push(format!(
            "There is no systemd here. Run it yourself: {program} serve --env-file {env_file}"
        ));
    } else if layout.scope == Scope::User {
        notes.push(
            "It runs while you are signed in; `loginctl enable-linger` keeps it running when you are not."
                .to_owned(),
        );
    } else {
        notes.push(format!(
            "Members of the group {USER} may use the console: usermod -aG {USER} YOU"
        ));
    }
    if !facts.has_settings {
        notes.extend(first_steps(answers));
    }
    notes.push("See how it is doing: garmin-gateway status, garmin-gateway console".to_owned());
    notes
}

/// The steps from a new gateway to the first person who uses it.
fn first_steps(answers: &Answers) -> Vec<String> {
    let mut steps = Vec::new();
    match (answers.public_url.as_str(), answers.tls.is_empty()) {
        ("", _) => steps.push(
            "It is reachable from this machine only, as http://localhost:8080. For others, set PUBLIC_URL, and TLS=acme or a \
             reverse proxy in front (README, \"Make it reachable\")."
                .to_owned(),
        ),
        (url, true) => steps.push(format!(
            "Let your reverse proxy or tunnel pass {url} on to http://127.0.0.1:8080, and set TRUSTED_PROXIES=127.0.0.1 \
             (README, \"Make it reachable\")."
        )),
        (url, false) => steps.push(format!(
            "{url} must lead to port 443 of this machine: the certificate is fetched through it."
        )),
    }
    steps.push("Check everything: garmin-gateway doctor".to_owned());
    steps.push("Invite a person, and get a message to forward: garmin-gateway invite E-MAIL".to_owned());
    steps
}

fn uninstall(facts: &Facts, purge: bool) -> Plan {
    let layout = &facts.layout;
    let mut plan = Plan::default();
    let mut act = |action| plan.actions.push(action);
    if facts.has_backup && facts.has_systemd {
        act(Action::DisableBackups);
    }
    if facts.has_unit && facts.has_systemd {
        act(Action::DisableAndStop);
    }
    if facts.has_backup {
        act(Action::Remove(layout.backup_timer()));
        act(Action::Remove(layout.backup_unit()));
    }
    if facts.has_unit {
        act(Action::Remove(layout.unit.clone()));
    }
    if (facts.has_unit || facts.has_backup) && facts.has_systemd {
        act(Action::ReloadUnits);
    }
    let is_there = |path: &PathBuf| !facts.missing.contains(path);
    let programs = [layout.program.clone(), layout.old_program()];
    programs
        .into_iter()
        .filter(is_there)
        .map(Action::Remove)
        .for_each(&mut act);
    let manuals = facts.manuals.iter().map(|manual| manual.path.clone());
    let manuals: Vec<PathBuf> = manuals
        .filter(|path| is_there(&layout.share.join(path)))
        .collect();
    if !manuals.is_empty() {
        act(Action::RemoveManuals {
            share: layout.share.clone(),
            paths: manuals,
        });
    }
    let mut trees = vec![layout.library.clone()];
    if purge {
        trees.extend([&layout.config, &layout.state, &layout.runtime].map(Clone::clone));
        if !facts.store.starts_with(&layout.state) {
            trees.extend([facts.store.clone(), fallback::copy_of(&facts.store)]);
        }
    }
    trees
        .into_iter()
        .filter(is_there)
        .map(Action::RemoveTree)
        .for_each(&mut act);
    if purge {
        if layout.scope == Scope::System && facts.has_user {
            act(Action::RemoveUser);
        }
    } else {
        plan.notes = kept(facts, layout);
    }
    plan
}

fn kept(facts: &Facts, layout: &Layout) -> Vec<String> {
    let mut kept = Vec::new();
    if facts.has_settings || facts.has_secret {
        kept.push(format!(
            "Kept: settings and secret in {}",
            layout.config.display()
        ));
    }
    if facts.has_data {
        kept.push(format!("Kept: people's sign-ins in {}", layout.state.display()));
    }
    if !kept.is_empty() {
        kept.push("--uninstall --purge removes them too.".to_owned());
    }
    kept
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateUser => write!(f, "create the system user {USER}"),
            Self::MakeDirectory { path, mode, .. } => write!(f, "make {} (mode {mode:04o})", path.display()),
            Self::WriteFile { path, mode, .. } => write!(f, "write {} (mode {mode:04o})", path.display()),
            Self::MakeSecret(path) => write!(f, "make a new secret in {} (mode 0600)", path.display()),
            Self::CheckSettings(path) => write!(f, "check the settings in {}", path.display()),
            Self::CheckStore { .. } => f.write_str("have the new program read a backup of the store"),
            Self::AskForCopy(store) => write!(
                f,
                "have the store copied to {} before the new program opens it",
                fallback::copy_of(store).display()
            ),
            Self::PlaceProgram { to, .. } => write!(f, "place the program in {}", to.display()),
            Self::PlaceManuals { share, manuals } => write!(
                f,
                "place {} manual pages and completions below {}",
                manuals.len(),
                share.display()
            ),
            Self::RemoveManuals { share, .. } => {
                write!(f, "remove manual pages and completions below {}", share.display())
            }
            Self::ReloadUnits => f.write_str("have systemd read its units"),
            Self::EnableAndStart => f.write_str("start the service, now and at every boot, and wait for it"),
            Self::Restart => f.write_str("restart the service and wait for it"),
            Self::DisableAndStop => f.write_str("stop the service for good"),
            Self::EnableBackups => f.write_str("make a backup every night"),
            Self::DisableBackups => f.write_str("make no more backups"),
            Self::Remove(path) => write!(f, "remove {}", path.display()),
            Self::RemoveTree(path) => write!(f, "remove {} and everything in it", path.display()),
            Self::RemoveUser => write!(f, "remove the system user {USER}"),
        }
    }
}
