//! The rules that raise alerts during a race, before any language model looks at it. Pure: (alerts so far, current
//! situation) → new alerts.
//!
//! Every rule has a severity, a threshold (with hysteresis where the value can flutter), a cool-down where the alert
//! can recur, and a key under which it is sent only once. Rules use device time. An event that arrives late is
//! reported as late, or not at all.
//!
//! Invariant: no signal is never reported as a stop, and a stop is never reported as no signal.

mod alert;
mod cutoff;
mod limit;
mod off_course;
mod pace;
mod phrase;
mod place;
mod progress;
mod signal;
#[cfg(test)]
mod tests;
mod words;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::race::ending::EndReason;
use crate::race::plan::RacePlan;
use crate::race::schedule::RacePhase;
use phrase::PhraseValue::{self, BareMark, Mark, Minutes, Pace, Time, Way};
use phrase::SLOWEST_PACE_MPS;

pub use alert::{Alert, AlertKind, Severity, Situation};
use phrase::AlertPhrase;
pub use phrase::Voice;

/// The alerts sent so far. Stored, so that it survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertState {
    started: bool,
    end: Option<EndReason>,
    /// Whether a finish was reported that is beyond doubt.
    finished: bool,
    signal: signal::SignalState,
    limits: limit::LimitState,
    pace: pace::PaceState,
    progress: progress::ProgressState,
    cutoffs: cutoff::CutoffState,
    off_course: off_course::OffCourseState,
    places: place::PlaceAlertState,
    changed_at: Option<Timestamp>,
}

/// Number of consecutive answers in an unknown format before an alert is sent, and the minimum interval between such
/// alerts.
const STRANGE_ANSWERS: u32 = 2;
const TELL_CHANGE_EVERY: SignedDuration = SignedDuration::from_hours(6);

impl AlertState {
    /// When a rule has to be judged even if no poll is due by then. Only a rule that the athlete must be at a place by
    /// a time has such a moment.
    pub fn next_due(&self, plan: &RacePlan) -> Option<Timestamp> {
        self.places.next_due(&plan.place_rules)
    }
}

/// Applies all rules. Records the alerts in `told`, so that they are not sent again. After the finish, only the alerts
/// that a person asked for are raised.
pub fn judge(told: &mut AlertState, situation: &Situation<'_>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    place::judge(&mut told.places, situation, &mut alerts);
    if told.finished {
        return alerts;
    }
    changed(told, situation, &mut alerts);
    let ending = matches!(
        situation.watch.phase,
        RacePhase::Closing { .. } | RacePhase::Over { .. }
    );
    // Late data after the end changes the summary, but raises no alert.
    let told_of_end = ending && told.end.is_some();
    if situation.track.started_at.is_some() && !told_of_end {
        started(told, situation, &mut alerts);
        progress::judge(&mut told.progress, situation, &mut alerts);
        if !ending && situation.watch.finished_at.is_none() {
            signal::judge(&mut told.signal, situation, &mut alerts);
            cutoff::judge(&mut told.cutoffs, situation, &mut alerts);
            if situation.is_fresh() {
                limit::judge(&mut told.limits, situation, &mut alerts);
                pace::judge(&mut told.pace, situation, &mut alerts);
                off_course::judge(&mut told.off_course, situation, &mut alerts);
            }
        }
    }
    over(told, situation, &mut alerts);
    alerts
}

fn started(told: &mut AlertState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    if std::mem::replace(&mut told.started, true) {
        return;
    }
    let ran_s = situation.track.elapsed_s();
    let phrase = if ran_s < 300.0 {
        AlertPhrase::new(|words| words.started)
    } else {
        AlertPhrase::new(|words| words.under_way)
            .with("way", Way(situation.track.progress_m()))
            .with("time", Time(ran_s))
    };
    let alert = situation.alert(AlertKind::Started, Severity::Notice, "started".into(), &phrase);
    let track = situation.track;
    alerts.push(match track.started_at {
        Some(at) => alert.of_device_time(track, at),
        None => alert,
    });
}

fn changed(told: &mut AlertState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let lately = told
        .changed_at
        .is_some_and(|at| situation.now.duration_since(at) < TELL_CHANGE_EVERY);
    if situation.watch.changed < STRANGE_ANSWERS || lately {
        return;
    }
    told.changed_at = Some(situation.now);
    let phrase = AlertPhrase::new(|words| words.garmin_changed);
    let key = format!("garmin_changed:{}", situation.now.as_second());
    alerts.push(situation.alert(AlertKind::GarminChanged, Severity::Warning, key, &phrase));
}

/// Reports the end once. An END that was cancelled and occurs again is reported again.
fn over(told: &mut AlertState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let track = situation.track;
    let goal = situation.goal();
    let reason = match situation.watch.phase {
        _ if situation.watch.finished_at.is_some() => Some(EndReason::CourseFinished),
        RacePhase::Over { reason, .. } => Some(reason),
        // A finish is reported at once, before the final poll. A presumed end waits for that poll, unless the whole
        // distance was covered.
        RacePhase::Closing { reason, .. } => Some(reason).filter(|reason| {
            reason.is_finish() || (*reason == EndReason::Stale && goal.is_last_bit(situation.now))
        }),
        RacePhase::Live | RacePhase::Waiting => None,
    };
    let before = told.end;
    told.end = reason;
    let Some(reason) = reason else { return };
    let known = before.is_some_and(|before| before == reason || before.is_finish());
    if known || reason == EndReason::ByHand {
        return;
    }
    told.finished = reason == EndReason::CourseFinished || (reason.is_finish() && goal.left_m().is_some());
    let key = format!(
        "over:{}:{}",
        track.last.map_or(0, |last| last.at.as_second()),
        reason.is_finish()
    );
    let result = PhraseValue::Part(result(situation));
    let (kind, severity, phrase) = if reason.is_finish() {
        let phrase = AlertPhrase::new(|words| words.finished).with("result", result);
        (AlertKind::Finished, Severity::Notice, phrase)
    } else if reason == EndReason::EndedEarly {
        let phrase = match situation.settings.timed_s {
            Some(time_s) => AlertPhrase::new(|words| words.ended_in_time)
                .with("time", Time(track.elapsed_s()))
                .with("whole", Time(f64::from(time_s)))
                .with("way", Way(track.progress_m())),
            None => AlertPhrase::new(|words| words.ended_early)
                .with("way", BareMark(track.progress_m()))
                .with("whole", Mark(goal.whole_m().unwrap_or_default()))
                .with("time", Time(track.elapsed_s())),
        };
        (AlertKind::Ended, Severity::Warning, phrase)
    } else if matches!(reason, EndReason::LinkGone | EndReason::LinkExpired) {
        let why = if reason == EndReason::LinkGone {
            AlertPhrase::new(|words| words.link_unknown)
        } else {
            AlertPhrase::new(|words| words.link_expired)
        };
        let phrase = AlertPhrase::new(|words| words.link_ended)
            .with("why", PhraseValue::Part(why))
            .with("result", result);
        (AlertKind::LinkGone, Severity::Warning, phrase)
    } else {
        let silence = situation.watch.silence(track).unwrap_or_default().as_secs_f64();
        let of = goal
            .whole_m()
            .map(|whole_m| AlertPhrase::new(|words| words.of_whole).with("whole", Way(whole_m)));
        let phrase = AlertPhrase::new(|words| words.probably_finished)
            .with("long", Minutes(silence))
            .with("result", result)
            .with("of", of);
        (AlertKind::ProbablyFinished, Severity::Notice, phrase)
    };
    let alert = situation.alert(kind, severity, key, &phrase);
    let ended_at = match kind {
        AlertKind::Finished => {
            let crossing = goal.whole_m().and_then(|whole_m| track.crossing(whole_m));
            crossing.map(|crossing| crossing.at).or_else(|| track.ended_at())
        }
        AlertKind::Ended => track.ended_at(),
        _ => None,
    };
    alerts.push(match ended_at {
        Some(at) => alert.of_device_time(track, at),
        None => alert,
    });
}

/// The result so far, such as `42.2 km in 3:29:10 (4:57 /km)`.
fn result(situation: &Situation<'_>) -> AlertPhrase {
    let track = situation.track;
    if track.started_at.is_none() {
        return AlertPhrase::new(|words| words.nothing_seen);
    }
    let (way_m, ran_s) = (track.distance_m(), track.elapsed_s());
    let kind = track
        .leg()
        .and_then(|leg| leg.kind)
        .filter(|_| track.legs.len() == 1);
    let mps = way_m / ran_s.max(1.0);
    let pace = (track.legs.len() == 1 && mps >= SLOWEST_PACE_MPS)
        .then(|| AlertPhrase::new(|words| words.in_brackets).with("pace", Pace(kind, mps)));
    AlertPhrase::new(|words| words.result)
        .with("way", Way(way_m))
        .with("time", Time(ran_s))
        .with("pace", pace)
}
