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

use serde::Serialize;

use crate::garmin::files::Recording;
use crate::race::alerts::Alert;

pub use score::{EtaError, KindScore, RehearsalSummary};

/// Why a recording cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnplayableRecording {
    #[error("it has neither distances nor positions")]
    NoDistance,
    #[error("it is too short: a rehearsal needs 1 km and 10 minutes")]
    TooShort,
    #[error("it is longer than 48 hours, and a LiveTrack link lasts 24")]
    TooLong,
}

/// One recording, played and judged.
#[derive(Clone, Debug, Serialize)]
pub struct Rehearsal {
    pub sport: &'static str,
    pub distance_m: f64,
    /// From the first to the last point, in seconds.
    pub elapsed_s: f64,
    pub polls: usize,
    /// Per kind of alert: told, right, due and found.
    pub alerts: Vec<KindScore>,
    /// Largest error of a split's time against the recording, in seconds; `None` without splits.
    pub worst_split_s: Option<f64>,
    /// Number of looks at the outlook, and how many of their windows held the real finish.
    pub windows: usize,
    pub windows_right: usize,
    /// Errors of the predicted finish at a quarter, half and three quarters of the way.
    pub eta: Vec<EtaError>,
}

/// Plays `recording`. `on_alert` gets every alert with its race time in seconds, as it is raised.
pub fn rehearse(
    recording: &Recording,
    on_alert: &mut dyn FnMut(&Alert, f64),
) -> Result<Rehearsal, UnplayableRecording> {
    let delivery = delivery::Delivery::of(recording)?;
    let truth = truth::RecordedTruth::of(&delivery);
    let played = play::play(&delivery, on_alert);
    Ok(score::judge(&delivery, &truth, &played))
}
