use jiff::SignedDuration;

use super::*;
use crate::history::kept::{HistoryTrouble, TroubleClass};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn known_zone(now: Timestamp) -> KeptHistory {
    KeptHistory {
        zone: Some("Europe/Vienna".to_owned()),
        ..KeptHistory::new(now)
    }
}

/// Fetches until nothing is left to do. `has_data` says for which days Garmin has data. Returns the requests and the
/// time until which to rest.
fn fill(
    kept: &mut KeptHistory,
    now: Timestamp,
    has_data: impl Fn(&DaysToFetch) -> bool,
) -> (Vec<DaysToFetch>, Timestamp) {
    let mut fetches = Vec::new();
    loop {
        match next(kept, now) {
            FillStep::Fetch(days) => {
                assert!(days.from <= days.to, "{days:?}");
                fetched(kept, &days, has_data(&days), now);
                fetches.push(days);
                assert!(fetches.len() < 5_000, "it never ends");
            }
            FillStep::Rest(until) => return (fetches, until),
            FillStep::FindZone => panic!("the zone is known"),
        }
    }
}

#[test]
fn the_zone_comes_first() {
    let now = at("2026-01-29T12:00:00Z");
    assert_eq!(next(&KeptHistory::new(now), now), FillStep::FindZone);
}

#[test]
fn it_goes_backwards_newest_first_without_gaps_and_ends_where_nothing_is() {
    let now = at("2026-01-29T12:00:00Z");
    let first_day = date(2023, 3, 1);
    let mut kept = known_zone(now);
    let (fetches, until) = fill(&mut kept, now, |days| days.to >= first_day);
    assert_eq!(until, kept.next_morning(now));
    for kind in &KEPT_KINDS {
        let own: Vec<_> = fetches
            .iter()
            .filter(|days| days.kind.code == kind.code)
            .collect();
        assert_eq!(own[0].to, date(2026, 1, 29));
        for pair in own.windows(2) {
            assert_eq!(pair[1].to.tomorrow().unwrap(), pair[0].from, "{}", kind.name);
        }
        let progress = &kept.kinds[kind.name];
        assert!(progress.is_complete && progress.first <= first_day);
        let beyond = (first_day - progress.first).get_days();
        assert!((364..364 + 2 * 84).contains(&beyond), "{}: {beyond}", kind.name);
    }
    // All kinds go back together, so that the newest months are complete soon.
    let back = |at: usize| (date(2026, 1, 29) - fetches[at].to).get_days();
    assert!(back(40) < 120 && back(fetches.len() - 1) > 1_000);
}

#[test]
fn three_years_cost_less_than_half_an_hour_of_requests() {
    let now = at("2026-01-29T12:00:00Z");
    let mut kept = known_zone(now);
    let (fetches, _) = fill(&mut kept, now, |_| true);
    let of_three_years = fetches.iter().filter(|days| days.to >= date(2023, 1, 29));
    assert!(of_three_years.count() * 4 < 30 * 60);
    assert!(
        kept.kinds.values().all(|kind| kind.first <= EARLIEST),
        "it ends though there is always data"
    );
}

#[test]
fn each_morning_the_last_three_days_and_the_new_ones_are_fetched() {
    let now = at("2026-01-29T12:00:00Z");
    let mut kept = known_zone(now);
    fill(&mut kept, now, |days| days.to.year() > 2024);
    let early = at("2026-01-30T07:59:59Z");
    assert_eq!(next(&kept, early), FillStep::Rest(at("2026-01-30T08:00:00Z")));
    let (fetches, _) = fill(&mut kept, at("2026-01-30T08:00:00Z"), |_| true);
    assert_eq!(fetches.len(), KEPT_KINDS.len());
    for days in fetches {
        assert_eq!((days.from, days.to), (date(2026, 1, 27), date(2026, 1, 30)));
    }
}

#[test]
fn a_long_break_is_made_up_for_before_older_days() {
    let now = at("2026-01-29T12:00:00Z");
    let mut kept = known_zone(now);
    fill(&mut kept, now, |days| days.to.year() > 2024);
    let later = now + SignedDuration::from_hours(24 * 60);
    let (fetches, _) = fill(&mut kept, later, |_| true);
    let today = date(2026, 3, 30);
    for kind in &KEPT_KINDS {
        let progress = &kept.kinds[kind.name];
        assert_eq!(
            (progress.last, progress.refreshed_on),
            (today, today),
            "{}",
            kind.name
        );
    }
    let sleep: Vec<_> = fetches.iter().filter(|days| days.kind.name == "sleep").collect();
    assert_eq!(
        (sleep[0].from, sleep[0].to),
        (date(2026, 1, 27), date(2026, 2, 23))
    );
}

#[test]
fn trouble_of_one_kind_leaves_the_others_and_that_of_the_person_stops_all() {
    let now = at("2026-01-29T12:00:00Z");
    let mut kept = known_zone(now);
    fill(&mut kept, now, |days| days.to.year() > 2024);
    let morning = at("2026-01-30T08:00:00Z");
    let changed = HistoryTrouble::again(None, TroubleClass::Changed, morning, None);
    kept.kinds.get_mut("sleep").unwrap().trouble = Some(changed.clone());
    let (fetches, until) = fill(&mut kept, morning, |_| true);
    assert_eq!(fetches.len(), KEPT_KINDS.len() - 1);
    assert_eq!(until, changed.retry_at);

    let paused = at("2026-01-31T08:10:00Z");
    kept.trouble = Some(HistoryTrouble::again(
        None,
        TroubleClass::RateLimited,
        morning,
        Some(paused),
    ));
    assert_eq!(next(&kept, at("2026-01-31T08:00:00Z")), FillStep::Rest(paused));
}
