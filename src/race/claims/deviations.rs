//! Claims about how far the athlete is from the plan or a cut-off, and how far two parts of the race are apart.

use super::claim::{Bound, ClaimFrame, ClaimMetric, ClaimScope, Reference, Sense};
use super::durations::allowed;
use super::evidence::{Allowed, ClaimVerdict, check, spans, tolerance};
use super::facts::{RaceFacts, RaceSpan};
use super::quantity::{Measure, Reading};
use crate::race::text;

/// Deviations from an even plan below this count as on the plan.
const ON_PLAN_S: f64 = 60.0;

/// How far ahead of or behind the plan or a cut-off.
pub(super) fn difference(
    reading: Reading,
    to: Option<Reading>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    // "more than an hour" may be much more.
    let far = Reading {
        value: reading.value * 10.0,
        ..reading
    };
    let to = to.or(Some(far).filter(|_| frame.bound == Bound::AtLeast));
    let bound = if frame.bound == Bound::AtLeast {
        Bound::Exact
    } else {
        frame.bound
    };
    let allowed = allowed(reading, to, bound);
    let by_cutoff = facts.ahead_s().is_none() && facts.places.iter().any(|place| place.cutoff_s.is_some());
    if frame.reference == Some(Reference::Cutoff) || (frame.reference.is_none() && by_cutoff) {
        let places = facts
            .places
            .iter()
            .enumerate()
            .filter(|(index, _)| frame.checkpoint.is_none_or(|at| at == *index));
        let sign = if frame.sense == Some(Sense::Behind) {
            -1.0
        } else {
            1.0
        };
        let holds = places
            .filter_map(|(_, place)| Some((place, place.cutoff_s?)))
            .any(|(place, cutoff_s)| match facts.passed_s(place.at_m) {
                Some(at_s) => {
                    allowed.has((cutoff_s - at_s) * sign) || allowed.has((cutoff_s - facts.elapsed_s) * sign)
                }
                None => facts.reaches_s(place.at_m).is_some_and(|(early, late)| {
                    allowed.meets((cutoff_s - late) * sign, (cutoff_s - early) * sign)
                        || (sign > 0.0 && allowed.has(cutoff_s - facts.elapsed_s))
                }),
            });
        return check(holds, "the margin to the cut-off is another");
    }
    let Some(ahead_s) = facts.ahead_s() else {
        return check(facts.was_told(reading, frame), "there is no plan to compare with");
    };
    let said = match frame.sense {
        Some(Sense::Behind | Sense::Slower) => -ahead_s,
        _ => ahead_s,
    };
    // The plan is even; the rules may know a better one.
    let is_near = allowed.meets(said - 15.0, said + 15.0);
    check(
        is_near || facts.was_told(reading, frame),
        &format!(
            "the plan is {} {}",
            text::time(ahead_s.abs()),
            if ahead_s >= 0.0 {
                "behind the athlete"
            } else {
                "ahead of the athlete"
            }
        ),
    )
}

/// Ahead of or behind the plan or a cut-off, without a number.
pub(super) fn against_plan(
    sense: Sense,
    reference: Option<Reference>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let has_cutoff = facts.places.iter().any(|place| place.cutoff_s.is_some());
    if reference == Some(Reference::Cutoff)
        || (reference.is_none() && has_cutoff && facts.ahead_s().is_none())
    {
        let places = facts
            .places
            .iter()
            .enumerate()
            .filter(|(index, _)| frame.checkpoint.is_none_or(|at| at == *index));
        let mut margins = places.filter_map(|(_, place)| {
            let cutoff_s = place.cutoff_s?;
            let reached_s = facts
                .passed_s(place.at_m)
                .or_else(|| Some(facts.reaches_s(place.at_m)?.0))?;
            Some(cutoff_s - reached_s)
        });
        let is_ahead = margins.all(|margin| margin > 0.0);
        let claims_ahead = (sense != Sense::Behind) != frame.not;
        return check(
            is_ahead == claims_ahead,
            "the margin to the cut-off is the other way round",
        );
    }
    if reference == Some(Reference::Limit) {
        return Ok(());
    }
    let Some(ahead_s) = facts.ahead_s() else {
        return check(sense == Sense::Same, "there is no plan to compare with");
    };
    let holds = match sense.is_more() {
        None => ahead_s.abs() <= ON_PLAN_S.max(facts.elapsed_s * 0.04),
        Some(true) => ahead_s > 0.0,
        Some(false) => ahead_s < 0.0,
    };
    check(
        holds != frame.not || ahead_s.abs() < 20.0,
        if ahead_s >= 0.0 {
            "the athlete is ahead of the plan"
        } else {
            "the athlete is behind the plan"
        },
    )
}

/// `9 seconds faster than the first`
pub(super) fn apart(
    reading: Reading,
    left: &ClaimFrame,
    right: &ClaimFrame,
    metric: ClaimMetric,
    facts: &RaceFacts,
) -> ClaimVerdict {
    if right.scope.is_none() && right.stat.is_none() {
        // "than at the start" names no part that the data has.
        return Ok(());
    }
    let of = |frame: &ClaimFrame| match frame.scope {
        Some(scope) => spans(scope, frame, facts),
        None => Ok(facts.now()),
    };
    let right_scope = right.scope.or(Some(ClaimScope::Race));
    let (left, right) = (
        of(left)?,
        of(&ClaimFrame {
            scope: right_scope,
            ..right.clone()
        })?,
    );
    let allowed = match reading.measure {
        Measure::Duration => allowed(reading, None, Bound::Exact),
        Measure::PaceDifference => Allowed::new(reading, None, 2.0, Bound::Exact),
        Measure::Percent => Allowed::new(reading, None, 1.0, Bound::Exact),
        _ => Allowed::new(reading, None, tolerance(metric, reading.value), Bound::Exact),
    };
    let differs = |a: &RaceSpan, b: &RaceSpan| {
        let (va, vb) = (a.values(metric, None), b.values(metric, None));
        let (Some(va), Some(vb)) = (va.first(), vb.first()) else {
            return false;
        };
        let apart = match reading.measure {
            Measure::Duration => [
                (a.elapsed_s - b.elapsed_s).abs(),
                (1000.0 / va - 1000.0 / vb).abs(),
            ],
            Measure::PaceDifference => [(1000.0 / va - 1000.0 / vb).abs(); 2],
            Measure::Percent => [(va / vb - 1.0).abs() * 100.0, (vb / va - 1.0).abs() * 100.0],
            _ => [(va - vb).abs(); 2],
        };
        apart.into_iter().any(|apart| allowed.has(apart))
    };
    check(
        left.iter().any(|a| right.iter().any(|b| differs(a, b))),
        "the difference is another",
    )
}
