//! How often this gateway may sign people in at Garmin.
//!
//! Sign-ins are the scarcest resource here: Garmin throttles addresses for hours and locks accounts. So attempts are
//! counted per person and day, a throttled method is left alone for a while, and a password that Garmin called wrong is
//! not sent a second time. The queue and its spacing are in [`super::state`].
//!
//! A person is known by a keyed hash of the e-mail, a wrong password by a keyed hash of both. What reached Garmin
//! outlives a restart ([`super::ledger`]).
//!
//! Absent on purpose: any retry. Only people start sign-ins.

mod settings;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::method::SignInMethod;
use super::refusal::SignInRefusal;
use crate::base::secrets::{Secret, random_bytes, sha256};

pub use settings::GovernorSettings;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A person as the governor knows one: a keyed hash of the e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PersonKey([u8; 32]);

impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A keyed hash of e-mail and password.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CredentialsHash([u8; 32]);

pub(super) struct Governor {
    pub(super) settings: GovernorSettings,
    shared: SharedLimits,
    people: HashMap<PersonKey, PersonHistory>,
}

/// What applies to everybody. Stored; the field names are the record's.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SharedLimits {
    /// The key of all hashes.
    key: [u8; 32],
    /// Throttled methods, and until when they are left alone.
    cooling: BTreeMap<SignInMethod, Timestamp>,
}

/// One person's attempts. Stored; the field names are the record's.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct PersonHistory {
    /// When attempts reached Garmin, oldest first.
    reached: Vec<Timestamp>,
    wrong: Vec<(CredentialsHash, Timestamp)>,
    /// Methods whose tokens the API refused, and when. They are tried last.
    unfruitful: Vec<(SignInMethod, Timestamp)>,
}

impl PersonHistory {
    pub(super) fn last_changed(&self) -> Option<Timestamp> {
        let wrong = self.wrong.iter().map(|(_, at)| at);
        let unfruitful = self.unfruitful.iter().map(|(_, at)| at);
        self.reached.iter().chain(wrong).chain(unfruitful).max().copied()
    }
}

/// Whether a sign-in may go to Garmin, and by which methods.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Granted {
        /// In the order to try.
        methods: Vec<SignInMethod>,
        /// The methods left out, each with its reason.
        skipped: Vec<(SignInMethod, SignInRefusal)>,
    },
    /// Nothing may be sent.
    Refused(SignInRefusal),
}

impl Governor {
    pub(super) fn new(settings: GovernorSettings) -> Self {
        let shared = SharedLimits {
            key: random_bytes(),
            cooling: BTreeMap::new(),
        };
        Self::restore(settings, shared, [])
    }

    /// A governor that goes on from the records of the last start.
    pub(super) fn restore(
        settings: GovernorSettings,
        shared: SharedLimits,
        people: impl IntoIterator<Item = (PersonKey, PersonHistory)>,
    ) -> Self {
        Self {
            settings,
            shared,
            people: people.into_iter().collect(),
        }
    }

    /// What to write down for [`Governor::restore`] after a change that concerned this person.
    pub(super) fn records(&self, person: PersonKey) -> (SharedLimits, PersonHistory) {
        let history = self.people.get(&person).cloned().unwrap_or_default();
        (self.shared.clone(), history)
    }

    /// The same person however the e-mail is written.
    pub(super) fn person(&self, email: &str) -> PersonKey {
        PersonKey(self.keyed_hash(&[b"person", email.trim().to_lowercase().as_bytes()]))
    }

    pub(super) fn credentials_hash(&self, person: PersonKey, password: &Secret) -> CredentialsHash {
        CredentialsHash(self.keyed_hash(&[b"password", &person.0, password.expose().as_bytes()]))
    }

    /// Whether this person may sign in with this password now.
    pub(super) fn admit(
        &mut self,
        person: PersonKey,
        credentials: CredentialsHash,
        now: Timestamp,
    ) -> Admission {
        self.drop_expired(now);
        let history = self.people.get(&person);
        if history.is_some_and(|history| history.wrong.iter().any(|(wrong, _)| *wrong == credentials)) {
            return Admission::Refused(SignInRefusal::SamePasswordAgain);
        }
        if let Some(until) = history.and_then(|history| self.day_is_full_until(history)) {
            return Admission::Refused(SignInRefusal::TooManyToday { until });
        }
        let (skipped, mut methods): (Vec<_>, Vec<_>) = SignInMethod::ALL
            .into_iter()
            .partition(|method| self.shared.cooling.contains_key(method));
        if methods.is_empty() {
            return Admission::Refused(SignInRefusal::RateLimited {
                until: self.all_cooling_until(),
            });
        }
        methods.sort_by_key(|method| {
            history.is_some_and(|history| history.unfruitful.iter().any(|(other, _)| other == method))
        });
        let reason = |method: SignInMethod| SignInRefusal::RateLimited {
            until: self.shared.cooling.get(&method).copied(),
        };
        Admission::Granted {
            methods,
            skipped: skipped
                .into_iter()
                .map(|method| (method, reason(method)))
                .collect(),
        }
    }

    /// When there is room for another attempt; `None` when there is room now.
    fn day_is_full_until(&self, history: &PersonHistory) -> Option<Timestamp> {
        let daily = usize::try_from(self.settings.daily).unwrap_or(usize::MAX);
        let excess = history.reached.len().checked_sub(daily)?;
        // The attempt that must be a day old before there is room again.
        let blocking = history.reached.get(excess).or(history.reached.last());
        blocking.map(|at| later(*at, DAY))
    }

    /// Counts an attempt that is about to be sent. One that times out may have been read all the same.
    pub(super) fn count_attempt(&mut self, person: PersonKey, now: Timestamp) {
        self.people.entry(person).or_default().reached.push(now);
    }

    /// Takes back the last count: there was no connection to send the attempt on.
    pub(super) fn uncount_attempt(&mut self, person: PersonKey) {
        if let Some(history) = self.people.get_mut(&person) {
            history.reached.pop();
        }
    }

    /// Counts an attempt that was declined without asking Garmin like one that Garmin refused, unless that would make
    /// more than `max_people` known.
    pub(super) fn count_declined(
        &mut self,
        person: PersonKey,
        credentials: CredentialsHash,
        now: Timestamp,
        max_people: usize,
    ) {
        if self.people.len() < max_people || self.people.contains_key(&person) {
            self.count_attempt(person, now);
            self.wrong_password(person, credentials, now);
        }
    }

    /// Garmin called this password wrong.
    pub(super) fn wrong_password(&mut self, person: PersonKey, credentials: CredentialsHash, now: Timestamp) {
        let history = self.people.entry(person).or_default();
        history.wrong.push((credentials, now));
    }

    /// The API refused the token that this method led to.
    pub(super) fn token_refused(&mut self, person: PersonKey, method: SignInMethod, now: Timestamp) {
        let history = self.people.entry(person).or_default();
        history.unfruitful.retain(|(known, _)| *known != method);
        history.unfruitful.push((method, now));
    }

    /// Garmin asked for fewer requests of one method, or (`None`) of all.
    pub(super) fn throttled(
        &mut self,
        method: Option<SignInMethod>,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Timestamp {
        let wait = SignedDuration::try_from(retry_after.unwrap_or(self.settings.cool_down)).unwrap_or(DAY);
        let until = later(now, wait);
        for method in method.map_or_else(|| SignInMethod::ALL.to_vec(), |method| vec![method]) {
            let cooling = self.shared.cooling.entry(method).or_insert(until);
            *cooling = until.max(*cooling);
        }
        until
    }

    /// When the first method may be used again; `None` when one may be used now.
    pub(super) fn all_cooling_until(&self) -> Option<Timestamp> {
        let cooling = &self.shared.cooling;
        let all = SignInMethod::ALL
            .iter()
            .all(|method| cooling.contains_key(method));
        cooling.values().min().copied().filter(|_| all)
    }

    /// Adds to a refusal the time that only the governor knows.
    pub(super) fn with_retry_time(&self, refusal: SignInRefusal) -> SignInRefusal {
        match refusal {
            SignInRefusal::RateLimited { .. } => SignInRefusal::RateLimited {
                until: self.all_cooling_until(),
            },
            other => other,
        }
    }

    fn drop_expired(&mut self, now: Timestamp) {
        self.shared.cooling.retain(|_, until| *until > now);
        let memory = SignedDuration::try_from(self.settings.wrong_password_memory).unwrap_or(DAY);
        let is_young = |at: &Timestamp, age: SignedDuration| now.duration_since(*at) < age;
        self.people.retain(|_, history| {
            history.reached.retain(|at| is_young(at, DAY));
            history.wrong.retain(|(_, at)| is_young(at, memory));
            history.unfruitful.retain(|(_, at)| is_young(at, DAY));
            history.last_changed().is_some()
        });
    }

    fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let len = parts
            .iter()
            .map(|part| part.len() + size_of::<usize>())
            .sum::<usize>();
        // Allocated once: a buffer that grew would leave a password behind.
        let mut data = zeroize::Zeroizing::new(Vec::with_capacity(self.shared.key.len() + len));
        data.extend_from_slice(&self.shared.key);
        for part in parts {
            // Each part's length comes first, so that no two lists of parts read the same.
            data.extend_from_slice(&part.len().to_be_bytes());
            data.extend_from_slice(part);
        }
        sha256(&data)
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn governor() -> (Governor, PersonKey, CredentialsHash) {
        let governor = Governor::new(GovernorSettings {
            daily: 2,
            ..GovernorSettings::default()
        });
        let person = governor.person("Ann@Example.org ");
        let credentials = governor.credentials_hash(person, &Secret::new("right"));
        (governor, person, credentials)
    }

    fn granted(methods: &[SignInMethod]) -> Admission {
        Admission::Granted {
            methods: methods.to_vec(),
            skipped: vec![],
        }
    }

    #[test]
    fn an_e_mail_is_the_same_person_however_it_is_written() {
        let (governor, person, _) = governor();
        assert_eq!(governor.person("ann@example.org"), person);
        assert_ne!(governor.person("bob@example.org"), person);
    }

    #[test]
    fn attempts_are_counted_over_the_last_24_hours() {
        let (mut governor, person, credentials) = governor();
        governor.count_attempt(person, at(0));
        governor.count_attempt(person, at(100));
        let full = Admission::Refused(SignInRefusal::TooManyToday { until: at(86_400) });
        assert_eq!(governor.admit(person, credentials, at(200)), full);
        let other = governor.person("bob@example.org");
        assert_eq!(
            governor.admit(other, credentials, at(200)),
            granted(&SignInMethod::ALL)
        );
        assert_eq!(
            governor.admit(person, credentials, at(86_400)),
            granted(&SignInMethod::ALL)
        );
    }

    #[test]
    fn a_wrong_password_is_not_sent_again_for_a_while() {
        let (mut governor, person, credentials) = governor();
        governor.wrong_password(person, credentials, at(0));
        assert_eq!(
            governor.admit(person, credentials, at(60)),
            Admission::Refused(SignInRefusal::SamePasswordAgain)
        );
        let another = governor.credentials_hash(person, &Secret::new("another"));
        assert_eq!(
            governor.admit(person, another, at(60)),
            granted(&SignInMethod::ALL)
        );
        assert_eq!(
            governor.admit(person, credentials, at(900)),
            granted(&SignInMethod::ALL)
        );
    }

    #[test]
    fn a_throttled_method_is_left_out_and_all_throttled_is_a_refusal() {
        let (mut governor, person, credentials) = governor();
        governor.throttled(Some(SignInMethod::Mobile), Some(Duration::from_secs(60)), at(0));
        assert_eq!(
            governor.admit(person, credentials, at(1)),
            Admission::Granted {
                methods: vec![SignInMethod::Widget, SignInMethod::Portal],
                skipped: vec![(
                    SignInMethod::Mobile,
                    SignInRefusal::RateLimited { until: Some(at(60)) }
                )],
            }
        );
        governor.throttled(None, None, at(2));
        let refused = Admission::Refused(SignInRefusal::RateLimited {
            until: Some(at(3602)),
        });
        assert_eq!(governor.admit(person, credentials, at(61)), refused);
        assert_eq!(
            governor.admit(person, credentials, at(3602)),
            granted(&SignInMethod::ALL)
        );
    }

    #[test]
    fn a_shorter_wait_does_not_undo_a_longer_one() {
        let (mut governor, ..) = governor();
        governor.throttled(None, Some(Duration::from_secs(500)), at(0));
        governor.throttled(None, Some(Duration::from_secs(5)), at(0));
        assert_eq!(governor.all_cooling_until(), Some(at(500)));
    }

    #[test]
    fn a_method_whose_token_was_refused_comes_last() {
        let (mut governor, person, credentials) = governor();
        governor.token_refused(person, SignInMethod::Mobile, at(0));
        assert_eq!(
            governor.admit(person, credentials, at(1)),
            granted(&[SignInMethod::Widget, SignInMethod::Portal, SignInMethod::Mobile])
        );
        assert_eq!(
            governor.admit(person, credentials, at(86_401)),
            granted(&SignInMethod::ALL)
        );
    }

    #[test]
    fn people_are_forgotten_when_their_records_expire() {
        let (mut governor, person, credentials) = governor();
        governor.count_attempt(person, at(0));
        governor.wrong_password(person, credentials, at(0));
        governor.drop_expired(at(200_000));
        assert!(governor.people.is_empty());
    }
}
