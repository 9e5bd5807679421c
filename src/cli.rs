//! The subcommands: each runs one act and returns an exit code.
//!
//! The exit codes follow sysexits.h: 0 done, 1 declined, 64 wrong usage, 65 a download is not the published one, 69 a
//! service is missing, 70 internal error, 74 input or output failed, 77 not permitted, 78 wrong settings.

mod backup;
mod doctor;
mod examples;
mod exit;
mod export;
mod import;
mod install;
mod location;
mod manual;
mod operate;
mod outcome;
mod output;
mod print;
mod progress;
mod rehearse;
mod secret;
mod table;
mod upgrade;
mod worker;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::base::clock::Clock;
use crate::base::lifecycle::StopSignals;
use crate::base::log::LogLevel;
use crate::base::log::{Console, Telemetry};
use crate::config::{Config, Effective, Sources, WorkerConfig};
use crate::daemon::{Daemon, DaemonParts, Kept, demo};
use crate::sandbox;
use crate::{console, tools};
use exit::{BROKEN, LogFileError, USAGE, UsageError, WrongSettings, internal};
use location::{EnvFileArg, load_config};
use outcome::ended;
use output::{finished, say};

const NAME: &str = "garmin-gateway";

/// Connects a trusted circle's Garmin accounts to Claude
#[derive(Parser)]
#[command(name = "garmin-gateway", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 you answered no, 64 wrong usage, 65 a download is not the published \
                  one, 69 a service is missing, 70 internal error, 74 input or output failed, 77 not permitted, \
                  78 wrong settings."
)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Subcommand)]
enum CliCommand {
    /// Run the gateway
    Serve(EnvFileArg),
    /// Run the gateway with a simulated Garmin: nothing to set up, no real data
    Demo {
        /// The port to listen on; 0 takes any free one [default: 8080, or the next free one]
        #[arg(long, allow_negative_numbers = true)]
        port: Option<u16>,
    },
    /// Run the Garmin simulator alone; its first line of output is JSON with its address and its people
    #[command(hide = true)]
    Simulator {
        /// Loopback address to listen on
        #[arg(long, default_value = "127.0.0.1:0")]
        bind: SocketAddr,
        /// Minimum number of people
        #[arg(long)]
        people: Option<usize>,
    },
    /// Watch and control the running gateway in this terminal
    Console(ConsoleArgs),
    #[command(flatten)]
    Operate(operate::Operate),
    /// Back up the store into one sealed file, whether or not the gateway is running
    #[command(
        after_help = "The backup does not contain the secret. Keep the secret elsewhere: without it a backup cannot be opened."
    )]
    Backup(backup::BackupArgs),
    /// Restore a backup, or check one
    #[command(after_help = "The gateway must be stopped, except for --verify.")]
    Restore(backup::RestoreArgs),
    /// Import from the Python gateway: accounts, Garmin tokens, clients and access tokens
    #[command(
        after_help = "Without --yes, this only shows what would be imported and what would not. Both gateways must be stopped."
    )]
    Import(import::ImportArgs),
    /// Export a person's data and races as JSON, or one race as GPX or CSV; tokens are left out
    Export(export::ExportArgs),
    /// Change the secret that seals the store; a running gateway keeps running
    RotateSecret(secret::RotateSecretArgs),
    /// Install this program as a service, upgrade it, or remove it
    Install(install::InstallArgs),
    /// Fetch the newest release, check its signature, and let it install itself
    #[command(
        after_help = "If the new program does not start, the old one and its data are restored. NEWS_URL and NEWS_KEY say \
                      where releases are and who signs them; install.sh --news sets both."
    )]
    Upgrade(upgrade::UpgradeArgs),
    /// Check the installation, here and as Claude sees it, and say what to fix
    Doctor(doctor::DoctorArgs),
    /// Show the settings in effect and where each comes from
    Config(ConfigArgs),
    /// Print the completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page, or write one per subcommand
    Man {
        /// Write the pages into this existing directory
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// Run the built-in worker (an MCP server for one person, on standard input or HTTP), or install the Python one
    Worker {
        #[command(subcommand)]
        what: Option<worker::WorkerArgs>,
    },
    /// Confine this process, then run a worker in its place
    #[command(name = "__fence", hide = true, disable_help_flag = true)]
    Fence {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Args)]
struct ConsoleArgs {
    /// The gateway's socket, or its directory [default: in RUNTIME_DIR]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Draw with ASCII only
    #[arg(long)]
    ascii: bool,
    /// Draw without colours, like NO_COLOR
    #[arg(long)]
    no_color: bool,
}

#[derive(Args)]
struct ConfigArgs {
    #[command(flatten)]
    env_file: EnvFileArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The whole command line, with examples.
fn command() -> Command {
    examples::with_examples(Cli::command())
}

/// Runs one subcommand and returns the exit code of the process.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = command().try_get_matches_from(argv);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to standard output; everything else is wrong usage.
            if e.use_stderr() {
                e.print().unwrap_or_default();
                return ExitCode::from(USAGE);
            }
            say(e.render().to_string().trim_end());
            return finished(ExitCode::SUCCESS);
        }
    };
    finished(match cli.command {
        CliCommand::Serve(EnvFileArg { env_file }) => serve(env_file.as_deref()),
        CliCommand::Demo { port } => in_daemon(async move { Box::pin(demo::run(port, program()?)).await }),
        CliCommand::Simulator { bind, people } => in_daemon(demo::simulate(bind, people)),
        CliCommand::Console(args) => in_thread(show_console(args)),
        CliCommand::Operate(operate) => in_thread(operate.run()),
        CliCommand::Backup(args) => in_thread(backup::backup(args)),
        CliCommand::Restore(args) => in_thread(backup::restore(args)),
        CliCommand::Import(args) => in_thread(import::import(args)),
        CliCommand::Export(args) => in_thread(export::export(args)),
        CliCommand::RotateSecret(args) => in_thread(secret::rotate_secret(args)),
        CliCommand::Install(args) => match program() {
            Ok(program) => install::run(&args, &program),
            Err(e) => ended(Err(e)),
        },
        CliCommand::Upgrade(args) => match program() {
            Ok(program) => on_all_cores(async move { upgrade::run(args, &program).await }),
            Err(e) => ended(Err(e)),
        },
        CliCommand::Doctor(args) => on_all_cores(doctor::run(args)),
        CliCommand::Config(args) => ended(show_config(&args)),
        CliCommand::Completions { shell } => ended(manual::completions(shell)),
        CliCommand::Man { into } => ended(manual::man(into.as_deref())),
        CliCommand::Worker { what: None } => ended(worker()),
        CliCommand::Worker { what: Some(args) } => match program() {
            Ok(program) => worker::run(args, &program),
            Err(e) => ended(Err(e)),
        },
        // `run` only returns if the program could not be started.
        CliCommand::Fence { arguments } => {
            ended(sandbox::fence::run(arguments).map_err(|e| internal("the worker can't be started", &e)))
        }
    })
}

fn serve(env_file: Option<&Path>) -> ExitCode {
    let kept = Kept::take();
    in_daemon(async move {
        let sources = Sources::of_gateway(env_file).map_err(WrongSettings::from)?;
        let config = Config::load(&sources).map_err(WrongSettings::from)?;
        let clock = Clock::system();
        let telemetry = Telemetry::start(
            Console::Stdout,
            config.log_file.as_deref(),
            config.live.log_level,
            clock.clone(),
        )
        .map_err(LogFileError)?;
        sandbox::own_process::prepare();
        let signals =
            StopSignals::listen().map_err(|e| internal("the signal handlers can't be installed", &e))?;
        let parts = DaemonParts {
            config,
            sources,
            telemetry,
            races_clock: clock.clone(),
            clock,
            program: program()?,
            kept,
        };
        Ok(Daemon::start(parts).await?.run(signals).await)
    })
}

/// The path of this program, which is also the built-in worker.
fn program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().map_err(|e| internal("this program's own file can't be found", &e))
}

/// Runs a subcommand on the current thread.
fn in_thread(act: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| internal("the runtime does not start", &e));
    ended(runtime.and_then(|runtime| runtime.block_on(act)))
}

/// Runs a subcommand on a runtime that uses all cores.
fn on_all_cores(act: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| internal("the runtime does not start", &e));
    let result = runtime.and_then(|runtime| {
        let result = runtime.block_on(act);
        // Tasks that outlive the drain are abandoned.
        runtime.shutdown_timeout(Duration::from_millis(200));
        result
    });
    match result {
        Ok(code) => code,
        Err(e) => ended(Err(e)),
    }
}

/// Runs a daemon, whose result is true if nothing failed.
fn in_daemon(daemon: impl Future<Output = anyhow::Result<bool>>) -> ExitCode {
    on_all_cores(async {
        Ok(if daemon.await? {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(BROKEN)
        })
    })
}

fn show_config(ConfigArgs { env_file, json }: &ConfigArgs) -> anyhow::Result<()> {
    let config = load_config(env_file.env_file.as_deref())?;
    if *json {
        let row = |e: &Effective| serde_json::json!({ "name": e.name, "value": e.value, "source": e.source.to_string() });
        let rows: Vec<_> = config.effective.iter().map(row).collect();
        say(&serde_json::json!({ "settings": rows, "warnings": config.warnings }).to_string());
        return Ok(());
    }
    let invited: Vec<String> = config.live.invited.iter().map(ToString::to_string).collect();
    let invited = invited.join(", ");
    for Effective { name, value, source } in &config.effective {
        let value = match *name {
            // The log shows only the number of entries, but the operator may see them.
            "INVITED" if !invited.is_empty() => &invited,
            _ if value.is_empty() => "-",
            _ => value,
        };
        say(&format!("{name:24} {value}  ({source})"));
    }
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    Ok(())
}

async fn show_console(args: ConsoleArgs) -> anyhow::Result<()> {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let why = "the console needs a terminal; `status` and the other subcommands work without one";
        anyhow::bail!(UsageError(why.to_owned()));
    }
    let socket = location::socket_path(args.socket)?;
    let (no_color, speaks_utf8) = Sources::of_process(None).map_or((false, true), |s| s.terminal());
    let look = console::Look {
        no_color: args.no_color || no_color,
        ascii: args.ascii || !speaks_utf8,
    };
    let shown = console::run(socket, look, Clock::system()).await;
    shown.map_err(|e| internal("the terminal can't be used", &e))
}

fn worker() -> anyhow::Result<()> {
    let sources = Sources::of_process(None).map_err(WrongSettings::from)?;
    let config = WorkerConfig::load(&sources).map_err(WrongSettings::from)?;
    // Standard output may carry MCP messages, so the log goes to standard error.
    Telemetry::start(Console::Stderr, None, LogLevel::Info, Clock::system())
        .map_err(|e| internal("logging can't be started", &e))?;
    install_crypto();
    tools::run(config).map_err(|e| internal("the worker stopped", &e))
}

/// Chooses the crypto implementation of rustls, once per process.
fn install_crypto() {
    // An error means that it has been chosen before.
    drop(rustls::crypto::ring::default_provider().install_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn wrong_usage_is_64_and_help_is_0() {
        let code = |args: &[&str]| format!("{:?}", run(args.iter().map(OsString::from)));
        assert_eq!(
            code(&["garmin-gateway", "fly"]),
            format!("{:?}", ExitCode::from(64))
        );
        assert_eq!(
            code(&["garmin-gateway", "--version"]),
            format!("{:?}", ExitCode::SUCCESS)
        );
    }
}
