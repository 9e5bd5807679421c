//! `doctor`: runs every check and prints each finding as it comes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::exit::{UNAVAILABLE, WrongSettings};
use super::output::{Paint, has_color, paint, say};
use crate::base::clock::Clock;
use crate::config::Sources;
use crate::console::words::{many, plain};
use crate::doctor::{self, Finding, Verdict, Visit};

/// The maximum time for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    env_file: super::location::EnvFileArg,
    /// The gateway's socket, or its directory [default: in RUNTIME_DIR]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the checks. The exit code is 0 if none fails, otherwise 69.
pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let sources = Sources::of_operator(args.env_file.env_file.as_deref()).map_err(WrongSettings::from)?;
    let visit = Visit {
        sources,
        // The doctor itself reports wrong settings.
        socket: super::location::socket_path(args.socket).ok(),
        program: super::program()?,
        clock: Clock::system(),
        patience: ANSWER_TIMEOUT,
    };
    let mut findings = Vec::new();
    let worst = doctor::examine(visit, |finding| {
        if !args.json {
            show(&finding);
        }
        findings.push(finding);
    })
    .await;
    if args.json {
        say(&serde_json::json!({ "verdict": worst, "findings": findings }).to_string());
    } else {
        summary(&findings);
    }
    Ok(if worst == Verdict::Fail {
        ExitCode::from(UNAVAILABLE)
    } else {
        ExitCode::SUCCESS
    })
}

fn show(finding: &Finding) {
    let (word, style) = match finding.verdict {
        Verdict::Ok => ("ok", Paint::Good),
        Verdict::Warn => ("warn", Paint::Warn),
        Verdict::Fail => ("FAIL", Paint::Bad),
    };
    let word = format!("{word:4}");
    let word = if has_color() { paint(style, &word) } else { word };
    say(&format!("{word}  {:13}  {}", finding.check, plain(&finding.says)));
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
    let (warned, failed) = (many(warnings as u64, "warning"), many(failures as u64, "problem"));
    say(&match (failures, warnings) {
        (0, 0) => "\nAll is well.".to_owned(),
        (0, _) => format!("\nIt works, with {warned}."),
        (_, 0) => format!("\n{failed} to fix."),
        (..) => format!("\n{failed} to fix, and {warned}."),
    });
}
