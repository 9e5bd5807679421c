//! Shares: of the way, of a limit, of another value.

use super::evidence::{Allowed, ClaimVerdict, check, no};
use super::facts::RaceFacts;
use super::gaps::plan_speeds;
use super::measured;
use super::quantity::Reading;
use super::roles::Roles;
use super::terms::{Bound, ClaimMetric, Progress, Reference, Sense};

pub(super) fn percent(reading: Reading, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    if roles.mood.is_some() {
        return Ok(());
    }
    // "three quarters of what you've done" is a share of something else.
    if roles.has_unknown && roles.progress().is_none() {
        return Ok(());
    }
    let allowed = Allowed::new(reading, None, (reading.step * 0.6).max(1.0), roles.bound);
    let now = |metric| measured::means(facts.now(), metric);
    if roles.reference() == Some(Reference::Limit) {
        let metrics = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence];
        let holds = metrics
            .into_iter()
            .filter(|metric| roles.measured().is_none_or(|own| own == *metric))
            .any(|metric| {
                let (values, limits) = (now(metric), facts.all_limits(metric));
                limits.iter().any(|limit| {
                    values
                        .iter()
                        .any(|value| (value / limit * 100.0 - reading.value).abs() <= 1.5)
                })
            });
        return check(holds, "the share of the limit is another");
    }
    let compares = matches!(
        roles.sense(),
        Some(Sense::Faster | Sense::Slower | Sense::Above | Sense::Below)
    );
    if compares && roles.bound == Bound::Exact {
        let metric = roles.measured().unwrap_or(ClaimMetric::Pace);
        let mean = facts.race.values(metric, None);
        let is_more = roles.sense().and_then(Sense::is_more) == Some(true);
        let planned = if metric == ClaimMetric::Pace {
            plan_speeds(facts)
        } else {
            Vec::new()
        };
        let mean: Vec<f64> = mean.into_iter().chain(planned).collect();
        let holds = now(metric).iter().any(|value| {
            mean.iter()
                .any(|mean| allowed.has((value / mean - 1.0) * if is_more { 100.0 } else { -100.0 }))
        });
        return check(holds, "the difference is another");
    }
    let Some(whole_m) = facts.whole_m.filter(|m| *m > 0.0) else {
        return no("the length of the way is not known");
    };
    let of_leg = facts
        .leg_length_m()
        .filter(|_| facts.is_multisport && roles.leg().is_some());
    let done = of_leg.map_or(facts.progress_m / whole_m, |length_m| {
        facts.leg_progress_m() / length_m
    }) * 100.0;
    let is_left = roles.progress() == Some(Progress::ToGo);
    let holds = allowed.has(if is_left { 100.0 - done } else { done })
        || (roles.progress().is_none() && allowed.has(100.0 - done));
    check(holds, &format!("{done:.0} % of the way are done"))
}
