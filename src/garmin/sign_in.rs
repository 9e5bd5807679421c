//! Signing a person in at Garmin: credentials, perhaps a code, tokens.
//!
//! What to send, and what an answer means, are steps (`chain`, `mfa`, and below them a file per way in); the loop
//! here does the waiting and the sending. All sign-ins of the gateway go through one queue, one at a time.
//!
//! Invariants: the password is an argument and is kept nowhere; a code is sent with the cookies of the sign-in that
//! asked for it; nothing is retried that could count against the person at Garmin.
//!
//! Absent on purpose: solving or going around challenges, other clients' TLS finger prints, the `JWT_WEB` cookie as a
//! token (it can't be put into the token file).

mod chain;
mod decline;
mod html;
mod json;
mod line;
mod mfa;
mod redeem;
#[cfg(test)]
mod tests;
mod trouble;
mod widget;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Client;

use super::governor::{self, Governor, GovernorSettings, Person};
use super::ledger;
use super::refusal::{SignInMethod, SignInRefusal};
use super::tokens::GarminTokens;
use super::wire::{Ask, Heard, Pause};
use crate::base::clock::Clock;
use crate::base::secrets::{Secret, random_bytes, random_id};
use crate::config::GarminHosts;
use crate::store::{Store, StoreError};

use line::Line;
use mfa::Pending;
pub use mfa::{MfaChallenge, MfaMethod};

/// What a person types. Never stored.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The Garmin account's e-mail.
    pub email: String,
    /// The Garmin account's password.
    pub password: Secret,
}

/// A person whom Garmin knows, and the tokens to ask for their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Garmin's number of the profile: the identity.
    pub profile_id: u64,
    /// The name in Garmin's URLs; empty for a profile that has none yet.
    pub display_name: String,
    /// As people call them; may be empty.
    pub full_name: String,
    /// The tokens of this sign-in.
    pub tokens: GarminTokens,
}

/// How a sign-in, or a code, came out.
#[derive(Debug)]
pub enum SignInOutcome {
    /// Done.
    SignedIn(SignedIn),
    /// Garmin wants a code: ask the person, then [`SignIns::verify`].
    Mfa(MfaChallenge),
    /// Not now, or not like this.
    Refused(SignInRefusal),
}

/// All sign-ins of this gateway. Clones are the same.
#[derive(Clone)]
pub struct SignIns(Arc<Inner>);

struct Inner {
    hosts: GarminHosts,
    http: Client,
    clock: Clock,
    settings: GovernorSettings,
    governor: Mutex<Governor>,
    /// Where the governor's knowledge outlives us.
    store: Option<Store>,
    /// Held by the sign-in that is under way; knows when the last one ended.
    queue: tokio::sync::Mutex<Option<Instant>>,
    lately: Mutex<decline::Lately>,
}

/// What the steps of a sign-in read.
struct Desk<'a> {
    hosts: &'a GarminHosts,
    credentials: &'a Credentials,
}

/// What follows from an answer, within one way in or one exchange.
enum Turn<At, Won = redeem::Ticket> {
    Ask(At, Ask),
    CodeWanted(Pending),
    Won(Won),
    Refused(SignInRefusal),
}

/// What to do next.
enum Move<End> {
    Send(Box<Ask>),
    Done(End),
}

/// Steps with an end: the loop sends what they ask for and tells them what came back.
trait Conversation {
    type End;
    fn begin(&mut self) -> Move<Self::End>;
    fn hear(&mut self, heard: &Heard) -> Move<Self::End>;
}

/// For the fuzzer: sign-ins, and codes where one is wanted, in which Garmin says these things over and over.
#[cfg(fuzzing)]
pub(super) fn fuzz(heard: &[Heard]) {
    fn play<C: Conversation>(conversation: &mut C, heard: &[Heard]) -> C::End {
        let mut said = heard.iter().cycle().take(64);
        let mut next = conversation.begin();
        loop {
            match next {
                Move::Done(end) => return end,
                Move::Send(_) => next = conversation.hear(said.next().expect("an endless sign-in")),
            }
        }
    }
    if heard.is_empty() {
        return;
    }
    let hosts = GarminHosts::at(&"https://sso.garmin.com".parse().unwrap());
    let credentials = Credentials {
        email: "ann@example.org".to_owned(),
        password: Secret::new("secret"),
    };
    let desk = Desk {
        hosts: &hosts,
        credentials: &credentials,
    };
    let ended = play(&mut chain::Chain::new(desk, &SignInMethod::ALL, vec![]), heard);
    if let chain::Ended::CodeWanted(mut pending) = ended {
        let code = Secret::new("123456");
        play(&mut mfa::Verifying::new(&hosts, &mut pending, code), heard);
    }
}

impl SignIns {
    /// With a governor that forgets when the program ends. `http` comes from [`crate::garmin::client`].
    pub fn new(hosts: GarminHosts, http: Client, clock: Clock, settings: GovernorSettings) -> Self {
        let governor = Governor::new(settings.clone());
        Self::with(hosts, http, clock, (settings, governor), None)
    }

    /// With a governor that goes on where that of the last start ended. Errors: the store's.
    pub fn kept_in(
        store: &Store,
        hosts: GarminHosts,
        http: Client,
        clock: Clock,
        settings: GovernorSettings,
    ) -> Result<Self, StoreError> {
        let governor = match ledger::read(store)? {
            Some((general, people)) => Governor::recall(settings.clone(), general, people),
            None => Governor::new(settings.clone()),
        };
        Ok(Self::with(
            hosts,
            http,
            clock,
            (settings, governor),
            Some(store.clone()),
        ))
    }

    fn with(
        hosts: GarminHosts,
        http: Client,
        clock: Clock,
        (settings, governor): (GovernorSettings, Governor),
        store: Option<Store>,
    ) -> Self {
        Self(Arc::new(Inner {
            hosts,
            http,
            clock,
            settings,
            governor: Mutex::new(governor),
            store,
            queue: tokio::sync::Mutex::default(),
            lately: Mutex::default(),
        }))
    }

    /// Signs a person in. Takes seconds, and up to a minute or two when others wait or ways in fail.
    ///
    /// Dropping the future stops it; what Garmin has seen by then is counted.
    pub async fn begin(&self, credentials: Credentials) -> SignInOutcome {
        let inner = &*self.0;
        let id = random_id("sin_");
        let (person, mark) = inner.governor().marks(&credentials);
        // Those who are refused anyway don't wait in the queue for it.
        if let governor::Turn::Refused(refusal) = inner.governor().turn(person, mark, inner.clock.now()) {
            return refused(&id, None, refusal);
        }
        let Some(_place) = inner.wait_in_queue().await else {
            return refused(&id, None, SignInRefusal::Busy);
        };
        let turn = inner.governor().turn(person, mark, inner.clock.now());
        let (ways, skipped) = match turn {
            governor::Turn::Go { ways, skipped } => (ways, skipped),
            governor::Turn::Refused(refusal) => return refused(&id, None, refusal),
        };
        tracing::info!(sign_in.id = id.as_str(), "sign_in.started");
        let desk = Desk {
            hosts: &inner.hosts,
            credentials: &credentials,
        };
        let mut chain = chain::Chain::new(desk, &ways, skipped);
        let mut line = Line::new(inner, person, &id);
        let started = Instant::now();
        let ended = line.talk(&mut chain).await;
        let now = inner.clock.now();
        let refusal = match &ended {
            chain::Ended::Refused(refusal) => Some(refusal),
            _ => None,
        };
        inner.lately().heard(refusal, started.elapsed(), now);
        for (way, refusal) in chain.setbacks() {
            if *refusal == SignInRefusal::TokenNotAccepted {
                inner.governor().unfruitful(person, *way, now);
            }
            tracing::info!(
                way = way.name(),
                reason = refusal.reason(),
                sign_in.id = id.as_str(),
                "sign_in.way_failed"
            );
        }
        if let Some(SignInRefusal::WrongCredentials) = refusal {
            inner.governor().wrong_password(person, mark, now);
        }
        inner.write_down(person).await;
        let way = chain.way();
        match ended {
            chain::Ended::SignedIn(signed_in) => {
                succeeded(&id, way);
                SignInOutcome::SignedIn(signed_in)
            }
            chain::Ended::CodeWanted(pending) => {
                tracing::info!(
                    way = way.map(SignInMethod::name),
                    sign_in.id = id.as_str(),
                    "sign_in.mfa_required"
                );
                SignInOutcome::Mfa(MfaChallenge::new(pending, line.jar, person, now))
            }
            chain::Ended::Refused(refusal) => {
                let refusal = inner.governor().dated(refusal);
                refused(&id, way, refusal)
            }
        }
    }

    /// Answers a challenge with the code that the person typed.
    ///
    /// After [`SignInRefusal::WrongCode`], and when Garmin did not look at the code, the challenge takes another one while
    /// [`MfaChallenge::tries_left`] is above 0. It does not wait in the queue: its sign-in had its turn, and codes are
    /// good for half a minute.
    pub async fn verify(&self, challenge: &mut MfaChallenge, code: &Secret) -> SignInOutcome {
        let inner = &*self.0;
        let id = random_id("sin_");
        if let Some(refusal) = challenge.closed(inner.clock.now()) {
            return refused(&id, None, refusal);
        }
        let Some(code) = mfa::code_of(code) else {
            return refused(&id, None, SignInRefusal::NotACode);
        };
        let way = challenge.way();
        let mut line = Line::new(inner, challenge.person, &id);
        line.jar = Arc::clone(&challenge.jar);
        // This sign-in was counted when it began.
        line.counted = true;
        let mut verifying = mfa::Verifying::new(&inner.hosts, &mut challenge.pending, code);
        let refusal = match line.talk(&mut verifying).await {
            mfa::Ended::SignedIn(signed_in) => {
                challenge.close();
                succeeded(&id, Some(way));
                return SignInOutcome::SignedIn(signed_in);
            }
            mfa::Ended::WrongCode => challenge.wrong_code(),
            mfa::Ended::NotHeard(refusal) => refusal,
            mfa::Ended::Refused(refusal) => {
                challenge.close();
                if refusal == SignInRefusal::TokenNotAccepted {
                    inner
                        .governor()
                        .unfruitful(challenge.person, way, inner.clock.now());
                }
                refusal
            }
        };
        inner.write_down(challenge.person).await;
        let refusal = inner.governor().dated(refusal);
        refused(&id, Some(way), refusal)
    }
}

impl Inner {
    fn governor(&self) -> std::sync::MutexGuard<'_, Governor> {
        self.governor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets what is known of this person, and of the ways in, outlive us.
    async fn write_down(&self, person: Person) {
        let Some(store) = &self.store else { return };
        let (general, known) = self.governor().known(person);
        if let Err(e) = ledger::write(store, general, person, known, self.clock.now()).await {
            tracing::error!(reason = %e, "sign_in.not_written_down");
        }
    }

    /// Waits until it's this sign-in's turn; `None` when that takes too long.
    async fn wait_in_queue(&self) -> Option<Place<'_>> {
        let place = async {
            let last_ended = self.queue.lock().await;
            if let Some(rest) = last_ended.and_then(|at| self.settings.spacing.checked_sub(at.elapsed())) {
                tokio::time::sleep(rest).await;
            }
            Place(last_ended)
        };
        tokio::time::timeout(self.settings.patience, place).await.ok()
    }

    fn pause(&self, pause: Pause) -> Duration {
        match pause {
            Pause::None => Duration::ZERO,
            Pause::Form => between(&self.settings.form_pause),
            Pause::Portal => between(&self.settings.portal_pause),
            Pause::Again => self.settings.again_pause,
        }
    }
}

/// The head of the queue. However the sign-in ends, the next one keeps its distance to that moment.
struct Place<'a>(tokio::sync::MutexGuard<'a, Option<Instant>>);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

fn succeeded(id: &str, way: Option<SignInMethod>) {
    tracing::info!(
        way = way.map(SignInMethod::name),
        sign_in.id = id,
        "sign_in.succeeded"
    );
}

fn refused(id: &str, way: Option<SignInMethod>, refusal: SignInRefusal) -> SignInOutcome {
    if let SignInRefusal::Changed { path } = &refusal {
        tracing::warn!(path, sign_in.id = id, "garmin.answer_changed");
    }
    tracing::info!(
        reason = refusal.reason(),
        way = way.map(SignInMethod::name),
        sign_in.id = id,
        "sign_in.failed"
    );
    SignInOutcome::Refused(refusal)
}

/// A random length, as people have.
fn between(range: &RangeInclusive<Duration>) -> Duration {
    let part = f64::from(u32::from_be_bytes(random_bytes())) / f64::from(u32::MAX);
    let span = range.end().saturating_sub(*range.start());
    *range.start() + span.mul_f64(part)
}
