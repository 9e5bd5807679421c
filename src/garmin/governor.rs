//! How often this gateway may sign people in at Garmin.
//!
//! A sign-in is the scarcest thing here: Garmin throttles addresses for hours and locks accounts. So there is a count
//! per person and day, a way in that was throttled is left alone for a while, and a password that Garmin called wrong
//! is not sent a second time. The queue and its spacing are in [`super::sign_in`].
//!
//! A person is known by a keyed hash of the e-mail, a wrong password by a keyed hash of both. What reached Garmin outlives
//! a restart ([`super::ledger`]).
//!
//! Absent on purpose: any retry. Only people start sign-ins.

mod settings;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::refusal::{SignInMethod, SignInRefusal};
use super::sign_in::Credentials;
use crate::base::secrets::{Secret, random_bytes, sha256};

pub use settings::GovernorSettings;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A person as the governor knows one: a keyed hash of the e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Person([u8; 32]);

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A pair of e-mail and password, as a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PasswordMark([u8; 32]);

/// What is known at the moment.
pub(super) struct Governor {
    settings: GovernorSettings,
    general: General,
    people: HashMap<Person, OfPerson>,
}

/// What concerns everybody.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct General {
    /// Of all hashes.
    key: [u8; 32],
    /// Ways in that were throttled, and until when they are left alone.
    cooling: BTreeMap<SignInMethod, Timestamp>,
}

/// What is known of one person.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct OfPerson {
    /// When sign-ins reached Garmin, oldest first.
    reached: Vec<Timestamp>,
    wrong: Vec<(PasswordMark, Timestamp)>,
    /// Ways whose tokens the API refused, and when: tried last.
    unfruitful: Vec<(SignInMethod, Timestamp)>,
}

impl OfPerson {
    /// The time of the last thing that is known.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let wrong = self.wrong.iter().map(|(_, at)| at);
        let unfruitful = self.unfruitful.iter().map(|(_, at)| at);
        self.reached.iter().chain(wrong).chain(unfruitful).max().copied()
    }
}

/// Whether and how a sign-in may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// By these ways, in this order; the others are left out for a reason.
    Go {
        ways: Vec<SignInMethod>,
        skipped: Vec<(SignInMethod, SignInRefusal)>,
    },
    /// Nothing is sent.
    Refused(SignInRefusal),
}

impl Governor {
    pub(super) fn new(settings: GovernorSettings) -> Self {
        Self {
            settings,
            general: General {
                key: random_bytes(),
                cooling: BTreeMap::new(),
            },
            people: HashMap::new(),
        }
    }

    /// One that goes on where another ended.
    pub(super) fn recall(
        settings: GovernorSettings,
        general: General,
        people: impl IntoIterator<Item = (Person, OfPerson)>,
    ) -> Self {
        Self {
            settings,
            general,
            people: people.into_iter().collect(),
        }
    }

    /// What would be recalled: of all, and of this person.
    pub(super) fn known(&self, person: Person) -> (General, OfPerson) {
        let of_person = self.people.get(&person).cloned().unwrap_or_default();
        (self.general.clone(), of_person)
    }

    /// The same person however the e-mail is written.
    pub(super) fn person(&self, email: &str) -> Person {
        Person(self.keyed(&[b"person", email.trim().to_lowercase().as_bytes()]))
    }

    pub(super) fn mark(&self, person: Person, password: &Secret) -> PasswordMark {
        PasswordMark(self.keyed(&[b"password", &person.0, password.expose().as_bytes()]))
    }

    /// Both for one pair of credentials.
    pub(super) fn marks(&self, credentials: &Credentials) -> (Person, PasswordMark) {
        let person = self.person(&credentials.email);
        (person, self.mark(person, &credentials.password))
    }

    /// Counts a sign-in that was declined without asking Garmin like one that Garmin refused, unless too many people
    /// are known already.
    pub(super) fn declined(&mut self, person: Person, mark: PasswordMark, now: Timestamp, max_people: usize) {
        if self.people.len() < max_people || self.people.contains_key(&person) {
            self.reached(person, now);
            self.wrong_password(person, mark, now);
        }
    }

    /// Whether this person may sign in with this password now.
    pub(super) fn turn(&mut self, person: Person, mark: PasswordMark, now: Timestamp) -> Turn {
        self.forget_old(now);
        let record = self.people.get(&person);
        if record.is_some_and(|record| record.wrong.iter().any(|(wrong, _)| *wrong == mark)) {
            return Turn::Refused(SignInRefusal::SamePasswordAgain);
        }
        let daily = usize::try_from(self.settings.daily).unwrap_or(usize::MAX);
        if let Some(record) = record.filter(|record| record.reached.len() >= daily) {
            // The one that must grow a day old before there is room again.
            let first = record
                .reached
                .iter()
                .rev()
                .nth(daily.saturating_sub(1))
                .copied()
                .unwrap_or(now);
            return Turn::Refused(SignInRefusal::TooManyToday {
                until: plus(first, DAY),
            });
        }
        let (skipped, mut ways): (Vec<_>, Vec<_>) = SignInMethod::ALL
            .into_iter()
            .partition(|way| self.general.cooling.contains_key(way));
        if ways.is_empty() {
            return Turn::Refused(SignInRefusal::RateLimited {
                until: self.free_at(),
            });
        }
        let unfruitful =
            |way: &SignInMethod| record.is_some_and(|r| r.unfruitful.iter().any(|(w, _)| w == way));
        ways.sort_by_key(unfruitful);
        let reason = |way: SignInMethod| SignInRefusal::RateLimited {
            until: self.general.cooling.get(&way).copied(),
        };
        Turn::Go {
            ways,
            skipped: skipped.into_iter().map(|way| (way, reason(way))).collect(),
        }
    }

    /// A sign-in of this person goes to Garmin. What times out or breaks off may have been read there all the same.
    pub(super) fn reached(&mut self, person: Person, now: Timestamp) {
        self.people.entry(person).or_default().reached.push(now);
    }

    /// The one that went last had no connection to go on.
    pub(super) fn not_reached(&mut self, person: Person) {
        if let Some(record) = self.people.get_mut(&person) {
            record.reached.pop();
        }
    }

    /// Garmin called this password wrong.
    pub(super) fn wrong_password(&mut self, person: Person, mark: PasswordMark, now: Timestamp) {
        self.people.entry(person).or_default().wrong.push((mark, now));
    }

    /// The API refused the token that this way gave.
    pub(super) fn unfruitful(&mut self, person: Person, way: SignInMethod, now: Timestamp) {
        let record = self.people.entry(person).or_default();
        record.unfruitful.retain(|(known, _)| *known != way);
        record.unfruitful.push((way, now));
    }

    /// Garmin asked for fewer requests of one way in, or (`None`) of all.
    pub(super) fn throttled(
        &mut self,
        way: Option<SignInMethod>,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Timestamp {
        let wait = SignedDuration::try_from(retry_after.unwrap_or(self.settings.cool_down)).unwrap_or(DAY);
        let until = plus(now, wait);
        for way in way.map_or_else(|| SignInMethod::ALL.to_vec(), |way| vec![way]) {
            let cooling = self.general.cooling.entry(way).or_insert(until);
            *cooling = until.max(*cooling);
        }
        until
    }

    /// When the next way in is free again; `None` when one is free now.
    pub(super) fn free_at(&self) -> Option<Timestamp> {
        let all_cool = SignInMethod::ALL
            .iter()
            .all(|way| self.general.cooling.contains_key(way));
        self.general.cooling.values().min().copied().filter(|_| all_cool)
    }

    /// The refusal as the person should hear it: with the time that only the governor knows.
    pub(super) fn dated(&self, refusal: SignInRefusal) -> SignInRefusal {
        match refusal {
            SignInRefusal::RateLimited { .. } => SignInRefusal::RateLimited {
                until: self.free_at(),
            },
            other => other,
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.general.cooling.retain(|_, until| *until > now);
        let memory = SignedDuration::try_from(self.settings.wrong_password_memory).unwrap_or(DAY);
        let is_young = |at: &Timestamp, age: SignedDuration| now.duration_since(*at) < age;
        self.people.retain(|_, record| {
            record.reached.retain(|at| is_young(at, DAY));
            record.wrong.retain(|(_, at)| is_young(at, memory));
            record.unfruitful.retain(|(_, at)| is_young(at, DAY));
            !(record.reached.is_empty() && record.wrong.is_empty() && record.unfruitful.is_empty())
        });
    }

    fn keyed(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut data = self.general.key.to_vec();
        for part in parts {
            // With its length in front, no two lists of parts read the same.
            data.extend_from_slice(&part.len().to_be_bytes());
            data.extend_from_slice(part);
        }
        let hash = sha256(&data);
        zeroize::Zeroize::zeroize(&mut data);
        hash
    }
}

fn plus(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn governor() -> (Governor, Person, PasswordMark) {
        let governor = Governor::new(GovernorSettings {
            daily: 2,
            ..GovernorSettings::default()
        });
        let person = governor.person("Ann@Example.org ");
        let mark = governor.mark(person, &Secret::new("right"));
        (governor, person, mark)
    }

    fn go(ways: &[SignInMethod]) -> Turn {
        Turn::Go {
            ways: ways.to_vec(),
            skipped: vec![],
        }
    }

    #[test]
    fn a_person_is_one_however_the_email_is_written() {
        let (governor, person, _) = governor();
        assert_eq!(governor.person("ann@example.org"), person);
        assert_ne!(governor.person("bob@example.org"), person);
    }

    #[test]
    fn the_day_has_its_count_and_rolls_on() {
        let (mut governor, person, mark) = governor();
        governor.reached(person, at(0));
        governor.reached(person, at(100));
        let full = Turn::Refused(SignInRefusal::TooManyToday { until: at(86_400) });
        assert_eq!(governor.turn(person, mark, at(200)), full);
        let other = governor.person("bob@example.org");
        assert_eq!(governor.turn(other, mark, at(200)), go(&SignInMethod::ALL));
        assert_eq!(governor.turn(person, mark, at(86_400)), go(&SignInMethod::ALL));
    }

    #[test]
    fn a_wrong_password_is_not_sent_again_for_a_while() {
        let (mut governor, person, mark) = governor();
        governor.wrong_password(person, mark, at(0));
        assert_eq!(
            governor.turn(person, mark, at(60)),
            Turn::Refused(SignInRefusal::SamePasswordAgain)
        );
        let another = governor.mark(person, &Secret::new("another"));
        assert_eq!(governor.turn(person, another, at(60)), go(&SignInMethod::ALL));
        assert_eq!(governor.turn(person, mark, at(900)), go(&SignInMethod::ALL));
    }

    #[test]
    fn a_throttled_way_is_left_out_and_all_throttled_is_a_refusal() {
        let (mut governor, person, mark) = governor();
        governor.throttled(Some(SignInMethod::Mobile), Some(Duration::from_secs(60)), at(0));
        assert_eq!(
            governor.turn(person, mark, at(1)),
            Turn::Go {
                ways: vec![SignInMethod::Widget, SignInMethod::Portal],
                skipped: vec![(
                    SignInMethod::Mobile,
                    SignInRefusal::RateLimited { until: Some(at(60)) }
                )],
            }
        );
        governor.throttled(None, None, at(2));
        let refused = Turn::Refused(SignInRefusal::RateLimited {
            until: Some(at(3602)),
        });
        assert_eq!(governor.turn(person, mark, at(61)), refused);
        assert_eq!(governor.turn(person, mark, at(3602)), go(&SignInMethod::ALL));
    }

    #[test]
    fn a_shorter_wait_does_not_undo_a_longer_one() {
        let (mut governor, ..) = governor();
        governor.throttled(None, Some(Duration::from_secs(500)), at(0));
        governor.throttled(None, Some(Duration::from_secs(5)), at(0));
        assert_eq!(governor.free_at(), Some(at(500)));
    }

    #[test]
    fn a_way_whose_token_was_refused_comes_last() {
        let (mut governor, person, mark) = governor();
        governor.unfruitful(person, SignInMethod::Mobile, at(0));
        assert_eq!(
            governor.turn(person, mark, at(1)),
            go(&[SignInMethod::Widget, SignInMethod::Portal, SignInMethod::Mobile])
        );
        assert_eq!(governor.turn(person, mark, at(86_401)), go(&SignInMethod::ALL));
    }

    #[test]
    fn nothing_is_kept_of_people_who_are_long_gone() {
        let (mut governor, person, mark) = governor();
        governor.reached(person, at(0));
        governor.wrong_password(person, mark, at(0));
        governor.forget_old(at(200_000));
        assert!(governor.people.is_empty());
    }
}
