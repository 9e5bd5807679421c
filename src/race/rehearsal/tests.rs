use super::*;
use crate::garmin::files::{Pause, Sample};
use crate::garmin::livetrack::Position;
use crate::race::support::start;

/// A run at 3 m/s with one sample a second, which stands or is paused in the given parts.
fn recording(whole_s: u32, stands: &[(u32, u32)], pauses: &[(u32, u32)]) -> Recording {
    let mut metres = 0.0_f32;
    let within = |parts: &[(u32, u32)], s: u32| parts.iter().any(|(from, to)| (*from..*to).contains(&s));
    let samples = (0..=whole_s).filter_map(|s| {
        if within(pauses, s) {
            return None;
        }
        metres += if within(stands, s) { 0.0 } else { 3.0 };
        Some(Sample {
            at_s: s.into(),
            position: Some(Position {
                lat: 46.62,
                lon: 14.3 + f64::from(metres) / 76_370.0,
            }),
            distance_m: Some(metres),
            heart_rate_bpm: Some(150.0),
            ..Sample::default()
        })
    });
    Recording {
        start: start(),
        sport: Some("running".into()),
        samples: samples.collect(),
        pauses: pauses
            .iter()
            .map(|(from, to)| Pause {
                from_s: f64::from(*from) - 1.0,
                to_s: (*to).into(),
            })
            .collect(),
        laps: vec![],
        utc_offset_s: None,
        is_cut: false,
    }
}

fn played(recording: &Recording) -> RaceRehearsal {
    rehearse(recording, &mut |_, _| {}).unwrap()
}

fn scores(rehearsal: &RaceRehearsal) -> Vec<(&'static str, usize, usize, usize, usize)> {
    let scores = rehearsal.alerts.iter();
    scores
        .map(|score| (score.kind, score.told, score.right, score.due, score.found))
        .collect()
}

#[test]
fn a_steady_run_is_told_as_it_was() {
    let rehearsal = played(&recording(7200, &[], &[]));
    assert_eq!(
        scores(&rehearsal),
        [
            ("stopped", 0, 0, 0, 0),
            ("no signal", 0, 0, 0, 0),
            ("finished", 1, 1, 1, 1)
        ]
    );
    assert!(rehearsal.worst_split_s.unwrap() < 2.0);
    assert_eq!(rehearsal.eta.len(), 3);
    assert!(
        rehearsal
            .eta
            .iter()
            .all(|eta| eta.outlook_s.abs() < 240.0 && eta.plain_s.abs() < 60.0),
        "{:?}",
        rehearsal.eta
    );
    assert!(rehearsal.windows > 60 && rehearsal.windows_right == rehearsal.windows);
    assert!(rehearsal.place_windows > 30 && rehearsal.place_windows_right == rehearsal.place_windows);
}

#[test]
fn stops_and_gaps_are_kept_apart() {
    let rehearsal = played(&recording(9000, &[(3000, 3600)], &[(6000, 7200)]));
    let scores = scores(&rehearsal);
    assert_eq!(scores[0], ("stopped", 1, 1, 1, 1));
    let (kind, told, right, due, found) = scores[1];
    assert_eq!((kind, told, due, found), ("no signal", right, 1, 1));
}

#[test]
fn what_says_nothing_about_a_race_is_refused() {
    let mut blind = recording(3600, &[], &[]);
    blind
        .samples
        .iter_mut()
        .for_each(|sample| (sample.distance_m, sample.position) = (None, None));
    assert_eq!(
        rehearse(&blind, &mut |_, _| {}).unwrap_err(),
        UnplayableRecording::NoDistance
    );
    assert_eq!(
        rehearse(&recording(300, &[], &[]), &mut |_, _| {}).unwrap_err(),
        UnplayableRecording::TooShort
    );
}
