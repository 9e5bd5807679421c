//! Claims about limits and targets, and whether advice stays near what the race has seen.

use super::claim::{Bound, ClaimFrame, ClaimMetric, ClaimScope, Reference, Sense, When};
use super::distances;
use super::evidence::{Allowed, ClaimVerdict, check, is_measured, metric_of};
use super::facts::RaceFacts;
use super::quantity::{Measure, Reading};
use crate::race::thresholds::LegLimits;

pub(super) fn reference(
    reading: Reading,
    to: Option<Reading>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let near = |known: &[f64], tolerance: f64| {
        let allowed = Allowed::new(reading, to, tolerance, Bound::Exact);
        known.iter().any(|value| allowed.has(*value))
    };
    if reading.measure == Measure::Duration || reading.measure == Measure::Speed {
        let places = facts
            .places
            .iter()
            .enumerate()
            .filter(|(index, _)| frame.checkpoint.is_none_or(|at| at == *index));
        let times: Vec<f64> = match frame.reference {
            Some(Reference::Cutoff) => places.filter_map(|(_, place)| place.cutoff_s).collect(),
            _ => facts
                .target_s
                .into_iter()
                .chain(places.filter_map(|(_, place)| place.target_s))
                .collect(),
        };
        let speeds: Vec<f64> = facts
            .whole_m
            .zip(facts.target_s)
            .map(|(metres, s)| metres / s)
            .into_iter()
            .collect();
        let is_known = match reading.measure {
            Measure::Duration => near(&times, reading.step * 0.5),
            _ => near(&speeds, reading.value * 0.01),
        };
        return check(is_known, "no such target or cut-off is set");
    }
    if reading.measure == Measure::Distance {
        return distances::value(reading, to, frame, facts);
    }
    let metric = metric_of(reading.measure).or(frame
        .metric
        .filter(|metric| is_measured(*metric) && !facts.all_limits(*metric).is_empty()));
    let limits = match (metric, frame.leg) {
        (Some(metric), Some(kind)) => facts
            .limits_of(Some(kind))
            .map_or_else(|| facts.all_limits(metric), |limits| limits_for(metric, limits)),
        (Some(metric), None) => facts.all_limits(metric),
        (None, _) => [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence]
            .into_iter()
            .flat_map(|metric| facts.all_limits(metric))
            .collect(),
    };
    check(near(&limits, 0.5), &format!("the limits are {limits:?}"))
}

pub(super) fn limits_for(metric: ClaimMetric, limits: LegLimits) -> Vec<f64> {
    let both = match metric {
        ClaimMetric::HeartRate => [limits.hr_max, limits.hr_min],
        ClaimMetric::Power => [limits.power_max, limits.power_min],
        ClaimMetric::Cadence => [None, limits.cadence_min],
        _ => [None, None],
    };
    both.into_iter().flatten().map(f64::from).collect()
}

pub(super) fn against_limit(sense: Sense, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let set = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence];
    let set = set.into_iter().filter(|metric| {
        frame
            .metric
            .filter(|metric| is_measured(*metric))
            .is_none_or(|own| own == *metric)
    });
    let limits = facts.limits_of(frame.leg).ok_or("no limit is set on this leg")?;
    let mut seen = false;
    for metric in set {
        let bounds = limits_for(metric, limits);
        let is_past = matches!(frame.when, Some(When::Past | When::Perfect))
            || matches!(frame.scope, Some(ClaimScope::Mark(_)));
        let mut values: Vec<f64> = facts
            .now()
            .iter()
            .flat_map(|span| span.values(metric, None))
            .collect();
        if is_past {
            values.extend(
                facts
                    .spread_of(metric, frame.leg)
                    .into_iter()
                    .flat_map(|spread| [spread.low, spread.high]),
            );
        }
        for bound in bounds {
            seen = true;
            let is_above = sense == Sense::Above;
            let holds = |value: &f64| if is_above { *value > bound } else { *value < bound };
            let holds = if frame.not {
                values.iter().all(|value| !holds(value))
            } else {
                values.iter().any(holds)
            };
            if holds && !values.is_empty() {
                return Ok(());
            }
        }
    }
    check(
        false,
        if seen {
            "it is on the other side of the limit"
        } else {
            "no such limit is set on this leg"
        },
    )
}

pub(super) fn is_plausible(metric: ClaimMetric, value: f64, facts: &RaceFacts) -> bool {
    let limits = facts.all_limits(metric);
    if limits.iter().any(|limit| (limit - value).abs() < 0.5) {
        return true;
    }
    let spread = facts.spread_of(metric, None);
    let speeds = facts
        .now()
        .into_iter()
        .chain([facts.race])
        .flat_map(|span| span.values(ClaimMetric::Pace, None))
        .collect::<Vec<_>>();
    let (low, high) = match (metric, spread) {
        (ClaimMetric::Pace, _) => (
            speeds.iter().copied().fold(f64::INFINITY, f64::min) * 0.6,
            speeds.iter().copied().fold(0.0, f64::max) * 1.5,
        ),
        (_, Some(spread)) => (spread.low * 0.85, spread.high * 1.1),
        (_, None) => return false,
    };
    let low = limits.iter().copied().fold(low, f64::min);
    let high = limits.iter().copied().fold(high, f64::max);
    (low..=high).contains(&value)
}
