//! The report of a race that is over, and the pages that have none yet.

use super::*;

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
        // On a course, the distance would tell where the activity ended.
        assert!(crew.sentences[0].contains("21"), "{:?}", crew.sentences);
        let tells = |texts: &[String]| texts.iter().any(|text| text.contains("19"));
        assert!(tells(&crew.sentences) && !tells(&family.sentences), "{family:?}");
        let details = |role| {
            RacePage::of(&source, &terms(role, None), None, words)
                .state
                .details
        };
        assert!(tells(&details(ShareRole::Crew)) && !tells(&details(ShareRole::Family)));
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
