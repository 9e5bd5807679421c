//! What the words around a number make of it.

use super::part::Part;
use crate::race::claims::claim::{
    Bound, ClaimBody, ClaimFrame, ClaimScope, Mood, Progress, Reference, Sense, When,
};
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::{Measure, Quantity, Reading};

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
    // "noch 4 km bis Velden"
    let is_way = part.items.windows(2).any(|two| {
        matches!(two, [to, place] if matches!(to.words.as_str(), "bis" | "until" | "till" | "hasta" | "fino a" | "jusqu à")
            && matches!(place.kind, ItemKind::Checkpoint(_)))
    }) && part
        .items
        .iter()
        .filter_map(MessageItem::quantity)
        .any(|quantity| quantity.measures(Measure::Distance).or(quantity.measures(Measure::Duration)).is_some())
        && !part.items.first().is_some_and(|first| first.has(Tag::Mood(Mood::Advice)));
    // "She did 6.2 km/h until the signal went."
    let is_way = is_way
        || part.items.iter().enumerate().any(|(index, item)| {
            matches!(item.words.as_str(), "until" | "till" | "bis")
                && part
                    .items
                    .iter()
                    .take(index)
                    .any(|item| item.has(Tag::When(When::Past)))
        });
    // "At km 15 have a gel."
    let orders = part.items.windows(2).any(|two| {
        matches!(two, [place, have] if matches!(place.kind, ItemKind::Mark(_) | ItemKind::Checkpoint(_)) && have.words == "have")
    });
    if orders && !part.has(|tag| tag == Tag::Athlete) {
        return Some(Mood::Advice);
    }
    for strong in [Mood::Unknown, Mood::If] {
        if moods.contains(&strong) && !(is_way && strong == Mood::If) {
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

/// The past tense by the ending of a verb that no table has: `stayed`, `rolled`.
pub(super) fn past(part: &Part<'_>) -> Option<When> {
    let is_past = |item: &MessageItem| {
        item.kind == ItemKind::Word
            && item.words.len() >= 5
            && item.words.ends_with("ed")
            && !item.words.ends_with("eed")
            && !matches!(item.words.as_str(), "hundred" | "tired" | "relaxed")
    };
    part.items.iter().any(is_past).then_some(When::Past)
}

/// Whether a place is said to be left.
pub(super) fn departs(part: &Part<'_>) -> bool {
    part.items.windows(2).any(|two| {
        let [left, place] = two else { return false };
        left.has(Tag::Departed) && matches!(place.kind, ItemKind::Checkpoint(_))
    })
}

pub(super) fn is_miles(distance: Reading) -> bool {
    let power = (distance.step / 1609.344).log10();
    (power - power.round()).abs() < 1e-6
}

/// A range that is a change over time, `from 214 to 203 W`.
pub(super) struct ChangeOverTime {
    /// The sense of its verb.
    pub(super) sense: Option<Sense>,
}

/// The change over time that a range is, if it is one.
pub(super) fn change_over_time(
    quantity: &Quantity,
    frame: &ClaimFrame,
    before: &[MessageItem],
    part: &Part<'_>,
) -> Option<ChangeOverTime> {
    let from = before.last()?;
    let is_from = matches!(from.words.as_str(), "from" | "von" | "de" | "da" | "desde");
    let measure = quantity.readings.first()?.measure;
    let is_value = matches!(
        measure,
        Measure::HeartRate | Measure::Power | Measure::Cadence { .. } | Measure::Bare
    );
    let trend = part.items.iter().find_map(|item| {
        let tag = item.tags().iter().find(|tag| matches!(tag, Tag::Trend(_)))?;
        Some((*tag, item.words.starts_with("drift")))
    });
    let is_told =
        frame.mood.is_none() && (trend.is_some() || matches!(frame.when, Some(When::Past | When::Perfect)));
    let sense = match trend {
        Some((Tag::Trend(sense), false)) => Some(sense),
        _ => None,
    };
    (is_from && is_value && is_told && !quantity.to.is_empty()).then_some(ChangeOverTime { sense })
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
    // "58.2 km in"
    if after.first().is_some_and(|next| next.words == "in")
        && after.get(1).is_none_or(|next| {
            next.quantity().is_none()
                && !matches!(
                    next.words.as_str(),
                    "the" | "a" | "her" | "his" | "your" | "front" | "hand"
                )
        })
        && frame.progress.is_none()
        && frame.when != Some(When::Future)
    {
        frame.progress = Some(Progress::Done);
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
