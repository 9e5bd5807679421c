use super::*;

const RUN: LegKind = LegKind::Run;

fn lap(distance_m: f64, moving_s: f64) -> PastLap {
    PastLap {
        distance_m,
        moving_s,
        ascent_m: 0.0,
        descent_m: 0.0,
    }
}

/// A flat run in laps of 1 km whose pace slows evenly by `per_doubling`, as the law says.
fn run(km: u32, pace_s: f64, per_doubling: f64) -> PastActivity {
    let hours = f64::from(km) * pace_s / 3600.0;
    let slowing = per_doubling * hours.log2();
    let pace =
        |lap: u32| pace_s * (1.0 + slowing * (f64::from(lap) + 0.5) / f64::from(km)) / (1.0 + slowing / 2.0);
    PastActivity {
        laps: (0..km).map(|number| lap(1000.0, pace(number))).collect(),
    }
}

fn own(past: &[PastActivity]) -> Option<OwnFade> {
    OwnFade::of(RUN, past)
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 0.001
}

#[test]
fn the_law_is_read_back_from_the_laps() {
    for per_doubling in [0.04, 0.1, 0.18] {
        let (value, weight) = shown(RUN, &run(30, 360.0, per_doubling)).unwrap();
        assert!(near(value, per_doubling), "{value} {per_doubling}");
        assert!(near(weight, 3f64.log2()), "{weight}");
    }
}

#[test]
fn many_activities_outweigh_the_usual_and_one_does_not() {
    let six = own(&vec![run(30, 360.0, 0.16); 6]).unwrap();
    assert_eq!(six.activities, 6);
    assert!(
        near(six.per_doubling, (3.0 * SLOWING_RUN + 6.0 * 0.16) / 9.0),
        "{six:?}"
    );
    let one = own(&[run(30, 360.0, 0.16)]).unwrap();
    assert_eq!(one.activities, 1);
    assert!(
        near(one.per_doubling, (3.0 * SLOWING_RUN + 0.16) / 4.0),
        "{one:?}"
    );
    assert_eq!(own(&[]), None);
}

#[test]
fn one_bad_day_moves_little() {
    let mut past = vec![run(30, 360.0, 0.1); 4];
    let before = own(&past).unwrap().per_doubling;
    past.push(run(30, 360.0, 0.9));
    let after = own(&past).unwrap().per_doubling;
    assert!((after - before).abs() < 0.01, "{before} {after}");
}

#[test]
fn a_long_activity_counts_more_than_a_short_one() {
    let six_hours = run(60, 360.0, 0.12);
    let short = run(15, 360.0, 0.04);
    let (shown_long, shown_short) = (shown(RUN, &six_hours).unwrap(), shown(RUN, &short).unwrap());
    assert!(shown_long.1 > 4.0 * shown_short.1);
    let mixed = own(&[six_hours, short.clone(), short]).unwrap();
    assert!(mixed.per_doubling > SLOWING_RUN, "{mixed:?}");
}

#[test]
fn negative_splits_leave_half_of_the_usual() {
    let negative = own(&vec![run(30, 360.0, -0.05); 6]).unwrap();
    let least = SLOWING_RUN / 2.0;
    assert!(
        near(negative.per_doubling, (3.0 * SLOWING_RUN + 6.0 * least) / 9.0),
        "{negative:?}"
    );
    let terrible = own(&vec![run(30, 360.0, 2.0); 6]).unwrap();
    assert!(terrible.per_doubling <= 3.0 * SLOWING_RUN, "{terrible:?}");
}

#[test]
fn garbage_laps_are_left_out() {
    let clean = run(30, 360.0, 0.1);
    let mut dirty = clean.clone();
    for (at, garbage) in [
        (3, lap(0.0, 300.0)),
        (7, lap(1000.0, 0.0)),
        (11, lap(-1000.0, 360.0)),
        (13, lap(f64::NAN, 360.0)),
        (17, lap(1000.0, f64::INFINITY)),
        // A pause of an hour that counts as motion, and a jump of the position.
        (25, lap(400.0, 3600.0)),
        (28, lap(9000.0, 300.0)),
    ] {
        dirty.laps.insert(at, garbage);
    }
    let mut wrong_climb = clean.laps[4];
    wrong_climb.ascent_m = f64::NAN;
    dirty.laps.push(wrong_climb);
    let (clean, dirty) = (own(&[clean]).unwrap(), own(&[dirty]).unwrap());
    assert!(
        near(dirty.per_doubling, clean.per_doubling),
        "{clean:?} {dirty:?}"
    );
}

#[test]
fn activities_that_show_no_fade_are_not_counted() {
    let unusable = [
        PastActivity { laps: Vec::new() },
        PastActivity {
            laps: vec![lap(0.0, 600.0); 20],
        },
        // One lap for the whole run hides the fade.
        PastActivity {
            laps: vec![lap(25_000.0, 9000.0)],
        },
        // Too short.
        run(10, 360.0, 0.1),
    ];
    assert_eq!(own(&unusable), None);
    let mut past = unusable.to_vec();
    past.push(run(30, 360.0, 0.1));
    assert_eq!(own(&past).unwrap().activities, 1);
}

#[test]
fn walk_breaks_all_along_are_no_fade_and_walking_at_the_end_is_one() {
    // Four minutes of walking every fifth kilometre.
    let even = PastActivity {
        laps: (0..30)
            .map(|at| lap(1000.0, if at % 5 == 2 { 720.0 } else { 360.0 }))
            .collect(),
    };
    assert!(near(shown(RUN, &even).unwrap().0, 0.0));
    let late = PastActivity {
        laps: (0..30)
            .map(|at| lap(1000.0, if at >= 24 { 720.0 } else { 360.0 }))
            .collect(),
    };
    assert!(shown(RUN, &late).unwrap().0 > 0.2);
}

#[test]
fn a_climb_in_the_second_half_is_no_fade() {
    // 6 % up takes (1 + 2.6 · 0.06 + 15 · 0.06²) times as long at the same effort.
    let climb = PastLap {
        distance_m: 1000.0,
        moving_s: 360.0 * 1.21,
        ascent_m: 60.0,
        descent_m: 0.0,
    };
    let laps = (0..24)
        .map(|at| if at < 12 { lap(1000.0, 360.0) } else { climb })
        .collect();
    assert!(near(shown(RUN, &PastActivity { laps }).unwrap().0, 0.0));
}

#[test]
fn the_slowing_grows_with_the_length_and_is_bounded() {
    let own = Some(OwnFade {
        per_doubling: 0.15,
        activities: 6,
    });
    assert!(near(slowing(Some(RUN), 4.0, None), 0.14));
    assert!(near(slowing(Some(LegKind::Ride), 4.0, None), 0.06));
    assert!(near(slowing(Some(RUN), 2.0, own), 0.15));
    assert!(near(slowing(Some(RUN), 0.5, own), 0.0));
    assert!(near(slowing(Some(RUN), 24.0, own), MOST_SLOWING));
}

#[test]
fn a_fade_is_used_for_its_sport_alone() {
    let fade = own(&[run(30, 360.0, 0.1)]);
    let fades = OwnFades {
        athlete: "ann example".into(),
        is_owner: true,
        sports: vec![
            SportFade { sport: RUN, fade },
            SportFade {
                sport: LegKind::Swim,
                fade: None,
            },
        ],
    };
    assert_eq!(fades.of(Some(RUN)), fade);
    assert_eq!((fades.of(Some(LegKind::Ride)), fades.of(None)), (None, None));
    assert_eq!(
        (fades.read(LegKind::Swim), fades.read(LegKind::Ride)),
        (Some(None), None)
    );
}
