//! The paces that a plan asks for, and how far the paces of a race lie apart.

use super::evidence::spans;
use super::facts::{RaceFacts, RaceSpan};
use super::lexicon::Tag;
use super::quantity::Reading;
use super::roles::Roles;
use super::terms::{ClaimMetric, ClaimScope, Sense, When};

/// The speeds that the plan asks for: over the whole race, and over the rest of it.
pub(super) fn plan_speeds(facts: &RaceFacts) -> Vec<f64> {
    let whole = facts.target_s.zip(facts.whole_m);
    let whole = whole.map(|(target_s, whole_m)| whole_m / target_s);
    needed_speed(facts).into_iter().chain(whole).collect()
}

/// The speed over the remaining distance that meets the target.
pub(super) fn needed_speed(facts: &RaceFacts) -> Option<f64> {
    speed_for(facts.target_s?, facts)
}

/// The speeds that meet the target of a clause, or else that of the race: over what is left and, unless the clause says
/// "from here", over the whole.
pub(super) fn needed_speeds(roles: &Roles, facts: &RaceFacts) -> Vec<f64> {
    let goal_s = roles.find(|tag| if let Tag::Goal(s) = tag { Some(s) } else { None });
    let Some(target_s) = goal_s.or(facts.target_s) else {
        return cutoff_speeds(facts);
    };
    let whole = facts.whole_m.map(|whole_m| whole_m / target_s);
    let whole = whole.filter(|_| !roles.has(Tag::FromHere));
    let own = speed_for(target_s, facts).into_iter().chain(whole);
    own.chain(cutoff_speeds(facts)).collect()
}

/// The speeds that reach the checkpoints ahead before they close.
fn cutoff_speeds(facts: &RaceFacts) -> Vec<f64> {
    let ahead = facts.places.iter().filter(|place| place.at_m > facts.progress_m);
    let speeds = ahead.filter_map(|place| {
        let left_s = place.cutoff_s? - facts.elapsed_s;
        (left_s > 0.0).then_some((place.at_m - facts.progress_m) / left_s)
    });
    speeds.collect()
}

fn speed_for(target_s: f64, facts: &RaceFacts) -> Option<f64> {
    let whole_m = facts.whole_m?;
    let (left_s, left_m) = (target_s - facts.elapsed_s, whole_m - facts.progress_m);
    (left_s > 0.0 && left_m > 0.0).then_some(left_m / left_s)
}

/// Whether any two paces of the race (now, on average, of a split) differ by this many seconds per kilometre.
pub(super) fn pace_differs(reading: Reading, facts: &RaceFacts) -> bool {
    let spans = facts
        .last_splits(None, f64::INFINITY)
        .into_iter()
        .chain(facts.now())
        .chain([facts.race]);
    let speeds = spans.flat_map(|span| span.values(ClaimMetric::Pace, None));
    let paces: Vec<f64> = speeds.chain(plan_speeds(facts)).map(|mps| 1000.0 / mps).collect();
    // "nine seconds in the second 5 km"
    let blocks = [0.0, 5000.0, 10_000.0, 15_000.0];
    let times: Vec<f64> = blocks
        .into_iter()
        .filter_map(|from_m| Some(facts.between(None, from_m, from_m + 5000.0)?.elapsed_s))
        .collect();
    let is_gap = |a: f64, b: f64| ((a - b).abs() - reading.value).abs() <= 2.0;
    if times
        .windows(2)
        .any(|two| matches!(two, [a, b] if is_gap(*a, *b)))
    {
        return true;
    }
    let differs = |a: &f64| paces.iter().any(|b| ((a - b).abs() - reading.value).abs() <= 2.0);
    paces.iter().any(differs)
}

/// Whether a split is so many seconds faster or slower than the plan asks for: `5:15, 26 seconds under what two hours ask`.
pub(super) fn differs_from_plan(reading: Reading, roles: &Roles, facts: &RaceFacts) -> bool {
    let is_faster = match roles.sense() {
        Some(Sense::Below | Sense::Faster) => true,
        Some(Sense::Above | Sense::Slower) => false,
        _ => return false,
    };
    let Some(scope) = roles.scope() else { return false };
    let parts = spans(scope, roles, facts).unwrap_or_default();
    let paces = parts.iter().flat_map(|span| span.values(ClaimMetric::Pace, None));
    let plans = plan_speeds(facts);
    paces.into_iter().any(|mps| {
        plans.iter().any(|plan| {
            let apart_s = 1000.0 / plan - 1000.0 / mps;
            let apart_s = if is_faster { apart_s } else { -apart_s };
            (apart_s - reading.value).abs() <= 2.0
        })
    })
}

/// Whether the pace changed by this many seconds per kilometre, in the sense that the clause gives: `you've lost 35 s per km
/// since kilometre 7`. Without a sense, any two paces may differ by that.
pub(super) fn pace_changed(reading: Reading, roles: &Roles, facts: &RaceFacts) -> bool {
    let gains = match roles.sense() {
        Some(Sense::Faster) => true,
        Some(Sense::Slower) => false,
        _ => return pace_differs(reading, facts),
    };
    let from_m = match roles.scope() {
        Some(ClaimScope::Since(metres)) => Some(metres),
        Some(ClaimScope::Window) => None,
        None if matches!(roles.when(), Some(When::Perfect)) => None,
        _ => return pace_differs(reading, facts),
    };
    let pace = |span: &RaceSpan| {
        span.values(ClaimMetric::Pace, None)
            .first()
            .map(|mps| 1000.0 / mps)
    };
    let from = from_m.and_then(|m| facts.split_to(roles.leg(), m));
    let splits = facts.last_splits(None, f64::INFINITY);
    let now: Vec<f64> = facts.now().iter().filter_map(pace).collect();
    let splits: Vec<f64> = splits.iter().filter_map(pace).collect();
    let is_gain = |before: f64, after: f64| {
        let gain = if gains { before - after } else { after - before };
        (gain - reading.value).abs() <= 2.0
    };
    if let Some(before) = from.as_ref().and_then(pace) {
        let after = splits.iter().rev().take(3).chain(&now);
        return after.into_iter().any(|after| is_gain(before, *after));
    }
    let all: Vec<f64> = splits.into_iter().chain(now).collect();
    (0..all.len()).any(|at| {
        let (earlier, later) = all.split_at_checked(at).unwrap_or_default();
        earlier.iter().any(|a| later.iter().any(|b| is_gain(*a, *b)))
    })
}
