//! What a number with its unit may mean: `5:15` may be minutes, hours or a pace.

use super::token::{Number, NumberShape};
use super::units::{Measure, Reading, Unit};
use Measure::{Duration, Speed};

/// Nobody takes longer for a kilometre; minutes.
const SLOWEST_PACE_MIN: f64 = 40.0;

pub(super) fn readings(number: &Number, unit: Option<Unit>) -> Vec<Reading> {
    let reading = |measure, value, step| Reading { measure, value, step };
    match (&number.shape, unit) {
        (NumberShape::Clock(parts), unit) => clock(parts, unit),
        (NumberShape::Plain(value, step), None) => vec![reading(Measure::Bare, *value, *step)],
        (NumberShape::Ambiguous(one, other), None) => {
            vec![
                reading(Measure::Bare, *one, 0.001),
                reading(Measure::Bare, *other, 1.0),
            ]
        }
        (NumberShape::Plain(value, step), Some(unit)) => with_unit(*value, *step, unit),
        (NumberShape::Ambiguous(one, other), Some(unit)) => {
            [with_unit(*one, 0.001, unit), with_unit(*other, 1.0, unit)].concat()
        }
    }
}

fn with_unit(value: f64, step: f64, unit: Unit) -> Vec<Reading> {
    let reading = |measure, value, step| Reading { measure, value, step };
    match unit {
        Unit::Of(measure, factor) => vec![reading(measure, value * factor, step * factor)],
        Unit::PerKm => vec![reading(Measure::PaceDifference, value, step)],
        // "149 to 152 for every kilometre"
        Unit::Pace(_) if value > SLOWEST_PACE_MIN => vec![reading(Measure::Bare, value, step)],
        Unit::Pace(metres) if value > 0.0 => {
            let mut paces = vec![reading(Speed, metres / (value * 60.0), 0.0)];
            // 5.15 /km is often meant as 5:15.
            let seconds = value.fract() * 100.0;
            if seconds < 60.0 && step < 0.05 {
                paces.push(reading(Speed, metres / value.trunc().mul_add(60.0, seconds), 0.0));
            }
            paces
        }
        Unit::Pace(_) => Vec::new(),
    }
}

/// A clock reads as minutes and seconds, as hours and minutes, or as a pace, unless its unit says which.
fn clock(parts: &[f64], unit: Option<Unit>) -> Vec<Reading> {
    let seconds = parts.iter().fold(0.0, |sum, part| sum * 60.0 + part);
    let reading = |measure, value, step| Reading { measure, value, step };
    match unit {
        // "+0:15 /km"
        Some(Unit::Pace(1000.0)) if parts.len() == 2 && seconds < 60.0 => {
            vec![reading(Measure::PaceDifference, seconds, 1.0)]
        }
        Some(Unit::Pace(metres)) if seconds > 0.0 => vec![reading(Speed, metres / seconds, 0.0)],
        Some(Unit::Of(Duration, factor)) if factor > 60.0 && parts.len() == 2 => {
            vec![reading(Duration, seconds * 60.0, 60.0)]
        }
        None | Some(Unit::Of(Duration, _)) => {
            let mut readings = vec![reading(Duration, seconds, 1.0)];
            if parts.len() == 2 {
                readings.push(reading(Duration, seconds * 60.0, 60.0));
                if (60.0..1800.0).contains(&seconds) {
                    readings.push(reading(Speed, 1000.0 / seconds, 0.0));
                    readings.push(reading(Speed, 100.0 / seconds, 0.0));
                }
            }
            readings
        }
        // A clock fits no other unit: `5:15 km/h`.
        Some(_) => vec![reading(Measure::Misfit, seconds, 1.0)],
    }
}
