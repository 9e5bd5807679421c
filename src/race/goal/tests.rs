use super::*;
use crate::race::sport::RaceKind;
use crate::race::support::running;
use crate::race::track::TrackSample;

const WHOLE_M: f64 = 21_097.5;

/// A straight course, which begins `north_m` to the north of the athlete's road.
fn course(length_m: f64, north_m: f64) -> Course {
    let places: Vec<_> = (0..=200)
        .filter_map(|i| running(0, length_m * f64::from(i) / 200.0).point.position)
        .map(|mut position| {
            position.lat += north_m / 111_200.0;
            position
        })
        .collect();
    Course::from_places(&places).unwrap()
}

/// A half marathon at 3.5 m/s, and walking on at 1.2 m/s to the north from the line.
fn watched(to_s: i64) -> Vec<TrackSample> {
    let line_s = WHOLE_M / 3.5;
    let sample = |s: i64| {
        let after_m = (s as f64 - line_s).max(0.0) * 1.2;
        let way_m = (s as f64 * 3.5).min(WHOLE_M);
        let mut sample = running(s, way_m);
        let north = sample.point.position.as_mut().unwrap();
        north.lat += after_m / 111_200.0;
        sample.point.total_distance_m = Some(way_m + after_m);
        sample
    };
    (0..=to_s / 10).map(|i| sample(i * 10)).collect()
}

fn reached(samples: &[TrackSample], course: Option<&Course>, plan: &RacePlan) -> (bool, Option<f64>) {
    let track = Track::of(RaceKind::Run, course, samples);
    let track = &track;
    let goal = RaceGoal { track, plan, course };
    let start = track.started_at.unwrap();
    let is_reached = goal.is_reached(SignedDuration::ZERO);
    let finish = goal.finish().filter(|_| is_reached);
    (
        is_reached,
        finish.map(|finish| finish.at.duration_since(start).as_secs_f64()),
    )
}

#[test]
fn a_line_that_was_crossed_unseen_is_a_finish() {
    let (plan, course) = (RacePlan::default(), course(WHOLE_M, 0.0));
    let line_s = WHOLE_M / 3.5;
    let mut samples = watched(6390);
    // Nothing from 4 minutes before the line to 5 minutes after it.
    samples.retain(|sample| {
        let ran_s = sample.point.total_duration_s.unwrap();
        !(line_s - 240.0..line_s + 330.0).contains(&ran_s)
    });
    let at_s = reached(&samples, Some(&course), &plan).1.unwrap();
    assert!((at_s - line_s).abs() < 30.0, "{at_s}");
    // Seen at the line, and far from it since.
    let at_s = reached(&watched(6390), Some(&course), &plan).1.unwrap();
    assert!((at_s - line_s).abs() < 5.0, "{at_s}");
    // The watch was seen only after the line.
    samples.retain(|sample| sample.point.total_distance_m.unwrap() > WHOLE_M);
    samples.extend(watched(6700).into_iter().skip(640));
    assert!(reached(&samples, Some(&course), &plan).0);
    assert!(!reached(&watched(5900), Some(&course), &plan).0);
}

#[test]
fn a_gap_on_the_way_is_no_finish() {
    let (plan, course) = (RacePlan::default(), course(WHOLE_M, 0.0));
    let mut samples = watched(5600);
    samples.retain(|sample| !(3000.0..4800.0).contains(&sample.point.total_duration_s.unwrap()));
    assert!(!reached(&samples, Some(&course), &plan).0);
}

#[test]
fn a_course_elsewhere_is_never_finished() {
    let far = course(4900.0, 190_000.0);
    for until_s in [600, 1500, 3000] {
        let is_reached = reached(&watched(until_s), Some(&far), &RacePlan::default()).0;
        assert!(!is_reached, "{until_s}");
    }
}
