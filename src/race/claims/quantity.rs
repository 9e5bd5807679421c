//! Numbers with their units: `5:15 /km`, `1 h 54`, `half an hour`, `145-150 bpm`.

use super::phrases::Phrases;
use super::token::{Number, NumberShape, Token, TokenKind};
use super::units::{NUMBER_WORDS, NUMBERS, ORDINALS, SHARE_PHRASES, SPAN_PHRASES, UNIT_PHRASES, Unit};
use Measure::{Duration, Speed};

pub(super) use super::units::Measure;

/// One way to read a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) measure: Measure,
    pub(super) value: f64,
    /// The smallest unit written, which limits how exact the number is meant to be.
    pub(super) step: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    pub(super) readings: Vec<Reading>,
    /// The upper end of a range.
    pub(super) to: Vec<Reading>,
    pub(super) ordinal: bool,
}

impl Quantity {
    fn one(measure: Measure, value: f64, step: f64) -> Self {
        Self {
            readings: vec![Reading { measure, value, step }],
            to: Vec::new(),
            ordinal: false,
        }
    }

    pub(super) fn measures(&self, measure: Measure) -> Option<Reading> {
        self.readings
            .iter()
            .find(|reading| reading.measure == measure)
            .copied()
    }

    pub(super) fn is_bare(&self) -> bool {
        self.measures(Measure::Bare).is_some()
    }

    pub(super) fn whole(&self) -> Option<f64> {
        self.measures(Measure::Bare).map(|reading| reading.value)
    }
}

/// Joins the two ends of a range.
const JOINERS: [&str; 9] = ["to", "bis", "and", "und", "à", "a", "et", "y", "e"];

/// Words after which a number needs no unit, and those after which "and" joins a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Before {
    #[default]
    Other,
    /// `the opening five`
    ScopeWord,
    /// `between 5:15 and 5:25`
    Between,
    /// `von 146 auf 141`
    From,
}

/// The quantity at the start of `tokens`, and its length in tokens.
pub(super) fn quantity(tokens: &[Token], before: Before) -> Option<(Quantity, usize)> {
    let (mut quantity, length) = single(tokens, before)?;
    let rest = tokens.get(length..)?;
    let Some(joiner) = rest.first() else {
        return Some((quantity, length));
    };
    let joined = joiner.is_mark('-')
        || joiner
            .word()
            .is_some_and(|word| JOINERS.contains(&word) || (word == "auf" && before == Before::From));
    let Some((upper, more)) = single(rest.get(1..)?, Before::Other).filter(|_| joined && !quantity.ordinal)
    else {
        return Some((quantity, length));
    };
    // "3 min and 20 s" was read above; "145 and 30 g" are two quantities.
    if before != Before::Between
        && joiner
            .word()
            .is_some_and(|word| matches!(word, "and" | "und" | "et" | "y" | "e"))
    {
        return Some((quantity, length));
    }
    if (quantity.is_bare() || quantity.readings.len() > 1)
        && let (Some(unit), Some((number, ..))) = (unit(tokens.get(length + 1..)?), number(tokens))
    {
        quantity.readings = readings(&number, Some(unit));
    }
    let alike = quantity
        .readings
        .iter()
        .any(|low| upper.measures(low.measure).is_some());
    if !alike {
        return Some((quantity, length));
    }
    quantity.to = upper.readings;
    Some((quantity, length + 1 + more))
}

/// The unit of the number at the start of `tokens`.
fn unit(tokens: &[Token]) -> Option<Unit> {
    let (_, length, _) = number(tokens)?;
    first(&UNIT_PHRASES, tokens.get(length..)?).map(|(unit, _)| unit)
}

fn single(tokens: &[Token], before: Before) -> Option<(Quantity, usize)> {
    if let Some(((value, step), length)) = first(&SPAN_PHRASES, tokens) {
        // "an hour and 40 minutes"
        let more = tokens.get(length..).and_then(|rest| smaller_part(rest, value));
        let (more_s, more_step, more_length) = more.unwrap_or((0.0, step, 0));
        return Some((
            Quantity::one(Duration, value + more_s, more_step),
            length + more_length,
        ));
    }
    if let Some((percent, length)) = first(&SHARE_PHRASES, tokens) {
        return Some((Quantity::one(Measure::Percent, percent, 4.0), length));
    }
    let (number, length, in_words) = number(tokens)?;
    let rest = tokens.get(length..)?;
    if let Some(decade) = decade(tokens, &number) {
        return Some((decade, 2));
    }
    let half = starts_with(rest, &["and", "a", "half"]);
    let after = rest.get(if half { 3 } else { 0 }..)?;
    let unit = first(&UNIT_PHRASES, after).filter(|_| !number.ordinal);
    // "10 km an hour ago"
    let is_ago = |length: usize| after.get(length).and_then(Token::word) == Some("ago");
    let unit = match unit {
        Some((_, length)) if length > 1 && is_ago(length) => first(&UNIT_PHRASES, after.get(..1)?),
        unit => unit,
    };
    if in_words
        && unit.is_none()
        && (matches!(before, Before::Other | Before::From) || number.whole() == Some(1.0))
        && number.whole().is_some_and(|value| value < 20.0)
    {
        return None;
    }
    let Some((unit, unit_length)) = unit else {
        let quantity = Quantity {
            ordinal: number.ordinal,
            readings: readings(&number, None),
            to: Vec::new(),
        };
        return Some((quantity, length));
    };
    let mut taken = length + unit_length + if half { 3 } else { 0 };
    let mut readings = readings(&number, Some(unit));
    for reading in &mut readings {
        match unit {
            Unit::Of(_, factor) if half => {
                (reading.value, reading.step) = (reading.value + factor / 2.0, factor / 6.0);
            }
            Unit::Pace(metres) if half => {
                reading.value = metres / (metres / reading.value + 30.0);
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
    let quantity = Quantity {
        readings,
        to: Vec::new(),
        ordinal: number.ordinal,
    };
    Some((quantity, taken))
}

/// `the 140s`
fn decade(tokens: &[Token], number: &Number) -> Option<Quantity> {
    let value = number
        .whole()
        .filter(|value| *value >= 60.0 && value % 10.0 == 0.0)?;
    let (first, next) = (tokens.first()?, tokens.get(1)?);
    let is_decade = next.word() == Some("s") && next.from == first.to;
    is_decade.then(|| Quantity {
        readings: readings(number, None),
        to: readings(&Number::plain(value + 9.0), None),
        ordinal: false,
    })
}

/// The minutes after hours, or the seconds after minutes: their seconds, their unit, and their length in tokens.
fn smaller_part(tokens: &[Token], above_s: f64) -> Option<(f64, f64, usize)> {
    let joins = usize::from(
        tokens
            .first()?
            .word()
            .is_some_and(|word| matches!(word, "and" | "und" | "et" | "y" | "e")),
    );
    let (number, length, in_words) = number(tokens.get(joins..)?)?;
    let value = number.whole().filter(|value| *value < 60.0)?;
    let after = tokens.get(joins + length..)?;
    let (factor, unit_length) = match first(&UNIT_PHRASES, after) {
        Some((Unit::Of(Duration, factor), length)) if factor < above_s => (factor, length),
        // "1 h 54"
        None if (joins == 0 || in_words) && above_s >= 3600.0 => (60.0, 0),
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

fn first<T: Copy>(phrases: &Phrases<T>, tokens: &[Token]) -> Option<(T, usize)> {
    let (meanings, length) = phrases.at(tokens)?;
    Some((*meanings.first()?, length))
}

fn starts_with(tokens: &[Token], words: &[&str]) -> bool {
    words.len() <= tokens.len()
        && words
            .iter()
            .zip(tokens)
            .all(|(word, token)| token.word() == Some(word))
}

/// The number at the start of `tokens`, its length in tokens, and whether it is written in words.
fn number(tokens: &[Token]) -> Option<(Number, usize, bool)> {
    match &tokens.first()?.kind {
        TokenKind::Number(number) => Some((number.clone(), 1, false)),
        TokenKind::Word(word, _) => {
            let ordinal = (3_u8..).zip(ORDINALS).find(|(_, name)| name == word);
            if let Some((value, _)) = ordinal {
                return Some((Number::ordinal(value.into()), 1, false));
            }
            in_words(tokens).map(|(value, length)| {
                let step = if value.fract() > 0.0 { 0.1 } else { 1.0 };
                let shape = NumberShape::Plain(value, step);
                let number = Number {
                    shape,
                    ordinal: false,
                };
                (number, length, true)
            })
        }
        _ => None,
    }
}

/// `twenty five`, `a hundred and forty five`, `fünfundzwanzig`.
fn in_words(tokens: &[Token]) -> Option<(f64, usize)> {
    let small = |tokens: &[Token]| {
        let (value, length) =
            first(&NUMBERS, tokens).or_else(|| Some((german(tokens.first()?.word()?)?, 1)))?;
        let unit = tokens.get(length..).and_then(|rest| first(&NUMBERS, rest));
        let unit =
            unit.filter(|(unit, _)| value >= 20.0 && value % 10.0 == 0.0 && (1.0..10.0).contains(unit));
        Some(unit.map_or((value, length), |(unit, more)| (value + unit, length + more)))
    };
    let hundred = |at: usize| tokens.get(at).and_then(Token::word) == Some("hundred");
    if hundred(1) {
        let times = if tokens.first()?.word() == Some("a") {
            1.0
        } else {
            small(tokens.get(..1)?)?.0
        };
        let joined = usize::from(tokens.get(2).and_then(Token::word) == Some("and"));
        let rest = tokens.get(2 + joined..).and_then(small);
        return Some(rest.map_or((times * 100.0, 2), |(rest, length)| {
            (times.mul_add(100.0, rest), 2 + joined + length)
        }));
    }
    let (value, length) = small(tokens)?;
    // "twelve point eight"
    if tokens.get(length).and_then(Token::word) == Some("point")
        && let Some((tenths, 1)) = tokens.get(length + 1..).and_then(small)
        && tenths < 10.0
    {
        return Some((value + tenths / 10.0, length + 2));
    }
    // "one seventy"
    let more = tokens.get(length..).and_then(small);
    match more {
        Some((more, next)) if length == 1 && matches!(value, 1.0 | 2.0) && (20.0..100.0).contains(&more) => {
            Some((value.mul_add(100.0, more), 1 + next))
        }
        _ => Some((value, length)),
    }
}

/// `fünfundzwanzig`
fn german(word: &str) -> Option<f64> {
    let value = |word: &str| {
        let row = NUMBER_WORDS
            .iter()
            .find(|(_, words)| words.split('|').any(|known| known == word))?;
        Some(row.0)
    };
    let (unit, ten) = word.split_once("und")?;
    let (unit, ten) = (value(unit)?, value(ten)?);
    (unit < 10.0 && ten >= 20.0).then_some(unit + ten)
}

fn readings(number: &Number, unit: Option<Unit>) -> Vec<Reading> {
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
        // A clock has no other unit, such as 5:15 km/h.
        Some(_) => vec![reading(Measure::Misfit, seconds, 1.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::claims::token::tokens;
    use Measure::{Cadence, Distance, Foreign, HeartRate, Percent};

    fn read(text: &str) -> Option<(Measure, f64, Option<f64>)> {
        let (quantity, _) = quantity(&tokens(text), Before::Other)?;
        let reading = quantity.readings.first()?;
        let round = |value: f64| (value * 100.0).round() / 100.0;
        Some((
            reading.measure,
            round(reading.value),
            quantity.to.first().map(|to| round(to.value)),
        ))
    }

    #[test]
    fn numbers_are_read_with_their_units() {
        for (text, measure, value, to) in [
            ("145 bpm", HeartRate, 145.0, None),
            ("145-150 bpm", HeartRate, 145.0, Some(150.0)),
            ("1:54 to 1:56", Duration, 114.0, Some(116.0)),
            ("10,8 km", Distance, 10_800.0, None),
            ("6.5 miles", Distance, 10_460.74, None),
            ("5:00 /km", Speed, 3.33, None),
            ("5:15 a kilometre", Speed, 3.17, None),
            ("1:48 per 100 m", Speed, 0.93, None),
            ("31.1 km/h", Speed, 8.64, None),
            ("31 miles per hour", Speed, 13.86, None),
            ("3 min 20 s", Duration, 200.0, None),
            ("55 minutes and 11 seconds", Duration, 3311.0, None),
            ("1h54", Duration, 6840.0, None),
            ("an hour and 40 minutes", Duration, 6000.0, None),
            ("two and a half hours", Duration, 9000.0, None),
            ("half an hour", Duration, 1800.0, None),
            ("fünfundzwanzig Minuten", Duration, 1500.0, None),
            ("a hundred and forty five bpm", HeartRate, 145.0, None),
            ("twenty-five percent", Percent, 25.0, None),
            ("60 g per hour", Foreign, 60.0, None),
            ("5:15 km/h", Measure::Misfit, 315.0, None),
            ("170 spm", Cadence { steps: true }, 170.0, None),
            ("145", Measure::Bare, 145.0, None),
            ("140s", Measure::Bare, 140.0, Some(149.0)),
        ] {
            assert_eq!(read(text), Some((measure, value, to)), "{text}");
        }
        assert_eq!(read("one more gel"), None);
        assert!(quantity(&tokens("five"), Before::ScopeWord).is_some());
    }
}
