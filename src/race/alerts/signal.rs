//! No signal, signal back, stopped. A lost signal and a stop look the same on a map but mean different things.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::phrase::AlertPhrase;
use super::phrase::PhraseValue::{Minutes, Part, Way};
use crate::race::sport::LegKind;
use crate::race::track::SHORTEST_STOP_S;

/// A lost signal is reported as a notice after this, seconds.
const SOFT_S: f64 = 10.0 * 60.0;

/// A lost signal is reported as a warning after this, seconds.
const FIRM_S: f64 = 20.0 * 60.0;

/// A stop is reported after this, seconds. Checkpoints and transitions have longer limits.
const STANDING_S: f64 = 4.0 * 60.0;
const STANDING_AT_CHECKPOINT_S: f64 = 10.0 * 60.0;
const STANDING_IN_TRANSITION_S: f64 = 15.0 * 60.0;

/// A stop of this many seconds is a warning wherever it is.
const STANDING_FIRM_S: f64 = 20.0 * 60.0;

/// Within this distance the athlete is at the checkpoint.
const AT_CHECKPOINT_M: f64 = 300.0;

/// Below this distance the athlete is still at the start.
const AT_START_M: f64 = 200.0;

/// After a reported stop, another is reported only this far beyond it.
const ANOTHER_PLACE_M: f64 = 300.0;

/// The signal losses and stops that were reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SignalState {
    silence: Option<RaisedSilence>,
    standing: Option<RaisedStop>,
}

/// A loss of signal that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct RaisedSilence {
    /// Device time of the last point before the loss.
    since: Timestamp,
    /// Race distance in metres at that point.
    at_m: f64,
    firm: bool,
}

/// A stop that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct RaisedStop {
    at_m: f64,
    firm: bool,
}

pub(super) fn judge(told: &mut SignalState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let Some(silence) = situation.watch.silence(situation.track) else {
        return;
    };
    if silence > situation.watch.quiet_after() {
        quiet(told, situation, silence.as_secs_f64(), alerts);
    } else {
        back(told, situation, alerts);
        standing(told, situation, alerts);
    }
}

fn quiet(told: &mut SignalState, situation: &Situation<'_>, silence_s: f64, alerts: &mut Vec<Alert>) {
    let Some(last) = situation.track.last else { return };
    let firm = silence_s >= FIRM_S;
    let due = match told.silence {
        None => silence_s >= SOFT_S,
        Some(before) => firm && !before.firm,
    };
    if !due {
        return;
    }
    let since = told.silence.map_or(last.at, |before| before.since);
    told.silence = Some(RaisedSilence {
        since,
        at_m: last.distance_m,
        firm,
    });
    let (severity, level, advice) = if firm {
        (
            Severity::Warning,
            "firm",
            AlertPhrase::new(|words| words.need_help),
        )
    } else {
        let advice = AlertPhrase::new(|words| words.often_harmless);
        (Severity::Notice, "soft", advice)
    };
    let phrase = AlertPhrase::new(|words| words.no_signal)
        .with("long", Minutes(silence_s))
        .with("way", Way(situation.track.progress_m()))
        .with("advice", Part(advice));
    let key = format!("no_signal:{}:{level}", since.as_second());
    alerts.push(situation.alert(AlertKind::NoSignal, severity, key, &phrase));
}

fn back(told: &mut SignalState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let (Some(silence), Some(last)) = (told.silence.take(), situation.track.last) else {
        return;
    };
    let gone_s = last.at.duration_since(silence.since).as_secs_f64();
    let gaps = situation.track.gaps.iter();
    let paused_s: f64 = gaps
        .filter(|gap| gap.from >= silence.since)
        .map(|gap| gap.paused_s)
        .sum();
    let paused = (paused_s >= SHORTEST_STOP_S)
        .then(|| AlertPhrase::new(|words| words.paused_meanwhile).with("long", Minutes(paused_s)));
    let phrase = AlertPhrase::new(|words| words.signal_back)
        .with("long", Minutes(gone_s))
        .with("way", Way(situation.track.progress_m()))
        .with("more", Way((last.distance_m - silence.at_m).max(0.0)))
        .with("paused", paused);
    let key = format!("signal_back:{}", silence.since.as_second());
    alerts.push(situation.alert(AlertKind::SignalBack, Severity::Notice, key, &phrase));
}

fn standing(told: &mut SignalState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let track = situation.track;
    if let Some(before) = told.standing
        && track.distance_m() - before.at_m > ANOTHER_PLACE_M
    {
        told.standing = None;
    }
    let Some(stop) = track.standing() else { return };
    let kind = track.leg().and_then(|leg| leg.kind);
    if track.distance_m() < AT_START_M {
        return;
    }
    let at_checkpoint =
        situation.settings.checkpoints.iter().any(|checkpoint| {
            (checkpoint.km * 1000.0 - situation.track.progress_m()).abs() <= AT_CHECKPOINT_M
        });
    let in_transition = kind == Some(LegKind::Transition) || (kind.is_none() && track.legs.len() > 1);
    let patience_s = if in_transition {
        STANDING_IN_TRANSITION_S
    } else if at_checkpoint {
        STANDING_AT_CHECKPOINT_S
    } else {
        STANDING_S
    };
    let stood_s = stop.duration_s();
    let firm = stood_s >= STANDING_FIRM_S;
    let due = match told.standing {
        None => stood_s >= patience_s,
        Some(before) => firm && !before.firm,
    };
    if !due {
        return;
    }
    told.standing = Some(RaisedStop {
        at_m: stop.at_m,
        firm,
    });
    let (severity, level) = if firm {
        (Severity::Warning, "firm")
    } else {
        (Severity::Notice, "soft")
    };
    let (kind, phrase) = if stop.is_paused() {
        (AlertKind::Paused, AlertPhrase::new(|words| words.paused))
    } else {
        (AlertKind::Stopped, AlertPhrase::new(|words| words.stopped))
    };
    let phrase = phrase
        .with("long", Minutes(stood_s))
        .with("way", Way(track.progress_m()));
    let key = format!("stopped:{}:{level}", stop.from.as_second());
    alerts.push(situation.alert(kind, severity, key, &phrase));
}
