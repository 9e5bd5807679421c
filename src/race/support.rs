//! Synthetic samples, and a helper for tables of words, for the tests of this module and of others.

use jiff::{SignedDuration, Timestamp};

use crate::garmin::livetrack::{Position, Trackpoint};
use crate::race::id::RaceId;
use crate::race::plan::RacePlan;
use crate::race::schedule::RaceWatch;
use crate::race::snapshot::Snapshot;
use crate::race::sport::RaceKind;
use crate::race::thresholds::Thresholds;
use crate::race::track::TrackSample;
use crate::race::track::{Track, TrackStep};

pub(crate) fn start() -> Timestamp {
    "2026-10-04T08:00:00Z".parse().unwrap()
}

/// The time `seconds` after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

/// A sample of a runner on a straight road east, `seconds` after the start and `metres` from it, with a delivery
/// delay of 15 s.
pub(crate) fn running(seconds: i64, metres: f64) -> TrackSample {
    let mut point = Trackpoint::at(at(seconds));
    point.reported_at = Some(at(seconds + 14));
    point.position = Some(Position {
        lat: 46.62,
        lon: 14.3 + metres / 76_370.0,
    });
    point.total_distance_m = Some(metres);
    point.distance_m = Some(metres);
    point.total_duration_s = Some(seconds as f64);
    point.duration_s = Some(seconds as f64);
    point.heart_rate_bpm = Some(145);
    point.cadence_rpm = Some(85);
    point.activity_type = Some("RUNNING".into());
    TrackSample {
        point,
        seen_at: at(seconds + 15),
    }
}

/// A run at `mps` from second 0 to `to_s`, with a point every 10 s.
pub(crate) fn steady(to_s: i64, mps: f64) -> Vec<TrackSample> {
    (0..=to_s / 10)
        .map(|i| running(i * 10, (i * 10) as f64 * mps))
        .collect()
}

/// An hour of running at 3 m/s with 145 bpm, and a window of ten minutes.
pub(crate) fn hour() -> (Snapshot, Vec<TrackStep>) {
    let mut samples = steady(3600, 3.0);
    // One minute was hard.
    for sample in &mut samples[100..106] {
        sample.point.heart_rate_bpm = Some(171);
    }
    let settings = RacePlan {
        kind: RaceKind::Run,
        distance_m: Some(21_097.5),
        target_time_s: Some(2 * 3600),
        thresholds: Thresholds {
            run_hr_max: Some(165),
            ..Thresholds::default()
        },
        ..RacePlan::default()
    };
    let track = Track::of(RaceKind::Run, None, &samples);
    let now = at(3615);
    let from = at(3600) - SignedDuration::from_mins(10);
    let window = track
        .recent
        .iter()
        .filter(|step| step.at >= from)
        .copied()
        .collect();
    let snapshot = Snapshot {
        race: RaceId::random(),
        account: "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
        now,
        settings,
        course: None,
        watch: RaceWatch::new(at(0)),
        track,
        alerts: vec![],
    };
    (snapshot, window)
}

/// The names of the placeholders in each sentence of a table of words, in the order of the table.
pub(crate) fn asked_values(words: &impl std::fmt::Debug) -> Vec<Vec<String>> {
    let text = format!("{words:?}");
    let sentences = text.split('"').skip(1).step_by(2);
    let values = sentences.map(|sentence| {
        let parts = sentence.split('{').skip(1);
        let mut found: Vec<String> = parts
            .map(|part| part.split('}').next().unwrap_or_default().to_owned())
            .collect();
        found.sort();
        found
    });
    values.collect()
}
