//! What a claim is checked against: intervals around numbers, and the part of the race that a scope means.

use super::facts::{RaceFacts, RaceSpan, StopFacts};
use super::quantity::{Measure, Reading};
use super::roles::Roles;
use super::terms::{Bound, ClaimMetric, ClaimScope, Length};
use crate::race::sport::LegKind;

/// The result of a check. The error says what is wrong, for the author.
pub(crate) type ClaimVerdict = Result<(), String>;

pub(crate) fn no(why: &str) -> ClaimVerdict {
    Err(why.to_owned())
}

pub(crate) fn check(is_true: bool, why: &str) -> ClaimVerdict {
    if is_true { Ok(()) } else { no(why) }
}

/// A number with its tolerance, as an interval that a true value lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    low: f64,
    high: f64,
}

impl Allowed {
    /// The interval of `reading`, up to `to` for a range, that is exact to `tolerance`.
    pub(crate) fn new(reading: Reading, to: Option<Reading>, tolerance: f64, bound: Bound) -> Self {
        let value = reading.value;
        let upper = to.map_or(value, |to| to.value);
        let (low, high) = (value.min(upper), value.max(upper));
        // A pace below 5:25 /km is a higher speed.
        let is_pace = reading.measure == Measure::Speed && reading.step <= 0.0;
        // "just over three hours"
        let is_hours = reading.measure == Measure::Duration && reading.step > 60.0;
        let slack = if is_hours { 0.0 } else { tolerance };
        let (below, above) = match (bound, is_pace) {
            (Bound::Exact, _) => (low - tolerance, high + tolerance),
            (Bound::About, _) => (low - 2.0 * tolerance, high + 2.0 * tolerance),
            (Bound::AtLeast, false) | (Bound::AtMost, true) => {
                (low - tolerance * 0.2, high * 1.2 + tolerance)
            }
            (Bound::JustOver, false) | (Bound::JustUnder, true) => {
                (low - tolerance * 0.2, high * 1.12 + slack)
            }
            (Bound::AtMost | Bound::JustUnder, false) | (Bound::AtLeast | Bound::JustOver, true) => {
                (low * 0.92 - tolerance, high + tolerance * 0.2)
            }
        };
        Self {
            low: below,
            high: above,
        }
    }

    /// The interval of a time. A round number of minutes or hours is taken as rounded.
    pub(crate) fn time(reading: Reading, to: Option<Reading>, bound: Bound) -> Self {
        let value = reading.value;
        let exact = match reading.step {
            step if step <= 1.5 => (value * 0.0015).max(3.0),
            step if step <= 15.0 => step,
            step if step <= 60.0 && value >= 600.0 && value % 300.0 == 0.0 => {
                (value * 0.07).clamp(45.0, 150.0)
            }
            step if step <= 60.0 => 42.0,
            step => (value * 0.07).min(step * 0.4),
        };
        let allowed = Self::new(reading, to, exact, bound);
        // A clock at 31:43 may be given as 31 minutes.
        let is_minutes = reading.step > 15.0 && reading.step <= 60.0 && bound == Bound::Exact;
        let high = if is_minutes {
            allowed.high.max(value + 59.0)
        } else {
            allowed.high
        };
        Self { high, ..allowed }
    }

    pub(crate) fn distance(reading: Reading, to: Option<Reading>, bound: Bound) -> Self {
        let exact = (reading.step * 0.55).max(reading.value * 0.004).max(25.0);
        let exact = if bound == Bound::About {
            exact.max(reading.value * 0.02)
        } else {
            exact
        };
        Self::new(reading, to, exact, bound)
    }

    pub(crate) fn has(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Whether any of the values from `from` to `to` is allowed.
    pub(crate) fn meets(self, from: f64, to: f64) -> bool {
        self.low <= from.max(to) && self.high >= from.min(to)
    }
}

pub(crate) fn tolerance(metric: ClaimMetric, value: f64) -> f64 {
    match metric {
        ClaimMetric::HeartRate => 2.0,
        ClaimMetric::Cadence => 2.0_f64.max(value * 0.01),
        ClaimMetric::Power => 3.0_f64.max(value * 0.015),
        ClaimMetric::Pace => value * 0.012,
        _ => 0.0,
    }
}

pub(crate) fn no_leg(kind: LegKind) -> String {
    format!("the race has no {} leg so far", kind.word())
}

/// The parts of the race that a scope may mean.
pub(crate) fn spans(scope: ClaimScope, roles: &Roles, facts: &RaceFacts) -> Result<Vec<RaceSpan>, String> {
    let named = roles.leg();
    let leg = named.filter(|kind| facts.legs.iter().any(|leg| leg.kind == Some(*kind)));
    if let (Some(kind), None) = (named, leg) {
        return Err(no_leg(kind));
    }
    let spans: Vec<RaceSpan> = match scope {
        ClaimScope::Race => match leg.and_then(|kind| facts.leg_index(kind, roles.leg_number())) {
            Some(index) => facts.legs.get(index).map(|leg| leg.span).into_iter().collect(),
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
        ClaimScope::BeforeLast(Length::Metres(metres)) => {
            let last_m = facts.splits_of(leg).last().map_or(0.0, |last| last.to_m);
            let part = facts.between(leg, last_m - 2.0 * metres, last_m - metres);
            part.into_iter().collect()
        }
        ClaimScope::Between(from_m, to_m) => facts.between(leg, from_m, to_m).into_iter().collect(),
        ClaimScope::Since(metres) => {
            let last_m = facts.splits_of(leg).last().map_or(0.0, |last| last.to_m);
            let splits = facts.between(leg, metres, last_m);
            let whole = facts.last_metres(leg, facts.leg_progress_m() - metres);
            let begins = |stop: &&StopFacts| (stop.at_m - facts.leg_from_m() - metres).abs() < 30.0;
            let stopped_s: f64 = facts
                .stops
                .iter()
                .filter(begins)
                .map(|stop| stop.duration_s)
                .sum();
            splits
                .into_iter()
                .chain(whole)
                .map(|span| span.without(stopped_s))
                .collect()
        }
        ClaimScope::Mark(metres) => {
            let is_here = (facts.progress_m - metres).abs() < 500.0 && (metres % 1000.0).abs() > 1.0;
            let here = if is_here { facts.now() } else { Vec::new() };
            facts.split_to(leg, metres).into_iter().chain(here).collect()
        }
        ClaimScope::LastSplit => split_span(facts, leg, facts.splits_of(leg).last().copied()),
        ClaimScope::Extreme(sense) => split_span(
            facts,
            leg,
            facts.extreme(leg, sense, roles.leg_number().unwrap_or(1)),
        ),
        ClaimScope::FirstHalf => facts.half(false).into_iter().collect(),
        ClaimScope::SecondHalf => facts.half(true).into_iter().collect(),
        ClaimScope::Ago(seconds) => facts.around(seconds).into_iter().collect(),
        ClaimScope::Second(Length::Seconds(_))
        | ClaimScope::BeforeLast(Length::Seconds(_))
        | ClaimScope::Next => Vec::new(),
    };
    if spans.is_empty() {
        return Err("the data has no such part of the race".to_owned());
    }
    Ok(spans)
}

fn split_span(
    facts: &RaceFacts,
    leg: Option<LegKind>,
    split: Option<&crate::race::track::Split>,
) -> Vec<RaceSpan> {
    let span = split.and_then(|split| facts.between(leg, split.from_m, split.to_m));
    span.into_iter().collect()
}
