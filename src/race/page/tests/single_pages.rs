//! The page of one race in each of its states, for a family and for the crew.

use std::path::Path;

use super::*;
use crate::config::{Config, Sources};

fn here(page: &RacePage) -> Option<(f64, f64)> {
    page.map.as_ref().unwrap().tracks[0].here
}

#[test]
fn every_state_in_words() {
    let waiting = race(&[], RacePhase::Waiting, at(-600));
    let early = race(&steady(3600, 3.0), over(EndReason::EndedEarly, 3700), at(3800));
    let unseen = race(&steady(3600, 3.0), over(EndReason::Stale, 5000), at(5100));
    let sources = vec![
        ("waiting", waiting),
        ("running", under_way()),
        ("silent", silent()),
        ("stopped", stopped()),
        ("finished", finished()),
        ("ended_early", early),
        ("probably_finished", unseen),
    ];
    let mut all = Vec::new();
    for (name, source) in sources {
        for (role, chosen, language) in [
            (ShareRole::Family, None, "en"),
            (ShareRole::Crew, Some("Josi"), "de"),
        ] {
            let ends_at = source.snapshot.watch.over().map(|_| at(90_000));
            let words = PageWords::named(language).unwrap();
            let page = RacePage::of(&source, &terms(role, chosen), ends_at, words);
            all.push(format!("== {name}, {}\n{}", role.name(), said(&page)));
        }
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/race_page");
    insta::with_settings!({ snapshot_path => directory, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("states", all.join("\n\n"));
    });
}

#[test]
fn a_family_sees_nothing_of_the_body_and_nobody_is_named_without_a_choice() {
    for source in [under_way(), silent(), stopped(), finished()] {
        for words in PageWords::all() {
            let family = said(&RacePage::of(
                &source,
                &terms(ShareRole::Family, None),
                None,
                words,
            ));
            for body in [words.bpm, "171", "152", "145", " W ", "limit"] {
                assert!(!family.contains(body), "{body}: {family}");
            }
            let crew = said(&RacePage::of(&source, &terms(ShareRole::Crew, None), None, words));
            assert!(crew.contains("152 bpm on the climb"));
            for page in [family, crew] {
                assert!(
                    !page.to_lowercase().contains("josefine") && !page.contains("Berger"),
                    "{page}"
                );
            }
        }
    }
    let named = RacePage::of(
        &under_way(),
        &terms(ShareRole::Crew, Some("Josi")),
        None,
        PageWords::all()[0],
    );
    assert!(named.title.contains("Josi") && said(&named).contains("Josefine runs well."));
}

/// The page loads tiles only from the server that the operator configured, and names it.
#[test]
fn a_map_of_tiles_names_its_server() {
    let words = PageWords::all()[0];
    let mut race = under_way();
    let map = |race: &PageSource| {
        let page = RacePage::of(race, &terms(ShareRole::Family, None), None, words);
        page.map.unwrap()
    };
    let plain = map(&race);
    assert_eq!((plain.tiles.len(), &plain.tiles_credit), (0, &None));
    let sources = Sources::of_pairs([
        ("HOME", "/h"),
        ("GATEWAY_SECRET", "0123456789abcdef0123456789abcdef"),
        ("MAP_TILES_URL", "https://tiles.example.org/{z}/{x}/{y}.png"),
        ("MAP_TILES_CREDIT", "© OpenStreetMap contributors"),
    ]);
    race.tiles = Config::load(&sources).unwrap().races.map_tiles;
    let tiled = map(&race);
    assert!(!tiled.tiles.is_empty() && tiled.course == plain.course);
    let credit = tiled.tiles_credit.unwrap();
    assert!(
        credit.contains("© OpenStreetMap contributors") && credit.contains("from tiles.example.org"),
        "{credit}"
    );
}

#[test]
fn positions_near_start_and_end_are_hidden_from_a_family() {
    let words = PageWords::all()[0];
    let near_start = race(&steady(80, 3.0), RacePhase::Live, at(90));
    let family = RacePage::of(&near_start, &terms(ShareRole::Family, None), None, words);
    assert_eq!(here(&family), None);
    assert!(
        !family.state.details.join(" ").contains("km"),
        "{:?}",
        family.state
    );
    let crew = RacePage::of(&near_start, &terms(ShareRole::Crew, None), None, words);
    assert!(here(&crew).is_some());
    // The first and the last of the drawn points are outside of the radius, on a scale of 33 m for a unit.
    let ended = finished();
    let page = RacePage::of(&ended, &terms(ShareRole::Family, None), None, words);
    let whole = RacePage::of(&ended, &terms(ShareRole::Crew, None), None, words);
    assert_eq!((here(&page), here(&whole).is_some()), (None, true));
    let map = page.map.unwrap();
    assert!(
        map.places
            .iter()
            .all(|place| place.label != words.start && place.label != words.finish)
    );
    let none = ShareTerms::new(ShareRole::Family, None, Some(0), None).unwrap();
    let open = RacePage::of(&ended, &none, None, words);
    assert!(here(&open).is_some() && open.hidden.is_none());
}

#[test]
fn a_race_without_course_or_points_has_a_page() {
    let mut source = race(&steady(3600, 3.0), RacePhase::Live, at(3610));
    source.snapshot.course = None;
    source.snapshot.settings.distance_m = None;
    source.snapshot.settings.checkpoints.clear();
    for words in PageWords::all() {
        let page = RacePage::of(&source, &terms(ShareRole::Family, None), None, words);
        assert!(page.profile.is_none() && page.places.is_empty() && page.map.is_some());
    }
    source.line.clear();
    let page = RacePage::of(&source, &terms(ShareRole::Crew, None), None, PageWords::all()[0]);
    assert!(page.map.is_none());
}

#[test]
fn a_long_way_is_drawn_in_few_points() {
    let samples = steady(10 * 9000, 0.23);
    let source = race(&samples, RacePhase::Live, at(90_000));
    assert!(source.line.len() <= 2001, "{}", source.line.len());
    assert_eq!(
        source.line.last().unwrap().position,
        samples.last().unwrap().point.position.unwrap()
    );
    let page = RacePage::of(&source, &terms(ShareRole::Crew, None), None, PageWords::all()[0]);
    let map = page.map.unwrap();
    let length: usize = map.course.iter().map(|(_, path)| path.len()).sum();
    assert!(length + map.tracks[0].covered.len() < 20_000);
}

#[test]
fn an_event_is_shown_at_its_own_time() {
    let words = PageWords::all()[0];
    let mut source = under_way();
    source.snapshot.alerts[2].happened_at = Some(at(1660));
    for (role, text) in [
        (ShareRole::Family, words.events.checkpoint),
        (ShareRole::Crew, "K1 after 0:27:46."),
    ] {
        let page = RacePage::of(&source, &terms(role, None), None, words);
        let event = page.events.iter().find(|event| event.text == text).unwrap();
        assert_eq!(event.at, "10:27");
    }
    // The gateway joined late: the family reads when the race began, the crew what the message said then.
    source.snapshot.alerts[0].happened_at = Some(at(20));
    source.snapshot.alerts[0].at = at(1200);
    for (role, text, time) in [
        (ShareRole::Family, words.events.started, "10:00"),
        (ShareRole::Crew, "Start at 10:00.", "10:20"),
    ] {
        let page = RacePage::of(&source, &terms(role, None), None, words);
        let event = page.events.iter().find(|event| event.text == text).unwrap();
        assert_eq!(event.at, time);
    }
}

#[test]
fn a_time_on_another_day_reads_well_in_every_language() {
    let late = race(&steady(3600, 3.0), RacePhase::Live, at(3725 + 14 * 3600));
    let said = |code| {
        let words = PageWords::named(code).unwrap();
        let page = RacePage::of(&late, &terms(ShareRole::Family, None), None, words);
        page.state.details.join(" ")
    };
    for (code, start) in [
        ("en", "Started at Sun 10:00."),
        ("de", "Gestartet um 10:00 (So)."),
        ("fr", "Départ à 10:00 (dim.)."),
        ("es", "Salida a las 10:00 (dom)."),
        ("it", "Partenza alle 10:00 (dom)."),
    ] {
        assert!(said(code).contains(start), "{}", said(code));
    }
}
