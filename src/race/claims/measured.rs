//! Claims about measured values: heart rate, power, cadence, pace.

use super::claim::{Bound, ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, Reference, When};
use super::distances;
use super::evidence::{Allowed, ClaimVerdict, check, is_advice, metric_name, no, no_leg, spans, tolerance};
use super::facts::{RaceFacts, RaceSpan};
use super::limits;
use super::quantity::{Measure, Reading};
use crate::race::sport::LegKind;

/// Whether any two paces of the race (now, on average, of a split) differ by this many seconds per kilometre.
pub(super) fn pace_differs(reading: Reading, facts: &RaceFacts) -> bool {
    let spans = facts
        .last_splits(None, f64::INFINITY)
        .into_iter()
        .chain(facts.now())
        .chain([facts.race]);
    let paces: Vec<f64> = spans
        .flat_map(|span| span.values(ClaimMetric::Pace, None))
        .map(|mps| 1000.0 / mps)
        .collect();
    let differs = |a: &f64| paces.iter().any(|b| ((a - b).abs() - reading.value).abs() <= 2.0);
    paces.iter().any(differs)
}

/// A number without a unit or a name passes if it is true of anything that it may count.
pub(super) fn bare(
    reading: Reading,
    to: Option<Reading>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    if is_advice(frame) {
        return Ok(());
    }
    // "the last five kilometres (6 to 10)"
    let is_stretch = matches!(
        frame.scope,
        Some(ClaimScope::Last(_) | ClaimScope::First(_) | ClaimScope::Second(_))
    );
    if is_stretch && to.is_some_and(|to| to.value * 1000.0 <= facts.progress_m) {
        return Ok(());
    }
    let of = |metric| measured(metric, reading, to, frame, facts).is_ok();
    let km = |reading: Reading| Reading {
        measure: Measure::Distance,
        value: reading.value * 1000.0,
        step: reading.step * 1000.0,
    };
    let is_known = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence]
        .into_iter()
        .any(of)
        || (frame.progress.is_some() && distances::value(km(reading), to.map(km), frame, facts).is_ok());
    check(is_known, "say what this number is, with its unit")
}

pub(super) fn measured(
    metric: ClaimMetric,
    reading: Reading,
    to: Option<Reading>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    if metric == ClaimMetric::Cadence
        && reading.measure == (Measure::Cadence { steps: false })
        && facts.leg_now().is_some_and(|leg| leg.kind == Some(LegKind::Run))
        && reading.value > 130.0
    {
        return no("a run's cadence is in steps per minute");
    }
    if facts.is_silent && frame.when == Some(When::Now) && !frame.silent {
        return no("there is no signal, so nothing is known of the present");
    }
    // The pace of a split is known to the second.
    let is_split = matches!(
        frame.scope,
        Some(ClaimScope::Mark(_) | ClaimScope::LastSplit | ClaimScope::Extreme(_))
    );
    let tolerance = match metric {
        ClaimMetric::Pace if is_split && reading.step <= 0.0 => reading.value * 0.007,
        _ => tolerance(metric, reading.value),
    };
    let allowed = Allowed::new(reading, to, tolerance, frame.bound);
    if is_advice(frame) || frame.scope == Some(ClaimScope::Next) {
        return check(
            limits::is_plausible(metric, reading.value, facts),
            "this is far from anything seen in this race",
        );
    }
    // "maximal 165", "Limits: HR 150"
    let is_limit = frame.stat == Some(ClaimStat::Max) && matches!(frame.when, None | Some(When::Present))
        || frame.limit_leads
        || frame.reference_before == Some(Reference::Limit) && frame.sense.is_none();
    let limits = facts.all_limits(metric);
    if is_limit && limits.iter().any(|limit| (limit - reading.value).abs() < 0.5) {
        return Ok(());
    }
    if frame.not && frame.bound == Bound::AtLeast {
        let most = facts.spread_of(metric, frame.leg).map(|spread| spread.high);
        return check(
            most.is_some_and(|most| most <= reading.value + 1.0),
            "it was higher than that",
        );
    }
    if let (Some(ClaimStat::Max), Some(ClaimScope::Mark(metres))) = (frame.stat, frame.scope) {
        // Splits keep no extremes: the highest value belongs to the split with the highest mean.
        let highest = facts.spread_of(metric, frame.leg).map(|spread| spread.high);
        let is_hardest = facts.is_hardest_split(frame.leg, metric, metres);
        return check(
            is_hardest && highest.is_some_and(|high| allowed.has(high)),
            "the highest value was another, or elsewhere",
        );
    }
    let is_scoped_peak = frame.bound == Bound::AtLeast && matches!(frame.scope, Some(ClaimScope::Mark(_)));
    if let (true, Some(ClaimScope::Mark(metres))) = (is_scoped_peak, frame.scope) {
        let highest = facts
            .spread_of(metric, frame.leg)
            .map_or(0.0, |spread| spread.high);
        let holds = facts.is_hardest_split(frame.leg, metric, metres) && highest >= reading.value;
        return check(holds, "it was not that high there");
    }
    let known = known(metric, frame, facts)?;
    // "below 150" may be far below.
    let is_pace = metric == ClaimMetric::Pace && reading.step <= 0.0;
    let is_beyond = |value: f64| match (frame.bound, is_pace) {
        (Bound::AtLeast, false) | (Bound::AtMost, true) => value >= reading.value,
        (Bound::AtMost, false) | (Bound::AtLeast, true) => value <= reading.value,
        _ => false,
    };
    if known.values.iter().any(|value| is_beyond(*value)) {
        return Ok(());
    }
    let within = known.ranges.iter().any(|(from, to)| allowed.meets(*from, *to));
    if within
        || known.values.iter().any(|value| allowed.has(*value))
        || (frame.scope.is_none() && facts.was_told(reading, frame))
    {
        return Ok(());
    }
    let nearest = known
        .values
        .iter()
        .min_by(|a, b| (*a - reading.value).abs().total_cmp(&(*b - reading.value).abs()));
    Err(match nearest {
        Some(value) if metric == ClaimMetric::Pace => format!(
            "the pace there is {} /km ({:.1} km/h)",
            crate::race::text::time(1000.0 / value),
            value * 3.6
        ),
        Some(value) => format!("the {} there is {value:.0}", metric_name(metric)),
        None => format!("there is no {} in the data for that", metric_name(metric)),
    })
}

/// Known values of a metric, and ranges that it was seen in.
#[derive(Default)]
pub(super) struct Known {
    pub(super) values: Vec<f64>,
    pub(super) ranges: Vec<(f64, f64)>,
}

/// What is known of a metric in the part of the race that a claim is about.
pub(super) fn known(metric: ClaimMetric, frame: &ClaimFrame, facts: &RaceFacts) -> Result<Known, String> {
    let of = |spans: &[RaceSpan], stat| {
        spans
            .iter()
            .flat_map(|span| span.values(metric, stat))
            .collect::<Vec<_>>()
    };
    let values = |values| {
        Ok(Known {
            values,
            ranges: Vec::new(),
        })
    };
    if let Some(scope) = frame.scope {
        let spans = spans(scope, frame, facts)?;
        return values(of(&spans, frame.stat));
    }
    let now = facts.now();
    if let Some(kind) = frame.leg {
        let index = facts
            .leg_index(kind, frame.leg_number)
            .ok_or_else(|| no_leg(kind))?;
        let is_current = index + 1 == facts.legs.len();
        let leg = facts.legs.get(index).map(|leg| leg.span).unwrap_or_default();
        let mut known = of(&[leg], frame.stat);
        if is_current && frame.stat.is_none() {
            known.extend(of(&now, None));
            known.extend(facts.newest(metric));
        }
        return values(known);
    }
    let current = facts.leg_now().map(|leg| leg.span);
    let mut spans = now.clone();
    if frame.when != Some(When::Now) {
        match (frame.stat, frame.when) {
            (Some(_), _) | (None, Some(When::Perfect | When::Past)) => {
                spans.extend(current);
                spans.push(facts.race);
            }
            _ => {}
        }
    }
    let mut known = Known {
        values: of(&spans, frame.stat),
        ranges: Vec::new(),
    };
    if frame.stat.is_none() {
        let newest = facts.newest(metric);
        let low = newest.iter().copied().reduce(f64::min);
        let high = newest.iter().copied().reduce(f64::max);
        known.ranges.extend(low.zip(high));
        if matches!(frame.when, Some(When::Past)) {
            known
                .ranges
                .extend(facts.race.spread(metric).map(|spread| (spread.low, spread.high)));
        }
    }
    Ok(known)
}
