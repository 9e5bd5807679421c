//! Numbers whose value is given in several parts: `3 min 20 s`, `two and a half hours`, `one kilometre and 200 metres`.

use super::number::{first, number};
use super::readings::readings;
use super::token::{Number, NumberShape, Token, one_of};
use super::units::{Measure, Reading, UNIT_PHRASES, Unit};
use super::wording::{and_half, metres_after};
use Measure::{Duration, Speed};

/// The readings of a number with its unit and the parts after it. `taken` is its length in tokens, without and with them.
pub(super) fn in_parts(
    tokens: &[Token],
    number: &Number,
    unit: Unit,
    fraction: Option<(f64, usize)>,
    mut taken: usize,
) -> (Vec<Reading>, usize) {
    let mut readings = readings(number, Some(unit));
    for reading in &mut readings {
        match (unit, fraction) {
            (Unit::Of(_, factor), Some((part, _))) => {
                (reading.value, reading.step) = (factor.mul_add(part, reading.value), factor / 6.0);
            }
            (Unit::Pace(metres), Some((part, _))) => {
                reading.value = metres / (metres / reading.value + 60.0 * part);
            }
            _ => {}
        }
        if reading.measure == Duration
            && !matches!(number.shape, NumberShape::Clock(_))
            && let Some((more_s, step, more)) = tokens
                .get(taken..)
                .and_then(|rest| smaller_part(rest, reading.step))
        {
            (reading.value, reading.step) = (reading.value + more_s, step);
            taken += more;
        }
    }
    // "one kilometre and 200 metres"
    if let (Unit::Of(Measure::Distance, 1000.0), [way], Some((metres, more))) = (
        unit,
        readings.as_mut_slice(),
        tokens.get(taken..).and_then(metres_after),
    ) {
        (way.value, way.step) = (way.value + metres, 50.0);
        taken += more;
    }
    // "six minutes and a half"
    if let (Unit::Of(Duration, factor), [time], Some(more)) = (
        unit,
        readings.as_mut_slice(),
        tokens.get(taken..).and_then(and_half),
    ) && fraction.is_none()
    {
        (time.value, time.step) = (time.value + factor / 2.0, factor / 6.0);
        taken += more;
    }
    // "nine minutes twenty per kilometre"
    if let ([time], Some((Unit::Pace(metres), length))) = (
        readings.as_mut_slice(),
        tokens.get(taken..).and_then(|rest| first(&UNIT_PHRASES, rest)),
    ) && time.measure == Duration
        && time.value > 0.0
    {
        (time.measure, time.value, time.step) = (Speed, metres / time.value, 0.0);
        taken += length;
    }
    (readings, taken)
}

/// The minutes after hours, or the seconds after minutes: their value and their unit in seconds, and their length in
/// tokens.
pub(super) fn smaller_part(tokens: &[Token], above_s: f64) -> Option<(f64, f64, usize)> {
    let joins = usize::from(
        tokens
            .first()?
            .word()
            .is_some_and(|word| one_of(word, "and|und|et|y|e")),
    );
    let (number, length, _) = number(tokens.get(joins..)?)?;
    let value = number.whole().filter(|value| *value < 60.0)?;
    let after = tokens.get(joins + length..)?;
    let (factor, unit_length) = match first(&UNIT_PHRASES, after) {
        Some((Unit::Of(Duration, factor), length)) if factor < above_s => (factor, length),
        // "1 h 54"
        None if above_s >= 3600.0 && (joins == 0 || value < 60.0) => (60.0, 0),
        // "two minutes twenty"
        None if joins == 0 && above_s <= 60.0 && above_s > 1.0 && value >= 10.0 => (1.0, 0),
        // "nine minutes twenty per kilometre"
        Some((Unit::Pace(_), _)) if joins == 0 && above_s <= 60.0 && above_s > 1.0 => (1.0, 0),
        _ => return None,
    };
    let (more_s, step, more) = after
        .get(unit_length..)
        .and_then(|rest| smaller_part(rest, factor).filter(|_| factor > 1.0 && unit_length > 0))
        .unwrap_or((0.0, factor, 0));
    Some((value * factor + more_s, step, joins + length + unit_length + more))
}
