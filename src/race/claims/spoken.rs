//! Times of day in words: `twenty past ten`, `Viertel vor zehn`, `las diez menos cuarto`.

use super::number::{first, number};
use super::token::{NumberShape, Token, one_of};
use super::units::{Measure, Reading, UNIT_PHRASES};

const NOON_S: f64 = 43_200.0;

/// The time of day at the start of `tokens`, and its length in tokens. Before noon it may also be meant for the afternoon.
pub(super) fn time_of_day(tokens: &[Token]) -> Option<(Reading, usize)> {
    let (minutes, length) = past_or_to(tokens)
        .or_else(|| half_before(tokens))
        .or_else(|| shortly(tokens))
        .or_else(|| romance(tokens))
        .or_else(|| afternoon(tokens))
        .or_else(|| on_the_hour(tokens))?;
    let is_rough = shortly(tokens).is_some();
    let reading = Reading {
        measure: Measure::TimeOfDay,
        value: minutes * 60.0,
        step: if is_rough { 600.0 } else { 60.0 },
    };
    Some((reading, length))
}

fn word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).and_then(Token::word).unwrap_or_default()
}

/// The number in words at `at`, and how many tokens it has.
fn spelled(tokens: &[Token], at: usize) -> Option<(f64, usize)> {
    let (number, length, in_words) = number(tokens.get(at..)?)?;
    let value = number.whole().filter(|_| in_words && !number.ordinal)?;
    Some((value, length))
}

/// The hour at `at`, in words or digits, which no unit follows other than `Uhr` or `o'clock`.
fn hour(tokens: &[Token], at: usize) -> Option<(f64, usize)> {
    let (number, length, _) = number(tokens.get(at..)?)?;
    let hour = number
        .whole()
        .filter(|hour| (1.0..=12.0).contains(hour) && !number.ordinal)?;
    let rest = tokens.get(at + length..)?;
    let clock = clock_word(rest);
    // "three and a half hours"
    let is_part =
        one_of(word(rest, 0), "and|und|et|y|e") && one_of(word(rest, 1), "a|half|demie|media|mezza|ein");
    let is_measured = clock == 0 && (is_part || first(&UNIT_PHRASES, rest).is_some());
    (!is_measured).then_some((hour, length + clock))
}

/// The length of a word that says that an hour precedes it.
fn clock_word(tokens: &[Token]) -> usize {
    match (word(tokens, 0), word(tokens, 1)) {
        ("uhr", _) => 1,
        ("o", "clock") => 2,
        _ => 0,
    }
}

/// The minutes of a quarter or a multiple of five at the start of `tokens`, and their length.
fn minutes(tokens: &[Token]) -> Option<(f64, usize)> {
    let article = usize::from(one_of(word(tokens, 0), "a|un|le"));
    if one_of(word(tokens, article), "quarter|viertel|quart|cuarto|quarto") {
        return Some((15.0, article + 1));
    }
    if one_of(word(tokens, 0), "half|demie|media|mezza|mezzo") {
        return Some((30.0, 1));
    }
    let (value, length) = spelled(tokens, 0)?;
    let noun = usize::from(one_of(word(tokens, length), "minutes|minuten|minutos|minuti"));
    ((1.0..60.0).contains(&value) && (value % 5.0 == 0.0 || noun == 1)).then_some((value, length + noun))
}

/// `twenty past ten`, `quarter to nine`, `zehn vor zehn`
fn past_or_to(tokens: &[Token]) -> Option<(f64, usize)> {
    let (minutes, length) = minutes(tokens)?;
    let is_past = match word(tokens, length) {
        "past" | "after" | "nach" => true,
        "to" | "before" | "vor" => false,
        _ => return None,
    };
    // "ten to twelve" may be a range, but "ten to ten" is none.
    let (hour, more) = hour(tokens, length + 1)?;
    let is_half = word(tokens, 0) == "half";
    (!is_half || is_past).then_some(())?;
    let signed = if is_past { minutes } else { -minutes };
    Some((hour.mul_add(60.0, signed), length + 1 + more))
}

/// `a little before ten`, `kurz nach neun`: within ten minutes.
fn shortly(tokens: &[Token]) -> Option<(f64, usize)> {
    let at = match (word(tokens, 0), word(tokens, 1)) {
        ("a", "little" | "bit") => 2,
        ("shortly" | "just" | "kurz", _) => 1,
        _ => return None,
    };
    let minutes = match word(tokens, at) {
        "before" | "vor" => -5.0,
        "after" | "nach" => 5.0,
        _ => return None,
    };
    spelled(tokens, at + 1)?;
    let (hour, length) = hour(tokens, at + 1)?;
    Some((hour.mul_add(60.0, minutes), at + 1 + length))
}

/// `halb zehn`: half an hour before ten.
fn half_before(tokens: &[Token]) -> Option<(f64, usize)> {
    (word(tokens, 0) == "halb").then_some(())?;
    let (hour, length) = hour(tokens, 1)?;
    Some((hour.mul_add(60.0, -30.0), 1 + length))
}

/// `dix heures moins vingt`, `las diez y veinte`, `le nove e mezza`
fn romance(tokens: &[Token]) -> Option<(f64, usize)> {
    let (hour, at) = if one_of(word(tokens, 0), "las|le|alle") {
        let (hour, length) = spelled(tokens, 1)?;
        (hour, 1 + length)
    } else {
        let (number, length, _) = number(tokens)?;
        one_of(word(tokens, length), "heures|h").then_some(())?;
        (number.whole()?, length + 1)
    };
    (1.0..=24.0).contains(&hour).then_some(())?;
    let is_less = match word(tokens, at) {
        "moins" | "menos" | "meno" => true,
        "y" | "e" | "et" => false,
        _ => return None,
    };
    let (minutes, length) = minutes(tokens.get(at + 1..)?)?;
    let rest = tokens.get(at + 1 + length..)?;
    first(&UNIT_PHRASES, rest).is_none().then_some(())?;
    let signed = if is_less { -minutes } else { minutes };
    Some((hour.mul_add(60.0, signed), at + 1 + length))
}

/// `3:20 pm`, `3:20 this afternoon`
fn afternoon(tokens: &[Token]) -> Option<(f64, usize)> {
    const WORDS: &str = "pm|this afternoon|in the afternoon|this evening|in the evening|tonight|heute nachmittag|am nachmittag|nachmittags|heute abend|am abend|abends|cet après midi|de l après midi|ce soir|du soir|de la tarde|esta tarde|de la noche|del pomeriggio|questo pomeriggio|di sera|stasera";
    let (number, length, _) = number(tokens)?;
    let minutes = match number.shape {
        NumberShape::Clock(ref parts) => match *parts.as_slice() {
            [hour, minute] => hour.mul_add(60.0, minute),
            _ => return None,
        },
        NumberShape::Plain(hour, step) if step >= 1.0 && word(tokens, length) == "pm" => hour * 60.0,
        _ => return None,
    };
    let rest = tokens.get(length..)?;
    let says = |phrase: &str| {
        let words: Vec<&str> = phrase.split(' ').collect();
        let is_there = words.iter().enumerate().all(|(at, own)| word(rest, at) == *own);
        is_there.then_some(words.len())
    };
    let more = WORDS.split('|').filter_map(says).max()?;
    let is_morning = minutes * 60.0 < NOON_S;
    let minutes = if is_morning {
        minutes + NOON_S / 60.0
    } else {
        minutes
    };
    (minutes < 1440.0).then_some((minutes, length + more))
}

/// A full hour: `nine o'clock`.
fn on_the_hour(tokens: &[Token]) -> Option<(f64, usize)> {
    let (number, length, in_words) = number(tokens)?;
    let clock = clock_word(tokens.get(length..)?);
    let hour = number.whole().filter(|hour| (1.0..=24.0).contains(hour))?;
    // "10 Uhr 20" is read as hours and minutes.
    let goes_on = tokens
        .get(length + clock)
        .is_some_and(|next| matches!(next.kind, super::token::TokenKind::Number(_)));
    (clock > 0 && !goes_on && (in_words || clock == 2)).then_some((hour * 60.0, length + clock))
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    #[test]
    fn times_of_day_are_read_in_five_languages() {
        for (text, minutes) in [
            ("twenty past ten", Some(620.0)),
            ("a quarter to nine", Some(525.0)),
            ("half past nine", Some(570.0)),
            ("five to ten.", Some(595.0)),
            ("ten to twelve minutes", None),
            ("nine o'clock", Some(540.0)),
            ("3:20 this afternoon", Some(920.0)),
            ("Viertel vor zehn", Some(585.0)),
            ("halb zehn Uhr", Some(570.0)),
            ("dix heures moins vingt", Some(580.0)),
            ("las diez menos diez", Some(590.0)),
            ("le nove e mezza", Some(570.0)),
            ("le nove e mezzo km", None),
        ] {
            let read = time_of_day(&tokens(text)).map(|(reading, _)| reading.value / 60.0);
            assert_eq!(read, minutes, "{text}");
        }
    }
}
