use crate::garmin::livetrack::Position;
use crate::race::course::Course;
use crate::race::sport::RaceKind;
use crate::race::support::running;
use crate::race::track::{CourseUnfit, Track, TrackSample};

const MPS: f64 = 3.0;

fn place(x: f64, y: f64) -> Position {
    Position {
        lat: 46.62 + y / 111_200.0,
        lon: 14.3 + x / 76_370.0,
    }
}

/// Positions on a line with these corners in metres, every 30 m.
fn line(corners: &[(f64, f64)]) -> Vec<Position> {
    let mut places = Vec::new();
    for two in corners.windows(2) {
        let ((ax, ay), (bx, by)) = (two[0], two[1]);
        let length_m = (bx - ax).hypot(by - ay);
        let steps = (0_u32..).map(|i| f64::from(i) * 30.0 / length_m.max(1.0));
        for part in steps.take_while(|part| *part < 1.0) {
            places.push(place((bx - ax).mul_add(part, ax), (by - ay).mul_add(part, ay)));
        }
    }
    let &(x, y) = corners.last().unwrap();
    places.push(place(x, y));
    places
}

fn course(corners: &[(f64, f64)]) -> Course {
    Course::from_places(&line(corners)).unwrap()
}

fn samples(corners: &[(f64, f64)]) -> Vec<TrackSample> {
    let places = (0_i32..).zip(line(corners));
    places
        .map(|(i, position)| {
            let mut sample = running(i64::from(i) * 10, f64::from(i) * 10.0 * MPS);
            sample.point.position = Some(position);
            sample
        })
        .collect()
}

/// The track, and the progress in kilometres after each sample.
fn run(course: &Course, samples: &[TrackSample]) -> (Track, Vec<f64>) {
    let mut track = Track::new(RaceKind::Run);
    let progress = samples.iter().map(|sample| {
        track.push(Some(course), sample);
        track.progress_m() / 1000.0
    });
    let progress = progress.collect();
    (track, progress)
}

/// 30 km east and back on a road 600 m to the north.
const OUT_AND_BACK: [(f64, f64); 4] = [(0.0, 0.0), (30e3, 0.0), (30e3, 600.0), (0.0, 600.0)];

#[track_caller]
fn about(km: f64, expected: f64) {
    assert!((km - expected).abs() < 0.3, "{km} instead of {expected}");
}

#[test]
fn a_wrong_turn_to_a_later_part_is_no_progress() {
    let course = course(&OUT_AND_BACK);
    let turn = [(0.0, 0.0), (10e3, 0.0), (10e3, 600.0), (10e3, 0.0), (20e3, 0.0)];
    let (track, progress) = run(&course, &samples(&turn));
    for (i, km) in progress.iter().enumerate() {
        assert!(*km <= (i as f64 * 10.0 * MPS) / 1000.0 + 0.3, "{km} at {i}");
    }
    about(*progress.last().unwrap(), 20.0);
    assert_eq!(track.course_unfit, None);
}

#[test]
fn a_place_that_holds_is_believed_and_a_wrong_one_corrected() {
    let course = course(&OUT_AND_BACK);
    // Five kilometres on the way back, as if the athlete had cut the course, and then on the way out again.
    let cut = [(0.0, 0.0), (12e3, 0.0), (12e3, 600.0), (7e3, 600.0)];
    let (track, _) = run(&course, &samples(&cut));
    about(track.progress_m() / 1000.0, 53.6);
    let mut all = cut.to_vec();
    all.extend([(7e3, 0.0), (12e3, 0.0)]);
    let (track, progress) = run(&course, &samples(&all));
    about(*progress.last().unwrap(), 12.0);
    assert!(track.crossing(40e3).is_none() && track.crossing(8e3).is_some());
}

/// The finish of a loop lies beside its start.
const LOOP: [(f64, f64); 5] = [(0.0, 0.0), (14e3, 0.0), (14e3, 7e3), (0.0, 7e3), (0.0, 60.0)];

#[test]
fn a_loop_does_not_begin_at_its_end() {
    let (track, progress) = run(&course(&LOOP), &samples(&LOOP));
    for (i, km) in progress.iter().enumerate() {
        about(*km, (i as f64 * 10.0 * MPS) / 1000.0);
    }
    assert_eq!(track.course_unfit, None);
}

#[test]
fn a_reversed_course_tells_nothing() {
    for corners in [&LOOP[..], &[(0.0, 0.0), (20e3, 0.0)][..]] {
        let back: Vec<_> = corners.iter().rev().copied().collect();
        let (track, progress) = run(&course(corners), &samples(&back));
        for (i, km) in progress.iter().enumerate() {
            assert!(*km <= (i as f64 * 10.0 * MPS) / 1000.0 + 0.3, "{km} at {i}");
        }
        assert_eq!(track.course_unfit, Some(CourseUnfit::Reversed));
        about(track.progress_m(), track.distance_m());
        let crossing = track.crossing(9e3).unwrap();
        about(
            crossing
                .at
                .duration_since(track.started_at.unwrap())
                .as_secs_f64(),
            3000.0,
        );
    }
}

#[test]
fn another_course_tells_nothing() {
    // One begins elsewhere, one at the same place.
    for corners in [[(0.0, 90e3), (20e3, 90e3)], [(0.0, 0.0), (0.0, 20e3)]] {
        let (track, _) = run(&course(&corners), &samples(&[(0.0, 0.0), (12e3, 0.0)]));
        assert_eq!(track.course_unfit, Some(CourseUnfit::Elsewhere));
        assert_eq!((track.course_m, track.progress_m()), (None, track.distance_m()));
    }
}

#[test]
fn the_counter_tells_where_a_gap_led() {
    let course = course(&OUT_AND_BACK);
    let mut all = samples(&OUT_AND_BACK);
    // Nothing between km 5 and km 45.
    all.retain(|sample| !(5e3..45e3).contains(&sample.point.total_distance_m.unwrap()));
    let (_, progress) = run(&course, &all);
    about(progress[170], 45.1);
    about(*progress.last().unwrap(), 60.6);
    // A phone without a counter that was silent on the first 20 km of the way back.
    let mut all = samples(&OUT_AND_BACK);
    all.retain(|sample| !(35e3..50e3).contains(&sample.point.total_distance_m.unwrap()));
    for sample in &mut all {
        (sample.point.total_distance_m, sample.point.distance_m) = (None, None);
    }
    let (_, progress) = run(&course, &all);
    about(*progress.last().unwrap(), 60.6);
}
