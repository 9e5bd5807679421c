//! Alerts about splits, checkpoints and legs. An event that arrives late is reported as having happened earlier.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::cutoff::place_key;
use crate::race::plan::Checkpoint;
use crate::race::sport::LegKind;
use crate::race::text;
use crate::race::track::{Crossing, Split};

/// A mark that was passed longer ago is reported as late.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// A checkpoint that was passed longer ago is reported only if it is the last.
const NEWS: SignedDuration = SignedDuration::from_hours(1);

/// The progress that was reported so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ProgressState {
    /// The last mark: index of the leg, and metres from its start.
    split: Option<(usize, f64)>,
    /// Number of checkpoints that an older version reported.
    checkpoints: usize,
    /// The reported checkpoints, by their distance in whole metres.
    places: BTreeSet<u64>,
    /// Number of reported legs. The first leg is not announced.
    legs: usize,
}

pub(super) fn judge(told: &mut ProgressState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    legs(told, situation, alerts);
    splits(told, situation, alerts);
    checkpoints(told, situation, alerts);
}

/// Interval between reported marks in metres, by sport.
fn told_every_m(kind: Option<LegKind>) -> Option<f64> {
    match kind {
        Some(LegKind::Ride) => Some(20_000.0),
        Some(LegKind::Swim | LegKind::Transition) => None,
        Some(LegKind::Ski | LegKind::Skate) => Some(10_000.0),
        Some(_) | None => Some(5000.0),
    }
}

fn splits(told: &mut ProgressState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let track = situation.track;
    let mut marks = track.splits.iter().filter(|split| {
        let kind = track.legs.get(split.leg).and_then(|leg| leg.kind);
        told_every_m(kind).is_some_and(|every| (split.to_m % every).abs() < 0.5)
            && told.split.is_none_or(|before| (split.leg, split.to_m) > before)
    });
    // A gap may bring several marks at once. Only the last is news.
    let Some(split) = marks.next_back() else { return };
    told.split = Some((split.leg, split.to_m));
    let Some(leg) = track.legs.get(split.leg) else {
        return;
    };
    let ran_s = split.at.duration_since(leg.started_at).as_secs_f64();
    let sport = leg.kind.map_or(String::new(), |kind| format!(" {}", kind.word()));
    let heart = split
        .heart_rate_bpm
        .map_or_else(String::new, |bpm| format!(", heart rate {bpm:.0} bpm"));
    let ago = situation.now.duration_since(track.true_time(split.at));
    let late = if ago > LATE {
        format!(" ({} ago; the data came late)", text::minutes(ago.as_secs_f64()))
    } else {
        String::new()
    };
    let text = format!(
        "{}{sport} after {}{}{heart}{late}.",
        text::mark(split.to_m),
        text::time(ran_s),
        last_stretch(track.splits.as_slice(), split, leg.kind)
    );
    let key = format!("split:{}:{:.0}", split.leg, split.to_m);
    alerts.push(situation.alert(AlertKind::Split, Severity::Info, key, text));
}

/// Time since the previous mark, such as `, last 5 km 25:30 (5:06 /km)`.
fn last_stretch(splits: &[Split], mark: &Split, kind: Option<LegKind>) -> String {
    let Some(every) = told_every_m(kind) else {
        return String::new();
    };
    let seconds: f64 = splits
        .iter()
        .filter(|split| {
            split.leg == mark.leg && split.from_m >= mark.to_m - every - 0.5 && split.to_m <= mark.to_m
        })
        .map(|split| split.duration_s)
        .sum();
    match text::pace(kind, every / seconds.max(1.0)) {
        Some(pace) => format!(", last {} {} ({pace})", text::mark(every), text::time(seconds)),
        None => String::new(),
    }
}

fn checkpoints(told: &mut ProgressState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let track = situation.track;
    let here_m = track.progress_m();
    let Some(start) = track.started_at else { return };
    let mut passed = Vec::new();
    for (i, checkpoint) in situation.settings.checkpoints.iter().enumerate() {
        let at_m = checkpoint.km * 1000.0;
        let crossing = (at_m <= here_m).then(|| track.crossing(at_m)).flatten();
        if let Some(crossing) = crossing
            && told.places.insert(place_key(checkpoint))
            && i >= told.checkpoints
        {
            passed.push((checkpoint, crossing));
        }
    }
    let last = passed.len().saturating_sub(1);
    for (i, (checkpoint, crossing)) in passed.into_iter().enumerate() {
        let ago = situation.now.duration_since(track.true_time(crossing.at));
        // When a race is joined late, its old checkpoints are no news.
        if i == last || ago <= NEWS {
            passed_one(situation, start, checkpoint, crossing, alerts);
        }
    }
}

fn passed_one(
    situation: &Situation<'_>,
    start: Timestamp,
    checkpoint: &Checkpoint,
    crossing: Crossing,
    alerts: &mut Vec<Alert>,
) {
    let race_s = |at: Timestamp| at.duration_since(start).as_secs_f64();
    let after_s = race_s(crossing.at);
    let between = crossing.between.map(|(from, to)| (race_s(from), race_s(to)));
    let against = |what: &str, planned_s: Option<u32>| {
        planned_s.map_or_else(String::new, |planned_s| {
            let planned_s = f64::from(planned_s);
            if between.is_some_and(|(from_s, to_s)| (from_s..to_s).contains(&planned_s)) {
                return format!(", the {what} was {}", text::time(planned_s));
            }
            let early_s = planned_s - after_s;
            let word = if early_s >= 0.0 { "before" } else { "after" };
            format!(", {} {word} the {what}", text::time(early_s.abs()))
        })
    };
    let when = match between {
        Some((from_s, to_s)) => format!(
            "between {} and {}, about {}",
            text::time(from_s),
            text::time(to_s),
            text::time(after_s)
        ),
        None => format!("after {}", text::time(after_s)),
    };
    let text = format!(
        "Passed {} ({}) {when}{}{}.",
        checkpoint.name,
        text::mark(checkpoint.km * 1000.0),
        against("planned time", checkpoint.target_s),
        against("cut-off", checkpoint.cutoff_s)
    );
    let certain_s = between.map_or(after_s, |(from_s, _)| from_s);
    let missed = checkpoint
        .cutoff_s
        .is_some_and(|cutoff_s| certain_s > f64::from(cutoff_s));
    let severity = if missed {
        Severity::Warning
    } else {
        Severity::Notice
    };
    let key = format!("checkpoint:{}", place_key(checkpoint));
    alerts.push(situation.alert(AlertKind::Checkpoint, severity, key, text));
}

fn legs(told: &mut ProgressState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let legs = &situation.track.legs;
    // A leg of unknown sport is reported once the sport is known or the next leg begins.
    let unknown = legs.last().is_some_and(|leg| leg.kind.is_none());
    let known = legs.len() - usize::from(unknown);
    if told.legs == 0 {
        told.legs = known.min(1);
    }
    if known <= told.legs || told.legs == 0 {
        return;
    }
    told.legs = known;
    let (Some(done), Some(now)) = (
        known.checked_sub(2).and_then(|i| legs.get(i)),
        legs.get(known - 1),
    ) else {
        return;
    };
    let word = |kind: Option<LegKind>| kind.map_or("leg", LegKind::word);
    let begun_s = situation
        .track
        .started_at
        .map_or(0.0, |start| now.started_at.duration_since(start).as_secs_f64());
    let lasted = text::time(now.started_at.duration_since(done.started_at).as_secs_f64());
    let done_text = match (done.unseen, done.kind) {
        (false, kind) => format!(
            "{} done: {} in {lasted}.",
            capital(word(kind)),
            text::km(done.distance_m())
        ),
        (true, kind) => {
            let what = kind.map_or("part before this", LegKind::word);
            let length = if done.distance_m() >= 1.0 {
                format!("about {} in ", text::km(done.distance_m()))
            } else {
                String::new()
            };
            format!("The {what} was not seen: {length}{lasted}.")
        }
    };
    let text = format!(
        "{done_text} The {} began after {}.",
        word(now.kind),
        text::time(begun_s)
    );
    let key = format!("leg_change:{}", known - 1);
    alerts.push(situation.alert(AlertKind::LegChange, Severity::Notice, key, text));
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
