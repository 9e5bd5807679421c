//! argv → one subcommand → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    garmin_gateway::cli::run(std::env::args_os())
}
