//! Whether a claim is true, by the facts of the race.

use super::claim::{
    Bound, Claim, ClaimBody, ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, Mood, Reference, Sense, When,
};
use super::distances;
use super::durations;
use super::evidence::{
    Allowed, ClaimVerdict, check, is_advice, is_measured, metric_name, metric_of, no, no_leg, spans,
    tolerance,
};
use super::facts::{RaceFacts, RaceSpan};
use super::quantity::{Measure, Quantity, Reading};
use super::{limits, states};
use crate::race::sport::LegKind;

pub(super) fn verdict(claim: &Claim, facts: &RaceFacts) -> ClaimVerdict {
    let frame = &claim.frame;
    if frame.stranger && !matches!(claim.body, ClaimBody::Name(_)) && frame.mood.is_none() {
        return no("the data is about one athlete and says nothing of others");
    }
    match &claim.body {
        ClaimBody::Unreadable => no("digits of another script cannot be read"),
        ClaimBody::Name(_) if facts.athlete.is_empty() => {
            no("the athlete's name is not known; leave names out")
        }
        ClaimBody::Name(_) => Err(format!(
            "the data is about {}, and no other person",
            facts.athlete.join(" ")
        )),
        ClaimBody::Value(quantity) => {
            let whole = any(quantity, |reading, to| value(reading, to, frame, facts));
            // What the clause before said need not hold for this one.
            let alone = ClaimFrame {
                scope: None,
                stat: None,
                checkpoint: None,
                when: Some(When::Perfect),
                ..frame.clone()
            };
            let spare = ClaimFrame {
                sense: None,
                ..frame.clone()
            };
            let is_spare = frame.reference == Some(Reference::Limit)
                && any(quantity, |reading, to| difference(reading, to, &spare, facts)).is_ok();
            if is_spare {
                return Ok(());
            }
            whole.or_else(
                |why| match any(quantity, |reading, to| value(reading, to, &alone, facts)) {
                    Ok(()) if frame.is_inherited => Ok(()),
                    _ => Err(why),
                },
            )
        }
        ClaimBody::Reference(quantity) => any(quantity, |reading, to| {
            limits::reference(reading, to, frame, facts)
        }),
        ClaimBody::Difference(quantity) => any(quantity, |reading, to| difference(reading, to, frame, facts)),
        ClaimBody::Reaching(distance, time) => durations::reaching(distance, time, frame, facts),
        ClaimBody::Relation => relation(frame, facts),
        ClaimBody::Comparison { with, said, by } => {
            comparison(frame, with, said.as_ref(), by.as_ref(), facts)
        }
        ClaimBody::Trend(sense) => states::trend(*sense, frame, facts),
        ClaimBody::State(state) => states::state(*state, frame, facts),
        ClaimBody::Extreme(sense, metres) => states::extreme(*sense, *metres, frame, facts),
        ClaimBody::Place(metres) => distances::place(*metres, frame, facts),
        ClaimBody::Halfway => distances::halfway(frame, facts),
        ClaimBody::Leg(kind) => states::leg(*kind, frame, facts),
        ClaimBody::NoStops => {
            let stops = facts.stops.iter().filter(|stop| stop.duration_s >= 60.0).count();
            check(stops == 0, "the data shows stops")
        }
    }
}

/// Any reading of a number may be the true one. The error is that of the first.
fn any(quantity: &Quantity, judge: impl Fn(Reading, Option<Reading>) -> ClaimVerdict) -> ClaimVerdict {
    let mut first = None;
    for (index, reading) in quantity.readings.iter().enumerate() {
        // A clock has several readings, and both ends of a range are read alike.
        let alike = quantity.to.get(index).filter(|to| to.measure == reading.measure);
        let same = quantity.to.iter().find(|to| to.measure == reading.measure);
        let to = alike.or(same).copied();
        match judge(*reading, to) {
            Ok(()) => return Ok(()),
            Err(why) => first = first.or(Some(why)),
        }
    }
    first.map_or_else(|| no("this number cannot be read"), Err)
}

fn value(reading: Reading, to: Option<Reading>, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if let (Some(metric), Some(label)) = (metric_of(reading.measure), frame.label)
        && is_measured(label)
        && metric != label
    {
        return Err(format!("this is not a unit of {}", metric_name(label)));
    }
    match reading.measure {
        Measure::Distance => distances::value(reading, to, frame, facts),
        Measure::Duration => durations::value(reading, to, frame, facts),
        Measure::Percent => distances::percent(reading, frame, facts),
        Measure::Misfit => no("the number and its unit do not fit"),
        Measure::Foreign => {
            let states = matches!(
                frame.when,
                Some(When::Present | When::Past | When::Perfect | When::Future)
            );
            check(
                is_advice(frame) || !states,
                "the race's data does not contain this",
            )
        }
        Measure::PaceDifference => check(
            is_advice(frame) || pace_differs(reading, facts),
            "no two paces differ by that",
        ),
        Measure::ClimbRate => check(is_advice(frame), "the data has no such rate of climb"),
        Measure::Bare => match frame.metric.filter(|metric| is_measured(*metric)) {
            Some(metric) => measured(metric, reading, to, frame, facts),
            None => bare(reading, to, frame, facts),
        },
        measure => metric_of(measure).map_or(Ok(()), |metric| measured(metric, reading, to, frame, facts)),
    }
}

/// Whether two paces of the race, of splits, now and on average, differ by that many seconds per kilometre.
fn pace_differs(reading: Reading, facts: &RaceFacts) -> bool {
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
fn bare(reading: Reading, to: Option<Reading>, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if is_advice(frame) {
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

fn measured(
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
    let allowed = Allowed::new(reading, to, tolerance(metric, reading.value), frame.bound);
    if is_advice(frame) || frame.scope == Some(ClaimScope::Next) {
        return check(
            limits::is_plausible(metric, reading.value, facts),
            "this is far from anything seen in this race",
        );
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
struct Known {
    values: Vec<f64>,
    ranges: Vec<(f64, f64)>,
}

/// What is known of a metric in the part of the race that a claim is about.
fn known(metric: ClaimMetric, frame: &ClaimFrame, facts: &RaceFacts) -> Result<Known, String> {
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

fn difference(reading: Reading, to: Option<Reading>, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if is_advice(frame) {
        return Ok(());
    }
    if reading.measure == Measure::Duration {
        return durations::difference(reading, to, frame, facts);
    }
    let Some(metric) = metric_of(reading.measure)
        .or(frame.metric)
        .filter(|metric| is_measured(*metric))
    else {
        return value(reading, to, frame, facts);
    };
    let allowed = Allowed::new(reading, to, tolerance(metric, 100.0), frame.bound);
    let now = known(
        metric,
        &ClaimFrame {
            scope: None,
            ..frame.clone()
        },
        facts,
    )?;
    let apart = |limit: f64| {
        let differs = |value: f64| match frame.sense.and_then(Sense::is_more) {
            Some(true) => value - limit,
            Some(false) => limit - value,
            None => (value - limit).abs(),
        };
        now.values
            .iter()
            .chain(now.ranges.iter().map(|(low, _)| low))
            .any(|value| allowed.has(differs(*value)))
    };
    let limits = facts
        .limits_of(frame.leg)
        .map_or_else(Vec::new, |limits| limits::limits_for(metric, limits));
    if limits.into_iter().any(apart)
        || value(reading, to, frame, facts)
            .and_then(|()| relation(frame, facts))
            .is_ok()
    {
        return Ok(());
    }
    Err(format!(
        "the {} is not that far from its limit",
        metric_name(metric)
    ))
}

/// `above the limit`, `ahead of the plan`, without a number.
fn relation(frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let Some(sense) = frame.sense else { return Ok(()) };
    if is_advice(frame) && frame.mood != Some(Mood::Modal) {
        return Ok(());
    }
    match (sense, frame.reference) {
        (Sense::Ahead | Sense::Behind | Sense::Same, reference) => {
            durations::against_plan(sense, reference, frame, facts)
        }
        (Sense::Above | Sense::Below, Some(Reference::Limit)) => limits::against_limit(sense, frame, facts),
        (Sense::Faster | Sense::Slower, _) if !is_advice(frame) => {
            let all = ClaimFrame {
                metric: Some(ClaimMetric::Pace),
                scope: Some(ClaimScope::Race),
                ..ClaimFrame::default()
            };
            comparison(
                &ClaimFrame {
                    metric: Some(ClaimMetric::Pace),
                    ..frame.clone()
                },
                &all,
                None,
                None,
                facts,
            )
        }
        _ => Ok(()),
    }
}

fn comparison(
    left: &ClaimFrame,
    right: &ClaimFrame,
    said: Option<&Quantity>,
    by: Option<&Quantity>,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let Some(sense) = left.sense else { return Ok(()) };
    if let (Some(Reference::Plan), Some(by)) = (right.reference, by) {
        let reference = Some(Reference::Plan);
        let frame = ClaimFrame {
            reference,
            ..left.clone()
        };
        return any(by, |reading, to| {
            durations::difference(reading, to, &frame, facts)
        });
    }
    let metric = match sense {
        Sense::Faster | Sense::Slower => ClaimMetric::Pace,
        _ => left
            .metric
            .filter(|metric| is_measured(*metric))
            .unwrap_or(ClaimMetric::Pace),
    };
    let one = known(metric, left, facts)?.values;
    // "than the first 5 km (27:40)"
    let timed = said.filter(|said| right.scope.is_some() && said.measures(Measure::Duration).is_some());
    if let Some(timed) = timed {
        any(timed, |reading, to| value(reading, to, right, facts))?;
    }
    let other: Vec<f64> = match said.filter(|_| timed.is_none()) {
        Some(quantity) => {
            let reading = quantity.readings.iter().find(|reading| {
                metric_of(reading.measure) == Some(metric) || reading.measure == Measure::Bare
            });
            let reading = reading.ok_or("this cannot be compared")?;
            let stat = right
                .stat
                .or(Some(ClaimStat::Mean))
                .filter(|_| right.scope.is_some() || right.stat.is_some());
            if stat.is_some() || right.reference.is_none() {
                let when = Some(When::Past);
                measured(
                    metric,
                    *reading,
                    None,
                    &ClaimFrame {
                        stat,
                        when,
                        ..right.clone()
                    },
                    facts,
                )?;
            }
            vec![reading.value]
        }
        None if right.scope.is_none()
            && right.stat.is_none()
            && right.leg.is_none()
            && right.checkpoint.is_none() =>
        {
            if right.reference == Some(Reference::Plan) {
                facts
                    .whole_m
                    .zip(facts.target_s)
                    .map(|(metres, s)| metres / s)
                    .into_iter()
                    .collect()
            } else {
                // "faster than before"
                facts.race.values(metric, None)
            }
        }
        None => {
            let scope = right
                .scope
                .or(Some(ClaimScope::Race).filter(|_| right.leg.is_none()));
            known(
                metric,
                &ClaimFrame {
                    scope,
                    ..right.clone()
                },
                facts,
            )?
            .values
        }
    };
    let (Some(is_more), false, false) = (sense.is_more(), one.is_empty(), other.is_empty()) else {
        return check(sense == Sense::Same, "the data does not allow this comparison");
    };
    let is_more = is_more != left.not;
    let holds = one.iter().any(|a| {
        other.iter().any(|b| {
            let apart = (a - b) / b.max(0.1);
            if is_more { apart > 0.001 } else { apart < -0.001 }
        })
    });
    check(holds, "the comparison is the other way round")?;
    match by {
        Some(by) => any(by, |reading, _| {
            durations::apart(reading, left, right, metric, facts)
        }),
        None => Ok(()),
    }
}
