//! The tokens of one person in use: when to refresh them, and how to handle a failed refresh. Decisions only, no I/O.
//!
//! Invariants: a refresh token is sent by one request at a time, because Garmin accepts it only once; newer tokens
//! are never replaced by older ones; a token file that another process replaced takes precedence over the tokens in
//! memory.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::error::{ApiError, SignInReason};
use crate::base::secrets::Secret;
use crate::garmin::token_service::RefreshOutcome;
use crate::garmin::tokens::GarminTokens;

/// A token is refreshed this long before it expires, as Garmin's own app does.
const BEFORE_EXPIRY: SignedDuration = SignedDuration::from_secs(900);

/// After a failed refresh, a token that is still valid is used this long before the next try.
const RETRY_PAUSE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Keyring {
    tokens: Option<GarminTokens>,
    /// The content of the file when this process last read or wrote it.
    in_file: Option<GarminTokens>,
    is_unsaved: bool,
    /// Garmin refused the refresh token.
    is_spent: bool,
    /// A token fresh from Garmin seemed about to expire: either this machine's clock is wrong, or tokens are
    /// short-lived. From then on, only a refusal counts as the end of a token.
    ignores_expiry: bool,
    /// No refresh before this time while the token is still valid.
    retry_at: Option<Timestamp>,
    /// No refresh at all before this time.
    throttled_until: Option<Timestamp>,
}

/// How to get a bearer token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BearerStep {
    Use(Secret),
    /// Refresh these tokens, then call [`Keyring::take_refresh`].
    Refresh(GarminTokens),
    Fail(ApiError),
}

impl Keyring {
    /// Whether to read the file before [`Keyring::next`]: only if the tokens in memory cannot be used as they are.
    pub(super) fn wants_file(&self, refused: Option<&Secret>, now: Timestamp) -> bool {
        !self.is_unsaved && !matches!(self.next(refused, now), BearerStep::Use(_))
    }

    /// Adopts the tokens of the file if another process wrote them.
    pub(super) fn take_file(&mut self, in_file: GarminTokens) {
        if self.in_file.as_ref() != Some(&in_file) {
            *self = Self {
                tokens: Some(in_file.clone()),
                in_file: Some(in_file),
                ..Self::default()
            };
        }
    }

    /// Decides the next step. `refused`: the bearer token that the API has just rejected with 401, if any.
    pub(super) fn next(&self, refused: Option<&Secret>, now: Timestamp) -> BearerStep {
        let Some(tokens) = &self.tokens else {
            return BearerStep::Fail(ApiError::SignInNeeded(SignInReason::NoTokens));
        };
        let is_unusable = self.is_unusable(refused, now);
        let is_near = self
            .expiry(tokens)
            .is_some_and(|at| at.duration_since(now) < BEFORE_EXPIRY);
        let may_wait = self.retry_at.is_some_and(|until| until > now) || !self.can_refresh();
        if !is_unusable && (!is_near || may_wait) {
            return BearerStep::Use(tokens.di_token.clone());
        }
        if !self.can_refresh() {
            return BearerStep::Fail(ApiError::SignInNeeded(SignInReason::Spent));
        }
        match self.throttled_until.filter(|until| *until > now) {
            Some(until) => BearerStep::Fail(ApiError::RateLimited { until: Some(until) }),
            None => BearerStep::Refresh(tokens.clone()),
        }
    }

    /// Records the outcome of a refresh, and returns the token to use from now on. After a success, the new tokens have
    /// yet to be saved.
    pub(super) fn take_refresh(
        &mut self,
        outcome: RefreshOutcome,
        refused: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Secret, ApiError> {
        let after = |wait: SignedDuration| now.checked_add(wait).ok();
        self.retry_at = after(RETRY_PAUSE);
        let failure = match outcome {
            RefreshOutcome::Refreshed(new) => {
                let bearer = new.di_token.clone();
                let ignores_expiry = new
                    .expires_at()
                    .is_some_and(|at| at.duration_since(now) < BEFORE_EXPIRY);
                *self = Self {
                    tokens: Some(new),
                    in_file: self.in_file.take(),
                    is_unsaved: true,
                    ignores_expiry,
                    ..Self::default()
                };
                return Ok(bearer);
            }
            RefreshOutcome::Spent => {
                self.is_spent = true;
                ApiError::SignInNeeded(SignInReason::Spent)
            }
            RefreshOutcome::Throttled(wait) => {
                let wait = wait
                    .unwrap_or(Duration::from_secs(60))
                    .try_into()
                    .unwrap_or(RETRY_PAUSE);
                self.throttled_until = after(wait);
                self.retry_at = self.throttled_until;
                ApiError::RateLimited {
                    until: self.throttled_until,
                }
            }
            RefreshOutcome::Failed => ApiError::Unreachable,
            RefreshOutcome::Changed => ApiError::Changed {
                path: "token service: access_token".to_owned(),
            },
        };
        match &self.tokens {
            Some(tokens) if !self.is_unusable(refused, now) => Ok(tokens.di_token.clone()),
            _ => Err(failure),
        }
    }

    /// The tokens that the file does not hold yet.
    pub(super) fn unsaved(&self) -> Option<&GarminTokens> {
        self.tokens.as_ref().filter(|_| self.is_unsaved)
    }

    /// Records that the file now holds the same tokens.
    pub(super) fn saved(&mut self) {
        self.is_unsaved = false;
        self.in_file.clone_from(&self.tokens);
    }

    /// Whether the access token can no longer be used.
    fn is_unusable(&self, refused: Option<&Secret>, now: Timestamp) -> bool {
        self.tokens.as_ref().is_none_or(|tokens| {
            // If another token was refused, a concurrent request has refreshed it in the meantime.
            refused == Some(&tokens.di_token) || self.expiry(tokens).is_some_and(|at| at <= now)
        })
    }

    fn expiry(&self, tokens: &GarminTokens) -> Option<Timestamp> {
        tokens.expires_at().filter(|_| !self.ignores_expiry)
    }

    fn can_refresh(&self) -> bool {
        let refresh_token = self
            .tokens
            .as_ref()
            .and_then(|tokens| tokens.di_refresh_token.as_ref());
        !self.is_spent && refresh_token.is_some_and(|token| !token.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Tokens that expire `lasts` seconds after the start.
    fn tokens(name: &str, lasts: i64) -> GarminTokens {
        let payload = format!(r#"{{"exp":{},"jti":"{name}"}}"#, at(lasts).as_second());
        GarminTokens {
            di_token: Secret::new(format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload))),
            di_refresh_token: Some(Secret::new(name)),
            di_client_id: Some("ID".to_owned()),
        }
    }

    fn holding(held: &GarminTokens) -> Keyring {
        let mut ring = Keyring::default();
        ring.take_file(held.clone());
        ring
    }

    const SPENT: ApiError = ApiError::SignInNeeded(SignInReason::Spent);

    #[track_caller]
    fn check(ring: &Keyring, refused: Option<&Secret>, now: i64, wanted: &BearerStep) {
        assert_eq!(&ring.next(refused, at(now)), wanted);
    }

    #[test]
    fn a_token_is_refreshed_15_minutes_before_it_expires() {
        let held = tokens("a", 10_000);
        let (ring, bearer) = (holding(&held), BearerStep::Use(held.di_token.clone()));
        check(&ring, None, 0, &bearer);
        check(&ring, None, 10_000 - 900, &bearer);
        check(&ring, None, 10_000 - 899, &BearerStep::Refresh(held.clone()));
        check(&ring, None, 20_000, &BearerStep::Refresh(held));
    }

    #[test]
    fn a_refused_token_is_refreshed_unless_another_request_did_it() {
        let held = tokens("a", 10_000);
        let ring = holding(&held);
        check(&ring, Some(&held.di_token), 0, &BearerStep::Refresh(held.clone()));
        check(
            &ring,
            Some(&Secret::new("older")),
            0,
            &BearerStep::Use(held.di_token.clone()),
        );
    }

    #[test]
    fn a_token_of_unknown_expiry_is_used_until_refused() {
        let held = GarminTokens {
            di_token: Secret::new("opaque"),
            ..tokens("a", 0)
        };
        let ring = holding(&held);
        check(&ring, None, 1_000_000, &BearerStep::Use(held.di_token.clone()));
        check(&ring, Some(&held.di_token), 0, &BearerStep::Refresh(held.clone()));
    }

    #[test]
    fn without_a_refresh_token_the_token_is_used_until_it_expires() {
        let held = GarminTokens {
            di_refresh_token: None,
            ..tokens("a", 1_000)
        };
        let ring = holding(&held);
        check(&ring, None, 999, &BearerStep::Use(held.di_token));
        check(&ring, None, 1_000, &BearerStep::Fail(SPENT));
        check(
            &Keyring::default(),
            None,
            0,
            &BearerStep::Fail(ApiError::SignInNeeded(SignInReason::NoTokens)),
        );
    }

    #[test]
    fn a_failed_refresh_does_no_harm_while_the_token_is_valid() {
        let held = tokens("a", 1_000);
        let mut ring = holding(&held);
        let bearer = Ok(held.di_token.clone());
        assert_eq!(ring.take_refresh(RefreshOutcome::Failed, None, at(500)), bearer);
        check(&ring, None, 559, &BearerStep::Use(held.di_token.clone()));
        check(&ring, None, 560, &BearerStep::Refresh(held.clone()));
        // Once the token has expired, every call tries to refresh it.
        assert_eq!(
            ring.take_refresh(RefreshOutcome::Failed, None, at(1_000)),
            Err(ApiError::Unreachable)
        );
        check(&ring, None, 1_001, &BearerStep::Refresh(held.clone()));
        check(
            &ring,
            Some(&held.di_token),
            501,
            &BearerStep::Refresh(held.clone()),
        );
    }

    #[test]
    fn a_throttled_refresh_waits_as_long_as_garmin_asked() {
        let held = tokens("a", 1_000);
        let mut ring = holding(&held);
        let throttled = RefreshOutcome::Throttled(Some(Duration::from_secs(700)));
        assert_eq!(
            ring.take_refresh(throttled, None, at(500)),
            Ok(held.di_token.clone())
        );
        check(&ring, None, 999, &BearerStep::Use(held.di_token.clone()));
        check(
            &ring,
            None,
            1_000,
            &BearerStep::Fail(ApiError::RateLimited {
                until: Some(at(1_200)),
            }),
        );
        check(&ring, None, 1_200, &BearerStep::Refresh(held));
    }

    #[test]
    fn a_spent_refresh_token_is_not_sent_again() {
        let held = tokens("a", 1_000);
        let mut ring = holding(&held);
        assert_eq!(
            ring.take_refresh(RefreshOutcome::Spent, None, at(500)),
            Ok(held.di_token.clone())
        );
        check(&ring, None, 999, &BearerStep::Use(held.di_token.clone()));
        check(&ring, None, 1_000, &BearerStep::Fail(SPENT));
        check(&ring, Some(&held.di_token), 501, &BearerStep::Fail(SPENT));
    }

    #[test]
    fn new_tokens_are_used_before_they_are_saved() {
        let (old, new) = (tokens("a", 1_000), tokens("b", 9_000));
        let mut ring = holding(&old);
        let bearer = ring.take_refresh(
            RefreshOutcome::Refreshed(new.clone()),
            Some(&old.di_token),
            at(500),
        );
        assert_eq!(bearer, Ok(new.di_token.clone()));
        assert_eq!(ring.unsaved(), Some(&new));
        assert!(
            !ring.wants_file(Some(&new.di_token), at(500)),
            "the file is behind"
        );
        ring.saved();
        assert_eq!(ring.unsaved(), None);
        ring.take_file(new.clone());
        check(&ring, None, 501, &BearerStep::Use(new.di_token));
    }

    #[test]
    fn a_wrong_clock_does_not_cause_endless_refreshes() {
        let (old, new) = (tokens("a", 1_000), tokens("b", 2_000));
        let mut ring = holding(&old);
        assert!(
            ring.take_refresh(RefreshOutcome::Refreshed(new.clone()), None, at(50_000))
                .is_ok()
        );
        ring.saved();
        check(&ring, None, 50_001, &BearerStep::Use(new.di_token.clone()));
        check(
            &ring,
            Some(&new.di_token),
            50_001,
            &BearerStep::Refresh(new.clone()),
        );
    }

    #[test]
    fn a_file_wins_only_if_another_process_wrote_it() {
        let (first, other) = (tokens("a", 1_000), tokens("z", 50_000));
        let mut ring = holding(&first);
        assert_eq!(
            ring.take_refresh(RefreshOutcome::Spent, None, at(1_000)),
            Err(SPENT)
        );
        assert!(ring.wants_file(None, at(1_000)));
        ring.take_file(first);
        check(&ring, None, 1_000, &BearerStep::Fail(SPENT));
        ring.take_file(other.clone());
        check(&ring, None, 1_000, &BearerStep::Use(other.di_token));
    }
}
