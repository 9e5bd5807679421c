//! `doctor`: runs every check and prints each finding as it comes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::exit::{UNAVAILABLE, WrongSettings};
use super::location::{default_socket, socket_in};
use super::output::{Paint, has_color, paint, say};
use crate::admin::SOCKET_NAME;
use crate::base::clock::Clock;
use crate::config::settings::RUNTIME_DIR;
use crate::config::{Config, SettingSource, Sources};
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
        socket: socket(args.socket, &sources),
        sources,
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

/// The socket of the gateway that these settings describe. A `RUNTIME_DIR` among them is taken at its word; otherwise
/// the gateway may be the system's. `None`: the settings are wrong, which the doctor itself reports.
fn socket(given: Option<PathBuf>, sources: &Sources) -> Option<PathBuf> {
    if let Some(path) = given {
        return Some(socket_in(path));
    }
    let config = Config::load(sources).ok()?;
    let source = config.effective.iter().find(|one| one.name == RUNTIME_DIR.name);
    let is_default = source.is_none_or(|one| one.source == SettingSource::Default);
    Some(if is_default {
        default_socket(&config.runtime_dir)
    } else {
        config.runtime_dir.join(SOCKET_NAME)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_that_of_the_settings_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("my.env");
        std::fs::write(&file, "RUNTIME_DIR=/run/my-own\n").unwrap();
        let secret = ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef");
        let sources = Sources::of_pairs([("HOME", "/h"), secret])
            .with_file(Some(&file))
            .unwrap();
        let of_file = Some(PathBuf::from("/run/my-own/admin.sock"));
        assert_eq!(socket(None, &sources), of_file);
        let given = Some(PathBuf::from("/run/other.sock"));
        assert_eq!(socket(given.clone(), &sources), given);
    }
}
