mod lives;

use std::collections::BTreeMap;

use lives::{Life, LifeKind};

use super::*;
use crate::race::plan::RacePlan;
use crate::race::support::{at, steady};
use crate::race::track::Track;

const LIVES: u64 = 40;

/// One forecast of the finish against the truth.
struct Forecast {
    kind: LifeKind,
    quarter: u32,
    is_inside: bool,
    /// Errors as a share of the whole time.
    error: f64,
    plain_error: f64,
}

fn forecasts(kind: LifeKind, seed: u64) -> Vec<Forecast> {
    let life = Life::new(kind, seed);
    let mut track = Track::new(life.plan.kind);
    let mut all = Vec::new();
    let mut quarter = 1;
    for sample in &life.samples {
        track.push(life.course.as_ref(), sample);
        if quarter > 3 || track.progress_m() < life.whole_m * f64::from(quarter) / 4.0 {
            continue;
        }
        let goal = RaceGoal {
            track: &track,
            plan: &life.plan,
            course: life.course.as_ref(),
        };
        let outlook = Outlook::of(goal, sample.seen_at, None, None).unwrap();
        let arrival = outlook.finish().unwrap();
        let plain_s = track.elapsed_s() / track.progress_m() * life.whole_m;
        all.push(Forecast {
            kind,
            quarter,
            is_inside: (arrival.early_s..=arrival.late_s).contains(&life.finish_s),
            error: (arrival.likely_s / life.finish_s - 1.0).abs(),
            plain_error: (plain_s / life.finish_s - 1.0).abs(),
        });
        quarter += 1;
    }
    all
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "the table of the README")]
#[test]
fn the_window_holds_four_of_five_and_beats_plain_extrapolation() {
    let all: Vec<Forecast> = LifeKind::ALL
        .into_iter()
        .flat_map(|kind| (0..LIVES).flat_map(move |seed| forecasts(kind, seed)))
        .collect();
    let mut table: BTreeMap<(LifeKind, u32), Vec<&Forecast>> = BTreeMap::new();
    for forecast in &all {
        table
            .entry((forecast.kind, forecast.quarter))
            .or_default()
            .push(forecast);
    }
    let inside =
        |group: &[&Forecast]| group.iter().filter(|one| one.is_inside).count() as f64 / group.len() as f64;
    let lines: Vec<String> = table
        .iter()
        .map(|((kind, quarter), group)| {
            format!(
                "{kind:?} {quarter}/4: {:.0} % inside, error {:.2} %, plain {:.2} %",
                inside(group) * 100.0,
                median(group.iter().map(|one| one.error)) * 100.0,
                median(group.iter().map(|one| one.plain_error)) * 100.0
            )
        })
        .collect();
    let table_text = lines.join("\n");
    println!("{table_text}");
    let everything: Vec<_> = all.iter().collect();
    let coverage = inside(&everything);
    assert!((0.75..=0.85).contains(&coverage), "{coverage}\n{table_text}");
    for (kind, quarter) in LifeKind::ALL
        .into_iter()
        .flat_map(|kind| (1..=3).map(move |quarter| (kind, quarter)))
    {
        let group = &table[&(kind, quarter)];
        let covered = inside(group);
        // Even races are always inside, because the window allows for trouble that has not come yet.
        assert!(covered >= 0.6, "{kind:?} {quarter}: {covered}\n{table_text}");
        if quarter == 2 {
            let error = median(group.iter().map(|one| one.error));
            let plain = median(group.iter().map(|one| one.plain_error));
            // For an even race, nothing beats plain extrapolation.
            let most = if kind == LifeKind::Even { 0.015 } else { plain };
            assert!(error < most, "{kind:?}: {error} {plain}\n{table_text}");
        }
    }
}

fn goal<'a>(track: &'a Track, plan: &'a RacePlan) -> RaceGoal<'a> {
    RaceGoal {
        track,
        plan,
        course: None,
    }
}

#[test]
fn in_silence_the_outlook_goes_on_and_widens() {
    let plan = RacePlan {
        kind: crate::race::sport::RaceKind::Run,
        distance_m: Some(21_097.5),
        ..RacePlan::default()
    };
    let track = Track::of(plan.kind, None, &steady(3600, 3.0));
    let width = |arrival: ArrivalWindow| arrival.late_s - arrival.early_s;
    let seen = Outlook::of(goal(&track, &plan), at(3615), None, None).unwrap();
    let silent = |minutes: i64| {
        let silence = SignedDuration::from_mins(minutes);
        Outlook::of(goal(&track, &plan), at(3600 + minutes * 60), Some(silence), None).unwrap()
    };
    let before = seen.finish().unwrap();
    assert!((before.likely_s - 7032.0).abs() < 200.0, "{before:?}");
    let (short, long) = (silent(10).finish().unwrap(), silent(40).finish().unwrap());
    assert!((short.likely_s - before.likely_s).abs() < 1.0);
    assert!(width(before) < width(short) && width(short) < width(long));
    assert_eq!(silent(10).silence_s, Some(600.0));
    // The likely arrival has passed, and the window stays open.
    let overdue = silent(90).finish().unwrap();
    assert!(overdue.late_s > 9000.0, "{overdue:?}");
}

#[test]
fn a_place_is_passed_ahead_or_unknown() {
    let mut plan = RacePlan {
        distance_m: Some(20_000.0),
        ..RacePlan::default()
    };
    plan.checkpoints = [("A", 5.0), ("B", 12.0)]
        .map(|(name, km)| Checkpoint {
            name: name.into(),
            km,
            stop_s: Some(600),
            ..Checkpoint::default()
        })
        .into();
    let track = Track::of(plan.kind, None, &steady(3600, 3.0));
    let outlook = Outlook::of(goal(&track, &plan), at(3615), None, None).unwrap();
    let places = outlook.places();
    let names: Vec<_> = places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names, ["A", "B", "finish"]);
    let PlaceState::Passed(crossing) = places[0].state else {
        panic!("{places:?}")
    };
    assert_eq!(crossing.between, None);
    assert!((crossing.at.duration_since(at(0)).as_secs_f64() - 1666.7).abs() < 1.0);
    let (PlaceState::Ahead(b), PlaceState::Ahead(finish)) = (places[1].state, places[2].state) else {
        panic!("{places:?}")
    };
    // The stop at B comes after the arrival there.
    let way_s = finish.likely_s - b.likely_s;
    assert!(
        b.likely_s < 4050.0 && (3200.0..3500.0).contains(&way_s),
        "{b:?} {finish:?}"
    );
    let young = Track::of(plan.kind, None, &steady(600, 3.0));
    assert!(Outlook::of(goal(&young, &plan), at(615), None, None).is_none());
    let unknown = places_without_outlook(&young, &plan);
    assert!(unknown.iter().all(|place| place.state == PlaceState::Unknown));
}

fn places_without_outlook(track: &Track, plan: &RacePlan) -> Vec<PlaceOutlook> {
    places(goal(track, plan), None)
}

#[test]
fn a_transition_and_the_start_of_a_leg_go_by_the_legs_before() {
    let (mut looks, mut inside, mut worst) = (0, 0, 0.0_f64);
    for seed in 0..LIVES {
        let life = Life::new(LifeKind::Triathlon, seed);
        let mut track = Track::new(life.plan.kind);
        let mut seen = 1;
        for sample in &life.samples {
            track.push(None, sample);
            let minute = track.leg().is_some_and(|leg| leg.elapsed_s() >= 60.0);
            if !minute || track.legs.len() <= seen {
                continue;
            }
            seen = track.legs.len();
            let goal = goal(&track, &life.plan);
            let arrival = Outlook::of(goal, sample.seen_at, None, None)
                .and_then(|outlook| outlook.finish())
                .unwrap();
            looks += 1;
            inside += u32::from((arrival.early_s..=arrival.late_s).contains(&life.finish_s));
            worst = worst.max((arrival.likely_s / life.finish_s - 1.0).abs());
        }
    }
    assert!(looks >= 150 && inside * 4 >= looks * 3, "{inside} of {looks}");
    assert!(worst < 0.35, "{worst}");
}
