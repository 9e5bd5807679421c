//! Lists of splits: `5:36, 5:20, 5:15`, `km 8, 9 and 10`.

use super::{Reader, adjuncts};
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::{Clause, ItemKind, MessageItem};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimMetric, When};
use crate::race::claims::token::one_of;

/// The splits that a sentence names by the place where they end, in metres: `km 8, 9 and 10`.
fn marks(items: &[&MessageItem]) -> Vec<f64> {
    let mut marks: Vec<f64> = Vec::new();
    for item in items {
        match &item.kind {
            ItemKind::Mark(metres) => marks.push(*metres),
            ItemKind::Stretch(from_m, to_m) => {
                let count = ((to_m - from_m) / 1000.0).clamp(0.0, 20.0);
                let ends = (1..=20).map(f64::from).take_while(|km| *km <= count);
                marks.extend(ends.map(|km| km.mul_add(1000.0, *from_m)));
            }
            ItemKind::Quantity(quantity) => {
                let next = marks.last().map(|last| last / 1000.0 + 1.0);
                let is_next =
                    quantity.whole().is_some() && quantity.whole() == next && quantity.to.is_empty();
                marks.extend(is_next.then(|| quantity.whole().unwrap_or_default() * 1000.0));
            }
            _ => {}
        }
    }
    marks
}

/// Where a list of splits begins: `the first three`, `since km 7`. In metres; `None` if the sentence names other parts too.
fn first_of(items: &[&MessageItem]) -> Option<f64> {
    let mut from_m = None;
    for (index, item) in items.iter().enumerate() {
        let word = |at: usize| items.get(at).map_or("", |item| item.words.as_str());
        let start_m = match item.kind {
            // "your first kilometre and your tenth"
            _ if item.quantity().is_some_and(|it| it.ordinal) => return None,
            _ if item.has(Tag::Scope(ScopeWord::First)) => 0.0,
            ItemKind::Mark(metres) if index > 0 && one_of(word(index - 1), adjuncts::SINCE) => metres,
            ItemKind::Mark(_) | ItemKind::Stretch(..) => return None,
            _ if item.is(|tag| matches!(tag, Tag::Scope(ScopeWord::Last | ScopeWord::Next))) => return None,
            _ => continue,
        };
        if from_m.replace(start_m).is_some() {
            return None;
        }
    }
    from_m
}

impl Reader<'_> {
    /// Times of splits that a sentence lists.
    pub(super) fn sequence(&mut self, sentence: &[Clause]) {
        let items: Vec<&MessageItem> = sentence.iter().flatten().collect();
        let lists = items
            .iter()
            .any(|item| item.has(Tag::SplitNoun) || item.has(Tag::Metric(ClaimMetric::Pace)));
        let compares = items.iter().any(|item| {
            item.has(Tag::Than) || item.has(Tag::When(When::Now)) || item.is(|tag| tag.stat().is_some())
        });
        let marks = marks(&items);
        let is_marked = marks.len() > 1;
        let times: Vec<f64> = items
            .iter()
            .filter_map(|item| item.quantity())
            .filter(|quantity| quantity.to.is_empty() && quantity.readings.len() > 1)
            .filter_map(|quantity| Some(quantity.readings.first()?.value))
            .collect();
        if is_marked && !compares && marks.len() == times.len() {
            let all: Vec<MessageItem> = items.iter().copied().cloned().collect();
            let splits = marks.iter().copied().zip(times.iter().copied()).collect();
            self.push(&all, &Roles::default(), ClaimBody::Splits(splits));
        }
        if (lists || times.len() > 2) && !compares && !is_marked && times.len() >= 2 {
            let from_m = first_of(&items);
            let all: Vec<MessageItem> = items.into_iter().cloned().collect();
            self.push(&all, &Roles::default(), ClaimBody::Sequence(times, from_m));
        }
    }
}
