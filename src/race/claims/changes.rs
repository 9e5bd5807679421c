//! Changes over time: from one value to another, and trends.

use super::evidence::{ClaimVerdict, check, no, tolerance};
use super::facts::{RaceFacts, RaceSpan};
use super::lexicon::Tag;
use super::measured::means;
use super::quantity::{Measure, Quantity, Reading};
use super::roles::Roles;
use super::terms::{ClaimMetric, ClaimScope, Length, Progress, Sense, State, When};

/// `from 214 to 203 W`
pub(super) fn change(
    quantity: &Quantity,
    sense: Option<Sense>,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    // A clock is a pace here.
    let pick = |readings: &[Reading]| {
        let speed = readings.iter().find(|reading| reading.measure == Measure::Speed);
        speed.or(readings.first()).copied()
    };
    let (Some(from), Some(to)) = (pick(&quantity.readings), pick(&quantity.to)) else {
        return Ok(());
    };
    let metric = from.measure.metric().or(roles.measured());
    let Some(metric) = metric else {
        return no("say what these numbers are, with their unit");
    };
    let mean = |span: Option<RaceSpan>| span.and_then(|span| span.values(metric, None).first().copied());
    let is_near = |value: f64, said: f64| (value - said).abs() <= tolerance(metric, said).max(said * 0.02);
    let mut now = means(facts.now(), metric);
    now.extend(facts.newest(metric));
    let mut before: Vec<f64> = (1..=24)
        .filter_map(|part| mean(facts.around(f64::from(part) * 300.0)))
        .collect();
    before.extend(
        [false, true]
            .into_iter()
            .filter_map(|second| mean(facts.half(second))),
    );
    let legs = facts.legs.iter().map(|leg| leg.span);
    before.extend(means(
        facts.last_splits(None, f64::INFINITY).into_iter().chain(legs),
        metric,
    ));
    before.extend(facts.spread_of(metric, None).map(|spread| spread.high));
    let is_way = match sense.and_then(Sense::is_more) {
        Some(true) => to.value > from.value,
        Some(false) => to.value < from.value,
        None => true,
    };
    // A pace that comes down is a faster one to some.
    let is_either = metric == ClaimMetric::Pace && matches!(sense, Some(Sense::Above | Sense::Below));
    check(is_way || is_either, "that change goes the other way")?;
    // "from 5:50 in km 7 to 5:15 in km 10": one split after the other.
    let splits = means(facts.last_splits(roles.leg(), f64::INFINITY), metric);
    let first = splits.iter().position(|value| is_near(*value, from.value));
    let rest = first
        .and_then(|first| splits.get(first + 1..))
        .unwrap_or_default();
    if roles.is_past() && rest.iter().any(|value| is_near(*value, to.value)) {
        return Ok(());
    }
    let now: Vec<f64> = now
        .into_iter()
        .filter(|value| is_near(*value, to.value))
        .collect();
    check(!now.is_empty(), "it is another now")?;
    before.retain(|value| is_near(*value, from.value));
    check(!before.is_empty(), "it was never that before")?;
    // Small changes are within the tolerance of either end, but not the other way round.
    let said = to.value - from.value;
    let follows = |change: f64| change * said.signum() > said.abs() * 0.4;
    check(
        now.iter()
            .any(|now| before.iter().any(|before| follows(now - before))),
        "that change goes the other way",
    )
}

/// Whether a claim that the pace changed contradicts even splits.
fn is_even(sense: Sense, roles: &Roles, facts: &RaceFacts) -> bool {
    // "Before the signal dropped" says nothing about a value, so only changes of pace count.
    let by_pace = matches!(sense, Sense::Faster | Sense::Slower) && roles.is_past();
    let means = means(facts.last_splits(None, f64::INFINITY), ClaimMetric::Pace);
    let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = means.iter().copied().fold(0.0, f64::max);
    by_pace && !means.is_empty() && highest < lowest * 1.02
}

pub(super) fn trend(sense: Sense, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    if facts.is_silent {
        let is_steady = roles.when() == Some(When::Perfect) && sense == Sense::Same;
        // "covered 60 km at an even 9:38 /km"
        let is_done = roles.progress() == Some(Progress::Done) && !roles.is_present();
        let is_known = roles.is_silent() || roles.when() == Some(When::Past) || is_steady || is_done;
        return check(
            is_known && !is_even(sense, roles, facts),
            "there is no signal, so nothing is known of the present",
        );
    }
    let metric = match sense {
        Sense::Faster | Sense::Slower => Some(ClaimMetric::Pace),
        _ => roles.measured(),
    };
    let Some(metric) = metric else { return Ok(()) };
    // Some people call a pace that comes down faster, others slower.
    if metric == ClaimMetric::Pace && matches!(sense, Sense::Above | Sense::Below) {
        return Ok(());
    }
    // A stop is no change of pace.
    let stands = facts.standing_s.is_some();
    let stands = stands && (metric == ClaimMetric::Pace || roles.has(Tag::State(State::Moving)));
    let mean = |span: Option<RaceSpan>| {
        let values = span?.values(metric, None);
        if stands {
            values.last().copied()
        } else {
            values.first().copied()
        }
    };
    let mut now: Vec<f64> = [300.0, 600.0]
        .into_iter()
        .filter_map(|s| mean(facts.last_seconds(s)))
        .collect();
    let ago = [900.0, 1500.0, 2700.0, 3600.0]
        .into_iter()
        .map(|s| facts.around(s));
    let mut before: Vec<f64> = ago
        .chain([facts.half(false), Some(facts.race)])
        .filter_map(mean)
        .collect();
    // "rising for half an hour"
    if let Some(ClaimScope::Last(Length::Seconds(seconds))) = roles.scope()
        && let Some(then) = mean(facts.around(seconds))
    {
        before = vec![then];
    }
    if roles.when() == Some(When::Past) {
        // The value may have changed long ago.
        now.extend(
            facts
                .last_splits(None, f64::INFINITY)
                .into_iter()
                .filter_map(|span| mean(Some(span))),
        );
        before.extend(now.clone());
    }
    if stands {
        now.extend(
            facts
                .last_splits(None, 3000.0)
                .into_iter()
                .filter_map(|span| mean(Some(span))),
        );
    }
    if now.is_empty() || before.is_empty() {
        return no("the data is too short for a trend");
    }
    let any = |is: &dyn Fn(f64) -> bool| {
        now.iter()
            .any(|now| before.iter().any(|before| is(now / before.max(0.1) - 1.0)))
    };
    let least = if metric == ClaimMetric::Pace { 0.004 } else { 0.01 };
    let holds = match sense.is_more() {
        Some(true) => any(&|change| change > least),
        Some(false) => any(&|change| change < -least),
        None => any(&|change| change.abs() < 0.05),
    };
    check(
        holds != (roles.not() && sense != Sense::Same),
        "the data shows no such trend",
    )
}
