use super::*;
use crate::garmin::files::{Pause, RecordedSession, Sample};
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
        sessions: vec![],
        utc_offset_s: None,
        is_cut: false,
    }
}

fn played(recording: &Recording) -> RaceRehearsal {
    rehearse(recording, None, &mut |_| {}).unwrap()
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
fn a_stop_is_one_although_the_counter_creeps() {
    let mut creeping = recording(9000, &[(3000, 3900)], &[]);
    // 54 m in a quarter of an hour.
    let mut crept_m = 0.0_f32;
    for sample in &mut creeping.samples {
        if (3000.0..3900.0).contains(&sample.at_s) {
            crept_m += 0.06;
        }
        sample.distance_m = sample.distance_m.map(|metres| metres + crept_m);
    }
    assert_eq!(scores(&played(&creeping))[0], ("stopped", 1, 1, 1, 1));
}

#[test]
fn nobody_is_seen_to_stop_without_positions() {
    let mut indoors = recording(9000, &[(3000, 3600)], &[]);
    indoors
        .samples
        .iter_mut()
        .for_each(|sample| sample.position = None);
    assert_eq!(scores(&played(&indoors))[0], ("stopped", 0, 0, 0, 0));
}

#[test]
fn what_says_nothing_about_a_race_is_refused() {
    let mut blind = recording(3600, &[], &[]);
    blind
        .samples
        .iter_mut()
        .for_each(|sample| (sample.distance_m, sample.position) = (None, None));
    assert_eq!(
        rehearse(&blind, None, &mut |_| {}).unwrap_err(),
        UnplayableRecording::NoDistance
    );
    assert_eq!(
        rehearse(&recording(300, &[], &[]), None, &mut |_| {}).unwrap_err(),
        UnplayableRecording::TooShort
    );
}

/// A straight course to the east from where the recordings begin, of this length, with a climb in its middle.
fn course(to_m: f64, places: &[(&str, f64)]) -> String {
    let lon = |metres: f64| 14.3 + metres / 76_370.0;
    let point = |metres: f64| {
        let altitude_m = 400.0 + (300.0 - (metres - to_m / 2.0).abs() / 20.0).max(0.0);
        format!(
            r#"<trkpt lat="46.62" lon="{}"><ele>{altitude_m}</ele></trkpt>"#,
            lon(metres)
        )
    };
    let line: String = (0..=100).map(|i| point(to_m * f64::from(i) / 100.0)).collect();
    let places = places.iter().map(|(name, metres)| {
        format!(
            r#"<wpt lat="46.6201" lon="{}"><name>{name}</name></wpt>"#,
            lon(*metres)
        )
    });
    let places: String = places.collect();
    format!("<gpx>{places}<trk><trkseg>{line}</trkseg></trk></gpx>")
}

#[test]
fn a_course_brings_its_checkpoints() {
    let recording = recording(7200, &[], &[]);
    let gpx = course(21_500.0, &[("Mill", 9000.0), ("Bridge", 18_000.0)]);
    let mut told = Vec::new();
    let rehearsal = rehearse(&recording, Some(&gpx), &mut |poll| {
        told.extend(poll.alerts.iter().map(|alert| alert.text.clone()));
    })
    .unwrap();
    let names: Vec<_> = rehearsal.checkpoints.iter().map(|at| at.name.as_str()).collect();
    assert_eq!(names, ["Mill", "Bridge"]);
    for (checkpoint, due_s) in rehearsal.checkpoints.iter().zip([3000.0, 6000.0]) {
        for at_s in [checkpoint.passed_s, checkpoint.told_s] {
            assert!((at_s.unwrap() - due_s).abs() < 15.0, "{checkpoint:?}");
        }
    }
    assert!(
        told.iter().any(|text| text.starts_with("Passed Mill (9.")),
        "{told:#?}"
    );
    assert_eq!(
        scores(&rehearsal)[2..],
        [("finished", 1, 1, 1, 1), ("checkpoint", 2, 2, 2, 2)]
    );
    // Between two checkpoints, the window is that of the next one.
    assert!(rehearsal.place_windows > 60);
    assert!(rehearsal.legs.is_empty());
}

#[test]
fn a_course_of_another_race_is_refused_with_the_reason() {
    let recording = recording(7200, &[], &[]);
    let refused = |recording: &Recording, gpx: &str| {
        rehearse(recording, Some(gpx), &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let right = course(21_600.0, &[]);
    assert!(rehearse(&recording, Some(&right), &mut |_| {}).is_ok());
    let elsewhere = right.replace("46.62", "46.72");
    assert!(refused(&recording, &elsewhere).contains("only 0 % of its positions"));
    let longer = refused(&recording, &course(40_000.0, &[]));
    assert!(
        longer.contains("it is 21.6 km long and the course 40.0 km"),
        "{longer}"
    );
    let points: Vec<_> = right.split("<trkpt").skip(1).collect();
    let points = points.iter().rev();
    let reversed: Vec<_> = points
        .map(|point| format!("<trkpt{}", point.split("</trkseg>").next().unwrap()))
        .collect();
    let reversed = reversed.concat();
    let reversed = refused(
        &recording,
        &format!("<gpx><trk><trkseg>{reversed}</trkseg></trk></gpx>"),
    );
    assert!(reversed.contains("reversed"), "{reversed}");
    let mut blind = recording.clone();
    blind.samples.iter_mut().for_each(|sample| sample.position = None);
    assert!(refused(&blind, &right).contains("no positions"));
    assert!(refused(&recording, "<gpx/>").contains("the course can't be used"));
}

/// A triathlon in five sessions, each of which counts its distance from zero.
fn triathlon() -> Recording {
    let legs = [
        ("swimming", 900, 0.9_f32),
        ("transition", 150, 1.0),
        ("cycling", 2500, 8.0),
        ("transition", 120, 1.0),
        ("running", 1800, 3.2),
    ];
    let (mut samples, mut sessions, mut from_s, mut way_m) = (Vec::new(), Vec::new(), 0, 0.0_f32);
    for (sport, lasts_s, mps) in legs {
        for s in 0..lasts_s {
            way_m += mps;
            samples.push(Sample {
                at_s: f64::from(from_s + s),
                position: Some(Position {
                    lat: 46.62,
                    lon: 14.3 + f64::from(way_m) / 76_370.0,
                }),
                #[expect(clippy::cast_precision_loss, reason = "seconds of a race")]
                distance_m: Some((s + 1) as f32 * mps),
                ..Sample::default()
            });
        }
        sessions.push(RecordedSession {
            sport: Some(sport.into()),
            from_s: from_s.into(),
            to_s: (from_s + lasts_s).into(),
        });
        from_s += lasts_s;
    }
    Recording {
        sport: Some("swimming".into()),
        samples,
        sessions,
        ..recording(10, &[], &[])
    }
}

#[test]
fn the_sessions_of_a_triathlon_are_its_legs() {
    let rehearsal = played(&triathlon());
    assert_eq!(rehearsal.sport, "swim-bike-run");
    assert!(
        (rehearsal.elapsed_s - 5469.0).abs() < 1.0,
        "{}",
        rehearsal.elapsed_s
    );
    assert!(
        (rehearsal.distance_m - 26_840.0).abs() < 20.0,
        "{}",
        rehearsal.distance_m
    );
    let sports: Vec<_> = rehearsal.legs.iter().map(|leg| leg.sport).collect();
    assert_eq!(sports, ["swim", "transition", "bike", "transition", "run"]);
    for leg in &rehearsal.legs {
        assert_eq!(leg.found_sport, Some(leg.sport), "{leg:?}");
        assert!((leg.found_s.unwrap() - leg.began_s).abs() < 10.0, "{leg:?}");
    }
    let lengths: Vec<_> = rehearsal.legs.iter().map(|leg| leg.distance_m.round()).collect();
    for (length, due) in lengths.iter().zip([810.0, 150.0, 20_000.0, 120.0, 5760.0]) {
        assert!((length - due).abs() <= 10.0, "{lengths:?}");
    }
    let scores = scores(&rehearsal);
    assert_eq!(scores[2], ("finished", 1, 1, 1, 1));
    let (kind, told, right, due, found) = scores[3];
    assert_eq!((kind, told, due, found), ("leg change", right, 4, 4));
}

#[test]
fn sets_of_one_sport_are_no_legs() {
    let mut sets = recording(3600, &[], &[]);
    let set = |from_s: f64, to_s: f64| RecordedSession {
        sport: Some("running".into()),
        from_s,
        to_s,
    };
    sets.sessions = vec![set(0.0, 1800.0), set(1800.0, 3600.0)];
    let rehearsal = played(&sets);
    assert_eq!((rehearsal.sport.as_str(), rehearsal.legs.len()), ("run", 0));
}

#[test]
fn a_recording_that_no_race_can_be_is_refused() {
    let mut reversed = recording(3600, &[], &[]);
    let metres: Vec<_> = reversed
        .samples
        .iter()
        .rev()
        .map(|sample| sample.distance_m)
        .collect();
    for (sample, metres) in reversed.samples.iter_mut().zip(metres) {
        sample.distance_m = metres;
    }
    assert_eq!(
        rehearse(&reversed, None, &mut |_| {}).unwrap_err(),
        UnplayableRecording::Backwards
    );
    let mut teleported = recording(3600, &[], &[]);
    for sample in teleported.samples.iter_mut().skip(1800) {
        sample.distance_m = sample.distance_m.map(|metres| metres + 16_000_000.0);
    }
    let told = rehearse(&teleported, None, &mut |_| {}).unwrap_err().to_string();
    assert!(told.starts_with("it jumps 16000.0 km in "), "{told}");
}

/// Both halves are runs, and the second counts from zero.
#[test]
fn a_counter_that_restarts_within_one_sport_goes_on() {
    let whole = recording(3600, &[], &[]);
    let mut halves = whole.clone();
    let half_m = halves.samples[1800].distance_m.unwrap();
    for sample in halves.samples.iter_mut().skip(1800) {
        sample.distance_m = sample.distance_m.map(|metres| metres - half_m);
    }
    halves.sessions = [(0.0, 1799.0), (1800.0, 3600.0)]
        .map(|(from_s, to_s)| RecordedSession {
            sport: Some("running".into()),
            from_s,
            to_s,
        })
        .to_vec();
    let (whole, halves) = (played(&whole), played(&halves));
    assert!(
        (whole.distance_m - halves.distance_m).abs() < 10.0,
        "{}",
        halves.distance_m
    );
}
