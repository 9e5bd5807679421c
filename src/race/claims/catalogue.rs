//! Everything in a race that a number may be the value of, and what it is.

mod times;

use super::claim::{ClaimMetric, Progress, Reference, Sense};
use super::facts::{RaceFacts, RaceSpan};
use super::quantity::{Measure, Reading};
use crate::race::sport::LegKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FactTense {
    Past,
    Now,
    Future,
    /// Plans, limits, lengths.
    Always,
}

/// One thing in the race with a value, or with a range of values.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub(super) struct KnownFact {
    pub(super) measure: Measure,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) tense: FactTense,
    pub(super) sense: Option<Sense>,
    /// Index of a checkpoint.
    pub(super) place: Option<usize>,
    /// Where it is, in metres from the start of the race.
    pub(super) at_m: Option<f64>,
    pub(super) leg: Option<LegKind>,
    pub(super) progress: Option<Progress>,
    pub(super) reference: Option<Reference>,
    pub(super) is_stop: bool,
    /// How long a stop took, in a clause that need not call it a stop.
    pub(super) is_rest: bool,
    pub(super) is_silence: bool,
    pub(super) is_mean: bool,
    /// All stops together.
    pub(super) is_total: bool,
}

impl KnownFact {
    fn new(measure: Measure, value: f64, tense: FactTense) -> Self {
        Self {
            measure,
            low: value,
            high: value,
            tense,
            sense: None,
            place: None,
            at_m: None,
            leg: None,
            progress: None,
            reference: None,
            is_stop: false,
            is_rest: false,
            is_silence: false,
            is_mean: false,
            is_total: false,
        }
    }

    fn seconds(value: f64, tense: FactTense) -> Self {
        Self::new(Measure::Duration, value, tense)
    }

    fn metres(value: f64, tense: FactTense) -> Self {
        Self::new(Measure::Distance, value, tense)
    }

    /// From the value to `high`.
    fn up_to(self, high: f64) -> Self {
        Self { high, ..self }
    }
}

/// All facts. Times of splits are left out for a reading that is not told to the second.
pub(super) fn known_facts(reading: Reading, facts: &RaceFacts) -> Vec<KnownFact> {
    let mut known = Vec::new();
    match reading.measure {
        Measure::Duration => {
            times::race_times(&mut known, facts);
            times::place_times(&mut known, facts);
            times::stop_times(&mut known, facts);
            if reading.step <= 1.5 {
                times::split_times(&mut known, facts);
            }
        }
        Measure::Distance => lengths(&mut known, facts),
        Measure::HeartRate | Measure::Power | Measure::Cadence { .. } | Measure::Speed => {
            means(&mut known, reading, facts);
        }
        _ => {}
    }
    known
}

fn lengths(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    let (here, before) = (facts.progress_m, facts.progress_before_m);
    let lag_m = here - before;
    let done = [here, facts.distance_m, facts.leg_progress_m()];
    for m in done {
        let fact = KnownFact::metres(m - lag_m, FactTense::Now).up_to(m);
        known.extend([
            fact,
            KnownFact {
                progress: Some(Progress::Done),
                ..fact
            },
        ]);
    }
    for leg in &facts.legs {
        let own = KnownFact {
            leg: leg.kind,
            ..KnownFact::metres(leg.span.distance_m, FactTense::Past)
        };
        known.extend([own, KnownFact { leg: None, ..own }]);
        known.push(KnownFact {
            progress: Some(Progress::Done),
            ..own
        });
    }
    if let Some(whole_m) = facts.whole_m {
        to_go(known, lag_m, whole_m - here, None, None);
        // The whole, and what a course keeps to itself.
        to_go(known, lag_m, whole_m, None, None);
    }
    let lengths_m = facts.leg_lengths_m().filter(|_| facts.is_multisport);
    let kinds = [LegKind::Swim, LegKind::Ride, LegKind::Run];
    for (length_m, kind) in lengths_m.into_iter().flatten().zip(kinds) {
        to_go(known, lag_m, length_m, None, None);
        to_go(known, lag_m, length_m, Some(kind), None);
    }
    let halves = facts.whole_m.map(|m| m / 2.0 - here).into_iter();
    let of_leg = facts.leg_length_m().filter(|_| facts.is_multisport);
    for left_m in halves.chain(of_leg.map(|m| m / 2.0 - facts.leg_progress_m())) {
        let sense = Some(if left_m > 0.0 { Sense::Below } else { Sense::Above });
        let kind = facts.leg_now().and_then(|leg| leg.kind);
        let fact = KnownFact {
            sense,
            ..KnownFact::metres(left_m.abs(), FactTense::Now)
        };
        known.extend([fact, KnownFact { leg: kind, ..fact }]);
    }
    if let Some(length_m) = facts.leg_length_m().filter(|_| facts.is_multisport) {
        let kind = facts.leg_now().and_then(|leg| leg.kind);
        for leg in [None, kind, Some(LegKind::Transition)] {
            to_go(known, lag_m, length_m - facts.leg_progress_m(), leg, None);
            to_go(known, lag_m, length_m, leg, None);
        }
    }
    let mut next = true;
    for (index, place) in facts.places.iter().enumerate() {
        if place.at_m > here {
            to_go(known, lag_m, place.at_m - here, None, Some(index));
            if next {
                to_go(known, lag_m, place.at_m - here, None, None);
            }
            next = false;
        }
    }
    for (index, place) in facts.places.iter().enumerate() {
        let at = KnownFact {
            at_m: Some(place.at_m),
            ..KnownFact::metres(place.at_m, FactTense::Always)
        };
        known.extend([
            at,
            KnownFact {
                place: Some(index),
                ..at
            },
        ]);
    }
}

fn means(known: &mut Vec<KnownFact>, reading: Reading, facts: &RaceFacts) {
    let metric = match reading.measure {
        Measure::HeartRate => ClaimMetric::HeartRate,
        Measure::Power => ClaimMetric::Power,
        Measure::Speed => ClaimMetric::Pace,
        _ => ClaimMetric::Cadence,
    };
    let mut push = |span: RaceSpan, leg: Option<LegKind>, tense: FactTense| {
        known.extend(span.values(metric, None).into_iter().map(|value| KnownFact {
            leg,
            is_mean: true,
            ..KnownFact::new(reading.measure, value, tense)
        }));
    };
    for leg in &facts.legs {
        push(leg.span, leg.kind, FactTense::Past);
    }
    push(facts.race, None, FactTense::Past);
    if facts.legs.len() == 1 {
        push(facts.race.moving(), None, FactTense::Past);
        for second in [false, true] {
            if let (Some(half), false) = (facts.half(second), metric == ClaimMetric::Pace) {
                push(half, None, FactTense::Past);
            }
        }
    }
    // "9:20 /km on the move", while standing.
    if let Some(stop) = facts.stops.last().filter(|_| facts.standing_s.is_some()) {
        let splits = facts.last_splits(None, 10_000.0_f64.min(stop.at_m / 2.0));
        for span in splits.into_iter().rev().skip(1).take(5) {
            push(span, None, FactTense::Past);
        }
    }
    let needed = facts.target_s.zip(facts.whole_m).and_then(|(target_s, whole_m)| {
        let (left_s, left_m) = (target_s - facts.elapsed_s, whole_m - facts.progress_m);
        (left_s > 0.0 && left_m > 0.0).then_some(left_m / left_s)
    });
    let planned = facts
        .target_s
        .zip(facts.whole_m)
        .map(|(target_s, whole_m)| whole_m / target_s);
    if metric == ClaimMetric::Pace {
        let of_plan = |value| KnownFact::new(reading.measure, value, FactTense::Always);
        let reference = Some(Reference::Plan);
        for fact in needed.into_iter().chain(planned).map(of_plan) {
            known.extend([fact, KnownFact { reference, ..fact }]);
        }
    }
}

/// A distance still to come, of the race or of `leg`, or to `place`.
fn to_go(known: &mut Vec<KnownFact>, lag_m: f64, value: f64, leg: Option<LegKind>, place: Option<usize>) {
    let fact = KnownFact {
        place,
        leg,
        ..KnownFact::metres(value, FactTense::Future).up_to(value + lag_m)
    };
    let (progress, sense) = (Some(Progress::ToGo), Some(Sense::Ahead));
    known.extend([fact, KnownFact { progress, ..fact }]);
    known.extend([
        KnownFact { sense, ..fact },
        KnownFact {
            sense,
            progress,
            ..fact
        },
    ]);
}
