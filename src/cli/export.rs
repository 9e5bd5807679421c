//! `export`: a person's own data.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::exit::UsageError;
use super::location::socket_path;
use super::output::{put, say};
use super::progress::ProgressLine;
use crate::admin::api::{AdminStream, ExportForm};
use crate::admin::client::AdminClient;
use crate::base::disk::parent;
use crate::console::words::{bytes, many};
use crate::upkeep::PrivateFile;

#[derive(Args)]
pub(super) struct ExportArgs {
    /// The account: e-mail or id
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// Only this race: its id in `races`
    #[arg(long, value_name = "ID")]
    race: Option<String>,
    /// json: everything; gpx, csv: the points of one race
    #[arg(long = "as", value_name = "FORM", default_value = "json", value_parser = form())]
    form: ExportForm,
    /// The gateway's socket, or its directory [default: in RUNTIME_DIR]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// The file to write, readable only by you [default: -, standard output]
    file: Option<PathBuf>,
}

fn form() -> impl TypedValueParser<Value = ExportForm> {
    PossibleValuesParser::new(["json", "gpx", "csv"]).map(|name| match name.as_str() {
        "gpx" => ExportForm::Gpx,
        "csv" => ExportForm::Csv,
        _ => ExportForm::Json,
    })
}

/// A mistyped path must not make new directories.
fn needs_directory(file: &Path) -> Result<(), UsageError> {
    let directory = parent(file);
    if directory.is_dir() {
        return Ok(());
    }
    Err(UsageError(format!(
        "there is no directory {}; make it first, or name another file",
        directory.display()
    )))
}

pub(super) async fn export(args: ExportArgs) -> anyhow::Result<()> {
    let file = args.file.filter(|file| file.as_os_str() != "-");
    if let Some(file) = file.as_ref().filter(|file| file.exists()) {
        anyhow::bail!(UsageError(format!(
            "{} already exists; choose another name",
            file.display()
        )));
    }
    if let Some(file) = file.as_deref() {
        needs_directory(file)?;
    }
    let mut client = AdminClient::connect(&socket_path(args.socket)?).await?;
    let stream = AdminStream::Export {
        account: args.account,
        race: args.race,
        form: args.form,
    };
    let Some(path) = file else {
        client
            .stream(stream, |part| put(part).map_err(anyhow::Error::from))
            .await?;
        return Ok(());
    };
    let mut file = PrivateFile::begin(path)?;
    let mut progress = ProgressLine::of("exporting");
    let streamed = client.stream(stream, |piece| -> anyhow::Result<()> {
        file.write(piece)?;
        progress.bytes(file.bytes(), None);
        Ok(())
    });
    let streamed = streamed.await?;
    drop(progress);
    let n_bytes = file.bytes();
    let path = file.finish()?;
    say(&format!(
        "{}: {}, {}",
        path.display(),
        many(streamed.records, "point"),
        bytes(n_bytes)
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_directory_is_told_and_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("nope/ann.json");
        assert!(
            needs_directory(&file)
                .unwrap_err()
                .to_string()
                .contains("there is no directory")
        );
        assert!(PrivateFile::begin(file.clone()).is_err());
        assert!(!file.parent().unwrap().exists());
        needs_directory(&dir.path().join("ann.json")).unwrap();
        needs_directory(Path::new("ann.json")).unwrap();
    }
}
