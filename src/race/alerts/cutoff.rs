//! Alerts about cut-offs: one is at risk, or one passed before the athlete reached its checkpoint.
//!
//! Only the next cut-off is judged. Without a signal, a cut-off that the athlete may have made unseen raises no alert.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::phrase::AlertPhrase;
use super::phrase::PhraseValue::{Mark, Minutes, Name, Part, Time, Way};
use crate::race::outlook::Outlook;
use crate::race::plan::Checkpoint;

/// How long before the cut-off the arrival window must end for the risk to count as over, as a share of the cut-off.
const HYSTERESIS: f64 = 0.03;

/// The cut-offs that were reported, by their distance in whole metres.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CutoffState {
    at_risk: BTreeSet<u64>,
    likely_missed: BTreeSet<u64>,
    missed: BTreeSet<u64>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place on the way in metres, not negative"
)]
pub(super) fn place_key(checkpoint: &Checkpoint) -> u64 {
    (checkpoint.km * 1000.0).round() as u64
}

pub(super) fn judge(told: &mut CutoffState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let here_m = situation.track.progress_m();
    let ahead = situation.settings.checkpoints.iter().find_map(|checkpoint| {
        let cutoff_s = f64::from(checkpoint.cutoff_s?);
        let is_open = checkpoint.km * 1000.0 > here_m && !told.missed.contains(&place_key(checkpoint));
        is_open.then_some((checkpoint, cutoff_s))
    });
    let Some((checkpoint, cutoff_s)) = ahead else {
        return;
    };
    let outlook = situation.outlook();
    let at_m = checkpoint.km * 1000.0;
    let arrival = outlook.as_ref().and_then(|outlook| outlook.at(at_m));
    if situation.race_s() >= cutoff_s {
        let seen_late = situation.track.elapsed_s() >= cutoff_s;
        let likely_late = arrival.is_some_and(|arrival| arrival.likely_s >= cutoff_s);
        if seen_late || (likely_late && outlook.is_some_and(|outlook| outlook.silence_s.is_some())) {
            told.missed.insert(place_key(checkpoint));
            missed(situation, checkpoint, cutoff_s, seen_late, alerts);
        }
        return;
    }
    let (Some(outlook), Some(arrival)) = (outlook, arrival) else {
        return;
    };
    if arrival.late_s < cutoff_s * (1.0 - HYSTERESIS) {
        told.at_risk.remove(&place_key(checkpoint));
        told.likely_missed.remove(&place_key(checkpoint));
        return;
    }
    let likely_missed = arrival.likely_s >= cutoff_s;
    let is_news = told.at_risk.insert(place_key(checkpoint)) | {
        likely_missed && told.likely_missed.insert(place_key(checkpoint))
    };
    if arrival.late_s >= cutoff_s && is_news {
        warn(situation, &outlook, checkpoint, cutoff_s, alerts);
    } else if arrival.late_s < cutoff_s && is_news {
        told.at_risk.remove(&place_key(checkpoint));
    }
}

fn warn(
    situation: &Situation<'_>,
    outlook: &Outlook<'_>,
    checkpoint: &Checkpoint,
    cutoff_s: f64,
    alerts: &mut Vec<Alert>,
) {
    let Some(arrival) = outlook.at(checkpoint.km * 1000.0) else {
        return;
    };
    let margin_s = cutoff_s - arrival.likely_s;
    let (severity, level, verdict) = if margin_s < 0.0 {
        let late = AlertPhrase::new(|words| words.too_late).with("time", Time(-margin_s));
        (Severity::Warning, "missed", late)
    } else {
        let margin = AlertPhrase::new(|words| words.to_spare).with("time", Time(margin_s));
        (Severity::Notice, "risk", margin)
    };
    let silent = outlook
        .silence_s
        .map(|silence_s| AlertPhrase::new(|words| words.silent).with("long", Minutes(silence_s)));
    let phrase = AlertPhrase::new(|words| words.closes)
        .with("place", Name(checkpoint.name.clone()))
        .with("mark", Mark(checkpoint.km * 1000.0))
        .with("cutoff", Time(cutoff_s))
        .with("likely", Time(arrival.likely_s))
        .with("verdict", Part(verdict))
        .with("early", Time(arrival.early_s))
        .with("late", Time(arrival.late_s))
        .with("silent", silent);
    let key = format!(
        "cutoff_risk:{}:{level}:{}",
        place_key(checkpoint),
        situation.now.as_second()
    );
    alerts.push(situation.alert(AlertKind::CutoffRisk, severity, key, &phrase));
}

fn missed(
    situation: &Situation<'_>,
    checkpoint: &Checkpoint,
    cutoff_s: f64,
    seen_late: bool,
    alerts: &mut Vec<Alert>,
) {
    let track = situation.track;
    let at_m = checkpoint.km * 1000.0;
    let left_m = (at_m - track.progress_m()).max(0.0);
    let phrase = if seen_late {
        AlertPhrase::new(|words| words.cutoff_missed).with("left", Way(left_m))
    } else {
        AlertPhrase::new(|words| words.cutoff_passed_unseen)
    };
    let phrase = phrase
        .with("place", Name(checkpoint.name.clone()))
        .with("mark", Mark(at_m))
        .with("cutoff", Time(cutoff_s))
        .with("way", Way(track.progress_m()))
        .with("time", Time(track.elapsed_s()));
    let key = format!("cutoff_missed:{}", place_key(checkpoint));
    alerts.push(situation.alert(AlertKind::CutoffMissed, Severity::Warning, key, &phrase));
}
