//! How long the race and its parts took, and when its places were or may be reached.

use super::arrivals::{KeptPace, to_come};
use super::fact::{FactKind, KnownFact};
use crate::race::claims::evidence::spans;
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimScope, Length, Sense};
use crate::race::sport::LegKind;

/// The athlete counts as being at a distance this far from it.
const NEAR_M: f64 = 100.0;

/// The times that a number with these roles may mean.
pub(crate) fn times(roles: &Roles, facts: &RaceFacts) -> Vec<KnownFact> {
    let mut known = Vec::new();
    of_race(&mut known, facts);
    let pace = KeptPace::of(roles);
    to_come(&mut known, pace, facts);
    of_places(&mut known, pace, facts);
    of_stops(&mut known, roles, facts);
    of_part(&mut known, roles, facts);
    if roles.has(Tag::Alert) {
        of_alerts(&mut known, facts);
    }
    let splits = facts.last_splits(None, f64::INFINITY);
    known.extend(
        splits
            .iter()
            .map(|span| KnownFact::seconds(FactKind::Split, span.elapsed_s)),
    );
    for metres in [5000.0, 10_000.0] {
        let blocks = (0..10).map(|block| f64::from(block) * metres);
        let blocks = blocks.filter_map(|from_m| facts.between(None, from_m, from_m + metres));
        known.extend(blocks.map(|span| KnownFact::seconds(FactKind::Split, span.elapsed_s)));
    }
    known
}

fn of_race(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    let from_s = facts.elapsed_s - facts.lag_s.min(60.0);
    known.push(KnownFact::seconds(FactKind::Clock, from_s).up_to(facts.elapsed_s + facts.age_s));
    known.push(KnownFact::seconds(FactKind::Clock, facts.race.moving_s));
    known.push(KnownFact::seconds(FactKind::Silence, facts.age_s));
    known.extend(
        facts
            .gaps_s
            .iter()
            .map(|gap_s| KnownFact::seconds(FactKind::Silence, *gap_s)),
    );
    let mut begun_s = 0.0;
    for (index, leg) in facts.legs.iter().enumerate() {
        for value in [leg.span.elapsed_s, leg.span.moving_s] {
            let age_s = if index + 1 == facts.legs.len() {
                facts.age_s
            } else {
                0.0
            };
            known.push(
                KnownFact::seconds(FactKind::Leg, value)
                    .up_to(value + age_s)
                    .of_leg(leg.kind),
            );
        }
        if begun_s > 0.0 {
            let before = index
                .checked_sub(1)
                .and_then(|before| facts.legs.get(before))
                .and_then(|leg| leg.kind);
            known.push(KnownFact::seconds(FactKind::LegStart, begun_s).of_leg(leg.kind));
            known.push(KnownFact::seconds(FactKind::LegEnd, begun_s).of_leg(before));
        }
        // "on the bike 3:20 later"
        let next = facts.legs.get(index + 1).and_then(|next| next.kind);
        if leg.kind == Some(LegKind::Transition) {
            known.push(KnownFact::seconds(FactKind::Leg, leg.span.elapsed_s).of_leg(next));
        }
        begun_s += leg.span.elapsed_s;
    }
    known.extend(
        facts
            .target_s
            .map(|target_s| KnownFact::seconds(FactKind::Target, target_s)),
    );
    if let (Some(target_s), Some(whole_m), false) = (facts.target_s, facts.whole_m, facts.is_multisport) {
        let passed = facts
            .places
            .iter()
            .enumerate()
            .filter_map(|(index, place)| Some((index, place, facts.passed_s(place.at_m)?)));
        known.extend(passed.map(|(index, place, at_s)| {
            let ahead_s = target_s * place.at_m / whole_m - at_s;
            KnownFact::seconds(FactKind::Deviation, 0.0)
                .apart(ahead_s - 15.0, ahead_s + 15.0)
                .at(Some(index))
        }));
    }
    if let Some(ahead_s) = facts.ahead_s() {
        // This assumes even pacing; the alerts may use a better plan.
        known.push(KnownFact::seconds(FactKind::Deviation, 0.0).apart(ahead_s - 15.0, ahead_s + 15.0));
    }
}

fn of_alerts(known: &mut Vec<KnownFact>, facts: &RaceFacts) {
    for ago_s in &facts.alerts_ago_s {
        let at_s = facts.elapsed_s + facts.age_s - ago_s;
        known.push(KnownFact::seconds(FactKind::Alert, at_s));
        known.push(KnownFact::seconds(FactKind::AlertAgo, ago_s - facts.lag_s * 0.5).up_to(ago_s + 15.0));
    }
}

fn of_places(known: &mut Vec<KnownFact>, pace: KeptPace, facts: &RaceFacts) {
    for (index, place) in facts.places.iter().enumerate() {
        let at = Some(index);
        let limits = place.cutoff_s.into_iter().chain(place.target_s);
        known.extend(limits.map(|limit_s| KnownFact::seconds(FactKind::Cutoff, limit_s).at(at)));
        let passed_s = facts.passed_s(place.at_m);
        if let Some(at_s) = passed_s {
            known.push(KnownFact::seconds(FactKind::Passed, at_s).at(at));
            let ago_s = facts.elapsed_s - at_s;
            known.push(
                KnownFact::seconds(FactKind::Ago, ago_s)
                    .up_to(ago_s + facts.age_s)
                    .at(at),
            );
            // When the athlete left the place again.
            let stops = facts
                .stops
                .iter()
                .filter(|stop| (stop.at_m - place.at_m).abs() <= 400.0);
            let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
            let later = place.at_m < facts.progress_m - 400.0 && stopped_s > 0.0;
            known.extend(later.then(|| KnownFact::seconds(FactKind::Passed, at_s + stopped_s).at(at)));
        } else {
            pace.arrival(known, facts, place.at_m, at, None);
        }
        let Some(cutoff_s) = place.cutoff_s else { continue };
        let mut margins = vec![(
            cutoff_s - facts.elapsed_s - facts.age_s,
            cutoff_s - facts.elapsed_s,
        )];
        if let Some(at_s) = passed_s {
            margins.push((cutoff_s - at_s, cutoff_s - at_s));
            // A cut-off may apply to leaving the place, after a stop there.
            let stops = facts.stops.iter();
            let here = stops.filter(|stop| (stop.at_m - place.at_m).abs() <= 400.0);
            let left_s = at_s + here.map(|stop| stop.duration_s).sum::<f64>();
            margins.push((cutoff_s - left_s, cutoff_s - left_s));
        } else if let Some((early_s, late_s)) = facts.reaches_s(place.at_m) {
            margins.push((cutoff_s - late_s, cutoff_s - early_s));
        }
        let apart =
            |(low, high): (f64, f64)| KnownFact::seconds(FactKind::Margin, 0.0).apart(low, high).at(at);
        known.extend(margins.into_iter().map(apart));
    }
    for (index, pair) in facts.places.windows(2).enumerate() {
        let [from, to] = pair else { continue };
        if let (Some(from_s), Some(to_s)) = (facts.passed_s(from.at_m), facts.passed_s(to.at_m)) {
            let stops = facts
                .stops
                .iter()
                .filter(|stop| (stop.at_m - from.at_m).abs() <= 400.0);
            let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
            let took = KnownFact::seconds(FactKind::Way, to_s - from_s - stopped_s).up_to(to_s - from_s);
            known.extend([index, index + 1].map(|place| took.at(Some(place))));
        }
    }
}

fn of_stops(known: &mut Vec<KnownFact>, roles: &Roles, facts: &RaceFacts) {
    let all_s: f64 = facts.stops.iter().map(|stop| stop.duration_s).sum();
    if facts.stops.len() > 1 {
        known.push(KnownFact::seconds(FactKind::AllRests, all_s * 0.97).up_to(all_s * 1.03 + facts.age_s));
    }
    // "the 22 km since took 42:26"
    let since = facts
        .stops
        .iter()
        .filter_map(|stop| Some((stop, facts.passed_s(stop.at_m)?)));
    for (stop, at_s) in since {
        let since_s = facts.elapsed_s - at_s - stop.duration_s;
        known.push(KnownFact::seconds(FactKind::Split, since_s - 12.0).up_to(since_s + 12.0));
    }
    let from_m = |leg: usize| facts.legs.get(leg).map_or(0.0, |leg| leg.from_m);
    let mark_m = roles.scope().and_then(|scope| {
        if let ClaimScope::Mark(m) = scope {
            Some(m)
        } else {
            None
        }
    });
    for (index, stop) in facts.stops.iter().enumerate() {
        let near = |m: f64| mark_m.is_none_or(|mark_m| (m - mark_m).abs() <= 600.0_f64.max(mark_m * 0.02));
        if !near(stop.at_m) && !near(stop.at_m - from_m(stop.leg)) {
            continue;
        }
        let place = facts
            .places
            .iter()
            .position(|place| (place.at_m - stop.at_m).abs() <= 400.0);
        let is_last = index + 1 == facts.stops.len() && facts.standing_s.is_some();
        let (lag_s, age_s) = if is_last {
            (facts.lag_s.min(stop.duration_s * 0.1), facts.age_s)
        } else {
            (0.0, 0.0)
        };
        let rest = KnownFact::seconds(FactKind::Rest, stop.duration_s.mul_add(0.95, -lag_s));
        // A stop begins and ends between two points.
        let rest = rest.up_to(stop.duration_s.mul_add(1.05, 12.0) + age_s);
        if is_last
            || facts.standing_s.is_none()
            || place.is_some() && place == roles.place()
            || !roles.is_present()
        {
            let leg = facts.legs.get(stop.leg).and_then(|leg| leg.kind);
            known.push(rest.at(place).of_leg(leg));
        }
    }
}

/// The part of the race that a clause names.
fn of_part(known: &mut Vec<KnownFact>, roles: &Roles, facts: &RaceFacts) {
    let Some(scope) = roles.scope().filter(|scope| *scope != ClaimScope::Race) else {
        return;
    };
    let mut push = |seconds: f64| known.push(KnownFact::seconds(FactKind::Part, seconds));
    let half_m = facts
        .whole_m
        .filter(|_| scope == ClaimScope::FirstHalf)
        .map(|m| m / 2.0);
    if let Some(half_s) = half_m.and_then(|m| facts.passed_s(m)) {
        push(half_s);
    }
    let parts = spans(scope, roles, facts).unwrap_or_default();
    if scope != ClaimScope::Window && !roles.stands() {
        for span in &parts {
            push(span.elapsed_s);
            push(span.moving_s);
        }
    }
    let singly = match scope {
        _ if roles.stat().is_some() => Vec::new(),
        // "the last three splits: 5:36, 5:20, 5:15"
        ClaimScope::Last(Length::Metres(metres)) if metres <= 5000.0 => {
            facts.last_splits(roles.leg(), metres)
        }
        ClaimScope::Since(metres) => facts.last_splits(roles.leg(), facts.leg_progress_m() - metres),
        ClaimScope::First(Length::Metres(metres)) if metres <= 10_000.0 => {
            facts.splits_between(roles.leg(), 0.0, metres)
        }
        ClaimScope::Between(from_m, to_m) => facts.splits_between(roles.leg(), from_m, to_m),
        _ => Vec::new(),
    };
    for span in singly {
        push(span.elapsed_s);
    }
    if let ClaimScope::Last(Length::Metres(metres)) = scope
        && let Some(at_s) = facts.passed_s(facts.progress_m - metres)
    {
        let here_s = facts.passed_s(facts.progress_m).unwrap_or(facts.elapsed_s);
        let stops = facts
            .stops
            .iter()
            .filter(|stop| stop.at_m > facts.progress_m - metres - 400.0);
        let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
        let is_here = (facts.elapsed_s - here_s).max(0.0);
        known.push(
            KnownFact::seconds(FactKind::Part, here_s - at_s + is_here - stopped_s - 15.0)
                .up_to(here_s - at_s + is_here - stopped_s + 30.0),
        );
        return;
    }
    if let ClaimScope::Between(from_m, to_m) = scope {
        of_way(known, (from_m, to_m), facts);
        return;
    }
    if let ClaimScope::Since(metres) = scope
        && let Some(at_s) = facts.passed_s(metres)
    {
        let stops = facts.stops.iter().filter(|stop| stop.at_m > metres - 400.0);
        let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
        push(facts.elapsed_s - at_s);
        // "the three since then took 16:11"
        push(parts_since(metres, roles, facts));
        known.push(
            KnownFact::seconds(FactKind::Part, facts.elapsed_s - at_s - stopped_s - 30.0)
                .up_to(facts.elapsed_s - at_s - stopped_s + 30.0),
        );
        return;
    }
    let ClaimScope::Mark(metres) = scope else { return };
    if matches!(roles.sense(), Some(Sense::Above | Sense::Below)) {
        // "a minute above 165 in km 3"
        let longest = parts.iter().map(|span| span.elapsed_s).fold(0.0, f64::max);
        known.push(KnownFact::seconds(FactKind::Part, 0.0).up_to(longest));
        return;
    }
    if !roles.stands() {
        of_mark(known, roles, facts, metres);
    }
}

/// When a mark on the way was or will be passed.
fn of_mark(known: &mut Vec<KnownFact>, roles: &Roles, facts: &RaceFacts, metres: f64) {
    let mut push = |seconds: f64| known.push(KnownFact::seconds(FactKind::Part, seconds));
    let leg = facts.leg_now();
    let from_m = leg.map_or(0.0, |leg| leg.from_m);
    let leg_s = facts.elapsed_s - leg.map_or(0.0, |leg| leg.span.elapsed_s);
    let mut moments = Vec::new();
    // "At 10:00 he was at kilometre 44.2": there he is now.
    let is_near = |m: f64| (m - facts.progress_m).abs() <= NEAR_M;
    let is_here = is_near(metres) || is_near(metres + from_m);
    moments.extend(is_here.then(|| KnownFact::seconds(FactKind::MarkPassed, facts.elapsed_s)));
    for at_s in [metres, metres + from_m]
        .into_iter()
        .filter_map(|m| facts.passed_s(m))
    {
        push(at_s);
        push(at_s - leg_s);
        push(facts.elapsed_s - at_s);
        moments.push(KnownFact::seconds(FactKind::MarkPassed, at_s));
    }
    known.extend(moments);
    if metres > facts.progress_m && !roles.is_past() {
        let mut ahead = Vec::new();
        KeptPace::of(roles).arrival(&mut ahead, facts, metres, None, None);
        known.extend(ahead.iter().map(|fact| KnownFact {
            kind: FactKind::Part,
            ..*fact
        }));
        known.extend(ahead.into_iter().map(|fact| KnownFact {
            of_mark: true,
            ..fact
        }));
    }
}

/// The time of the whole splits since `metres`.
fn parts_since(metres: f64, roles: &Roles, facts: &RaceFacts) -> f64 {
    let end_m = facts.splits_of(roles.leg()).last().map_or(0.0, |last| last.to_m);
    let splits = facts.splits_between(roles.leg(), metres, end_m);
    splits.iter().map(|span| span.elapsed_s).sum()
}

/// From one distance to another, with the stops on the way and without them.
fn of_way(known: &mut Vec<KnownFact>, (from_m, to_m): (f64, f64), facts: &RaceFacts) {
    let Some((from_s, to_s)) = facts.passed_s(from_m).zip(facts.passed_s(to_m)) else {
        return;
    };
    let stops = facts
        .stops
        .iter()
        .filter(|stop| (from_m - 400.0..to_m - 400.0).contains(&stop.at_m));
    let stopped_s: f64 = stops.map(|stop| stop.duration_s).sum();
    // A stop begins and ends between two points.
    let moving_s = to_s - from_s - stopped_s;
    let moving = KnownFact::seconds(FactKind::Part, moving_s - 30.0).up_to(moving_s + 30.0);
    known.push(KnownFact::seconds(FactKind::Part, to_s - from_s));
    known.extend((stopped_s > 0.0).then_some(moving));
}
