//! The alerts that a person asked for with place rules.

use super::*;
use crate::race::place_rule::{PlaceEvent, PlaceRule, RulePlace};

fn place_rule(name: &str, place: RulePlace, event: PlaceEvent) -> PlaceRule {
    PlaceRule {
        name: name.to_owned(),
        place,
        event,
    }
}

/// Plays a run of 10.8 km in an hour with these rules. Returns the alerts about places, with their minutes.
fn play_rules(rules: Vec<PlaceRule>, samples: &[TrackSample], to_min: i64) -> Vec<(AlertKind, i64, String)> {
    let settings = RacePlan {
        distance_m: Some(20_000.0),
        place_rules: rules,
        ..run()
    };
    let mut told = play(&settings, None, samples, to_min);
    told.retain(|(kind, ..)| kind.is_asked_for());
    told
}

fn by(minute: i64) -> PlaceEvent {
    PlaceEvent::NotThereBy(at(minute * 60))
}

#[test]
fn a_time_that_passes_is_told_once_and_an_arrival_in_time_is_not() {
    let mark = |km: f64| RulePlace::Mark { at_m: km * 1000.0 };
    let run = steady(3600, 3.0);
    // 9 km after 50 minutes, 10 km after 55:33. Silent after an hour.
    let told = play_rules(
        vec![
            place_rule("K9", mark(9.0), by(52)),
            place_rule("K10", mark(10.0), by(52)),
            place_rule("K12", mark(12.0), by(80)),
            place_rule("finish", RulePlace::Finish, by(100)),
        ],
        &run,
        130,
    );
    check(&told, &[(Overdue, 53), (Overdue, 83), (Overdue, 103)]);
    assert!(
        told[0]
            .2
            .starts_with("Not at K10 by 08:52. Last seen at 9.5 km at 08:52."),
        "{}",
        told[0].2
    );
    assert!(told[0].2.contains("Likely there at 08:55"), "{}", told[0].2);
    assert!(
        told[1]
            .2
            .starts_with("Not at K12 by 09:20. No signal for 23 min; last seen at 10.8 km at 09:00."),
        "{}",
        told[1].2
    );
    assert!(told[2].2.starts_with("Not finished by 09:40."), "{}", told[2].2);
}

#[test]
fn nothing_seen_at_all_is_told_too() {
    let told = play_rules(
        vec![place_rule("K3", RulePlace::Mark { at_m: 3000.0 }, by(20))],
        &[],
        40,
    );
    check(&told, &[(Overdue, 23)]);
    assert_eq!(
        told[0].2,
        "Not at K3 by 08:20. Nothing has been seen of the race so far."
    );
}

/// The athlete passes the place between two points that are a minute apart, both of them outside.
#[test]
fn a_place_is_entered_and_left_between_two_points() {
    let place = running(0, 3150.0).point.position.unwrap();
    let circle = |radius_m| RulePlace::Circle {
        lat: place.lat,
        lon: place.lon,
        radius_m,
    };
    let sparse: Vec<_> = (0..60)
        .map(|minute| running(minute * 60, minute as f64 * 180.0))
        .collect();
    let told = play_rules(
        vec![
            place_rule("bridge", circle(30), PlaceEvent::Enters),
            place_rule("bridge", circle(30), PlaceEvent::Leaves),
            place_rule("mill", circle(500), PlaceEvent::Enters),
            place_rule("mill", circle(500), PlaceEvent::Leaves),
            place_rule("bridge", circle(30), by(18)),
            place_rule("km 5", RulePlace::Mark { at_m: 5000.0 }, PlaceEvent::Leaves),
        ],
        &sparse,
        62,
    );
    check(
        &told,
        &[
            (PlaceEntered, 16),
            (PlaceEntered, 19),
            (PlaceLeft, 19),
            (PlaceLeft, 22),
            (PlaceLeft, 29),
        ],
    );
    assert_eq!(told[0].2, "Reached mill at 08:15.");
    assert_eq!(told[2].2, "Left bridge at 08:18.");
}

#[test]
fn who_waits_at_a_place_has_not_entered_it() {
    let here = running(0, 0.0).point.position.unwrap();
    let circle = RulePlace::Circle {
        lat: here.lat,
        lon: here.lon,
        radius_m: 100,
    };
    let told = play_rules(
        vec![
            place_rule("home", circle.clone(), PlaceEvent::Enters),
            place_rule("home", circle, PlaceEvent::Leaves),
        ],
        &steady(1200, 3.0),
        22,
    );
    check(&told, &[(PlaceLeft, 2)]);
}
