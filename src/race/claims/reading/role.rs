//! What the words around a number make of it.

use super::part::Part;
use crate::race::claims::claim::{
    Bound, ClaimBody, ClaimFrame, ClaimScope, Mood, Progress, Reference, Sense, When,
};
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::{Measure, Quantity};

/// Whether a clause states, advises or supposes something.
pub(super) fn mood(part: &Part<'_>, before: Option<Mood>) -> Option<Mood> {
    let significant = part.items.iter().find(|item| match &item.kind {
        ItemKind::Athlete | ItemKind::Capital => false,
        ItemKind::Word => !matches!(
            item.words.as_str(),
            "so" | "please"
                | "just"
                | "also"
                | "maybe"
                | "and"
                | "but"
                | "then"
                | "bitte"
                | "dann"
                | "und"
                | "come"
                | "ok"
                | "okay"
                | "simply"
                | "gently"
                | "et"
                | "y"
                | "e"
                | "for"
        ),
        ItemKind::Tags(tags) => !tags
            .iter()
            .all(|tag| matches!(tag, Tag::When(When::Now) | Tag::Neutral | Tag::Reader)),
        _ => true,
    });
    let moods: Vec<Mood> = part
        .items
        .iter()
        .flat_map(MessageItem::tags)
        .filter_map(|tag| tag.mood())
        .collect();
    // "After T2, start easy."
    let is_lead = part.items.first().is_some_and(|first| {
        matches!(
            first.words.as_str(),
            "after"
                | "before"
                | "nach"
                | "vor"
                | "après"
                | "avant"
                | "después de"
                | "dopo"
                | "antes de"
                | "prima di"
        )
    });
    if is_lead && !part.has(is_verb) && part.values().is_empty() {
        return Some(Mood::If);
    }
    for strong in [Mood::Unknown, Mood::If] {
        if moods.contains(&strong) {
            return Some(strong);
        }
    }
    let starts = significant.is_some_and(|item| item.has(Tag::Mood(Mood::Advice)));
    if starts {
        return Some(Mood::Advice);
    }
    if moods.contains(&Mood::Modal) {
        return Some(Mood::Modal);
    }
    let states_something = significant.is_some_and(|item| item.has(Tag::Athlete)) || part.has(is_verb);
    let is_portion = part
        .items
        .iter()
        .filter_map(MessageItem::quantity)
        .any(|quantity| quantity.measures(Measure::Foreign).is_some());
    if is_portion && !part.has(is_verb) {
        return Some(Mood::Advice);
    }
    before.filter(|mood| *mood != Mood::Unknown && !states_something)
}

fn is_verb(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::When(When::Present | When::Past | When::Perfect | When::Future)
    )
}

/// The frame of one number among several in a clause: what stands next to it counts for it alone.
pub(super) fn around(clause: &ClaimFrame, before: &[MessageItem], after: &[MessageItem]) -> ClaimFrame {
    let mut frame = clause.clone();
    let near = |pick: &dyn Fn(Tag) -> bool| {
        let before = before
            .iter()
            .rev()
            .flat_map(MessageItem::tags)
            .copied()
            .find(|tag| pick(*tag));
        let after = after
            .iter()
            .flat_map(MessageItem::tags)
            .copied()
            .find(|tag| pick(*tag));
        (before, after)
    };
    if let (Some(Tag::Metric(metric)), _) | (None, Some(Tag::Metric(metric))) =
        near(&|tag| matches!(tag, Tag::Metric(_)))
    {
        frame.metric = Some(metric);
    }
    frame.label = before
        .iter()
        .rev()
        .flat_map(MessageItem::tags)
        .find_map(|tag| tag.metric());
    // A mean or a maximum is named before the number or right after it.
    let (stat_before, _) = near(&|tag| matches!(tag, Tag::Stat(_)));
    let stat_after = after
        .iter()
        .take(3)
        .flat_map(MessageItem::tags)
        .find(|tag| matches!(tag, Tag::Stat(_)));
    if let Some(Tag::Stat(stat)) = stat_after.copied().or(stat_before) {
        frame.stat = Some(stat);
    }
    let (progress_before, progress_after) = near(&|tag| matches!(tag, Tag::Progress(_)));
    if let Some(Tag::Progress(progress)) = progress_after.or(progress_before) {
        frame.progress = Some(progress);
    }
    // "two minutes up"
    let aside = after.first().map(|next| next.words.as_str());
    if frame.sense.is_none() && matches!(aside, Some("up" | "down")) {
        frame.sense = Some(if aside == Some("up") {
            Sense::Ahead
        } else {
            Sense::Behind
        });
    }
    // "33.7 km ahead"
    if after
        .first()
        .is_some_and(|next| next.has(Tag::Sense(Sense::Ahead)))
        && frame.reference.is_none()
    {
        frame.progress = Some(Progress::ToGo);
    }
    if after.iter().any(|item| item.has(Tag::When(When::Now))) {
        (frame.when, frame.scope) = (Some(When::Now), None);
    }
    let bound = before
        .last()
        .into_iter()
        .chain(before.len().checked_sub(2).and_then(|i| before.get(i)));
    let bound = bound.flat_map(MessageItem::tags).find_map(|tag| tag.bound());
    frame.bound = bound.unwrap_or_default();
    frame
}

/// What a number is in its clause: a value, a difference, or what something is compared with.
pub(super) fn role(
    quantity: Quantity,
    frame: &ClaimFrame,
    (before, after): (&[MessageItem], &[MessageItem]),
    is_last: bool,
) -> ClaimBody {
    let is_filler = |item: &&MessageItem| {
        matches!(item.kind, ItemKind::Word | ItemKind::Checkpoint(_))
            || item.tags().iter().all(|tag| {
                matches!(
                    tag,
                    Tag::Athlete | Tag::Neutral | Tag::Bound(Bound::About) | Tag::At | Tag::When(_)
                )
            })
    };
    let closest = before.iter().rev().find(|item| !is_filler(item));
    let next = after.iter().find(|item| !is_filler(item));
    let is_reference = |item: Option<&MessageItem>| {
        item.is_some_and(|item| item.tags().iter().any(|tag| matches!(tag, Tag::Reference(_))))
    };
    let is_sense = |item: Option<&MessageItem>| {
        item.is_some_and(|item| {
            item.tags()
                .iter()
                .any(|tag| matches!(tag, Tag::Sense(sense) if *sense != Sense::Same))
        })
    };
    if is_reference(closest)
        || (is_reference(after.first()) && !is_sense(after.first()) && (is_last || after.len() > 1))
    {
        return ClaimBody::Reference(quantity);
    }
    let by = before
        .iter()
        .rev()
        .take(4)
        .chain(after.iter().take(2))
        .any(|item| item.has(Tag::By));
    let until_cutoff = frame.reference == Some(Reference::Cutoff)
        && frame.from_here
        && quantity.measures(Measure::Duration).is_some();
    let is_time = quantity.measures(Measure::Duration).is_some();
    let apart = is_time
        && matches!(frame.sense, Some(Sense::Ahead | Sense::Behind))
        && frame.scope.is_none_or(|scope| scope == ClaimScope::Race);
    let from_sense = is_sense(next) || by || apart;
    let towards_plan = is_time && is_reference(next) && frame.reference == Some(Reference::Plan);
    if (towards_plan || until_cutoff) && quantity.to.is_empty() {
        return ClaimBody::Difference(quantity);
    }
    let has_other = is_reference(after.iter().find(|item| is_reference(Some(item))))
        || frame.reference.is_some()
        || is_time
        || by;
    if from_sense && has_other && quantity.to.is_empty() {
        return ClaimBody::Difference(quantity);
    }
    ClaimBody::Value(quantity)
}
