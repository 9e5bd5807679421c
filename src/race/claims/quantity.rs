//! Numbers with their units: `5:15 /km`, `1 h 54`, `half an hour`, `145-150 bpm`.

use super::number::{first, number};
use super::parts::{self, smaller_part};
use super::readings::readings;
use super::spoken;
use super::token::one_of;
use super::token::{Number, NumberShape, Token, TokenKind};
use super::units::{SHARE_PHRASES, SPAN_PHRASES, UNIT_PHRASES, Unit};
use super::wording::{counts_kilometres, describes, fraction, is_elliptic};
use Measure::Duration;

pub(crate) use super::units::{Measure, Reading};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quantity {
    pub(crate) readings: Vec<Reading>,
    /// The upper end of a range.
    pub(crate) to: Vec<Reading>,
    pub(crate) ordinal: bool,
}

impl Quantity {
    fn one(measure: Measure, value: f64, step: f64) -> Self {
        Self {
            readings: vec![Reading { measure, value, step }],
            to: Vec::new(),
            ordinal: false,
        }
    }

    pub(crate) fn measures(&self, measure: Measure) -> Option<Reading> {
        self.readings
            .iter()
            .find(|reading| reading.measure == measure)
            .copied()
    }

    pub(crate) fn is_bare(&self) -> bool {
        self.measures(Measure::Bare).is_some()
    }

    pub(crate) fn whole(&self) -> Option<f64> {
        self.measures(Measure::Bare).map(|reading| reading.value)
    }
}

/// Words that join the two ends of a range.
const JOINERS: &str = "to|bis|and|und|à|a|et|y|e|or|oder|ou|o";

/// Words before which a number in words needs no unit.
const COMPARATIVES: &str = "more|plus|más|over|under|above|below|less|fewer|lower|higher|faster|slower|quicker|über|unter|weniger|mehr|niedriger|höher|menos|meno|moins|sotto|sopra|sous|bajo|debajo|oltre|encima|spare|better|worse|ahead|behind|before|davor|anteriores|precedenti";

/// What stands before a number: a word after which it needs no unit, or one after which "and" joins a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Before {
    #[default]
    Other,
    /// `the opening five`
    ScopeWord,
    /// `between 5:15 and 5:25`
    Between,
    /// `von 146 auf 141`
    From,
    /// `down eleven on the first 20 km`
    Aside,
    /// `noch zehn`, `quedan diez`: what is still to run
    ToGo,
}

/// The quantity at the start of `tokens`, and its length in tokens.
pub(crate) fn quantity(tokens: &[Token], before: Before) -> Option<(Quantity, usize)> {
    if let Some(time) = spoken::time_of_day(tokens) {
        let (reading, length) = time;
        return Some((
            Quantity::one(reading.measure, reading.value, reading.step),
            length,
        ));
    }
    let (mut quantity, length) = single(tokens, before)?;
    let rest = tokens.get(length..)?;
    // "one minute short of an hour"
    if starts_with(rest, &["short", "of"])
        && let Some((whole, more)) = rest.get(2..).and_then(|rest| single(rest, Before::Other))
        && let ([less], [time]) = (quantity.readings.as_slice(), whole.readings.as_slice())
        && less.measure == Duration
        && time.measure == Duration
        && less.value < time.value
    {
        return Some((
            Quantity::one(Duration, time.value - less.value, less.step),
            length + 2 + more,
        ));
    }
    let Some(joiner) = rest.first() else {
        return Some((quantity, length));
    };
    let joined = joiner.is_mark('-')
        || joiner
            .word()
            .is_some_and(|word| one_of(word, JOINERS) || (word == "auf" && before == Before::From));
    let Some((upper, more)) = single(rest.get(1..)?, Before::Other).filter(|_| joined && !quantity.ordinal)
    else {
        return Some((quantity, length));
    };
    // "59 minutes à 5:10 de moyenne" is no range.
    let is_at = joiner.word().is_some_and(|word| one_of(word, "à|a"));
    if is_at && !quantity.is_bare() && quantity.readings.len() == 1 && upper.readings.len() > 1 {
        return Some((quantity, length));
    }
    // "3 min and 20 s" was read above; "145 and 30 g" are two quantities.
    if before != Before::Between && joiner.word().is_some_and(|word| one_of(word, "and|und|et|y|e")) {
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
    // "three and a half hours", but "two and a quarter of the way"
    let fraction = fraction(rest).filter(|(part, length)| {
        *part > 0.4 && *part < 0.6 || first(&UNIT_PHRASES, rest.get(*length..).unwrap_or_default()).is_some()
    });
    // "six more minutes", but "one more gel"
    let counts = number.whole() != Some(1.0);
    let more = usize::from(
        counts
            && rest
                .first()
                .and_then(Token::word)
                .is_some_and(|word| one_of(word, "more|weitere|further|full|good")),
    );
    let mut skipped = fraction.map_or(more, |(_, length)| length);
    if first(&UNIT_PHRASES, rest.get(skipped..)?).is_none() && describes(rest.get(skipped..)?) {
        skipped += 1;
    }
    let after = rest.get(skipped..)?;
    let unit = paces(tokens, &number)
        .or_else(|| unit_after(after, in_words))
        .filter(|_| !number.ordinal);
    let compares = rest
        .first()
        .and_then(Token::word)
        .is_some_and(|word| one_of(word, COMPARATIVES));
    // "sit up once" is no Spanish eleven.
    let is_once = tokens.first().and_then(Token::word) == Some("once");
    let counts_way =
        number.whole().is_some_and(|value| value >= 4.0) && counts_kilometres(before == Before::ToGo, rest);
    if in_words
        && unit.is_none()
        && !(counts && compares)
        && !counts_way
        && !(is_elliptic(rest) && number.whole().is_some_and(|value| value >= 4.0))
        && (matches!(before, Before::Other | Before::From | Before::ToGo)
            || is_once
            || number.whole() == Some(1.0))
        && number.whole().is_some_and(|value| value < 20.0)
    {
        return None;
    }
    let Some((unit, unit_length)) = unit else {
        let mut quantity = Quantity {
            ordinal: number.ordinal,
            readings: readings(&number, None),
            to: Vec::new(),
        };
        // "Ten down, eleven to go" is rounded.
        for reading in quantity.readings.iter_mut().filter(|_| in_words && counts_way) {
            *reading = reading.in_unit(Measure::Distance, 1000.0);
            reading.step *= 1.5;
        }
        return Some((quantity, length));
    };
    let begun = length + unit_length + skipped;
    let (readings, taken) = parts::in_parts(tokens, &number, unit, fraction, begun);
    let quantity = Quantity {
        readings,
        to: Vec::new(),
        ordinal: number.ordinal,
    };
    Some((quantity, taken))
}

/// The unit that `after` a number begins with, and its length in tokens.
fn unit_after(after: &[Token], in_words: bool) -> Option<(Unit, usize)> {
    // "this one's 1:40" is not one second.
    let is_verb = in_words && after.first().and_then(Token::word) == Some("s");
    let (unit, length) = first(&UNIT_PHRASES, after).filter(|_| !is_verb)?;
    let next = after.get(length);
    // "90 secondes au km 20"
    let is_mark = matches!(unit, Unit::Pace(_) | Unit::PerKm)
        && matches!(next.map(|token| &token.kind), Some(TokenKind::Number(_)));
    // "10 km an hour ago"
    let is_ago = next.and_then(Token::word) == Some("ago");
    if length > 1 && (is_mark || is_ago) {
        first(&UNIT_PHRASES, after.get(..1)?)
    } else {
        Some((unit, length))
    }
}

/// `5:15s` are paces: per kilometre, or in the water per 100 m.
fn paces(tokens: &[Token], number: &Number) -> Option<(Unit, usize)> {
    let NumberShape::Clock(parts) = &number.shape else {
        return None;
    };
    let (first, next) = (tokens.first()?, tokens.get(1)?);
    let is_plural = next.word() == Some("s") && next.from == first.to && parts.len() == 2;
    let metres = if parts.first() < Some(&2.5) { 100.0 } else { 1000.0 };
    is_plural.then_some((Unit::Pace(metres), 1))
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

fn starts_with(tokens: &[Token], words: &[&str]) -> bool {
    let mut pairs = words.iter().enumerate();
    pairs.all(|(at, word)| tokens.get(at).and_then(Token::word) == Some(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::race::claims::token::tokens;
    use Measure::{Cadence, Distance, Foreign, HeartRate, Percent, Speed};

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
