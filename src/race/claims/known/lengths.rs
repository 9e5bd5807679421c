//! The lengths of the race and its parts.

use super::fact::{FactKind, KnownFact};
use crate::race::claims::evidence::spans;
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimMetric, ClaimScope, Length};
use crate::race::sport::LegKind;

/// The distances that a number with these roles may mean.
pub(crate) fn lengths(roles: &Roles, facts: &RaceFacts) -> Vec<KnownFact> {
    let mut known = Vec::new();
    let here = facts.progress_m;
    let lag_m = here - facts.progress_before_m;
    let now = facts.leg_now().and_then(|leg| leg.kind);
    let done = |m: f64| KnownFact::metres(FactKind::Clock, m - lag_m).up_to(m);
    known.extend([here, facts.distance_m].map(done));
    known.push(done(facts.leg_progress_m()).of_leg(now));
    known.extend(
        facts
            .legs
            .iter()
            .map(|leg| KnownFact::metres(FactKind::Leg, leg.span.distance_m).of_leg(leg.kind)),
    );
    known.push(
        KnownFact::metres(FactKind::Behind, 0.0)
            .up_to(here + 80.0)
            .of_leg(now),
    );
    let whole_m = facts.whole_m.unwrap_or(f64::INFINITY);
    known.push(KnownFact::metres(FactKind::Ahead, here - 80.0).up_to(whole_m + 80.0));
    let left = |m: f64| KnownFact::metres(FactKind::Until, m).up_to(m + lag_m);
    if let Some(whole_m) = facts.whole_m {
        known.push(left(whole_m - here));
        known.push(KnownFact::metres(FactKind::Length, whole_m));
        known.push(left((whole_m / 2.0 - here).abs()));
    }
    if let Some(lengths_m) = facts.leg_lengths_m().filter(|_| facts.is_multisport) {
        for (length_m, kind) in lengths_m
            .into_iter()
            .zip([LegKind::Swim, LegKind::Ride, LegKind::Run])
        {
            known.push(KnownFact::metres(FactKind::Length, length_m).of_leg(Some(kind)));
            let is_ahead = facts.leg_index(kind, None).is_none();
            known.extend(is_ahead.then(|| left(length_m).of_leg(Some(kind))));
        }
    }
    if let Some(length_m) = facts.leg_length_m().filter(|_| facts.is_multisport) {
        let left_m = length_m - facts.leg_progress_m();
        known.extend([now, Some(LegKind::Transition)].map(|leg| left(left_m).of_leg(leg)));
        known.push(left((length_m / 2.0 - facts.leg_progress_m()).abs()).of_leg(now));
        known.push(KnownFact::metres(FactKind::Length, length_m / 2.0).of_leg(now));
    }
    for (index, place) in facts.places.iter().enumerate() {
        let at = Some(index);
        known.push(KnownFact::metres(FactKind::Length, place.at_m).at(at));
        known.push(left((place.at_m - here).abs()).at(at));
        // "Velden is 5.8 km behind you"
        known.extend(
            (place.at_m < here)
                .then(|| done(here - place.at_m).at(at))
                .map(|fact| KnownFact {
                    kind: FactKind::Passed,
                    ..fact
                }),
        );
        // "Krumpendorf is 4 km away" does not mean its distance from the finish.
        let is_from_here = roles.has(Tag::FromHere) && !roles.has(Tag::Finish);
        let to_finish = facts.whole_m.filter(|_| !is_from_here && roles.place() == at);
        known.extend(to_finish.map(|whole_m| left(whole_m - place.at_m).at(at)));
        let way = facts
            .places
            .get(index + 1)
            .map(|next| KnownFact::metres(FactKind::Length, next.at_m - place.at_m));
        known.extend(way.map(|way| way.at(at)));
        // "Pörtschach, then Krumpendorf, which is five kilometres further on"
        let onward = way.filter(|_| roles.has(Tag::Onward));
        known.extend(onward.map(|way| way.at(Some(index + 1))));
    }
    if let Some(last) = facts.splits_of(None).last() {
        // "is now 800 m further"
        known.push(left(facts.leg_progress_m() - last.to_m));
    }
    if facts.is_silent {
        // How far the athlete may have come since.
        let speed = facts
            .now()
            .iter()
            .flat_map(|span| span.values(ClaimMetric::Pace, None))
            .fold(0.0, f64::max);
        known.push(KnownFact::metres(FactKind::Until, 0.0).up_to(facts.age_s * speed * 1.2));
    }
    let from_m = |leg: usize| facts.legs.get(leg).map_or(0.0, |leg| leg.from_m);
    for stop in &facts.stops {
        let leg = facts.legs.get(stop.leg).and_then(|leg| leg.kind);
        let at = [stop.at_m, stop.at_m - from_m(stop.leg)];
        known.extend(at.map(|m| KnownFact::metres(FactKind::Rest, m).of_leg(leg)));
        known.push(KnownFact::metres(FactKind::Leg, facts.distance_m - stop.at_m).of_leg(leg));
    }
    let part = match roles.scope() {
        Some(scope @ ClaimScope::Last(Length::Seconds(_))) => spans(scope, roles, facts).unwrap_or_default(),
        Some(ClaimScope::Mark(metres) | ClaimScope::Since(metres)) => {
            // "nine kilometres from Pörtschach to the finish"
            let to_end_m = facts.whole_m.map(|whole_m| whole_m - metres);
            known.extend(to_end_m.map(|m| KnownFact::metres(FactKind::Part, m)));
            let way_m = (facts.leg_progress_m() - metres).abs();
            known.push(KnownFact::metres(FactKind::Part, way_m - lag_m).up_to(way_m));
            Vec::new()
        }
        _ => Vec::new(),
    };
    known.extend(
        part.iter()
            .map(|span| KnownFact::metres(FactKind::Part, span.distance_m)),
    );
    known
}
