//! `rotate-secret`: seals the data key with a new secret.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::exit::UsageError;
use super::location::{GatewayProcess, OwnStore, StoreLocation};
use super::output::say;
use crate::admin::api::{AdminAct, AdminRequest};
use crate::admin::client::{AdminClient, ClientError};
use crate::base::secrets::{RootSecret, Secret};
use crate::config::SecretSource;
use crate::store::{RotateError, Store};
use crate::upkeep::{Keys, rotate};

#[derive(Args)]
pub(super) struct RotateSecretArgs {
    /// Write the new secret to FILE and give it to the gateway yourself: for a secret in the environment, a
    /// container or a credential store
    #[arg(long, value_name = "FILE")]
    apart: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    location: StoreLocation,
}

/// The directory of systemd's copies of credentials. Changing a copy has no effect.
const CREDENTIALS: &str = "/run/credentials";

pub(super) async fn rotate_secret(args: RotateSecretArgs) -> anyhow::Result<()> {
    let config = args.location.config()?;
    let file = match &config.secret {
        SecretSource::Text(_) => None,
        SecretSource::File(path) if path.starts_with(CREDENTIALS) => None,
        SecretSource::File(path) | SecretSource::Created { path, .. } => Some(path.as_path()),
    };
    let apart = args.apart.as_deref();
    if apart == Some(Path::new("-")) {
        anyhow::bail!(UsageError(
            "--apart needs a file: the new secret must be safely written before it can open the store"
                .to_owned()
        ));
    }
    if let Some(apart) = apart.filter(|apart| apart.exists()) {
        anyhow::bail!(UsageError(format!(
            "{} already exists; name a file that does not",
            apart.display()
        )));
    }
    if file.is_none() && apart.is_none() {
        anyhow::bail!(UsageError(
            "the secret comes from the environment or a credential, where only you can change it; \
             add --apart FILE: the new one is written there, and both open the store until the gateway starts with the new one"
                .to_owned()
        ));
    }
    let current = config.secret.read()?.text();
    let gateway = args.location.find(&config).await?;
    let runs = matches!(gateway, GatewayProcess::Running(_));
    match gateway {
        GatewayProcess::Running(client) => {
            rotate(current, file, apart, &mut Served(client), |_| true).await?;
        }
        GatewayProcess::Stopped => {
            let own = OwnStore::open(&config)?;
            rotate(current, file, apart, &mut Own(own.store()?), |_| true).await?;
        }
    }
    report(&args, file, runs);
    Ok(())
}

fn report(args: &RotateSecretArgs, file: Option<&Path>, runs: bool) {
    if args.json {
        let path = args.apart.as_deref().or(file);
        say(&json!({ "file": path, "done": args.apart.is_none(), "running": runs }).to_string());
        return;
    }
    if let Some(apart) = &args.apart {
        say(&format!("The new secret is in {}.", apart.display()));
        say(
            "Both secrets open the store now. Give the new one to the gateway (GATEWAY_SECRET, GATEWAY_SECRET_FILE or its",
        );
        say(
            "credential) and restart it; from then on the old one opens nothing. Keep a copy apart from the data.",
        );
    } else if let Some(file) = file {
        say(&format!(
            "{} now holds the new secret; the old one no longer opens the store. Keep a copy apart from the data.",
            file.display()
        ));
        if runs {
            say("The gateway keeps running; it needs no restart.");
        }
    }
    say(
        "Older backups are sealed with the old secret: keep it for as long as you keep them, for `restore --secret-file`.",
    );
}

/// Changes the secret through a running gateway.
struct Served(AdminClient);

impl Keys for Served {
    type Error = ClientError;

    async fn prepare(&mut self, current: Secret, new: Secret) -> Result<(), ClientError> {
        let act = AdminAct::PrepareSecret { current, new };
        self.0.ask(AdminRequest::Act(act)).await.map(drop)
    }

    async fn settle(&mut self, new: Secret) -> Result<(), ClientError> {
        let act = AdminAct::SettleSecret { new };
        self.0.ask(AdminRequest::Act(act)).await.map(drop)
    }
}

/// Changes the secret of a store that no other process has open.
struct Own<'a>(&'a Store);

fn root(secret: &Secret) -> Result<RootSecret, RotateError> {
    RootSecret::new(secret.expose()).map_err(|_| RotateError::WrongSecret)
}

impl Keys for Own<'_> {
    type Error = RotateError;

    async fn prepare(&mut self, current: Secret, new: Secret) -> Result<(), RotateError> {
        self.0.prepare_secret(root(&current)?, root(&new)?).await
    }

    async fn settle(&mut self, new: Secret) -> Result<(), RotateError> {
        self.0.settle_secret(root(&new)?).await
    }
}
