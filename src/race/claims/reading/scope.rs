//! The part of the race that a clause is about.

use super::adjuncts::{SINCE, adjuncts, direct_word, word};
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::items::{ItemKind, MessageItem, has_tag};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::{Measure, Quantity};
use crate::race::claims::terms::{ClaimMetric, ClaimScope, ClaimStat, Length, State, When};
use crate::race::claims::token::one_of;

/// Finds the parts of the race that a clause names. A number that names one becomes a word.
pub(super) fn name_parts(items: &mut [MessageItem], last_length: &mut Option<Length>, facts: &RaceFacts) {
    adjuncts(items, facts);
    for index in 0..items.len() {
        let Some((scope, uses)) = part_at(items, index, last_length) else {
            continue;
        };
        for used in uses {
            if let Some(item) = items.get_mut(used) {
                item.kind = ItemKind::Word;
            }
        }
        if let Some(item) = items.get_mut(index) {
            item.tags.extend(scope.map(Tag::Part));
        }
    }
}

/// The part of the race, and the items that are no longer numbers.
type Found = (Option<ClaimScope>, Vec<usize>);

fn found(scope: ClaimScope, uses: &[usize]) -> Found {
    (Some(scope), uses.to_vec())
}

fn part_at(items: &[MessageItem], index: usize, last_length: &mut Option<Length>) -> Option<Found> {
    let item = items.get(index)?;
    match &item.kind {
        ItemKind::Mark(metres) => Some(at_mark(items, index, *metres)),
        ItemKind::Stretch(from_m, to_m) => Some(found(ClaimScope::Between(*from_m, *to_m), &[index])),
        ItemKind::Quantity(quantity) => before_last(items, index, quantity, *last_length)
            .or_else(|| of_stretch(items, index, quantity))
            .or_else(|| of_split(items, index, quantity))
            .or_else(|| of_time(items, index, quantity)),
        _ => inverted(items, index).or_else(|| {
            let words = item.tags.iter().filter_map(|tag| tag.scope());
            words
                .into_iter()
                .find_map(|word| of_word(word, items, index, last_length))
        }),
    }
}

/// `the ninth`, `number 6`, in a clause about splits.
fn of_split(items: &[MessageItem], index: usize, quantity: &Quantity) -> Option<Found> {
    let splits = items.iter().any(|item| {
        item.has(Tag::SplitNoun)
            || item.is(|tag| tag.extreme().is_some())
            || differs(item)
            || is_pace_of(item, items, index)
    });
    let is_number =
        quantity.ordinal || one_of(direct_word(items, index), "number|nummer|numéro|número|numero");
    let km = quantity
        .whole()
        .filter(|km| splits && is_number && *km <= 300.0)?;
    // "35 s per km since the seventh"
    let article = items
        .get(index.checked_sub(1)?)
        .filter(|item| one_of(&item.words, "the|dem|der|le|la|el|il"));
    let before = if article.is_some() {
        index.checked_sub(2)
    } else {
        index.checked_sub(1)
    };
    let is_since = quantity.ordinal && one_of(word(items, before), SINCE);
    let metres = km * 1000.0;
    let scope = if is_since {
        ClaimScope::Since(metres)
    } else {
        ClaimScope::Mark(metres)
    };
    Some(found(scope, &[index]))
}

/// `5:50 on the sixth`: a clock that may be a pace, right before an ordinal.
fn is_pace_of(item: &MessageItem, items: &[MessageItem], index: usize) -> bool {
    let before = items.get(index.saturating_sub(3)..index).unwrap_or_default();
    let is_on = before.iter().any(|word| {
        one_of(
            &word.words,
            "on|on the|in|in the|for|for the|auf|auf dem|im|beim|au|dans|en|nel|al",
        )
    });
    let is_close = before.iter().any(|own| std::ptr::eq(own, item));
    let is_pace = item
        .quantity()
        .is_some_and(|quantity| quantity.readings.len() > 2 && quantity.to.is_empty());
    is_on && is_close && is_pace
}

/// Whether a number is a difference between two paces.
fn differs(item: &MessageItem) -> bool {
    item.quantity()
        .is_some_and(|quantity| quantity.measures(Measure::PaceDifference).is_some())
}

/// `the five before`, after the last five were spoken of.
fn before_last(
    items: &[MessageItem],
    index: usize,
    quantity: &Quantity,
    named: Option<Length>,
) -> Option<Found> {
    const BEFORE: &str = "before|before that|davor|avant|anteriores|precedenti";
    let length = length(quantity).filter(|length| Some(*length) == named)?;
    let is_before = one_of(word(items, Some(index + 1)), BEFORE);
    is_before.then(|| found(ClaimScope::BeforeLast(length), &[index]))
}

/// `8 to 10 averaged 5:24`
fn of_stretch(items: &[MessageItem], index: usize, quantity: &Quantity) -> Option<Found> {
    let (from, to) = (quantity.whole()?, quantity.to.first()?.value);
    let is_mean = items.get(index + 1)?.has(Tag::Stat(ClaimStat::Mean));
    let is_short = from < to && to <= 300.0;
    let has_pace = items.iter().skip(index + 1).any(|item| {
        item.quantity()
            .is_some_and(|quantity| quantity.measures(Measure::Speed).is_some())
    });
    let stretch = ClaimScope::Between((from - 1.0) * 1000.0, to * 1000.0);
    (index <= 1 && is_mean && is_short && has_pace).then(|| found(stretch, &[index]))
}

/// `for twenty minutes`, `ten minutes ago`: the part of the race that the other words of the clause are about.
fn of_time(items: &[MessageItem], index: usize, quantity: &Quantity) -> Option<Found> {
    let seconds = quantity.measures(Measure::Duration)?.value;
    let has = |tag: Tag| has_tag(items, tag);
    let is_silent =
        has(Tag::State(State::Silent)) || has(Tag::LastSeen) || has(Tag::Metric(ClaimMetric::Gap));
    let next = items.get(index + 1);
    let is_mean =
        quantity.readings.len() == 1 && next.is_some_and(|next| next.has(Tag::Stat(ClaimStat::Mean)));
    let is_since = one_of(
        word(items, index.checked_sub(1)),
        "in|for|over|during|within|seit|über|depuis|pendant|desde|durante|da|per",
    );
    let measured = |item: &MessageItem| {
        let is_label = item.is(|tag| match tag {
            Tag::Metric(metric) => metric.is_measured(),
            tag => matches!(tag, Tag::Trend(_)),
        });
        let value = item.quantity().and_then(|quantity| quantity.readings.first());
        is_label
            || value.is_some_and(|value| {
                value
                    .measure
                    .metric()
                    .is_some_and(|metric| metric != ClaimMetric::Pace)
            })
    };
    let other = |item: &MessageItem| {
        item.quantity()
            .is_some_and(|quantity| quantity.measures(Measure::Distance).is_some())
            || item
                .tags
                .iter()
                .any(|tag| matches!(tag, Tag::Reference(_) | Tag::Metric(ClaimMetric::Stop)))
    };
    let before = word(items, index.checked_sub(1));
    let is_ago = next.is_some_and(|next| one_of(next.words.as_str(), "ago|fa|earlier|or so ago"))
        || matches!(before, "vor" | "hace" | "il y a")
        || (next.is_some_and(|next| next.words == "or so") && word(items, Some(index + 2)) == "ago");
    if is_ago && !is_silent {
        return Some(found(ClaimScope::Ago(seconds), &[]));
    }
    // "pace for two hours from here"
    let is_since = is_since && !has(Tag::FromHere);
    let holds = is_since && items.iter().any(measured) && !items.iter().any(other);
    if !is_silent && (holds || is_mean) {
        return Some(found(ClaimScope::Last(Length::Seconds(seconds)), &[index]));
    }
    None
}

/// The scope of a mark: up to the next one, since it, or the split that ends there.
fn at_mark(items: &[MessageItem], index: usize, metres: f64) -> Found {
    let before = word(items, index.checked_sub(1));
    let is_from = one_of(
        before,
        "from|von|de|da|dal|du|desde|del|between|zwischen|entre|tra|fra",
    );
    let joins = one_of(
        word(items, Some(index + 1)),
        "to|bis|à|a|au|al|hasta|and|und|y|e|et",
    );
    let end = items.get(index + 2).map(|end| &end.kind);
    if let (true, true, Some(&ItemKind::Mark(end))) = (is_from, joins, end) {
        return found(ClaimScope::Between(metres, end), &[index, index + 2]);
    }
    let is_since = one_of(before, SINCE);
    found(
        if is_since {
            ClaimScope::Since(metres)
        } else {
            ClaimScope::Mark(metres)
        },
        &[],
    )
}

/// The part that a scope word begins.
fn of_word(
    word: ScopeWord,
    items: &[MessageItem],
    index: usize,
    last_length: &mut Option<Length>,
) -> Option<Found> {
    let (item, next) = (items.get(index)?, items.get(index + 1));
    let length = next.and_then(MessageItem::quantity).and_then(length);
    let of_split = |item: &MessageItem| item.has(Tag::SplitNoun);
    let is_noun =
        next.is_some_and(|next| of_split(next) || (next.words == "one" && items.iter().any(of_split)));
    let is_leg = next.is_some_and(|next| next.is(|tag| matches!(tag, Tag::Leg(_))));
    match word {
        ScopeWord::Race => Some(found(ClaimScope::Race, &[])),
        ScopeWord::Window => Some(found(ClaimScope::Window, &[])),
        ScopeWord::LastSplit => Some(found(ClaimScope::LastSplit, &[])),
        ScopeWord::FirstHalf | ScopeWord::SecondHalf => {
            explicit_part(word, items, index, last_length).or_else(|| half(word, items, index))
        }
        ScopeWord::Half => None,
        ScopeWord::Each => length.map(|_| (None, vec![index + 1])),
        ScopeWord::First if is_noun => Some(found(ClaimScope::Mark(1000.0), &[])),
        ScopeWord::Next
            if item.words == "second"
                && (is_noun
                    || (next.is_none()
                        && items.iter().any(|item| item.is(|tag| tag.extreme().is_some())))) =>
        {
            Some(found(ClaimScope::Mark(2000.0), &[]))
        }
        ScopeWord::Next if is_leg => None,
        ScopeWord::First => {
            let first = length.or(*last_length)?;
            *last_length = Some(first);
            let uses = length.map_or(Vec::new(), |_| vec![index + 1]);
            Some((Some(ClaimScope::First(first)), uses))
        }
        ScopeWord::Last => {
            let last = length?;
            *last_length = Some(last);
            Some(found(ClaimScope::Last(last), &[index + 1]))
        }
        ScopeWord::Next => {
            let Some(length) = length.filter(|_| !is_noun) else {
                return Some(found(ClaimScope::Next, &[]));
            };
            // "the next 26.7 km to Malga Sole" is a way that is known.
            let ends = items
                .iter()
                .skip(index + 2)
                .take(3)
                .any(|item| item.has(Tag::Finish) || item.is(|tag| matches!(tag, Tag::Place(_))));
            if ends {
                return None;
            }
            let will = has_tag(items, Tag::When(When::Future));
            if let (Some(Length::Metres(first_m)), Length::Metres(next_m)) = (*last_length, length)
                && has_tag(items, Tag::When(When::Past))
                && *last_length != Some(length)
            {
                return Some(found(
                    ClaimScope::Between(first_m, first_m + next_m),
                    &[index + 1],
                ));
            }
            let is_second = one_of(
                &item.words,
                "second|zweiten|zweite|die zweiten|les seconds|les secondes|les deuxièmes|los segundos|las segundas|i secondi|le seconde",
            ) || (*last_length == Some(length) && !will);
            *last_length = Some(length);
            Some(found(
                if is_second {
                    ClaimScope::Second(length)
                } else {
                    ClaimScope::Next
                },
                &[index + 1],
            ))
        }
    }
}

/// `first part 22 km in 3:25, second part 24.3 km in 3:46`: parts of which the lengths are given.
fn explicit_part(
    word: ScopeWord,
    items: &[MessageItem],
    index: usize,
    last_length: &mut Option<Length>,
) -> Option<Found> {
    let is_part = ["part", "teil", "partie", "parte"]
        .iter()
        .any(|part| items.get(index).is_some_and(|item| item.words.ends_with(part)));
    let metres = items
        .get(index + 1)?
        .quantity()?
        .measures(Measure::Distance)
        .filter(|_| is_part)?
        .value;
    let scope = match (word, *last_length) {
        (ScopeWord::SecondHalf, Some(Length::Metres(from_m))) => ClaimScope::Between(from_m, from_m + metres),
        (ScopeWord::FirstHalf, _) => ClaimScope::First(Length::Metres(metres)),
        _ => return None,
    };
    *last_length = Some(Length::Metres(metres));
    Some(found(scope, &[index + 1]))
}

/// `the second half`, of the race or of a length: `of the 10 km`. Half of anything else is no known part.
fn half(word: ScopeWord, items: &[MessageItem], index: usize) -> Option<Found> {
    let is_first = word == ScopeWord::FirstHalf;
    let rest = items.get(index + 1..).unwrap_or_default();
    let is_of = rest
        .first()
        .is_some_and(|item| one_of(&item.words, "of|of the|of your|of her|of his"));
    let whole = rest
        .iter()
        .position(|item| {
            !one_of(
                &item.words,
                "of|of the|of your|of her|of his|the|your|her|his|that|those",
            )
        })
        .filter(|_| is_of);
    let scope = match whole.and_then(|at| Some((at, rest.get(at)?))) {
        None => [ClaimScope::FirstHalf, ClaimScope::SecondHalf],
        Some((at, item)) => match item.quantity().and_then(length) {
            Some(Length::Metres(metres)) => {
                let part = Length::Metres(metres / 2.0);
                let scope = if is_first {
                    ClaimScope::First(part)
                } else {
                    ClaimScope::Second(part)
                };
                return Some(found(scope, &[index + 1 + at]));
            }
            _ if item.tags.is_empty() => return None,
            _ => [ClaimScope::FirstHalf, ClaimScope::SecondHalf],
        },
    };
    let [first, second] = scope;
    Some(found(if is_first { first } else { second }, &[]))
}

/// `les 10 dernières minutes`: the number stands before the word at `index`, and the unit after it.
fn inverted(items: &[MessageItem], index: usize) -> Option<Found> {
    let before = index.checked_sub(1)?;
    let number = items.get(before)?.quantity()?.whole()?;
    let length = match word(items, Some(index + 1)) {
        "minutes" | "minutos" | "minuti" => Length::Seconds(number * 60.0),
        "km" | "kilomètres" | "kilómetros" | "chilometri" => Length::Metres(number * 1000.0),
        _ => return None,
    };
    let item = items.get(index)?;
    let is = |word| item.has(Tag::Scope(word));
    if is(ScopeWord::Last) {
        Some(found(ClaimScope::Last(length), &[before]))
    } else if is(ScopeWord::First) {
        Some(found(ClaimScope::First(length), &[before]))
    } else {
        is(ScopeWord::Next).then_some(())?;
        Some(found(ClaimScope::Next, &[before]))
    }
}

fn length(quantity: &Quantity) -> Option<Length> {
    if !quantity.to.is_empty() {
        return None;
    }
    if let Some(metres) = quantity.measures(Measure::Distance) {
        return Some(Length::Metres(metres.value));
    }
    let time = quantity
        .measures(Measure::Duration)
        .filter(|_| quantity.readings.len() == 1);
    if let Some(seconds) = time {
        return Some(Length::Seconds(seconds.value));
    }
    // "the opening five"
    let km = quantity.whole().filter(|value| (2.0..=50.0).contains(value));
    km.map(|km| Length::Metres(km * 1000.0))
}
