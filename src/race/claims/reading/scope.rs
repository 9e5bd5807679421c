//! The part of the race that a clause is about, and the leg.

use super::part::Part;
use crate::race::claims::claim::{
    ClaimFrame, ClaimMetric, ClaimScope, ClaimStat, Length, Progress, Reference, State, When,
};
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::{Measure, Quantity};

/// The part of the race that a clause is about. The numbers that name it are used up.
pub(super) fn scope(part: &mut Part<'_>, frame: &mut ClaimFrame, last_length: &mut Option<Length>) {
    let mut named = false;
    for index in 0..part.items.len() {
        let Some(item) = part.items.get(index) else {
            continue;
        };
        let next = part.items.get(index + 1);
        if !part.is_open(index) {
            continue;
        }
        if let ItemKind::Mark(metres) = item.kind {
            named = true;
            let scope = at_mark(part, index, metres);
            frame.scope = Some(scope);
            part.scopes.push((index, scope));
            part.take(index);
            continue;
        }
        if let ItemKind::Stretch(from_m, to_m) = item.kind {
            named = true;
            frame.scope = Some(ClaimScope::Between(from_m, to_m));
            part.scopes.push((index, ClaimScope::Between(from_m, to_m)));
            part.take(index);
            continue;
        }
        if let Some(seconds) = item
            .quantity()
            .and_then(|quantity| quantity.measures(Measure::Duration))
        {
            let is_ago = next.is_some_and(|next| next.words == "ago")
                || (next.is_some_and(|next| next.words == "or so")
                    && part.items.get(index + 2).is_some_and(|ago| ago.words == "ago"))
                || index
                    .checked_sub(1)
                    .and_then(|i| part.items.get(i))
                    .is_some_and(|before| matches!(before.words.as_str(), "vor" | "hace" | "il y a"));
            let is_mean = next.is_some_and(|next| next.has(Tag::Stat(ClaimStat::Mean)));
            if is_since(part, index) && !frame.silent {
                frame.scope = Some(ClaimScope::Last(Length::Seconds(seconds.value)));
                part.take(index);
            } else if is_ago
                && !frame.silent
                && !part.has(|tag| matches!(tag, Tag::State(State::Silent) | Tag::LastSeen))
            {
                frame.scope = Some(ClaimScope::Ago(seconds.value));
                part.take(index);
            } else if is_mean {
                frame.scope = Some(ClaimScope::Last(Length::Seconds(seconds.value)));
                part.take(index);
            }
            continue;
        }
        if let Some(scope) = inverted(part, index) {
            frame.scope = Some(scope);
            part.take(index - 1);
            continue;
        }
        let scopes = item.tags().iter().filter_map(|tag| tag.scope());
        for word in scopes.collect::<Vec<_>>() {
            if let Some((scope, used)) = scope_of(word, item, next, frame, last_length) {
                // "so far" adds nothing to a split.
                let adds = word != ScopeWord::Race || !named;
                frame.scope = scope.filter(|_| adds).or(frame.scope);
                part.scopes
                    .extend(scope.filter(|_| adds).map(|scope| (index, scope)));
                named |= scope.is_some();
                if used {
                    part.take(index + 1);
                }
            }
        }
    }
    if let Some(Tag::Extreme(sense)) = part.find(|tag| matches!(tag, Tag::Extreme(_)).then_some(tag))
        && frame.scope.is_none()
    {
        frame.scope = Some(ClaimScope::Extreme(sense));
    }
}

/// The scope of a mark: up to the next one, since it, or the split that ends there.
fn at_mark(part: &mut Part<'_>, index: usize, metres: f64) -> ClaimScope {
    let before = index.checked_sub(1).and_then(|before| part.items.get(before));
    let before = before.map_or("", |before| before.words.as_str());
    let next = part.items.get(index + 1).map_or("", |next| next.words.as_str());
    let end = part.items.get(index + 2).map(|end| &end.kind);
    let is_from = matches!(before, "from" | "von" | "de" | "da" | "dal" | "du" | "desde");
    let joins = matches!(next, "to" | "bis" | "à" | "a" | "au" | "al" | "hasta");
    if let (true, true, Some(&ItemKind::Mark(end))) = (is_from, joins, end) {
        part.take(index + 2);
        return ClaimScope::Between(metres, end);
    }
    if matches!(before, "since" | "seit" | "depuis" | "desde" | "da" | "dal") {
        ClaimScope::Since(metres)
    } else {
        ClaimScope::Mark(metres)
    }
}

/// The scope that a word begins, and whether it uses up the item after it.
fn scope_of(
    word: ScopeWord,
    item: &MessageItem,
    next: Option<&MessageItem>,
    frame: &ClaimFrame,
    last_length: &mut Option<Length>,
) -> Option<(Option<ClaimScope>, bool)> {
    let length = next.and_then(MessageItem::quantity).and_then(length);
    let is_noun = next.is_some_and(|next| next.has(Tag::SplitNoun));
    let fixed = |scope| Some((Some(scope), false));
    match word {
        ScopeWord::Race => fixed(ClaimScope::Race),
        ScopeWord::Window => fixed(ClaimScope::Window),
        ScopeWord::LastSplit => fixed(ClaimScope::LastSplit),
        ScopeWord::FirstHalf => fixed(ClaimScope::FirstHalf),
        ScopeWord::SecondHalf => fixed(ClaimScope::SecondHalf),
        ScopeWord::Half => None,
        ScopeWord::Each => length.map(|_| (None, true)),
        ScopeWord::First if is_noun => fixed(ClaimScope::Mark(1000.0)),
        ScopeWord::Next if is_noun && item.words == "second" => fixed(ClaimScope::Mark(2000.0)),
        ScopeWord::Next
            if next.is_some_and(|next| next.tags().iter().any(|tag| matches!(tag, Tag::Leg(_)))) =>
        {
            None
        }
        ScopeWord::Next if is_noun || next.is_none() || length.is_none() => fixed(ClaimScope::Next),
        ScopeWord::First => {
            let first = length.or(*last_length)?;
            *last_length = Some(first);
            Some((Some(ClaimScope::First(first)), length.is_some()))
        }
        ScopeWord::Last => length.map(|length| (Some(ClaimScope::Last(length)), true)),
        ScopeWord::Next => {
            let is_second = item.words == "second"
                || (*last_length == length && length.is_some() && frame.when != Some(When::Future));
            let length = length?;
            let scope = if is_second {
                ClaimScope::Second(length)
            } else {
                ClaimScope::Next
            };
            *last_length = Some(length);
            Some((Some(scope), true))
        }
    }
}

/// `les 10 dernières minutes`: the number stands before the word at `index`, and the unit after it.
fn inverted(part: &Part<'_>, index: usize) -> Option<ClaimScope> {
    let number = part.items.get(index.checked_sub(1)?)?.quantity()?.whole()?;
    let unit = part.items.get(index + 1)?.words.as_str();
    let length = match unit {
        "minutes" | "minutos" | "minuti" => Length::Seconds(number * 60.0),
        "km" | "kilomètres" | "kilómetros" | "chilometri" => Length::Metres(number * 1000.0),
        _ => return None,
    };
    let tags = part.items.get(index)?.tags();
    let is = |word| tags.contains(&Tag::Scope(word));
    if is(ScopeWord::Last) {
        Some(ClaimScope::Last(length))
    } else if is(ScopeWord::First) {
        Some(ClaimScope::First(length))
    } else {
        is(ScopeWord::Next).then_some(ClaimScope::Next)
    }
}

pub(super) fn legs(part: &Part<'_>, frame: &mut ClaimFrame) {
    for (index, item) in part.items.iter().enumerate() {
        let own = item.tags().iter().find_map(|tag| match tag {
            Tag::OnLeg(kind) => Some((*kind, true)),
            _ => None,
        });
        let named = own.or_else(|| {
            item.tags().iter().find_map(|tag| match tag {
                Tag::Leg(kind) => Some((*kind, false)),
                _ => None,
            })
        });
        let Some((kind, on)) = named else { continue };
        if is_ahead(part.items, index) {
            frame.progress = frame.progress.or(Some(Progress::ToGo));
            continue;
        }
        let before = index.checked_sub(1).and_then(|i| part.items.get(i));
        (frame.leg, frame.on_leg) = (Some(kind), on);
        frame.leg_number = match (item.words.as_str(), before.map(|before| before.words.as_str())) {
            ("t1" | "in t1", _) | (_, Some("first" | "erste" | "première" | "primera" | "prima")) => Some(1),
            ("t2" | "in t2", _) | (_, Some("second" | "zweite" | "seconde" | "segunda" | "seconda")) => {
                Some(2)
            }
            _ => None,
        };
    }
}

/// `48 km to T2`
pub(super) fn is_ahead(items: &[MessageItem], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| items.get(before));
    let before = before
        .filter(|before| !before.has(Tag::Athlete))
        .or_else(|| items.get(index.checked_sub(2)?));
    before.is_some_and(|before| {
        matches!(
            before.words.as_str(),
            "to" | "until" | "till" | "bis" | "bis zu" | "hasta" | "fino" | "jusqu à"
        )
    })
}

/// `for twenty minutes` in a clause about a measured value: the part of the race that it holds for.
fn is_since(part: &Part<'_>, index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| part.items.get(before));
    let is_since = before.is_some_and(|before| {
        matches!(
            before.words.as_str(),
            "in" | "for"
                | "over"
                | "during"
                | "within"
                | "seit"
                | "über"
                | "depuis"
                | "pendant"
                | "desde"
                | "durante"
                | "da"
                | "per"
        )
    });
    let measured = |item: &MessageItem| {
        let label = |metric| item.has(Tag::Metric(metric));
        label(ClaimMetric::HeartRate)
            || label(ClaimMetric::Power)
            || label(ClaimMetric::Cadence)
            || label(ClaimMetric::Pace)
            || item.tags().iter().any(|tag| matches!(tag, Tag::Trend(_)))
            || item.quantity().is_some_and(|quantity| {
                quantity
                    .measures(Measure::HeartRate)
                    .or(quantity.measures(Measure::Power))
                    .is_some()
            })
    };
    let other = |item: &MessageItem| {
        item.quantity()
            .is_some_and(|quantity| quantity.measures(Measure::Distance).is_some())
            || item.tags().iter().any(|tag| {
                matches!(
                    tag,
                    Tag::State(State::Silent)
                        | Tag::Reference(Reference::Plan | Reference::Cutoff)
                        | Tag::Metric(ClaimMetric::Stop)
                )
            })
    };
    is_since && part.items.iter().any(measured) && !part.items.iter().any(other)
}

fn length(quantity: &Quantity) -> Option<Length> {
    if !quantity.to.is_empty() {
        return None;
    }
    if let Some(metres) = quantity.measures(Measure::Distance) {
        return Some(Length::Metres(metres.value));
    }
    if let Some(seconds) = quantity
        .measures(Measure::Duration)
        .filter(|_| quantity.readings.len() == 1)
    {
        return Some(Length::Seconds(seconds.value));
    }
    // "the opening five"
    quantity
        .whole()
        .filter(|value| (2.0..=50.0).contains(value))
        .map(|km| Length::Metres(km * 1000.0))
}
