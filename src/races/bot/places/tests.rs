use std::sync::Arc;

use super::*;
use crate::race::course::Course;
use crate::race::plan::Checkpoint;
use crate::race::schedule::RacePhase;
use crate::race::sport::RaceKind;
use crate::race::support::{hour, steady};
use crate::race::track::Track;

const METRES_PER_DEGREE: f64 = 76_370.0;

fn on_road(metres: f64, north_m: f64) -> Position {
    Position {
        lat: 46.62 + north_m / 111_195.0,
        lon: 14.3 + metres / METRES_PER_DEGREE,
    }
}

/// A runner after an hour, at 10.8 km of a half marathon with three places.
fn race(has_course: bool) -> Snapshot {
    let (mut snapshot, _) = hour();
    snapshot.watch.phase = RacePhase::Live;
    snapshot.watch.last_ok_at = Some(snapshot.now);
    snapshot.settings.time_zone = Some("Europe/Vienna".into());
    let place = |(name, km): (&str, f64)| Checkpoint {
        name: name.into(),
        km,
        ..Checkpoint::default()
    };
    let places = [("Mill", 5.0), ("Upper Hut", 15.0), ("Lower Hut", 18.0)];
    snapshot.settings.checkpoints = places.map(place).into();
    if has_course {
        let line: Vec<_> = (0..=211).map(|i| on_road(f64::from(i) * 100.0, 0.0)).collect();
        let course = Arc::new(Course::from_places(&line).unwrap());
        snapshot.track = Track::of(RaceKind::Run, Some(&course), &steady(3600, 3.0));
        snapshot.course = Some(course);
    }
    snapshot
}

fn english() -> &'static PageWords {
    PageWords::named("en").unwrap()
}

fn told(asked: Option<&str>) -> String {
    match eta(&race(false), asked, english()) {
        EtaAnswer::Told(text) => text,
        EtaAnswer::NoSuchPlace(offered) => panic!("{offered:?}"),
    }
}

#[test]
fn a_place_beyond_the_finish_has_no_arrival() {
    assert_eq!(
        told(Some("99")),
        "There is no such place: the race is 21.1 km long."
    );
    assert!(told(Some("21.1")).contains("21.1"));
    assert!(matches!(
        eta(&race(false), Some("1e3"), english()),
        EtaAnswer::NoSuchPlace(_)
    ));
}

#[test]
fn without_a_place_all_that_lie_ahead_are_told() {
    let all = told(None);
    let lines: Vec<_> = all.lines().collect();
    assert_eq!(lines.len(), 4, "{all}");
    assert!(
        lines[0].starts_with("Expected at Upper Hut (km 15) between 11:"),
        "{all}"
    );
    assert!(lines[0].contains("(likely: 11:"), "{all}");
    assert!(lines[2].starts_with("Expected at Finish (km 21.1)"), "{all}");
    assert_eq!(lines[3], "All times are local to the race (Vienna).");
}

#[test]
fn a_place_is_found_by_what_people_call_it() {
    for (asked, start) in [
        ("mill", "Mill (km 5): passed 10:2"),
        ("Upper", "Expected at Upper Hut (km 15)"),
        ("FINISH", "Expected at Finish"),
        ("goal", "Expected at Finish"),
        ("12", "Expected at 12 (km 12)"),
        ("km 12.5", "Expected at km 12.5 (km 12.5)"),
    ] {
        assert!(
            told(Some(asked)).starts_with(start),
            "{asked}: {}",
            told(Some(asked))
        );
    }
    let german = PageWords::named("de").unwrap();
    let EtaAnswer::Told(told) = eta(&race(false), Some("ziel"), german) else {
        panic!("no place");
    };
    assert!(told.contains("Ziel") && told.contains("(wohl: "), "{told}");
}

#[test]
fn near_names_are_offered_for_an_unknown_one() {
    let offered = |asked| match eta(&race(false), Some(asked), english()) {
        EtaAnswer::NoSuchPlace(offered) => offered,
        EtaAnswer::Told(text) => panic!("{text}"),
    };
    assert_eq!(offered("hut"), ["Upper Hut", "Lower Hut"]);
    // A wrong digit is another place, and a short name is quickly another one.
    assert_eq!(offered("Will"), ["Mill"]);
    assert_eq!(offered("Upper Hut 2"), ["Upper Hut"]);
    assert_eq!(offered("the summit cross"), ["Upper Hut", "Lower Hut", "finish"]);
}

#[test]
fn a_place_on_the_map_is_told_with_its_window() {
    let passes = |metres, north_m| passes_at(&race(true), on_road(metres, north_m), english());
    let ahead = passes(14_000.0, 60.0);
    assert!(
        ahead.starts_with("The athlete should pass there, at km 14, between 11:1"),
        "{ahead}"
    );
    assert!(ahead.ends_with("(Vienna)."), "{ahead}");
    let behind = passes(5_000.0, 0.0);
    assert!(
        behind.starts_with("The athlete passed there, at km 5, at 10:27."),
        "{behind}"
    );
    assert_eq!(passes(9_000.0, 1400.0), "That place is 1.4 km off the course.");
    let none = passes_at(&race(false), on_road(9_000.0, 0.0), english());
    assert!(none.contains("no course"), "{none}");
}

#[test]
fn a_race_that_has_hardly_begun_has_no_outlook() {
    let mut snapshot = race(true);
    snapshot.track = Track::of(RaceKind::Run, snapshot.course.as_deref(), &steady(300, 3.0));
    let EtaAnswer::Told(told) = eta(&snapshot, None, english()) else {
        panic!("no place");
    };
    assert!(told.contains("There is no outlook: too little"), "{told}");
    let place = passes_at(&snapshot, on_road(9_000.0, 0.0), english());
    assert!(
        place.starts_with("That place is at km 9 of the course. There is no outlook"),
        "{place}"
    );
}

#[test]
fn a_name_that_can_only_be_one_place_is_answered() {
    let mut snapshot = race(false);
    let place = |(name, km): (&str, f64)| Checkpoint {
        name: name.into(),
        km,
        ..Checkpoint::default()
    };
    snapshot.settings.checkpoints = [("Müllerhaus", 14.0), ("Brücke", 16.0), ("K3 Straße", 18.0)]
        .map(place)
        .into();
    for (asked, name) in [
        ("Bruecke", "Brücke"),
        ("brucke", "Brücke"),
        ("Muellerhaus", "Müllerhaus"),
        ("mullerhaus", "Müllerhaus"),
        ("Mülerhaus", "Müllerhaus"),
        ("strasse", "K3 Straße"),
    ] {
        let EtaAnswer::Told(told) = eta(&snapshot, Some(asked), english()) else {
            panic!("{asked}");
        };
        assert!(
            told.starts_with(&format!("Expected at {name} (km ")),
            "{asked}: {told}"
        );
    }
    let unknown = eta(&snapshot, Some("K4"), english());
    assert!(matches!(unknown, EtaAnswer::NoSuchPlace(_)), "{unknown:?}");
}

#[test]
fn an_answer_about_a_place_has_one_language() {
    for words in PageWords::all().into_iter().filter(|words| words.code != "en") {
        let early = {
            let mut snapshot = race(true);
            snapshot.track = Track::of(RaceKind::Run, snapshot.course.as_deref(), &steady(300, 3.0));
            passes_at(&snapshot, on_road(9_000.0, 0.0), words)
        };
        let answers = [
            passes_at(&race(true), on_road(14_000.0, 60.0), words),
            passes_at(&race(true), on_road(5_000.0, 0.0), words),
            passes_at(&race(true), on_road(9_000.0, 1400.0), words),
            passes_at(&race(false), on_road(9_000.0, 0.0), words),
            early,
        ];
        for answer in &answers {
            let is_english = [" the ", "There is", "That place", "should pass", " at "];
            assert!(
                !is_english.iter().any(|part| answer.contains(part)),
                "{}: {answer}",
                words.code
            );
        }
        assert!(answers[0].contains(words.chat.athlete), "{}", answers[0]);
    }
    let german = passes_at(
        &race(true),
        on_road(14_500.0, 60.0),
        PageWords::named("de").unwrap(),
    );
    assert!(german.contains("bei km 14,5, zwischen"), "{german}");
}
