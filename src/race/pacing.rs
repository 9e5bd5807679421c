//! The plan as a curve: the planned time for every place on the way. Pure.
//!
//! Between two planned times the curve follows the effort, so that it allows more time for a climb.

use crate::race::goal::RaceGoal;
use crate::race::outlook::effort_m;
use crate::race::sport::LegKind;

/// Planned race time at a distance in seconds: interpolated between the start, the checkpoints and legs with a target,
/// and the finish. A multisport race has no even pace, so without such places it has no planned time.
pub fn planned_s(goal: RaceGoal<'_>, at_m: f64) -> Option<f64> {
    let plan = goal.plan;
    let mut knots = vec![(0.0, 0.0)];
    let targets = plan.checkpoints.iter();
    knots.extend(targets.filter_map(|at| Some((at.km * 1000.0, f64::from(at.target_s?)))));
    let (mut leg_end_m, mut leg_end_s) = (0.0, Some(0.0));
    for leg in &plan.legs {
        leg_end_m += leg.distance_m;
        leg_end_s = leg_end_s.zip(leg.target_s).map(|(s, leg_s)| s + f64::from(leg_s));
        knots.extend(leg_end_s.map(|s| (leg_end_m, s)));
    }
    if let (Some(whole_m), Some(target_s)) = (goal.whole_m(), plan.target_time_s)
        && (!plan.has_legs() || knots.len() > 1)
    {
        knots.push((whole_m, f64::from(target_s)));
    }
    knots.sort_by(|a, b| a.0.total_cmp(&b.0));
    knots.windows(2).find_map(|two| {
        let &[(from_m, from_s), (to_m, to_s)] = two else {
            return None;
        };
        if to_m <= from_m || to_s < from_s || !(from_m..=to_m).contains(&at_m) {
            return None;
        }
        let kind = goal.plan.leg_at(at_m).or(goal.plan.kind.first_leg());
        Some(part(goal, kind, from_m, at_m, to_m).mul_add(to_s - from_s, from_s))
    })
}

/// Share of the effort between two places that lies before `at_m`.
fn part(goal: RaceGoal<'_>, kind: Option<LegKind>, from_m: f64, at_m: f64, to_m: f64) -> f64 {
    let whole = effort_m(goal.course, kind, from_m, to_m);
    (effort_m(goal.course, kind, from_m, at_m) / whole.max(1.0)).clamp(0.0, 1.0)
}
