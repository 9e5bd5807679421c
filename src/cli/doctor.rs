//! `doctor`: looks at everything, and prints a line for each look as it comes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::{BROKEN, UNAVAILABLE, fail, say};
use crate::base::clock::Clock;
use crate::config::Sources;
use crate::console::words::plain;
use crate::doctor::{self, Finding, Verdict, Visit};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    env_file: super::EnvFile,
    /// The gateway's socket, or the directory it is in; without it RUNTIME_DIR says where it is.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 where nothing fails, 69 where something does.
pub(super) fn run(args: DoctorArgs) -> ExitCode {
    let sources = match Sources::of_operator(args.env_file.env_file.as_deref()) {
        Ok(sources) => sources,
        Err(problem) => return super::refuse(&[problem]),
    };
    let program = match super::program() {
        Ok(program) => program,
        Err(e) => return fail(BROKEN, &format!("{e:#}")),
    };
    let visit = Visit {
        sources,
        // Wrong settings are found by the doctor itself.
        socket: super::operate::socket_path(args.socket).ok(),
        program,
        clock: Clock::system(),
        patience: PATIENCE,
    };
    super::install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(BROKEN, &format!("the runtime does not start: {e}")),
    };
    let mut findings = Vec::new();
    let worst = runtime.block_on(doctor::examine(visit, |finding| {
        if !args.json {
            show(&finding);
        }
        findings.push(finding);
    }));
    runtime.shutdown_timeout(Duration::from_millis(200));
    if args.json {
        say(&serde_json::json!({ "verdict": worst, "findings": findings }).to_string());
    } else {
        summary(&findings);
    }
    if worst == Verdict::Fail {
        ExitCode::from(UNAVAILABLE)
    } else {
        ExitCode::SUCCESS
    }
}

fn show(finding: &Finding) {
    let word = match finding.verdict {
        Verdict::Ok => "ok",
        Verdict::Warn => "warn",
        Verdict::Fail => "FAIL",
    };
    say(&format!(
        "{word:4}  {:13}  {}",
        finding.check,
        plain(&finding.says)
    ));
    if let Some(fix) = &finding.fix {
        say(&format!("{:21}→ {}", "", plain(fix)));
    }
}

fn summary(findings: &[Finding]) {
    let count = |verdict| {
        findings
            .iter()
            .filter(|finding| finding.verdict == verdict)
            .count()
    };
    let (warnings, failures) = (count(Verdict::Warn), count(Verdict::Fail));
    say(&match (failures, warnings) {
        (0, 0) => "\nAll is well.".to_owned(),
        (0, warnings) => format!("\nIt works. {warnings} to look at."),
        (failures, 0) => format!("\n{failures} to mend."),
        (failures, warnings) => format!("\n{failures} to mend, {warnings} to look at."),
    });
}
