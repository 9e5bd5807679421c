//! Plays a recording through the whole watch of a race: schedule, track, endings, alerts and outlook, on a simulated
//! clock, without Garmin. What the watch told is then judged by what the recording shows. Pure.
//!
//! The recording is delivered as LiveTrack delivers: in posts, a little late, nothing during a pause, and an END after
//! the last point. The watch knows the sport and the whole distance, as somebody who enters a race does.

mod delivery;
mod play;
mod score;
#[cfg(test)]
mod tests;
mod truth;

use crate::garmin::files::Recording;
use crate::race::alerts::Alert;

pub use delivery::UnplayableRecording;
pub use score::{EtaError, KindScore, RaceRehearsal, RehearsalSummary};

/// Plays `recording`. `on_alert` gets every alert with its race time in seconds, as it is raised.
pub fn rehearse(
    recording: &Recording,
    on_alert: &mut dyn FnMut(&Alert, f64),
) -> Result<RaceRehearsal, UnplayableRecording> {
    let delivery = delivery::Delivery::of(recording)?;
    let truth = truth::RecordedTruth::of(&delivery);
    let played = play::play(&delivery, on_alert);
    Ok(score::judge(&delivery, &truth, &played))
}
