//! Generated races for the calibration of the outlook: a half marathon run evenly, a marathon that fades, one with walk
//! breaks, an ultra with climbs, a ride with stops, one with few and long stops, a triathlon. Their hills, fades and noise
//! do not follow the model of the outlook.

use std::fmt::Write;

use crate::race::course::{Course, CourseFile};
use crate::race::plan::RacePlan;
use crate::race::support::running;
use crate::race::track::TrackSample;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LifeKind {
    Marathon,
    Ultra,
    Ride,
    Triathlon,
    Even,
    WalkBreaks,
    LongStops,
}

impl LifeKind {
    pub(super) const ALL: [Self; 7] = [
        Self::Marathon,
        Self::Ultra,
        Self::Ride,
        Self::Triathlon,
        Self::Even,
        Self::WalkBreaks,
        Self::LongStops,
    ];
}

pub(super) struct Life {
    pub(super) plan: RacePlan,
    pub(super) course: Option<Course>,
    pub(super) samples: Vec<TrackSample>,
    pub(super) whole_m: f64,
    pub(super) finish_s: f64,
}

/// A small generator of random numbers, so that every run generates the same races.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 to 1.
    pub(super) fn even(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A normally distributed number.
    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.even()).sum();
        deviation.mul_add(sum - 6.0, mean)
    }
}

/// How one leg of a generated race goes.
struct LifeLeg {
    activity: &'static str,
    length_m: f64,
    /// Speed on the flat at the start of the leg.
    mps: f64,
    /// Relative slowing from `fades_from` of the leg to its end.
    fade: f64,
    fades_from: f64,
    /// Standard deviation of the pace of ten minutes.
    noise: f64,
    /// Metres between two stops, and their usual length in seconds.
    stops: Option<(f64, f64)>,
    /// How many of ten steps are walked, from `fades_from` on.
    walks: u32,
    cadence_rpm: u32,
}

/// Cost of running on a grade, relative to the flat, after Minetti.
fn hill(grade: f64) -> f64 {
    let g = grade.clamp(-0.4, 0.4);
    let powers = [19.5, 46.3, -43.3, -30.4, 155.4];
    let cost: f64 = powers
        .iter()
        .zip(1..)
        .map(|(factor, power)| factor * g.powi(power))
        .sum();
    (1.0 + cost / 3.6).clamp(0.75, 5.0)
}

/// A course east of the start with hills of this height and length.
fn course(whole_m: f64, height_m: f64, hill_m: f64) -> Course {
    let mut text = String::from("<gpx><trk><trkseg>");
    let mut at_m = 0.0;
    while at_m <= whole_m {
        let lon = 14.3 + at_m / 76_370.0;
        let ele = altitude_m(at_m, height_m, hill_m);
        write!(
            text,
            r#"<trkpt lat="46.62" lon="{lon}"><ele>{ele:.1}</ele></trkpt>"#
        )
        .unwrap();
        at_m += 100.0;
    }
    text.push_str("</trkseg></trk></gpx>");
    CourseFile::read(&text, Some(whole_m), 0.1).unwrap().course
}

/// The second half is twice as steep as the first.
fn altitude_m(at_m: f64, height_m: f64, hill_m: f64) -> f64 {
    let turn = std::f64::consts::TAU * at_m / hill_m;
    let steep = if at_m > 2.5 * hill_m { 1.0 } else { 0.5 };
    height_m * steep * (1.0 - turn.cos()) / 2.0
}

impl Life {
    #[expect(clippy::too_many_lines, reason = "a table: one entry a kind of life")]
    pub(super) fn new(kind: LifeKind, seed: u64) -> Self {
        let mut dice = Dice::new(seed * 7 + kind as u64 + 1);
        let mut plan = RacePlan::default();
        let leg = |activity, length_m, mps, fade, fades_from, noise, stops| LifeLeg {
            activity,
            length_m,
            mps,
            fade,
            fades_from,
            noise,
            stops,
            walks: 0,
            cadence_rpm: 85,
        };
        let (mut hills, mut type_text) = (None, "marathon");
        let legs = match kind {
            LifeKind::Marathon => {
                let (fade, from) = (dice.normal(0.12, 0.07).max(-0.02), 0.4 + 0.3 * dice.even());
                vec![leg(
                    "RUNNING",
                    42_195.0,
                    dice.normal(3.1, 0.35),
                    fade,
                    from,
                    0.03,
                    None,
                )]
            }
            LifeKind::Ultra => {
                (hills, type_text) = (Some((700.0, 16_000.0)), "80 km trail run");
                let (fade, from) = (dice.normal(0.28, 0.13).max(0.0), 0.2 + 0.2 * dice.even());
                let mps = dice.normal(2.7, 0.3);
                vec![leg(
                    "TRAIL_RUNNING",
                    80_000.0,
                    mps,
                    fade,
                    from,
                    0.07,
                    Some((10_000.0, 360.0)),
                )]
            }
            LifeKind::Ride => {
                type_text = "160 km ride";
                let (fade, mps) = (dice.normal(0.06, 0.06), dice.normal(7.6, 0.8));
                vec![leg(
                    "CYCLING",
                    160_000.0,
                    mps,
                    fade,
                    0.3,
                    0.06,
                    Some((38_000.0, 420.0)),
                )]
            }
            LifeKind::Even => {
                type_text = "half marathon";
                let (fade, mps) = (dice.normal(0.0, 0.02), dice.normal(3.0, 0.4));
                vec![leg("RUNNING", 21_097.5, mps, fade, 0.5, 0.02, None)]
            }
            LifeKind::WalkBreaks => {
                let (fade, from) = (dice.normal(0.06, 0.04), 0.1 + 0.5 * dice.even());
                let mps = dice.normal(2.8, 0.3);
                let mut run = leg("RUNNING", 42_195.0, mps, fade, from, 0.03, None);
                run.walks = if dice.even() < 0.5 { 2 } else { 4 };
                vec![run]
            }
            LifeKind::LongStops => {
                type_text = "200 km ride";
                let (fade, mps) = (dice.normal(0.04, 0.04), dice.normal(7.0, 0.7));
                let stops = Some((40_000.0, 1200.0));
                vec![leg("CYCLING", 200_000.0, mps, fade, 0.3, 0.06, stops)]
            }
            LifeKind::Triathlon => {
                type_text = "70.3";
                let bike = dice.normal(8.6, 0.8);
                let run = bike * dice.normal(0.325, 0.035);
                vec![
                    leg(
                        "OPEN_WATER_SWIMMING",
                        1900.0,
                        dice.normal(0.88, 0.1),
                        0.05,
                        0.5,
                        0.03,
                        None,
                    ),
                    leg(
                        "TRANSITION",
                        300.0,
                        dice.normal(1.2, 0.25).max(0.5),
                        0.0,
                        0.5,
                        0.0,
                        None,
                    ),
                    leg(
                        "CYCLING",
                        90_000.0,
                        bike,
                        dice.normal(0.04, 0.04),
                        0.3,
                        0.05,
                        None,
                    ),
                    leg(
                        "TRANSITION",
                        250.0,
                        dice.normal(1.1, 0.25).max(0.5),
                        0.0,
                        0.5,
                        0.0,
                        None,
                    ),
                    leg("RUNNING", 21_097.5, run, dice.normal(0.1, 0.06), 0.3, 0.04, None),
                ]
            }
        };
        let fields = serde_json::json!({ "race_type": type_text });
        plan = plan.with(fields.as_object().unwrap()).unwrap().0;
        let whole_m = plan.distance_m.unwrap();
        let course = hills.map(|(height_m, hill_m)| course(whole_m, height_m, hill_m));
        let mut life = Self {
            plan,
            course,
            samples: Vec::new(),
            whole_m,
            finish_s: 0.0,
        };
        let mut from_m = 0.0;
        for leg in &legs {
            life.go(&mut dice, leg, from_m, hills);
            from_m += leg.length_m;
        }
        life
    }

    #[expect(clippy::cast_possible_truncation, reason = "seconds of a race")]
    fn go(&mut self, dice: &mut Dice, leg: &LifeLeg, from_m: f64, hills: Option<(f64, f64)>) {
        const STEP_S: i64 = 30;
        let leg_from_s = self.finish_s;
        let (mut at_m, mut noise, mut form, mut stop_s) = (0.0, 0.0, 0.0, 0.0);
        let mut form_until_m = 0.0;
        let mut next_stop_m = leg.stops.map_or(f64::INFINITY, |(every_m, _)| every_m);
        let climber = dice.normal(1.0, 0.12);
        let mut step = 0;
        while at_m < leg.length_m {
            step += 1;
            if step % 20 == 1 {
                noise = 0.75 * noise + dice.normal(0.0, leg.noise * 0.66);
            }
            // Recordings differ as much between their halves as between their eighths, so the form also drifts slowly.
            if at_m >= form_until_m {
                form = 0.9 * form + dice.normal(0.0, leg.noise * 0.6);
                form_until_m += leg.length_m / 20.0;
            }
            let share = at_m / leg.length_m;
            let faded = leg.fade * ((share - leg.fades_from) / (1.0 - leg.fades_from)).max(0.0);
            let grade = hills.map_or(0.0, |(height_m, hill_m)| {
                let here_m = from_m + at_m;
                (altitude_m(here_m + 50.0, height_m, hill_m) - altitude_m(here_m, height_m, hill_m)) / 50.0
            });
            let walks = share > leg.fades_from && step % 10 < leg.walks;
            let gait = if walks { 0.55 } else { 1.0 };
            let mps = gait * leg.mps * (-noise - form - faded).exp() / hill(grade).powf(climber);
            if at_m >= next_stop_m {
                let (every_m, usual_s) = leg.stops.unwrap();
                next_stop_m += every_m * dice.normal(1.0, 0.15);
                stop_s = usual_s * dice.normal(0.0, 0.5).exp();
            }
            let stands = stop_s > 0.0;
            if stands {
                stop_s -= STEP_S as f64;
            }
            let before_m = at_m;
            at_m += if stands { 0.0 } else { mps * STEP_S as f64 };
            let part = if at_m > leg.length_m {
                (leg.length_m - before_m) / (at_m - before_m)
            } else {
                1.0
            };
            at_m = at_m.min(leg.length_m);
            self.finish_s += STEP_S as f64 * part;
            let mut sample = running(self.finish_s as i64, from_m + at_m);
            sample.point.activity_type = Some(leg.activity.into());
            sample.point.distance_m = Some(at_m);
            sample.point.duration_s = Some(self.finish_s - leg_from_s);
            sample.point.cadence_rpm = Some(if stands { 0 } else { leg.cadence_rpm });
            self.samples.push(sample);
        }
    }
}
