use super::*;
use crate::race::plan::Checkpoint;
use crate::race::recipients::Recipient;
use crate::race::sport::RaceKind;
use crate::race::support::at;

fn place(metres: f64) -> Position {
    Position {
        lat: 46.62,
        lon: 14.3 + metres / 76_370.0,
    }
}

fn course(from_m: f64, to_m: f64) -> Course {
    Course::from_places(&[place(from_m), place(f64::midpoint(from_m, to_m)), place(to_m)]).unwrap()
}

fn earlier(title: &str, created_s: i64, kind: RaceKind) -> EarlierRace {
    EarlierRace {
        title: title.into(),
        created_at: at(created_s),
        plan: RacePlan {
            kind,
            type_text: Some("10 km run".into()),
            distance_m: Some(10_000.0),
            target_time_s: Some(3000),
            notes: Some("calf hurts".into()),
            thresholds: Thresholds {
                hr_max: Some(150),
                ..Thresholds::default()
            },
            recipients: vec![Recipient::default()],
            checkpoints: vec![Checkpoint {
                name: "Mill".into(),
                km: 5.0,
                ..Checkpoint::default()
            }],
            ..RacePlan::default()
        },
        course: Some(course(0.0, 10_000.0)),
        activity_type: None,
        athlete: None,
    }
}

fn run(start_m: f64) -> NewRace {
    NewRace {
        activity_type: Some("TRAIL_RUNNING".into()),
        start: Some(place(start_m)),
        course: None,
    }
}

#[test]
fn a_race_from_the_same_start_takes_all_but_what_was_for_that_day() {
    let taken = inherit(&run(120.0), &[earlier("Lake Run", 0, RaceKind::Run)]).unwrap();
    assert_eq!(
        taken.told,
        "Taken from Lake Run of 4 Oct 2026: the limits hr_max 150 bpm, 1 recipient, the course of 10.0 km, \
         1 checkpoint. Claude can change all of it."
    );
    assert_eq!(
        (taken.plan.checkpoints.len(), taken.plan.distance_m),
        (1, Some(10_000.0))
    );
    assert!(taken.course.is_some());
    assert_eq!(
        (taken.plan.target_time_s, &taken.plan.notes, &taken.plan.name),
        (None, &None, &None)
    );
}

#[test]
fn a_race_elsewhere_takes_what_is_the_persons_only() {
    for (new, why) in [
        (run(900.0), "follows a different one"),
        (
            NewRace {
                start: None,
                ..run(0.0)
            },
            "it is not known yet",
        ),
        (
            NewRace {
                course: Some(course(0.0, 12_000.0)),
                ..run(0.0)
            },
            "follows a different one",
        ),
    ] {
        let taken = inherit(&new, &[earlier("Lake Run", 0, RaceKind::Run)]).unwrap();
        assert!(taken.told.contains(why), "{}", taken.told);
        assert!(taken.course.is_none() && taken.plan.checkpoints.is_empty());
        assert_eq!((taken.plan.distance_m, &taken.plan.type_text), (None, &None));
        assert_eq!(
            (taken.plan.thresholds.hr_max, taken.plan.recipients.len()),
            (Some(150), 1)
        );
    }
    let same = NewRace {
        course: Some(course(20.0, 10_100.0)),
        start: None,
        ..run(0.0)
    };
    assert!(
        inherit(&same, &[earlier("Lake Run", 0, RaceKind::Run)])
            .unwrap()
            .course
            .is_some()
    );
}

#[test]
fn only_the_newest_of_the_same_kind_counts() {
    let races = [
        earlier("Old Run", 0, RaceKind::Run),
        earlier("Run", 100, RaceKind::Run),
        earlier("Ride", 200, RaceKind::Ride),
        EarlierRace {
            activity_type: Some("MULTISPORT".into()),
            ..earlier("Multi", 300, RaceKind::Other)
        },
    ];
    let from = |activity: Option<&str>| {
        let new = NewRace {
            activity_type: activity.map(str::to_owned),
            ..run(0.0)
        };
        inherit(&new, &races).map(|taken| taken.told)
    };
    assert!(from(Some("RUNNING")).unwrap().starts_with("Taken from Run of"));
    assert!(from(Some("CYCLING")).unwrap().starts_with("Taken from Ride of"));
    assert!(
        from(Some("MULTISPORT"))
            .unwrap()
            .starts_with("Taken from Multi of")
    );
    assert_eq!(
        (from(Some("SWIMMING")), from(Some("OTHER")), from(None)),
        (None, None, None)
    );
    // A race with only default settings has nothing to take over.
    let bare = EarlierRace {
        plan: RacePlan {
            kind: RaceKind::Run,
            ..RacePlan::default()
        },
        course: None,
        ..earlier("Bare", 0, RaceKind::Run)
    };
    assert_eq!(inherit(&run(0.0), &[bare]), None);
}
