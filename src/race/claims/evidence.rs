//! What a claim is checked against: intervals around numbers, and the part of the race that a scope means.

use super::claim::{Bound, ClaimFrame, ClaimMetric, ClaimScope, Length};
use super::facts::{RaceFacts, RaceSpan};
use super::quantity::{Measure, Reading};
use crate::race::sport::LegKind;

/// The result of a check. The error says what is wrong, for the author.
pub(super) type ClaimVerdict = Result<(), String>;

pub(super) fn no(why: &str) -> ClaimVerdict {
    Err(why.to_owned())
}

pub(super) fn check(is_true: bool, why: &str) -> ClaimVerdict {
    if is_true { Ok(()) } else { no(why) }
}

/// A number with its tolerance, as an interval that a true value lies in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    low: f64,
    high: f64,
}

impl Allowed {
    /// The interval of `reading`, up to `to` for a range, that is exact to `tolerance`.
    pub(super) fn new(reading: Reading, to: Option<Reading>, tolerance: f64, bound: Bound) -> Self {
        let value = reading.value;
        let upper = to.map_or(value, |to| to.value);
        let (low, high) = (value.min(upper), value.max(upper));
        // A pace of less than 5:25 is a speed of more.
        let is_pace = reading.measure == Measure::Speed && reading.step <= 0.0;
        match (bound, is_pace) {
            (Bound::Exact, _) => Self {
                low: low - tolerance,
                high: high + tolerance,
            },
            (Bound::About, _) => Self {
                low: low - 2.0 * tolerance,
                high: high + 2.0 * tolerance,
            },
            (Bound::AtLeast, false) | (Bound::AtMost, true) => Self {
                low: low - tolerance * 0.2,
                high: high * 1.2 + tolerance,
            },
            (Bound::AtMost, false) | (Bound::AtLeast, true) => Self {
                low: low * 0.92 - tolerance,
                high: high + tolerance * 0.2,
            },
        }
    }

    pub(super) fn has(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Whether any of the values from `from` to `to` is allowed.
    pub(super) fn meets(self, from: f64, to: f64) -> bool {
        self.low <= from.max(to) && self.high >= from.min(to)
    }
}

pub(super) fn tolerance(metric: ClaimMetric, value: f64) -> f64 {
    match metric {
        ClaimMetric::HeartRate => 2.0,
        ClaimMetric::Cadence => 2.0_f64.max(value * 0.01),
        ClaimMetric::Power => 3.0_f64.max(value * 0.015),
        ClaimMetric::Pace => value * 0.012,
        _ => 0.0,
    }
}

/// Whether a sentence advises rather than states.
pub(super) fn is_advice(frame: &ClaimFrame) -> bool {
    frame.mood.is_some()
}

pub(super) fn no_leg(kind: LegKind) -> String {
    format!("the race has no {} leg so far", kind.word())
}

/// The parts of the race that a scope may mean.
pub(super) fn spans(
    scope: ClaimScope,
    frame: &ClaimFrame,
    facts: &RaceFacts,
) -> Result<Vec<RaceSpan>, String> {
    let leg = frame
        .leg
        .filter(|kind| facts.legs.iter().any(|leg| leg.kind == Some(*kind)));
    if let (Some(kind), None) = (frame.leg, leg) {
        return Err(no_leg(kind));
    }
    let spans = match scope {
        ClaimScope::Race => match leg {
            Some(kind) => facts
                .leg_index(kind, frame.leg_number)
                .and_then(|index| facts.legs.get(index))
                .map(|leg| leg.span)
                .into_iter()
                .collect(),
            None => facts
                .leg_now()
                .map(|leg| leg.span)
                .into_iter()
                .chain([facts.race])
                .collect(),
        },
        ClaimScope::Window => facts.now(),
        ClaimScope::First(length) => facts.stretch(leg, 0.0, length).into_iter().collect(),
        ClaimScope::Second(length @ Length::Metres(metres)) => {
            facts.stretch(leg, metres, length).into_iter().collect()
        }
        ClaimScope::Last(Length::Metres(metres)) => facts.last_metres(leg, metres),
        ClaimScope::Last(Length::Seconds(seconds)) => facts.last_seconds(seconds).into_iter().collect(),
        ClaimScope::Between(from_m, to_m) => facts.between(leg, from_m, to_m).into_iter().collect(),
        ClaimScope::Since(metres) => {
            let last_m = facts.splits_of(leg).last().map_or(0.0, |last| last.to_m);
            let splits = facts.between(leg, metres, last_m);
            let whole = facts.last_metres(leg, facts.leg_progress_m() - metres);
            splits.into_iter().chain(whole).collect()
        }
        ClaimScope::Mark(metres) => {
            let split = facts.split_to(leg, metres);
            let is_here = (facts.progress_m - metres).abs() < 500.0 && (metres % 1000.0).abs() > 1.0;
            let here = if is_here { facts.now() } else { Vec::new() };
            split.into_iter().chain(here).collect()
        }
        ClaimScope::LastSplit => facts
            .splits_of(leg)
            .last()
            .and_then(|split| facts.between(leg, split.from_m, split.to_m))
            .into_iter()
            .collect(),
        ClaimScope::Extreme(sense) => facts
            .extreme(leg, sense)
            .and_then(|split| facts.between(leg, split.from_m, split.to_m))
            .into_iter()
            .collect(),
        ClaimScope::FirstHalf => facts.half(false).into_iter().collect(),
        ClaimScope::SecondHalf => facts.half(true).into_iter().collect(),
        ClaimScope::Ago(seconds) => facts.around(seconds).into_iter().collect(),
        ClaimScope::Second(Length::Seconds(_)) | ClaimScope::Next => Vec::new(),
    };
    if spans.is_empty() {
        return Err("the data has no such part of the race".to_owned());
    }
    Ok(spans)
}

pub(super) fn metric_of(measure: Measure) -> Option<ClaimMetric> {
    Some(match measure {
        Measure::HeartRate => ClaimMetric::HeartRate,
        Measure::Power => ClaimMetric::Power,
        Measure::Cadence { .. } => ClaimMetric::Cadence,
        Measure::Speed => ClaimMetric::Pace,
        _ => return None,
    })
}

pub(super) fn is_measured(metric: ClaimMetric) -> bool {
    matches!(
        metric,
        ClaimMetric::HeartRate | ClaimMetric::Power | ClaimMetric::Cadence | ClaimMetric::Pace
    )
}

pub(super) fn metric_name(metric: ClaimMetric) -> &'static str {
    match metric {
        ClaimMetric::HeartRate => "heart rate",
        ClaimMetric::Power => "power",
        ClaimMetric::Cadence => "cadence",
        ClaimMetric::Pace => "pace",
        _ => "value",
    }
}
