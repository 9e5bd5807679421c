//! `upgrade`: finds the newest release, and lets it install itself.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use url::Url;

use super::exit::{
    BROKEN, CONFIG, NOT_ALLOWED, NOT_GENUINE, UNAVAILABLE, USAGE, UsageError, WrongSettings, internal,
};
use super::install::home;
use super::output::{fail, say};
use crate::base::lifecycle::StopSignals;
use crate::base::ssh_signature::SignerKey;
use crate::config::{NewsSettings, Sources};
use crate::install::upgrade::{Releases, UpgradeError, check_user, install_release, installation_of, is_due};
use crate::install::{Layout, Scope};

#[derive(Args)]
pub(super) struct UpgradeArgs {
    /// Fetch and check the release, show what it would do, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Ask no questions; show the plan and carry it out
    #[arg(long, short)]
    yes: bool,
    /// Install this release, not the newest
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Where releases are, instead of NEWS_URL: the address above latest/download/
    #[arg(long, value_name = "URL", requires = "key")]
    from: Option<Url>,
    /// The public key that they are signed with, instead of NEWS_KEY
    #[arg(long, value_name = "KEY", requires = "from")]
    key: Option<String>,
}

pub(super) async fn run(args: UpgradeArgs, program: &Path) -> anyhow::Result<ExitCode> {
    match upgrade(&args, program).await {
        Ok(code) => Ok(code),
        Err(error) => match error.downcast_ref::<UpgradeError>() {
            Some(known) => Ok(fail(code_of(known), &known.to_string())),
            None => Err(error),
        },
    }
}

fn code_of(error: &UpgradeError) -> u8 {
    match error {
        UpgradeError::NeedsRoot(_) | UpgradeError::OtherUser => NOT_ALLOWED,
        UpgradeError::NoReleases(_) => CONFIG,
        UpgradeError::Download { .. } | UpgradeError::NoArchive { .. } => UNAVAILABLE,
        UpgradeError::NotGenuine { .. } => NOT_GENUINE,
        UpgradeError::DoesNotRun { .. } => BROKEN,
        _ => USAGE,
    }
}

async fn upgrade(args: &UpgradeArgs, program: &Path) -> anyhow::Result<ExitCode> {
    let own = env!("CARGO_PKG_VERSION");
    let system = Layout::system(Path::new("/"));
    let layouts = home().map_or([system.clone(), system.clone()], |home| {
        [system, Layout::user(&home)]
    });
    let layout = installation_of(program, layouts)?;
    if !args.dry_run {
        check_user(&layout, &again(args, program))?;
    }
    let releases = releases(args, &layout)?;
    let release = releases.find(args.version.as_deref()).await?;
    if !is_due(own, &release, args.version.is_some())? {
        let newest = &release.version;
        say(&format!(
            "Nothing to do: this is version {own}, and {newest} is the newest."
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let (archive, version) = (&release.archive, &release.version);
    say(&format!(
        "Version {version} is out, but this is {own}. Fetching {archive} from {}",
        release.directory
    ));
    let new = release.program().await?;
    say("The checksum is right, and the release key has signed it.");
    let is_user = layout.scope == Scope::User;
    let options = [
        ("--user", is_user),
        ("--dry-run", args.dry_run),
        ("--yes", args.yes),
    ];
    let options: Vec<&str> = options
        .iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(option, _)| *option)
        .collect();
    // Ctrl-C also reaches this process, which must live on to remove the directory of the new program.
    let signals =
        StopSignals::listen().map_err(|e| internal("the signal handlers can't be installed", &e))?;
    let ended = install_release(&release, &new, &options)?;
    drop(signals);
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(BROKEN)))
}

/// The address of the releases: from the command line, otherwise from the settings of the installation.
fn releases(args: &UpgradeArgs, layout: &Layout) -> anyhow::Result<Releases> {
    if let (Some(base), Some(key)) = (&args.from, &args.key) {
        let key = key.parse::<SignerKey>();
        let key = key.map_err(|reason| UsageError(format!("--key: {reason}")))?;
        return Ok(Releases::at(base, key)?);
    }
    let env_file = layout.env_file();
    // If this user may not look, the file is assumed to exist, so that the error says that it can't be read.
    let is_there = env_file.try_exists().unwrap_or(true);
    let sources = Sources::of_process(is_there.then_some(&*env_file)).map_err(WrongSettings::from)?;
    let news = NewsSettings::load(&sources).map_err(WrongSettings::from)?;
    let news = news.ok_or(UpgradeError::NoReleases(env_file))?;
    Ok(Releases::beside(&news.url, news.key)?)
}

/// The same command with the full path, because sudo may not search the program's directory.
fn again(args: &UpgradeArgs, program: &Path) -> String {
    let program = program.display().to_string();
    let mut words = vec![program.as_str(), "upgrade"];
    words.extend(args.yes.then_some("--yes"));
    let from = args.from.as_ref().map(Url::as_str);
    let options = [
        ("--version", args.version.as_deref()),
        ("--from", from),
        ("--key", args.key.as_deref()),
    ];
    for (option, value) in options {
        words.extend(value.map(|value| [option, value]).into_iter().flatten());
    }
    shlex::try_join(words).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_root_is_the_whole_command() {
        let args = UpgradeArgs {
            dry_run: false,
            yes: true,
            version: Some("1.2.3".into()),
            from: Some("https://releases.example.org/".parse().unwrap()),
            key: Some("ssh-ed25519 AAAA".into()),
        };
        assert_eq!(
            again(&args, Path::new("/usr/local/bin/garmin-gateway")),
            "/usr/local/bin/garmin-gateway upgrade --yes --version 1.2.3 --from https://releases.example.org/ \
             --key 'ssh-ed25519 AAAA'"
        );
    }
}
