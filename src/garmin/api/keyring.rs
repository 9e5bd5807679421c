//! The tokens of one person while they are in use: when to refresh, and what to do when that fails. Steps only.
//!
//! Invariants: a refresh token is sent once at a time, because Garmin spends it; the newest tokens are never given up
//! for older ones; a token file that somebody else replaced wins over what is held.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::error::{ApiError, SignInReason};
use crate::base::secrets::Secret;
use crate::garmin::token_service::Refreshed;
use crate::garmin::tokens::GarminTokens;

/// A token is refreshed this long before it runs out, as Garmin's own app does.
const BEFORE_EXPIRY: SignedDuration = SignedDuration::from_secs(900);

/// After a failed refresh, a token that is still good is used this long before the next try.
const REST: SignedDuration = SignedDuration::from_secs(60);

/// What is held.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    tokens: Option<GarminTokens>,
    /// What the file held when it was last read or written by us.
    in_file: Option<GarminTokens>,
    is_unsaved: bool,
    /// Garmin does not take the refresh token.
    is_spent: bool,
    /// A token that was just handed out seems near its end: the clock here is wrong, or tokens are short-lived. Then only
    /// a refusal tells.
    ignores_end: bool,
    /// No refresh before this while the token is still good.
    rest_until: Option<Timestamp>,
    /// No refresh at all before this.
    throttled_until: Option<Timestamp>,
}

/// What to do for a bearer token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Use(Secret),
    /// Refresh these and tell [`Keyring::refreshed`].
    Refresh(GarminTokens),
    Fail(ApiError),
}

impl Keyring {
    /// Whether to look into the file before [`Keyring::next`]: only when what is held does not do as it is.
    pub(super) fn wants_file(&self, refused: Option<&Secret>, now: Timestamp) -> bool {
        !self.is_unsaved && !matches!(self.next(refused, now), Next::Use(_))
    }

    /// Takes what the file holds, if somebody else put it there.
    pub(super) fn look(&mut self, in_file: GarminTokens) {
        if self.in_file.as_ref() != Some(&in_file) {
            *self = Self {
                tokens: Some(in_file.clone()),
                in_file: Some(in_file),
                ..Self::default()
            };
        }
    }

    /// What to do now. `refused` is the bearer token that Garmin just answered with 401, if it did.
    pub(super) fn next(&self, refused: Option<&Secret>, now: Timestamp) -> Next {
        let Some(tokens) = &self.tokens else {
            return Next::Fail(ApiError::SignInNeeded(SignInReason::NoTokens));
        };
        let is_over = self.is_over(refused, now);
        let is_near = self
            .ends_at(tokens)
            .is_some_and(|at| at.duration_since(now) < BEFORE_EXPIRY);
        let may_rest = self.rest_until.is_some_and(|until| until > now) || !self.can_refresh();
        if !is_over && (!is_near || may_rest) {
            return Next::Use(tokens.di_token.clone());
        }
        if !self.can_refresh() {
            return Next::Fail(ApiError::SignInNeeded(SignInReason::Spent));
        }
        match self.throttled_until.filter(|until| *until > now) {
            Some(until) => Next::Fail(ApiError::RateLimited { until: Some(until) }),
            None => Next::Refresh(tokens.clone()),
        }
    }

    /// Takes the answer to a refresh, and says what to use from now on. After a success there is something to save.
    pub(super) fn refreshed(
        &mut self,
        refreshed: Refreshed,
        refused: Option<&Secret>,
        now: Timestamp,
    ) -> Result<Secret, ApiError> {
        let after = |wait: SignedDuration| now.checked_add(wait).ok();
        self.rest_until = after(REST);
        let failure = match refreshed {
            Refreshed::Tokens(new) => {
                let bearer = new.di_token.clone();
                let ignores_end = new
                    .expires_at()
                    .is_some_and(|at| at.duration_since(now) < BEFORE_EXPIRY);
                *self = Self {
                    tokens: Some(new),
                    in_file: self.in_file.take(),
                    is_unsaved: true,
                    ignores_end,
                    ..Self::default()
                };
                return Ok(bearer);
            }
            Refreshed::Spent => {
                self.is_spent = true;
                ApiError::SignInNeeded(SignInReason::Spent)
            }
            Refreshed::Throttled(wait) => {
                let wait = wait.unwrap_or(Duration::from_secs(60)).try_into().unwrap_or(REST);
                self.throttled_until = after(wait);
                self.rest_until = self.throttled_until;
                ApiError::RateLimited {
                    until: self.throttled_until,
                }
            }
            Refreshed::Failed => ApiError::Unreachable,
            Refreshed::Changed => ApiError::Changed {
                path: "token service: access_token".to_owned(),
            },
        };
        match &self.tokens {
            Some(tokens) if !self.is_over(refused, now) => Ok(tokens.di_token.clone()),
            _ => Err(failure),
        }
    }

    /// What is held and not yet in the file.
    pub(super) fn unsaved(&self) -> Option<&GarminTokens> {
        self.tokens.as_ref().filter(|_| self.is_unsaved)
    }

    /// The file was written with what is held.
    pub(super) fn saved(&mut self) {
        self.is_unsaved = false;
        self.in_file.clone_from(&self.tokens);
    }

    /// Whether the access token is good for nothing any more.
    fn is_over(&self, refused: Option<&Secret>, now: Timestamp) -> bool {
        self.tokens.as_ref().is_none_or(|tokens| {
            // A token that was refused and is held no more was refreshed by another request in the meantime.
            refused == Some(&tokens.di_token) || self.ends_at(tokens).is_some_and(|at| at <= now)
        })
    }

    fn ends_at(&self, tokens: &GarminTokens) -> Option<Timestamp> {
        tokens.expires_at().filter(|_| !self.ignores_end)
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

    /// Tokens that run out `lasts` seconds after the start.
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
        ring.look(held.clone());
        ring
    }

    const SPENT: ApiError = ApiError::SignInNeeded(SignInReason::Spent);

    #[track_caller]
    fn check(ring: &Keyring, refused: Option<&Secret>, now: i64, wanted: &Next) {
        assert_eq!(&ring.next(refused, at(now)), wanted);
    }

    #[test]
    fn a_token_is_refreshed_a_quarter_of_an_hour_before_its_end() {
        let held = tokens("a", 10_000);
        let (ring, bearer) = (holding(&held), Next::Use(held.di_token.clone()));
        check(&ring, None, 0, &bearer);
        check(&ring, None, 10_000 - 900, &bearer);
        check(&ring, None, 10_000 - 899, &Next::Refresh(held.clone()));
        check(&ring, None, 20_000, &Next::Refresh(held));
    }

    #[test]
    fn a_refused_token_is_refreshed_unless_another_request_did_it() {
        let held = tokens("a", 10_000);
        let ring = holding(&held);
        check(&ring, Some(&held.di_token), 0, &Next::Refresh(held.clone()));
        check(
            &ring,
            Some(&Secret::new("older")),
            0,
            &Next::Use(held.di_token.clone()),
        );
    }

    #[test]
    fn a_token_whose_end_is_unknown_is_used_until_refused() {
        let held = GarminTokens {
            di_token: Secret::new("opaque"),
            ..tokens("a", 0)
        };
        let ring = holding(&held);
        check(&ring, None, 1_000_000, &Next::Use(held.di_token.clone()));
        check(&ring, Some(&held.di_token), 0, &Next::Refresh(held.clone()));
    }

    #[test]
    fn without_a_refresh_token_the_token_is_used_up_to_its_end() {
        let held = GarminTokens {
            di_refresh_token: None,
            ..tokens("a", 1_000)
        };
        let ring = holding(&held);
        check(&ring, None, 999, &Next::Use(held.di_token));
        check(&ring, None, 1_000, &Next::Fail(SPENT));
        check(
            &Keyring::default(),
            None,
            0,
            &Next::Fail(ApiError::SignInNeeded(SignInReason::NoTokens)),
        );
    }

    #[test]
    fn a_failed_refresh_does_no_harm_while_the_token_is_good() {
        let held = tokens("a", 1_000);
        let mut ring = holding(&held);
        let bearer = Ok(held.di_token.clone());
        assert_eq!(ring.refreshed(Refreshed::Failed, None, at(500)), bearer);
        check(&ring, None, 559, &Next::Use(held.di_token.clone()));
        check(&ring, None, 560, &Next::Refresh(held.clone()));
        // When it is over, every call tries.
        assert_eq!(
            ring.refreshed(Refreshed::Failed, None, at(1_000)),
            Err(ApiError::Unreachable)
        );
        check(&ring, None, 1_001, &Next::Refresh(held.clone()));
        check(&ring, Some(&held.di_token), 501, &Next::Refresh(held.clone()));
    }

    #[test]
    fn a_throttled_refresh_waits_as_it_was_told() {
        let held = tokens("a", 1_000);
        let mut ring = holding(&held);
        let throttled = Refreshed::Throttled(Some(Duration::from_secs(700)));
        assert_eq!(
            ring.refreshed(throttled, None, at(500)),
            Ok(held.di_token.clone())
        );
        check(&ring, None, 999, &Next::Use(held.di_token.clone()));
        check(
            &ring,
            None,
            1_000,
            &Next::Fail(ApiError::RateLimited {
                until: Some(at(1_200)),
            }),
        );
        check(&ring, None, 1_200, &Next::Refresh(held));
    }

    #[test]
    fn a_spent_refresh_token_is_not_sent_again() {
        let held = tokens("a", 1_000);
        let mut ring = holding(&held);
        assert_eq!(
            ring.refreshed(Refreshed::Spent, None, at(500)),
            Ok(held.di_token.clone())
        );
        check(&ring, None, 999, &Next::Use(held.di_token.clone()));
        check(&ring, None, 1_000, &Next::Fail(SPENT));
        check(&ring, Some(&held.di_token), 501, &Next::Fail(SPENT));
    }

    #[test]
    fn new_tokens_are_used_and_wait_to_be_saved() {
        let (old, new) = (tokens("a", 1_000), tokens("b", 9_000));
        let mut ring = holding(&old);
        let bearer = ring.refreshed(Refreshed::Tokens(new.clone()), Some(&old.di_token), at(500));
        assert_eq!(bearer, Ok(new.di_token.clone()));
        assert_eq!(ring.unsaved(), Some(&new));
        assert!(
            !ring.wants_file(Some(&new.di_token), at(500)),
            "the file is behind"
        );
        ring.saved();
        assert_eq!(ring.unsaved(), None);
        ring.look(new.clone());
        check(&ring, None, 501, &Next::Use(new.di_token));
    }

    #[test]
    fn a_wrong_clock_does_not_refresh_for_ever() {
        let (old, new) = (tokens("a", 1_000), tokens("b", 2_000));
        let mut ring = holding(&old);
        assert!(
            ring.refreshed(Refreshed::Tokens(new.clone()), None, at(50_000))
                .is_ok()
        );
        ring.saved();
        check(&ring, None, 50_001, &Next::Use(new.di_token.clone()));
        check(&ring, Some(&new.di_token), 50_001, &Next::Refresh(new.clone()));
    }

    #[test]
    fn a_file_that_somebody_else_wrote_wins_and_one_of_ours_does_not() {
        let (first, other) = (tokens("a", 1_000), tokens("z", 50_000));
        let mut ring = holding(&first);
        assert_eq!(ring.refreshed(Refreshed::Spent, None, at(1_000)), Err(SPENT));
        assert!(ring.wants_file(None, at(1_000)));
        ring.look(first);
        check(&ring, None, 1_000, &Next::Fail(SPENT));
        ring.look(other.clone());
        check(&ring, None, 1_000, &Next::Use(other.di_token));
    }
}
