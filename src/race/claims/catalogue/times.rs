//! How long the race and its parts took, and when its places were or may be reached.

use super::{FactTense, KnownFact};
use crate::race::claims::claim::{Progress, Reference, Sense};
use crate::race::claims::facts::RaceFacts;
use crate::race::sport::LegKind;

pub(super) fn race_times(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    let newest_s = facts.elapsed_s + facts.age_s;
    let elapsed = KnownFact::seconds(facts.elapsed_s - facts.lag_s.min(60.0), FactTense::Now);
    known.push(elapsed.up_to(newest_s));
    known.push(KnownFact {
        progress: Some(Progress::Done),
        ..elapsed.up_to(newest_s)
    });
    if facts.is_silent {
        known.push(KnownFact {
            is_silence: true,
            ..KnownFact::seconds(facts.elapsed_s, FactTense::Past)
        });
        known.push(KnownFact {
            is_silence: true,
            ..KnownFact::seconds(facts.age_s, FactTense::Now)
        });
    }
    let mut begun_s = 0.0;
    for leg in &facts.legs {
        for value in [leg.span.elapsed_s, leg.span.moving_s] {
            let own = KnownFact {
                leg: leg.kind,
                ..KnownFact::seconds(value, FactTense::Past)
            };
            known.extend([own, KnownFact { leg: None, ..own }]);
        }
        if begun_s > 0.0 {
            let began = KnownFact::seconds(begun_s, FactTense::Past);
            let kind = leg.kind.filter(|kind| *kind != LegKind::Transition);
            known.extend([began, KnownFact { leg: kind, ..began }]);
        }
        begun_s += leg.span.elapsed_s;
    }
    if let Some(target_s) = facts.target_s {
        let target = KnownFact::seconds(target_s, FactTense::Always);
        let reference = Some(Reference::Plan);
        known.push(KnownFact { reference, ..target });
    }
    if let Some(ahead_s) = facts.ahead_s() {
        known.push(KnownFact {
            sense: Some(if ahead_s >= 0.0 {
                Sense::Ahead
            } else {
                Sense::Behind
            }),
            reference: Some(Reference::Plan),
            ..KnownFact::seconds((ahead_s.abs() - 15.0).max(0.0), FactTense::Now).up_to(ahead_s.abs() + 15.0)
        });
    }
    let leg_end_m = facts
        .leg_length_m()
        .filter(|_| facts.is_multisport)
        .map(|length_m| facts.progress_m + length_m - facts.leg_progress_m());
    if let Some(end_m) = facts.whole_m {
        arrival(known, facts, end_m, None, None);
    }
    if let Some(end_m) = leg_end_m {
        arrival(known, facts, end_m, None, Some(LegKind::Transition));
    }
}

/// When a place may be reached: as a time of the race, and as the time until then.
fn arrival(
    known: &mut Vec<KnownFact>,
    facts: &RaceFacts,
    race_m: f64,
    place: Option<usize>,
    leg: Option<LegKind>,
) {
    let Some((early, late)) = facts.reaches_s(race_m) else {
        return;
    };
    let slack = (late - facts.elapsed_s) * 0.02;
    let at = KnownFact {
        place,
        at_m: Some(race_m),
        leg,
        ..KnownFact::seconds(early - slack, FactTense::Future).up_to(late + slack)
    };
    let (soonest, latest) = (early - facts.elapsed_s, late - facts.elapsed_s);
    let until = KnownFact {
        low: soonest.mul_add(0.95, -20.0),
        high: latest.mul_add(1.05, 20.0),
        ..at
    };
    let progress = Some(Progress::ToGo);
    for fact in [at, until, KnownFact { progress, ..until }] {
        known.extend([fact, KnownFact { leg: None, ..fact }]);
    }
}

pub(super) fn place_times(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    let mut next = true;
    for (index, place) in facts.places.iter().enumerate() {
        let of = |fact: KnownFact| {
            let place_m = Some(place.at_m);
            [
                KnownFact {
                    place: Some(index),
                    at_m: place_m,
                    ..fact
                },
                KnownFact {
                    place: None,
                    at_m: None,
                    ..fact
                },
            ]
        };
        for limit_s in place.cutoff_s.into_iter().chain(place.target_s) {
            let limit = KnownFact::seconds(limit_s, FactTense::Always);
            let reference = Some(Reference::Cutoff);
            known.extend(of(KnownFact { reference, ..limit }));
        }
        let passed_s = facts.passed_s(place.at_m);
        if let Some(at_s) = passed_s {
            known.extend(of(KnownFact::seconds(at_s, FactTense::Past)));
            known.extend(of(KnownFact::seconds(facts.elapsed_s - at_s, FactTense::Past)
                .up_to(facts.elapsed_s - at_s + facts.age_s)));
        } else {
            arrival(known, facts, place.at_m, Some(index), None);
            if next {
                arrival(known, facts, place.at_m, None, None);
            }
            next = false;
        }
        let Some(cutoff_s) = place.cutoff_s else { continue };
        let now = (
            cutoff_s - facts.elapsed_s - facts.age_s,
            cutoff_s - facts.elapsed_s,
        );
        let mut margins = vec![now];
        if let Some(at_s) = passed_s {
            margins.push((cutoff_s - at_s, cutoff_s - at_s));
        } else if let Some((early_s, late_s)) = facts.reaches_s(place.at_m) {
            margins.push((cutoff_s - late_s, cutoff_s - early_s));
        }
        for (low, high) in margins {
            let is_ahead = low > 0.0;
            let (low, high) = if is_ahead { (low, high) } else { (-high, -low) };
            let margin = KnownFact {
                sense: Some(if is_ahead { Sense::Ahead } else { Sense::Behind }),
                ..KnownFact::seconds(low, FactTense::Now).up_to(high)
            };
            let reference = Some(Reference::Cutoff);
            let progress = Some(Progress::ToGo);
            known.extend(of(KnownFact { reference, ..margin }));
            known.extend(of(KnownFact {
                progress,
                reference,
                ..margin
            }));
        }
    }
    // From one place to another.
    for (index, pair) in facts.places.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        if let (Some(from_s), Some(to_s)) = (facts.passed_s(from.at_m), facts.passed_s(to.at_m)) {
            let stops = facts
                .stops
                .iter()
                .filter(|stop| (stop.at_m - from.at_m).abs() <= 400.0);
            let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
            let took = KnownFact::seconds(to_s - from_s - stopped_s, FactTense::Past).up_to(to_s - from_s);
            known.extend([
                took,
                KnownFact {
                    place: Some(index + 1),
                    ..took
                },
            ]);
        }
    }
}

pub(super) fn stop_times(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    let all_s: f64 = facts.stops.iter().map(|stop| stop.duration_s).sum();
    let mut departures = Vec::new();
    let mut push = |fact: KnownFact| {
        let is_rest = true;
        known.push(KnownFact {
            is_stop: true,
            is_rest,
            ..fact
        });
        known.push(KnownFact { is_rest, ..fact });
    };
    push(KnownFact {
        is_total: true,
        ..KnownFact::seconds(all_s * 0.97, FactTense::Past).up_to(all_s * 1.03 + facts.age_s)
    });
    for (index, stop) in facts.stops.iter().enumerate() {
        let place = facts
            .places
            .iter()
            .position(|place| (place.at_m - stop.at_m).abs() <= 400.0);
        let is_last = index + 1 == facts.stops.len() && facts.standing_s.is_some();
        let tense = if is_last { FactTense::Now } else { FactTense::Past };
        let age_s = if is_last { facts.age_s } else { 0.0 };
        let lag_s = if is_last {
            facts.lag_s.min(stop.duration_s * 0.1)
        } else {
            0.0
        };
        let lasted = KnownFact {
            place,
            at_m: Some(stop.at_m),
            ..KnownFact::seconds(stop.duration_s * 0.95 - lag_s, tense).up_to(stop.duration_s * 1.05 + age_s)
        };
        push(lasted);
        push(KnownFact {
            place: None,
            at_m: None,
            ..lasted
        });
        // When it was left.
        if let (Some(at_s), false) = (facts.passed_s(stop.at_m - 5.0), is_last) {
            let left = KnownFact {
                place,
                at_m: Some(stop.at_m),
                ..KnownFact::seconds(at_s, FactTense::Past)
            };
            let left = left.up_to(at_s + stop.duration_s);
            departures.extend([
                left,
                KnownFact {
                    place: None,
                    at_m: None,
                    ..left
                },
            ]);
        }
    }
    known.extend(departures);
}

pub(super) fn split_times(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    let splits = facts.last_splits(None, f64::INFINITY);
    known.extend(
        splits
            .iter()
            .map(|span| KnownFact::seconds(span.elapsed_s, FactTense::Past)),
    );
}
