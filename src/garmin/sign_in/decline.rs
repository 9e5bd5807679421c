//! The answer to somebody who may not be taken to Garmin: what a wrong password gets, so that it tells nothing.
//!
//! Invariants: Garmin hears nothing of it, and no real sign-in waits for it. It is counted per person as a real one
//! would be, refused at once where a real one would be, and takes about as long. While Garmin is out of order it says
//! so here too.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Credentials, SignIns, between};
use crate::garmin::governor::{Person, Turn};
use crate::garmin::refusal::SignInRefusal;

/// How long a wrong password takes before anybody typed one.
const FIRST_GUESS: Duration = Duration::from_millis(900);

/// For how long one sign-in speaks for the state of Garmin.
const OUTAGE: SignedDuration = SignedDuration::from_mins(2);

/// Strangers can make us remember people; more are answered without it.
const MAX_PEOPLE: usize = 10_000;

/// What the last real sign-ins were like.
#[derive(Default)]
pub(super) struct Lately {
    wrong_password_took: Option<Duration>,
    outage: Option<(SignInRefusal, Duration, Timestamp)>,
    /// When the last pretended sign-in of a person ends.
    busy_until: HashMap<Person, Timestamp>,
}

impl Lately {
    /// Takes note of a real sign-in: `None` is one that Garmin let in.
    pub(super) fn heard(&mut self, refusal: Option<&SignInRefusal>, took: Duration, now: Timestamp) {
        match refusal {
            Some(SignInRefusal::WrongCredentials) => {
                self.wrong_password_took = Some(
                    self.wrong_password_took
                        .map_or(took, |before| (before + took) / 2),
                );
                self.outage = None;
            }
            // These are about the person.
            None
            | Some(
                SignInRefusal::AccountLocked | SignInRefusal::Restricted | SignInRefusal::TokenNotAccepted,
            ) => {
                self.outage = None;
            }
            Some(other) => self.outage = Some((other.clone(), took, now)),
        }
    }

    /// How long to wait, and what to say then. One person's tries come one after the other, with the distance that real
    /// ones keep.
    fn plan(&mut self, person: Person, spacing: Duration, now: Timestamp) -> (Duration, SignInRefusal) {
        let (took, refusal) = match &self.outage {
            Some((refusal, took, at)) if now.duration_since(*at) < OUTAGE => (*took, refusal.clone()),
            _ => {
                let took = self.wrong_password_took.unwrap_or(FIRST_GUESS);
                (took, SignInRefusal::WrongCredentials)
            }
        };
        let took = between(&(took.mul_f64(0.8)..=took.mul_f64(1.2)));
        let begins = self
            .busy_until
            .get(&person)
            .map_or(now, |until| now.max(plus(*until, spacing)));
        let ends = plus(begins, took);
        self.busy_until.retain(|_, until| plus(*until, spacing) > now);
        if self.busy_until.len() < MAX_PEOPLE {
            self.busy_until.insert(person, ends);
        }
        (
            Duration::try_from(ends.duration_since(now)).unwrap_or(took),
            refusal,
        )
    }
}

fn plus(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl SignIns {
    /// Answers as [`SignIns::begin`] would answer a wrong password, without asking Garmin.
    pub async fn decline(&self, credentials: Credentials) -> SignInRefusal {
        let inner = &*self.0;
        let now = inner.clock.now();
        let (person, mark) = inner.governor().marks(&credentials);
        if let Turn::Refused(refusal) = inner.governor().turn(person, mark, now) {
            return refusal;
        }
        let (wait, refusal) = inner.lately().plan(person, inner.settings.spacing, now);
        if wait > inner.settings.patience {
            tokio::time::sleep(inner.settings.patience).await;
            return SignInRefusal::Busy;
        }
        tokio::time::sleep(wait).await;
        if refusal == SignInRefusal::WrongCredentials {
            inner
                .governor()
                .declined(person, mark, inner.clock.now(), MAX_PEOPLE);
        }
        refusal
    }
}

impl super::Inner {
    pub(super) fn lately(&self) -> std::sync::MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garmin::governor::{Governor, GovernorSettings};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn person(email: &str) -> Person {
        Governor::new(GovernorSettings::without_pauses()).person(email)
    }

    #[test]
    fn it_takes_about_as_long_as_a_wrong_password_did() {
        let mut lately = Lately::default();
        for _ in 0..20 {
            lately.heard(
                Some(&SignInRefusal::WrongCredentials),
                Duration::from_secs(4),
                at(0),
            );
        }
        let (wait, refusal) = lately.plan(person("a@example.org"), Duration::ZERO, at(0));
        assert!((3.1..4.9).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(refusal, SignInRefusal::WrongCredentials);
    }

    #[test]
    fn tries_of_one_person_queue_up_and_those_of_others_do_not_wait() {
        let mut lately = Lately::default();
        let (a, b) = (person("a@example.org"), person("b@example.org"));
        let spacing = Duration::from_secs(5);
        let (first, _) = lately.plan(a, spacing, at(0));
        let (second, _) = lately.plan(a, spacing, at(0));
        let (other, _) = lately.plan(b, spacing, at(0));
        assert!(second >= first + spacing);
        assert!(other < spacing);
    }

    #[test]
    fn an_outage_of_garmin_is_one_for_everybody_until_it_is_over() {
        let mut lately = Lately::default();
        let said = |lately: &mut Lately, now| lately.plan(person("a@example.org"), Duration::ZERO, now).1;
        lately.heard(Some(&SignInRefusal::Temporary), Duration::ZERO, at(0));
        assert_eq!(said(&mut lately, at(60)), SignInRefusal::Temporary);
        assert_eq!(said(&mut lately, at(121)), SignInRefusal::WrongCredentials);
        lately.heard(Some(&SignInRefusal::Temporary), Duration::ZERO, at(200));
        lately.heard(None, Duration::ZERO, at(210));
        assert_eq!(said(&mut lately, at(211)), SignInRefusal::WrongCredentials);
        // Somebody's locked account is nobody else's business.
        lately.heard(Some(&SignInRefusal::AccountLocked), Duration::ZERO, at(220));
        assert_eq!(said(&mut lately, at(221)), SignInRefusal::WrongCredentials);
    }
}
