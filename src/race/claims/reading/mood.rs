//! Whether a clause states, advises or supposes something.

use crate::race::claims::items::{ItemKind, MessageItem, has_numbers, measures};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::terms::{ClaimMetric, ClaimScope, Mood, Reference, When};
use crate::race::claims::token::one_of;

/// Words that may stand before an imperative.
const FILLERS: &str = "so|please|just|also|maybe|and|but|then|bitte|dann|und|come|ok|okay|simply|gently|et|y|e|for|aber|mais|pero|ma|alors|puis|luego|poi|also";

fn has(items: &[MessageItem], is: impl Fn(Tag) -> bool) -> bool {
    items.iter().flat_map(|item| &item.tags).any(|tag| is(*tag))
}

fn is_verb(tag: Tag) -> bool {
    matches!(tag, Tag::When(_))
}

/// The mood of a clause. `before` is that of the clause before it.
pub(super) fn mood(items: &[MessageItem], before: Option<Mood>) -> Option<Mood> {
    let states = has(items, is_verb);
    let has_values = has_numbers(items);
    let raw = |mood| has(items, |tag| tag == Tag::Mood(mood));
    let first = items.iter().find(|item| is_significant(item));
    let starts = first.is_some_and(|item| item.has(Tag::Mood(Mood::Advice)) && !item.has(Tag::Athlete));
    // "At km 15 have a gel.", "After T2, start easy."
    let is_place = |item: &MessageItem| {
        matches!(item.kind, ItemKind::Mark(_)) || item.is(|tag| matches!(tag, Tag::Place(_)))
    };
    let orders = items
        .windows(2)
        .any(|two| matches!(two, [place, have] if is_place(place) && have.words == "have"));
    let leads = items.first().is_some_and(|first| {
        one_of(
            first.words.as_str(),
            "after|before|nach|vor|après|avant|después de|dopo|antes de|prima di",
        )
    });
    // "Have a bottle ready."
    let have = first.is_some_and(|first| one_of(&first.words, "have|haben"));
    if (orders || have) && !has(items, |tag| tag == Tag::Athlete) {
        return Some(Mood::Advice);
    }
    if leads && !states && !has_values {
        return Some(Mood::If);
    }
    if raw(Mood::Unknown) {
        return Some(Mood::Unknown);
    }
    // After its subject, "se" is reflexive: "Dora se ha parado".
    let subject = items.first().is_some_and(|first| first.has(Tag::Athlete));
    let is_reflexive = |at: usize| {
        at > usize::from(!subject)
            && items
                .get(at)
                .is_some_and(|item| matches!(&*item.words, "se" | "si"))
    };
    let mut ifs =
        (0..items.len()).filter(|at| items.get(*at).is_some_and(|item| item.has(Tag::Mood(Mood::If))));
    let supposes = ifs.any(|at| !is_reflexive(at));
    if supposes && !is_way(items, starts) && !keeps_pace(items) && !ends_part(items) {
        return Some(Mood::If);
    }
    if starts && anticipates(items) {
        return None;
    }
    if starts {
        return Some(Mood::Advice);
    }
    if raw(Mood::Modal) && !waits(items) {
        return (!foresees(items)).then_some(Mood::Modal);
    }
    let is_portion = items.iter().any(|item| {
        item.has(Tag::Food)
            || item
                .quantity()
                .is_some_and(|quantity| quantity.measures(Measure::Foreign).is_some())
    });
    let says = has(items, |tag| matches!(tag, Tag::When(when) if when != When::Now));
    let in_place = has(items, |tag| matches!(tag, Tag::Place(_)));
    if is_portion && !says && !in_place {
        return Some(Mood::Advice);
    }
    // "whether she's walking, running or sitting"
    if before == Some(Mood::Unknown)
        && is_choice(items)
        && !has_values
        && !has(items, |tag| tag == Tag::Athlete)
    {
        return before;
    }
    if before == Some(Mood::Advice) && tells(items) {
        return None;
    }
    let goes_on = !states && !first.is_some_and(|item| item.has(Tag::Athlete));
    before.filter(|mood| *mood != Mood::Unknown && goes_on)
}

/// Whether a clause leaves several answers open: `walking or sitting`.
pub(super) fn is_choice(items: &[MessageItem]) -> bool {
    let is_or = |item: &MessageItem| one_of(&item.words, "or|nor|oder|ou|o|oppure|either");
    items.iter().any(is_or) && !has_numbers(items)
}

/// Whether a clause says only that something is not known.
pub(super) fn is_ignorance(items: &[MessageItem]) -> bool {
    has(items, |tag| tag == Tag::Mood(Mood::Unknown)) && !has_numbers(items)
}

/// Whether a clause after an advice tells where the race stands, and so is none: `let me do the sums: 16.7 km to Malga Sole`,
/// `keep this up, 10 km to go`.
fn tells(items: &[MessageItem]) -> bool {
    let is_next = items.first().is_some_and(|first| {
        one_of(
            &first.words,
            "then|dann|danach|puis|ensuite|luego|después|poi|from there",
        )
    });
    let to_place = has(items, |tag| matches!(tag, Tag::Place(_)))
        && has(items, |tag| tag == Tag::FromHere)
        && measures(items, &[Measure::Distance]);
    let of_time = has(items, |tag| {
        matches!(
            tag,
            Tag::Reference(Reference::Cutoff) | Tag::Metric(ClaimMetric::Gap)
        )
    });
    let of_time = of_time && measures(items, &[Measure::Duration]);
    let of_way = has(items, |tag| matches!(tag, Tag::Progress(_)))
        && measures(items, &[Measure::Distance])
        && !has(items, |tag| matches!(tag, Tag::Mood(_)));
    !is_next && (to_place || of_time || of_way)
}

fn is_significant(item: &MessageItem) -> bool {
    let is_aside = !item.tags.is_empty()
        && item
            .tags
            .iter()
            .all(|tag| matches!(tag, Tag::When(When::Now) | Tag::Neutral | Tag::Reader | Tag::Here));
    let is_name = item.kind == ItemKind::Capital || (item.tags == [Tag::Athlete] && item.words.len() > 4);
    !(is_aside || is_name || one_of(item.words.as_str(), FILLERS))
}

/// `noch 4 km bis Velden`, `6.2 km/h until the signal went`: "until" ends a distance or a time and is no condition.
fn is_way(items: &[MessageItem], is_advice: bool) -> bool {
    let until = |item: &MessageItem| {
        one_of(
            item.words.as_str(),
            "bis|bis zu|until|till|hasta|hasta el|fino a|fino al|jusqu à|jusqu au|before the|avant de|antes de|prima di|once|once the",
        )
    };
    let supposes = items
        .iter()
        .any(|item| item.has(Tag::Mood(Mood::If)) && !until(item));
    let measures = measures(items, &[Measure::Distance, Measure::Duration]);
    let is_past = has(items, |tag| matches!(tag, Tag::When(When::Past | When::Perfect)));
    !supposes && !is_advice && (measures || is_past) && items.iter().any(until)
}

/// `48 km until you can rack the bike`: the modal verb says what follows the distance or the time, and advises nothing.
fn waits(items: &[MessageItem]) -> bool {
    let amount = |item: &MessageItem| {
        let of = |measure| {
            item.quantity()
                .is_some_and(|quantity| quantity.measures(measure).is_some())
        };
        of(Measure::Distance) || of(Measure::Duration)
    };
    let until = |item: &MessageItem| {
        one_of(
            &item.words,
            "until|till|before|before you|before she|before he|bis|hasta que|fino a",
        )
    };
    let positions = [
        items.iter().position(amount),
        items.iter().position(until),
        items.iter().position(|item| item.has(Tag::Mood(Mood::Modal))),
    ];
    matches!(positions, [Some(amount), Some(until), Some(modal)] if amount < until && until < modal)
}

/// `if you hold this pace`: what is so supposes nothing.
pub(super) fn keeps_pace(items: &[MessageItem]) -> bool {
    const THIS: &str =
        "this|that|the same|dieses|dieses tempo|dem|das|ce|cette|este|ese|esta|questo|questa|quel";
    let has_if = has(items, |tag| tag == Tag::Mood(Mood::If));
    let is_pace = |item: &MessageItem| {
        item.has(Tag::Metric(ClaimMetric::Pace)) || matches!(&*item.words, "up" | "rate" | "effort")
    };
    let names = items
        .windows(2)
        .any(|two| matches!(two, [this, pace] if one_of(&this.words, THIS) && is_pace(pace)));
    // "the pace of the last kilometre"
    let is_part = |item: &MessageItem| {
        item.is(|tag| matches!(tag, Tag::Part(ClaimScope::LastSplit | ClaimScope::Last(_))))
    };
    let names = names || (items.iter().any(is_pace) && items.iter().any(is_part));
    has_if && names && !measures(items, &[Measure::Speed])
}

/// `203 W until the stop`: "until" ends a part of the race.
fn ends_part(items: &[MessageItem]) -> bool {
    let is_part = |item: &MessageItem| item.is(|tag| matches!(tag, Tag::Part(_)));
    let is_end = |at: usize| {
        let next = items.get(at + 1..).unwrap_or_default();
        next.iter().take(2).any(is_part)
    };
    let mut ifs =
        (0..items.len()).filter(|at| items.get(*at).is_some_and(|item| item.has(Tag::Mood(Mood::If))));
    has_numbers(items) && ifs.all(is_end)
}

/// Whether an imperative only says when something comes: `think of the run at 3:35`.
pub(super) fn anticipates(items: &[MessageItem]) -> bool {
    const VERBS: &str = "think|look|denk|denke|freu|pense|piensa|pensa|prepare|prépare|imagine|picture";
    const ABOUT: &str = "of|about|forward|an|auf|à|au|en|a|al|for";
    let comes = |item: &MessageItem| {
        let is_place = item.is(|tag| matches!(tag, Tag::Leg(_) | Tag::Place(_)));
        is_place || item.has(Tag::Finish) || names_marathon(item)
    };
    let is_when = |item: &MessageItem| {
        one_of(
            &item.words,
            "in|at|gegen|um|à|a las|alle|vers|dans|tra|en|dentro de|around",
        )
    };
    let is_asked = items
        .windows(2)
        .any(|two| matches!(two, [verb, about] if one_of(&verb.words, VERBS) && one_of(&about.words, ABOUT)));
    let Some(subject) = items.iter().position(comes) else {
        return false;
    };
    let rest = items.get(subject + 1..).unwrap_or_default();
    is_asked && rest.iter().any(is_when) && measures(rest, &[Measure::Duration, Measure::TimeOfDay])
}

/// Whether the words name the run of a triathlon by its length.
pub(super) fn names_marathon(item: &MessageItem) -> bool {
    ["marathon", "maratón", "maratona"]
        .iter()
        .any(|end| item.words.ends_with(end))
}

/// Whether a modal verb predicts rather than advises: `she should reach`, `you'd be home`.
pub(super) fn foresees(items: &[MessageItem]) -> bool {
    if keeps_pace(items) || anticipates(items) {
        return true;
    }
    let modal = items.iter().position(|item| item.has(Tag::Mood(Mood::Modal)));
    let Some(modal) = modal else { return false };
    let rest = items.get(modal + 1..).unwrap_or_default();
    let arrives = rest.iter().take(4).any(|item| item.has(Tag::Arrive));
    let has_time = measures(items, &[Measure::Duration, Measure::TimeOfDay, Measure::Distance]);
    arrives && has_time
}
