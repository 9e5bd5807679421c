//! On which side of a cut-off something is: `34 minutes after its cut-off`.

use crate::race::claims::items::{MessageItem, has_tag};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::terms::{Reference, Sense};
use crate::race::claims::token::one_of;

const AFTER: &str = "after|nach|après|después|tras|dopo|past|beyond|later|später";
const BEFORE: &str = "before|vor|avant|antes|prima|inside|within|innerhalb|dentro|entro|ahead";

/// Words between a preposition and the cut-off, apart from articles and possessives.
const MOST_BETWEEN: usize = 4;

/// Gives the preposition before a cut-off its side, after a time or a verb of arriving.
pub(super) fn of_cutoffs(clause: &mut [MessageItem]) {
    let arrives = has_tag(clause, Tag::Reached);
    let cutoffs = (0..clause.len()).filter(|at| {
        let item = clause.get(*at);
        item.is_some_and(|item| item.has(Tag::Reference(Reference::Cutoff)) && !item.is(is_side))
    });
    let sides: Vec<(usize, Sense)> = cutoffs
        .filter_map(|cutoff| {
            let from = cutoff.saturating_sub(MOST_BETWEEN);
            let (at, side) = (from..cutoff)
                .rev()
                .find_map(|at| Some((at, side(clause.get(at)?)?)))?;
            let between = clause.get(at + 1..cutoff)?;
            let follows_time = at
                .checked_sub(1)
                .and_then(|before| clause.get(before))
                .is_some_and(|before| before.quantity().is_some());
            let is_near = between.iter().all(|item| item.quantity().is_none());
            (is_near && (follows_time || arrives)).then_some((at, side))
        })
        .collect();
    for (at, side) in sides {
        if let Some(item) = clause.get_mut(at) {
            item.tags = vec![Tag::Sense(side)];
        }
    }
}

fn is_side(tag: &Tag) -> bool {
    matches!(tag, Tag::Sense(_))
}

fn side(item: &MessageItem) -> Option<Sense> {
    let first = item.words.split(' ').next().unwrap_or_default();
    if one_of(first, AFTER) {
        Some(Sense::Behind)
    } else if one_of(first, BEFORE) {
        Some(Sense::Ahead)
    } else {
        None
    }
}
