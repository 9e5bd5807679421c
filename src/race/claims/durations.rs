//! Claims about times: how long something took, when a place was or will be reached, and how far from the plan it is.

use super::claim::{Bound, ClaimFrame, ClaimScope, Length, Mood, Progress, When};
use super::evidence::{Allowed, ClaimVerdict, check, is_advice, no, spans};
use super::facts::{RaceFacts, RaceSpan};
use super::quantity::{Measure, Quantity, Reading};
use crate::race::sport::LegKind;
use crate::race::text;

/// Longer times in a clause with "should" or "would" are expectations.
const LONGEST_ADVICE_S: f64 = 1800.0;

pub(super) fn allowed(reading: Reading, to: Option<Reading>, bound: Bound) -> Allowed {
    let value = reading.value;
    let exact = match reading.step {
        step if step <= 1.5 => (value * 0.0015).max(3.0),
        step if step <= 15.0 => step,
        // Round numbers of minutes and hours are rounded.
        step if step <= 60.0 && value >= 600.0 && value % 300.0 == 0.0 => (value * 0.07).clamp(45.0, 150.0),
        step if step <= 60.0 => 42.0,
        step => (value * 0.07).min(step * 0.4),
    };
    Allowed::new(reading, to, exact, bound)
}

pub(super) fn value(
    reading: Reading,
    to: Option<Reading>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    // "I'd say 1:54 at the finish", but "you could rest for five minutes".
    let is_guess =
        frame.mood == Some(Mood::Modal) && reading.value >= LONGEST_ADVICE_S && reading.step <= 60.0;
    if (is_advice(frame) && !is_guess) || frame.scope == Some(ClaimScope::Next) {
        return Ok(());
    }
    let guess = ClaimFrame {
        when: Some(When::Future),
        ..frame.clone()
    };
    let frame = if is_guess { &guess } else { frame };
    let allowed = allowed(reading, to, frame.bound);
    if frame.silent {
        let gaps = facts.gaps_s.iter().copied().chain([facts.age_s]);
        let is_gap =
            gaps.into_iter().any(|s| allowed.has(s)) && (facts.is_silent || !facts.gaps_s.is_empty());
        let is_elapsed = facts.is_silent && allowed.has(facts.elapsed_s);
        return check(
            is_gap || is_elapsed,
            &format!("the newest data is {} old", text::time(facts.age_s)),
        );
    }
    let known = known(reading, allowed, frame, facts)?;
    if known
        || (frame.scope.is_none()
            && frame.leg.is_none()
            && frame.checkpoint.is_none()
            && facts.was_told(reading, frame))
    {
        return Ok(());
    }
    no("the data has another time for this")
}

fn known(reading: Reading, allowed: Allowed, frame: &ClaimFrame, facts: &RaceFacts) -> Result<bool, String> {
    let spans_s = |spans: &[RaceSpan]| {
        spans
            .iter()
            .any(|span| allowed.has(span.elapsed_s) || allowed.has(span.moving_s))
    };
    if let Some(place) = frame.checkpoint.and_then(|index| facts.places.get(index)) {
        let here = facts
            .stops
            .iter()
            .filter(|stop| (stop.at_m - place.at_m).abs() <= 400.0);
        let stops: Vec<f64> = here.map(|stop| stop.duration_s).collect();
        let rests = frame.standing || !frame.reached;
        if rests
            && stops
                .iter()
                .any(|s| allowed.meets(*s * 0.95, s * 1.05 + facts.age_s))
        {
            return Ok(true);
        }
        if frame.standing {
            return Ok(false);
        }
        let limits = [place.cutoff_s, place.target_s];
        if limits.into_iter().flatten().any(|s| allowed.has(s)) {
            return Ok(true);
        }
        if let Some(at_s) = facts.passed_s(place.at_m) {
            return Ok(allowed.has(at_s) || allowed.has(facts.elapsed_s - at_s));
        }
        return Ok(arrival(allowed, place.at_m, frame, facts));
    }
    if let Some(scope) = frame.scope.filter(|scope| *scope != ClaimScope::Race) {
        if let ClaimScope::Mark(metres) = scope {
            let from_m = facts.leg_now().map_or(0.0, |leg| leg.from_m);
            let passed = [metres, metres + from_m]
                .into_iter()
                .filter_map(|m| facts.passed_s(m));
            let leg_s = facts.elapsed_s - facts.leg_now().map_or(0.0, |leg| leg.span.elapsed_s);
            if passed
                .into_iter()
                .any(|s| allowed.has(s) || allowed.has(s - leg_s))
            {
                return Ok(true);
            }
            if metres > facts.progress_m && frame.when != Some(When::Past) {
                return Ok(arrival(allowed, metres, frame, facts));
            }
            if frame.standing {
                return Ok(stops(allowed, frame, facts));
            }
        }
        let parts = spans(scope, frame, facts)?;
        let singly = match scope {
            // "the last three splits: 5:36, 5:20, 5:15"
            ClaimScope::Last(Length::Metres(metres)) if metres <= 5000.0 => {
                facts.last_splits(frame.leg, metres)
            }
            ClaimScope::Since(metres) => facts.last_splits(frame.leg, facts.leg_progress_m() - metres),
            _ => Vec::new(),
        };
        let is_window = scope == ClaimScope::Window;
        return Ok((!is_window && spans_s(&parts)) || spans_s(&singly));
    }
    if frame.standing && frame.leg.is_none() {
        return Ok(stops(allowed, frame, facts));
    }
    if let Some(kind) = frame
        .leg
        .filter(|_| facts.legs.len() > 1 || frame.leg != facts.leg_now().and_then(|leg| leg.kind))
    {
        let index = facts
            .leg_index(kind, frame.leg_number)
            .ok_or_else(|| format!("the race has no {} leg so far", kind.word()))?;
        if frame.standing && stops(allowed, frame, facts) {
            return Ok(true);
        }
        let span = facts.legs.get(index).map(|leg| leg.span).unwrap_or_default();
        // "on the bike 3:20 later"
        let before = index.checked_sub(1).and_then(|before| facts.legs.get(before));
        let transition = before.filter(|leg| leg.kind == Some(LegKind::Transition) && frame.on_leg);
        let transition = transition.map(|leg| leg.span);
        return Ok(spans_s(&[span, transition.unwrap_or(span)]));
    }
    if frame.progress == Some(Progress::ToGo) || frame.when == Some(When::Future) {
        let whole_m = facts.whole_m.ok_or("the length of the way is not known")?;
        let leg_end_m = facts
            .leg_length_m()
            .map(|length_m| facts.progress_m + length_m - facts.leg_progress_m());
        let ends = leg_end_m
            .filter(|_| facts.is_multisport)
            .into_iter()
            .chain([whole_m]);
        return Ok(ends
            .into_iter()
            .any(|end_m| arrival(allowed, end_m, frame, facts)));
    }
    let newest_s = facts.elapsed_s + facts.age_s;
    let elapsed = allowed.meets(
        facts.elapsed_s - facts.lag_s.min(reading.value * 0.02 + 60.0),
        newest_s,
    );
    Ok(elapsed || allowed.has(facts.race.moving_s))
}

fn stops(allowed: Allowed, frame: &ClaimFrame, facts: &RaceFacts) -> bool {
    let from_m = |leg: usize| facts.legs.get(leg).map_or(0.0, |leg| leg.from_m);
    if let Some(ClaimScope::Mark(metres)) = frame.scope {
        let near = |m: f64| (m - metres).abs() <= 600.0_f64.max(metres * 0.02);
        return facts.stops.iter().any(|stop| {
            allowed.has(stop.duration_s) && (near(stop.at_m) || near(stop.at_m - from_m(stop.leg)))
        });
    }
    let all_s: f64 = facts.stops.iter().map(|stop| stop.duration_s).sum();
    if facts.stops.len() > 1
        && frame.scope == Some(ClaimScope::Race)
        && allowed.meets(all_s * 0.97, all_s * 1.03 + facts.age_s)
    {
        return true;
    }
    let is_present = matches!(frame.when, Some(When::Present | When::Now));
    match facts.standing_s {
        Some(s) if is_present => allowed.meets(s - facts.lag_s.min(s * 0.2), s + facts.age_s),
        _ => facts
            .stops
            .iter()
            .any(|stop| allowed.meets(stop.duration_s * 0.95, stop.duration_s * 1.05)),
    }
}

/// A race time, or the time until then, at which a place may be reached.
fn arrival(allowed: Allowed, race_m: f64, frame: &ClaimFrame, facts: &RaceFacts) -> bool {
    facts.reaches_s(race_m).is_some_and(|(early, late)| {
        let left = (early - facts.elapsed_s, late - facts.elapsed_s);
        let slack = |s: f64| s * 0.02;
        let is_left = frame.progress == Some(Progress::ToGo);
        (!is_left && allowed.meets(early - slack(left.1), late + slack(left.1)))
            || allowed.meets(left.0 * 0.95 - 30.0, left.1 * 1.05 + 30.0)
    })
}

/// `10 km in 55:11`
pub(super) fn reaching(
    distance: &Quantity,
    time: &Quantity,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let Some(metres) = distance.measures(Measure::Distance) else {
        return Ok(());
    };
    let times: Vec<Reading> = time
        .readings
        .iter()
        .filter(|reading| reading.measure == Measure::Duration)
        .copied()
        .collect();
    let is_any = |seconds: &[f64]| {
        times.iter().any(|reading| {
            let allowed = allowed(*reading, None, frame.bound);
            seconds.iter().any(|s| allowed.has(*s))
        })
    };
    let near = |m: f64| (m - metres.value).abs() <= (metres.step * 0.55).max(metres.value * 0.004).max(25.0);
    let mut seconds = Vec::new();
    for (index, leg) in facts.legs.iter().enumerate() {
        let is_meant = frame
            .leg
            .is_none_or(|kind| facts.leg_index(kind, frame.leg_number) == Some(index));
        if is_meant && near(leg.span.distance_m) {
            seconds.extend([leg.span.elapsed_s, leg.span.moving_s]);
        }
    }
    let is_current = frame.leg.is_none_or(|kind| {
        facts
            .leg_index(kind, None)
            .is_some_and(|index| index + 1 == facts.legs.len())
    });
    if is_current {
        seconds.extend(facts.passed_s(metres.value));
        seconds.extend(
            facts
                .between(frame.leg, 0.0, metres.value)
                .map(|span| span.elapsed_s),
        );
        if frame.scope.is_none() && frame.progress != Some(Progress::Done) {
            seconds.extend(
                facts
                    .last_metres(frame.leg, metres.value)
                    .iter()
                    .map(|span| span.elapsed_s),
            );
        }
    }
    let lag_m = facts.progress_m - facts.progress_before_m;
    let is_here = is_current
        && (near(facts.distance_m)
            || near(facts.progress_m)
            || (facts.progress_before_m..=facts.progress_m + lag_m * 0.1).contains(&metres.value));
    if is_here {
        let from = facts.elapsed_s - facts.lag_s.min(60.0);
        if times
            .iter()
            .any(|reading| allowed(*reading, None, frame.bound).meets(from, facts.elapsed_s + facts.age_s))
        {
            return Ok(());
        }
    }
    if metres.value > facts.progress_m
        && frame.when != Some(When::Past)
        && facts
            .whole_m
            .is_none_or(|whole_m| metres.value <= whole_m + 100.0)
    {
        let comes = times
            .iter()
            .any(|reading| arrival(allowed(*reading, None, frame.bound), metres.value, frame, facts));
        return check(
            comes,
            "at the paces seen so far it takes another time to get there",
        );
    }
    check(is_any(&seconds), "the data has another time for this distance")
}
