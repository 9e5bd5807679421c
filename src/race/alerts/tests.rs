use super::*;
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::course::Course;
use crate::race::ending::EndRules;
use crate::race::plan::Checkpoint;
use crate::race::plan::RacePlan;
use crate::race::schedule::{PollResult, RaceWatch};
use crate::race::sport::RaceKind;
use crate::race::support::{at, running, steady};
use crate::race::thresholds::Thresholds;
use crate::race::track::Track;
use crate::race::track::TrackSample;

mod place_rules;

/// Replays samples in the order in which they were seen, polling once a minute. Returns the alerts and their minutes.
fn play(
    settings: &RacePlan,
    course: Option<&Course>,
    samples: &[TrackSample],
    to_min: i64,
) -> Vec<(AlertKind, i64, String)> {
    let mut watch = RaceWatch::new(at(0));
    let mut told = AlertState::default();
    let mut known = 0;
    let mut all = Vec::new();
    for minute in 0..=to_min {
        let now = at(minute * 60);
        let mut seen: Vec<_> = samples
            .iter()
            .filter(|sample| sample.seen_at <= now)
            .cloned()
            .collect();
        seen.sort_by_key(|sample| sample.point.at);
        let track = Track::of(settings.kind, course, &seen);
        let session = LiveTrackSession {
            start: Some(at(-60)),
            end: Some(at(86_340)),
            post_frequency_s: Some(15),
            ..LiveTrackSession::default()
        };
        watch.answered(
            now,
            PollResult {
                session: Some(session),
                new_points: seen.len() - known,
                changed: false,
            },
        );
        known = seen.len();
        watch.conclude(now, EndRules::default(), settings, &track, course);
        let situation = Situation {
            now,
            track: &track,
            watch: &watch,
            settings,
            course,
        };
        // The alert state survives a restart at any moment.
        let kept = serde_json::to_string(&told).unwrap();
        told = serde_json::from_str(&kept).unwrap();
        let alerts = judge(&mut told, &situation);
        all.extend(alerts.into_iter().map(|alert| (alert.kind, minute, alert.text)));
        assert_eq!(judge(&mut told, &situation), [], "told twice at {minute}");
    }
    all
}

/// The alerts of a race that the gateway first sees at this minute, with the minutes of their events.
fn joined_late(settings: &RacePlan, samples: &[TrackSample], minute: i64) -> Vec<(AlertKind, i64)> {
    let now = at(minute * 60);
    let track = Track::of(settings.kind, None, samples);
    let mut watch = RaceWatch::new(now);
    watch.last_ok_at = Some(now);
    watch.phase = RacePhase::Live;
    let situation = Situation {
        now,
        track: &track,
        watch: &watch,
        settings,
        course: None,
    };
    let alerts = judge(&mut AlertState::default(), &situation);
    assert!(alerts.iter().all(|alert| alert.at == now));
    let minute_of = |alert: &Alert| alert.of_event().duration_since(at(0)).as_mins();
    alerts
        .iter()
        .map(|alert| (alert.kind, minute_of(alert)))
        .collect()
}

#[test]
fn an_event_keeps_its_own_time() {
    let settings = RacePlan {
        checkpoints: vec![Checkpoint {
            name: "VP1".into(),
            km: 3.0,
            ..Checkpoint::default()
        }],
        ..run()
    };
    // 3 m/s: 3 km after 1000 s, 10 km after 3333 s.
    let told = joined_late(&settings, &steady(3600, 3.0), 60);
    assert_eq!(told, [(Started, 0), (Split, 55), (Checkpoint, 16)]);
}

fn check(told: &[(AlertKind, i64, String)], expected: &[(AlertKind, i64)]) {
    let is: Vec<_> = told.iter().map(|(kind, minute, _)| (*kind, *minute)).collect();
    assert_eq!(is, expected, "{told:#?}");
}

fn run() -> RacePlan {
    RacePlan {
        kind: RaceKind::Run,
        ..RacePlan::default()
    }
}

fn with(thresholds: Thresholds) -> RacePlan {
    RacePlan { thresholds, ..run() }
}

use AlertKind::*;

const NONE: [i64; 0] = [];

#[test]
fn a_quiet_race_tells_only_its_marks() {
    // 3.4 m/s: 5 km after 1471 s, 10 km after 2942 s. Silent from 3600 s on.
    let told = play(&run(), None, &steady(3600, 3.4), 90);
    check(
        &told,
        &[
            (Started, 1),
            (Split, 25),
            (Split, 50),
            (NoSignal, 70),
            (ProbablyFinished, 77),
        ],
    );
    assert_eq!(
        told[2].2,
        "10 km run after 49:01, last 5 km 24:31 (4:54 /km), heart rate 145 bpm."
    );
}

#[test]
fn a_tunnel_is_no_stop() {
    let mut samples = steady(7200, 3.0);
    // No data between 1800 and 3100 s; all of it arrives at 3130 s.
    for sample in &mut samples {
        let second = sample.point.at.duration_since(at(0)).as_secs();
        if (1801..3100).contains(&second) {
            (sample.seen_at, sample.point.reported_at) = (at(3130), Some(at(3130)));
        }
    }
    let told = play(&run(), None, &samples, 110);
    check(
        &told,
        &[
            (Started, 1),
            (Split, 29),
            (NoSignal, 40),
            (ProbablyFinished, 47),
            (SignalBack, 52),
            (Split, 56),
            (Split, 84),
        ],
    );
    assert!(
        told[4]
            .2
            .contains("Signal is back after 21 min: now at 9.3 km, 3.9 km covered"),
        "{}",
        told[4].2
    );
}

#[test]
fn standing_is_told_with_its_place_and_not_as_silence() {
    let stop = |from_s: i64, for_s: i64| {
        let mut samples = steady(from_s, 3.0);
        let there_m = from_s as f64 * 3.0;
        samples.extend((1..=for_s / 10).map(|i| running(from_s + i * 10, there_m)));
        samples.extend((1..=120).map(|i| running(from_s + for_s + i * 10, there_m + (i * 30) as f64)));
        samples
    };
    let stops = |settings: &RacePlan, samples: &[TrackSample], to_min: i64| -> Vec<i64> {
        let told = play(settings, None, samples, to_min);
        assert!(told.iter().all(|(kind, ..)| *kind != NoSignal), "{told:#?}");
        let stops = told.iter().filter(|(kind, ..)| *kind == Stopped);
        stops.map(|(_, minute, _)| *minute).collect()
    };
    // Near the start there is no alert. A short stop raises none, a long stop raises one, and a very long stop a
    // second.
    assert_eq!(stops(&run(), &stop(30, 600), 25), NONE);
    assert_eq!(stops(&run(), &stop(1200, 200), 40), NONE);
    assert_eq!(stops(&run(), &stop(1200, 1500), 60), [25, 41]);
    let told = play(&run(), None, &stop(1200, 1500), 30);
    assert!(
        told[1].2.starts_with("Standing still for 4 min at 3.6 km"),
        "{}",
        told[1].2
    );
    // At an aid station the limit is longer.
    let at_aid_station = RacePlan {
        checkpoints: vec![Checkpoint {
            name: "VP1".into(),
            km: 3.5,
            ..Checkpoint::default()
        }],
        ..run()
    };
    assert_eq!(stops(&at_aid_station, &stop(1200, 540), 40), NONE);
    assert_eq!(stops(&at_aid_station, &stop(1200, 700), 40), [31]);
}

#[test]
fn limits_are_told_once_and_again_when_worse() {
    let heart = |bpm: fn(i64) -> u32| {
        let mut samples = steady(4200, 2.0);
        for sample in &mut samples {
            let second = sample.point.at.duration_since(at(0)).as_secs();
            sample.point.heart_rate_bpm = Some(bpm(second));
        }
        samples
    };
    let ceiling = with(Thresholds {
        run_hr_max: Some(150),
        ..Thresholds::default()
    });
    let over = |bpm: fn(i64) -> u32| -> Vec<i64> {
        let told = play(&ceiling, None, &heart(bpm), 70);
        let over = told.iter().filter(|(kind, ..)| *kind == HrOver);
        over.map(|(_, minute, _)| *minute).collect()
    };
    assert_eq!(over(|_| 150), NONE);
    // No alert while warming up.
    assert_eq!(over(|s| if s < 590 { 170 } else { 140 }), NONE);
    assert_eq!(over(|_| 155), [15]);
    // A spike of one minute; a hill of two and a half.
    assert_eq!(over(|s| if (1800..1860).contains(&s) { 190 } else { 140 }), NONE);
    assert_eq!(over(|s| if (1800..1950).contains(&s) { 190 } else { 140 }), NONE);
    assert_eq!(over(|s| if s < 1800 { 140 } else { 155 }), [33]);
    // A value that flutters around the limit.
    assert_eq!(over(|s| if s / 600 % 2 == 1 { 151 } else { 149 }), [15]);
    // Worse later; then back within the limit, and over it again.
    assert_eq!(over(|s| if s < 2400 { 155 } else { 165 }), [15, 43]);
    assert_eq!(
        over(|s| if (1200..2400).contains(&s) { 140 } else { 155 }),
        [15, 43]
    );
}

#[test]
fn floors_wait_for_the_warm_up_and_forgive_standing() {
    let floors = with(Thresholds {
        run_hr_min: Some(150),
        run_cadence_min: Some(175),
        power_min: Some(200),
        ..Thresholds::default()
    });
    let told = play(&floors, None, &steady(1800, 2.0), 30);
    // 145 bpm and 170 steps/min; without power data there is no alert about power.
    check(&told, &[(Started, 1), (CadenceUnder, 11), (HrUnder, 15)]);
    assert_eq!(
        told[1].2,
        "Cadence 170 per minute over the last 5 min is under the limit of 175 on the run, at 1.3 km."
    );
    // Too much standing in every window that is judged.
    let mut standing = steady(300, 2.0);
    standing.extend((1..=60).map(|i| running(300 + i * 10, 600.0 + (i / 15 * 30) as f64)));
    check(&play(&floors, None, &standing, 14)[1..], &[]);
}

#[test]
fn the_plan_is_held_against_the_way() {
    // Planned: 10 km in 50:00, 3.33 m/s.
    let plan = RacePlan {
        distance_m: Some(10_000.0),
        target_time_s: Some(3000),
        ..run()
    };
    let off = |mps: f64| -> Vec<String> {
        let mut samples = steady(3600, mps);
        samples.retain(|sample| sample.point.total_distance_m <= Some(10_000.0));
        let told = play(&plan, None, &samples, 65);
        let off = told.into_iter().filter(|(kind, ..)| *kind == OffPace);
        off.map(|(_, minute, text)| format!("{minute}: {text}")).collect()
    };
    assert_eq!(off(3.33), Vec::<String>::new());
    // Behind by a tenth: reported after three checks, and again when the deviation has doubled.
    let behind = off(3.0);
    assert!(behind[0].starts_with("31: 3:04"), "{behind:#?}");
    assert!(behind[0].contains("behind the plan at 5.5 km"), "{behind:#?}");
    assert_eq!(behind.len(), 2, "{behind:#?}");
    assert!(off(3.7)[0].contains("ahead of the plan"));
}

#[test]
fn the_finish_of_a_course_is_told_at_once() {
    let places: Vec<_> = (0..=100)
        .filter_map(|i| running(0, f64::from(i) * 54.0).point.position)
        .collect();
    let course = Course::from_places(&places).unwrap();
    let told = play(&run(), Some(&course), &steady(1800, 3.0), 60);
    check(&told, &[(Started, 1), (Split, 29), (Finished, 31)]);
    assert_eq!(told[2].2, "Finished: 5.4 km in 30:00 (5:33 /km).");
}

#[test]
fn the_end_is_told_once_even_when_it_was_none_before() {
    let mut samples = steady(2400, 3.0);
    samples[120].point.events = vec!["END".into()];
    let last = samples.len() - 1;
    samples[last].point.events = vec!["END".into()];
    let told = play(&run(), None, &samples, 60);
    // The race continued after the first END before anybody polled.
    check(&told[..], &[(Started, 1), (Split, 29), (Finished, 41)]);
}

#[test]
fn another_sport_is_told_with_the_time_of_the_last() {
    let mut samples = Vec::new();
    for (i, sample) in steady(3600, 3.0).into_iter().enumerate() {
        let mut sample = sample;
        sample.point.activity_type = Some(if i < 120 { "SWIMMING" } else { "CYCLING" }.into());
        samples.push(sample);
    }
    let triathlon = RacePlan {
        kind: RaceKind::Triathlon,
        ..RacePlan::default()
    };
    let told = play(&triathlon, None, &samples, 60);
    check(&told, &[(Started, 1), (LegChange, 21)]);
    assert_eq!(
        told[1].2,
        "Swim done: 3.6 km in 20:00. The bike began after 20:00."
    );
}

#[test]
fn a_changed_interface_is_told_rarely() {
    let mut watch = RaceWatch::new(at(0));
    let mut told = AlertState::default();
    let settings = run();
    let track = Track::new(RaceKind::Run);
    let mut times = 0;
    for minute in 0..700 {
        let changed = PollResult {
            changed: minute > 10,
            ..PollResult::default()
        };
        watch.answered(at(minute * 60), changed);
        let situation = Situation {
            now: at(minute * 60),
            track: &track,
            watch: &watch,
            settings: &settings,
            course: None,
        };
        times += judge(&mut told, &situation).len();
    }
    assert_eq!(times, 2);
}

#[test]
fn checkpoints_are_held_against_their_times() {
    let settings = RacePlan {
        checkpoints: vec![
            Checkpoint {
                name: "VP1".into(),
                km: 2.0,
                cutoff_s: Some(1200),
                target_s: Some(600),
                stop_s: None,
            },
            Checkpoint {
                name: "VP2".into(),
                km: 3.0,
                cutoff_s: Some(900),
                ..Checkpoint::default()
            },
        ],
        ..run()
    };
    let told = play(&settings, None, &steady(1100, 3.0), 18);
    check(
        &told[1..],
        &[(Checkpoint, 12), (CutoffMissed, 16), (Checkpoint, 17)],
    );
    assert_eq!(
        told[1].2,
        "Passed VP1 (2 km) after 11:07, 1:07 after the planned time, 8:53 before the cut-off."
    );
    assert_eq!(
        told[3].2,
        "Passed VP2 (3 km) after 16:40, 1:40 after the cut-off."
    );
}
