#![expect(clippy::float_cmp, reason = "sums of whole numbers are exact")]

use proptest::prelude::*;

use super::*;
use crate::garmin::livetrack::Position;
use crate::race::support::{at, running, start, steady};

fn track(kind: RaceKind, samples: &[TrackSample]) -> Track {
    Track::of(kind, None, samples)
}

#[test]
fn a_steady_run_has_even_splits() {
    let track = track(RaceKind::Run, &steady(3600, 3.0));
    assert_eq!(track.distance_m().round(), 10_800.0);
    assert_eq!(track.elapsed_s(), 3600.0);
    assert_eq!(track.started_at, Some(start()));
    assert_eq!(track.splits.len(), 10);
    for split in &track.splits {
        assert!((split.duration_s - 333.333).abs() < 0.01, "{split:?}");
        assert!(!split.estimated && split.heart_rate_bpm == Some(145.0));
    }
    assert_eq!(track.legs.len(), 1);
    let leg = &track.legs[0];
    assert_eq!((leg.kind, leg.sums.moving_s), (Some(LegKind::Run), 3600.0));
    assert_eq!(leg.sums.seconds_at_bpm[145], 3600.0);
    assert!(track.gaps.is_empty() && track.stops().is_empty());
    assert_eq!(track.clock_ahead(), SignedDuration::ZERO);
}

#[test]
fn a_gap_is_no_stop_and_a_stop_is_no_gap() {
    // Ten minutes of running, five of standing, five of running, then seven without data at the same pace.
    let mut samples = steady(600, 3.0);
    samples.extend((1..=30).map(|i| running(600 + i * 10, 1800.0 + (i % 2) as f64)));
    samples.extend((1..=30).map(|i| running(900 + i * 10, 1800.0 + (i * 30) as f64)));
    samples.extend((0..=30).map(|i| running(1620 + i * 10, 3960.0 + (i * 30) as f64)));
    let track = track(RaceKind::Run, &samples);
    let [stop] = track.stops() else {
        panic!("{:?}", track.stops())
    };
    assert_eq!((stop.from, stop.duration_s()), (at(600), 300.0));
    assert_eq!(stop.at_m.round(), 1800.0);
    let [gap] = track.gaps.as_slice() else {
        panic!("{:?}", track.gaps)
    };
    assert_eq!((gap.from, gap.to, gap.distance_m), (at(1200), at(1620), 1260.0));
    let estimated: Vec<_> = track.splits.iter().map(|split| split.estimated).collect();
    assert_eq!(estimated, [false, false, true, true]);
    assert_eq!(track.legs[0].sums.standing_s, 300.0);
}

#[test]
fn late_points_make_the_track_that_would_have_been() {
    let all = steady(1800, 3.0);
    let (gap, rest): (Vec<_>, Vec<_>) = all
        .iter()
        .cloned()
        .partition(|sample| sample.point.at > at(600) && sample.point.at < at(1200));
    assert_eq!(track(RaceKind::Run, &rest).gaps.len(), 1);
    let mut merged = rest;
    merged.extend(gap);
    merged.sort_by_key(|sample| sample.point.at);
    assert_eq!(
        track(RaceKind::Run, &merged).splits,
        track(RaceKind::Run, &all).splits
    );
    let mut out_of_order = track(RaceKind::Run, &all);
    assert_eq!(out_of_order.push(None, &running(900, 9e5)), None);
}

#[test]
fn the_way_to_the_start_does_not_count() {
    let mut samples: Vec<_> = (0..60).map(|i| running(i * 10 - 1000, i as f64 * 12.0)).collect();
    for sample in &mut samples {
        let point = Trackpoint {
            position: sample.point.position,
            ..Trackpoint::at(sample.point.at)
        };
        sample.point = point;
    }
    let waiting = track(RaceKind::Run, &samples);
    assert_eq!((waiting.started_at, waiting.legs.len()), (None, 0));
    samples.extend(steady(600, 3.0));
    let run = track(RaceKind::Run, &samples);
    assert_eq!((run.started_at, run.distance_m()), (Some(start()), 1800.0));
    assert_eq!(run.splits.len(), 1);
    assert_eq!(run.first_at, Some(at(-1000)));
}

/// Swim, transition, ride, transition, run: seconds, speed in m/s, and the activity type of each.
const TRIATHLON: [(i64, f64, &str); 5] = [
    (1800, 0.9, "OPEN_WATER_SWIMMING"),
    (180, 1.5, "TRANSITION"),
    (3600, 8.5, "CYCLING"),
    (120, 1.4, "TRANSITION"),
    (2400, 3.0, "RUNNING"),
];

fn triathlon(change: impl Fn(usize, &mut Trackpoint)) -> Vec<TrackSample> {
    let mut samples = Vec::new();
    let (mut from_s, mut from_m) = (0, 0.0);
    for (leg, (seconds, mps, name)) in TRIATHLON.into_iter().enumerate() {
        for t in (10..=seconds).step_by(10) {
            let way_m = t as f64 * mps;
            let mut sample = running(from_s + t, from_m + way_m);
            (sample.point.distance_m, sample.point.duration_s) = (Some(way_m), Some(t as f64));
            sample.point.activity_type = Some(name.into());
            change(leg, &mut sample.point);
            samples.push(sample);
        }
        (from_s, from_m) = (from_s + seconds, from_m + seconds as f64 * mps);
    }
    samples
}

fn kinds(track: &Track) -> Vec<Option<LegKind>> {
    track.legs.iter().map(|leg| leg.kind).collect()
}

#[test]
fn the_legs_of_a_triathlon_are_told_apart() {
    use LegKind::{Ride, Run, Swim, Transition};
    let all = [Swim, Transition, Ride, Transition, Run].map(Some);
    let typed = track(RaceKind::Triathlon, &triathlon(|_, _| {}));
    assert_eq!(kinds(&typed), all);
    assert_eq!(kinds(&track(RaceKind::Other, &triathlon(|_, _| {}))), all);
    let no_types = triathlon(|_, point| point.activity_type = Some("OTHER".into()));
    let untyped = track(RaceKind::Triathlon, &no_types);
    assert_eq!(kinds(&untyped), all);
    for (typed, untyped) in typed.legs.iter().zip(&untyped.legs) {
        assert!(
            (typed.distance_m() - untyped.distance_m()).abs() < 100.0,
            "{typed:?} {untyped:?}"
        );
        assert!(
            (typed.elapsed_s() - untyped.elapsed_s()).abs() <= 20.0,
            "{typed:?} {untyped:?}"
        );
    }
    let no_counters = triathlon(|_, point| (point.distance_m, point.duration_s) = (None, None));
    assert_eq!(kinds(&track(RaceKind::Triathlon, &no_counters)), all);
    let nothing = triathlon(|_, point| {
        (point.distance_m, point.duration_s, point.activity_type) = (None, None, None);
    });
    assert_eq!(track(RaceKind::Triathlon, &nothing).legs.len(), 1);
    // In a run, other activity types begin no new leg.
    assert_eq!(kinds(&track(RaceKind::Run, &triathlon(|_, _| {}))), [Some(Run)]);
}

#[test]
fn a_triathlon_without_transitions_and_one_joined_on_the_bike() {
    use LegKind::{Ride, Run, Swim};
    let drop_transitions = |samples: Vec<TrackSample>| -> Vec<TrackSample> {
        samples
            .into_iter()
            .filter(|sample| sample.point.activity_type.as_deref() != Some("TRANSITION"))
            .collect()
    };
    let typed = drop_transitions(triathlon(|_, _| {}));
    assert_eq!(
        kinds(&track(RaceKind::Triathlon, &typed)),
        [Swim, Ride, Run].map(Some)
    );
    let mut untyped = typed.clone();
    for sample in &mut untyped {
        sample.point.activity_type = None;
    }
    assert_eq!(
        kinds(&track(RaceKind::Triathlon, &untyped)),
        [Swim, Ride, Run].map(Some)
    );
    let phone_in_the_bag: Vec<_> = typed
        .into_iter()
        .filter(|sample| sample.point.activity_type.as_deref() != Some("OPEN_WATER_SWIMMING"))
        .collect();
    let track = track(RaceKind::Triathlon, &phone_in_the_bag);
    assert_eq!(kinds(&track), [Swim, Ride, Run].map(Some));
    // Swim and transition were not seen. The watch's timer still gives the start.
    let unseen = &track.legs[0];
    assert!(unseen.unseen && !track.legs[1].unseen);
    assert_eq!((track.started_at, unseen.last_at), (Some(start()), at(1980)));
    assert_eq!(unseen.distance_m().round(), 1890.0);
    assert!((track.elapsed_s() - 8100.0).abs() < 1.0, "{}", track.elapsed_s());
}

#[test]
fn a_single_wrong_point_does_not_begin_a_leg() {
    let mut samples = triathlon(|_, _| {});
    samples[300].point.activity_type = Some("RUNNING".into());
    assert_eq!(track(RaceKind::Triathlon, &samples).legs.len(), 5);
}

#[test]
fn a_second_session_goes_on_where_the_first_ended() {
    let mut samples = steady(1800, 3.0);
    for sample in steady(1800, 3.0) {
        let mut later = running(0, 0.0);
        later.point = Trackpoint {
            at: sample.point.at + SignedDuration::from_secs(1900),
            reported_at: None,
            ..sample.point
        };
        samples.push(later);
    }
    for kind in [RaceKind::Run, RaceKind::Other] {
        let track = track(kind, &samples);
        assert!(
            (track.distance_m() - 10_800.0).abs() < 40.0,
            "{}",
            track.distance_m()
        );
        assert_eq!(track.legs.len(), 1, "{kind:?}");
    }
}

#[test]
fn an_end_is_taken_back_by_going_on() {
    let mut samples = steady(600, 3.0);
    samples[60].point.events = vec!["END".into()];
    assert_eq!(track(RaceKind::Run, &samples).ended_at(), Some(at(600)));
    samples.push(running(610, 1810.0));
    assert_eq!(track(RaceKind::Run, &samples).ended_at(), Some(at(600)));
    samples.push(running(660, 1960.0));
    assert_eq!(track(RaceKind::Run, &samples).ended_at(), None);
}

#[test]
fn a_wrong_clock_is_noticed_and_lateness_is_none() {
    let shifted = |hours: i64, reported: bool| {
        let mut samples = steady(600, 3.0);
        for sample in &mut samples {
            sample.point.at += SignedDuration::from_hours(hours);
            sample.point.reported_at = sample.point.reported_at.filter(|_| reported);
        }
        track(RaceKind::Run, &samples).clock_ahead().as_secs()
    };
    for (hours, reported, expected) in [
        (0, true, 0),
        (0, false, 0),
        (3, true, 3 * 3600 - 14),
        (3, false, 3 * 3600 - 15),
        (-2, true, -2 * 3600 - 14),
        // Without Garmin's time, points that are two hours old may only be late.
        (-2, false, 0),
    ] {
        assert_eq!(shifted(hours, reported), expected, "{hours} {reported}");
    }
}

#[test]
fn a_course_tells_the_progress() {
    let places: Vec<_> = (0..=100)
        .filter_map(|i| running(0, f64::from(i) * 100.0).point.position)
        .collect();
    let course = Course::from_places(&places).unwrap();
    let track = Track::of(RaceKind::Run, Some(&course), &steady(1800, 3.0));
    assert!(
        (track.course_m.unwrap() - 5400.0).abs() < 10.0,
        "{:?}",
        track.course_m
    );
    assert!(track.off_course_m.unwrap() < 1.0);
}

fn any_point() -> impl Strategy<Value = TrackSample> {
    let number = || {
        prop_oneof![
            Just(None),
            (0.0..1e7_f64).prop_map(Some),
            (0.0..5e3_f64).prop_map(Some)
        ]
    };
    let place = prop_oneof![
        Just(None),
        (-90.0..=90.0_f64, -180.0..=180.0_f64).prop_map(|(lat, lon)| Some(Position { lat, lon }))
    ];
    let kind = prop_oneof![
        Just(None),
        Just(Some("CYCLING")),
        Just(Some("RUNNING")),
        Just(Some("OTHER"))
    ];
    let body = (
        prop::option::of(1..=250_u32),
        prop::option::of(0..=300_u32),
        any::<bool>(),
    );
    (
        -5_000_000..5_000_000_i64,
        number(),
        number(),
        number(),
        place,
        kind,
        body,
    )
        .prop_map(|(ms, total, leg, timer, position, kind, (bpm, cadence, end))| {
            let mut point = Trackpoint::at(start() + SignedDuration::from_millis(ms));
            (point.total_distance_m, point.distance_m, point.duration_s) = (total, leg, timer);
            (point.position, point.speed_mps) = (position, timer.map(|s| s % 60.0));
            (point.heart_rate_bpm, point.cadence_rpm) = (bpm, cadence);
            (point.altitude_m, point.activity_type) = (total.map(|m| m % 9000.0), kind.map(str::to_owned));
            point.events = if end { vec!["END".into()] } else { vec![] };
            TrackSample {
                point,
                seen_at: at(0),
            }
        })
}

proptest! {
    #[test]
    fn whatever_comes_the_track_stays_sound(
        mut samples in prop::collection::vec(any_point(), 0..60),
        kind in prop::sample::select(vec![RaceKind::Run, RaceKind::Triathlon, RaceKind::Other, RaceKind::Duathlon]),
    ) {
        samples.sort_by_key(|sample| sample.point.at);
        let mut track = Track::new(kind);
        let mut before = 0.0;
        let mut counted = false;
        for sample in &samples {
            let starts = !counted && sample.point.total_distance_m.or(sample.point.distance_m).is_some();
            counted |= starts;
            let Some(step) = track.push(None, sample) else { continue };
            prop_assert!(step.distance_m.is_finite());
            // Distance may decrease only when the watch starts to count.
            prop_assert!(starts || step.distance_m >= before);
            prop_assert!(step.speed_mps.is_none_or(|mps| mps.is_finite() && mps >= 0.0));
            before = step.distance_m;
        }
        prop_assert!(track.elapsed_s() >= 0.0 && track.ascent_m >= 0.0);
        prop_assert!(track.splits.windows(2).all(|two| two[0].at <= two[1].at || two[0].leg != two[1].leg));
        prop_assert!(track.splits.iter().all(|split| split.duration_s.is_finite()));
        prop_assert!(track.legs.iter().all(|leg| leg.elapsed_s() >= 0.0 && leg.distance_m() >= 0.0));
        prop_assert!(track.stops().iter().all(|stop| stop.duration_s() >= SHORTEST_STOP_S));
    }
}

/// An hour of running plus one stray point, `at_s` after the start by device time and first seen after half an hour.
fn with_a_stray(at_s: i64) -> Track {
    let mut samples = steady(3600, 3.0);
    let mut stray = running(1805, 5415.0);
    stray.point.at = at(at_s);
    samples.push(stray);
    samples.sort_by_key(|sample| sample.point.at);
    Track::of(RaceKind::Run, None, &samples)
}

#[test]
fn a_stray_point_from_the_future_or_the_past_never_moves_the_race() {
    let plain = Track::of(RaceKind::Run, None, &steady(3600, 3.0));
    for at_s in [3 * 86_400, 12 * 3600, -3 * 86_400, -7 * 3600] {
        let track = with_a_stray(at_s);
        assert_eq!(track.last, plain.last, "{at_s}");
        assert_eq!(track.started_at, plain.started_at, "{at_s}");
        assert_eq!(track.clock_ahead(), plain.clock_ahead(), "{at_s}");
        assert_eq!(
            (track.elapsed_s(), track.points),
            (plain.elapsed_s(), plain.points),
            "{at_s}"
        );
    }
}

/// A stray point between two neighbours, far away by position or by the counter, or both.
#[test]
fn a_stray_point_in_the_middle_of_the_race_never_moves_it() {
    let place = |lat: f64| Some(Position { lat, lon: 8.0 });
    let mut samples = steady(3600, 3.0);
    for (n, sample) in samples.iter_mut().enumerate() {
        sample.point.position = place(n as f64 * 0.000_27 + 47.0);
    }
    let plain = track(RaceKind::Run, &samples);
    for (position, total_distance_m) in [
        (place(48.0), Some(5415.0)),
        (place(47.1), Some(95_415.0)),
        (None, Some(25_415.0)),
        (Some(Position { lat: 0.0, lon: 0.0 }), None),
    ] {
        for at_s in [5, 1805, 3595] {
            let mut stray = running(at_s, 3.0 * at_s as f64);
            stray.point.position = position;
            stray.point.total_distance_m = total_distance_m;
            stray.point.distance_m = total_distance_m;
            let mut samples = samples.clone();
            samples.push(stray);
            samples.sort_by_key(|sample| sample.point.at);
            let track = track(RaceKind::Run, &samples);
            assert_eq!(track.last, plain.last, "{position:?} {at_s}");
            assert_eq!(track.points, plain.points, "{position:?} {at_s}");
            assert_eq!(track.splits.len(), plain.splits.len(), "{position:?} {at_s}");
        }
    }
}

/// A phone that woke up with an old position reports the right one from then on.
#[test]
fn a_wrong_place_at_the_start_is_forgotten_at_the_third_right_point() {
    let mut samples = steady(600, 3.0);
    for (n, sample) in samples.iter_mut().enumerate() {
        let point = &mut sample.point;
        (point.total_distance_m, point.distance_m) = (None, None);
        let lat = if n == 0 { 40.0 } else { 47.0 };
        point.position = Some(Position { lat, lon: 8.0 });
    }
    let track = track(RaceKind::Run, &samples);
    assert_eq!(track.points, samples.len() - 1);
    assert!(track.distance_m() < 3000.0, "{}", track.distance_m());
}

#[test]
fn a_race_that_goes_on_after_a_long_silence_is_believed_at_its_third_point() {
    let mut samples = steady(3600, 3.0);
    for i in 0..3 {
        samples.push(running(40_000 + i * 10, 11_000.0 + i as f64 * 30.0));
        let track = Track::of(RaceKind::Run, None, &samples);
        let newest = if i < 2 { 3600 } else { 40_020 };
        assert_eq!(track.last.unwrap().at, at(newest), "{i}");
    }
}
