//! `backup` and `restore`, through the running gateway or in the store itself.

use std::fs::File;
use std::io::{BufReader, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::exit::{GatewayRuns, UsageError};
use super::location::{GatewayProcess, OwnStore, StoreLocation, make_place, own};
use super::output::{put, say};
use super::progress::ProgressLine;
use crate::admin::api::{AdminStream, StreamSummary};
use crate::base::clock::Clock;
use crate::base::disk::beside;
use crate::base::secrets::RootSecret;
use crate::config::Config;
use crate::console::words::{bytes, many};
use crate::store::{Archive, Contents, Head, RestoreError, Store};
use crate::upkeep::{backups, close_to_others, kinds};

#[derive(Args)]
pub(super) struct BackupArgs {
    /// The file, or a directory for a file named after the time; `-` is standard output [default: DATA_DIR/backups]
    #[arg(value_name = "FILE|DIR")]
    to: Option<PathBuf>,
    /// Keep the newest N in the directory and remove the others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    keep: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: StoreLocation,
}

#[derive(Args)]
pub(super) struct RestoreArgs {
    /// The backup; `-` is standard input
    file: PathBuf,
    /// Check that the file is complete and that every record opens; change nothing
    #[arg(long, conflicts_with = "replace")]
    verify: bool,
    /// Replace the existing store, which is kept under another name
    #[arg(long)]
    replace: bool,
    /// The secret that the backup was made with, if it has changed since
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: StoreLocation,
}

/// Backs up through the running gateway, or directly from a store that is not open.
pub(super) async fn backup(args: BackupArgs) -> anyhow::Result<()> {
    let config = args.location.config()?;
    let now = Clock::system().now();
    let wished = args
        .to
        .clone()
        .unwrap_or_else(|| config.data_dir.join("backups").join(""));
    let path = backups::place(&wished, now);
    if args.keep.is_some() && path == Path::new("-") {
        anyhow::bail!(UsageError(
            "--keep needs a directory; `-` is standard output, where no older backups are".to_owned()
        ));
    }
    if args.keep.is_some() && path == wished {
        anyhow::bail!(UsageError(format!(
            "--keep needs a directory; write {}/ if it is one",
            wished.display()
        )));
    }
    let gateway = args.location.find(&config).await?;
    if path == Path::new("-") {
        // Standard output carries the backup, so there is no report.
        let mut write = |piece: &[u8]| Ok(put(piece)?);
        copy_store(gateway, &config, now, &mut write).await?;
        return Ok(());
    }
    let mut file = backups::begin(path)?;
    let mut progress = ProgressLine::of("backing up");
    let mut write = |piece: &[u8]| -> anyhow::Result<()> {
        file.write(piece)?;
        progress.bytes(file.bytes(), None);
        Ok(())
    };
    let StreamSummary { at, records } = copy_store(gateway, &config, now, &mut write).await?;
    let n_bytes = file.bytes();
    let path = file.finish()?;
    let path = std::path::absolute(&path).unwrap_or(path);
    drop(progress);
    let removed = match args.keep {
        Some(most) => backups::keep(&path, most.into())?,
        None => 0,
    };
    if config.data_dir.join("backups") == path.parent().unwrap_or(&path) {
        own(&config.data_dir.join("backups"));
    }
    if args.json {
        say(&json!({
            "file": path, "at": at, "records": records, "bytes": n_bytes, "removed": removed
        })
        .to_string());
        return Ok(());
    }
    say(&format!(
        "{}: {}, {}, as of {}",
        path.display(),
        many(records, "record"),
        bytes(n_bytes),
        moment(at)
    ));
    if removed > 0 {
        say(&format!("{} removed", many(removed as u64, "older backup")));
    }
    say(
        "The backup does not contain the secret. Keep the secret elsewhere: without it the backup cannot be opened.",
    );
    Ok(())
}

/// Passes a sealed copy of the store to `write`, piece by piece.
async fn copy_store(
    gateway: GatewayProcess,
    config: &Config,
    now: Timestamp,
    write: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<StreamSummary> {
    let own = match gateway {
        GatewayProcess::Running(mut client) => return client.stream(AdminStream::Backup, write).await,
        GatewayProcess::Stopped => OwnStore::open(config)?,
    };
    let mut backup = own.store()?.backup(now)?;
    for piece in backup.by_ref() {
        write(&piece?)?;
    }
    Ok(StreamSummary {
        at: now,
        records: backup.records(),
    })
}

pub(super) async fn restore(args: RestoreArgs) -> anyhow::Result<()> {
    let config = args.location.config()?;
    let opens = match &args.secret_file {
        Some(file) => RootSecret::read(file)?,
        None => config.secret.read().context(
            "restoring needs the secret that you kept: put it in its place, or name it with --secret-file",
        )?,
    };
    let file = &args.file;
    let named = || file.display().to_string();
    let opened = if file == Path::new("-") {
        standard_input()?
    } else {
        File::open(file).with_context(named)?
    };
    let length = opened.metadata().with_context(named)?;
    // A pipe has no length.
    let length = Some(length.len()).filter(|_| length.is_file());
    let archive = Archive::open(BufReader::new(opened), &opens).with_context(named)?;
    let head = archive.head().clone();
    if args.verify {
        let mut progress = ProgressLine::of("checking");
        let contents = archive.verify(&kinds(), &mut |done| progress.bytes(done, length));
        let contents = contents.with_context(named)?;
        drop(progress);
        if args.json {
            say(&report(&head, &contents).to_string());
        } else {
            say(&format!(
                "{} is complete, and every record opens.",
                file.display()
            ));
            describe(&head, &contents);
        }
        return Ok(());
    }
    if let GatewayProcess::Running(_) = args.location.find(&config).await? {
        anyhow::bail!(GatewayRuns);
    }
    write_store(&args, &config, archive, &head, length)
}

fn standard_input() -> anyhow::Result<File> {
    let input = std::io::stdin();
    if input.is_terminal() {
        anyhow::bail!(UsageError(
            "`-` reads the backup from standard input; write `restore - < FILE`, or name the file".to_owned()
        ));
    }
    Ok(File::from(input.as_fd().try_clone_to_owned()?))
}

fn write_store(
    args: &RestoreArgs,
    config: &Config,
    archive: Archive<BufReader<File>>,
    head: &Head,
    length: Option<u64>,
) -> anyhow::Result<()> {
    let (path, file) = (&config.db_path, &args.file);
    // The store is sealed with the gateway's current secret, which may differ from the backup's.
    let (secret, _) = config.secret.resolve()?;
    make_place(config)?;
    let now = Clock::system().now();
    // Milliseconds, so that a second restore within a second keeps the store that it replaces too.
    let old = args
        .replace
        .then(|| beside(path, &format!(".replaced-{}", now.strftime("%Y%m%dT%H%M%S.%3fZ"))));
    let mut progress = ProgressLine::of("restoring");
    let restored = Store::restore(path, archive, &secret, old, &kinds(), &mut |done| {
        progress.bytes(done, length);
    });
    drop(progress);
    let restored = restored.map_err(|e| match e {
        RestoreError::Archive(e) => anyhow::Error::new(e).context(file.display().to_string()),
        e => e.into(),
    })?;
    close_to_others(path).with_context(|| path.display().to_string())?;
    own(path);
    let old = restored.old.as_deref();
    if args.json {
        let mut report = report(head, &restored.contents);
        if let Some(report) = report.as_object_mut() {
            report.insert("store".into(), json!(path));
            report.insert("old_store".into(), json!(old));
        }
        say(&report.to_string());
        return Ok(());
    }
    say(&format!(
        "{} has been restored from {}.",
        path.display(),
        file.display()
    ));
    describe(head, &restored.contents);
    let then = moment(head.made_at);
    say(&format!(
        "Everything is as it was at {then}. Access that was revoked and accounts that were forgotten after that are back: end them once more."
    ));
    say(
        "People who signed in after that must sign in again; people whose Garmin tokens were renewed after that may have to.",
    );
    if let Some(old) = old {
        say(&format!(
            "The previous store is in {}; remove it when all is well.",
            old.display()
        ));
    }
    Ok(())
}

fn report(head: &Head, contents: &Contents) -> serde_json::Value {
    json!({
        "at": head.made_at,
        "program": head.program,
        "records": contents.records,
        "tables": contents.tables,
        "bytes": contents.bytes,
    })
}

fn describe(head: &Head, contents: &Contents) {
    say(&format!(
        "Made at {} by version {}: {}, {}",
        moment(head.made_at),
        head.program,
        many(contents.records, "record"),
        bytes(contents.bytes)
    ));
    for (table, count) in &contents.tables {
        say(&format!("  {table:20} {count:>9}"));
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
