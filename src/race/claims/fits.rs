//! A second look at a number that its clause has pinned to the wrong thing: it passes if something in the race has that
//! value, and nothing in the clause speaks against its being meant.

use super::catalogue::{FactTense, KnownFact, known_facts};
use super::claim::{ClaimFrame, ClaimScope, Progress, Reference, Sense, When};
use super::durations;
use super::evidence::{Allowed, metric_of, tolerance};
use super::facts::RaceFacts;
use super::quantity::{Measure, Reading};

/// Whether `reading` is the value of anything in the race that the clause may mean.
pub(super) fn fits(reading: Reading, to: Option<Reading>, frame: &ClaimFrame, facts: &RaceFacts) -> bool {
    let allowed = match reading.measure {
        Measure::Duration => durations::allowed(reading, to, frame.bound),
        Measure::Distance => {
            let exact = (reading.step * 0.55).max(reading.value * 0.004).max(25.0);
            Allowed::new(reading, to, exact, frame.bound)
        }
        measure => match metric_of(measure) {
            Some(metric) => Allowed::new(reading, to, tolerance(metric, reading.value), frame.bound),
            None => return false,
        },
    };
    // "T2 took 3:20"
    let is_no_leg = |kind| facts.leg_index(kind, frame.leg_number).is_none();
    if frame.leg_number.is_some() && frame.when != Some(When::Future) && frame.leg.is_some_and(is_no_leg) {
        return false;
    }
    let known = known_facts(reading, facts);
    known
        .iter()
        .filter(|fact| {
            fact.measure == reading.measure
                || metric_of(fact.measure).is_some() && metric_of(fact.measure) == metric_of(reading.measure)
        })
        .any(|fact| allowed.meets(fact.low, fact.high) && agrees(fact, frame))
}

/// Whether what the clause says around a number allows this fact.
fn agrees(fact: &KnownFact, frame: &ClaimFrame) -> bool {
    let side = |sense: Sense| sense.is_more();
    let is_side = match (frame.sense, fact.sense) {
        (Some(Sense::Same) | None, _) => true,
        (Some(own), Some(sense)) => side(own) == side(sense),
        (Some(_), None) => false,
    };
    let is_future = fact.tense == FactTense::Future;
    let is_length = fact.measure == Measure::Distance;
    let is_tense = match frame.when {
        Some(When::Future) if is_length && is_future => !frame.reached,
        Some(When::Perfect) => !is_future || frame.progress.is_some(),
        // Nobody tells when something will be without a word for it.
        Some(When::Present) if is_future && !is_length => {
            frame.progress.is_some() || frame.from_here || is_at(fact, frame)
        }
        Some(When::Future) => {
            matches!(fact.tense, FactTense::Future | FactTense::Always) || fact.sense.is_some()
        }
        Some(When::Past) => fact.tense != FactTense::Future,
        Some(When::Now) => {
            fact.tense == FactTense::Now || (is_future && (is_length || frame.progress.is_some()))
        }
        _ => true,
    };
    let is_place = match (
        frame.own_place.then_some(frame.checkpoint).flatten(),
        frame.own_scope.then_some(frame.scope).flatten(),
    ) {
        (Some(place), _) => fact.place == Some(place),
        (None, Some(ClaimScope::Mark(metres))) => {
            fact.at_m.is_some_and(|at_m| (at_m - metres).abs() <= 400.0)
        }
        (None, Some(ClaimScope::Race | ClaimScope::Window)) => true,
        (None, Some(_)) => false,
        (None, None) => fact.place.is_none() || fact.place == frame.checkpoint,
    };
    let is_leg = !frame.own_leg || fact.leg == frame.leg || (frame.leg.is_none() && fact.leg.is_none());
    let is_reference = match frame.reference {
        None => match fact.reference {
            Some(Reference::Plan) => frame.sense.is_some(),
            Some(Reference::Cutoff) => {
                frame.reference_before == Some(Reference::Cutoff)
                    || (frame.sense.is_some() && is_at(fact, frame))
            }
            _ => true,
        },
        own => fact.reference == own,
    };
    let is_total = !fact.is_total || frame.scope == Some(ClaimScope::Race);
    is_side
        && is_total
        && !(fact.is_rest && frame.reached)
        && is_tense
        && is_place
        && is_leg
        && is_reference
        && frame
            .stat
            .is_none_or(|_| metric_of(fact.measure).is_some() && fact.is_mean)
        && frame.progress.is_none_or(|own| {
            fact.progress == Some(own)
                || (own == Progress::Done && !is_future && !is_length && fact.progress.is_none())
        })
        && (frame.standing == fact.is_stop || (frame.standing && !frame.own_standing))
        && (!frame.silent || fact.is_silence)
        && !frame.not
}

/// Whether the clause names the place of the fact.
fn is_at(fact: &KnownFact, frame: &ClaimFrame) -> bool {
    fact.place.is_some() && frame.own_place && fact.place == frame.checkpoint
}
