//! Whether a number is right.

use super::distance::distance;
use super::evidence::{Allowed, ClaimVerdict, check, no, no_leg};
use super::facts::RaceFacts;
use super::gaps;
use super::known::{FactKind, KnownFact, times};
use super::lexicon::{ScopeWord, Tag};
use super::measured;
use super::percent::percent;
use super::quantity::{Measure, Quantity, Reading};
use super::roles::Roles;
use super::terms::{Bound, ClaimMetric, ClaimScope, Mood, Progress, Reference, Sense, When};
use super::time_of_day;
use crate::race::sport::LegKind;
use crate::race::text;

/// Whether the number matches anything that it may refer to.
pub(super) fn number(quantity: &Quantity, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    // "T2 took 3:20", but "T2 in 40 minutes" and "48 km from T2"
    let is_exact = quantity
        .readings
        .iter()
        .any(|reading| reading.measure == Measure::Duration && reading.step < 60.0);
    if let (Some(kind), Some(number)) = (roles.leg(), roles.leg_number())
        && facts.leg_index(kind, Some(number)).is_none()
        && !roles.is_future()
        && roles.progress() != Some(Progress::ToGo)
        && (!roles.has(Tag::In) || is_exact)
        && quantity.measures(Measure::Distance).is_none()
        && (quantity.measures(Measure::TimeOfDay).is_none() || roles.is_past())
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
    let paces = quantity
        .readings
        .iter()
        .filter(|reading| reading.measure == Measure::Speed);
    let may_be_pace = |reading: &Reading| {
        quantity.readings.len() > 1 && measured::is_plausible(ClaimMetric::Pace, reading.value, facts)
    };
    let is_pace = paces.clone().next().is_some_and(may_be_pace);
    let is_guess = roles.mood == Some(Mood::Modal) && roles.progress() != Some(Progress::Done);
    if is_guess && quantity.readings.iter().any(expects) && !is_pace {
        let mut guess = Roles {
            mood: None,
            ..roles.clone()
        };
        guess.tags.push(Tag::When(When::Future));
        // "I'd call it a negative split: 27:40, then 27:31."
        let plain = Roles {
            mood: None,
            ..roles.clone()
        };
        let is_split = |reading: Reading, to| match reading.measure {
            Measure::Duration if reading.step <= 1.0 => value(reading, to, &plain, facts),
            _ => no("this is no split"),
        };
        return any(quantity, |reading, to| value(reading, to, &guess, facts))
            .or_else(|why| any(quantity, is_split).map_err(|_| why));
    }
    let swims = facts.legs.iter().any(|leg| leg.kind == Some(LegKind::Swim));
    any(quantity, |reading, to| {
        // A clock without a unit is read as a pace only if it matches exactly.
        if reading.measure == Measure::Speed && quantity.readings.len() > 1 {
            let mps_per_100m = quantity.readings.last() == Some(&reading);
            let exact = Roles {
                bound: Bound::Exact,
                ..roles.clone()
            };
            let is_time = roles.reference() == Some(Reference::Cutoff)
                || roles.progress().is_some()
                || roles.stands()
                || roles.is_silent()
                || (roles.has(Tag::Finish) && !roles.has(Tag::Metric(ClaimMetric::Pace)))
                || matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind));
            // "at 5:15 the rest takes 54 minutes"
            let is_time = is_time && !(roles.has(Tag::Position) && roles.progress() == Some(Progress::ToGo));
            let is_pace = (swims || !mps_per_100m) && !is_time;
            check(is_pace, "the data has another time for this")?;
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
        Measure::TimeOfDay => time_of_day::time_of_day(reading, to, roles, facts),
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
            is_advice || gaps::pace_changed(reading, roles, facts),
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

/// No heart rate, power or cadence in a race is smaller than this.
const SMALLEST_VALUE: f64 = 60.0;

/// In a clause with "should" or "would", a time of at least this is an expectation, not advice; seconds.
const LONGEST_ADVICE_S: f64 = 1800.0;

/// A time beside a measured value, as in "171 for a minute", passes unchecked up to this; seconds.
const LONGEST_ASIDE_S: f64 = 3600.0;

/// A target or a cut-off in a message may be rounded by at most this; seconds.
const MOST_LIMIT_APART_S: f64 = 300.0;

/// Two paces of a race hardly differ by more than this; seconds per kilometre.
const LONGEST_PACE_GAP_S: f64 = 120.0;

fn time(reading: Reading, to: Option<Reading>, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let is_next = roles.scope() == Some(ClaimScope::Next)
        && roles.reference() != Some(Reference::Cutoff)
        && roles.place().is_none();
    if roles.mood.is_some() || is_next {
        return Ok(());
    }
    let is_ago = matches!(roles.scope(), Some(ClaimScope::Ago(_))) && !roles.has(Tag::Alert);
    if is_ago && roles.place().is_none() && !facts.is_silent {
        return check(reading.value <= facts.elapsed_s, "the race is not that old");
    }
    let by_pace = matches!(roles.sense(), Some(Sense::Faster | Sense::Slower))
        || roles.has(Tag::Scope(ScopeWord::Each));
    // "35 seconds off your kilometre time"
    let is_free = roles.scope().is_none() && roles.leg().is_none() && roles.place().is_none();
    // No part of a race takes only a few seconds, so they are a difference.
    let is_gap = reading.step <= 1.0 && roles.leg().is_none() && roles.place().is_none();
    let is_gap = is_gap && !roles.stands() && !roles.is_silent();
    let compares = roles.reference().is_some() || matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind));
    let is_gap =
        is_gap && !compares && roles.progress().is_none() && !roles.has_any(&[Tag::Ago, Tag::Reached]);
    if (by_pace || is_gap) && reading.value <= LONGEST_PACE_GAP_S && gaps::pace_changed(reading, roles, facts)
    {
        return Ok(());
    }
    if reading.step <= 1.0
        && reading.value <= LONGEST_PACE_GAP_S
        && gaps::differs_from_plan(reading, roles, facts)
    {
        return Ok(());
    }
    // "every 10 km take you 19 minutes" gives a pace.
    if roles.has(Tag::Scope(ScopeWord::Each)) && reading.value > LONGEST_PACE_GAP_S && !roles.is_silent() {
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
    // Few facts match a precise number by chance. A rough one needs words that say what it is, unless it has none or
    // the clause has unknown words.
    let is_open = is_free && KnownFact::is_open(roles);
    let is_precise = reading.step <= 1.0;
    // Stops and transitions of a minute or more rarely match by chance either: "90 seconds at the roadside".
    let is_lenient = |fact: &KnownFact| {
        // "Your bike so far is 1:42" is about the leg, not a stop on it.
        let is_rest =
            fact.kind == FactKind::Rest && (roles.leg().is_none() || roles.stands() || roles.is_past());
        let is_part = (is_rest || fact.kind == FactKind::Leg) && reading.value >= 60.0;
        if is_precise {
            reading.value >= 300.0 || (is_part && !facts.is_silent)
        } else {
            roles.has_unknown || is_open
        }
    };
    if roles.has(Tag::Computed) {
        return Ok(());
    }
    // A limit is quoted as it was set, give or take a few minutes.
    let meets = |fact: &KnownFact| {
        let is_limit = matches!(fact.kind, FactKind::Cutoff | FactKind::Target);
        let is_near = !is_limit || to.is_some() || (fact.low - reading.value).abs() <= MOST_LIMIT_APART_S;
        is_near && allowed.meets(fact.low, fact.high)
    };
    if known.iter().any(|fact| {
        meets(fact) && (fact.agrees(roles, facts) || (is_lenient(fact) && fact.may_be(roles, facts)))
    }) {
        return Ok(());
    }
    // "171 for a minute"
    if roles.has(Tag::Beside) && reading.value <= LONGEST_ASIDE_S && !roles.stands() && !roles.is_silent() {
        return Ok(());
    }
    // A time in the future is a forecast or a limit, whatever else the clause says.
    let is_late = reading.value > facts.elapsed_s + facts.age_s + 60.0;
    if is_late && known.iter().any(|fact| meets(fact) && fact.may_come_later(roles)) {
        return Ok(());
    }
    // "at the finish around 9:55"
    let by_day = |fact: &KnownFact| reading.step >= 60.0 && time_of_day::is_by_day(fact, allowed, facts);
    if known
        .iter()
        .any(|fact| by_day(fact) && time_of_day::agrees(fact, roles, facts))
    {
        return Ok(());
    }
    if is_free && facts.was_told(reading, roles) {
        return Ok(());
    }
    if roles.is_silent() {
        return Err(format!("the newest data is {} old", text::time(facts.age_s)));
    }
    no("the data has another time for this")
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
    let wholes = facts.whole_m.into_iter().chain(facts.leg_length_m());
    let mut wholes = wholes.filter(|m| *m > 5000.0);
    let is_whole = wholes.any(|m| (reading.value * 1000.0 - m).abs() < m * 0.005);
    // "Malga Sole at 63"
    let is_told = roles.progress().is_some() || roles.place().is_some() || reading.step < 1.0;
    let is_way = is_whole || (is_told && (metres(1000.0) || metres(1609.344)));
    // A small number without a unit may count anything.
    let compares = roles.sense().is_some() || roles.reference().is_some();
    let counts =
        reading.step >= 1.0 && reading.value < SMALLEST_VALUE && roles.progress().is_none() && !compares;
    // "926 Höhenmeter"
    if roles.metric() == Some(ClaimMetric::Ascent) {
        return distance(reading.in_unit(Measure::Distance, 1.0), None, roles, facts);
    }
    let is_value = roles.measured().is_some_and(|metric| metric != ClaimMetric::Pace);
    // "Malga Sole comes at 58"
    let is_mark = roles.place().is_some() && roles.has(Tag::Position);
    if counts && !is_value && !is_mark {
        return Ok(());
    }
    let speed = reading.in_unit(Measure::Speed, 1.0 / 3.6);
    let rides = facts.leg_now().is_some_and(|leg| leg.kind == Some(LegKind::Ride));
    let is_speed = (rides || reading.step < 1.0)
        && (measured::number(ClaimMetric::Pace, speed, None, roles, facts).is_ok()
            || gaps::plan_speeds(facts)
                .iter()
                .any(|mps| (mps / speed.value - 1.0).abs() < 0.01));
    let metrics = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence];
    let may_be_value = metrics
        .into_iter()
        .any(|metric| measured::is_plausible(metric, reading.value, facts))
        && reading.value >= SMALLEST_VALUE;
    // "something solid before 60"
    if !may_be_value && !compares && reading.step >= 1.0 && roles.progress().is_none() && !is_value {
        return Ok(());
    }
    let is_known = is_speed || metrics.into_iter().any(of) || is_way;
    check(is_known, "say what this number is, with its unit")
}
