//! Alerts about leaving the course.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertKind, Severity, Situation};
use super::phrase::AlertPhrase;
use super::phrase::PhraseValue::{Away, Minutes, Way};

/// An athlete farther than `OFF_M` from the course is off it, and farther than `LOST_M` is lost; metres.
const OFF_M: f64 = 100.0;
const LOST_M: f64 = 400.0;

/// An athlete nearer than this is back on the course; metres.
const BACK_M: f64 = 50.0;

/// The athlete must be off the course for this long by device time; seconds. A receiver's position may be wrong for a
/// minute or two.
const SUSTAINED_S: f64 = 180.0;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OffCourseState {
    /// Device time since which the athlete has been off the course.
    since: Option<Timestamp>,
    told: bool,
    told_lost: bool,
}

pub(super) fn judge(told: &mut OffCourseState, situation: &Situation<'_>, alerts: &mut Vec<Alert>) {
    let (Some(off_m), Some(last)) = (situation.track.off_course_m, situation.track.last) else {
        return;
    };
    if off_m < BACK_M {
        *told = OffCourseState::default();
        return;
    }
    if off_m < OFF_M {
        return;
    }
    let since = *told.since.get_or_insert(last.at);
    let off_s = last.at.duration_since(since).as_secs_f64();
    let lost = off_m >= LOST_M;
    if off_s < SUSTAINED_S || (told.told && (told.told_lost || !lost)) {
        return;
    }
    (told.told, told.told_lost) = (true, lost);
    let severity = if lost { Severity::Warning } else { Severity::Notice };
    let phrase = AlertPhrase::new(|words| words.off_course)
        .with("long", Minutes(off_s))
        .with("away", Away(off_m))
        .with("way", Way(situation.track.progress_m()));
    let key = format!("off_course:{}:{lost}", since.as_second());
    alerts.push(situation.alert(AlertKind::OffCourse, severity, key, &phrase));
}
