//! Identifies the caller by the bearer token: a person's client, the holder of a race token, Claude while it words a
//! message of the coach, or `doctor`.
//!
//! No request is answered before this, not even with a protocol error.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::accounts::AccountId;
use crate::advice::Advice;
use crate::base::clock::Clock;
use crate::base::secrets::{Secret, TokenHash, random_token};
use crate::mcp::Access;
use crate::oauth::{Grant, OAuth, RevocationReason, Unauthenticated};
use crate::races::{RaceCaller, RaceGrant, Races};
use crate::store::StoreError;

/// The lifetime of a probe token of `doctor`.
const PROBE_LIFETIME: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) account: AccountId,
    /// The caller's permissions for Garmin's data.
    pub(super) access: Access,
    /// The id of the sign-in, or of the race of a race token. Cancellations and revocations apply to one connection.
    pub(super) connection: Arc<str>,
    pub(super) scope: CallerScope,
    /// The token, which is checked again after a wait. `None` for a probe.
    pub(super) bearer: Option<Secret>,
}

/// The tools that a caller may use at all, before access is considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallerScope {
    Tools(RaceCaller),
    /// Claude while it words a message of the coach: only questions about this person's history.
    History,
    /// No tools, only the protocol. `doctor` uses this to check that requests get through.
    Probe,
}

impl From<Grant> for Caller {
    fn from(grant: Grant) -> Self {
        Self {
            account: grant.account.clone(),
            access: grant.access,
            connection: grant.family.clone().into(),
            scope: CallerScope::Tools(RaceCaller::SignIn(grant.account, grant.family)),
            bearer: None,
        }
    }
}

impl From<RaceGrant> for Caller {
    fn from(race: RaceGrant) -> Self {
        Self {
            account: race.account.clone(),
            access: Access::ReadOnly,
            connection: race.race.clone().into(),
            scope: CallerScope::Tools(RaceCaller::Race(race)),
            bearer: None,
        }
    }
}

/// The reason why a request is not admitted.
#[derive(Debug)]
pub enum NotAdmitted {
    /// HTTP 401 with `WWW-Authenticate: <challenge>`. `body` contains the same information as JSON.
    Unauthorized { challenge: String, body: Bytes },
    /// HTTP 503, because the store cannot be read. A 401 would make a client discard a valid token.
    Unavailable,
}

pub(super) struct CallerAdmission {
    oauth: OAuth,
    races: Races,
    advice: Advice,
    clock: Clock,
    /// The valid probe tokens, each with its expiry.
    probes: Mutex<Vec<(TokenHash, Timestamp)>>,
}

impl CallerAdmission {
    pub(super) fn new(oauth: OAuth, races: Races, advice: Advice, clock: Clock) -> Self {
        Self {
            oauth,
            races,
            advice,
            clock,
            probes: Mutex::default(),
        }
    }

    /// Identifies the caller. `authorization` is the value of the header `Authorization`.
    pub(super) fn admit(&self, authorization: Option<&str>) -> Result<Caller, NotAdmitted> {
        let Some(token) = authorization.and_then(bearer) else {
            return Err(self.unauthorized(None));
        };
        match self.authenticate(token) {
            Ok(caller) => Ok(Caller {
                bearer: Some(Secret::new(token)),
                ..caller
            }),
            Err(reason @ Unauthenticated::Unavailable(_)) => {
                tracing::error!(%reason, "mcp.admission_failed");
                Err(NotAdmitted::Unavailable)
            }
            // Probes are checked last, so that an ordinary call does not pay for the check.
            Err(_) if self.is_probe(token) => Ok(Caller {
                account: AccountId::nobody(),
                access: Access::ReadOnly,
                connection: "probe".into(),
                scope: CallerScope::Probe,
                bearer: None,
            }),
            Err(reason) => Err(self.unauthorized(Some(&reason))),
        }
    }

    /// Whether the caller's token is still valid. A call that waited checks this before it acts, because access may
    /// have been revoked, or the account forgotten, in the meantime.
    pub(super) fn still_admits(&self, caller: &Caller) -> bool {
        let Some(bearer) = &caller.bearer else {
            return true;
        };
        self.authenticate(bearer.expose())
            .is_ok_and(|again| again.account == caller.account && again.connection == caller.connection)
    }

    /// Whether a client is signed in to this account.
    pub(super) fn has_sign_in(&self, account: &AccountId) -> Result<bool, StoreError> {
        let families = self.oauth.families()?;
        Ok(families.iter().any(|family| family.account == *account))
    }

    /// Whether the operator, the person or a client ended a sign-in of this account at this time or later.
    pub(super) fn was_withdrawn(&self, account: &AccountId, since: Timestamp) -> Result<bool, StoreError> {
        let revocations = self.oauth.revocations(usize::MAX)?;
        Ok(revocations.iter().any(|revocation| {
            let is_wanted = matches!(
                revocation.reason,
                RevocationReason::Operator | RevocationReason::Person | RevocationReason::Client
            );
            is_wanted && revocation.account == *account && revocation.at >= since
        }))
    }

    fn authenticate(&self, token: &str) -> Result<Caller, Unauthenticated> {
        if let Some(account) = self.advice.reader_of(token)? {
            return Ok(Caller {
                access: Access::ReadOnly,
                // No sign-in has this name. When the person's access ends, the calls under it end too.
                connection: account.as_str().into(),
                account,
                scope: CallerScope::History,
                bearer: None,
            });
        }
        match self.races.authenticate(token)? {
            Some(race) => Ok(race.into()),
            None => self.oauth.authenticate(token).map(Caller::from),
        }
    }

    /// A new token that allows the protocol but no tools, for [`PROBE_LIFETIME`]. It is kept in memory only.
    pub(super) fn new_probe(&self) -> Secret {
        let token = random_token("gpr_");
        let now = self.clock.now();
        let mut probes = self.probes.lock();
        probes.retain(|(_, until)| *until > now);
        probes.push((TokenHash::of(token.expose()), now + PROBE_LIFETIME));
        token
    }

    fn is_probe(&self, token: &str) -> bool {
        let (hash, now) = (TokenHash::of(token), self.clock.now());
        let probes = self.probes.lock();
        probes.iter().any(|(known, until)| *known == hash && *until > now)
    }

    /// The 401 response. `reason` says what is wrong with the token, if one was presented.
    fn unauthorized(&self, reason: Option<&Unauthenticated>) -> NotAdmitted {
        if let Some(reason) = reason {
            tracing::info!(%reason, "mcp.token_refused");
        }
        let body: &[u8] = if reason.is_some() {
            br#"{"error":"invalid_token","error_description":"The access token is unknown, expired or revoked"}"#
        } else {
            br#"{"error":"unauthorized","error_description":"Sign in first"}"#
        };
        NotAdmitted::Unauthorized {
            challenge: self.oauth.challenge(reason.is_some()),
            body: Bytes::from_static(body),
        }
    }
}

/// The token in `Bearer <token>`. The scheme is case-insensitive (RFC 9110 §11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
