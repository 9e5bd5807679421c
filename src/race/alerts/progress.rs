//! Alerts about splits, checkpoints and legs. An event that arrives late is reported as having happened earlier.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::cutoff::place_key;
use super::phrase::PhraseValue::{FirstSport, Mark, Minutes, Name, Pace, Part, Sport, Time, Way, Whole};
use super::phrase::{AlertPhrase, SLOWEST_PACE_MPS};
use crate::race::plan::Checkpoint;
use crate::race::sport::LegKind;
use crate::race::track::{Crossing, Split};

/// A mark that was passed longer ago than this is reported as late.
const LATE: SignedDuration = SignedDuration::from_mins(5);

/// A checkpoint that was passed longer ago than this is reported only if it is the last one passed.
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
    // After a gap several marks may arrive at once. Only the last is reported.
    let Some(split) = marks.next_back() else { return };
    told.split = Some((split.leg, split.to_m));
    let Some(leg) = track.legs.get(split.leg) else {
        return;
    };
    let ran_s = split.at.duration_since(leg.started_at).as_secs_f64();
    let sport = leg
        .kind
        .map(|kind| AlertPhrase::new(|words| words.of_sport).with("sport", Sport(Some(kind))));
    let heart = split
        .heart_rate_bpm
        .map(|bpm| AlertPhrase::new(|words| words.heart_rate_there).with("bpm", Whole(bpm)));
    let ago = situation.now.duration_since(track.true_time(split.at));
    let late = (ago > LATE)
        .then(|| AlertPhrase::new(|words| words.came_late).with("long", Minutes(ago.as_secs_f64())));
    let phrase = AlertPhrase::new(|words| words.split)
        .with("mark", Mark(split.to_m))
        .with("sport", sport)
        .with("time", Time(ran_s))
        .with("stretch", last_stretch(track.splits.as_slice(), split, leg.kind))
        .with("heart", heart)
        .with("late", late);
    let key = format!("split:{}:{:.0}", split.leg, split.to_m);
    let alert = situation.alert(AlertKind::Split, Severity::Info, key, &phrase);
    alerts.push(alert.of_device_time(track, split.at));
}

/// Time since the previous mark, such as `, last 5 km 25:30 (5:06 /km)`.
fn last_stretch(splits: &[Split], mark: &Split, kind: Option<LegKind>) -> Option<AlertPhrase> {
    let every = told_every_m(kind)?;
    let seconds: f64 = splits
        .iter()
        .filter(|split| {
            split.leg == mark.leg && split.from_m >= mark.to_m - every - 0.5 && split.to_m <= mark.to_m
        })
        .map(|split| split.duration_s)
        .sum();
    let mps = every / seconds.max(1.0);
    (mps >= SLOWEST_PACE_MPS).then(|| {
        AlertPhrase::new(|words| words.last_stretch)
            .with("mark", Mark(every))
            .with("time", Time(seconds))
            .with("pace", Pace(kind, mps))
    })
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
        // When a race is joined late, its old checkpoints are not news.
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
    // The three phrases: the time fell into the gap in which the athlete passed, the athlete was early, the athlete was
    // late.
    let against = |[was, before, after]: [AlertPhrase; 3], planned_s: Option<u32>| {
        let planned_s = f64::from(planned_s?);
        if between.is_some_and(|(from_s, to_s)| (from_s..to_s).contains(&planned_s)) {
            return Some(was.with("time", Time(planned_s)));
        }
        let early_s = planned_s - after_s;
        let phrase = if early_s >= 0.0 { before } else { after };
        Some(phrase.with("time", Time(early_s.abs())))
    };
    let target = [
        AlertPhrase::new(|words| words.target_was),
        AlertPhrase::new(|words| words.before_target),
        AlertPhrase::new(|words| words.after_target),
    ];
    let cutoff = [
        AlertPhrase::new(|words| words.cutoff_was),
        AlertPhrase::new(|words| words.before_cutoff),
        AlertPhrase::new(|words| words.after_cutoff),
    ];
    let when = match between {
        Some((from_s, to_s)) => AlertPhrase::new(|words| words.between)
            .with("from", Time(from_s))
            .with("to", Time(to_s)),
        None => AlertPhrase::new(|words| words.after),
    };
    let phrase = AlertPhrase::new(|words| words.passed)
        .with("place", Name(checkpoint.name.clone()))
        .with("mark", Mark(checkpoint.km * 1000.0))
        .with("when", Part(when.with("time", Time(after_s))))
        .with("target", against(target, checkpoint.target_s))
        .with("cutoff", against(cutoff, checkpoint.cutoff_s));
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
    let alert = situation.alert(AlertKind::Checkpoint, severity, key, &phrase);
    alerts.push(alert.of_device_time(situation.track, crossing.at));
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
    let begun_s = situation
        .track
        .started_at
        .map_or(0.0, |start| now.started_at.duration_since(start).as_secs_f64());
    let lasted_s = now.started_at.duration_since(done.started_at).as_secs_f64();
    let done_phrase = if done.unseen {
        let about = (done.distance_m() >= 1.0)
            .then(|| AlertPhrase::new(|words| words.about_in).with("way", Way(done.distance_m())));
        let phrase = match done.kind {
            Some(_) => AlertPhrase::new(|words| words.leg_unseen).with("sport", Sport(done.kind)),
            None => AlertPhrase::new(|words| words.part_unseen),
        };
        phrase.with("about", about)
    } else {
        AlertPhrase::new(|words| words.leg_done)
            .with("sport", FirstSport(done.kind))
            .with("way", Way(done.distance_m()))
    };
    let phrase = AlertPhrase::new(|words| words.leg_began)
        .with("done", Part(done_phrase.with("time", Time(lasted_s))))
        .with("sport", Sport(now.kind))
        .with("time", Time(begun_s));
    let key = format!("leg_change:{}", known - 1);
    let alert = situation.alert(AlertKind::LegChange, Severity::Notice, key, &phrase);
    alerts.push(alert.of_device_time(situation.track, now.started_at));
}
