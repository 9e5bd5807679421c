//! Makes the plan for the Python worker. Planning has no side effects.

use std::fmt;
use std::path::PathBuf;

use super::{SETTING, WorkerDirectory, WorkerFacts, WorkerInstallError, WorkerOperation, WorkerProgram};

/// One step of the plan. Each may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerInstallStep {
    /// Fetches the source. git verifies that it is this revision.
    Fetch {
        source: String,
        /// The commit id: 40 hexadecimal digits.
        revision: String,
        /// The target directory, which is emptied first.
        into: PathBuf,
    },
    /// Installs the packages of the lock file.
    Build {
        revision: PathBuf,
    },
    /// Starts the program once to test it.
    Try {
        program: PathBuf,
    },
    Switch {
        to: String,
        /// The revision that was current before.
        from: Option<String>,
    },
    /// Removes all revisions except those in `keep`.
    Sweep {
        keep: Vec<String>,
    },
    /// Writes or removes the setting of the workers' program and restarts a running gateway. If the gateway does not
    /// start, the setting is restored.
    Choose {
        /// The value of [`SETTING`]; `None` removes it.
        command: Option<String>,
        restart: bool,
    },
    Remove(PathBuf),
}

/// Makes the plan. Errors: why the wish can't be fulfilled; nothing was changed.
pub fn plan(
    facts: &WorkerFacts,
    wish: &WorkerOperation,
) -> Result<Vec<WorkerInstallStep>, WorkerInstallError> {
    if facts.needs_root() {
        return Err(WorkerInstallError::NeedsRoot);
    }
    let place = WorkerDirectory::of(&facts.layout);
    match wish {
        WorkerOperation::Install { revision, source } => install(facts, &place, revision, source),
        WorkerOperation::Rollback => {
            let to = facts.previous.clone().ok_or(WorkerInstallError::NotThere(
                "there is no revision before the current one",
            ))?;
            Ok(vec![
                WorkerInstallStep::Try {
                    program: WorkerDirectory::program(&place.revision(&to)),
                },
                WorkerInstallStep::Switch {
                    to,
                    from: facts.current.clone(),
                },
            ])
        }
        WorkerOperation::Use(program) => choose(facts, &place, *program),
        WorkerOperation::Remove => {
            if facts.command.as_deref() == Some(place.command().as_str()) {
                return Err(WorkerInstallError::NotThere(
                    "it is in use: `garmin-gateway worker use built-in` first",
                ));
            }
            let directory = facts.has_directory.then_some(place.0);
            Ok(directory.into_iter().map(WorkerInstallStep::Remove).collect())
        }
    }
}

fn install(
    facts: &WorkerFacts,
    place: &WorkerDirectory,
    revision: &str,
    source: &str,
) -> Result<Vec<WorkerInstallStep>, WorkerInstallError> {
    let is_one = revision.len() == 40 && revision.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_one {
        return Err(WorkerInstallError::NotARevision);
    }
    for (found, program, fix) in [
        (&facts.git, "git", "apt install git"),
        (
            &facts.uv,
            "uv",
            "see https://docs.astral.sh/uv/getting-started/installation, or `pipx install uv`",
        ),
    ] {
        if found.is_none() {
            return Err(WorkerInstallError::Missing { program, fix });
        }
    }
    if facts.current.as_deref() == Some(revision) {
        return Ok(Vec::new());
    }
    let directory = place.revision(revision);
    let program = WorkerDirectory::program(&directory);
    let mut actions = Vec::new();
    // The previous revision is already installed.
    if facts.previous.as_deref() != Some(revision) {
        actions.push(WorkerInstallStep::Fetch {
            source: source.to_owned(),
            revision: revision.to_owned(),
            into: directory.join("source"),
        });
        actions.push(WorkerInstallStep::Build {
            revision: directory.clone(),
        });
    }
    actions.push(WorkerInstallStep::Try { program });
    actions.push(WorkerInstallStep::Switch {
        to: revision.to_owned(),
        from: facts.current.clone(),
    });
    let keep = [Some(revision.to_owned()), facts.current.clone()];
    actions.push(WorkerInstallStep::Sweep {
        keep: keep.into_iter().flatten().collect(),
    });
    Ok(actions)
}

fn choose(
    facts: &WorkerFacts,
    place: &WorkerDirectory,
    program: WorkerProgram,
) -> Result<Vec<WorkerInstallStep>, WorkerInstallError> {
    if !facts.has_settings {
        return Err(WorkerInstallError::NotThere(
            "no gateway is installed here: without one, set GARMIN_MCP_CMD yourself",
        ));
    }
    let command = match program {
        WorkerProgram::BuiltIn => None,
        WorkerProgram::GarminMcp if facts.current.is_none() => {
            return Err(WorkerInstallError::NotThere(
                "garmin_mcp is not installed: `garmin-gateway worker install` first",
            ));
        }
        WorkerProgram::GarminMcp => Some(place.command()),
    };
    if facts.command == command {
        return Ok(Vec::new());
    }
    let mut actions = Vec::new();
    if command.is_some() {
        actions.push(WorkerInstallStep::Try {
            program: WorkerDirectory::program(&place.current()),
        });
    }
    actions.push(WorkerInstallStep::Choose {
        command,
        restart: facts.is_running,
    });
    Ok(actions)
}

impl fmt::Display for WorkerInstallStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch { source, revision, .. } => write!(f, "fetch revision {revision} of {source}"),
            Self::Build { revision } => write!(f, "install its locked packages in {}", revision.display()),
            Self::Try { program } => write!(f, "start {} once", program.display()),
            Self::Switch { to, .. } => write!(f, "make {to} the current revision"),
            Self::Sweep { .. } => f.write_str("remove what is no longer used"),
            Self::Choose { command, restart } => {
                match command {
                    Some(command) => write!(f, "set {SETTING}={command}")?,
                    None => write!(f, "remove {SETTING}, so that workers are built in")?,
                }
                f.write_str(if *restart { ", and restart the gateway" } else { "" })
            }
            Self::Remove(path) => write!(f, "remove {} and everything in it", path.display()),
        }
    }
}
