//! Numbers of measured values: heart rate, power, cadence, pace.

use super::evidence::{Allowed, ClaimVerdict, check, no, no_leg, spans, tolerance};
use super::facts::{RaceFacts, RaceSpan};
use super::gaps::{needed_speed, needed_speeds, plan_speeds};
use super::lexicon::Tag;
use super::quantity::{Measure, Reading};
use super::roles::Roles;
use super::terms::{Bound, ClaimMetric, ClaimScope, ClaimStat, Length, Reference, Sense, State, When};
use crate::race::sport::LegKind;
use crate::race::text;
use crate::race::thresholds::LegLimits;

/// Whether `reading` is a value of `metric` that agrees with its roles.
pub(super) fn number(
    metric: ClaimMetric,
    reading: Reading,
    to: Option<Reading>,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let is_run = facts.leg_now().is_some_and(|leg| leg.kind == Some(LegKind::Run));
    if reading.measure == (Measure::Cadence { steps: false }) && is_run && reading.value > 130.0 {
        return no("a run's cadence is in steps per minute");
    }
    let needed = needed_speeds(roles, facts);
    if metric == ClaimMetric::Pace
        && reading.step <= 0.0
        && roles.has_any(&[Tag::Need, Tag::Suffices])
        && !roles.has(Tag::Position)
        && !needed.is_empty()
    {
        let allowed = Allowed::new(reading, to, tolerance(metric, reading.value), roles.bound);
        // A pace that is run already is enough too, if it is faster.
        let least = needed.iter().copied().fold(f64::INFINITY, f64::min);
        let run = means(facts.now(), metric)
            .into_iter()
            .filter(|speed| *speed >= least);
        let run = run.filter(|_| !roles.has(Tag::Need));
        return check(
            needed.into_iter().chain(run).any(|speed| allowed.has(speed)),
            "the plan has another pace",
        );
    }
    if roles.mood.is_some() || roles.scope() == Some(ClaimScope::Next) {
        // "ten beats more to play with" is a difference.
        let lowest = facts.spread_of(metric, None).map(|spread| spread.low);
        let is_small = metric != ClaimMetric::Pace && lowest.is_some_and(|low| reading.value < low * 0.4);
        return check(
            is_small || is_plausible(metric, reading.value, facts),
            "this is far from anything seen in this race",
        );
    }
    let is_known_past = roles.is_silent() || roles.is_past() || roles.stat().is_some();
    if facts.is_silent && !is_known_past && roles.is_present() {
        return no("there is no signal, so nothing is known of the present");
    }
    if is_limit(metric, reading, to, roles, facts) || is_apart(metric, reading, to, roles, facts) {
        return Ok(());
    }
    match roles.reference() {
        Some(Reference::Plan) if metric == ClaimMetric::Pace => {
            let allowed = Allowed::new(reading, to, tolerance(metric, reading.value), roles.bound);
            // "You need 5:53 from here."
            let is_needed = roles.has(Tag::FromHere) && roles.sense().is_none();
            let speeds = if is_needed {
                needed_speed(facts).into_iter().collect()
            } else {
                plan_speeds(facts)
            };
            if speeds.iter().any(|speed| allowed.has(*speed)) {
                return Ok(());
            }
            let is_seen = roles.stat().is_some() && roles.when().is_some_and(|when| when != When::Present);
            if roles.sense().is_none() && !is_seen && facts.target_s.is_some() {
                return no("the plan has another pace");
            }
        }
        Some(Reference::Limit) if roles.sense().is_none() => {
            return no(&format!("the limits are {:?}", facts.all_limits(metric)));
        }
        _ => {}
    }
    value(metric, reading, to, roles, facts)
}

/// The limit itself: `limit 165`, `165 at most`.
fn is_limit(
    metric: ClaimMetric,
    reading: Reading,
    to: Option<Reading>,
    roles: &Roles,
    facts: &RaceFacts,
) -> bool {
    let is_told = roles.reference().is_some()
        || (roles.stat() == Some(ClaimStat::Max) && matches!(roles.when(), None | Some(When::Present)));
    let limits = match roles.leg().and_then(|kind| facts.limits_of(Some(kind))) {
        Some(limits) => limits_for(metric, limits),
        None => facts.all_limits(metric),
    };
    let allowed = Allowed::new(reading, to, 0.5, Bound::Exact);
    is_told && limits.iter().any(|limit| allowed.has(*limit))
}

/// A distance from a limit, from the mean, or from another part of the race: `15 beats under`.
fn is_apart(
    metric: ClaimMetric,
    reading: Reading,
    to: Option<Reading>,
    roles: &Roles,
    facts: &RaceFacts,
) -> bool {
    let sense = roles.sense();
    let to_limit = roles.reference() == Some(Reference::Limit);
    // "fifteen beats of air"
    let lowest = facts.spread_of(metric, None).map(|spread| spread.low);
    let is_small = reading.measure != Measure::Bare && lowest.is_some_and(|low| reading.value < low * 0.4);
    let is_told = to_limit || sense.is_some() || roles.has(Tag::By) || roles.find(Tag::trend).is_some();
    if metric == ClaimMetric::Pace || !(is_told || is_small) {
        return false;
    }
    let allowed = Allowed::new(reading, to, tolerance(metric, 100.0), roles.bound);
    // "15 beats in reserve" has no side.
    let sense = sense
        .or(roles.find(Tag::trend))
        .filter(|sense| *sense != Sense::Ahead);
    let side = sense.and_then(Sense::is_more);
    let now = means(facts.now(), metric);
    let differs = |other: f64| {
        now.iter().any(|value| match side {
            Some(true) => allowed.has(value - other),
            Some(false) => allowed.has(other - value),
            None => allowed.has((value - other).abs()),
        })
    };
    let limits = facts
        .limits_of(roles.leg())
        .map_or_else(Vec::new, |limits| limits_for(metric, limits));
    if limits.into_iter().any(differs) {
        return roles.reference() != Some(Reference::Plan);
    }
    let named = roles
        .scope()
        .and_then(|scope| spans(scope, roles, facts).ok())
        .unwrap_or_default();
    let leg = facts.leg_now().map(|leg| leg.span);
    let others = named
        .into_iter()
        .chain([facts.race])
        .chain(leg)
        .chain(facts.last_splits(None, f64::INFINITY));
    roles.reference().is_none() && means(others, metric).into_iter().any(differs)
}

/// The mean of each part that has one.
pub(super) fn means(spans: impl IntoIterator<Item = RaceSpan>, metric: ClaimMetric) -> Vec<f64> {
    spans
        .into_iter()
        .flat_map(|span| span.values(metric, None))
        .collect()
}

fn value(
    metric: ClaimMetric,
    reading: Reading,
    to: Option<Reading>,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let scope = roles.scope();
    // The pace of a split is known to the second.
    let is_split = matches!(
        scope,
        Some(ClaimScope::Mark(_) | ClaimScope::LastSplit | ClaimScope::Extreme(_))
    );
    let tolerance = match metric {
        ClaimMetric::Pace if is_split && reading.step <= 0.0 => reading.value * 0.007,
        _ => tolerance(metric, reading.value).max(reading.step * 0.55),
    };
    let allowed = Allowed::new(reading, to, tolerance, roles.bound);
    let bound = roles.bound;
    let most = facts.spread_of(metric, roles.leg()).map(|spread| spread.high);
    if roles.not() && bound == Bound::AtLeast {
        let from_m = match scope {
            Some(ClaimScope::Since(metres)) => metres,
            Some(ClaimScope::Last(Length::Metres(metres))) => facts.leg_progress_m() - metres,
            _ => 0.0,
        };
        let part = facts.highest(metric, roles.leg(), from_m, f64::INFINITY);
        let most = part.filter(|_| from_m > 0.0).or(most);
        return check(
            most.is_some_and(|most| most <= reading.value + 1.0),
            "it was higher than that",
        );
    }
    if let Some(ClaimScope::Mark(metres)) = scope
        && metric != ClaimMetric::Pace
        && (roles.stat() == Some(ClaimStat::Max) || bound == Bound::AtLeast)
    {
        let is_most = |most: f64| {
            if bound == Bound::AtLeast {
                most >= reading.value
            } else {
                allowed.has(most)
            }
        };
        let most = facts.highest(metric, roles.leg(), metres - facts.split_m(), metres);
        return check(
            most.is_some_and(is_most),
            "the highest value was another, or elsewhere",
        );
    }
    // "It never needed to go near 150."
    if roles.not()
        && !matches!(bound, Bound::AtMost | Bound::JustUnder)
        && is_plausible(metric, reading.value, facts)
    {
        return Ok(());
    }
    let known = known(metric, roles, facts)?;
    // "below 150" may be far below.
    let is_pace = metric == ClaimMetric::Pace && reading.step <= 0.0;
    let is_beyond = |value: f64| match (bound, is_pace) {
        (Bound::AtLeast, false) | (Bound::AtMost, true) => value >= reading.value,
        (Bound::AtMost, false) | (Bound::AtLeast, true) => value <= reading.value,
        // "just over 200 W"
        (Bound::JustOver, false) | (Bound::JustUnder, true) => {
            (reading.value..reading.value * 1.05).contains(&value)
        }
        (Bound::JustUnder, false) | (Bound::JustOver, true) => {
            (reading.value * 0.95..reading.value).contains(&value)
        }
        _ => false,
    };
    let holds = |value: &f64| is_beyond(*value) || allowed.has(*value);
    if known.iter().any(holds) || (scope.is_none() && facts.was_told(reading, roles)) {
        return Ok(());
    }
    let nearest = known
        .iter()
        .min_by(|a, b| (*a - reading.value).abs().total_cmp(&(*b - reading.value).abs()));
    Err(match nearest {
        Some(value) if metric == ClaimMetric::Pace => {
            format!(
                "the pace there is {} /km ({:.1} km/h)",
                text::time(1000.0 / value),
                value * 3.6
            )
        }
        Some(value) => format!("the {} there is {value:.0}", metric.name()),
        None => format!("there is no {} in the data for that", metric.name()),
    })
}

/// The known values of a metric in the part of the race that a claim is about.
pub(super) fn known(metric: ClaimMetric, roles: &Roles, facts: &RaceFacts) -> Result<Vec<f64>, String> {
    let of = |spans: &[RaceSpan], stat| {
        spans
            .iter()
            .flat_map(|span| span.values(metric, stat))
            .collect::<Vec<_>>()
    };
    // "171 at the worst"
    let is_worst = metric != ClaimMetric::Pace && roles.find(Tag::extreme).is_some();
    let stat = roles.stat().or(is_worst.then_some(ClaimStat::Max));
    if let Some(scope) = roles
        .scope()
        .filter(|scope| !(is_worst && matches!(scope, ClaimScope::Extreme(_))))
        .filter(|scope| !(stat == Some(ClaimStat::Mean) && is_here(*scope, facts)))
    {
        return Ok(of(&spans(scope, roles, facts)?, stat));
    }
    let now = facts.now();
    if let Some(kind) = roles.leg() {
        let index = facts
            .leg_index(kind, roles.leg_number())
            .ok_or_else(|| no_leg(kind))?;
        let is_current = index + 1 == facts.legs.len();
        let leg = facts.legs.get(index).map(|leg| leg.span).unwrap_or_default();
        let mut known = of(&[leg], stat);
        if is_current && stat.is_none() {
            known.extend(of(&now, None));
            known.extend(facts.newest(metric));
        }
        return Ok(known);
    }
    let current = facts.leg_now().map(|leg| leg.span);
    let mut spans = now;
    if roles.when() != Some(When::Now) && (stat.is_some() || roles.is_past() || facts.is_silent) {
        spans.extend(current);
        spans.push(facts.race);
        spans.extend(current.map(RaceSpan::moving));
    }
    // "9:20 /km on the move", while standing.
    if facts.standing_s.is_some() && metric == ClaimMetric::Pace && roles.when() != Some(When::Now) {
        spans.extend(current.map(RaceSpan::moving));
        spans.push(facts.race.moving());
    }
    if roles.has(Tag::Metric(ClaimMetric::Stop)) {
        // "up to the stop", "after it"
        let last_m = facts.splits_of(None).last().map_or(0.0, |split| split.to_m);
        let from_m = facts.leg_now().map_or(0.0, |leg| leg.from_m);
        for stop in &facts.stops {
            let near = |split: &&crate::race::track::Split| (split.to_m + from_m - stop.at_m).abs() < 600.0;
            if let Some(split) = facts.splits_of(None).into_iter().find(near) {
                spans.extend(facts.between(None, 0.0, split.to_m));
                spans.extend(facts.between(None, split.to_m, last_m));
            }
        }
    }
    if roles.stat() == Some(ClaimStat::Mean) && roles.has(Tag::SplitNoun) {
        // "three kilometres at 5:24 on average"
        let splits = facts.splits_of(None);
        let ends = splits.iter().map(|split| split.to_m);
        let starts = splits.iter().map(|split| split.from_m);
        let blocks = starts.flat_map(|from_m| ends.clone().map(move |to_m| (from_m, to_m)));
        let blocks = blocks.filter(|(from_m, to_m)| to_m - from_m > 1500.0);
        spans.extend(blocks.filter_map(|(from_m, to_m)| facts.between(None, from_m, to_m)));
    }
    let mut known = of(&spans, stat);
    // "133 on the move", while the athlete rests
    if facts.standing_s.is_some() && roles.has_any(&[Tag::State(State::Moving), Tag::Motion]) {
        known.extend(of(&facts.last_splits(roles.leg(), f64::INFINITY), None));
    }
    if metric == ClaimMetric::Pace && roles.when().is_none() && stat.is_none() {
        // "necesitas 5:54"
        known.extend(plan_speeds(facts));
    }
    if stat.is_none() {
        let newest = facts.newest(metric);
        let low = newest.iter().copied().reduce(f64::min);
        let high = newest.iter().copied().reduce(f64::max);
        known.extend(newest);
        known.extend(low.zip(high).map(|(low, high)| low.midpoint(high)));
    }
    if roles.when() == Some(When::Past) && stat.is_none() {
        known.extend(of(&facts.last_splits(roles.leg(), f64::INFINITY), None));
        known.extend(
            facts
                .spread_of(metric, None)
                .into_iter()
                .flat_map(|spread| [spread.low, spread.high]),
        );
    }
    Ok(known)
}

/// `at km 42 the average is 30.5`: where the athlete is, rather than the split that ends there.
fn is_here(scope: ClaimScope, facts: &RaceFacts) -> bool {
    let ClaimScope::Mark(metres) = scope else {
        return false;
    };
    let here = [facts.progress_m, facts.leg_progress_m()];
    here.into_iter().any(|here| (here - metres).abs() < 100.0)
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

pub(super) fn is_plausible(metric: ClaimMetric, value: f64, facts: &RaceFacts) -> bool {
    let limits = facts.all_limits(metric);
    let speeds = means(facts.now().into_iter().chain([facts.race]), ClaimMetric::Pace);
    let (slowest, fastest) = speeds
        .into_iter()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), mps| {
            (low.min(mps), high.max(mps))
        });
    let (low, high) = match (metric, facts.spread_of(metric, None)) {
        (ClaimMetric::Pace, _) => (slowest * 0.6, fastest * 1.5),
        (_, Some(spread)) => (spread.low * 0.85, spread.high * 1.1),
        (_, None) => return false,
    };
    let low = limits.iter().copied().fold(low, f64::min);
    let high = limits.iter().copied().fold(high, f64::max);
    (low..=high).contains(&value)
}
