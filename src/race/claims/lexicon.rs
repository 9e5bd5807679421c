//! The roles of words.
//!
//! The longest phrase that begins at a word gives the roles. The words inside a phrase keep their own roles, unless the
//! phrase has one of the same kind: "she's riding" names the leg, the person and the tense.

mod tag;
mod words;

use std::sync::LazyLock;

use super::phrases::Phrases;
use super::terms::ClaimMetric;
use super::token::{Token, TokenKind, tokens};

pub(crate) use tag::{ScopeWord, Tag};

static TAGS: LazyLock<Phrases<Tag>> = LazyLock::new(|| Phrases::new(words::WORDS.iter().copied()));

/// The tags of the longest phrase at the start of `tokens`, and its length in tokens.
pub(super) fn tags(tokens: &[Token]) -> Option<(Vec<Tag>, usize)> {
    let Some((mut tags, length)) = TAGS.at(tokens) else {
        return compound(tokens.first()?);
    };
    let whole = tags.clone();
    for at in 0..length {
        let inner = tokens
            .get(at..length)
            .and_then(|rest| TAGS.at(rest))
            .filter(|(_, inner)| *inner < length);
        let word = || {
            tokens
                .get(at..=at)
                .filter(|_| length > 1)
                .and_then(|word| TAGS.at(word))
        };
        let own = inner.or_else(word).map_or(Vec::new(), |(own, _)| own);
        let kept = own
            .into_iter()
            .filter(|tag| tag.outlives(&whole) && !whole.iter().any(|whole| whole.is_like(*tag)));
        tags.extend(kept);
    }
    Some((tags, length))
}

/// The tags of the parts of a German compound that no table knows: `Pulslimit`, `Durchschnittspace`.
fn compound(token: &Token) -> Option<(Vec<Tag>, usize)> {
    let TokenKind::Word(word, true) = &token.kind else {
        return None;
    };
    let at = |part: &str| {
        let of = |part: &str| TAGS.at(&tokens(part)).map(|(tags, _)| tags);
        of(part).or_else(|| of(part.strip_suffix('s')?))
    };
    let halves = word.char_indices().skip(4).map(|(at, _)| word.split_at(at));
    let mut tags = halves
        .filter(|(_, last)| last.chars().count() >= 4)
        .find_map(|(first, last)| Some([at(last)?, at(first).unwrap_or_default()].concat()))?;
    tags.retain(|tag| {
        let is_value = tag.metric().is_some_and(ClaimMetric::is_measured);
        is_value || matches!(tag, Tag::Stat(_) | Tag::Reference(_))
    });
    (!tags.is_empty()).then_some((tags, 1))
}
