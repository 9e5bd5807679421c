//! A clause while it is read: its items, and which of them a scope has used up.

use crate::race::claims::claim::ClaimScope;
use crate::race::claims::items::MessageItem;
use crate::race::claims::lexicon::Tag;

pub(super) struct Part<'a> {
    pub(super) items: &'a [MessageItem],
    pub(super) used: Vec<bool>,
    /// The scopes in the clause, and the items that name them.
    pub(super) scopes: Vec<(usize, ClaimScope)>,
}

impl Part<'_> {
    /// The scope of the value at `index`: right before it, else between it and the value at `next`, else before it.
    pub(super) fn scope_at(&self, index: usize, next: usize) -> Option<ClaimScope> {
        let before = || self.scopes.iter().rev().find(|(at, _)| *at < index);
        let close = before().filter(|(at, _)| index - at <= 2);
        let after = self.scopes.iter().find(|(at, _)| (index..next).contains(at));
        close.or(after).or_else(before).map(|(_, scope)| *scope)
    }

    pub(super) fn is_open(&self, index: usize) -> bool {
        self.used.get(index) == Some(&false)
    }

    pub(super) fn take(&mut self, index: usize) {
        if let Some(used) = self.used.get_mut(index) {
            *used = true;
        }
    }

    /// The quantities that are not part of a scope.
    pub(super) fn values(&self) -> Vec<usize> {
        let values = self.items.iter().enumerate();
        let values = values.filter(|(index, item)| self.is_open(*index) && item.quantity().is_some());
        values.map(|(index, _)| index).collect()
    }

    pub(super) fn has(&self, is: impl Fn(Tag) -> bool) -> bool {
        self.items
            .iter()
            .any(|item| item.tags().iter().any(|tag| is(*tag)))
    }

    pub(super) fn find<T>(&self, pick: impl Fn(Tag) -> Option<T>) -> Option<T> {
        self.items
            .iter()
            .flat_map(MessageItem::tags)
            .find_map(|tag| pick(*tag))
    }
}
