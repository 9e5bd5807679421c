//! The bearer token of a request: the loop around the keyring's steps, with the token file and the token service.

use std::sync::Arc;

use reqwest::cookie::Jar;
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::Api;
use super::error::ApiError;
use super::keyring::{Keyring, Next};
use crate::base::secrets::Secret;
use crate::garmin::http;
use crate::garmin::token_file::TokenFileError;
use crate::garmin::token_service;
use crate::garmin::tokens::GarminTokens;

impl Api {
    /// A bearer token that is good, as far as is known. Those who come while it is being refreshed wait for that.
    pub(super) async fn bearer(&self, refused: Option<&Secret>) -> Result<Secret, ApiError> {
        let mut keyring = Arc::clone(&self.0.keyring).lock_owned().await;
        let now = self.0.clock.now();
        if keyring.wants_file(refused, now)
            && let Some(tokens) = self.read_file().await
        {
            keyring.look(tokens);
        }
        match keyring.next(refused, now) {
            Next::Use(bearer) => {
                self.save(&mut keyring).await;
                Ok(bearer)
            }
            Next::Fail(error) => Err(error),
            Next::Refresh(tokens) => {
                let (done, refreshed) = oneshot::channel();
                let (api, refused) = (self.clone(), refused.cloned());
                self.0.lifecycle.spawn("garmin.refresh", async move {
                    let result = api.refresh(keyring, &tokens, refused.as_ref()).await;
                    // Nobody may be waiting any more; the tokens are saved all the same.
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
        let refreshed = match token_service::refresh(&self.0.hosts, tokens) {
            Some(ask) => {
                let heard = http::send(&self.0.http, &ask, &Jar::default(), self.0.clock.now()).await;
                token_service::read_refresh(&heard, tokens)
            }
            None => token_service::Refreshed::Spent,
        };
        tracing::info!(outcome = refreshed.name(), "garmin.refreshed");
        let bearer = keyring.refreshed(refreshed, refused, self.0.clock.now());
        self.save(&mut keyring).await;
        bearer
    }

    async fn read_file(&self) -> Option<GarminTokens> {
        let file = self.0.file.clone();
        match tokio::task::spawn_blocking(move || file.read()).await {
            Ok(Ok(tokens)) => Some(tokens),
            Ok(Err(TokenFileError::Missing(_))) | Err(_) => None,
            Ok(Err(e)) => {
                tracing::warn!(reason = e.plainly(), "tokens.unreadable");
                None
            }
        }
    }

    /// Puts refreshed tokens into the file. If that fails they are used all the same, and every later call tries.
    async fn save(&self, keyring: &mut Keyring) {
        let Some(tokens) = keyring.unsaved().cloned() else {
            return;
        };
        let file = self.0.file.clone();
        match tokio::task::spawn_blocking(move || file.write(&tokens)).await {
            Ok(Ok(())) => keyring.saved(),
            Ok(Err(e)) => tracing::error!(reason = e.plainly(), "tokens.unsaved"),
            Err(_) => {}
        }
    }
}
