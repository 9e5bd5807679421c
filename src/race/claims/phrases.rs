//! Finds the phrases of a table in a sequence of tokens.

use std::collections::HashMap;

use super::token::{Token, TokenKind, tokens};

/// The phrases of a table, keyed by their first word, and its stems, which match the beginning of a word.
pub(super) struct Phrases<T> {
    phrases: HashMap<String, Vec<(Vec<String>, T)>>,
    stems: Vec<(String, T)>,
}

impl<T: Copy> Phrases<T> {
    pub(super) fn new<'a>(rows: impl IntoIterator<Item = (T, &'a str)>) -> Self {
        let mut phrases: HashMap<String, Vec<(Vec<String>, T)>> = HashMap::new();
        let mut stems = Vec::new();
        for (meaning, row) in rows {
            for phrase in row.split('|') {
                if let Some(stem) = phrase.strip_suffix('*') {
                    stems.push((stem.to_owned(), meaning));
                    continue;
                }
                let words: Vec<String> = tokens(phrase).iter().filter_map(key).collect();
                if let Some(first) = words.first() {
                    phrases.entry(first.clone()).or_default().push((words, meaning));
                }
            }
        }
        for phrases in phrases.values_mut() {
            phrases.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        }
        Self { phrases, stems }
    }

    /// The meanings of the longest phrase that `tokens` begin with, and its number of tokens. A phrase may have several
    /// meanings.
    pub(super) fn at(&self, tokens: &[Token]) -> Option<(Vec<T>, usize)> {
        let first = key(tokens.first()?)?;
        let stem = || {
            let (_, meaning) = self
                .stems
                .iter()
                .find(|(stem, _)| first.starts_with(stem.as_str()))?;
            Some((vec![*meaning], 1))
        };
        let Some(rows) = self.phrases.get(&first) else {
            return stem();
        };
        let matches = |words: &[String]| {
            words.len() <= tokens.len()
                && words
                    .iter()
                    .zip(tokens)
                    .all(|(word, token)| key(token).as_ref() == Some(word))
        };
        let Some(length) = rows
            .iter()
            .find(|(words, _)| matches(words))
            .map(|(words, _)| words.len())
        else {
            return stem();
        };
        let meanings = rows
            .iter()
            .filter(|(words, _)| words.len() == length && matches(words));
        Some((meanings.map(|(_, meaning)| *meaning).collect(), length))
    }
}

fn key(token: &Token) -> Option<String> {
    match &token.kind {
        TokenKind::Word(word, _) => Some(word.clone()),
        TokenKind::Number(number) => number.whole().map(|value| value.to_string()),
        TokenKind::Mark(mark) if !mark.is_whitespace() => Some(mark.to_string()),
        _ => None,
    }
}
