//! Alerts about being ahead of the plan or behind it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::phrase::AlertPhrase;
use super::phrase::PhraseValue::{Time, Way};
use crate::race::pacing::planned_s;

/// Interval between two checks of the pace, in seconds of race time.
const EVERY_S: f64 = 5.0 * 60.0;

/// Number of consecutive checks that must find a deviation.
const LOOKS: u32 = 3;

/// No alerts in this first part of the race, because the start is crowded; seconds.
const WARM_UP_S: f64 = 15.0 * 60.0;

/// Smallest deviation to report: in seconds, or as a share of the planned time, whichever is more.
const OFF_S: f64 = 120.0;
const OFF_PART: f64 = 0.03;

/// The pace checks so far. A reported deviation is reported again when it has grown by the same amount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PaceState {
    /// Device time of the last check.
    looked_at: Option<Timestamp>,
    /// Consecutive checks that found a deviation in the same direction; positive = behind.
    off: i32,
    /// The reported deviation in seconds; positive = behind.
    deviation_s: Option<f64>,
}

pub(super) fn judge(told: &mut PaceState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let Some(last) = situation.track.last else { return };
    let elapsed_s = situation.track.elapsed_s();
    let looked_s = told
        .looked_at
        .map_or(f64::INFINITY, |at| last.at.duration_since(at).as_secs_f64());
    if elapsed_s < WARM_UP_S || looked_s < EVERY_S {
        return;
    }
    let Some(planned_s) = planned_s(situation.goal(), situation.track.progress_m()) else {
        return;
    };
    told.looked_at = Some(last.at);
    let behind_s = elapsed_s - planned_s;
    let off_s = OFF_S.max(OFF_PART * planned_s);
    let direction = if behind_s > off_s {
        1
    } else if behind_s < -off_s {
        -1
    } else {
        0
    };
    told.off = if direction == 0 || told.off.signum() != direction {
        direction
    } else {
        told.off.saturating_add(direction)
    };
    if behind_s.abs() < off_s / 2.0 {
        told.deviation_s = None;
    }
    let much_more = told
        .deviation_s
        .is_none_or(|told_s| (behind_s - told_s) * f64::from(direction) >= off_s);
    if told.off.unsigned_abs() < LOOKS || !much_more {
        return;
    }
    told.deviation_s = Some(behind_s);
    let phrase = if direction > 0 {
        AlertPhrase::new(|words| words.behind_plan)
    } else {
        AlertPhrase::new(|words| words.ahead_of_plan)
    };
    let phrase = phrase
        .with("time", Time(behind_s.abs()))
        .with("way", Way(situation.track.progress_m()))
        .with("elapsed", Time(elapsed_s))
        .with("planned", Time(planned_s));
    let key = format!("off_pace:{}", last.at.as_second());
    alerts.push(situation.alert(AlertKind::OffPace, Severity::Notice, key, &phrase));
}
