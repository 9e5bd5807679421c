//! Signs a person in at Garmin: credentials, a code if needed, tokens.
//!
//! Each method ([`mobile`], [`widget`], [`portal`]) is an `async fn` that reads top to bottom: request, response,
//! next request. The [`chain`] tries them in order; [`redeem`] exchanges the ticket of any of them for tokens. All
//! sign-ins of the gateway go through one queue, one at a time, and are limited by one [`governor`].
//!
//! Invariants: the password is passed as an argument, is stored nowhere, and reaches the socket in memory that is
//! wiped; a code is sent with the cookies of the sign-in that asked for it; a request that could count against the
//! person is never retried.
//!
//! Absent on purpose: solving or evading challenges, other clients' TLS fingerprints, and the `JWT_WEB` cookie as a
//! token, which the token file cannot hold.

mod attempt;
mod chain;
mod credentials;
mod governor;
mod html;
mod json_api;
mod ledger;
mod login;
mod method;
mod mfa;
mod mobile;
mod outcome;
mod pause;
mod portal;
mod recent;
mod redeem;
mod refusal;
mod signals;
mod state;
#[cfg(test)]
mod tests;
mod widget;
mod widget_page;

#[cfg(fuzzing)]
pub(super) mod fuzzing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use reqwest::Client;

use crate::base::clock::Clock;
use crate::base::secrets::{Secret, random_id};
use crate::config::GarminHosts;
use crate::store::{Store, StoreError};

use attempt::SignInAttempt;
use chain::ChainEnd;
use governor::{Governor, SignInAdmission};
use state::SignInState;

pub use credentials::Credentials;
pub use governor::GovernorSettings;
pub(super) use ledger::KINDS;
pub use method::SignInMethod;
pub use mfa::{MfaChallenge, MfaMethod};
pub use outcome::{SignInOutcome, SignedIn};
pub use refusal::SignInRefusal;

/// All sign-ins of this gateway. Clones share everything.
#[derive(Clone)]
pub struct SignIns(Arc<SignInState>);

impl SignIns {
    /// Starts with an empty governor, whose records are lost at a restart. `http` comes from [`crate::garmin::client`].
    pub fn new(hosts: GarminHosts, http: Client, clock: Clock, settings: GovernorSettings) -> Self {
        let governor = Governor::new(settings);
        Self(Arc::new(SignInState::new(hosts, http, clock, governor, None)))
    }

    /// Restores the governor from the stored records. Errors: the store's.
    pub fn kept_in(
        store: &Store,
        hosts: GarminHosts,
        http: Client,
        clock: Clock,
        settings: GovernorSettings,
    ) -> Result<Self, StoreError> {
        let governor = match ledger::read(store)? {
            Some((shared, people)) => Governor::restore(settings, shared, people),
            None => Governor::new(settings),
        };
        let state = SignInState::new(hosts, http, clock, governor, Some(store.clone()));
        Ok(Self(Arc::new(state)))
    }

    /// Sets the client ids that are tried before the built-in ones, from the next sign-in on.
    pub fn set_client_ids(&self, ids: Vec<String>) {
        self.0.set_client_ids(ids);
    }

    /// Calls [`SignIns::begin_from`] with an unknown address.
    pub async fn begin(&self, credentials: Credentials) -> SignInOutcome {
        self.begin_from(credentials, None).await
    }

    /// Signs a person in. Takes seconds, and up to two minutes when other sign-ins wait or methods fail.
    ///
    /// `from`: the address of the person's browser. Attempts and places in the queue are limited per address.
    ///
    /// Dropping the future cancels the sign-in; an attempt that has reached Garmin by then still counts.
    pub async fn begin_from(&self, credentials: Credentials, from: Option<IpAddr>) -> SignInOutcome {
        let state = &*self.0;
        let id = random_id("sin_");
        // A sign-in that will be refused does not wait in the queue first.
        if let (_, SignInAdmission::Refused(refusal)) = state.admit(&credentials, from) {
            return refused(&id, None, refusal);
        }
        let Some(_turn) = state.wait_in_queue(from).await else {
            return refused(&id, None, SignInRefusal::Busy);
        };
        let (keys, admission) = state.admit(&credentials, from);
        let (methods, skipped) = match admission {
            SignInAdmission::Granted { methods, skipped } => (methods, skipped),
            SignInAdmission::Refused(refusal) => return refused(&id, None, refusal),
        };
        tracing::info!(sign_in.id = id.as_str(), "sign_in.started");
        let mut attempt = SignInAttempt::new(state, keys, &id);
        let started = Instant::now();
        let result = chain::sign_in(&mut attempt, &credentials, &methods, skipped).await;

        let (now, person) = (state.clock.now(), keys.person);
        let refusal = match &result.end {
            ChainEnd::Refused(refusal) => Some(refusal),
            _ => None,
        };
        state.recent.lock().note(refusal, started.elapsed(), now);
        if let Some(SignInRefusal::WrongCredentials) = refusal {
            state.governor().wrong_password(person, keys.credentials, now);
        }
        for (method, refusal) in &result.failures {
            if *refusal == SignInRefusal::TokenNotAccepted {
                state.governor().token_refused(person, *method, now);
            }
            tracing::info!(
                way = method.name(),
                reason = refusal.reason(),
                sign_in.id = id.as_str(),
                "sign_in.way_failed"
            );
        }
        if let ChainEnd::SignedIn(_) = result.end {
            state.governor().signed_in(person, keys.source, now);
        }
        state.save(person).await;
        match result.end {
            ChainEnd::SignedIn(signed_in) => succeeded(&id, result.method, signed_in),
            ChainEnd::CodeWanted(pending) => {
                tracing::info!(
                    way = result.method.map(SignInMethod::name),
                    sign_in.id = id.as_str(),
                    "sign_in.mfa_required"
                );
                SignInOutcome::Mfa(MfaChallenge::new(pending, attempt.into_cookies(), keys, now))
            }
            ChainEnd::Refused(refusal) => {
                let refusal = state.governor().with_retry_time(refusal);
                refused(&id, result.method, refusal)
            }
        }
    }

    /// Answers a challenge with the code that the person typed.
    ///
    /// After [`SignInRefusal::WrongCode`], and when Garmin did not read the code, the challenge accepts another one
    /// while [`MfaChallenge::tries_left`] is above 0. A code skips the queue: its sign-in has already waited there,
    /// and codes are valid for half a minute.
    pub async fn verify(&self, challenge: &mut MfaChallenge, code: &Secret) -> SignInOutcome {
        let state = &*self.0;
        let id = random_id("sin_");
        if challenge.is_over(state.clock.now()) {
            return refused(&id, None, SignInRefusal::ChallengeOver);
        }
        let Some(code) = mfa::read_code(code) else {
            return refused(&id, None, SignInRefusal::NotACode);
        };
        let (method, keys) = (Some(challenge.sign_in_method()), challenge.keys);
        let mut attempt = SignInAttempt::resume(state, keys, &id, Arc::clone(&challenge.jar));
        let refusal = match mfa::send_code(&mut attempt, &mut challenge.pending, &code).await {
            Ok(ticket) => {
                challenge.close();
                match redeem::redeem(&mut attempt, &ticket).await {
                    Ok(signed_in) => {
                        let now = state.clock.now();
                        state.governor().signed_in(keys.person, keys.source, now);
                        state.save(keys.person).await;
                        return succeeded(&id, method, signed_in);
                    }
                    Err(refusal) => refusal,
                }
            }
            Err(failure) => challenge.note_failure(failure),
        };
        if refusal == SignInRefusal::TokenNotAccepted {
            let (method, now) = (challenge.sign_in_method(), state.clock.now());
            state.governor().token_refused(keys.person, method, now);
        }
        state.save(keys.person).await;
        let refusal = state.governor().with_retry_time(refusal);
        refused(&id, method, refusal)
    }

    /// Calls [`SignIns::decline_from`] with an unknown address.
    pub async fn decline(&self, credentials: Credentials) -> SignInRefusal {
        self.decline_from(credentials, None).await
    }

    /// Answers a person who was not invited as [`SignIns::begin_from`] answers a wrong password, so that the answer
    /// reveals nothing.
    ///
    /// Garmin is not asked, and no real sign-in is delayed. The attempt counts like a real one, is refused at once
    /// where a real one would be, and takes about as long.
    pub async fn decline_from(&self, credentials: Credentials, from: Option<IpAddr>) -> SignInRefusal {
        let state = &*self.0;
        let (keys, admission) = state.admit(&credentials, from);
        if let SignInAdmission::Refused(refusal) = admission {
            return refusal;
        }
        let in_line = tokio::time::timeout(state.settings.patience, state.wait_for_source(from));
        let Ok(Some(_turn)) = in_line.await else {
            return SignInRefusal::Busy;
        };
        let now = state.clock.now();
        let (wait, refusal) = state.recent.lock().plan(keys.person, state.settings.spacing, now);
        if wait > state.settings.patience {
            tokio::time::sleep(state.settings.patience).await;
            return SignInRefusal::Busy;
        }
        tokio::time::sleep(wait).await;
        if refusal == SignInRefusal::WrongCredentials {
            let now = state.clock.now();
            state.governor().count_declined(
                keys.person,
                keys.credentials,
                keys.source,
                now,
                recent::MAX_PEOPLE,
            );
        }
        refusal
    }
}

fn succeeded(id: &str, method: Option<SignInMethod>, signed_in: SignedIn) -> SignInOutcome {
    tracing::info!(
        way = method.map(SignInMethod::name),
        sign_in.id = id,
        "sign_in.succeeded"
    );
    SignInOutcome::SignedIn(signed_in)
}

fn refused(id: &str, method: Option<SignInMethod>, refusal: SignInRefusal) -> SignInOutcome {
    if let SignInRefusal::Changed { path } = &refusal {
        tracing::warn!(path, sign_in.id = id, "garmin.answer_changed");
    }
    tracing::info!(
        reason = refusal.reason(),
        way = method.map(SignInMethod::name),
        sign_in.id = id,
        "sign_in.failed"
    );
    SignInOutcome::Refused(refusal)
}
