//! Numbers written in digits and in words.

use super::phrases::Phrases;
use super::token::{Number, NumberShape, Token, TokenKind};
use super::units::{NUMBER_WORDS, NUMBERS, ORDINALS};

/// The number at the start of `tokens`, its length in tokens, and whether it is written in words.
pub(super) fn number(tokens: &[Token]) -> Option<(Number, usize, bool)> {
    match &tokens.first()?.kind {
        TokenKind::Number(number) => Some((number.clone(), 1, false)),
        TokenKind::Word(..) => {
            if let Some((value, 1)) = first(&ORDINALS, tokens) {
                return Some((Number::ordinal(value), 1, false));
            }
            // "five fifteen"
            if let Some((minutes, 1)) = in_words(tokens)
                && (3.0..=12.0).contains(&minutes)
                && let Some((seconds, more)) = tokens.get(1..).and_then(in_words)
                && (10.0..60.0).contains(&seconds)
            {
                let shape = NumberShape::Clock(vec![minutes, seconds]);
                return Some((
                    Number {
                        shape,
                        ordinal: false,
                    },
                    1 + more,
                    true,
                ));
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
            first(&NUMBERS, tokens).or_else(|| Some((compound(tokens.first()?.word()?)?, 1)))?;
        let joined = usize::from(tokens.get(length).and_then(Token::word) == Some("y"));
        let unit = tokens
            .get(length + joined..)
            .and_then(|rest| first(&NUMBERS, rest));
        let unit =
            unit.filter(|(unit, _)| value >= 20.0 && value % 10.0 == 0.0 && (1.0..10.0).contains(unit));
        Some(unit.map_or((value, length), |(unit, more)| {
            (value + unit, length + joined + more)
        }))
    };
    // "cent cinquante", "ciento veinte"
    if let ("cent" | "ciento" | "cien" | "cento" | "hundert", rest) =
        (tokens.first()?.word()?, tokens.get(1..)?)
    {
        return Some(small(rest).map_or((100.0, 1), |(value, length)| (100.0 + value, 1 + length)));
    }
    let hundred = |at: usize| {
        let word = tokens.get(at).and_then(Token::word);
        word.is_some_and(|word| matches!(word, "hundred" | "cents" | "cent"))
    };
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

/// `fünfundzwanzig`, `zweihundertdrei`, `centocinquanta`, `veinticinco`.
fn compound(word: &str) -> Option<f64> {
    // "sechseinhalb"
    if let Some(whole) = word.strip_suffix("einhalb").filter(|whole| !whole.is_empty()) {
        return compound(whole).map(|whole| whole + 0.5);
    }
    let known = |word: &str| {
        let row = NUMBER_WORDS
            .iter()
            .find(|(_, words)| words.split('|').any(|known| known == word))?;
        Some(row.0)
    };
    let value = |word: &str| known(word).or_else(|| tens(word, known));
    for (hundred, alone) in [("hundert", "ein"), ("cento", "uno")] {
        if let Some((times, rest)) = word.split_once(hundred) {
            let times = known(if times.is_empty() { alone } else { times })?;
            let rest = if rest.is_empty() { 0.0 } else { value(rest)? };
            return Some(times.mul_add(100.0, rest));
        }
    }
    tens(word, known)
}

/// A multiple of ten and a unit in one word.
fn tens(word: &str, known: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    const TENS: &str = "veinti veinte|vent venti|trent trenta|quarant quaranta|cinquant cinquanta|sessant sessanta|settant settanta|ottant ottanta|novant novanta";
    if let Some((unit, ten)) = word.split_once("und")
        && let (Some(unit), Some(ten)) = (known(unit), known(ten))
    {
        return (unit < 10.0 && ten >= 20.0).then_some(unit + ten);
    }
    TENS.split('|').find_map(|row| {
        let (prefix, ten) = row.split_once(' ')?;
        let rest = word.strip_prefix(prefix)?;
        let unit = known(rest).or_else(|| known(rest.trim_start_matches(['a', 'i'])))?;
        (unit < 10.0).then_some(known(ten)? + unit)
    })
}

pub(super) fn first<T: Copy>(phrases: &Phrases<T>, tokens: &[Token]) -> Option<(T, usize)> {
    let (meanings, length) = phrases.at(tokens)?;
    Some((*meanings.first()?, length))
}
