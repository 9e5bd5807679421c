//! `install`: asks for missing answers, shows the plan, and performs it.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::{BROKEN, CONFIG, DECLINED, NOT_ALLOWED, USAGE};
use super::output::{fail, say};
use crate::config::Sources;
use crate::install::{self, Answers, Facts, InstallError, InstallOperation, Layout, Plan};

/// The options for the settings of a new installation.
const SETTINGS: [&str; 7] = [
    "public_url",
    "tls",
    "invite",
    "operator_name",
    "operator_email",
    "news_url",
    "news_key",
];

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct InstallArgs {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Install into your home directory, without root
    #[arg(long)]
    user: bool,
    /// Ask nothing
    #[arg(long, short)]
    yes: bool,
    /// Remove the program; settings and data stay
    #[arg(long, conflicts_with_all = SETTINGS)]
    uninstall: bool,
    /// With --uninstall: remove settings, secret and data too
    #[arg(long, requires = "uninstall")]
    purge: bool,
    /// The https address that people and Claude will use
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// `acme`: serve https itself on port 443, with a certificate from Let's Encrypt
    #[arg(long, value_name = "WAY", value_parser = ["acme"])]
    tls: Option<String>,
    /// Who may sign in: an e-mail address or @domain; repeatable
    #[arg(long, value_name = "WHO")]
    invite: Vec<String>,
    /// The operator's name, for the sign-in page
    #[arg(long, value_name = "NAME")]
    operator_name: Option<String>,
    /// The operator's e-mail, for the sign-in page
    #[arg(long, value_name = "E-MAIL")]
    operator_email: Option<String>,
    /// Look for news of this program at this address once a day; `install.sh --news` sets it
    #[arg(long, value_name = "URL", requires = "news_key")]
    news_url: Option<String>,
    /// The public key that the news is signed with
    #[arg(long, value_name = "KEY", requires = "news_url")]
    news_key: Option<String>,
}

pub(super) fn run(args: &InstallArgs, program: &Path) -> ExitCode {
    match install(args, program) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let code = match error {
                InstallError::NeedsRoot => NOT_ALLOWED,
                InstallError::Answers(_)
                | InstallError::Downgrade { .. }
                | InstallError::NoHome
                | InstallError::NobodyToAsk => USAGE,
                InstallError::SecretLost(_) => CONFIG,
                _ => BROKEN,
            };
            fail(code, &error.to_string())
        }
    }
}

fn install(args: &InstallArgs, program: &Path) -> Result<u8, InstallError> {
    let layout = if args.user {
        Layout::user(&home()?)
    } else {
        Layout::system(Path::new("/"))
    };
    let look = || Facts::find(layout, program, super::manual::manuals()?);
    let facts = look().map_err(|source| InstallError::Step {
        step: "look at what is installed".to_owned(),
        source,
    })?;
    // Showing a plan does not require root.
    let shown_facts = Facts {
        is_root: facts.is_root || args.dry_run,
        ..facts
    };
    let may_ask = !args.yes && !args.dry_run && std::io::stdin().is_terminal();
    let act = if args.uninstall {
        InstallOperation::Uninstall { purge: args.purge }
    } else {
        InstallOperation::Install(answers(args, may_ask && !shown_facts.has_settings))
    };
    let plan = install::plan(&shown_facts, &act)?;
    let nobody_to_ask = !args.yes && !may_ask;
    if plan.actions.is_empty() {
        say(if args.uninstall {
            "Nothing to do: nothing of it is installed."
        } else {
            "Nothing to do: everything is installed."
        });
        if args.uninstall {
            for note in &plan.notes {
                say(note);
            }
        }
        return Ok(0);
    }
    show(&plan, args.dry_run || nobody_to_ask);
    if args.dry_run {
        return Ok(0);
    }
    if nobody_to_ask {
        return Err(InstallError::NobodyToAsk);
    }
    if args.purge && may_ask && asked("All sign-ins will be lost. Type PURGE to go on: ") != "PURGE" {
        say("Nothing was done. (--yes skips the question.)");
        return Ok(DECLINED);
    }
    if may_ask && !args.purge {
        let answer = asked("Go on? [Y/n] ");
        if !matches!(answer.to_lowercase().as_str(), "" | "y" | "yes") {
            say("Nothing was done.");
            return Ok(DECLINED);
        }
    }
    install::perform(&plan, &shown_facts, program, &mut |step| {
        say(&format!("· {step}"));
    })?;
    for note in &plan.notes {
        say(note);
    }
    Ok(0)
}

fn show(plan: &Plan, dry_run: bool) {
    say(if dry_run {
        "This would be done:"
    } else {
        "This will be done:"
    });
    for action in &plan.actions {
        say(&format!("  {action}"));
    }
    if plan.takes_back_from.is_some() {
        say("If the new program does not start, the old one and its data are restored automatically.");
    }
}

fn answers(args: &InstallArgs, may_ask: bool) -> Answers {
    let said = |option: &Option<String>, question: &str| match option {
        Some(answer) => answer.trim().to_owned(),
        None if may_ask => asked(question),
        None => String::new(),
    };
    let invited = (!args.invite.is_empty()).then(|| args.invite.join(","));
    let public_url = said(
        &args.public_url,
        "The https address that people and Claude will use (empty: this machine only): ",
    );
    let tls = match &args.tls {
        Some(tls) => tls.clone(),
        None if may_ask && public_url.starts_with("https://") => acme_if_wanted(),
        None => String::new(),
    };
    Answers {
        public_url,
        tls,
        invited: said(
            &invited,
            "Who may sign in: e-mail addresses or @domains, separated by commas: ",
        ),
        operator_name: said(
            &args.operator_name,
            "Your name, for the sign-in page (may be empty): ",
        ),
        operator_email: said(
            &args.operator_email,
            "The e-mail address at which people reach you, for the sign-in page (may be empty): ",
        ),
        news_url: args.news_url.clone().unwrap_or_default(),
        news_key: args.news_key.clone().unwrap_or_default(),
    }
}

/// Asks whether the gateway serves https itself.
fn acme_if_wanted() -> String {
    let answer = asked(
        "Serve https on port 443 with a certificate from Let's Encrypt? Answer no if a reverse proxy or tunnel does that. [y/N] ",
    );
    match answer.to_lowercase().as_str() {
        "y" | "yes" => "acme".to_owned(),
        _ => String::new(),
    }
}

/// The operator's answer; empty if the terminal is gone.
fn asked(question: &str) -> String {
    let mut out = std::io::stderr().lock();
    let mut answer = String::new();
    if write!(out, "{question}").and_then(|()| out.flush()).is_ok() {
        drop(std::io::stdin().lock().read_line(&mut answer));
    }
    answer.trim().to_owned()
}

pub(super) fn home() -> Result<PathBuf, InstallError> {
    let sources = Sources::of_process(None).map_err(|_| InstallError::NoHome)?;
    sources.home().ok_or(InstallError::NoHome)
}

#[cfg(test)]
mod tests {
    #[test]
    fn removing_takes_no_settings() {
        let parsed = |line: &str| {
            let words = std::iter::once("garmin-gateway").chain(line.split(' '));
            crate::cli::command().try_get_matches_from(words)
        };
        assert!(parsed("install --uninstall --purge --yes").is_ok());
        for option in [
            "--public-url https://x.example",
            "--tls acme",
            "--invite a@x.example",
            "--operator-name Ann",
            "--operator-email a@x.example",
            "--news-url https://x.example --news-key k",
        ] {
            let wrong = parsed(&format!("install --uninstall {option}"))
                .unwrap_err()
                .to_string();
            assert!(wrong.contains("cannot be used with"), "{wrong}");
        }
    }
}
