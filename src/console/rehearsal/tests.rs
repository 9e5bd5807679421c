//! A stored race is replayed as it was recorded, and shown up to the replay's clock.

use std::fmt::Write as _;

use super::stored::{course, recording};
use super::*;
use crate::admin::api::{AdminAnswer, AdminRead, AdminRequest, AdminUpdate};
use crate::console::state::{ConsoleEffect, ConsoleMessage, ConsoleState};
use crate::console::tests::samples::{at, race_detail, typical};
use crate::console::tests::{play as press, screen, snapshot};
use crate::console::theme::Theme;
use crate::race::course::CourseFile;

/// The exported points of a race with the times and positions of the console tests' sample race.
fn points(sport: fn(i64) -> &'static str) -> String {
    let header = "at,lat,lon,altitude_m,speed_mps,distance_m,total_distance_m,duration_s,total_duration_s,\
                  heart_rate_bpm,cadence_rpm,power_w,activity_type\n";
    let mut csv = header.to_owned();
    for (number, point) in (0..).zip(race_detail().track) {
        let (lat, lon) = point.position.unwrap();
        let metres = point.distance_m.unwrap();
        let sport = sport(number);
        writeln!(csv, "{},{lat},{lon},,3.4,,{metres},,,150,,,{sport}", point.at).unwrap();
    }
    csv
}

/// The sample race after its replay.
fn played() -> Arc<RehearsedRace> {
    let course = course(&race_detail());
    Arc::new(RehearsedRace::of(&points(|_| "RUNNING"), course.as_deref()).unwrap())
}

#[test]
fn exported_points_become_what_was_recorded() {
    let run = recording(&points(|_| "RUNNING")).unwrap();
    assert_eq!((run.start, run.samples.len()), (at(-4_000), 360));
    assert_eq!((run.sport.as_deref(), run.sessions.len()), (Some("running"), 1));
    let last = run.samples.last().unwrap();
    assert_eq!((last.at_s, last.distance_m), (3_590.0, Some(14_200.0)));
    assert_eq!((last.heart_rate_bpm, last.altitude_m), (Some(150.0), None));
    let mixed = recording(&points(|number| if number < 100 { "CYCLING" } else { "RUNNING" })).unwrap();
    let sports: Vec<_> = mixed
        .sessions
        .iter()
        .map(|one| (one.sport.as_deref(), one.from_s))
        .collect();
    assert_eq!(sports, [(Some("cycling"), 0.0), (Some("running"), 1_000.0)]);
    assert!(recording("at,lat\n").is_none() && recording("").is_none());
}

#[test]
fn the_drawn_course_is_a_course_again() {
    let mut detail = race_detail();
    let eastwards = |part: u32| (46.5, 6.6 + 0.275 * f64::from(part) / 400.0);
    detail.course = (0..=400).map(eastwards).collect();
    detail.places[0].name = "Lutry <&> Cully".into();
    let gpx = course(&detail).unwrap();
    let file = CourseFile::read(&gpx, None, 0.0).unwrap();
    let places = &file.places;
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places[0].name.contains("Cully"), "{places:?}");
    for (place, known) in places.iter().zip(&detail.places) {
        assert!((place.along_m - known.at_m).abs() < 60.0, "{places:?}");
    }
    detail.course.clear();
    assert_eq!(course(&detail), None);
}

#[test]
fn a_race_is_shown_as_far_as_its_clock_is() {
    let (stored, played) = (race_detail(), played());
    assert!(played.is_off_course, "the sample's course is elsewhere");
    let mut replay = RaceReplay::of("race_1", 100.0);
    assert!(replay.detail(&stored, at(0)).track.is_empty());
    replay.begin(played, at(0));
    for second in [0, 9, 18, 30] {
        let shown = replay.detail(&stored, at(second));
        let until = at(-4_000 + 100 * second);
        assert!(shown.track.iter().all(|point| point.at <= until));
        assert!(shown.alerts.iter().all(|(raised, _)| *raised <= until));
        assert!(shown.race.ended_at.is_none() && shown.last_words.is_none() && shown.recipients.is_empty());
        assert!(replay.score(at(second)).is_none());
    }
    let half = replay.detail(&stored, at(18));
    let [early, likely, late] = half.race.finish.unwrap();
    assert!(early < likely && likely < late);
    assert!(
        (half.progress_m.unwrap() - 7_100.0).abs() < 300.0,
        "{:?}",
        half.progress_m
    );
    let over = replay.score(at(600)).unwrap();
    assert_eq!(over.score.eta.len(), 3);
    assert!(replay.banner(at(600)).contains("finished"));
}

#[test]
fn what_can_not_be_played_is_told() {
    let short: String = points(|_| "RUNNING")
        .lines()
        .take(20)
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(RehearsedRace::of(&short, None).unwrap_err().contains("too short"));
    assert!(RehearsedRace::of("", None).unwrap_err().contains("no points"));
}

/// The typical gateway after its race, with the race on the screen.
fn after_the_race(size: (u16, u16)) -> ConsoleState {
    let mut state = typical(size);
    let mut detail = race_detail();
    detail.race.state = "finished".into();
    detail.race.ended_at = Some(at(-410));
    let races = AdminUpdate::Races(vec![detail.race.clone()]);
    state.apply(ConsoleMessage::Update(Box::new(races)), at(0));
    press(&mut state, "4");
    let read = AdminRequest::Read(AdminRead::Race {
        race: "race_1".into(),
    });
    let answer = Ok(Box::new(AdminAnswer::Race(Box::new(detail))));
    state.apply(ConsoleMessage::Answer(read, answer), at(0));
    state
}

#[test]
fn a_rehearsal_runs_to_its_score_and_ends_with_a_key() {
    let ascii = Theme {
        color: false,
        ascii: true,
    };
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut state = after_the_race(size);
        let effects = press(&mut state, "r");
        assert!(matches!(effects.as_slice(), [ConsoleEffect::Play(race)] if race.race == "race_1"));
        let name = |what: &str| format!("rehearsal_{what}_{}x{}", size.0, size.1);
        snapshot(&name("read"), &screen(&state, Theme::default()));
        state.apply(ConsoleMessage::Played(Ok(played())), at(0));
        for (what, second) in [("half", 6), ("score", 60)] {
            state.apply(ConsoleMessage::Tick, at(second));
            snapshot(&name(what), &screen(&state, Theme::default()));
            assert!(screen(&state, ascii).is_ascii());
        }
        assert_eq!(press(&mut state, "<esc>"), [ConsoleEffect::StopPlaying]);
        assert!(state.replay.is_none());
        assert!(!screen(&state, Theme::default()).contains("REHEARSAL"));
    }
}

#[test]
fn only_a_race_that_is_over_is_rehearsed_at_a_speed_above_zero() {
    let notice = |state: &ConsoleState| state.notice.clone().unwrap().0;
    let mut goes_on = typical((80, 24));
    assert!(press(&mut goes_on, "4r").is_empty());
    assert!(notice(&goes_on).contains("still on"), "{}", notice(&goes_on));
    let mut state = after_the_race((80, 24));
    assert!(press(&mut state, ":rehearse 0<enter>").is_empty());
    assert!(notice(&state).contains("above 0"), "{}", notice(&state));
    assert!(!press(&mut state, ":reh<tab>60<enter>").is_empty());
    assert!(state.replay.is_some());
    state.apply(ConsoleMessage::Played(Err("it is too short".into())), at(0));
    assert!(state.replay.is_none());
    assert_eq!(notice(&state), "Not rehearsed: it is too short.");
}
