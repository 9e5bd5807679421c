//! Whether a time of day is that of a moment of the race.

use super::evidence::{Allowed, ClaimVerdict, check};
use super::facts::RaceFacts;
use super::known::{FactKind, KnownFact, times};
use super::lexicon::Tag;
use super::quantity::{Measure, Reading};
use super::roles::Roles;
use super::terms::Reference;

const HALF_DAY_S: f64 = 43_200.0;

/// `at twenty past ten`: before noon it may also be meant for the afternoon.
pub(super) fn time_of_day(
    reading: Reading,
    to: Option<Reading>,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    if roles.mood.is_some() || facts.start_of_day_s.is_none() {
        return Ok(());
    }
    let as_time = |reading: Reading, later_s: f64| Reading {
        measure: Measure::Duration,
        value: reading.value + later_s,
        ..reading
    };
    let known = times(roles, facts);
    let is_later = reading.value < HALF_DAY_S;
    let mut shifts = [Some(0.0), is_later.then_some(HALF_DAY_S)].into_iter().flatten();
    // "Malga Sole shuts at half past eight."
    let is_cutoff = roles.reference() == Some(Reference::Cutoff) && !roles.has(Tag::Athlete);
    let holds = shifts.any(|later_s| {
        let to = to.map(|to| as_time(to, later_s));
        let allowed = Allowed::time(as_time(reading, later_s), to, roles.bound);
        known.iter().any(|fact| {
            (!is_cutoff || fact.kind == FactKind::Cutoff)
                && is_by_day(fact, allowed, facts)
                && (agrees(fact, roles, facts) || fact.may_come_later(roles))
        })
    });
    check(holds, "the data has another time of day for this")
}

/// Whether a moment of the race has this time of day.
pub(super) fn is_by_day(fact: &KnownFact, allowed: Allowed, facts: &RaceFacts) -> bool {
    let start_s = facts.start_of_day_s.filter(|_| fact.kind.is_moment());
    start_s.is_some_and(|start_s| allowed.meets(fact.low + start_s, fact.high + start_s))
}

pub(super) fn agrees(fact: &KnownFact, roles: &Roles, facts: &RaceFacts) -> bool {
    fact.agrees(roles, facts) || fact.may_be(roles, facts)
}
