//! Replays a recording through everything that watches a race: schedule, track, endings, alerts and outlook, on a
//! simulated clock, without Garmin. What was reported is then compared with what the recording shows. Pure.
//!
//! The recording is delivered as by LiveTrack: in posts, a little late, with nothing during a pause and an END at the
//! last point. As in a race that a person has set up, the sport, the whole distance and the legs are known, and the
//! course if there is one.

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

/// Replays `recording`, on the course of a GPX text if there is one. `on_poll` is called for every poll, in order.
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

/// Parses the playback speed: how many times faster than the race.
pub fn playing_speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| format!("`{text}` is not a number above 0, such as 600"))
}
