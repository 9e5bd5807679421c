//! The rules that watch a race before any model does. Pure: (alerts so far, current situation) → new alerts.
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
mod place;
mod progress;
mod signal;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::race::ending::EndReason;
use crate::race::plan::RacePlan;
use crate::race::schedule::RacePhase;
use crate::race::text;

pub use alert::{Alert, AlertKind, Severity, Situation};

/// The alerts sent so far. Stored, so that it survives a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertState {
    started: bool,
    end: Option<EndReason>,
    /// Whether a certain finish was reported.
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

/// Number of consecutive unknown answers before an alert is sent, and the minimum interval between such alerts.
const STRANGE_ANSWERS: u32 = 2;
const TELL_CHANGE_EVERY: SignedDuration = SignedDuration::from_hours(6);

impl AlertState {
    /// When a rule has to be judged even if no poll is due by then: a person asked to be told if the athlete is not
    /// at a place by a time.
    pub fn next_due(&self, plan: &RacePlan) -> Option<Timestamp> {
        self.places.next_due(&plan.place_rules)
    }
}

/// Applies all rules. Records the alerts in `told`, so that they are not sent again. After the finish only what a
/// person asked for is told.
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
    // Late data after the end changes the summary, but is no news.
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
    let text = if ran_s < 300.0 {
        "The race has started.".to_owned()
    } else {
        format!(
            "The race is under way: {} after {}.",
            text::km(situation.track.progress_m()),
            text::time(ran_s)
        )
    };
    alerts.push(situation.alert(AlertKind::Started, Severity::Notice, "started".into(), text));
}

fn changed(told: &mut AlertState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let lately = told
        .changed_at
        .is_some_and(|at| situation.now.duration_since(at) < TELL_CHANGE_EVERY);
    if situation.watch.changed < STRANGE_ANSWERS || lately {
        return;
    }
    told.changed_at = Some(situation.now);
    let text = "Garmin's LiveTrack answers differently than this program knows; the data may have holes. \
                Look for a newer version."
        .to_owned();
    let key = format!("garmin_changed:{}", situation.now.as_second());
    alerts.push(situation.alert(AlertKind::GarminChanged, Severity::Warning, key, text));
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
    let (kind, severity, text) = if reason.is_finish() {
        (
            AlertKind::Finished,
            Severity::Notice,
            format!("Finished: {}.", result(situation)),
        )
    } else if reason == EndReason::EndedEarly {
        let text = match (situation.settings.timed_s, goal.whole_m()) {
            (Some(time_s), _) => format!(
                "Ended after {} of {}, at {}.",
                text::time(track.elapsed_s()),
                text::time(f64::from(time_s)),
                text::km(track.progress_m())
            ),
            (None, whole_m) => format!(
                "Ended at {} of {}, after {}.",
                text::mark(track.progress_m()).trim_end_matches(" km"),
                text::mark(whole_m.unwrap_or_default()),
                text::time(track.elapsed_s())
            ),
        };
        (AlertKind::Ended, Severity::Warning, text)
    } else if matches!(reason, EndReason::LinkGone | EndReason::LinkExpired) {
        let text = format!(
            "The LiveTrack link no longer works ({}). If the race goes on, start tracking with the new link and \
             continue this race. So far: {}.",
            reason.sentence(),
            result(situation)
        );
        (AlertKind::LinkGone, Severity::Warning, text)
    } else {
        let silence = situation.watch.silence(track).unwrap_or_default().as_secs_f64();
        let of = goal
            .whole_m()
            .map_or_else(String::new, |whole_m| format!(", of {}", text::km(whole_m)));
        let text = format!(
            "No new data for {}: probably finished, or out of coverage for long. Last seen: {}{of}.",
            text::minutes(silence),
            result(situation)
        );
        (AlertKind::ProbablyFinished, Severity::Notice, text)
    };
    alerts.push(situation.alert(kind, severity, key, text));
}

/// The result so far, such as `42.2 km in 3:29:10 (4:57 /km)`.
fn result(situation: &Situation<'_>) -> String {
    let track = situation.track;
    if track.started_at.is_none() {
        return "nothing was seen of it".to_owned();
    }
    let (way_m, ran_s) = (track.distance_m(), track.elapsed_s());
    let kind = track
        .leg()
        .and_then(|leg| leg.kind)
        .filter(|_| track.legs.len() == 1);
    let pace = text::pace(kind, way_m / ran_s.max(1.0)).filter(|_| track.legs.len() == 1);
    let pace = pace.map_or_else(String::new, |pace| format!(" ({pace})"));
    format!("{} in {}{pace}", text::km(way_m), text::time(ran_s))
}
