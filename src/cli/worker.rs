//! `worker`: runs the built-in worker, or installs and chooses the Python one.

use std::path::Path;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::exit::{BROKEN, CONFIG, NOT_ALLOWED, UNAVAILABLE, USAGE};
use super::output::{fail, say};
use crate::base::causes::chain;
use crate::config::{Config, SettingProblem, Sources};
use crate::install::worker::{
    self, REVISION, SOURCE, WorkerFacts, WorkerInstallError, WorkerOperation, WorkerProgram,
};
use crate::install::{InstallError, Layout};

/// The PATH for the worker if the settings do not pass one on.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Subcommand)]
pub(super) enum WorkerArgs {
    /// Install the unmodified garmin_mcp at a reviewed revision with locked packages; needs uv and git
    Install {
        /// Another revision: 40 hexadecimal digits
        #[arg(long = "ref", value_name = "SHA", default_value = REVISION)]
        revision: String,
        /// Another repository
        #[arg(long, value_name = "URL", default_value = SOURCE)]
        source: String,
        #[command(flatten)]
        installation: Installation,
    },
    /// Go back to the previous revision
    Rollback {
        #[command(flatten)]
        installation: Installation,
    },
    /// Choose the program that workers run, and restart the gateway
    Use {
        program: Choice,
        #[command(flatten)]
        installation: Installation,
    },
    /// Remove what was installed
    Remove {
        #[command(flatten)]
        installation: Installation,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Choice {
    /// The one in this program
    BuiltIn,
    /// The installed Python one
    #[value(name = "garmin_mcp", alias = "garmin-mcp")]
    GarminMcp,
}

#[derive(clap::Args)]
pub(super) struct Installation {
    /// The installation in your home directory
    #[arg(long)]
    user: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, thiserror::Error)]
enum WorkerCommandError {
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Settings { problems: Vec<SettingProblem> },
    #[error(transparent)]
    WorkerDirectory(#[from] InstallError),
    #[error(transparent)]
    Worker(#[from] WorkerInstallError),
    #[error("the runtime does not start")]
    Runtime(#[from] std::io::Error),
}

impl WorkerCommandError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Settings { .. } => CONFIG,
            Self::Worker(WorkerInstallError::NeedsRoot) => NOT_ALLOWED,
            Self::Worker(WorkerInstallError::NotARevision | WorkerInstallError::NotThere(_))
            | Self::WorkerDirectory(_) => USAGE,
            Self::Worker(WorkerInstallError::Missing { .. }) => UNAVAILABLE,
            Self::Worker(WorkerInstallError::Step { .. }) | Self::Runtime(_) => BROKEN,
        }
    }
}

pub(super) fn run(wish: WorkerArgs, program: &Path) -> ExitCode {
    match execute(wish, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(failure.exit_code(), &chain(&failure)),
    }
}

fn execute(wish: WorkerArgs, program: &Path) -> Result<(), WorkerCommandError> {
    let (wish, installation) = match wish {
        WorkerArgs::Install {
            revision,
            source,
            installation,
        } => (WorkerOperation::Install { revision, source }, installation),
        WorkerArgs::Rollback { installation } => (WorkerOperation::Rollback, installation),
        WorkerArgs::Use {
            program,
            installation,
        } => match program {
            Choice::BuiltIn => (WorkerOperation::Use(WorkerProgram::BuiltIn), installation),
            Choice::GarminMcp => (WorkerOperation::Use(WorkerProgram::GarminMcp), installation),
        },
        WorkerArgs::Remove { installation } => (WorkerOperation::Remove, installation),
    };
    let layout = if installation.user {
        Layout::user(&super::install::home()?)
    } else {
        Layout::system(Path::new("/"))
    };
    let settings = |problems| WorkerCommandError::Settings { problems };
    let env_file = Some(layout.env_file()).filter(|file| file.exists());
    let sources = Sources::of_process(env_file.as_deref()).map_err(settings)?;
    let config = Config::load(&sources).map_err(settings)?;
    let passed_on = &config.workers.passed_on;
    let path = passed_on.iter().find(|(name, _)| name == "PATH");
    let mut facts = WorkerFacts::find(layout, path.map_or(DEFAULT_PATH, |(_, path)| path));
    // Showing a plan does not require root.
    facts.is_root |= installation.dry_run;
    let actions = worker::plan(&facts, &wish)?;
    if actions.is_empty() {
        say("Nothing to do.");
        return Ok(());
    }
    if installation.dry_run {
        say("This would be done:");
        for action in &actions {
            say(&format!("  {action}"));
        }
        return Ok(());
    }
    super::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(worker::perform(&actions, &facts, &config, program, &mut |step| {
        say(&format!("· {step}"));
    }))?;
    if matches!(wish, WorkerOperation::Install { .. }) && facts.has_settings {
        say("To use it: garmin-gateway worker use garmin_mcp");
    }
    Ok(())
}
