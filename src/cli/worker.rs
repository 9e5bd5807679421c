//! `worker`: runs the built-in worker, or installs and chooses the Python one.

use std::path::Path;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::{BROKEN, USAGE, fail, say};
use crate::base::causes::chain;
use crate::config::{Config, Problem, Sources};
use crate::install::worker::{self, Facts, Program, REVISION, SOURCE, Wish, WorkerError};
use crate::install::{InstallError, Layout};

const NOT_THIS_USER: u8 = 77;
/// Where programs are when nobody says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Subcommand)]
pub(super) enum WorkerArgs {
    /// Install the unmodified garmin_mcp at a reviewed revision, with its locked packages. Needs uv and git.
    Install {
        /// Another revision: its 40 hexadecimal digits.
        #[arg(long = "ref", value_name = "SHA", default_value = REVISION)]
        revision: String,
        /// Another repository to fetch it from.
        #[arg(long, value_name = "URL", default_value = SOURCE)]
        source: String,
        #[command(flatten)]
        installation: Installation,
    },
    /// Go back to the revision before.
    Rollback {
        #[command(flatten)]
        installation: Installation,
    },
    /// Choose which program workers run, and restart the gateway.
    Use {
        /// Which.
        program: Choice,
        #[command(flatten)]
        installation: Installation,
    },
    /// Remove what was installed.
    Remove {
        #[command(flatten)]
        installation: Installation,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Choice {
    /// The one in this program.
    BuiltIn,
    /// The Python one that was installed.
    #[value(name = "garmin_mcp", alias = "garmin-mcp")]
    GarminMcp,
}

#[derive(clap::Args)]
pub(super) struct Installation {
    /// An installation of your own, in your home directory.
    #[arg(long)]
    user: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, thiserror::Error)]
enum WorkerCommandError {
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Settings { problems: Vec<Problem> },
    #[error(transparent)]
    Place(#[from] InstallError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("the runtime does not start")]
    Runtime(#[from] std::io::Error),
}

impl WorkerCommandError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Settings { .. } => super::CONFIG,
            Self::Worker(WorkerError::NeedsRoot) => NOT_THIS_USER,
            Self::Worker(WorkerError::NotARevision | WorkerError::NotThere(_)) | Self::Place(_) => USAGE,
            Self::Worker(WorkerError::Missing { .. }) => super::UNAVAILABLE,
            Self::Worker(WorkerError::Step { .. }) | Self::Runtime(_) => BROKEN,
        }
    }
}

pub(super) fn run(wish: WorkerArgs, program: &Path) -> ExitCode {
    match carry_out(wish, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(failure.exit_code(), &chain(&failure)),
    }
}

fn carry_out(wish: WorkerArgs, program: &Path) -> Result<(), WorkerCommandError> {
    let (wish, installation) = match wish {
        WorkerArgs::Install {
            revision,
            source,
            installation,
        } => (Wish::Install { revision, source }, installation),
        WorkerArgs::Rollback { installation } => (Wish::Rollback, installation),
        WorkerArgs::Use {
            program,
            installation,
        } => match program {
            Choice::BuiltIn => (Wish::Use(Program::BuiltIn), installation),
            Choice::GarminMcp => (Wish::Use(Program::GarminMcp), installation),
        },
        WorkerArgs::Remove { installation } => (Wish::Remove, installation),
    };
    let layout = if installation.user {
        Layout::user(&super::install::home()?)
    } else {
        Layout::system(Path::new("/"))
    };
    let settings = |problems| WorkerCommandError::Settings { problems };
    let env_file = Some(layout.env_file()).filter(|file| file.exists());
    let sources = Sources::of_process(env_file.as_deref()).map_err(|problem| settings(vec![problem]))?;
    let config = Config::load(&sources).map_err(settings)?;
    let passed_on = &config.workers.passed_on;
    let path = passed_on.iter().find(|(name, _)| name == "PATH");
    let mut facts = Facts::find(layout, path.map_or(PATH, |(_, path)| path));
    // To show a plan takes no root.
    facts.is_root |= installation.dry_run;
    let actions = worker::plan(&facts, &wish)?;
    if actions.is_empty() {
        say("Nothing to do: it is so already.");
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
    if matches!(wish, Wish::Install { .. }) && facts.has_settings {
        say("Have the gateway use it: garmin-gateway worker use garmin_mcp");
    }
    Ok(())
}
