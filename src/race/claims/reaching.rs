//! A distance together with the time at which it was or will be reached.

use super::evidence::{Allowed, ClaimVerdict, check, no};
use super::facts::RaceFacts;
use super::lexicon::Tag;
use super::quantity::{Measure, Quantity, Reading};
use super::roles::Roles;
use super::terms::{ClaimScope, Mood, Progress};
use super::value::number;

/// The times of the race that a number may mean, also as a time of day: `kilometre 60.2 at 17:40`.
fn times_of(time: &Quantity, facts: &RaceFacts) -> Vec<Reading> {
    let times: Vec<Reading> = time
        .readings
        .iter()
        .filter(|reading| reading.measure == Measure::Duration)
        .copied()
        .collect();
    let day_s = facts.start_of_day_s.unwrap_or_default();
    let by_day = times
        .iter()
        .filter(|reading| reading.step >= 60.0 && reading.value >= day_s);
    let by_day: Vec<Reading> = by_day
        .map(|reading| Reading {
            value: reading.value - day_s,
            ..*reading
        })
        .collect();
    [times, by_day].concat()
}

/// `10 km in 55:11`
pub(super) fn reaching(
    distance: &Quantity,
    time: &Quantity,
    roles: &Roles,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let Some(metres) = distance.measures(Measure::Distance) else {
        return Ok(());
    };
    // "You will have passed 10 km", but they are behind.
    if roles.is_future() && roles.has(Tag::Reached) && metres.value < facts.progress_m - 400.0 {
        return no("that distance is already behind");
    }
    let times = times_of(time, facts);
    let takes = |from: f64, to: f64| {
        times
            .iter()
            .any(|reading| Allowed::time(*reading, None, roles.bound).meets(from, to))
    };
    let near = |m: f64| (m - metres.value).abs() <= (metres.step * 0.55).max(metres.value * 0.004).max(25.0);
    let own = roles.leg();
    let is_meant =
        |index: usize| own.is_none_or(|kind| facts.leg_index(kind, roles.leg_number()) == Some(index));
    let mut seconds = Vec::new();
    for (index, leg) in facts
        .legs
        .iter()
        .enumerate()
        .filter(|(index, _)| is_meant(*index))
    {
        if near(leg.span.distance_m) {
            let age_s = if index + 1 == facts.legs.len() {
                facts.age_s
            } else {
                0.0
            };
            seconds.extend([
                (leg.span.elapsed_s, leg.span.elapsed_s + age_s),
                (leg.span.moving_s, leg.span.moving_s),
            ]);
        }
    }
    let is_current = own.is_none_or(|kind| {
        facts
            .leg_index(kind, None)
            .is_some_and(|index| index + 1 == facts.legs.len())
    });
    let lag_m = facts.progress_m - facts.progress_before_m;
    // "the next 16.7 km will take …"
    if is_current && !roles.is_future() {
        let passed = facts.passed_s(metres.value);
        let since = passed
            .filter(|_| roles.has(Tag::Ago))
            .map(|s| facts.elapsed_s - s);
        // "Since kilometre 7, three kilometres in 16:11."
        if let Some(ClaimScope::Since(from_m)) = roles.scope()
            && let Some((from_s, to_s)) = facts.passed_s(from_m).zip(facts.passed_s(from_m + metres.value))
        {
            seconds.push((to_s - from_s, to_s - from_s));
        }
        let split = facts.between(own, 0.0, metres.value).map(|span| span.elapsed_s);
        let last = facts
            .last_metres(own, metres.value)
            .into_iter()
            .map(|span| span.elapsed_s);
        let is_free = matches!(roles.scope(), None | Some(ClaimScope::Window));
        let last = last.filter(|_| is_free && roles.progress() != Some(Progress::Done));
        let stopped_s: f64 = facts.stops.iter().map(|stop| stop.duration_s).sum();
        seconds.extend(passed.into_iter().chain(since).map(|s| (s, s)));
        seconds.extend(
            split
                .into_iter()
                .chain(last)
                .flat_map(|s| [(s, s), (s - stopped_s, s - stopped_s)]),
        );
        seconds.extend(since_places(facts, near));
        let is_here = near(facts.distance_m)
            || near(facts.progress_m)
            || (facts.progress_before_m..=facts.progress_m + lag_m * 0.1).contains(&metres.value);
        seconds.extend(is_here.then(|| {
            (
                facts.elapsed_s - facts.lag_s.min(60.0),
                facts.elapsed_s + facts.age_s,
            )
        }));
    }
    let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
    if seconds.iter().any(|(from, to)| takes(*from, *to)) {
        return Ok(());
    }
    if metres.value > facts.progress_m && !roles.is_past() && metres.value <= whole_m + 100.0 {
        // A place ahead, or the remaining distance, at one of the paces seen so far.
        let alone = |quantity: &Quantity| {
            let mut roles = roles.clone();
            roles.add([Tag::Part(ClaimScope::Mark(metres.value))]);
            number(quantity, &roles, facts)
        };
        return alone(time);
    }
    let alone = |quantity: &Quantity| number(quantity, roles, facts).is_ok();
    let is_apart = roles.is_future()
        || roles.has(Tag::FromHere)
        || roles.place().is_some()
        || roles.mood == Some(Mood::Modal);
    check(
        is_apart && alone(distance) && alone(time),
        "the data has another time for this distance",
    )
}

/// "31:43 for the 5.8 km since Velden": the time since each place and stop whose distance behind the athlete satisfies
/// `near`, with and without the time stopped there.
fn since_places(facts: &RaceFacts, near: impl Fn(f64) -> bool) -> Vec<(f64, f64)> {
    let places = facts.places.iter().map(|place| place.at_m);
    let starts = places.chain(facts.stops.iter().map(|stop| stop.at_m));
    let here_s = facts.passed_s(facts.progress_m).unwrap_or(facts.elapsed_s);
    let since = starts.filter(|m| near(facts.progress_m - m)).filter_map(|m| {
        let since_s = here_s - facts.passed_s(m)?;
        let stops = facts.stops.iter().filter(|stop| (stop.at_m - m).abs() < 400.0);
        let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
        Some((since_s - stopped_s - 30.0, since_s + facts.elapsed_s - here_s))
    });
    since.collect()
}
