use super::metric::energy_factor;
use super::*;
use crate::garmin::files::Recording;
use crate::garmin::files::fit::{FitValue, FitWriter, message};
use crate::garmin::files::read;

const START: i64 = 1_767_866_400;

/// A recording from (second, watts, bpm, mm/s, cm, altitude in m), with pauses.
fn recording(samples: &[(i64, u32, u32, u32, u32, i32)], pauses: &[(i64, i64)]) -> Recording {
    use FitValue::Whole;
    let mut fit = FitWriter::default();
    for (at, watts, bpm, speed, distance, altitude) in samples {
        let fields = [
            (7, Whole(*watts)),
            (3, Whole(*bpm)),
            (73, Whole(*speed)),
            (5, Whole(*distance)),
            (78, Whole(u32::try_from((altitude + 500) * 5).unwrap())),
        ];
        fit.timed(message::RECORD, START + at, &fields);
    }
    for (from, to) in pauses {
        fit.timed(message::EVENT, START + from, &[(0, Whole(0)), (1, Whole(4))]);
        fit.timed(message::EVENT, START + to, &[(0, Whole(0)), (1, Whole(0))]);
    }
    read(&fit.finish()).unwrap()
}

fn near(value: f64, wanted: f64) {
    assert!(
        (value - wanted).abs() < 1e-6 * wanted.abs().max(1.0),
        "{value} is not {wanted}"
    );
}

#[test]
fn means_are_weighted_with_time_and_leave_pauses_out() {
    // 100 W for 1 s, 200 W for 9 s, a pause of 90 s, 400 W for 10 s and for the last second.
    let samples = [
        (0, 100, 100, 0, 0, 0),
        (1, 200, 110, 0, 0, 0),
        (100, 400, 120, 0, 0, 0),
        (110, 400, 120, 0, 0, 0),
    ];
    let recording = recording(&samples, &[(10, 100)]);
    let analysis = Analysis::new(&recording);
    let mean = analysis.mean(SampleQuantity::Power, analysis.whole()).unwrap();
    near(mean.covered_s, 21.0);
    near(mean.average, (100.0 + 1_800.0 + 4_400.0) / 21.0);
    near(mean.most, 400.0);
    near(analysis.timer_s(analysis.whole()), 21.0);
    let part = Window {
        from_s: 5.0,
        to_s: 105.0,
    };
    near(analysis.mean(SampleQuantity::Power, part).unwrap().average, 300.0);
    assert_eq!(
        analysis.zones_s(SampleQuantity::HeartRate, &[105.0, 115.0], analysis.whole()),
        [1.0, 9.0, 11.0]
    );
}

#[test]
fn the_power_curve_has_the_best_effort_of_each_duration() {
    // Smart recording: 250 W for a minute in samples of 10 s, in the middle of 100 W.
    let samples: Vec<_> = (0..40)
        .map(|n| {
            (
                n * 10,
                if (10..16).contains(&n) { 250 } else { 100 },
                120,
                0,
                0,
                0,
            )
        })
        .collect();
    let steady = recording(&samples, &[]);
    let curve = Analysis::new(&steady).power_curve();
    assert_eq!(
        serde_json::json!(curve),
        serde_json::json!({"5s": 250, "30s": 250, "1min": 250, "5min": 130})
    );
    // A pause in the middle of an effort is not skipped.
    let samples = [
        (0, 300, 120, 0, 0, 0),
        (20, 300, 120, 0, 0, 0),
        (620, 300, 120, 0, 0, 0),
        (640, 300, 120, 0, 0, 0),
    ];
    let paused = recording(&samples, &[(40, 620)]);
    let best = Analysis::new(&paused).best_powers();
    near(best[2].1, 300.0 * 40.0 / 60.0);
}

#[test]
fn normalized_power_is_the_mean_of_steady_power_and_more_of_unsteady_power() {
    let steady: Vec<_> = (0..1_200).map(|n| (n, 200, 120, 0, 0, 0)).collect();
    let steady = recording(&steady, &[]);
    let analysis = Analysis::new(&steady);
    near(analysis.normalized_power(analysis.whole()).unwrap(), 200.0);
    let unsteady: Vec<_> = (0..1_200)
        .map(|n| (n, if n / 60 % 2 == 0 { 100 } else { 300 }, 120, 0, 0, 0))
        .collect();
    let unsteady = recording(&unsteady, &[]);
    let analysis = Analysis::new(&unsteady);
    let normalized = analysis.normalized_power(analysis.whole()).unwrap();
    assert!((230.0..260.0).contains(&normalized), "{normalized}");
    assert_eq!(
        analysis.normalized_power(Window {
            from_s: 0.0,
            to_s: 300.0
        }),
        None
    );
}

#[test]
fn decoupling_is_the_loss_of_efficiency_by_power_and_pace() {
    // An hour with 200 W at 3 m/s; the heart rate is 140, then 154. The second half has half as many samples.
    let samples: Vec<_> = (0..1_800)
        .map(|n| (n, 200, 140, 3_000, 0, 0))
        .chain((0..900).map(|n| (1_800 + n * 2, 200, 154, 3_000, 0, 0)))
        .collect();
    let drifting = recording(&samples, &[]);
    let analysis = Analysis::new(&drifting);
    for metric in [
        SampleQuantity::Power,
        SampleQuantity::Speed,
        SampleQuantity::GradeAdjustedSpeed,
    ] {
        let drift = analysis.decoupling(metric, analysis.whole()).unwrap();
        assert!((drift.percent - 100.0 / 11.0).abs() < 0.05, "{drift:?}");
        assert_eq!(drift.interpretation(), "moderate_drift");
    }
    assert_eq!(
        analysis.decoupling(
            SampleQuantity::Power,
            Window {
                from_s: 0.0,
                to_s: 1_100.0
            }
        ),
        None
    );
    let told = analysis.drift(analysis.whole(), false);
    assert!(told.contains_key("by_pace") && !told.contains_key("by_grade_adjusted_pace"));
}

#[test]
fn uphill_pace_is_adjusted_by_the_cost_of_energy() {
    near(energy_factor(0.0), 1.0);
    assert!(
        (energy_factor(0.1) - 1.657).abs() < 0.01,
        "{}",
        energy_factor(0.1)
    );
    assert!(energy_factor(-0.1) < 0.65);
    // 3 m/s up 10 %: 1 m every 10 m, for 20 minutes.
    let samples: Vec<_> = (0..120)
        .map(|n: i32| {
            (
                i64::from(n) * 10,
                0,
                150,
                3_000,
                u32::try_from(n).unwrap() * 3_000,
                n * 3,
            )
        })
        .collect();
    let uphill = recording(&samples, &[]);
    let analysis = Analysis::new(&uphill);
    near(analysis.value(50, SampleQuantity::Grade).unwrap(), 10.0);
    let adjusted = analysis
        .mean(SampleQuantity::GradeAdjustedSpeed, analysis.whole())
        .unwrap()
        .average;
    assert!((adjusted - 3.0 * energy_factor(0.1)).abs() < 0.02, "{adjusted}");
    let (up, down) = analysis.climb_m(analysis.whole()).unwrap();
    assert!((355.0..=357.0).contains(&up) && down < 1e-9, "{up} {down}");
    let climbs = analysis.climbs();
    assert_eq!(climbs.len(), 1);
    let climb = analysis.climb(climbs[0], Some(60.0));
    assert_eq!(climb["avg_grade_pct"], 10.0);
    assert_eq!(
        climb["vam_m_per_hr"]
            .as_f64()
            .map(|vam| (vam / 20.0).round() * 20.0),
        Some(1_080.0)
    );
    assert_eq!(analysis.by_grade().keys().collect::<Vec<_>>(), ["steep"]);
}

#[test]
fn splits_end_where_the_distance_was_reached() {
    // 4 m/s, then 2 m/s, in samples of 10 s.
    let mut metres = 0;
    let samples: Vec<_> = (0..80_u32)
        .map(|n| {
            let sample = (i64::from(n) * 10, 0, 100 + n, 0, metres * 100, 0);
            metres += if n < 30 { 40 } else { 20 };
            sample
        })
        .collect();
    let run = recording(&samples, &[]);
    let analysis = Analysis::new(&run);
    let splits = analysis.splits(1_000.0);
    let times: Vec<_> = splits.iter().map(|split| (split.from_s, split.to_s)).collect();
    assert_eq!(times, [(0.0, 250.0), (250.0, 700.0), (700.0, 790.0)]);
    let first = analysis.lap(&splits[0], true);
    assert_eq!(
        (&first["pace_s_per_km"], &first["distance_m"]),
        (&250.into(), &1_000.0.into())
    );
    let second = analysis.lap(&splits[1], true);
    assert_eq!(second["pace_s_per_km"], 450);
    assert_eq!(second["avg_heart_rate_bpm"], 147.0);
}

#[test]
fn a_series_has_one_row_for_each_interval() {
    let samples = [
        (0, 100, 100, 4_000, 0, 0),
        (15, 200, 110, 4_000, 6_000, 0),
        (60, 300, 120, 4_000, 10_000, 0),
    ];
    let series = recording(&samples, &[(20, 55)]);
    let analysis = Analysis::new(&series);
    let window = Window {
        from_s: 0.0,
        to_s: 61.0,
    };
    let columns = analysis.columns(
        &[
            SampleQuantity::Power,
            SampleQuantity::Speed,
            SampleQuantity::Cadence,
            SampleQuantity::Distance,
        ],
        window,
        10.0,
        true,
    );
    assert_eq!(
        serde_json::json!(columns),
        serde_json::json!({
            "power_w": [100, 150, null, null, null, null, 300],
            "pace_s_per_km": [250, 250, null, null, null, null, 250],
            "speed_mps": [4.0, 4.0, null, null, null, null, 4.0],
            "distance_m": [0, 60, null, null, null, null, 100],
        })
    );
    near(
        series::usual_interval_s(Window {
            from_s: 0.0,
            to_s: 3_600.0,
        }),
        15.0,
    );
}

/// Prints what the analysis of six hours costs. Run it with `--release` and `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::print_stdout, reason = "it is the point of this measurement")]
fn six_hours() {
    let samples: Vec<_> = (0..21_600_u32)
        .map(|n| {
            (
                i64::from(n),
                150 + n % 100,
                120 + n % 30,
                3_000 + n % 500,
                n * 300,
                i32::try_from(n / 40 % 400).unwrap(),
            )
        })
        .collect();
    let mut fit = FitWriter::default();
    for (at, watts, bpm, speed, distance, altitude) in samples {
        let fields = [
            (7, FitValue::Whole(watts)),
            (3, FitValue::Whole(bpm)),
            (73, FitValue::Whole(speed)),
            (5, FitValue::Whole(distance)),
            (78, FitValue::Whole(u32::try_from((altitude + 500) * 5).unwrap())),
        ];
        fit.timed(message::RECORD, START + at, &fields);
    }
    let archive = crate::garmin::files::pack::zip("a.fit", &fit.finish());
    let started = std::time::Instant::now();
    let recording = read(&archive).unwrap();
    let parsed = started.elapsed();
    let analysis = Analysis::new(&recording);
    let whole = analysis.whole();
    let laps: Vec<_> = analysis
        .splits(1_000.0)
        .iter()
        .map(|split| analysis.lap(split, true))
        .collect();
    let found = (
        analysis.power_curve(),
        analysis.drift(whole, true),
        analysis.climbs(),
        analysis.by_grade(),
    );
    let metrics = SampleQuantity::ALL.map(|(metric, _)| metric);
    let columns = analysis.columns(&metrics, whole, 30.0, true);
    println!(
        "read {parsed:?}, in all {:?}; {} laps, {} columns, {:?}",
        started.elapsed(),
        laps.len(),
        columns.len(),
        found.0
    );
}
