//! The messages of `tests/scenarios/claims*.json` against four races.

use jiff::SignedDuration;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::alerts::{Alert, AlertKind, Severity};
use crate::race::plan::{Checkpoint, RacePlan};
use crate::race::schedule::{RacePhase, RaceWatch};
use crate::race::sport::RaceKind;
use crate::race::support::{at, hour, running};
use crate::race::thresholds::Thresholds;
use crate::race::track::{Track, TrackSample};

/// A stretch at one speed: sport, seconds, metres, heart rate, cadence as sent, power.
type Stretch = (&'static str, i64, f64, Option<u32>, Option<u32>, Option<u32>);

fn samples(stretches: &[Stretch], every_s: i64) -> Vec<TrackSample> {
    let (mut from_s, mut from_m) = (0_i64, 0.0);
    let mut samples = Vec::new();
    for (sport, seconds, metres, heart_rate, cadence, power) in stretches {
        let (first, last) = (from_s, from_s + seconds);
        let mut at_s = (first + every_s - 1) / every_s * every_s;
        while at_s < last {
            let way_m = from_m + metres * (at_s - first) as f64 / *seconds as f64;
            let mut sample = running(at_s, way_m);
            sample.point.activity_type = Some((*sport).to_owned());
            sample.point.heart_rate_bpm = *heart_rate;
            sample.point.cadence_rpm = *cadence;
            sample.point.power_w = *power;
            sample.point.altitude_m = Some(500.0 + way_m * 0.02);
            samples.push(sample);
            at_s += every_s;
        }
        (from_s, from_m) = (last, from_m + metres);
    }
    let mut end = running(from_s, from_m);
    if let Some(last) = samples.last() {
        end.point = crate::garmin::livetrack::Trackpoint {
            at: end.point.at,
            reported_at: end.point.reported_at,
            position: end.point.position,
            total_distance_m: end.point.total_distance_m,
            distance_m: end.point.distance_m,
            total_duration_s: end.point.total_duration_s,
            duration_s: end.point.duration_s,
            ..last.point.clone()
        };
    }
    samples.push(end);
    samples
}

fn checkpoint(name: &str, km: f64, cutoff_s: Option<u32>) -> Checkpoint {
    let fields = serde_json::json!({"name": name, "km": km, "cutoff_s": cutoff_s});
    serde_json::from_value(fields).unwrap()
}

fn alert(text: &str, at_s: i64) -> Alert {
    Alert {
        kind: AlertKind::Split,
        severity: Severity::Info,
        key: text.into(),
        text: text.into(),
        translations: Vec::new(),
        happened_at: None,
        at: at(at_s),
    }
}

/// A race `delay_s` after its last point.
fn race(
    athlete: &str,
    samples: &[TrackSample],
    settings: RacePlan,
    alerts: Vec<Alert>,
    delay_s: i64,
) -> RaceFacts {
    let track = Track::of(settings.kind, None, samples);
    let now = track.last.unwrap().at + SignedDuration::from_secs(delay_s);
    let mut watch = RaceWatch::new(at(0));
    watch.phase = RacePhase::Live;
    watch.last_ok_at = Some(now);
    watch.last_new_at = Some(track.last.unwrap().at + SignedDuration::from_secs(15));
    watch.session = Some(LiveTrackSession {
        athlete: Some(athlete.into()),
        ..LiveTrackSession::default()
    });
    let window: Vec<_> = track
        .recent
        .iter()
        .filter(|step| step.at >= now - SignedDuration::from_mins(11))
        .copied()
        .collect();
    let (snapshot, _) = hour();
    let snapshot = Snapshot {
        now,
        settings,
        watch,
        track,
        alerts,
        ..snapshot
    };
    facts(&snapshot, &window, None)
}

/// 10.8 of 21.1 km in 59:23.
fn run() -> RaceFacts {
    let km = |seconds, bpm| ("RUNNING", seconds, 1000.0, Some(bpm), Some(85), None);
    let mut stretches = vec![km(320, 138), km(325, 142)];
    stretches.extend([
        ("RUNNING", 200, 606.0, Some(146), Some(85), None),
        ("RUNNING", 60, 182.0, Some(171), Some(85), None),
        ("RUNNING", 70, 212.0, Some(146), Some(85), None),
    ]);
    stretches.extend([
        km(340, 150),
        km(345, 152),
        km(330, 151),
        km(350, 149),
        km(336, 150),
        km(320, 150),
        km(315, 150),
    ]);
    stretches.push(("RUNNING", 252, 800.0, Some(150), Some(85), None));
    let settings = RacePlan {
        name: Some("Wörthersee half marathon".into()),
        kind: RaceKind::Run,
        distance_m: Some(21_097.5),
        target_time_s: Some(7200),
        thresholds: Thresholds {
            run_hr_max: Some(165),
            ..Thresholds::default()
        },
        checkpoints: vec![
            checkpoint("Velden", 5.0, None),
            checkpoint("Pörtschach", 12.0, Some(5400)),
            checkpoint("Krumpendorf", 17.0, Some(7500)),
        ],
        ..RacePlan::default()
    };
    let alerts = vec![
        alert("The race has started.", 5),
        alert(
            "Heart rate 168 bpm over the last 5 min is over the limit of 165 on the run, at 2.6 km.",
            850,
        ),
        alert(
            "5 km run after 27:40, last 5 km 27:40 (5:32 /km), heart rate 146 bpm.",
            1680,
        ),
        alert(
            "10 km run after 55:11, last 5 km 27:31 (5:30 /km), heart rate 150 bpm.",
            3330,
        ),
    ];
    race("Anna Berger", &samples(&stretches, 5), settings, alerts, 15)
}

/// 42 km into the ride of a middle distance.
fn tri() -> RaceFacts {
    let stretches = [
        ("SWIMMING", 2050, 1900.0, None, None, None),
        ("TRANSITION", 200, 300.0, Some(135), None, None),
        ("CYCLING", 2315, 20_000.0, Some(146), Some(86), Some(214)),
        ("CYCLING", 90, 0.0, Some(125), None, None),
        ("CYCLING", 2546, 22_000.0, Some(141), Some(88), Some(203)),
    ];
    let settings = RacePlan {
        name: Some("Ironman 70.3 Kärnten".into()),
        kind: RaceKind::Triathlon,
        distance_m: Some(113_000.0),
        thresholds: Thresholds {
            hr_max: Some(150),
            power_max: Some(220),
            cadence_min: Some(80),
            run_hr_max: Some(155),
            ..Thresholds::default()
        },
        ..RacePlan::default()
    };
    race(
        "Ben Carter",
        &samples(&stretches, 5),
        settings,
        vec![alert("The race has started.", 5)],
        15,
    )
}

/// Standing at an aid station at 46.3 of 80 km.
fn ultra() -> RaceFacts {
    let stretches = [
        ("RUNNING", 12_316, 22_000.0, Some(132), Some(75), None),
        ("RUNNING", 480, 0.0, Some(112), Some(0), None),
        ("RUNNING", 13_604, 24_300.0, Some(133), Some(74), None),
        ("RUNNING", 390, 0.0, Some(110), Some(0), None),
    ];
    let settings = RacePlan {
        name: Some("Trail dei Monti".into()),
        kind: RaceKind::Run,
        distance_m: Some(80_000.0),
        thresholds: Thresholds {
            run_hr_max: Some(150),
            ..Thresholds::default()
        },
        checkpoints: vec![
            checkpoint("Rifugio Alba", 22.0, Some(14_400)),
            checkpoint("Passo Rolle", 46.3, Some(32_400)),
            checkpoint("Malga Sole", 63.0, Some(45_000)),
        ],
        ..RacePlan::default()
    };
    race("Carla Neri", &samples(&stretches, 30), settings, vec![], 15)
}

/// Silent for 14 minutes at 60.2 of 100 km.
fn silent() -> RaceFacts {
    let stretches = [("RUNNING", 34_800, 60_200.0, Some(128), Some(75), None)];
    let settings = RacePlan {
        kind: RaceKind::Run,
        distance_m: Some(100_000.0),
        ..RacePlan::default()
    };
    let alerts = vec![alert(
        "No signal for 10 min. Last seen at 60.2 km; nobody can tell whether the athlete is moving.",
        35_400,
    )];
    race("Dora", &samples(&stretches, 30), settings, alerts, 14 * 60)
}

#[derive(Deserialize)]
struct Message {
    race: String,
    text: String,
    /// What is wrong with the message; `None` if it is right.
    wrong: Option<String>,
}

/// The share of the wrong messages that are held, and that of the right ones, with the mistakes.
fn shares(file: &str) -> (f64, f64, Vec<String>) {
    let messages: Vec<Message> = serde_json::from_str(file).unwrap();
    let (run, tri, ultra, silent) = (run(), tri(), ultra(), silent());
    let (mut wrong, mut wrong_held, mut right, mut right_held) = (0, 0, 0, 0);
    let mut mistakes = Vec::new();
    for message in messages {
        let facts = match message.race.as_str() {
            "run" => &run,
            "tri" => &tri,
            "ultra" => &ultra,
            _ => &silent,
        };
        let held = held(&message.text, facts);
        if message.wrong.is_some() {
            wrong += 1;
            wrong_held += i32::from(!held.is_empty());
        } else {
            right += 1;
            right_held += i32::from(!held.is_empty());
        }
        if message.wrong.is_some() == held.is_empty() {
            mistakes.push(format!(
                "{}: {} {:?} {held:?}",
                message.race, message.text, message.wrong
            ));
        }
    }
    let share = |part: i32, all: i32| f64::from(part) / f64::from(all);
    (share(wrong_held, wrong), share(right_held, right), mistakes)
}

/// The messages of a file, the least share of the wrong ones that must be held, and the greatest of the right ones.
macro_rules! batch {
    ($name:literal, $wrong:literal, $right:literal) => {
        (
            include_str!(concat!("../../../tests/scenarios/claims", $name, ".json")),
            $wrong,
            $right,
        )
    };
}

#[test]
fn wrong_messages_are_held_and_right_ones_are_not() {
    for (file, least_wrong, most_right) in [
        batch!("", 0.98, 0.017),
        batch!("_held_out", 0.98, 0.017),
        batch!("_in_use", 0.98, 0.01),
        batch!("_many_voices", 0.97, 0.02),
        batch!("_everyday", 0.95, 0.04),
        batch!("_family_and_crew", 0.96, 0.04),
        batch!("_short_updates", 0.98, 0.02),
        batch!("_fresh_voices", 0.98, 0.02),
        batch!("_derived_figures", 0.97, 0.03),
        batch!("_quick_notes", 0.98, 0.02),
        batch!("_race_day", 0.96, 0.04),
        batch!("_from_the_course", 0.99, 0.04),
        batch!("_first_half", 0.98, 0.02),
        batch!("_second_half", 0.96, 0.04),
        batch!("_third_voices", 0.93, 0.16),
        batch!("_fourth_voices", 0.94, 0.06),
        batch!("_warm_words", 0.98, 0.04),
        batch!("_kind_words", 0.98, 0.01),
        batch!("_kitchen_table", 0.98, 0.01),
        batch!("_finish_line_voices", 0.98, 0.01),
        batch!("_sunday_morning", 0.93, 0.07),
        batch!("_to_the_athlete", 0.95, 0.03),
        batch!("_to_the_family", 0.95, 0.03),
        batch!("_plain_statements", 0.95, 0.03),
        batch!("_to_all_readers", 0.96, 0.10),
        batch!("_one_by_one", 0.93, 0.07),
    ] {
        let (wrong, right, mistakes) = shares(file);
        assert!(
            wrong >= least_wrong && right <= most_right,
            "{wrong} {right} {mistakes:#?}"
        );
    }
}

fn is_held(text: &str) -> bool {
    let (snapshot, window) = hour();
    !held(text, &facts(&snapshot, &window, None)).is_empty()
}

proptest! {
    #[test]
    fn a_heart_rate_passes_only_as_it_is(bpm in 30_u32..250) {
        let is_true = (143..=147).contains(&bpm);
        prop_assert_eq!(is_held(&format!("Your heart rate is {bpm} bpm now.")), !is_true);
    }

    #[test]
    fn a_distance_passes_only_as_it_is(metres in 0_u32..42_000) {
        let passes = !is_held(&format!("{:.1} km done", f64::from(metres) / 1000.0));
        prop_assert!(!passes || (10_300..=11_000).contains(&metres), "{}", metres);
    }

    #[test]
    fn no_text_breaks_the_reading(text in ".{0,120}") {
        is_held(&text);
    }
}
