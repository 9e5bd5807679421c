//! Whether a claim is true, by the facts of the race.

use super::claim::{
    Claim, ClaimBody, ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, Mood, Reference, Sense, When,
};
use super::deviations;
use super::distances;
use super::durations;
use super::evidence::{
    Allowed, ClaimVerdict, check, is_advice, is_measured, metric_name, metric_of, no, tolerance,
};
use super::facts::RaceFacts;
use super::fits::fits;
use super::quantity::{Measure, Quantity, Reading};
use super::{limits, measured, states};

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
                stat: frame.stat.filter(|_| frame.own_stat),
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
            let is_known = || any(quantity, |reading, to| check(fits(reading, to, frame, facts), "")).is_ok();
            whole.or_else(
                |why| match any(quantity, |reading, to| value(reading, to, &alone, facts)) {
                    Ok(()) if frame.is_inherited => Ok(()),
                    _ if is_known() => Ok(()),
                    _ => Err(why),
                },
            )
        }
        ClaimBody::Reference(quantity) => any(quantity, |reading, to| {
            let whole = limits::reference(reading, to, frame, facts);
            whole.or_else(|why| check(fits(reading, to, frame, facts), &why))
        }),
        ClaimBody::Difference(quantity) => {
            let by = |frame: &ClaimFrame| any(quantity, |reading, to| difference(reading, to, frame, facts));
            let to_plan = ClaimFrame {
                reference: None,
                ..frame.clone()
            };
            by(frame).or_else(|why| match by(&to_plan) {
                Ok(()) if frame.reference_before == Some(Reference::Cutoff) => Ok(()),
                _ => any(quantity, |reading, to| check(fits(reading, to, frame, facts), "")).map_err(|_| why),
            })
        }
        ClaimBody::Change(quantity, sense) => states::change(quantity, *sense, frame, facts),
        ClaimBody::Peak(metres) => states::peak(*metres, frame, facts),
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

/// Any reading of a number may be the one that was meant. If none is true, the error is that of the first.
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
        Measure::Stops => {
            let stops = facts.stops.iter().filter(|stop| stop.duration_s >= 45.0).count() as f64;
            let is_count = (stops - reading.value).abs() < 0.5;
            check(
                is_advice(frame) || frame.progress.is_some() || is_count,
                "the data shows another number of stops",
            )
        }
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
            is_advice(frame) || measured::pace_differs(reading, facts),
            "no two paces differ by that",
        ),
        Measure::ClimbRate => check(is_advice(frame), "the data has no such rate of climb"),
        Measure::Bare => match frame.metric.filter(|metric| is_measured(*metric)) {
            Some(metric) => measured::measured(metric, reading, to, frame, facts),
            None => measured::bare(reading, to, frame, facts),
        },
        measure => metric_of(measure).map_or(Ok(()), |metric| {
            measured::measured(metric, reading, to, frame, facts)
        }),
    }
}

fn difference(reading: Reading, to: Option<Reading>, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if is_advice(frame) {
        return Ok(());
    }
    if reading.measure == Measure::Duration {
        return deviations::difference(reading, to, frame, facts);
    }
    let Some(metric) = metric_of(reading.measure)
        .or(frame.metric)
        .filter(|metric| is_measured(*metric))
    else {
        return value(reading, to, frame, facts);
    };
    let allowed = Allowed::new(reading, to, tolerance(metric, 100.0), frame.bound);
    let now = measured::known(
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
            deviations::against_plan(sense, reference, frame, facts)
        }
        (Sense::Above | Sense::Below, Some(Reference::Plan))
            if frame.metric.is_some_and(is_measured) && frame.metric != Some(ClaimMetric::Pace) =>
        {
            limits::against_limit(sense, frame, facts)
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
            deviations::difference(reading, to, &frame, facts)
        });
    }
    let metric = match sense {
        Sense::Faster | Sense::Slower => ClaimMetric::Pace,
        _ => by
            .and_then(|by| by.readings.first())
            .and_then(|by| metric_of(by.measure))
            .or(left.metric)
            .filter(|metric| is_measured(*metric))
            .unwrap_or(ClaimMetric::Pace),
    };
    let one = measured::known(metric, left, facts)?.values;
    // "than the first 5 km (27:40)"
    let timed = said.filter(|said| right.scope.is_some() && said.measures(Measure::Duration).is_some());
    if let Some(timed) = timed {
        any(timed, |reading, to| value(reading, to, right, facts))?;
    }
    let other = compared_with(metric, right, said.filter(|_| timed.is_none()), facts)?;
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
            deviations::apart(reading, left, right, metric, facts)
        }),
        None => Ok(()),
    }
}

/// The values on the other side of a comparison.
fn compared_with(
    metric: ClaimMetric,
    right: &ClaimFrame,
    said: Option<&Quantity>,
    facts: &RaceFacts,
) -> Result<Vec<f64>, String> {
    let values = match said {
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
                measured::measured(
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
            measured::known(
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
    Ok(values)
}
