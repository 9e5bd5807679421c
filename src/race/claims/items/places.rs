//! Places on the way: checkpoints, marks and stretches.

use super::ItemKind;
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::quantity::{self, Before, Measure, Quantity};
use crate::race::claims::token::{Token, TokenKind, one_of};

/// The checkpoint whose name `tokens` begin with, or the only one whose name contains their first word, if capitalized.
/// Returns its index and the length in tokens.
pub(super) fn checkpoint(tokens: &[Token], facts: &RaceFacts) -> Option<(usize, usize)> {
    let matches = |words: &[String]| {
        let all = words
            .iter()
            .zip(tokens)
            .all(|(word, token)| token.word() == Some(word));
        (words.len() <= tokens.len() && all && !words.is_empty()).then_some(words.len())
    };
    let names = facts.places.iter().enumerate();
    let whole = names
        .clone()
        .filter_map(|(index, place)| Some((index, matches(&place.words)?)));
    if let Some(found) = whole.max_by_key(|(_, length)| *length) {
        return Some(found);
    }
    if let Some(found) = next_checkpoint(tokens, facts) {
        return Some(found);
    }
    let TokenKind::Word(word, true) = &tokens.first()?.kind else {
        return None;
    };
    let is_own = |place: &[String]| word.chars().count() >= 4 && place.contains(word);
    let mut places = names.filter(|(_, place)| is_own(&place.words));
    let (index, _) = places.next()?;
    places.next().is_none().then_some((index, 1))
}

/// Metres before a checkpoint at which it counts as reached.
const NEXT_M: f64 = 50.0;

/// `next checkpoint`, `nächste Verpflegung`: the first one ahead.
fn next_checkpoint(tokens: &[Token], facts: &RaceFacts) -> Option<(usize, usize)> {
    const NEXT: &str = "next|nächste|nächsten|nächster|prochain|prochaine|próximo|próxima|prossimo|prossima";
    const NOUNS: &str = "checkpoint|control|kontrollpunkt|kontrollstelle|verpflegung|verpflegungsstelle|ravito|ravitaillement|avituallamiento|ristoro|control point|aid station|point de contrôle|punto de control|punto di controllo";
    let is_next = tokens.first()?.word().is_some_and(|word| one_of(word, NEXT));
    let word = |at: usize| tokens.get(at).and_then(Token::word).unwrap_or_default();
    let two = format!("{} {}", word(1), word(2));
    let three = format!("{two} {}", word(3));
    let phrases = [word(1), &two, &three];
    let length = phrases.iter().position(|phrase| one_of(phrase, NOUNS))? + 2;
    let ahead = |place: &crate::race::claims::facts::PlaceFacts| place.at_m > facts.progress_m + NEXT_M;
    let index = facts.places.iter().position(ahead)?;
    is_next.then_some((index, length))
}

const MARK_NOUNS: &str = "splits|laps|kilometres|kilometers|kms|kilomètres|kilómetros|chilometri|km|kilometre|kilometer|mile|kilomètre|kilómetro|chilometro|mark|meile|milla";

fn metres_of(noun: &str) -> f64 {
    if matches!(noun, "mile" | "meile" | "milla") {
        1609.344
    } else {
        1000.0
    }
}

/// `km 7`, `kilometre 10`.
pub(super) fn mark(tokens: &[Token]) -> Option<(ItemKind, usize)> {
    // "Radkilometer 42"
    let is_noun = |word: &&str| one_of(word, MARK_NOUNS) || word.ends_with("kilometer");
    let noun = tokens.first()?.word().filter(is_noun)?;
    let number = usize::from(
        tokens
            .get(1)
            .and_then(Token::word)
            .is_some_and(|word| matches!(word, "number" | "no")),
    );
    let (quantity, length) = quantity::quantity(tokens.get(1 + number..)?, Before::ScopeWord)?;
    let reading = quantity.measures(Measure::Bare)?;
    // "kilometres nine and ten"
    let rest = tokens.get(1 + number + length..).unwrap_or_default();
    let joins = rest
        .first()
        .and_then(Token::word)
        .is_some_and(|word| one_of(word, "and|und|et|y|e"));
    let second = rest
        .get(1..)
        .and_then(|rest| quantity::quantity(rest, Before::ScopeWord));
    let second = second.and_then(|(second, more)| Some((second.measures(Measure::Bare)?.value, more)));
    if let Some((to, more)) = second.filter(|(to, _)| joins && (to - reading.value - 1.0).abs() < 0.1) {
        let from_m = (reading.value - 1.0) * metres_of(noun);
        return Some((
            ItemKind::Stretch(from_m, to * metres_of(noun)),
            2 + number + length + more,
        ));
    }
    if let Some(to) = quantity.to.first() {
        // The splits from km 6 to km 10 begin at km 5.
        let from_m = (reading.value - 1.0).max(0.0) * metres_of(noun);
        let (mut to, mut taken) = (to.value, 1 + number + length);
        // "splits 8-9-10"
        while let Some([joiner, next]) = tokens.get(taken..taken + 2)
            && joiner.is_mark('-')
            && matches!(&next.kind, TokenKind::Number(number) if number.whole() == Some(to + 1.0))
        {
            (to, taken) = (to + 1.0, taken + 2);
        }
        return Some((ItemKind::Stretch(from_m, to * metres_of(noun)), taken));
    }
    Some((
        ItemKind::Mark(reading.value * metres_of(noun)),
        1 + number + length,
    ))
}

/// `the 7th kilometre`, `the 20 km mark`: metres, and the tokens after the quantity.
pub(super) fn after_quantity(quantity: &Quantity, rest: &[Token]) -> Option<(f64, usize)> {
    let next = rest.first()?.word()?;
    if quantity.ordinal && one_of(next, MARK_NOUNS) {
        return Some((quantity.whole()? * metres_of(next), 1));
    }
    let metres = quantity
        .measures(Measure::Distance)
        .filter(|_| quantity.to.is_empty())?;
    one_of(next, "mark|marker|sign|point|table|banner|board|marke|post|split").then_some((metres.value, 1))
}
