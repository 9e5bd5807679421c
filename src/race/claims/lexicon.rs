//! The roles of words.
//!
//! The longest phrase at a word gives its role. The words inside a phrase keep theirs as far as the phrase has none of
//! that kind: "she's riding" names the leg, the person and the tense.

mod tag;
mod words;

use std::sync::LazyLock;

use super::phrases::Phrases;
use super::token::Token;

pub(crate) use tag::{ScopeWord, Tag};

static TAGS: LazyLock<Phrases<Tag>> = LazyLock::new(|| Phrases::new(words::WORDS.iter().copied()));

/// The tags of the longest phrase at the start of `tokens`, and its length in tokens.
pub(super) fn tags(tokens: &[Token]) -> Option<(Vec<Tag>, usize)> {
    let (mut tags, length) = TAGS.at(tokens)?;
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
