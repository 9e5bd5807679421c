//! Plays a recording through the whole watch of a race: schedule, track, endings, alerts and outlook, on a simulated
//! clock, without Garmin. What the watch told is then judged by what the recording shows. Pure.
//!
//! The recording is delivered as LiveTrack delivers: in posts, a little late, nothing during a pause, and an END after
//! the last point. The watch knows the sport, the whole distance and the legs, as somebody who enters a race does, and
//! the course if there is one.

mod course;
mod delivery;
mod legs;
mod play;
mod problem;
mod score;
mod stages;
#[cfg(test)]
mod tests;
mod truth;

use crate::garmin::files::Recording;
use crate::race::alerts::Alert;

pub use problem::{CourseMisfit, UnplayableRecording};
pub use score::{EtaError, KindScore, RaceRehearsal, RehearsalSummary};
pub use stages::{RehearsedCheckpoint, RehearsedLeg};

/// Plays `recording`, on the course of a GPX text if there is one. `on_alert` gets every alert with its race time in
/// seconds, as it is raised.
pub fn rehearse(
    recording: &Recording,
    course_gpx: Option<&str>,
    on_alert: &mut dyn FnMut(&Alert, f64),
) -> Result<RaceRehearsal, UnplayableRecording> {
    let delivery = delivery::Delivery::of(recording)?;
    let course = course_gpx
        .map(|gpx| course::RehearsedCourse::read(gpx, &delivery))
        .transpose()?;
    let truth = truth::RecordedTruth::of(&delivery, course.as_ref());
    let played = play::play(&delivery, course.as_ref(), on_alert);
    Ok(score::judge(&delivery, &truth, &played))
}
