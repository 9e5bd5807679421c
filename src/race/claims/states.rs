//! Claims without a number: states, trends, legs, the fastest split.

use super::claim::{ClaimFrame, ClaimMetric, ClaimScope, Progress, Sense, State, When};
use super::evidence::{ClaimVerdict, check, is_advice, is_measured, metric_of, no, no_leg, tolerance};
use super::facts::{RaceFacts, RaceSpan};
use super::quantity::Quantity;
use crate::race::sport::LegKind;

/// Nobody walks faster than this for long, in metres per second.
const FASTEST_WALK_MPS: f64 = 2.1;

/// `from 214 to 203 W`: the second is now, and the first was before.
pub(super) fn change(
    quantity: &Quantity,
    sense: Option<Sense>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let (Some(from), Some(to)) = (quantity.readings.first(), quantity.to.first()) else {
        return Ok(());
    };
    let metric = metric_of(from.measure).or(frame.metric.filter(|metric| is_measured(*metric)));
    let metric = metric.ok_or("say what changed, with its unit")?;
    let is_near = |value: f64, said: f64| (value - said).abs() <= tolerance(metric, said);
    let mean = |span: Option<RaceSpan>| span.and_then(|span| span.values(metric, None).first().copied());
    let mut now = facts.newest(metric);
    now.extend(facts.now().iter().flat_map(|span| span.values(metric, None)));
    let mut before: Vec<f64> = (1..=24)
        .filter_map(|part| mean(facts.around(f64::from(part) * 300.0)))
        .collect();
    before.extend(
        [false, true]
            .into_iter()
            .filter_map(|second| mean(facts.half(second))),
    );
    let splits = facts.last_splits(None, f64::INFINITY);
    before.extend(splits.iter().flat_map(|span| span.values(metric, None)));
    before.extend(facts.legs.iter().flat_map(|leg| leg.span.values(metric, None)));
    before.extend(facts.spread_of(metric, None).map(|spread| spread.high));
    let is_way = match sense.and_then(Sense::is_more) {
        Some(true) => to.value > from.value,
        Some(false) => to.value < from.value,
        None => true,
    };
    check(is_way, "that change goes the other way")?;
    check(
        now.iter().any(|value| is_near(*value, to.value)),
        "it is another now",
    )?;
    check(
        before.iter().any(|value| is_near(*value, from.value)),
        "it was never that before",
    )
}

/// The split with the highest value, which no number tells.
pub(super) fn peak(metres: f64, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let metric = frame.metric.filter(|metric| is_measured(*metric));
    let metric = metric.unwrap_or(ClaimMetric::HeartRate);
    check(
        facts.is_hardest_split(frame.leg, metric, metres),
        "the highest value was elsewhere",
    )
}

pub(super) fn trend(sense: Sense, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    if facts.is_silent && (frame.silent || frame.when == Some(When::Past)) {
        return Ok(());
    }
    if facts.is_silent {
        return no("there is no signal, so nothing is known of the present");
    }
    let metric = match sense {
        Sense::Faster | Sense::Slower => Some(ClaimMetric::Pace),
        _ => frame.metric.filter(|metric| is_measured(*metric)),
    };
    let Some(metric) = metric else { return Ok(()) };
    let mean = |span: Option<RaceSpan>| span.and_then(|span| span.values(metric, None).first().copied());
    let now: Vec<f64> = [mean(facts.last_seconds(300.0)), mean(facts.last_seconds(600.0))]
        .into_iter()
        .flatten()
        .collect();
    let before: Vec<f64> = [
        mean(facts.around(900.0)),
        mean(facts.around(1500.0)),
        mean(facts.around(2700.0)),
        mean(facts.around(3600.0)),
        mean(facts.half(false)),
        mean(Some(facts.race)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if now.is_empty() || before.is_empty() {
        return no("the data is too short for a trend");
    }
    let any = |is: &dyn Fn(f64) -> bool| {
        now.iter()
            .any(|now| before.iter().any(|before| is(now / before.max(0.1) - 1.0)))
    };
    let holds = match sense.is_more() {
        Some(true) => any(&|change| change > 0.004),
        Some(false) => any(&|change| change < -0.004),
        None => any(&|change| change.abs() < 0.05),
    };
    check(
        holds != (frame.not && sense != Sense::Same),
        "the data shows no such trend",
    )
}

pub(super) fn state(state: State, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let is_past = matches!(frame.when, Some(When::Past | When::Perfect)) && frame.when != Some(When::Now);
    if frame.when == Some(When::Future) {
        return Ok(());
    }
    let stands = facts.standing_s.is_some_and(|s| s >= 20.0);
    let (holds, why) = match state {
        State::Standing if frame.not && is_past => (
            facts.stops.iter().any(|stop| stop.duration_s >= 60.0),
            "the data shows stops",
        ),
        State::Standing if is_past && !frame.not && frame.when == Some(When::Past) => (
            facts.stops.iter().any(|stop| stop.duration_s >= 60.0),
            "the data shows no stop",
        ),
        State::Standing if facts.is_silent => {
            return no("no signal is not a stop: whether the athlete stands is not known");
        }
        State::Standing => (stands, "the data does not show that"),
        State::Moving if facts.is_silent => {
            return no("there is no signal: whether the athlete moves is not known");
        }
        State::Moving => (
            !stands && facts.started && !facts.over,
            "the data does not show that",
        ),
        State::Finished => {
            let leg_is_over = frame
                .leg
                .and_then(|kind| facts.leg_index(kind, frame.leg_number))
                .is_some_and(|index| index + 1 < facts.legs.len());
            (
                facts.finished || (facts.is_multisport && leg_is_over),
                "the data shows no finish",
            )
        }
        State::Silent => (
            facts.is_silent || (is_past && !facts.gaps_s.is_empty()),
            "the signal is good",
        ),
        State::Heard => (!facts.is_silent, "there is no signal"),
        State::OffCourse => (
            facts.off_course_m.is_some_and(|metres| metres > 100.0),
            "the data does not show that",
        ),
        State::OnCourse => (
            facts.off_course_m.is_none_or(|metres| metres < 150.0),
            "the athlete is off the course",
        ),
        State::Retired => (false, "the data does not say so"),
        State::Started | State::Waiting if facts.is_multisport && frame.leg.is_some() => {
            let is_begun = frame
                .leg
                .and_then(|kind| facts.leg_index(kind, frame.leg_number))
                .is_some();
            (
                is_begun == (state == State::Started),
                "the data does not show that",
            )
        }
        State::Started => (facts.started, "the race has not begun"),
        State::Waiting => (!facts.started, "the race has begun"),
        State::Walking if is_past => {
            let splits = facts.last_splits(frame.leg, f64::INFINITY);
            let walked = splits
                .iter()
                .any(|span| span.distance_m < span.elapsed_s * FASTEST_WALK_MPS);
            (walked || !facts.stops.is_empty(), "the data shows no walk")
        }
        State::Walking => (
            !stands
                && facts
                    .now()
                    .iter()
                    .any(|span| span.distance_m < span.elapsed_s * FASTEST_WALK_MPS),
            "the data does not show that",
        ),
    };
    // "no signal", "not moving" are phrases of their own.
    let negated = frame.not
        && !matches!(
            state,
            State::Silent | State::Waiting | State::Started | State::OnCourse | State::Heard
        );
    check(holds != negated, why)
}

pub(super) fn leg(kind: LegKind, frame: &ClaimFrame, facts: &RaceFacts) -> ClaimVerdict {
    let Some(index) = facts.leg_index(kind, frame.leg_number) else {
        let to_come = facts.is_multisport
            && (matches!(frame.when, None | Some(When::Future))
                || frame.scope == Some(ClaimScope::Next)
                || frame.progress == Some(Progress::ToGo)
                || frame.not);
        return if to_come || is_advice(frame) || facts.legs.is_empty() {
            Ok(())
        } else {
            Err(no_leg(kind))
        };
    };
    let is_current = index + 1 == facts.legs.len();
    let is_present = frame.on_leg && matches!(frame.when, None | Some(When::Present | When::Now));
    if is_present && !is_current && frame.stat.is_none() && frame.scope.is_none() {
        let now = facts
            .leg_now()
            .and_then(|leg| leg.kind)
            .map_or("unknown", LegKind::word);
        return Err(format!("the leg now is: {now}"));
    }
    let is_done = frame.progress == Some(Progress::Done) && facts.is_multisport && !frame.not;
    check(!(is_done && is_current), "that leg is still under way")
}

pub(super) fn extreme(
    sense: Sense,
    metres: Option<f64>,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> ClaimVerdict {
    let extreme = facts.extreme(frame.leg, sense).ok_or("there are no splits yet")?;
    let said = facts
        .splits_of(frame.leg)
        .into_iter()
        .rfind(|split| metres.is_none_or(|metres| (split.to_m - metres).abs() < 1.0))
        .ok_or("there is no such split")?;
    check(
        (said.duration_s - extreme.duration_s).abs() <= 1.0,
        &format!("that was the split to {}", crate::race::text::mark(extreme.to_m)),
    )
}
