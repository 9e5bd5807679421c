//! Words between a number and its unit, and after them: `six easy minutes`, `two minutes and a half`.

use super::lexicon::{self, Tag};
use super::number::{first, number};
use super::token::{Token, TokenKind, one_of};
use super::units::{Measure, UNIT_PHRASES, Unit};

/// Words after which a unit belongs to something else.
const LINKS: &str = "and|und|before|after|then|with|but|mit|nach|dann|con|avec|puis|pour|por|per|dopo|poi|luego|plus|minus|pero|aber|mais|that|which|sowie|your|the|del|des|bei";

/// Whether a word stands between a number and its unit: `six easy minutes`, `40-odd minutes`.
pub(super) fn describes(tokens: &[Token]) -> bool {
    let is_free = tokens.first().and_then(Token::word).is_some_and(|word| {
        word.len() > 2 && !one_of(word, LINKS) && lexicon::tags(tokens.get(..1).unwrap_or_default()).is_none()
    });
    let rest = tokens.get(1..).unwrap_or_default();
    let is_unit = first(&UNIT_PHRASES, rest).is_some_and(|(unit, _)| matches!(unit, Unit::Of(..)));
    let is_noun = rest
        .first()
        .and_then(Token::word)
        .is_some_and(|word| word.len() > 3);
    is_free && is_unit && is_noun && number(tokens).is_none()
}

/// `and a half`, `y medio`: its length in tokens.
pub(super) fn and_half(tokens: &[Token]) -> Option<usize> {
    let half = |token: &Token| {
        token
            .word()
            .is_some_and(|word| one_of(word, "half|medio|media|mezzo|mezza|mezz|demi|demie"))
    };
    let is_and = tokens
        .first()?
        .word()
        .is_some_and(|word| one_of(word, "and|y|e|et"));
    let skips = usize::from(tokens.get(1).and_then(Token::word) == Some("a"));
    (is_and && tokens.get(1 + skips).is_some_and(half)).then_some(2 + skips)
}

/// Whether a number in words without a unit counts kilometres: `ten down`, `eleven to go`, `noch zehn`.
pub(super) fn counts_kilometres(after_to_go: bool, after: &[Token]) -> bool {
    let is_so_far =
        lexicon::tags(after).is_some_and(|(tags, _)| tags.iter().any(|tag| matches!(tag, Tag::Progress(_))));
    let ends = after.first().is_none_or(|next| {
        matches!(next.kind, TokenKind::Mark(_))
            || next
                .word()
                .is_some_and(|word| one_of(word, "bis|hasta|fino|jusqu|until"))
    });
    is_so_far || (after_to_go && ends)
}

/// Whether a number without a unit stands right before a place, and so may have the unit of the number before it: `six
/// minutes here, eighteen at Rifugio Alba`.
pub(super) fn is_elliptic(after: &[Token]) -> bool {
    let is = |words: &str| {
        let next = after.first().and_then(Token::word);
        next.is_some_and(|word| one_of(word, words))
    };
    let is_name = matches!(
        after.get(1).map(|next| &next.kind),
        Some(TokenKind::Word(_, true))
    );
    is("here|hier|ici|aquí|qui") || (is("at|in|bei|à|en|a|al|am") && is_name)
}

/// The part of a unit after a number: `and a half`, `and three quarter`, and its length in tokens.
pub(super) fn fraction(tokens: &[Token]) -> Option<(f64, usize)> {
    let word = |at: usize| tokens.get(at).and_then(Token::word).unwrap_or_default();
    match [word(0), word(1), word(2)] {
        ["and", "a", "half"] => Some((0.5, 3)),
        ["and", "a", "quarter"] => Some((0.25, 3)),
        ["and", "three", "quarter" | "quarters"] => Some((0.75, 3)),
        ["dreiviertel", ..] => Some((0.75, 1)),
        _ => None,
    }
}

/// The metres after kilometres, and their length in tokens.
pub(super) fn metres_after(tokens: &[Token]) -> Option<(f64, usize)> {
    let joins = usize::from(one_of(tokens.first()?.word()?, "and|und|et|y|e"));
    let (number, length, _) = number(tokens.get(joins..)?)?;
    let metres = number.whole().filter(|metres| *metres < 1000.0 && joins == 1)?;
    let (unit, unit_length) = first(&UNIT_PHRASES, tokens.get(joins + length..)?)?;
    (unit == Unit::Of(Measure::Distance, 1.0)).then_some((metres, joins + length + unit_length))
}
