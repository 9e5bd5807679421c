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

pub use play::RehearsedPoll;
pub use problem::{CourseMisfit, UnplayableRecording};
pub use score::{EtaError, KindScore, RaceRehearsal, RehearsalSummary};
pub use stages::{RehearsedCheckpoint, RehearsedLeg};

/// Plays `recording`, on the course of a GPX text if there is one. `on_poll` gets every poll of the watch, in order.
pub fn rehearse(
    recording: &Recording,
    course_gpx: Option<&str>,
    on_poll: &mut dyn FnMut(&RehearsedPoll<'_>),
) -> Result<RaceRehearsal, UnplayableRecording> {
    let delivery = delivery::Delivery::of(recording)?;
    let course = course_gpx
        .map(|gpx| course::RehearsedCourse::read(gpx, &delivery))
        .transpose()?;
    let truth = truth::RecordedTruth::of(&delivery, course.as_ref());
    let played = play::play(&delivery, course.as_ref(), on_poll);
    Ok(score::judge(&delivery, &truth, &played))
}

/// Reads how many times faster than the race it is played.
pub fn playing_speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| format!("`{text}` is not a number above 0, such as 600"))
}
