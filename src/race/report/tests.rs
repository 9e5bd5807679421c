use super::*;
use crate::race::alerts::{Alert, AlertKind, Severity};
use crate::race::plan::Checkpoint;
use crate::race::schedule::RacePhase;
use crate::race::support::{at, hour, running, steady};
use crate::race::track::Track;

fn raced() -> Snapshot {
    let (mut snapshot, _) = hour();
    snapshot.watch.phase = RacePhase::Live;
    snapshot.settings.distance_m = Some(10_000.0);
    snapshot.settings.target_time_s = Some(3300);
    snapshot.settings.checkpoints = vec![
        Checkpoint {
            name: "Mill | ford".into(),
            km: 5.0,
            cutoff_s: Some(1800),
            ..Checkpoint::default()
        },
        Checkpoint {
            name: "Never".into(),
            km: 12.0,
            ..Checkpoint::default()
        },
    ];
    snapshot.alerts = (0..100)
        .map(|minute| Alert {
            kind: AlertKind::Split,
            severity: Severity::Info,
            key: minute.to_string(),
            text: format!("Split {minute}."),
            translations: Vec::new(),
            happened_at: None,
            at: at(minute * 36),
        })
        .collect();
    snapshot
}

#[test]
fn a_report_reads_like_one() {
    let said = [(at(1800), "Keep it easy until the ford.".to_owned())];
    let report = report(&raced(), "Autumn 10k", &said);
    for line in [
        "# Autumn 10k",
        "Started on 2026-10-04 at 08:00. The race is under way and data is arriving.",
        "| Distance | 10.8 km of 10 km |",
        "| Heart rate | 145 bpm, at most 171 |",
        "| Drift of the heart rate | 0.6 % fewer beats a metre in the second half |",
        "| 4 km | 5:33 | 5:33 /km | 149 |  | 0:13 slower |",
        "| Mill / ford | 5 km | 27:47 | 0:17 slower | 2:13 to spare |",
        "| Never | 12 km | not passed |  |  |",
        "| finish | 10 km | 55:33 | 0:33 slower |  |",
        "20 older messages are left out.",
        "- 08:12 Split 20.",
        "- 08:30 Keep it easy until the ford.",
    ] {
        assert!(report.lines().any(|written| written == line), "{line}: {report}");
    }
}

/// The splits of a very long race do not fit into an answer, so a row sums up several of them.
#[test]
fn a_long_race_is_summed_up() {
    let mut snapshot = raced();
    let split = snapshot.track.splits[0].clone();
    snapshot.track.splits = (0..1000)
        .map(|n| {
            let mut split = split.clone();
            (split.from_m, split.to_m) = (f64::from(n) * 1000.0, f64::from(n + 1) * 1000.0);
            split.race_m = split.to_m;
            split
        })
        .collect();
    let report = report(&snapshot, "Across the country", &[]);
    let rows = report.lines().filter(|line| line.contains("/km")).count();
    assert!((50..=62).contains(&rows), "{rows}");
    assert!(report.contains("| 1000 km | "), "{report}");
    assert!(report.chars().count() < 12_000, "{}", report.chars().count());
}

#[test]
fn nothing_seen_makes_a_short_report() {
    let mut snapshot = raced();
    snapshot.track = Track::new(snapshot.settings.kind);
    let report = report(&snapshot, "Autumn 10k", &[]);
    assert_eq!(report.lines().count(), 3, "{report}");
}

#[test]
fn the_time_after_the_line_does_not_count() {
    let mut snapshot = raced();
    snapshot.watch.finished_at = Some(at(3600));
    let figures = ReportFigures::of(&snapshot);
    assert!((figures.time_s - 3333.3).abs() < 0.1, "{figures:?}");
    assert!((figures.behind_s.unwrap() - 33.3).abs() < 0.1, "{figures:?}");
    assert!((figures.distance_m - 10_000.0).abs() < 1.0, "{figures:?}");
    assert!((figures.moving_s - 3333.3).abs() < 1.0, "{figures:?}");
}

/// The last metres of a finished race may be missing.
#[test]
fn a_finished_race_has_its_finish_at_the_last_point() {
    let mut snapshot = raced();
    snapshot.settings.distance_m = Some(10_830.0);
    snapshot.settings.checkpoints.clear();
    assert_eq!((snapshot.finish(), snapshot.passed(10_830.0)), (None, None));
    snapshot.watch.finished_at = Some(at(3650));
    let finish = snapshot.finish().unwrap();
    assert_eq!((finish.at, snapshot.race_s()), (at(3600), 3600.0));
    let report = report(&snapshot, "Autumn 10k", &[]);
    assert!(report.contains("| Time | 1:00:00 "), "{report}");
    assert!(
        report
            .lines()
            .any(|line| line.starts_with("| finish | ") && line.contains("| 1:00:00 |")),
        "{report}"
    );
}

#[test]
fn splits_and_stops_after_the_line_are_not_of_the_race() {
    let mut samples = steady(4400, 3.0);
    for second in 0..60 {
        samples.push(running(4410 + second * 10, 13_200.0));
    }
    samples.push(running(5200, 13_800.0));
    let mut snapshot = raced();
    snapshot.track = Track::of(snapshot.settings.kind, None, &samples);
    let all = (figures::splits(&snapshot).len(), figures::stops(&snapshot).len());
    assert_eq!(all, (13, 1));
    snapshot.watch.finished_at = Some(at(3400));
    assert_eq!(figures::splits(&snapshot).len(), 10);
    assert_eq!(figures::stops(&snapshot), []);
}
