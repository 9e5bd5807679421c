//! Claims about distances, places and shares of the way.

use super::claim::{Bound, ClaimFrame, ClaimMetric, ClaimScope, Length, Progress, Reference, Sense, When};
use super::evidence::{Allowed, ClaimVerdict, check, is_advice, no, spans};
use super::facts::{PlaceFacts, RaceFacts};
use super::quantity::Reading;

/// A place counts as reached this far before it, because counters and courses differ.
const NEAR_M: f64 = 80.0;

pub(super) fn value(
    reading: Reading,
    to: Option<Reading>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let tolerance = (reading.step * 0.55).max(reading.value * 0.004).max(25.0);
    let tolerance = if frame.bound == Bound::About {
        tolerance.max(reading.value * 0.04)
    } else {
        tolerance
    };
    let allowed = Allowed::new(reading, to, tolerance, frame.bound);
    let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
    if matches!(frame.metric, Some(ClaimMetric::Ascent | ClaimMetric::Altitude)) && reading.step < 100.0 {
        let climbed = facts
            .legs
            .iter()
            .filter_map(|leg| leg.span.ascent_m)
            .chain([facts.ascent_m])
            .chain(facts.altitude_m);
        let allowed = Allowed::new(reading, to, (reading.value * 0.03).max(10.0), frame.bound);
        return check(
            is_advice(frame) || climbed.into_iter().any(|m| allowed.has(m)),
            "the data shows another height",
        );
    }
    if is_advice(frame) || frame.scope == Some(ClaimScope::Next) {
        return check(
            reading.value <= whole_m + tolerance,
            "that is more than the whole way",
        );
    }
    let (here, before) = (facts.progress_m, facts.progress_before_m);
    if let Some(ClaimScope::Ago(ago_s)) = frame.scope {
        let then_s = facts.passed_s(reading.value).unwrap_or(f64::INFINITY);
        let apart_s = (facts.elapsed_s - ago_s - then_s).abs();
        return check(
            apart_s <= ago_s * 0.1 + 60.0,
            "the athlete was elsewhere at that time",
        );
    }
    if let Some(place) = frame.checkpoint.and_then(|index| facts.places.get(index)) {
        return of_place(allowed, place, frame, facts);
    }
    if frame.standing && !frame.silent {
        let from_m = |leg: usize| facts.legs.get(leg).map_or(0.0, |leg| leg.from_m);
        if facts
            .stops
            .iter()
            .any(|stop| allowed.has(stop.at_m) || allowed.has(stop.at_m - from_m(stop.leg)))
        {
            return Ok(());
        }
    }
    if frame.progress == Some(Progress::ToGo) || frame.from_here {
        return to_go(allowed, frame, facts);
    }
    if let Some(ClaimScope::Last(Length::Seconds(_))) = frame.scope
        && let Some(scope) = frame.scope
    {
        let spans = spans(scope, frame, facts)?;
        return check(
            spans.iter().any(|span| allowed.has(span.distance_m)),
            "the distance in that time was another",
        );
    }
    if frame.when == Some(When::Future) {
        return check(
            reading.value >= here - NEAR_M && reading.value <= whole_m + tolerance,
            "that place is already behind",
        );
    }
    let known = covered(frame, facts)?;
    let lag_m = here - before;
    if known.iter().any(|m| allowed.meets(m - lag_m, *m)) {
        return Ok(());
    }
    let is_past = (frame.when == Some(When::Past) && !facts.is_silent) || frame.reached;
    if is_past && frame.progress.is_none() && !frame.at_place {
        return check(reading.value <= here + NEAR_M, "that place is still ahead");
    }
    let is_left = frame.progress.is_none()
        && !matches!(frame.when, Some(When::Past | When::Perfect))
        && to_go(allowed, frame, facts).is_ok();
    let named = frame.progress.is_none()
        && (facts.places.iter().any(|place| allowed.has(place.at_m))
            || [facts.whole_m, facts.leg_length_m()]
                .into_iter()
                .flatten()
                .any(|m| allowed.has(m)));
    check(
        named || is_left || (frame.scope.is_none() && facts.was_told(reading, frame)),
        &format!("the distance so far is {:.1} km", here / 1000.0),
    )
}

/// The distances covered so far: of the race, or of the leg that a claim is about.
fn covered(frame: &ClaimFrame, facts: &RaceFacts) -> Result<Vec<f64>, String> {
    let mut known = vec![facts.distance_m];
    let index = frame.leg.and_then(|kind| facts.leg_index(kind, frame.leg_number));
    match (frame.leg, index) {
        (Some(_), None) => return Err("the race has no such leg so far".to_owned()),
        (Some(_), Some(index)) => {
            let is_current = index + 1 == facts.legs.len();
            known.clear();
            known.extend(facts.legs.get(index).map(|leg| leg.span.distance_m));
            known.extend((is_current && facts.legs.len() == 1).then_some(facts.progress_m));
        }
        (None, _) => {
            known.extend([facts.leg_progress_m(), facts.progress_m]);
        }
    }
    Ok(known)
}

/// A distance in a clause that names a checkpoint.
fn of_place(allowed: Allowed, place: &PlaceFacts, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let (here, before) = (facts.progress_m, facts.progress_before_m);
    let is_rest = frame.progress == Some(Progress::ToGo)
        && facts.whole_m.is_some_and(|whole_m| {
            allowed.has(whole_m - place.at_m) || allowed.meets(whole_m - here, whole_m - before)
        });
    let away = allowed.meets((place.at_m - here).abs(), (place.at_m - before).abs());
    let at = allowed.has(place.at_m) && !frame.from_here;
    let stop = facts
        .stops
        .iter()
        .any(|stop| frame.standing && allowed.has(stop.at_m));
    let done = !frame.from_here && frame.progress == Some(Progress::Done) && allowed.meets(before, here);
    check(
        away || at || stop || done || is_rest,
        &format!("that place is at {:.1} km", place.at_m / 1000.0),
    )
}

fn to_go(allowed: Allowed, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let (here, before) = (facts.progress_m, facts.progress_before_m);
    let mut left: Vec<(f64, f64)> = Vec::new();
    if frame.leg.is_none() || facts.legs.len() == 1 {
        left.extend(facts.whole_m.map(|m| (m - here, m - before)));
    }
    if frame.from_here || frame.checkpoint.is_some() || frame.sense == Some(Sense::Ahead) {
        left.extend(
            facts
                .places
                .iter()
                .map(|place| (place.at_m - here, place.at_m - before)),
        );
    }
    if facts.is_multisport
        && let Some(length) = facts.leg_length_m()
    {
        let done = facts.leg_progress_m();
        left.push((length - done, length - done + here - before));
    }
    if left.is_empty() {
        return no("the length of the way is not known");
    }
    let near = left.iter().any(|(now, before)| allowed.meets(*now, *before));
    let first = left.first().map_or(0.0, |(now, _)| *now);
    check(near, &format!("{:.1} km are left", first / 1000.0))
}

pub(super) fn percent(reading: Reading, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if is_advice(frame) {
        return Ok(());
    }
    if frame.reference == Some(Reference::Limit) {
        let metrics = [ClaimMetric::HeartRate, ClaimMetric::Power, ClaimMetric::Cadence].into_iter();
        let holds = metrics
            .filter(|metric| frame.metric.is_none_or(|own| own == *metric))
            .any(|metric| {
                let now: Vec<f64> = facts
                    .now()
                    .iter()
                    .flat_map(|span| span.values(metric, None))
                    .collect();
                let limits = facts.all_limits(metric);
                limits.iter().any(|limit| {
                    now.iter()
                        .any(|now| (now / limit * 100.0 - reading.value).abs() <= 1.5)
                })
            });
        return check(holds, "the share of the limit is another");
    }
    let Some(whole_m) = facts.whole_m.filter(|m| *m > 0.0) else {
        return no("the length of the way is not known");
    };
    let of_leg = facts
        .leg_length_m()
        .filter(|_| facts.is_multisport)
        .map(|length_m| facts.leg_progress_m() / length_m * 100.0);
    let is_leg = frame.leg.is_some() && of_leg.is_some();
    let done = of_leg
        .filter(|_| is_leg)
        .unwrap_or(facts.progress_m / whole_m * 100.0);
    let allowed = Allowed::new(reading, None, (reading.step * 0.6).max(1.0), frame.bound);
    let share = if frame.progress == Some(Progress::ToGo) {
        100.0 - done
    } else {
        done
    };
    check(
        (allowed.has(share) || (frame.progress.is_none() && allowed.has(100.0 - done)))
            && (frame.sense.is_none_or(|sense| sense.is_more().is_none()) || frame.bound != Bound::Exact),
        &format!("{done:.0} % of the way are done"),
    )
}

/// A place without a time: at it, behind or ahead.
pub(super) fn place(metres: Option<f64>, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let named = frame.checkpoint.and_then(|index| facts.places.get(index));
    let at_m = match (metres, named) {
        (Some(metres), Some(place)) if frame.progress.is_none() && !frame.reached => {
            return check(
                (metres - place.at_m).abs() <= 150.0,
                &format!("that place is at {:.1} km", place.at_m / 1000.0),
            );
        }
        (Some(metres), _) => metres,
        (None, Some(place)) => place.at_m,
        (None, None) => return Ok(()),
    };
    let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
    let here = facts.progress_m;
    let rests_there = facts.standing_s.is_some() && (at_m - here).abs() <= 400.0;
    if frame.departed && !frame.not && frame.when != Some(When::Future) && rests_there {
        return no("the athlete is still there");
    }
    if frame.when == Some(When::Future) || frame.scope == Some(ClaimScope::Next) {
        if rests_there {
            return no("the athlete is there already");
        }
        return check(
            at_m >= here - NEAR_M && at_m <= whole_m + NEAR_M,
            "that place is already behind",
        );
    }
    let behind = frame.reached
        || frame.progress == Some(Progress::Done)
        || matches!(frame.when, Some(When::Past | When::Perfect))
        || frame.standing;
    if behind && !frame.not && frame.progress != Some(Progress::ToGo) {
        return check(at_m <= here + 150.0, "that place is still ahead");
    }
    if frame.at_place && !frame.not && matches!(frame.when, Some(When::Present | When::Now)) {
        return check(
            (at_m - here).abs() <= 300.0 + (here - facts.progress_before_m),
            "the athlete is elsewhere",
        );
    }
    check(at_m <= whole_m + NEAR_M, "that is beyond the finish")
}

pub(super) fn halfway(frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if facts.is_multisport && frame.leg.is_some() {
        let Some(length_m) = facts.leg_length_m() else {
            return Ok(());
        };
        let is_past_it = facts.leg_progress_m() >= length_m * 0.45;
        return check(
            is_past_it != frame.not || is_advice(frame),
            "halfway is not there yet",
        );
    }
    if let (Some(Progress::ToGo), Some(whole_m)) = (frame.progress, facts.whole_m) {
        return check(facts.progress_m <= whole_m * 0.515, "less than half is left");
    }
    let Some(whole_m) = facts
        .whole_m
        .filter(|_| !is_advice(frame) && frame.when != Some(When::Future))
    else {
        return Ok(());
    };
    let is_past_it = facts.progress_m >= whole_m * 0.485;
    check(is_past_it != frame.not, "halfway is not there yet")
}
