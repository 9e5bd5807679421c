//! The paces that a plan asks for, and how far the paces of a race lie apart.

use super::facts::RaceFacts;
use super::lexicon::Tag;
use super::quantity::Reading;
use super::roles::Roles;
use super::terms::ClaimMetric;

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
