//! One part of the race against another, against the plan, or against a cut-off.

use super::evidence::{Allowed, ClaimVerdict, check, no, spans, tolerance};
use super::facts::{RaceFacts, RaceSpan};
use super::gaps;
use super::lexicon::{ScopeWord, Tag};
use super::limits;
use super::measured;
use super::quantity::{Measure, Quantity, Reading};
use super::roles::Roles;
use super::terms::{Bound, ClaimMetric, ClaimScope, ClaimStat, Length, Mood, Reference, Sense, When};
use super::value::{any, number};

/// Deviations from an even plan below this count as on the plan.
const ON_PLAN_S: f64 = 60.0;

/// `above the limit`, `ahead of the plan`, without a number.
pub(super) fn relation(roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let Some(sense) = roles.sense() else { return Ok(()) };
    if roles.mood.is_some_and(|mood| mood != Mood::Modal) {
        return Ok(());
    }
    match (sense, roles.reference()) {
        (Sense::Above | Sense::Below, Some(Reference::Limit)) => limits::against_limit(sense, roles, facts),
        (Sense::Above | Sense::Below, Some(Reference::Plan))
            if roles.measured().is_some_and(|it| it != ClaimMetric::Pace) =>
        {
            limits::against_limit(sense, roles, facts)
        }
        (Sense::Ahead | Sense::Behind | Sense::Same, reference) => {
            against_plan(sense, reference, roles, facts)
        }
        (Sense::Faster | Sense::Slower, Some(Reference::Plan)) => {
            against_plan(sense, Some(Reference::Plan), roles, facts)
        }
        (Sense::Faster | Sense::Slower, _) if roles.mood.is_none() => {
            let all = Roles {
                tags: vec![Tag::Part(ClaimScope::Race)],
                ..Roles::default()
            };
            comparison(roles, &all, None, None, facts)
        }
        _ => Ok(()),
    }
}

fn against_plan(
    sense: Sense,
    reference: Option<Reference>,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let has_cutoff = facts.places.iter().any(|place| place.cutoff_s.is_some());
    if reference == Some(Reference::Limit) {
        return Ok(());
    }
    if reference == Some(Reference::Cutoff)
        || (reference.is_none() && has_cutoff && facts.ahead_s().is_none())
    {
        let places = facts
            .places
            .iter()
            .enumerate()
            .filter(|(index, _)| roles.place().is_none_or(|at| at == *index));
        let mut margins = places.filter_map(|(_, place)| {
            let reached_s = facts
                .passed_s(place.at_m)
                .or_else(|| Some(facts.reaches_s(place.at_m)?.0))?;
            Some(place.cutoff_s? - reached_s)
        });
        let is_ahead = margins.all(|margin| margin > 0.0);
        return check(
            is_ahead == ((sense != Sense::Behind) != roles.not()),
            "the margin to the cut-off is the other way round",
        );
    }
    let Some(ahead_s) = facts.ahead_s() else {
        return check(
            sense == Sense::Same || reference.is_none(),
            "there is no plan to compare with",
        );
    };
    let holds = match sense.is_more() {
        None => ahead_s.abs() <= ON_PLAN_S.max(facts.elapsed_s * 0.04),
        Some(true) => ahead_s > 0.0,
        Some(false) => ahead_s < 0.0,
    };
    let side = if ahead_s >= 0.0 {
        "the athlete is ahead of the plan"
    } else {
        "the athlete is behind the plan"
    };
    check(holds != roles.not() || ahead_s.abs() < 20.0, side)
}

/// The roles of the other side, which may lie before this one: `since the stop 203 W, eleven less than before`.
fn other_side(left: &Roles, right: &Roles) -> Roles {
    let mut right = right.clone();
    if let Some(ClaimScope::Since(from_m)) = left.scope()
        && right.is_past()
        && right.scope().is_none()
        && !left.has(Tag::Scope(ScopeWord::Each))
    {
        right.add([Tag::Part(ClaimScope::Between(0.0, from_m))]);
    }
    right
}

pub(super) fn comparison(
    left: &Roles,
    right: &Roles,
    said: Option<&Quantity>,
    by: Option<&Quantity>,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let Some(sense) = left.sense() else { return Ok(()) };
    let right = &other_side(left, right);
    // "two minutes in the bank against two hours"
    let limits_s = facts
        .target_s
        .into_iter()
        .chain(facts.places.iter().filter_map(|place| place.cutoff_s));
    let is_limit = |reading: &Reading| {
        reading.measure == Measure::Duration && limits_s.clone().any(|s| (s - reading.value).abs() < 1.0)
    };
    if right.scope().is_none() && said.is_some_and(|said| said.readings.iter().any(is_limit)) {
        let by = by.map(|by| {
            let mut roles = left.clone();
            roles.tags.push(Tag::Reference(Reference::Plan));
            number(by, &roles, facts)
        });
        return by.unwrap_or_else(|| relation(left, facts));
    }
    // "You need nothing faster than 5:54."
    if left.reference() == Some(Reference::Plan) && left.not() {
        return Ok(());
    }
    // The run is still to come: nothing is known about it.
    let is_to_come = |kind| facts.is_multisport && facts.leg_index(kind, None).is_none();
    if left.leg().is_some_and(is_to_come) && !left.is_past() {
        return Ok(());
    }
    if let (Some(_), Some(by)) = (right.reference(), by) {
        return number(by, &left.within(right), facts);
    }
    if right.reference() == Some(Reference::Limit) && said.is_none() {
        let side = if sense.is_more() == Some(true) {
            Sense::Above
        } else {
            Sense::Below
        };
        return limits::against_limit(side, left, facts);
    }
    let of_each = |roles: &Roles| roles.has(Tag::Scope(ScopeWord::Each));
    if let Some(said) = said.filter(|_| of_each(left) || of_each(right)) {
        return of_every_split(said, sense, left, right, facts);
    }
    let begins = matches!(
        left.scope(),
        Some(ClaimScope::Since(_) | ClaimScope::Mark(_) | ClaimScope::Last(Length::Metres(_)))
    );
    if of_each(left) && begins && said.is_none() && right.scope().is_none() && right.is_past() {
        return of_successive(sense, left, facts);
    }
    if let Some(by) = by.filter(|by| by.is_bare() && names_no_metric(sense, left, right)) {
        return of_any_metric(by, left, right, said, facts);
    }
    let metric = match sense {
        // "Her heart beats faster than before."
        Sense::Faster | Sense::Slower => left.measured().unwrap_or(ClaimMetric::Pace),
        _ => {
            let unit = by
                .and_then(|by| by.readings.first())
                .and_then(|by| by.measure.metric());
            unit.or(left.measured())
                .or(right.measured())
                .unwrap_or(ClaimMetric::Pace)
        }
    };
    let one = measured::known(metric, left, facts)?;
    // "than the first 5 km (27:40)"
    let timed = said.filter(|said| right.scope().is_some() && said.measures(Measure::Duration).is_some());
    if let Some(timed) = timed {
        number(timed, right, facts)?;
    }
    let other = compared_with(metric, right, said.filter(|_| timed.is_none()), facts)?;
    if let (true, Some(by), None) = (other.is_empty() && metric == ClaimMetric::Cadence, by, said) {
        return against_leg(by, sense, &one, facts);
    }
    let (Some(is_more), false, false) = (sense.is_more(), one.is_empty(), other.is_empty()) else {
        return check(sense == Sense::Same, "the data does not allow this comparison");
    };
    let is_more = is_more != left.not();
    // "nine seconds less than the five before": less time is a higher speed.
    let by_time =
        by.is_some_and(|by| by.measures(Measure::Duration).is_some()) && metric == ClaimMetric::Pace;
    let is_more = is_more != (by_time && matches!(sense, Sense::Above | Sense::Below));
    // "Not one kilometre was slower than 5:50": this must hold for every split.
    let all = left.not() && left.is_past();
    let splits = facts.last_splits(left.leg(), f64::INFINITY);
    let one = if all { measured::means(splits, metric) } else { one };
    let is_apart = |a: &f64, b: &f64| {
        let apart = (a - b) / b.max(0.1);
        let least = if all { -0.003 } else { 0.001 };
        if is_more { apart > least } else { apart < -least }
    };
    let holds = if all {
        one.iter().all(|a| other.iter().any(|b| is_apart(a, b)))
    } else {
        one.iter().any(|a| other.iter().any(|b| is_apart(a, b)))
    };
    check(holds, "the comparison is the other way round")?;
    by.map_or(Ok(()), |by| {
        any(by, |reading, _| apart(reading, left, right, metric, facts))
    })
}

/// A cadence against that of an earlier part, of which only the mean of the leg is known. The earlier part lies on the
/// other side of the mean.
fn against_leg(by: &Quantity, sense: Sense, one: &[f64], facts: &RaceFacts) -> ClaimVerdict {
    let leg = facts
        .leg_now()
        .map(|leg| leg.span.values(ClaimMetric::Cadence, None));
    let means = leg.unwrap_or_default();
    let said = by.readings.first().map_or(0.0, |reading| reading.value);
    let is_so = |now: &f64, mean: &f64| {
        let more = now - mean;
        Some(more > 0.0) == sense.is_more() && said <= more.abs().mul_add(3.0, 1.0)
    };
    let holds = one.iter().any(|now| means.iter().any(|mean| is_so(now, mean)));
    check(holds, "the comparison is the other way round")
}

fn names_no_metric(sense: Sense, left: &Roles, right: &Roles) -> bool {
    let is_amount = matches!(sense, Sense::Above | Sense::Below);
    is_amount && left.measured().or(right.measured()).is_none()
}

/// `Legs turn at 88, two more than in the first 20 km`: the number may count beats, watts or revolutions.
fn of_any_metric(
    by: &Quantity,
    left: &Roles,
    right: &Roles,
    said: Option<&Quantity>,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let metrics = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence];
    let holds = |metric: &ClaimMetric| {
        let mut left = left.clone();
        left.tags.push(Tag::Metric(*metric));
        comparison(&left, right, said, Some(by), facts).is_ok()
    };
    check(metrics.iter().any(holds), "the comparison is the other way round")
}

/// `faster than 5:40 in every kilometre since the seventh`
fn of_every_split(
    said: &Quantity,
    sense: Sense,
    left: &Roles,
    right: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let pace = said
        .readings
        .iter()
        .find(|reading| reading.measure.metric() == Some(ClaimMetric::Pace));
    let (Some(pace), Some(is_more)) = (pace, sense.is_more()) else {
        return Ok(());
    };
    let from_m = match left.scope().or(right.scope()) {
        Some(ClaimScope::Since(metres) | ClaimScope::Mark(metres)) => metres,
        Some(ClaimScope::Last(Length::Metres(metres))) => facts.leg_progress_m() - metres,
        _ => 0.0,
    };
    let splits = facts.last_splits(left.leg(), facts.leg_progress_m() - from_m);
    let speeds = measured::means(splits, ClaimMetric::Pace);
    let is_so =
        |speed: &f64| (*speed > pace.value * 0.998) == is_more || (speed / pace.value - 1.0).abs() < 0.002;
    check(
        speeds.iter().all(is_so) != left.not(),
        "not every split was on that side",
    )
}

/// `every kilometre since the seventh was faster than the one before`
fn of_successive(sense: Sense, left: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let from_m = match left.scope() {
        Some(ClaimScope::Since(metres) | ClaimScope::Mark(metres)) => metres - facts.split_m(),
        Some(ClaimScope::Last(Length::Metres(metres))) => facts.leg_progress_m() - metres - facts.split_m(),
        _ => 0.0,
    };
    let splits = facts.splits_between(left.leg(), from_m, f64::INFINITY);
    let speed = |span: &RaceSpan| span.values(ClaimMetric::Pace, None).first().copied();
    let speeds: Vec<f64> = splits.iter().filter_map(speed).collect();
    let is_so = |two: &[f64]| match *two {
        [before, after] => Some(after > before) == sense.is_more(),
        _ => true,
    };
    check(
        speeds.windows(2).all(is_so) != left.not(),
        "the splits did not go that way one after the other",
    )
}

/// The values on the other side of a comparison.
fn compared_with(
    metric: ClaimMetric,
    right: &Roles,
    said: Option<&Quantity>,
    facts: &RaceFacts,
) -> Result<Vec<f64>, String> {
    let names_part = right.scope().is_some() || right.stat().is_some();
    if let Some(quantity) = said {
        let is_comparable =
            |reading: &&Reading| reading.measure.metric() == Some(metric) || reading.measure == Measure::Bare;
        let reading = quantity
            .readings
            .iter()
            .find(is_comparable)
            .ok_or("this cannot be compared")?;
        if names_part {
            let mut roles = right.clone();
            roles.add([Tag::Stat(ClaimStat::Mean), Tag::When(When::Past)]);
            measured::number(metric, *reading, None, &roles, facts)?;
        }
        return Ok(vec![reading.value]);
    }
    if names_part || right.leg().is_some() || right.place().is_some() {
        let mut roles = right.clone();
        let whole = roles.scope().is_none() && roles.leg().is_none();
        roles.add(whole.then_some(Tag::Part(ClaimScope::Race)));
        return measured::known(metric, &roles, facts);
    }
    if right.reference() == Some(Reference::Plan) {
        return Ok(gaps::plan_speeds(facts));
    }
    // "than at the beginning"
    let first = facts.last_splits(None, f64::INFINITY).into_iter().take(2);
    let first = measured::means(first, metric);
    if right.is_past() && right.has(Tag::Begins) && !first.is_empty() {
        return Ok(first);
    }
    // "faster than before"
    Ok(facts.race.values(metric, None))
}

/// `9 seconds faster than the first`
fn apart(
    reading: Reading,
    left: &Roles,
    right: &Roles,
    metric: ClaimMetric,
    facts: &RaceFacts,
) -> ClaimVerdict {
    if right.scope().is_none() && right.stat().is_none() {
        // "than at the start" names no part that the data has.
        return Ok(());
    }
    // "That was 35 seconds slower than the fastest" names only one side.
    let any = || {
        let mut any = facts.now();
        any.extend(facts.last_splits(left.leg(), f64::INFINITY));
        any
    };
    let one = left
        .scope()
        .map_or_else(|| Ok(any()), |scope| spans(scope, left, facts))?;
    let other = spans(right.scope().unwrap_or(ClaimScope::Race), right, facts)?;
    let allowed = match reading.measure {
        Measure::Duration => Allowed::time(reading, None, Bound::Exact),
        Measure::Bare if metric == ClaimMetric::Pace => Allowed::new(reading, None, 3.0, Bound::Exact),
        Measure::PaceDifference => Allowed::new(reading, None, 2.0, Bound::Exact),
        Measure::Percent => Allowed::new(reading, None, 1.0, Bound::Exact),
        _ => Allowed::new(reading, None, tolerance(metric, reading.value), Bound::Exact),
    };
    let differs = |a: &RaceSpan, b: &RaceSpan| {
        let (va, vb) = (a.values(metric, None), b.values(metric, None));
        let (Some(va), Some(vb)) = (va.first(), vb.first()) else {
            return false;
        };
        let per_km = (1000.0 / va - 1000.0 / vb).abs();
        let apart = match reading.measure {
            Measure::Duration | Measure::Bare if metric == ClaimMetric::Pace => {
                [(a.elapsed_s - b.elapsed_s).abs(), per_km]
            }
            Measure::PaceDifference => [per_km; 2],
            Measure::Percent => [(va / vb - 1.0).abs() * 100.0, (vb / va - 1.0).abs() * 100.0],
            _ => [(va - vb).abs(); 2],
        };
        apart.into_iter().any(|apart| allowed.has(apart))
    };
    if one.iter().any(|a| other.iter().any(|b| differs(a, b))) {
        Ok(())
    } else {
        no("the difference is another")
    }
}
