//! What the words around a word make of it: `you left`, `she'd covered`, `the opening five`.

use crate::race::claims::facts::RaceFacts;
use crate::race::claims::lexicon::{self, ScopeWord, Tag};
use crate::race::claims::quantity::Before;
use crate::race::claims::terms::Progress;
use crate::race::claims::token::{NumberShape, Token, TokenKind, one_of};

/// `and left at 3:33`
pub(super) fn leaves_at(tokens: &[Token]) -> bool {
    let is_clock = |token: &Token| matches!(&token.kind, TokenKind::Number(number) if matches!(number.shape, NumberShape::Clock(_)));
    tokens.get(1).and_then(Token::word) == Some("at") && tokens.get(2).is_some_and(is_clock)
}

pub(super) fn follows_subject(before: Option<&Token>, facts: &RaceFacts) -> bool {
    let word = before.and_then(Token::word).unwrap_or_default();
    one_of(word, "you|she|he|they|just|ve|has|have") || facts.athlete.iter().any(|name| name == word)
}

/// Whether a word that no table knows ends like a verb in the past tense: `stayed`, `rolled`.
pub(super) fn is_past(word: &str) -> bool {
    word.len() >= 5
        && word.ends_with("ed")
        && !word.ends_with("eed")
        && !matches!(
            word,
            "hundred" | "tired" | "relaxed" | "based" | "compared" | "limited" | "detailed"
        )
}

/// `she'd covered`, but `she'd be`.
pub(super) fn is_past_perfect(tokens: &[Token]) -> bool {
    let next = tokens.get(1).and_then(Token::word).unwrap_or_default();
    is_past(next) || one_of(next, "been|had|done|run|gone|got|left|already|just|swum|ridden")
}

/// What stands before a number, as far as it decides how to read it.
pub(super) fn before_number(before: Option<&Token>) -> Before {
    let Some(before) = before else {
        return Before::Other;
    };
    let between = before
        .word()
        .is_some_and(|word| one_of(word, "between|zwischen|entre|tra|fra"));
    let scopes = lexicon::tags(std::slice::from_ref(before));
    let is_scope = scopes.is_some_and(|(tags, _)| {
        tags.iter().any(|tag| {
            matches!(
                tag,
                Tag::Scope(ScopeWord::First | ScopeWord::Last | ScopeWord::Next)
            )
        })
    });
    let from = before.word().is_some_and(|word| matches!(word, "von" | "from"));
    let aside = before
        .word()
        .is_some_and(|word| one_of(word, "up|down|by|um|de|di"));
    let is_to_go = lexicon::tags(std::slice::from_ref(before))
        .is_some_and(|(tags, _)| tags.contains(&Tag::Progress(Progress::ToGo)));
    match (between, is_scope) {
        _ if is_to_go => Before::ToGo,
        _ if from => Before::From,
        _ if aside => Before::Aside,
        (true, _) => Before::Between,
        (_, true) => Before::ScopeWord,
        _ => Before::Other,
    }
}
