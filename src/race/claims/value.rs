//! Whether a number is right.

use super::evidence::{Allowed, ClaimVerdict, check, no, no_leg};
use super::facts::RaceFacts;
use super::known::{lengths, times};
use super::lexicon::{ScopeWord, Tag};
use super::measured;
use super::quantity::{Measure, Quantity, Reading};
use super::roles::Roles;
use super::terms::{Bound, ClaimMetric, ClaimScope, Mood, Progress, Reference, Sense, When};
use crate::race::sport::LegKind;
use crate::race::text;

/// Whether the number may mean anything that has its value.
pub(super) fn number(quantity: &Quantity, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    // "T2 took 3:20"
    if let (Some(kind), Some(number)) = (roles.leg(), roles.leg_number())
        && facts.leg_index(kind, Some(number)).is_none()
        && !roles.is_future()
        && !roles.has(Tag::In)
        && roles.mood.is_none()
    {
        return Err(no_leg(kind));
    }
    // "Your opening kilometre and your ninth"
    let is_split = |km: f64| km.fract() == 0.0 && km * 1000.0 <= facts.progress_m;
    if (quantity.ordinal || roles.has(Tag::SplitNoun)) && quantity.whole().is_some_and(is_split) {
        return Ok(());
    }
    let expects = |reading: &Reading| {
        reading.measure == Measure::Duration && reading.value >= LONGEST_ADVICE_S && reading.step <= 3600.0
    };
    // "I'd say 1:54 at the finish", but "you could rest for five minutes".
    if roles.mood == Some(Mood::Modal) && quantity.readings.iter().any(expects) {
        let mut guess = Roles {
            mood: None,
            ..roles.clone()
        };
        guess.tags.push(Tag::When(When::Future));
        return any(quantity, |reading, to| value(reading, to, &guess, facts));
    }
    let swims = facts.legs.iter().any(|leg| leg.kind == Some(LegKind::Swim));
    any(quantity, |reading, to| {
        // A clock without a unit is a pace only if it is exactly that.
        if reading.measure == Measure::Speed && quantity.readings.len() > 1 {
            let mps_per_100m = quantity.readings.last() == Some(&reading);
            let exact = Roles {
                bound: Bound::Exact,
                ..roles.clone()
            };
            check(swims || !mps_per_100m, "the data has another time for this")?;
            return value(reading, to, &exact, facts);
        }
        value(reading, to, roles, facts)
    })
}

/// Any reading of a number may be the one that was meant. If none is true, the error is that of the first.
pub(super) fn any(
    quantity: &Quantity,
    judge: impl Fn(Reading, Option<Reading>) -> ClaimVerdict,
) -> ClaimVerdict {
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

fn value(reading: Reading, to: Option<Reading>, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let is_advice = roles.mood.is_some();
    match reading.measure {
        Measure::Distance => distance(reading, to, roles, facts),
        Measure::Duration => time(reading, to, roles, facts),
        Measure::Percent => percent(reading, roles, facts),
        Measure::Stops => {
            let stops = facts.stops.iter().filter(|stop| stop.duration_s >= 45.0).count() as f64;
            let is_count = (stops - reading.value).abs() < 0.5;
            check(
                is_advice || roles.progress() == Some(Progress::ToGo) || is_count,
                "the data shows another number of stops",
            )
        }
        Measure::Misfit => no("the number and its unit do not fit"),
        Measure::Foreign => check(
            is_advice || roles.when().is_none(),
            "the race's data does not contain this",
        ),
        Measure::PaceDifference => check(
            is_advice || measured::pace_differs(reading, facts),
            "no two paces differ by that",
        ),
        Measure::ClimbRate => check(is_advice, "the data has no such rate of climb"),
        Measure::Bare => bare(reading, to, roles, facts),
        // "three steps"
        Measure::Cadence { steps: true } if is_advice && reading.value < 60.0 => Ok(()),
        measure => {
            let Some(metric) = measure.metric() else {
                return Ok(());
            };
            let label = roles.find(Tag::metric).filter(|label| label.is_measured());
            let verdict = measured::number(metric, reading, to, roles, facts);
            match label {
                Some(label) if label != metric && verdict.is_err() => {
                    Err(format!("this is not a unit of {}", label.name()))
                }
                _ => verdict,
            }
        }
    }
}

/// Longer times in a clause with "should" or "would" are expectations.
const LONGEST_ADVICE_S: f64 = 1800.0;

/// Two paces of a race are hardly further apart, in seconds per kilometre.
const LONGEST_PACE_GAP_S: f64 = 120.0;

fn time(reading: Reading, to: Option<Reading>, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    if roles.mood.is_some() || roles.scope() == Some(ClaimScope::Next) {
        return Ok(());
    }
    if matches!(roles.scope(), Some(ClaimScope::Ago(_))) && roles.place().is_none() {
        return check(reading.value <= facts.elapsed_s, "the race is not that old");
    }
    let by_pace = matches!(roles.sense(), Some(Sense::Faster | Sense::Slower))
        || roles.has(Tag::Scope(ScopeWord::Each));
    if by_pace && reading.value <= LONGEST_PACE_GAP_S && measured::pace_differs(reading, facts) {
        return Ok(());
    }
    let differs = matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind))
        || roles.reference() == Some(Reference::Cutoff);
    // "more than an hour" may be much more.
    let far = (differs && roles.bound == Bound::AtLeast).then_some(Reading {
        value: reading.value * 10.0,
        ..reading
    });
    let bound = if far.is_some() { Bound::Exact } else { roles.bound };
    let allowed = Allowed::time(reading, to.or(far), bound);
    let known = times(roles, facts);
    if known
        .iter()
        .any(|fact| allowed.meets(fact.low, fact.high) && fact.agrees(roles, facts))
    {
        return Ok(());
    }
    let is_free = roles.scope().is_none() && roles.leg().is_none() && roles.place().is_none();
    if is_free && facts.was_told(reading, roles) {
        return Ok(());
    }
    if roles.is_silent() {
        return Err(format!("the newest data is {} old", text::time(facts.age_s)));
    }
    no("the data has another time for this")
}

fn distance(reading: Reading, to: Option<Reading>, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let allowed = Allowed::distance(reading, to, roles.bound);
    let is_height = matches!(roles.metric(), Some(ClaimMetric::Ascent | ClaimMetric::Altitude));
    if is_height && reading.step < 100.0 {
        let known = facts
            .legs
            .iter()
            .filter_map(|leg| leg.span.ascent_m)
            .chain([facts.ascent_m])
            .chain(facts.altitude_m);
        let allowed = Allowed::new(reading, to, (reading.value * 0.03).max(10.0), roles.bound);
        return check(
            roles.mood.is_some() || known.into_iter().any(|m| allowed.has(m)),
            "the data shows another height",
        );
    }
    if roles.mood.is_some() || roles.scope() == Some(ClaimScope::Next) {
        let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
        return check(
            reading.value <= whole_m * 1.004 + 25.0,
            "that is more than the whole way",
        );
    }
    if let Some(ClaimScope::Ago(ago_s)) = roles.scope() {
        let then_s = facts.passed_s(reading.value).unwrap_or(f64::INFINITY);
        let apart_s = (facts.elapsed_s - ago_s - then_s).abs();
        return check(
            apart_s <= ago_s * 0.1 + 60.0,
            "the athlete was elsewhere at that time",
        );
    }
    let holds = lengths(roles, facts)
        .iter()
        .any(|fact| allowed.meets(fact.low, fact.high) && fact.agrees(roles, facts));
    check(
        holds || (roles.scope().is_none() && facts.was_told(reading, roles)),
        &format!("the distance so far is {:.1} km", facts.progress_m / 1000.0),
    )
}

/// A number without a unit passes if it is true of anything that it may count.
fn bare(reading: Reading, to: Option<Reading>, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    if let Some(metric) = roles.measured() {
        let verdict = measured::number(metric, reading, to, roles, facts);
        if verdict.is_ok() || metric != ClaimMetric::Pace {
            return verdict;
        }
    }
    if roles.mood.is_some() {
        return Ok(());
    }
    // "sub 2"
    if roles.reference() == Some(Reference::Plan)
        && facts
            .target_s
            .is_some_and(|s| (s - reading.value * 3600.0).abs() < 1.0)
    {
        return Ok(());
    }
    // "the last five kilometres (6 to 10)"
    let is_stretch = matches!(
        roles.scope(),
        Some(ClaimScope::Last(_) | ClaimScope::First(_) | ClaimScope::Second(_))
    );
    if is_stretch && to.is_some_and(|to| to.value * 1000.0 <= facts.progress_m) {
        return Ok(());
    }
    let of = |metric| measured::number(metric, reading, to, roles, facts).is_ok();
    let metres = |factor: f64| {
        let scaled = |reading: Reading| reading.in_unit(Measure::Distance, factor);
        distance(scaled(reading), to.map(scaled), roles, facts).is_ok()
    };
    let is_whole = facts
        .whole_m
        .is_some_and(|m| m > 5000.0 && (reading.value * 1000.0 - m).abs() < m * 0.005);
    let is_told = roles.progress().is_some() || reading.step < 1.0;
    let is_way = is_whole || (is_told && (metres(1000.0) || metres(1609.344)));
    let speed = reading.in_unit(Measure::Speed, 1.0 / 3.6);
    let rides = facts.leg_now().is_some_and(|leg| leg.kind == Some(LegKind::Ride));
    let is_speed = rides && measured::number(ClaimMetric::Pace, speed, None, roles, facts).is_ok();
    let is_known = is_speed
        || [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence]
            .into_iter()
            .any(of)
        || is_way;
    check(is_known, "say what this number is, with its unit")
}

fn percent(reading: Reading, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    if roles.mood.is_some() {
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
