//! `/token`: exchanges a code or a refresh token for a new pair.
//!
//! Invariants:
//! - `/token` uses only the store, never Garmin or a fetched document, so it answers within milliseconds.
//! - A code or token is checked and changed in one unit of work on the store's single writer, so that two requests
//!   with the same token run one after the other.
//! - Whatever the reason why a code or token is no longer valid, the client gets 400 `invalid_grant`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::OAuth;
use super::clients::ClientId;
use super::error::OAuthError;
use super::family::{Rotation, TokenFamily, TokenPair};
use super::form::FormParameters;
use super::grants::{ACCESS_LIFE, AuthorizationCode, CODE_LIFE, FamilyId, RefreshToken};
use super::imported;
use super::metadata::SCOPES;
use super::resource;
use super::revoke::{RevocationReason, end_family};
use crate::accounts::AccountId;
use crate::base::secrets::{Secret, TokenHash};
use crate::store::{StoreError, Tx};

struct CodeExchange {
    code: Secret,
    client_id: String,
    /// Optional in OAuth 2.1. If it is sent, it must match.
    redirect_uri: Option<String>,
    verifier: Secret,
    resource: String,
}

struct TokenRefresh {
    token: Secret,
    /// Optional, because the token identifies its client. If it is sent, it must match.
    client_id: Option<String>,
    resource: String,
}

/// The verdict on a code exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CodeVerdict {
    Spend,
    /// Everything matches, but the code was already exchanged, which started this family.
    Replayed(FamilyId),
    Refuse(&'static str),
}

/// Decides whether a code may be exchanged.
///
/// A request with a wrong verifier is refused and leaves the code usable for its client, which alone knows the right
/// one. For the same reason only a replay in which everything matches ends the family: a person who merely saw the
/// code in a browser's history can neither use it nor sign anybody out (OAuth 2.1 §4.1.3: a second *valid* request).
fn judge(code: &AuthorizationCode, exchange: &CodeExchange, now: Timestamp) -> CodeVerdict {
    if code.consent.client_id != exchange.client_id {
        return CodeVerdict::Refuse("the code was issued to another client");
    }
    if exchange
        .redirect_uri
        .as_ref()
        .is_some_and(|uri| *uri != code.redirect_uri)
    {
        return CodeVerdict::Refuse("redirect_uri is not the one of the authorization request");
    }
    if !code.challenge.is_met_by(exchange.verifier.expose()) {
        return CodeVerdict::Refuse("code_verifier does not match the code_challenge");
    }
    if code.consent.resource != exchange.resource {
        return CodeVerdict::Refuse("the code was issued for another endpoint");
    }
    if let Some(family) = &code.gave {
        return CodeVerdict::Replayed(family.clone());
    }
    if now.duration_since(code.issued_at) > CODE_LIFE {
        return CodeVerdict::Refuse("the code expired");
    }
    CodeVerdict::Spend
}

/// The outcome of a unit of work, for the response and the log.
enum TokenOutcome {
    Issued {
        pair: TokenPair,
        family: FamilyId,
        account: AccountId,
    },
    Reused {
        family: FamilyId,
        account: AccountId,
        reason: RevocationReason,
    },
    Refused(&'static str),
}

impl CodeExchange {
    /// Exchanges the code inside a unit of work.
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        now: Timestamp,
        access_life: SignedDuration,
    ) -> Result<TokenOutcome, StoreError> {
        let key = TokenHash::of(self.code.expose());
        let Some(mut code) = tx.find::<AuthorizationCode>(key.as_bytes())? else {
            return Ok(TokenOutcome::Refused("the code is unknown"));
        };
        match judge(&code, self, now) {
            CodeVerdict::Refuse(reason) => Ok(TokenOutcome::Refused(reason)),
            CodeVerdict::Spend => {
                let id = FamilyId::random();
                let account = code.consent.account.clone();
                let (family, pair) = TokenFamily::begin(code.consent.clone(), now, access_life);
                family.write(tx, &id, now)?;
                code.gave = Some(id.clone());
                tx.put(key.as_bytes(), &code)?;
                Ok(TokenOutcome::Issued {
                    pair,
                    family: id,
                    account,
                })
            }
            CodeVerdict::Replayed(id) => match tx.find::<TokenFamily>(id.key())? {
                Some(family) => end_reused(tx, id, family, RevocationReason::CodeReuse, now),
                None => Ok(TokenOutcome::Refused("the code was used before")),
            },
        }
    }
}

impl TokenRefresh {
    /// Uses the refresh token inside a unit of work. `is_unused`: whether a family was unused for too long.
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        now: Timestamp,
        access_life: SignedDuration,
        is_unused: impl Fn(&FamilyId, &TokenFamily) -> Result<bool, StoreError>,
    ) -> Result<TokenOutcome, StoreError> {
        let unknown = Ok(TokenOutcome::Refused(
            "the refresh token is unknown or was revoked",
        ));
        let key = TokenHash::of(self.token.expose());
        let Some(RefreshToken { family: id }) = tx.find(key.as_bytes())? else {
            return unknown;
        };
        let Some(mut family) = tx.find::<TokenFamily>(id.key())? else {
            return unknown;
        };
        let consent = &family.consent;
        if self
            .client_id
            .as_ref()
            .is_some_and(|client_id| *client_id != consent.client_id)
        {
            return Ok(TokenOutcome::Refused(
                "the refresh token was issued to another client",
            ));
        }
        if consent.resource != self.resource {
            return Ok(TokenOutcome::Refused(
                "the refresh token was issued for another endpoint",
            ));
        }
        if is_unused(&id, &family)? {
            end_family(tx, &id, &family, RevocationReason::Unused, now)?;
            return Ok(TokenOutcome::Refused("the sign-in went unused for too long"));
        }
        let account = consent.account.clone();
        let pair = match family.rotate(self.token.expose(), now, access_life) {
            Rotation::Rotated(pair) => {
                family.write(tx, &id, now)?;
                pair
            }
            Rotation::Again(pair) => pair,
            Rotation::Reused => return end_reused(tx, id, family, RevocationReason::RefreshReuse, now),
        };
        Ok(TokenOutcome::Issued {
            pair,
            family: id,
            account,
        })
    }
}

fn end_reused(
    tx: &mut Tx<'_>,
    id: FamilyId,
    family: TokenFamily,
    reason: RevocationReason,
    now: Timestamp,
) -> Result<TokenOutcome, StoreError> {
    end_family(tx, &id, &family, reason, now)?;
    Ok(TokenOutcome::Reused {
        family: id,
        account: family.consent.account,
        reason,
    })
}

impl OAuth {
    /// `/token`: returns the pair for a 200. `form`: the body, `application/x-www-form-urlencoded`; `authorization`:
    /// the header, from which a client that authenticates by HTTP Basic takes its `client_id`.
    ///
    /// `resource` may be missing. `scope` is ignored, because there is only one.
    /// Errors: [`OAuthError`]; in that case, nothing was issued.
    pub async fn token(&self, form: &str, authorization: Option<&str>) -> Result<Value, OAuthError> {
        let form = FormParameters::parse(form)?.with_basic_client(authorization)?;
        match form.require("grant_type")? {
            "authorization_code" => self.exchange(&form).await,
            "refresh_token" => self.refresh(&form).await,
            _ => Err(OAuthError::UnsupportedGrantType(
                "grant_type must be authorization_code or refresh_token".into(),
            )),
        }
    }

    async fn exchange(&self, form: &FormParameters) -> Result<Value, OAuthError> {
        let client_id = form.require("client_id")?;
        self.known_client(client_id)?;
        let exchange = CodeExchange {
            code: Secret::new(form.require("code")?),
            client_id: client_id.to_owned(),
            redirect_uri: form.find("redirect_uri").map(str::to_owned),
            verifier: Secret::new(form.require("code_verifier")?),
            resource: resource::audience(form.resources(), &self.0.public_url)?,
        };
        let (now, access_life) = (self.0.clock.now(), self.access_life());
        let outcome = self
            .0
            .store
            .atomic(move |tx| exchange.carry_out(tx, now, access_life))
            .await?;
        if let TokenOutcome::Issued { family, account, .. } = &outcome {
            tracing::info!(account.id = %account, family.id = %family, "token.issued");
            self.0.sign_in_begun.send_replace(());
        }
        self.answer(outcome)
    }

    async fn refresh(&self, form: &FormParameters) -> Result<Value, OAuthError> {
        let client_id = form.find("client_id").map(str::to_owned);
        if let Some(client_id) = &client_id {
            self.known_client(client_id)?;
        }
        let refresh = TokenRefresh {
            token: Secret::new(form.require("refresh_token")?),
            client_id,
            resource: resource::audience(form.resources(), &self.0.public_url)?,
        };
        let (now, access_life) = (self.0.clock.now(), self.access_life());
        let oauth = self.clone();
        let outcome = self
            .0
            .store
            .atomic(move |tx| {
                let is_unused = |id: &FamilyId, family: &TokenFamily| oauth.is_unused(id, family, now);
                refresh.carry_out(tx, now, access_life, is_unused)
            })
            .await?;
        if let TokenOutcome::Issued { family, account, .. } = &outcome {
            tracing::info!(account.id = %account, family.id = %family, "token.refreshed");
        }
        self.answer(outcome)
    }

    fn answer(&self, outcome: TokenOutcome) -> Result<Value, OAuthError> {
        match outcome {
            TokenOutcome::Issued { pair, .. } => Ok(json!({
                "access_token": pair.access.expose(),
                "token_type": "Bearer",
                "expires_in": pair.expires_in_s,
                "refresh_token": pair.refresh.expose(),
                "scope": SCOPES,
            })),
            TokenOutcome::Reused {
                family,
                account,
                reason,
            } => {
                self.tell_sign_in_ended(&family);
                tracing::warn!(
                    account.id = %account, family.id = %family, reason = reason.as_str(),
                    "token.reuse_detected"
                );
                Err(OAuthError::InvalidGrant(match reason {
                    RevocationReason::CodeReuse => {
                        "the code was used before; the access it gave is revoked".into()
                    }
                    _ => "the refresh token was used before; its family is revoked".into(),
                }))
            }
            TokenOutcome::Refused(reason) => {
                tracing::info!(reason, "token.refused");
                Err(OAuthError::InvalidGrant(reason.into()))
            }
        }
    }

    /// The lifetime of the next access token: a day, or less if a sign-in lasts less.
    fn access_life(&self) -> SignedDuration {
        self.0.sign_in_ttl.map_or(ACCESS_LIFE, |ttl| ttl.min(ACCESS_LIFE))
    }

    /// Errors: `InvalidClient`, which makes a client register again.
    fn known_client(&self, client_id: &str) -> Result<(), OAuthError> {
        if ClientId::parse(client_id).is_some() || imported::find_client(&self.0.store, client_id)?.is_some()
        {
            return Ok(());
        }
        Err(OAuthError::InvalidClient(
            "the client is unknown; register again".into(),
        ))
    }
}
