//! `import`: moves in from the Python gateway and from livetrack-mcp.

mod report;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::GatewayRuns;
use super::location::{GatewayProcess, OwnStore, StoreLocation};
use super::output::say;
use crate::accounts::Account;
use crate::base::clock::Clock;
use crate::base::secrets::Secret;
use crate::config::Config;
use crate::console::words::plain;
use crate::import::{AlreadyHere, ImportError, ImportPlan, ImportRules, OldGateway, OldRaces, carry_out};
use crate::oauth::OAuth;
use crate::races::Races;
use crate::store::{Store, StoreError};
use report::ImportReport;

#[derive(Args)]
pub(super) struct ImportArgs {
    /// The directory of the Python gateway: the one with gateway.db, or with the .env that says where it is
    #[arg(long, value_name = "DIR", required_unless_present = "livetrack")]
    from: Option<PathBuf>,
    /// A file with the GATEWAY_SECRET of the Python gateway; `-` is standard input [default: from DIR/.env]
    #[arg(long, value_name = "FILE", requires = "from")]
    secret_file: Option<PathBuf>,
    /// The database of livetrack-mcp, to take its races [default: a livetrack.db beside gateway.db]
    #[arg(long, value_name = "FILE")]
    livetrack: Option<PathBuf>,
    /// The account that gets these races, because livetrack-mcp knows no accounts [default: the only one]
    #[arg(long, value_name = "EMAIL")]
    races_of: Option<String>,
    /// Import; without it, only show what would be taken
    #[arg(long)]
    yes: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: StoreLocation,
}

pub(super) async fn import(args: ImportArgs) -> anyhow::Result<()> {
    let config = args.location.config()?;
    let secret = args.secret_file.as_deref().map(read_secret).transpose()?;
    let from = args.from.as_deref();
    let old = from.map(|from| OldGateway::read(from, secret)).transpose()?;
    if args.yes
        && let Some(old) = old.as_ref().filter(|old| old.is_running)
    {
        return Err(ImportError::Running(old.database.clone()).into());
    }
    let mut notes = old.as_ref().map_or_else(Vec::new, |old| notes(old, &config));
    let races = old_races(&args, old.as_ref(), &config, &mut notes)?;
    if let GatewayProcess::Running(_) = args.location.find(&config).await? {
        anyhow::bail!(GatewayRuns);
    }
    // A dry run creates nothing.
    let own = if args.yes {
        Some(OwnStore::open_or_create(&config)?)
    } else if config.db_path.is_dir() {
        Some(OwnStore::open(&config)?)
    } else {
        None
    };
    let here = match &own {
        Some(own) => already_here(own.store()?)?,
        None => AlreadyHere::default(),
    };
    let rules = ImportRules {
        redirect_hosts: &config.live.redirect_hosts,
        sign_in_ttl: config.sign_in_ttl,
    };
    let now = Clock::system().now();
    let database = old.as_ref().map(|old| old.database.clone());
    let mut plan = old.map_or_else(ImportPlan::default, |old| ImportPlan::of(old, &here, &rules, now));
    let mut report = ImportReport::default();
    if let Some(database) = &database {
        report.add_people(database, &plan);
    }
    if let Some(mut races) = races {
        plan.add_races(std::mem::take(&mut races.races), args.races_of.as_deref(), &here)?;
        report.add_races(&races, &plan);
    }
    report.add_notes(notes);
    report.is_empty = plan.is_empty();
    let done = match own.filter(|_| args.yes) {
        Some(own) => Some(carry_out(own.store()?, plan, config.public_url.mcp(), now).await?),
        None => None,
    };
    if args.json {
        say(&report.into_json(done.as_ref()).to_string());
        return Ok(());
    }
    for line in &report.lines {
        say(&plain(line));
    }
    say(&report.last_line(done.as_ref()));
    Ok(())
}

/// The races of livetrack-mcp. People are imported even if a database that was only found beside theirs can't be read.
fn old_races(
    args: &ImportArgs,
    old: Option<&OldGateway>,
    config: &Config,
    notes: &mut Vec<String>,
) -> Result<Option<OldRaces>, ImportError> {
    if let Some(given) = &args.livetrack {
        return OldRaces::read(given, &config.garmin).map(Some);
    }
    let Some(found) = old.and_then(|old| old.livetrack.as_deref()) else {
        return Ok(None);
    };
    match OldRaces::read(found, &config.garmin) {
        Ok(races) => Ok(Some(races)),
        Err(e) if args.yes && matches!(e, ImportError::LiveTrackRunning(_)) => Err(e),
        Err(e) => {
            notes.push(format!("No races are taken: {e}."));
            Ok(None)
        }
    }
}

/// Reads the secret from a file or from standard input, without line breaks at its end.
fn read_secret(path: &Path) -> anyhow::Result<Secret> {
    const LONGEST: u64 = 64 * 1024;
    let mut text = zeroize::Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        io::stdin().take(LONGEST).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text))
    };
    read.with_context(|| path.display().to_string())?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn already_here(store: &Store) -> Result<AlreadyHere, StoreError> {
    let mut here = AlreadyHere {
        client_ids: OAuth::imported_clients(store)?.into_iter().collect(),
        ..AlreadyHere::default()
    };
    for (_, account) in store.list::<Account>(b"")? {
        let began = Races::imported_times(store, &account.id)?.into_iter();
        here.races.extend(began.map(|at| (account.email.clone(), at)));
        here.emails.insert(account.email);
    }
    Ok(here)
}

/// Sentences for the operator about what the lists do not contain.
fn notes(old: &OldGateway, config: &Config) -> Vec<String> {
    let mut notes = Vec::new();
    if old.is_running {
        notes.push("The Python gateway is running. Stop it before the import: each Garmin refresh token works only once, and its workers use them up.".to_owned());
    }
    let own = config.public_url.origin();
    if let Some(theirs) = old
        .public_url
        .as_deref()
        .filter(|url| url.trim_end_matches('/') != own)
    {
        notes.push(format!(
            "Claude knows the Python gateway as {theirs}, but this gateway is {own}. Connections survive only if the \
             address stays the same: set PUBLIC_URL={theirs} before the import, or have everybody connect again."
        ));
    }
    notes
}
