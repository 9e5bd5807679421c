//! The bearer token of a request. The keyring decides; this file reads and writes the token file and calls the token
//! service.

use std::sync::Arc;

use tokio::sync::{OwnedMutexGuard, oneshot};

use super::error::ApiError;
use super::keyring::{BearerStep, Keyring};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::config::GarminHosts;
use crate::garmin::http;
use crate::garmin::token_file::{TokenFile, TokenFileError};
use crate::garmin::token_service::{self, RefreshOutcome};
use crate::garmin::tokens::GarminTokens;

/// The tokens of one person, refreshed when needed. Clones share everything.
#[derive(Clone)]
pub(super) struct BearerSource {
    pub(super) hosts: GarminHosts,
    pub(super) http: reqwest::Client,
    pub(super) clock: Clock,
    pub(super) lifecycle: Lifecycle,
    pub(super) file: TokenFile,
    pub(super) keyring: Arc<tokio::sync::Mutex<Keyring>>,
}

impl BearerSource {
    /// A bearer token that is valid as far as is known. While one caller refreshes it, the others wait.
    ///
    /// `refused`: the token that the API has just rejected with 401, if any.
    pub(super) async fn bearer(&self, refused: Option<&Secret>) -> Result<Secret, ApiError> {
        let mut keyring = Arc::clone(&self.keyring).lock_owned().await;
        let now = self.clock.now();
        if keyring.wants_file(refused, now)
            && let Some(tokens) = self.read_file().await
        {
            keyring.take_file(tokens);
        }
        match keyring.next(refused, now) {
            BearerStep::Use(bearer) => {
                self.save(&mut keyring).await;
                Ok(bearer)
            }
            BearerStep::Fail(error) => Err(error),
            BearerStep::Refresh(tokens) => {
                let (done, refreshed) = oneshot::channel();
                let (source, refused) = (self.clone(), refused.cloned());
                // A refresh must outlive its caller, because Garmin invalidates the old refresh token.
                self.lifecycle.spawn("garmin.refresh", async move {
                    let result = source.refresh(keyring, &tokens, refused.as_ref()).await;
                    drop(done.send(result));
                });
                refreshed.await.unwrap_or(Err(ApiError::Unreachable))
            }
        }
    }

    async fn refresh(
        &self,
        mut keyring: OwnedMutexGuard<Keyring>,
        tokens: &GarminTokens,
        refused: Option<&Secret>,
    ) -> Result<Secret, ApiError> {
        let outcome = match token_service::refresh_request(&self.hosts, tokens) {
            Some(request) => {
                let response = http::send(&self.http, request, None, self.clock.now()).await;
                token_service::read_refresh(response, tokens)
            }
            None => RefreshOutcome::Spent,
        };
        tracing::info!(outcome = outcome.name(), "garmin.refreshed");
        let bearer = keyring.take_refresh(outcome, refused, self.clock.now());
        self.save(&mut keyring).await;
        bearer
    }

    async fn read_file(&self) -> Option<GarminTokens> {
        let file = self.file.clone();
        match tokio::task::spawn_blocking(move || file.read()).await {
            Ok(Ok(tokens)) => Some(tokens),
            Ok(Err(TokenFileError::Missing(_))) | Err(_) => None,
            Ok(Err(e)) => {
                tracing::warn!(reason = e.with_source(), "tokens.unreadable");
                None
            }
        }
    }

    /// Writes refreshed tokens to the file. If that fails, the tokens are still used, and every later call retries
    /// the write.
    async fn save(&self, keyring: &mut Keyring) {
        let Some(tokens) = keyring.unsaved().cloned() else {
            return;
        };
        let file = self.file.clone();
        match tokio::task::spawn_blocking(move || file.write(&tokens)).await {
            Ok(Ok(())) => keyring.saved(),
            Ok(Err(e)) => tracing::error!(reason = e.with_source(), "tokens.unsaved"),
            Err(_) => {}
        }
    }
}
