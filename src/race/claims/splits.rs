//! Claims about splits: lists of them, the fastest, the hardest.

use super::evidence::{ClaimVerdict, check};
use super::facts::RaceFacts;
use super::roles::Roles;
use super::terms::{ClaimMetric, Sense};
use crate::race::text;

/// Times of splits must be in the order in which they were run, and begin where the sentence says.
pub(super) fn sequence(seconds: &[f64], from_m: Option<f64>, facts: &RaceFacts) -> ClaimVerdict {
    let near = |a: f64, b: f64| (a - b).abs() <= 3.0;
    let of = |metres: f64| {
        let count = (facts.leg_progress_m() / metres).floor();
        let parts = (0..=60).map(f64::from).take_while(move |part| *part < count);
        parts
            .filter_map(|part| {
                Some(
                    facts
                        .between(None, part * metres, (part + 1.0) * metres)?
                        .elapsed_s,
                )
            })
            .collect::<Vec<f64>>()
    };
    let lists = [of(1000.0), of(5000.0), of(10_000.0)];
    let is_time = |s: &f64| lists.iter().flatten().any(|known| near(*known, *s));
    if !seconds.iter().all(is_time) {
        // Each time is checked on its own, as a number.
        return Ok(());
    }
    let kilometres = lists.first().map_or(&[][..], Vec::as_slice);
    let are_kilometres = seconds
        .iter()
        .all(|said| kilometres.iter().any(|known| near(*known, *said)));
    if let Some(from_m) = from_m.filter(|_| are_kilometres) {
        // "Since km 7" may include the seventh.
        let starts = |said: &f64, km: f64| {
            let to_m = (km + 1.0) * 1000.0;
            let known = facts.split_to(None, to_m).map(|span| span.elapsed_s);
            known.is_some_and(|known| (known - said).abs() <= 1.5)
        };
        let follow = |first: f64| {
            let km = (0..60).map(|next| first + f64::from(next));
            seconds.iter().zip(km).all(|(said, km)| starts(said, km))
        };
        let first = (from_m / 1000.0).round();
        return check(
            follow(first) || (first > 0.0 && follow(first - 1.0)),
            "these are not the splits from there on",
        );
    }
    let in_order = lists.iter().any(|list| {
        let mut rest = list.iter();
        seconds.iter().all(|said| rest.any(|known| near(*known, *said)))
    });
    check(in_order, "the splits were run in another order")
}

/// `Km 8, 9, 10: 5:36, 5:20, 5:15`
pub(super) fn splits(splits: &[(f64, f64)], facts: &RaceFacts) -> ClaimVerdict {
    for (metres, said_s) in splits {
        let times = [
            facts.split_to(None, *metres).map(|span| span.elapsed_s),
            facts
                .between(None, metres - 5000.0, *metres)
                .map(|span| span.elapsed_s),
            facts.passed_s(*metres),
        ];
        let is_known = times.iter().flatten().any(|s| (s - said_s).abs() <= 3.0);
        check(
            is_known || facts.split_to(None, *metres).is_none(),
            &format!("the split to {} took another time", text::mark(*metres)),
        )?;
    }
    Ok(())
}

/// Whether the split that ends at `metres` has the highest value, for a claim without a number.
pub(super) fn peak(metres: f64, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let metric = roles.measured().unwrap_or(ClaimMetric::HeartRate);
    let leg = roles.leg();
    let most = facts.highest(metric, leg, metres - facts.split_m(), metres);
    let of_all = facts.highest(metric, leg, 0.0, f64::INFINITY);
    check(
        most.zip(of_all).is_some_and(|(most, all)| most >= all - 1.0),
        "the highest value was elsewhere",
    )
}

pub(super) fn extreme(sense: Sense, metres: Option<f64>, roles: &Roles, facts: &RaceFacts) -> ClaimVerdict {
    let rank = roles.leg_number().unwrap_or(1);
    let extreme = facts
        .extreme(roles.leg(), sense, rank)
        .ok_or("there are no splits yet")?;
    let splits = facts.splits_of(roles.leg());
    let is_said = |metres: f64| move |split: &&crate::race::track::Split| (split.to_m - metres).abs() < 1.0;
    let said = match metres {
        Some(metres) => splits.into_iter().rfind(is_said(metres)),
        None => splits.last().copied(),
    };
    let said = said.ok_or("there is no such split")?;
    check(
        (said.duration_s - extreme.duration_s).abs() <= 1.0,
        &format!("that was the split to {}", text::mark(extreme.to_m)),
    )
}
