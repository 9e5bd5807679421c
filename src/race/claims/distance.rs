//! Whether a distance or a height is right.

use super::evidence::{Allowed, ClaimVerdict, check};
use super::facts::RaceFacts;
use super::known::lengths;
use super::lexicon::{ScopeWord, Tag};
use super::quantity::Reading;
use super::roles::Roles;
use super::terms::{ClaimMetric, ClaimScope};

pub(super) fn distance(
    reading: Reading,
    to: Option<Reading>,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let allowed = Allowed::distance(reading, to, roles.bound);
    let is_rate = roles.has(Tag::Scope(ScopeWord::Each));
    // "You passed Velden 5.8 km ago."
    let passed = roles.place().and_then(|index| facts.places.get(index));
    if let Some(place) = passed.filter(|_| roles.has(Tag::Ago)) {
        let lag_m = facts.progress_m - facts.progress_before_m;
        let since_m = facts.progress_m - place.at_m;
        return check(
            allowed.meets(since_m - lag_m, since_m),
            "that place is not so far back",
        );
    }
    if is_rate || (roles.has(Tag::Ago) && reading.value <= facts.progress_m) {
        return Ok(());
    }
    let is_height = matches!(roles.metric(), Some(ClaimMetric::Ascent | ClaimMetric::Altitude));
    if is_height && reading.step < 100.0 {
        let known = facts
            .legs
            .iter()
            .filter_map(|leg| leg.span.ascent_m)
            .chain([facts.ascent_m])
            .chain(facts.altitude_m);
        let allowed = Allowed::new(reading, to, (reading.value * 0.03).max(10.0), roles.bound);
        return check(
            roles.mood.is_some() || known.into_iter().any(|m| allowed.has(m)),
            "the data shows another height",
        );
    }
    let is_next = roles.scope() == Some(ClaimScope::Next) && roles.place().is_none();
    if roles.mood.is_some() || is_next {
        let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
        return check(
            reading.value <= whole_m * 1.004 + 25.0,
            "that is more than the whole way",
        );
    }
    if let Some(ClaimScope::Ago(ago_s)) = roles.scope() {
        let then_s = facts.passed_s(reading.value).unwrap_or(f64::INFINITY);
        let apart_s = (facts.elapsed_s - ago_s - then_s).abs();
        return check(
            apart_s <= ago_s * 0.1 + 60.0,
            "the athlete was elsewhere at that time",
        );
    }
    // "in the space of three kilometres": so far in this race there are that many.
    let is_span = reading.step >= 1000.0 && reading.value <= facts.leg_progress_m();
    let is_said = roles.progress().is_some() || roles.place().is_some() || roles.is_future();
    let is_unsaid = roles.has_any(&[Tag::Finish, Tag::FromHere, Tag::Position, Tag::Reached, Tag::In]);
    let is_pace =
        roles.has_any(&[Tag::SplitNoun, Tag::Metric(ClaimMetric::Pace)]) || roles.find(Tag::trend).is_some();
    if is_span && is_pace && !is_said && !is_unsaid && roles.leg().is_none() {
        return Ok(());
    }
    let holds = lengths(roles, facts).iter().any(|fact| {
        allowed.meets(fact.low, fact.high)
            && (fact.agrees(roles, facts)
                || ((roles.has_unknown || reading.step <= 100.0) && fact.may_be(roles, facts)))
    });
    check(
        holds || (roles.scope().is_none() && facts.was_told(reading, roles)),
        &format!("the distance so far is {:.1} km", facts.progress_m / 1000.0),
    )
}
