//! The quantities of a recording.

use crate::garmin::files::Sample;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) enum SampleQuantity {
    HeartRate,
    Power,
    Speed,
    /// The speed on flat ground that would cost as much energy.
    GradeAdjustedSpeed,
    Cadence,
    Altitude,
    /// Rise over run, in percent.
    Grade,
    Temperature,
    Distance,
}

/// Below this speed a runner or rider is standing still.
pub(in crate::tools) const STANDING_MPS: f64 = 0.5;

impl SampleQuantity {
    pub(in crate::tools) const ALL: [(SampleQuantity, &str); 9] = [
        (SampleQuantity::HeartRate, "heart_rate_bpm"),
        (SampleQuantity::Power, "power_w"),
        (SampleQuantity::Speed, "speed_mps"),
        (SampleQuantity::GradeAdjustedSpeed, "grade_adjusted_speed_mps"),
        (SampleQuantity::Cadence, "cadence_rpm"),
        (SampleQuantity::Altitude, "altitude_m"),
        (SampleQuantity::Grade, "grade_pct"),
        (SampleQuantity::Temperature, "temperature_c"),
        (SampleQuantity::Distance, "distance_m"),
    ];

    pub(in crate::tools) fn name(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(metric, _)| *metric == self);
        known.map_or("", |(_, name)| name)
    }

    /// The number of decimals in an answer.
    pub(in crate::tools) fn digits(self) -> usize {
        match self {
            SampleQuantity::Speed | SampleQuantity::GradeAdjustedSpeed => 2,
            SampleQuantity::Altitude | SampleQuantity::Grade => 1,
            _ => 0,
        }
    }
}

/// How much more energy a metre costs a runner on this grade than on the flat (Minetti et al. 2002).
pub(in crate::tools) fn energy_factor(grade: f64) -> f64 {
    let g = grade.clamp(-0.45, 0.45);
    let cost = [155.4, -30.4, -43.3, 46.3, 19.5, 3.6];
    cost.into_iter().fold(0.0, |sum, factor| sum * g + factor) / 3.6
}

/// The grade at each sample, measured from 40 m before it to 40 m after it; `None` where distance or altitude is
/// missing or the path is too short.
pub(in crate::tools) fn grades(samples: &[Sample]) -> Vec<Option<f64>> {
    const REACH_M: f64 = 40.0;
    const LEAST_M: f64 = 20.0;
    let known: Vec<(usize, f64, f64)> = samples
        .iter()
        .enumerate()
        .filter_map(|(index, sample)| {
            Some((
                index,
                f64::from(sample.distance_m?),
                f64::from(sample.altitude_m?),
            ))
        })
        .collect();
    let mut grades = vec![None; samples.len()];
    let (mut low, mut high) = (0, 0);
    for (index, at_m, _) in &known {
        while known.get(low).is_some_and(|(_, m, _)| at_m - m > REACH_M) {
            low += 1;
        }
        while known.get(high + 1).is_some_and(|(_, m, _)| m - at_m <= REACH_M) {
            high += 1;
        }
        if let (Some((_, from_m, from)), Some((_, to_m, to)), Some(grade)) =
            (known.get(low), known.get(high), grades.get_mut(*index))
            && to_m - from_m >= LEAST_M
        {
            *grade = Some((to - from) / (to_m - from_m));
        }
    }
    grades
}
