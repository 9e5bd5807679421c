//! The page of one race in each of its states, for a family and for the crew, as text.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::config::{Config, Sources};
use crate::garmin::livetrack::LiveTrackSession;
use crate::race::alerts::{Alert, AlertKind, Severity};
use crate::race::course::CourseFile;
use crate::race::ending::EndReason;
use crate::race::id::RaceId;
use crate::race::plan::{Checkpoint, RacePlan};
use crate::race::schedule::{RacePhase, RaceWatch};
use crate::race::share::{ShareRole, ShareTerms};
use crate::race::snapshot::Snapshot;
use crate::race::sport::RaceKind;
use crate::race::support::{at, running, steady};
use crate::race::track::{Track, TrackSample};

const WHOLE_M: f64 = 21_097.5;

/// A course along the road of [`running`], over a hill.
fn course() -> CourseFile {
    let point = |i: u32| {
        let along_m = f64::from(i) / 200.0 * WHOLE_M;
        let lon = 14.3 + along_m / 76_370.0;
        let height_m = 450.0 + 300.0 * (along_m / WHOLE_M * std::f64::consts::PI).sin();
        format!("<trkpt lat=\"46.62\" lon=\"{lon:.6}\"><ele>{height_m:.1}</ele></trkpt>")
    };
    let points: String = (0..=200).map(point).collect();
    let gpx = format!("<gpx><trk><trkseg>{points}</trkseg></trk></gpx>");
    CourseFile::read(&gpx, Some(WHOLE_M), 0.1).unwrap()
}

fn checkpoint(name: &str, km: f64, cutoff_s: Option<u32>) -> Checkpoint {
    Checkpoint {
        name: name.into(),
        km,
        cutoff_s,
        ..Checkpoint::default()
    }
}

fn alert(kind: AlertKind, seconds: i64, text: &str) -> Alert {
    Alert {
        kind,
        severity: Severity::Notice,
        key: text.into(),
        text: text.into(),
        phrase: None,
        at: at(seconds),
    }
}

/// The race with these points at a moment, answered by Garmin until then.
fn race(samples: &[TrackSample], phase: RacePhase, now: Timestamp) -> PageSource {
    let course = Arc::new(course().course);
    let settings = RacePlan {
        kind: RaceKind::Run,
        checkpoints: vec![
            checkpoint("K1 <Mill>", 5.0, None),
            checkpoint("K2 Pass", 10.6, Some(3700)),
            checkpoint("K3 Bridge", 15.0, Some(6000)),
        ],
        time_zone: Some("Europe/Vienna".into()),
        ..RacePlan::default()
    };
    let mut watch = RaceWatch::new(at(-1200));
    watch.phase = phase;
    watch.last_ok_at = Some(now);
    watch.session = Some(LiveTrackSession {
        athlete: Some("Josefine Berger".into()),
        ..LiveTrackSession::default()
    });
    let snapshot = Snapshot {
        race: RaceId::nobody(),
        account: "acc_aaaaaaaaaaaaaaaa".parse().unwrap(),
        now,
        track: Track::of(RaceKind::Run, Some(&course), samples),
        settings,
        course: Some(course),
        watch,
        alerts: vec![
            alert(AlertKind::Started, 20, "Start at 10:00."),
            alert(AlertKind::HrOver, 1200, "Heart rate 171 bpm, limit 165."),
            alert(AlertKind::Checkpoint, 1700, "K1 after 0:27:46."),
        ],
    };
    let sent = vec![
        (at(1000), "Josefine runs well.".to_owned()),
        (at(1500), "152 bpm on the climb, all good.".to_owned()),
    ];
    PageSource::new(snapshot, samples, sent)
}

fn terms(role: ShareRole, name: Option<&str>) -> ShareTerms {
    ShareTerms::new(role, name, None, None).unwrap()
}

fn over(reason: EndReason, seconds: i64) -> RacePhase {
    RacePhase::Over {
        reason,
        at: at(seconds),
    }
}

fn stopped() -> PageSource {
    let mut samples = steady(3500, 3.0);
    samples.extend((1..=30).map(|i| running(3500 + i * 10, 10_500.0)));
    for sample in samples.iter_mut().skip(351) {
        sample.point.cadence_rpm = Some(0);
    }
    race(&samples, RacePhase::Live, at(3805))
}

fn finished() -> PageSource {
    let mut samples = steady(7030, 3.0);
    samples.push(running(7033, WHOLE_M));
    race(&samples, over(EndReason::EndEvent, 7100), at(7200))
}

fn silent() -> PageSource {
    race(&steady(3600, 3.0), RacePhase::Live, at(3600 + 14 * 60))
}

fn under_way() -> PageSource {
    race(&steady(3600, 3.0), RacePhase::Live, at(3725))
}

fn report_said(report: &PageReport) -> Vec<String> {
    let mut lines = vec![format!("report: {}", report.sentences.join(" "))];
    let margin = |margin: &Option<(String, bool)>| {
        let margin = margin.as_ref();
        margin.map_or_else(String::new, |(text, late)| format!("; {text} {late}"))
    };
    lines.extend(report.places.iter().map(|place| {
        let margin = margin(&place.margin);
        format!(
            "  {} {}: {}, {} {}{margin}",
            place.name, place.km, place.passed, place.after, place.against
        )
    }));
    lines.extend(
        report
            .stops
            .iter()
            .map(|stop| format!("  stop {} {} {}", stop.from, stop.at, stop.time)),
    );
    let splits = report.splits.iter().take(2);
    lines.extend(splits.map(|split| {
        format!(
            "  {} {} {} {} {}",
            split.to, split.time, split.pace, split.against, split.body
        )
    }));
    lines.extend(report.pace.iter().map(|pace| format!("  {}", pace.range)));
    lines
}

fn here(page: &RacePage) -> Option<(f64, f64)> {
    page.map.as_ref().unwrap().tracks[0].here
}

fn said(page: &RacePage) -> String {
    let mut lines = vec![
        format!("# {} [{:?}]", page.title, page.state.tone),
        page.state.headline.clone(),
    ];
    lines.extend(page.state.details.iter().map(|sentence| format!("  {sentence}")));
    lines.extend(
        page.body
            .iter()
            .map(|figure| format!("= {} {}", figure.label, figure.value)),
    );
    for place in &page.places {
        let when = match &place.window {
            Some(window) => window.join(" | "),
            None => place.instead.clone(),
        };
        let cutoff = place
            .cutoff
            .as_ref()
            .map(|at| format!("; {} {at}", page.words.cutoff));
        let margin = place
            .margin
            .as_ref()
            .map(|(text, late)| format!(", {text} {late}"));
        let geo = place.geo.as_ref().map(|geo| format!("; {geo}"));
        let more: String = [cutoff, margin, geo].into_iter().flatten().collect();
        lines.push(format!("@ {} ({}) {when}{more}", place.name, place.km));
    }
    if let Some(report) = &page.report {
        lines.extend(report_said(report));
    }
    lines.push(format!("splits: {}", page.splits.caption));
    for split in page.splits.rows.iter().take(2) {
        let body = split.body.as_deref().unwrap_or("-");
        lines.push(format!("  {} {} {} {body}", split.to, split.time, split.pace));
    }
    lines.extend(
        page.events
            .iter()
            .map(|event| format!("* {} {}", event.at, event.text)),
    );
    if let Some(map) = &page.map {
        let labels: Vec<_> = map.places.iter().map(|place| place.label.as_str()).collect();
        let hidden = page.hidden.as_deref().unwrap_or("nothing hidden");
        lines.push(format!(
            "map: {:?}; here {:?}; {hidden}; {}",
            labels, map.tracks[0].here, map.alt
        ));
    }
    if let Some(profile) = &page.profile {
        lines.push(format!(
            "profile: {}; here {:?}",
            profile.alt,
            profile.here.first().map(|(_, x)| x)
        ));
    }
    lines.extend(page.ends_at.clone());
    lines.push(page.words.zone.replace("{zone}", &page.zone));
    lines.join("\n")
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

/// The race of somebody else, who also has the course of [`race`].
fn of_another(mut source: PageSource) -> PageSource {
    source.snapshot.race = "race_bbbbbbbbbbbbbbbb".parse().unwrap();
    source.snapshot.settings.checkpoints.remove(0);
    source
}

#[test]
fn several_athletes_have_one_map_and_their_own_arrivals() {
    let words = PageWords::named("en").unwrap();
    let (anna, ben) = (under_way(), of_another(stopped()));
    let (family, crew) = (
        terms(ShareRole::Family, Some("Anna")),
        terms(ShareRole::Crew, None),
    );
    let page = JoinedPage::of(&[(&anna, &family, None), (&ben, &crew, None)], words);
    assert_eq!(
        (page.title.as_str(), page.names.as_str()),
        ("Anna, Athlete 2: live race", "Anna, Athlete 2")
    );
    let heads: Vec<_> = page
        .athletes
        .iter()
        .map(|athlete| format!("{} {}", athlete.sign.letter, athlete.page.state.headline))
        .collect();
    assert_eq!(heads, ["A Running.", "2 Stopped at K2 Pass for 5 minutes."]);
    assert!(page.athletes[0].page.body.is_empty() && !page.athletes[1].page.body.is_empty());

    let map = page.map.as_ref().unwrap();
    assert!(
        map.alt.contains("Anna: Running. Athlete 2: Stopped"),
        "{}",
        map.alt
    );
    let alone = RacePage::of(&anna, &family, None, words).map.unwrap();
    // The course is drawn once, and only where Anna lets it be seen.
    assert_eq!(map.course.len(), alone.course.len());
    assert!(map.places.iter().all(|place| place.label != words.start));
    assert_eq!(map.tracks.len(), 2);
    assert!(
        map.tracks[1].covered.len() > map.tracks[0].covered.len(),
        "Ben hides nothing of his"
    );
    let at = |number: usize| map.tracks[number].sign_at.unwrap();
    assert!(
        (at(0).0 - at(1).0).abs() >= 30.0,
        "the signs do not cover each other"
    );

    let rows: Vec<_> = page
        .places
        .iter()
        .map(|place| {
            let arrivals = place.arrivals.iter().map(|arrival| {
                let when = match &arrival.window {
                    Some([early, _, late]) => format!("{early}–{late}"),
                    None => arrival.instead.clone(),
                };
                let cutoff = if arrival.cutoff.is_some() { " cut-off" } else { "" };
                format!("{} {when}{cutoff}", arrival.sign.name)
            });
            format!("{}: {}", place.name, arrivals.collect::<Vec<_>>().join(", "))
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    K1 <Mill>: Anna passed 10:27
    K2 Pass: Anna passed 10:58, Athlete 2 11:04–11:08 cut-off
    K3 Bridge: Anna 11:19–11:23, Athlete 2 11:21–11:37 cut-off
    Finish: Anna 11:47–11:56, Athlete 2 11:50–12:12
    ");
    assert!(
        page.events
            .iter()
            .all(|event| event.sign.number == 1 || !event.text.contains("171"))
    );
    assert_eq!(
        (page.zones.len(), page.profiles.len(), page.hidden.len()),
        (1, 1, 1)
    );
}

#[test]
fn races_on_different_courses_have_a_row_for_each_place_of_their_own() {
    let words = PageWords::named("de").unwrap();
    let mut other = of_another(under_way());
    let half = CourseFile::read(
        "<gpx><trk><trkseg><trkpt lat=\"46.7\" lon=\"14.3\"/><trkpt lat=\"46.7\" lon=\"14.4\"/></trkseg></trk></gpx>",
        None,
        0.1,
    );
    other.snapshot.course = Some(Arc::new(half.unwrap().course));
    let family = terms(ShareRole::Family, None);
    let end = |seconds| Some(at(seconds));
    let one = under_way();
    let page = JoinedPage::of(
        &[(&one, &family, end(90_000)), (&other, &family, end(95_000))],
        words,
    );
    let finishes = page
        .places
        .iter()
        .filter(|place| place.name == words.finish)
        .count();
    assert_eq!((finishes, page.names.as_str()), (2, "Athlet 1, Athlet 2"));
    assert_eq!(page.ends_at, page.athletes[1].page.ends_at);
    let goes_on = JoinedPage::of(&[(&one, &family, None), (&other, &family, end(95_000))], words);
    assert_eq!(goes_on.ends_at, None);
}

#[test]
fn a_report_keeps_from_a_family_what_the_page_kept() {
    // A stop near the start, and one on the way: the stretches in seconds, and how fast they were.
    let (mut samples, mut at_s, mut along_m) = (Vec::new(), 0, 0.0);
    for (long_s, mps) in [(60, 3.0), (300, 0.0), (3400, 3.0), (300, 0.0), (3000, 3.0)] {
        for _ in 0..long_s / 10 {
            let mut sample = running(at_s, along_m);
            if mps == 0.0 {
                sample.point.cadence_rpm = Some(0);
            }
            samples.push(sample);
            (at_s, along_m) = (at_s + 10, along_m + mps * 10.0);
        }
    }
    let mut source = race(&samples, over(EndReason::EndedEarly, 7700), at(7800));
    source.snapshot.settings.target_time_s = Some(7200);
    for words in PageWords::all() {
        let of = |role| {
            RacePage::of(&source, &terms(role, None), None, words)
                .report
                .unwrap()
        };
        let (family, crew) = (of(ShareRole::Family), of(ShareRole::Crew));
        let places: Vec<_> = family.stops.iter().map(|stop| stop.at.as_str()).collect();
        assert!(places.contains(&words.report.near_end), "{places:?}");
        assert!(crew.stops.iter().all(|stop| stop.at.starts_with("km ")));
        assert_eq!(crew.stops.len(), family.stops.len());
        let body = |report: &PageReport| {
            report
                .splits
                .iter()
                .filter(|split| !split.body.is_empty())
                .count()
        };
        assert_eq!((body(&family), body(&crew)), (0, crew.splits.len()));
        assert!(crew.sentences.len() > family.sentences.len());
        assert!(family.has_plan && family.pace.is_some());
        assert!(family.sentences[0].contains("21"), "{:?}", family.sentences);
    }
}

#[test]
fn a_race_under_way_has_no_report() {
    let words = PageWords::all()[0];
    for source in [
        under_way(),
        silent(),
        stopped(),
        race(&[], RacePhase::Waiting, at(-600)),
    ] {
        assert!(
            RacePage::of(&source, &terms(ShareRole::Crew, None), None, words)
                .report
                .is_none()
        );
    }
    // Nothing was ever seen of this race.
    let unseen = race(&[], over(EndReason::LinkExpired, 5000), at(5100));
    assert!(
        RacePage::of(&unseen, &terms(ShareRole::Crew, None), None, words)
            .report
            .is_none()
    );
    let together = JoinedPage::of(
        &[
            (&under_way(), &terms(ShareRole::Family, None), None),
            (&finished(), &terms(ShareRole::Family, None), None),
        ],
        words,
    );
    let reported: Vec<_> = together
        .athletes
        .iter()
        .map(|one| one.page.report.is_some())
        .collect();
    assert_eq!((reported, together.is_over()), (vec![false, true], false));
}
