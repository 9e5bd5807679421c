//! Several athletes on one page: each part follows its own share.

use super::*;

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
        (page.zone.as_str(), page.profiles.len(), page.hidden.len()),
        ("All times are local to the race (Vienna).", 1, 1)
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
fn a_page_has_one_time_zone() {
    let words = PageWords::named("en").unwrap();
    let (anna, mut ben) = (under_way(), of_another(under_way()));
    ben.snapshot.settings.time_zone = Some("America/New_York".into());
    let family = terms(ShareRole::Family, None);
    let page = JoinedPage::of(&[(&anna, &family, None), (&ben, &family, None)], words);
    assert_eq!(page.zone, "All times are in one time zone (Vienna).");
    let starts = page.athletes.iter().map(|athlete| {
        let details = athlete.page.state.details.iter();
        details
            .filter(|sentence| sentence.starts_with("Started at"))
            .collect::<Vec<_>>()
    });
    let starts: Vec<_> = starts.collect();
    assert!(!starts[0].is_empty());
    assert_eq!(starts[0], starts[1]);
}

#[test]
fn a_name_from_right_to_left_does_not_turn_round_its_times() {
    let words = PageWords::named("en").unwrap();
    let mut anna = under_way();
    anna.snapshot.settings.checkpoints[2].name = "محمد".into();
    let family = terms(ShareRole::Family, Some("محمد"));
    let page = JoinedPage::of(
        &[(&anna, &family, None), (&of_another(under_way()), &family, None)],
        words,
    );
    let details = page.athletes[0].page.state.details.join(" ");
    assert!(
        details.contains("Expected at \u{2068}محمد\u{2069} between"),
        "{details}"
    );
    assert!(page.title.starts_with("\u{2068}"), "{}", page.title);
}
