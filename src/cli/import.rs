//! `import`: moves in from the Python gateway.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::exit::GatewayRuns;
use super::location::{GatewayProcess, OwnStore, StoreLocation};
use super::output::say;
use crate::accounts::Account;
use crate::base::clock::Clock;
use crate::base::secrets::Secret;
use crate::config::Config;
use crate::console::words::{many, plain};
use crate::import::{
    AlreadyHere, ImportError, ImportPlan, ImportRules, ImportSummary, LeftAccount, OldGateway,
    PlannedAccount, Unusable, carry_out,
};
use crate::oauth::OAuth;
use crate::store::{Store, StoreError};

#[derive(Args)]
pub(super) struct ImportArgs {
    /// The directory of the Python gateway: the one with gateway.db, or with the .env that says where it is
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// A file with the GATEWAY_SECRET of the Python gateway; `-` is standard input [default: from DIR/.env]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Import; without it, only show what would be taken
    #[arg(long)]
    yes: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: StoreLocation,
}

/// The report on a plan. It is written before the plan is carried out, because that consumes the plan.
struct ImportReport {
    lines: Vec<String>,
    json: Value,
    is_empty: bool,
}

pub(super) async fn import(args: ImportArgs) -> anyhow::Result<()> {
    let config = args.location.config()?;
    let secret = args.secret_file.as_deref().map(read_secret).transpose()?;
    let old = OldGateway::read(&args.from, secret)?;
    if args.yes && old.is_running {
        return Err(ImportError::Running(old.database).into());
    }
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
    let around = notes(&old, &config);
    let database = old.database.clone();
    let plan = ImportPlan::of(old, &here, &rules, now);
    let mut report = describe(&database, &plan, &around);
    let done = match own.filter(|_| args.yes) {
        Some(own) => Some(carry_out(own.store()?, plan, config.public_url.mcp(), now).await?),
        None => None,
    };
    if args.json {
        finish_json(&mut report.json, done.as_ref());
        say(&report.json.to_string());
        return Ok(());
    }
    for line in &report.lines {
        say(&plain(line));
    }
    say(&last_line(&report, done.as_ref()));
    Ok(())
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
    let accounts = store.list::<Account>(b"")?.into_iter();
    Ok(AlreadyHere {
        emails: accounts.map(|(_, account)| account.email).collect(),
        client_ids: OAuth::imported_clients(store)?.into_iter().collect(),
    })
}

/// Sentences for the operator about what the lists do not contain.
fn notes(old: &OldGateway, config: &Config) -> Vec<String> {
    let mut notes = Vec::new();
    if old.is_running {
        notes.push("The Python gateway is running. Stop it before the import: each Garmin refresh token works only once, and its workers use them up.".to_owned());
    }
    if let Some(livetrack) = &old.livetrack {
        notes.push(format!(
            "{} is left alone: the layout of livetrack-mcp's database is not published, so its races can't be read \
             without guessing. Keep the file.",
            livetrack.display()
        ));
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

fn describe(database: &Path, plan: &ImportPlan, notes: &[String]) -> ImportReport {
    let mut lines = vec![format!("From {}:", database.display())];
    lines.extend(plan.accounts.iter().map(taken));
    lines.extend(plan.left_accounts.iter().map(left));
    if plan.accounts.is_empty() && plan.left_accounts.is_empty() {
        lines.push("  no accounts".to_owned());
    }
    if !plan.clients.is_empty() {
        lines.push(format!(
            "  {} with a redirect address",
            many(plan.clients.len() as u64, "client")
        ));
    }
    let not_taken = [
        (
            plan.n_expired,
            "access token",
            "expired, or unused for ACCESS_TOKEN_TTL_DAYS",
        ),
        (plan.n_stray, "access token", "without an account"),
        (
            plan.left_clients.len(),
            "client",
            "with an address to which this gateway does not send codes (REDIRECT_HOSTS)",
        ),
    ];
    for (n, what, why) in not_taken.into_iter().filter(|(n, ..)| *n > 0) {
        lines.push(format!("  not taken: {}, {why}", many(n as u64, what)));
    }
    let again = connect_again(plan);
    if !again.is_empty() {
        lines.push(format!("Must connect again in Claude: {}.", again.join(", ")));
    }
    lines.extend(notes.iter().cloned());
    let account = |account: &PlannedAccount| {
        json!({
            "email": account.email,
            "access_tokens": account.access.len(),
            "garmin_tokens": if account.is_renewed { "worker" } else { "database" },
        })
    };
    let left =
        |left: &LeftAccount| json!({"key": left.key, "why": why(left.why), "access_tokens": left.n_tokens});
    ImportReport {
        lines,
        json: json!({
            "database": database,
            "accounts": plan.accounts.iter().map(account).collect::<Vec<_>>(),
            "left_accounts": plan.left_accounts.iter().map(left).collect::<Vec<_>>(),
            "clients": plan.clients.len(),
            "left_clients": plan.left_clients,
            "expired_access_tokens": plan.n_expired,
            "stray_access_tokens": plan.n_stray,
            "connect_again": again,
            "notes": notes,
        }),
        is_empty: plan.is_empty(),
    }
}

fn taken(account: &PlannedAccount) -> String {
    let renewed = if account.is_renewed {
        " (as renewed by its worker)"
    } else {
        ""
    };
    let access = match account.access.len() {
        0 => "no valid access token".to_owned(),
        n => many(n as u64, "access token"),
    };
    format!("  {}: Garmin tokens{renewed}, {access}", account.email)
}

fn left(left: &LeftAccount) -> String {
    format!("  {}: not taken, {}", left.key, why(left.why))
}

fn why(why: Unusable) -> &'static str {
    match why {
        Unusable::AlreadyHere => "this gateway already has an account with this e-mail, which stays as it is",
        Unusable::NotAnEmail => "this is not an e-mail address, and this gateway knows people by theirs",
        Unusable::NoGarminTokens => "it has no Garmin tokens, or this secret does not open them",
    }
}

/// The people who must connect their clients again, because none of their tokens stays valid.
fn connect_again(plan: &ImportPlan) -> Vec<&str> {
    let without_access = plan.accounts.iter().filter(|account| account.access.is_empty());
    let closed = plan
        .left_accounts
        .iter()
        .filter(|left| left.why != Unusable::AlreadyHere);
    without_access
        .map(|account| &*account.email)
        .chain(closed.map(|left| &*left.key))
        .collect()
}

fn finish_json(report: &mut Value, done: Option<&ImportSummary>) {
    if let Some(report) = report.as_object_mut() {
        let imported = done.map(
            |done| json!({"accounts": done.accounts, "access_tokens": done.tokens, "clients": done.clients}),
        );
        report.insert("imported".into(), json!(imported));
    }
}

fn last_line(report: &ImportReport, done: Option<&ImportSummary>) -> String {
    match done {
        None if report.is_empty => "There is nothing to import. Nothing was changed.".to_owned(),
        None => "Nothing was changed. To import this, run the same command with --yes.".to_owned(),
        Some(done) if *done == ImportSummary::default() => {
            "Nothing was new, so nothing was changed.".to_owned()
        }
        Some(done) => format!(
            "Imported: {}, {}, {}. These people are invited. Start the gateway; do not start the Python one again: \
             each Garmin refresh token works only once, and the two would use up each other's.",
            many(done.accounts as u64, "account"),
            many(done.tokens as u64, "access token"),
            many(done.clients as u64, "client"),
        ),
    }
}
