//! The subcommands: argv → one act → exit code.
//!
//! Exit codes are those of sysexits: 0 done, 1 the person said no, 64 wrong usage, 69 a service is missing,
//! 70 broken inside, 74 the disk refused, 77 not for this user, 78 wrong settings.

mod backup;
mod doctor;
mod export;
mod install;
mod manual;
mod operate;
mod place;
mod print;
mod progress;
mod secret;
mod table;
mod worker;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::base::causes::chain;
use crate::base::clock::Clock;
use crate::base::lifecycle::StopSignals;
use crate::base::log::LogLevel;
use crate::base::log::{Console, Telemetry};
use crate::config::{Config, Effective, Problem, Sources, WorkerConfig};
use crate::console::words::plain;
use crate::daemon::{Daemon, DaemonParts, Kept, demo};
use crate::sandbox;
use crate::{console, tools};

const NAME: &str = "garmin-gateway";

const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;
const BROKEN: u8 = 70;
const DISK: u8 = 74;
const CONFIG: u8 = 78;

/// Connects a trusted circle's Garmin accounts to Claude.
#[derive(Parser)]
#[command(name = "garmin-gateway", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 you said no, 64 wrong usage, 69 a service is missing, \
                        70 broken inside, 74 the disk refused, 77 not for this user, 78 wrong settings."
)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Subcommand)]
enum CliCommand {
    /// Run the gateway.
    Serve(EnvFile),
    /// Run the gateway with a pretend Garmin: nothing to set up, nothing real.
    Demo {
        /// The port to listen on; 0 takes a free one.
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Run the pretend Garmin alone; its first line is JSON: where it is and whom it knows.
    #[command(hide = true)]
    Simulator {
        /// Where to listen; loopback.
        #[arg(long, default_value = "127.0.0.1:0")]
        bind: SocketAddr,
        /// At least so many people.
        #[arg(long)]
        people: Option<usize>,
    },
    /// Watch and steer the running gateway in this terminal.
    Console(ConsoleArgs),
    #[command(flatten)]
    Operate(operate::Operate),
    /// Back up the store into one sealed file, while the gateway runs or not.
    #[command(after_help = "The secret is not in it: keep that apart. Without it a backup is noise.")]
    Backup(backup::BackupArgs),
    /// Bring a backup back, or check one.
    #[command(after_help = "The gateway must be stopped, except for --verify.")]
    Restore(backup::RestoreArgs),
    /// Give a person's own data and races: JSON, or one race as GPX or CSV; no tokens.
    Export(export::ExportArgs),
    /// Change the secret that seals the store; a running gateway goes on.
    RotateSecret(secret::RotateSecretArgs),
    /// Install this program as a service, upgrade it, or remove it.
    Install(install::InstallArgs),
    /// Look at everything that has to be right, here and as Claude sees it, and say what to do.
    Doctor(doctor::DoctorArgs),
    /// Show the settings in effect, and where each comes from.
    Config(ConfigArgs),
    /// Print what makes a shell complete this command line: put it where yours looks for it.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each subcommand.
    Man {
        /// A directory that is there; the pages are written into it.
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// Run the built-in worker (an MCP server for one person, on standard input or HTTP), or install the Python one.
    Worker {
        #[command(subcommand)]
        what: Option<worker::WorkerArgs>,
    },
    /// Fence this process in, then run a worker in its place.
    #[command(name = "__fence", hide = true, disable_help_flag = true)]
    Fence {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Args)]
struct EnvFile {
    /// A file of NAME=value lines; without it `.env` in the working directory, else (but for `serve`) that of the
    /// installation.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

#[derive(Args)]
struct ConsoleArgs {
    /// The gateway's socket, or the directory it is in; without it RUNTIME_DIR says where it is.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Draw with ASCII only.
    #[arg(long)]
    ascii: bool,
    /// Draw without colours, as NO_COLOR also says.
    #[arg(long)]
    no_color: bool,
}

#[derive(Args)]
struct ConfigArgs {
    #[command(flatten)]
    env_file: EnvFile,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one subcommand and returns the exit code of the process.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are asked for; everything else is a mistake.
            let asked = !e.use_stderr();
            return if e.print().is_ok() && asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(USAGE)
            };
        }
    };
    match cli.command {
        CliCommand::Serve(EnvFile { env_file }) => serve(env_file.as_deref()),
        CliCommand::Demo { port } => in_runtime(async move { demo::run(port, program()?).await }),
        CliCommand::Simulator { bind, people } => in_runtime(demo::simulate(bind, people)),
        CliCommand::Console(args) => show_console(args),
        CliCommand::Operate(operate) => operate::run(operate),
        CliCommand::Backup(args) => in_thread(backup::backup(args)),
        CliCommand::Restore(args) => in_thread(backup::restore(args)),
        CliCommand::Export(args) => in_thread(export::export(args)),
        CliCommand::RotateSecret(args) => in_thread(secret::rotate_secret(args)),
        CliCommand::Install(args) => match program() {
            Ok(program) => install::run(&args, &program),
            Err(e) => fail(BROKEN, &format!("{e:#}")),
        },
        CliCommand::Doctor(args) => doctor::run(args),
        CliCommand::Config(args) => show_config(args),
        CliCommand::Completions { shell } => manual::completions(shell),
        CliCommand::Man { into } => manual::man(into.as_deref()),
        CliCommand::Worker { what: None } => worker(),
        CliCommand::Worker { what: Some(args) } => match program() {
            Ok(program) => worker::run(args, &program),
            Err(e) => fail(BROKEN, &format!("{e:#}")),
        },
        CliCommand::Fence { arguments } => fence(arguments),
    }
}

fn serve(env_file: Option<&Path>) -> ExitCode {
    let kept = Kept::take();
    let loaded = Sources::of_process(env_file)
        .map_err(|problem| vec![problem])
        .and_then(|sources| Ok((Config::load(&sources)?, sources)));
    let (config, sources) = match loaded {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&problems),
    };
    let clock = Clock::system();
    let telemetry = match Telemetry::start(
        Console::Stdout,
        config.log.file.as_deref(),
        config.live.log_level,
        clock.clone(),
    ) {
        Ok(telemetry) => telemetry,
        Err(e) => {
            return fail(
                CONFIG,
                &format!("GATEWAY_LOG_FILE can't be opened: {e}; check its directory"),
            );
        }
    };
    in_runtime(async move {
        let signals = StopSignals::listen().context("signals can't be listened to")?;
        let parts = DaemonParts {
            config,
            sources,
            telemetry,
            clock,
            program: program()?,
            kept,
        };
        Ok(Daemon::start(parts).await?.run(signals).await)
    })
}

/// This program's file, which is also the built-in worker.
fn program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("this program's own file can't be found")
}

/// Runs a subcommand's future, and turns its end into an exit code.
fn in_thread(act: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return fail(BROKEN, &format!("the runtime does not start: {e}")),
    };
    match runtime.block_on(act) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(place::exit_code(&e), &plain(&format!("{e:#}"))),
    }
}

/// Runs the daemon's future on a runtime of its own and turns its end into an exit code.
fn in_runtime(daemon: impl Future<Output = anyhow::Result<bool>>) -> ExitCode {
    install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return fail(BROKEN, &format!("the runtime does not start: {e}")),
    };
    let ended = runtime.block_on(daemon);
    // What did not end by itself in the drain is left behind.
    runtime.shutdown_timeout(Duration::from_millis(200));
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(e) => fail(exit_code(&e), &format!("{e:#}")),
    }
}

fn exit_code(e: &anyhow::Error) -> u8 {
    e.downcast_ref::<crate::daemon::StartError>()
        .map_or(BROKEN, crate::daemon::StartError::exit_code)
}

fn show_config(ConfigArgs { env_file, json }: ConfigArgs) -> ExitCode {
    let loaded = Sources::of_operator(env_file.env_file.as_deref())
        .map_err(|problem| vec![problem])
        .and_then(|sources| Config::load(&sources));
    let config = match loaded {
        Ok(config) => config,
        Err(problems) => return refuse(&problems),
    };
    if json {
        let row = |e: &Effective| serde_json::json!({ "name": e.name, "value": e.value, "source": e.source.to_string() });
        let rows: Vec<_> = config.effective.iter().map(row).collect();
        say(&serde_json::json!({ "settings": rows, "warnings": config.warnings }).to_string());
    } else {
        for Effective { name, value, source } in &config.effective {
            let value = if value.is_empty() { "-" } else { value };
            say(&format!("{name:24} {value}  ({source})"));
        }
        for warning in &config.warnings {
            say(&format!("warning: {warning}"));
        }
    }
    ExitCode::SUCCESS
}

fn show_console(args: ConsoleArgs) -> ExitCode {
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return fail(
            USAGE,
            "the console needs a terminal; `status` and the other subcommands work without one",
        );
    }
    let socket = match operate::socket_path(args.socket) {
        Ok(socket) => socket,
        Err(e) => return fail(CONFIG, &chain(&e)),
    };
    let (no_color, speaks_utf8) = Sources::of_process(None).map_or((false, true), |s| s.terminal());
    let look = console::Look {
        no_color: args.no_color || no_color,
        ascii: args.ascii || !speaks_utf8,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(console::run(socket, look, Clock::system()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(BROKEN, &format!("the terminal can't be used: {e}")),
    }
}

fn worker() -> ExitCode {
    let config = match Sources::of_process(None)
        .map_err(|problem| vec![problem])
        .and_then(|sources| WorkerConfig::load(&sources))
    {
        Ok(config) => config,
        Err(problems) => return refuse(&problems),
    };
    // Standard output may be the conversation; whoever started the worker keeps what it logs.
    if let Err(e) = Telemetry::start(Console::Stderr, None, LogLevel::Info, Clock::system()) {
        return fail(BROKEN, &format!("logging could not be started: {e}"));
    }
    install_crypto();
    match tools::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(BROKEN, &chain(&e)),
    }
}

/// Writes to standard output. A reader that has had enough is none of our mistakes.
fn put(bytes: &[u8]) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => fail(DISK, &format!("standard output can't be written: {e}")),
    }
}

fn fence(arguments: Vec<OsString>) -> ExitCode {
    // It only returns when the program could not be started.
    match sandbox::fence::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(BROKEN, &chain(&e)),
    }
}

/// rustls wants to be told once which implementation it uses.
fn install_crypto() {
    // It was installed before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Tells all mistakes in the settings.
fn refuse(problems: &[Problem]) -> ExitCode {
    let plural = if problems.len() == 1 {
        "setting is"
    } else {
        "settings are"
    };
    let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
    fail(
        CONFIG,
        &format!("{} {plural} wrong:\n  {}", problems.len(), list.join("\n  ")),
    )
}

#[expect(
    clippy::print_stderr,
    reason = "this is where the program speaks to the person who started it"
)]
fn fail(code: u8, text: &str) -> ExitCode {
    eprintln!("garmin-gateway: {text}");
    ExitCode::from(code)
}

#[expect(
    clippy::print_stdout,
    reason = "this is where the program speaks to the person who started it"
)]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
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
