//! Whether the values of a race are above or below their limits.

use super::evidence::{ClaimVerdict, no, spans};
use super::facts::RaceFacts;
use super::measured::{limits_for, means};
use super::roles::Roles;
use super::terms::{ClaimMetric, ClaimScope, ClaimStat, Length, Sense};

/// `above the limit`
pub(super) fn against_limit(sense: Sense, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let set = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence];
    let limits = facts
        .limits_of(roles.leg())
        .ok_or("no limit is set on this leg")?;
    let was = roles.is_past();
    let mut seen = false;
    for metric in set
        .into_iter()
        .filter(|metric| roles.measured().is_none_or(|own| own == *metric))
    {
        let mut values = means(facts.now(), metric);
        // "over the limit for the last ten minutes": on average, not just once.
        if let Some(scope @ ClaimScope::Last(Length::Seconds(_))) = roles.scope() {
            values = means(spans(scope, roles, facts)?, metric);
        } else if let Some(ClaimScope::Mark(metres)) = roles.scope() {
            let most = facts.highest(metric, roles.leg(), metres - facts.split_m(), metres);
            values = most.into_iter().collect();
        } else if let Some(scope) = roles
            .scope()
            .filter(|scope| !matches!(scope, ClaimScope::Race | ClaimScope::Window | ClaimScope::Next))
        {
            let parts = spans(scope, roles, facts)?;
            let stats = [None, Some(ClaimStat::Max)].into_iter();
            values = stats
                .flat_map(|stat| parts.iter().flat_map(move |part| part.values(metric, stat)))
                .collect();
        } else if was {
            let spread = facts.spread_of(metric, roles.leg());
            values.extend(spread.into_iter().flat_map(|spread| [spread.low, spread.high]));
        }
        for bound in limits_for(metric, limits) {
            seen = true;
            let holds = |value: &f64| {
                if sense == Sense::Above {
                    *value > bound
                } else {
                    *value < bound
                }
            };
            let holds = if roles.not() {
                !values.iter().any(holds)
            } else {
                values.iter().any(holds)
            };
            if holds && !values.is_empty() {
                return Ok(());
            }
        }
    }
    no(if seen {
        "it is on the other side of the limit"
    } else {
        "no such limit is set on this leg"
    })
}
