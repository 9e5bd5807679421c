//! `export`: what is a person's own, for them to take away.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::operate::socket_path;
use super::place::UsageError;
use super::progress::ProgressLine;
use super::say;
use crate::admin::api::{AdminStream, ExportForm};
use crate::admin::client::AdminClient;
use crate::console::words::{bytes, many};
use crate::upkeep::PrivateFile;

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Whose: e-mail or id.
    #[arg(long, value_name = "WHO")]
    account: String,
    /// One race alone: its id in `races`.
    #[arg(long, value_name = "ID")]
    race: Option<String>,
    /// As what: everything as JSON, or the points of one race as GPX or CSV.
    #[arg(long = "as", value_name = "FORM", default_value = "json", value_parser = form())]
    form: ExportForm,
    /// The gateway's socket, or the directory it is in; without it RUNTIME_DIR says where it is.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Where it goes, readable for you alone; without it to standard output.
    file: Option<PathBuf>,
}

fn form() -> impl TypedValueParser<Value = ExportForm> {
    PossibleValuesParser::new(["json", "gpx", "csv"]).map(|name| match name.as_str() {
        "gpx" => ExportForm::Gpx,
        "csv" => ExportForm::Csv,
        _ => ExportForm::Json,
    })
}

/// Asks the running gateway for it, and writes it down.
pub(super) async fn export(args: ExportArgs) -> anyhow::Result<()> {
    if let Some(file) = args.file.as_ref().filter(|file| file.exists()) {
        anyhow::bail!(UsageError(format!(
            "{} is there: give another name",
            file.display()
        )));
    }
    let mut client = AdminClient::connect(&socket_path(args.socket)?).await?;
    let stream = AdminStream::Export {
        account: args.account,
        race: args.race,
        form: args.form,
    };
    let Some(path) = args.file else {
        client
            .stream(stream, |piece| {
                std::io::stdout()
                    .lock()
                    .write_all(piece)
                    .map_err(anyhow::Error::from)
            })
            .await?;
        return Ok(std::io::stdout().lock().flush()?);
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
