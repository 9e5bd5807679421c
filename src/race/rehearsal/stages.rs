//! The legs and the checkpoints of a rehearsal: as they were recorded, and as they were reported.

use serde::Serialize;

use super::delivery::Delivery;
use super::play::PlayedRecording;
use super::truth::RecordedTruth;
use crate::race::sport::LegKind;
use crate::race::track::{Leg, Track};

/// A detected leg that begins within this time of a real leg is taken to be that leg; seconds.
const SAME_LEG_S: f64 = 240.0;

/// One leg of a race of several sports. Times are in seconds since the start of the recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RehearsedLeg {
    pub sport: &'static str,
    pub distance_m: f64,
    pub began_s: f64,
    pub lasted_s: f64,
    /// The leg that was detected at about this time: its sport and when it began.
    pub found_sport: Option<&'static str>,
    pub found_s: Option<f64>,
}

/// A waypoint of the course. Times are in seconds since the start of the recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RehearsedCheckpoint {
    pub name: String,
    pub km: f64,
    /// By the positions of the recording; `None` if it was not passed.
    pub passed_s: Option<f64>,
    /// By the track of the replayed race.
    pub told_s: Option<f64>,
}

fn word(kind: Option<LegKind>) -> &'static str {
    kind.map_or("unknown", LegKind::word)
}

pub(super) fn legs(delivery: &Delivery, track: &Track) -> Vec<RehearsedLeg> {
    let ends = delivery.legs.iter().skip(1).map(|next| next.from_s);
    let legs = delivery.legs.iter().zip(ends.chain([delivery.end_s()]));
    let began_s = |leg: &Leg| leg.started_at.duration_since(delivery.start).as_secs_f64();
    legs.map(|(leg, to_s)| {
        let off_s = |found: &&Leg| (began_s(found) - leg.from_s).abs();
        let found = track
            .legs
            .iter()
            .filter(|found| off_s(found) <= SAME_LEG_S)
            .min_by(|a, b| {
                let key = |found: &Leg| (found.kind != leg.kind, off_s(&found));
                let (a, b) = (key(a), key(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
        RehearsedLeg {
            sport: word(leg.kind),
            distance_m: leg.to_m - leg.from_m,
            began_s: leg.from_s,
            lasted_s: to_s - leg.from_s,
            found_sport: found.map(|found| word(found.kind)),
            found_s: found.map(began_s),
        }
    })
    .collect()
}

pub(super) fn checkpoints(
    delivery: &Delivery,
    truth: &RecordedTruth,
    played: &PlayedRecording,
) -> Vec<RehearsedCheckpoint> {
    let checkpoints = played.checkpoints.iter();
    checkpoints
        .map(|checkpoint| {
            let at_m = checkpoint.km * 1000.0;
            let told = played.track.crossing(at_m);
            RehearsedCheckpoint {
                name: checkpoint.name.clone(),
                km: checkpoint.km,
                passed_s: truth.reached_s(at_m),
                told_s: told.map(|told| told.at.duration_since(delivery.start).as_secs_f64()),
            }
        })
        .collect()
}
