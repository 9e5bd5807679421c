//! Remembers the results of recent sign-ins, so that the answer to a person who was not invited looks real: a wrong
//! password, after about the time that Garmin takes to refuse one, or Garmin's outage while there is one.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::governor::PersonKey;
use super::pause::random_duration;
use super::refusal::SignInRefusal;

/// Assumed duration of a sign-in with a wrong password, until one is measured.
const FIRST_GUESS: Duration = Duration::from_millis(900);

/// How long a sign-in that met an outage counts as evidence of the outage.
const OUTAGE_MEMORY: SignedDuration = SignedDuration::from_mins(2);

/// Strangers can fill this memory with invented people. Beyond this number, people are answered without being
/// remembered.
pub(super) const MAX_PEOPLE: usize = 10_000;

/// How long Garmin takes to refuse a wrong password, and the last outage.
#[derive(Default)]
pub(super) struct RecentSignIns {
    wrong_password_took: Option<Duration>,
    outage: Option<(SignInRefusal, Duration, Timestamp)>,
    /// When the last declined attempt of each person ends.
    busy_until: HashMap<PersonKey, Timestamp>,
}

impl RecentSignIns {
    /// Records a real sign-in. `refusal`: `None` when Garmin let the person in.
    pub(super) fn note(&mut self, refusal: Option<&SignInRefusal>, took: Duration, now: Timestamp) {
        match refusal {
            Some(SignInRefusal::WrongCredentials) => {
                let mean = self.wrong_password_took.map(|before| (before + took) / 2);
                self.wrong_password_took = mean.or(Some(took));
                self.outage = None;
            }
            // These results concern one person, so there is no outage.
            None
            | Some(
                SignInRefusal::AccountLocked | SignInRefusal::Restricted | SignInRefusal::TokenNotAccepted,
            ) => {
                self.outage = None;
            }
            Some(other) => self.outage = Some((other.clone(), took, now)),
        }
    }

    /// How long to wait, and what to answer then. Attempts of one person wait for each other, as real ones do.
    pub(super) fn plan(
        &mut self,
        person: PersonKey,
        spacing: Duration,
        now: Timestamp,
    ) -> (Duration, SignInRefusal) {
        let (took, refusal) = match &self.outage {
            Some((refusal, took, at)) if now.duration_since(*at) < OUTAGE_MEMORY => (*took, refusal.clone()),
            _ => {
                let took = self.wrong_password_took.unwrap_or(FIRST_GUESS);
                (took, SignInRefusal::WrongCredentials)
            }
        };
        let took = random_duration(&(took.mul_f64(0.8)..=took.mul_f64(1.2)));
        let begins = self
            .busy_until
            .get(&person)
            .map_or(now, |until| now.max(later(*until, spacing)));
        let ends = later(begins, took);
        self.busy_until.retain(|_, until| later(*until, spacing) > now);
        if self.busy_until.len() < MAX_PEOPLE {
            self.busy_until.insert(person, ends);
        }
        let wait = Duration::try_from(ends.duration_since(now)).unwrap_or(took);
        (wait, refusal)
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garmin::sign_in::governor::{Governor, GovernorSettings};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn person(email: &str) -> PersonKey {
        Governor::new(GovernorSettings::without_pauses()).person(email)
    }

    #[test]
    fn a_decline_takes_about_as_long_as_a_wrong_password() {
        let mut recent = RecentSignIns::default();
        for _ in 0..20 {
            recent.note(
                Some(&SignInRefusal::WrongCredentials),
                Duration::from_secs(4),
                at(0),
            );
        }
        let (wait, refusal) = recent.plan(person("a@example.org"), Duration::ZERO, at(0));
        assert!((3.1..4.9).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(refusal, SignInRefusal::WrongCredentials);
    }

    #[test]
    fn attempts_of_one_person_queue_up_and_others_do_not_wait() {
        let mut recent = RecentSignIns::default();
        let (a, b) = (person("a@example.org"), person("b@example.org"));
        let spacing = Duration::from_secs(5);
        let (first, _) = recent.plan(a, spacing, at(0));
        let (second, _) = recent.plan(a, spacing, at(0));
        let (other, _) = recent.plan(b, spacing, at(0));
        assert!(second >= first + spacing);
        assert!(other < spacing);
    }

    #[test]
    fn an_outage_is_reported_until_it_is_over() {
        let mut recent = RecentSignIns::default();
        let answer =
            |recent: &mut RecentSignIns, now| recent.plan(person("a@example.org"), Duration::ZERO, now).1;
        recent.note(Some(&SignInRefusal::Temporary), Duration::ZERO, at(0));
        assert_eq!(answer(&mut recent, at(60)), SignInRefusal::Temporary);
        assert_eq!(answer(&mut recent, at(121)), SignInRefusal::WrongCredentials);
        recent.note(Some(&SignInRefusal::Temporary), Duration::ZERO, at(200));
        recent.note(None, Duration::ZERO, at(210));
        assert_eq!(answer(&mut recent, at(211)), SignInRefusal::WrongCredentials);
        // A locked account concerns one person only.
        recent.note(Some(&SignInRefusal::AccountLocked), Duration::ZERO, at(220));
        assert_eq!(answer(&mut recent, at(221)), SignInRefusal::WrongCredentials);
    }
}
