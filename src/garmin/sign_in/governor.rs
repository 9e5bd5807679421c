//! Limits how often this gateway may sign people in at Garmin.
//!
//! Sign-ins are the scarcest resource here: Garmin throttles addresses for hours and locks accounts. So attempts are
//! counted per day, a throttled method is not used for a while, and a password that Garmin called wrong is not sent a
//! second time. The queue and its spacing are in [`super::state`].
//!
//! Attempts count per person and source (the network address they came from), and per person over all sources. A
//! stranger who uses up the attempts of one address leaves some for other addresses, and more for those from which the
//! person has signed in before.
//!
//! People, sources and wrong passwords are identified by keyed hashes. The record of what reached Garmin survives a
//! restart ([`super::ledger`]).
//!
//! Absent on purpose: automatic retries. Only people start sign-ins.

mod settings;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::method::SignInMethod;
use super::refusal::SignInRefusal;
use crate::base::secrets::{Secret, random_bytes, sha256};
use crate::base::source::network;

pub use settings::GovernorSettings;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long a source stays known after a sign-in from it.
const SOURCE_MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Upper bound of known sources per person: home, phone, work, and a few more.
const MAX_KNOWN_SOURCES: usize = 8;

/// Identifies a person in the governor: a keyed hash of the e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct PersonKey([u8; 32]);

impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A keyed hash of the network that an attempt came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SourceKey([u8; 32]);

/// A keyed hash of e-mail and password.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CredentialsHash([u8; 32]);

pub(super) struct Governor {
    pub(super) settings: GovernorSettings,
    shared: SharedLimits,
    people: HashMap<PersonKey, PersonHistory>,
}

/// The state that applies to everybody. It is stored, so the field names are fixed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SharedLimits {
    /// The secret key of all hashes.
    key: [u8; 32],
    /// Throttled methods, each with the time until which it is not used.
    cooling: BTreeMap<SignInMethod, Timestamp>,
}

/// One person's attempts. They are stored, so the field names are fixed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct PersonHistory {
    /// The times of the attempts that reached Garmin, oldest first.
    reached: Vec<Timestamp>,
    wrong: Vec<(CredentialsHash, Timestamp)>,
    /// Methods whose tokens the API refused, each with the time. They are tried last.
    unfruitful: Vec<(SignInMethod, Timestamp)>,
    /// The sources of the attempts, where known, oldest first.
    #[serde(default)]
    reached_from: Vec<(SourceKey, Timestamp)>,
    /// The sources of successful sign-ins, each with the time of the last one.
    #[serde(default)]
    known_sources: Vec<(SourceKey, Timestamp)>,
}

impl PersonHistory {
    /// When the history stops affecting what the person may do; `None` for an empty one.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        let wrong = self.wrong.iter().map(|(_, at)| at);
        let unfruitful = self.unfruitful.iter().map(|(_, at)| at);
        let attempts = self.reached.iter().chain(wrong).chain(unfruitful);
        let sources = self.known_sources.iter().map(|(_, at)| later(*at, SOURCE_MEMORY));
        attempts.map(|at| later(*at, DAY)).chain(sources).max()
    }

    fn is_known(&self, source: Option<SourceKey>) -> bool {
        source.is_some_and(|source| self.known_sources.iter().any(|(known, _)| *known == source))
    }
}

/// Whether a sign-in may go to Garmin, and by which methods.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SignInAdmission {
    Granted {
        /// The methods in the order to try.
        methods: Vec<SignInMethod>,
        /// The methods left out, each with its reason.
        skipped: Vec<(SignInMethod, SignInRefusal)>,
    },
    /// No request may be sent.
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

    /// Creates a governor that continues from stored records.
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

    /// The records to store for [`Governor::restore`] after a change that affected this person.
    pub(super) fn records(&self, person: PersonKey) -> (SharedLimits, PersonHistory) {
        let history = self.people.get(&person).cloned().unwrap_or_default();
        (self.shared.clone(), history)
    }

    /// The key of a person, which is the same for every spelling of the e-mail.
    pub(super) fn person(&self, email: &str) -> PersonKey {
        PersonKey(self.keyed_hash(&[b"person", email.trim().to_lowercase().as_bytes()]))
    }

    pub(super) fn credentials_hash(&self, person: PersonKey, password: &Secret) -> CredentialsHash {
        CredentialsHash(self.keyed_hash(&[b"password", &person.0, password.expose().as_bytes()]))
    }

    /// The key of a source, which is the same for all addresses of one subscriber.
    pub(super) fn source(&self, address: IpAddr) -> SourceKey {
        SourceKey(self.keyed_hash(&[b"source", network(address).to_string().as_bytes()]))
    }

    /// Whether this person may sign in with this password from this source now.
    pub(super) fn admit(
        &mut self,
        person: PersonKey,
        credentials: CredentialsHash,
        source: Option<SourceKey>,
        now: Timestamp,
    ) -> SignInAdmission {
        self.drop_expired(now);
        let history = self.people.get(&person);
        if history.is_some_and(|history| history.wrong.iter().any(|(wrong, _)| *wrong == credentials)) {
            return SignInAdmission::Refused(SignInRefusal::SamePasswordAgain);
        }
        if let Some(until) = history.and_then(|history| self.day_is_full_until(history, source)) {
            return SignInAdmission::Refused(SignInRefusal::TooManyToday { until });
        }
        let (skipped, mut methods): (Vec<_>, Vec<_>) = SignInMethod::ALL
            .into_iter()
            .partition(|method| self.shared.cooling.contains_key(method));
        if methods.is_empty() {
            return SignInAdmission::Refused(SignInRefusal::RateLimited {
                until: self.all_cooling_until(),
            });
        }
        methods.sort_by_key(|method| {
            history.is_some_and(|history| history.unfruitful.iter().any(|(other, _)| other == method))
        });
        let reason = |method: SignInMethod| SignInRefusal::RateLimited {
            until: self.shared.cooling.get(&method).copied(),
        };
        SignInAdmission::Granted {
            methods,
            skipped: skipped
                .into_iter()
                .map(|method| (method, reason(method)))
                .collect(),
        }
    }

    /// When the next attempt from this source is allowed; `None` when one is allowed now.
    ///
    /// One source gets the attempts of a day. All sources together get half as many again, so that no single source
    /// can lock the person out. Sources from which the person has signed in get another half, reserved for them.
    fn day_is_full_until(&self, history: &PersonHistory, source: Option<SourceKey>) -> Option<Timestamp> {
        let daily = usize::try_from(self.settings.daily).unwrap_or(usize::MAX);
        let half = (daily / 2).max(1);
        let in_all = daily.saturating_add(if history.is_known(source) { 2 * half } else { half });
        let Some(source) = source else {
            return full_until(&history.reached, daily);
        };
        let from_here = history.reached_from.iter().filter(|(from, _)| *from == source);
        let from_here: Vec<Timestamp> = from_here.map(|(_, at)| *at).collect();
        full_until(&from_here, daily).max(full_until(&history.reached, in_all))
    }

    /// Counts an attempt before it is sent, because Garmin may have read even one that times out.
    pub(super) fn count_attempt(&mut self, person: PersonKey, source: Option<SourceKey>, now: Timestamp) {
        let history = self.people.entry(person).or_default();
        history.reached.push(now);
        history.reached_from.extend(source.map(|source| (source, now)));
    }

    /// Undoes the last count, because the attempt was never sent: there was no connection.
    pub(super) fn uncount_attempt(&mut self, person: PersonKey, source: Option<SourceKey>) {
        if let Some(history) = self.people.get_mut(&person) {
            history.reached.pop();
            if source.is_some() {
                history.reached_from.pop();
            }
        }
    }

    /// Records a successful sign-in, so that attempts from this source count as the person's own.
    pub(super) fn signed_in(&mut self, person: PersonKey, source: Option<SourceKey>, now: Timestamp) {
        let Some(source) = source else { return };
        let known = &mut self.people.entry(person).or_default().known_sources;
        known.retain(|(other, _)| *other != source);
        known.push((source, now));
        let excess = known.len().saturating_sub(MAX_KNOWN_SOURCES);
        known.drain(..excess);
    }

    /// Counts an attempt that was declined without asking Garmin, like one that Garmin refused. The attempt is not
    /// counted if the governor would then know more than `max_people` people.
    pub(super) fn count_declined(
        &mut self,
        person: PersonKey,
        credentials: CredentialsHash,
        source: Option<SourceKey>,
        now: Timestamp,
        max_people: usize,
    ) {
        if self.people.len() < max_people || self.people.contains_key(&person) {
            self.count_attempt(person, source, now);
            self.wrong_password(person, credentials, now);
        }
    }

    /// Records that Garmin called this password wrong.
    pub(super) fn wrong_password(&mut self, person: PersonKey, credentials: CredentialsHash, now: Timestamp) {
        let history = self.people.entry(person).or_default();
        history.wrong.push((credentials, now));
    }

    /// Records that the API refused the token from this method.
    pub(super) fn token_refused(&mut self, person: PersonKey, method: SignInMethod, now: Timestamp) {
        let history = self.people.entry(person).or_default();
        history.unfruitful.retain(|(known, _)| *known != method);
        history.unfruitful.push((method, now));
    }

    /// Records that Garmin asked for fewer requests: of one method, or (`None`) of all.
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

    /// Adds the retry time, which only the governor knows, to a refusal.
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
            history.reached_from.retain(|(_, at)| is_young(at, DAY));
            history
                .known_sources
                .retain(|(_, at)| is_young(at, SOURCE_MEMORY));
            history.expires_at().is_some()
        });
    }

    fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let len = parts
            .iter()
            .map(|part| part.len() + size_of::<usize>())
            .sum::<usize>();
        // Allocated once, because a buffer that grows would leave a password behind.
        let mut data = zeroize::Zeroizing::new(Vec::with_capacity(self.shared.key.len() + len));
        data.extend_from_slice(&self.shared.key);
        for part in parts {
            // The length of each part precedes it, so that no two lists of parts give the same bytes.
            data.extend_from_slice(&part.len().to_be_bytes());
            data.extend_from_slice(part);
        }
        sha256(&data)
    }
}

/// When the oldest of the last `limit` attempts is a day old; `None` when there are fewer.
fn full_until(attempts: &[Timestamp], limit: usize) -> Option<Timestamp> {
    let excess = attempts.len().checked_sub(limit)?;
    let blocking = attempts.get(excess).or(attempts.last());
    blocking.map(|at| later(*at, DAY))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
