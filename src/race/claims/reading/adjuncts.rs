//! What prepositions make of legs, places and stops: `since T1`, `until the stop`, `after it`.

use crate::race::claims::facts::RaceFacts;
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::Measure;
use crate::race::claims::terms::{ClaimMetric, ClaimScope, Length, Progress};
use crate::race::claims::token::one_of;

pub(super) const SINCE: &str = "since|seit|ab|depuis|desde|da|dal|dalla";

/// Words before a stop that begins or ends a part of the race.
const AFTER_STOP: &str = "after|nach|après|después de|después|dopo";
const BEFORE_STOP: &str =
    "before|up to|until|till|vor|bis|avant|jusqu à|antes de|antes del|hasta|prima di|fino a|fino alla";

const UNTIL: &str = "to|until|till|bis|bis zu|bis zur|bis zum|hasta|hasta la|hasta el|fino|fino a|fino alla|jusqu à|jusqu|avant|avant la|avant le|before|before the|vor|vor dem|vor der|antes de|antes de la|antes del|prima di|prima della|prima del";

/// Applies prepositions before a leg or a place where something began or ends: `since T1`, `until the run`.
pub(super) fn adjuncts(items: &mut [MessageItem], facts: &RaceFacts) {
    for index in 1..items.len() {
        let before = |back: usize| index.checked_sub(back).and_then(|at| items.get(at));
        let is_aside = |item: &&MessageItem| {
            one_of(&item.words, "the|your|der|dem|la|le|il|dein") || item.has(Tag::Scope(ScopeWord::Next))
        };
        // "passerà da Krumpendorf" goes by it.
        let passes = before(2).is_some_and(|item| item.words.starts_with("pass") || item.has(Tag::Reached));
        let direct = before(1).filter(|item| !is_aside(item));
        let preposition = direct.or(before(2)).map_or("", |item| item.words.as_str());
        let ends = one_of(preposition, BEFORE_STOP);
        let follows = one_of(preposition, SINCE) || one_of(preposition, AFTER_STOP);
        let by = passes && one_of(preposition, "da|dal|dalla");
        let (since, until) = (one_of(preposition, SINCE) && !by, one_of(preposition, UNTIL));
        // "48 km from T2"
        let is_away = one_of(preposition, "from|von|da|dal|dalla");
        let Some(item) = items.get_mut(index) else {
            continue;
        };
        if is_away && item.is(|tag| matches!(tag, Tag::Leg(_))) {
            item.tags.push(Tag::FromHere);
        }
        let mut is_leg_to_come = false;
        if since || until {
            let is_leg = |tag: &Tag| matches!(tag, Tag::Leg(_) | Tag::OnLeg(_) | Tag::Nth(_));
            let leg = item.tags.iter().any(is_leg);
            item.tags.retain(|tag| !is_leg(tag));
            item.tags
                .extend((leg && until).then_some(Tag::Progress(Progress::ToGo)));
            is_leg_to_come = leg && until;
        }
        let place = item.tags.iter().find_map(|tag| {
            if let Tag::Place(index) = tag {
                facts.places.get(*index)
            } else {
                None
            }
        });
        // "noch 6,2 km bis Krumpendorf"
        if place.is_some() && until {
            item.tags.push(Tag::FromHere);
        }
        if let Some(place) = place.filter(|_| since) {
            item.tags = vec![Tag::Part(ClaimScope::Since(place.at_m))];
        }
        let is_stop = item.has(Tag::Metric(ClaimMetric::Stop)) && !item.is(|tag| matches!(tag, Tag::When(_)));
        if is_stop
            && (ends || follows)
            && let Some(at_m) = facts.last_stop_m()
        {
            let part = if ends {
                ClaimScope::Between(0.0, at_m)
            } else {
                ClaimScope::Since(at_m)
            };
            item.tags = vec![Tag::Part(part)];
            // "the stop at kilometre 20" is one place.
            for item in items.iter_mut().skip(index + 1).take(2) {
                let way = item.quantity().and_then(|it| it.measures(Measure::Distance));
                let is_there = way.is_some_and(|way| (way.value - at_m).abs() <= 600.0);
                if matches!(item.kind, ItemKind::Mark(_)) || is_there {
                    item.kind = ItemKind::Word;
                }
            }
            continue;
        }
        let is_nth = !is_leg_to_come && item.is(|tag| matches!(tag, Tag::Leg(_)));
        let number = match direct_word(items, index) {
            "first" | "erste" | "ersten" | "première" | "primera" | "prima" => Some(1),
            "second" | "zweite" | "zweiten" | "seconde" | "deuxième" | "segunda" | "seconda" => Some(2),
            _ => None,
        };
        if let (Some(item), Some(number), true) = (items.get_mut(index), number, is_nth) {
            item.tags.push(Tag::Nth(number));
        }
        // "avant la course" is no lead.
        if let Some(before) = items.get_mut(index - 1).filter(|_| is_leg_to_come) {
            before.tags.retain(|tag| !matches!(tag, Tag::Sense(_)));
        }
    }
    // "per 24,3 km" is Italian for the whole way.
    for index in 1..items.len() {
        let is_way = items
            .get(index)
            .and_then(MessageItem::quantity)
            .and_then(|quantity| quantity.measures(Measure::Distance));
        // "tre ore per arrivare"
        let is_verb = items.get(index).is_some_and(|item| {
            item.has(Tag::Arrive) || ["are", "ere", "ire"].iter().any(|end| item.words.ends_with(end))
        });
        let is_long = is_way.is_some_and(|way| way.value > 1000.0);
        if let Some(item) = items
            .get_mut(index - 1)
            .filter(|item| (is_long || is_verb) && item.words == "per")
        {
            item.tags.retain(|tag| *tag != Tag::Scope(ScopeWord::Each));
        }
    }
    for index in 1..items.len() {
        let at = matches!(direct_word(items, index), "at" | "bei");
        if let Some(item) = items
            .get_mut(index)
            .filter(|item| at && item.quantity().is_some())
        {
            item.tags.push(Tag::Position);
        }
    }
}

/// `214 W after it`: since the end of the part that was named before.
pub(super) fn follow(items: &mut [MessageItem], named: Option<ClaimScope>) {
    // "and 214 before that"
    if let Some(ClaimScope::Since(from_m)) = named {
        const EARLIER: &str = "davor|vorher|before that|before it|beforehand|avant cela|antes de eso|prima";
        for item in items.iter_mut().filter(|item| one_of(&item.words, EARLIER)) {
            item.tags.push(Tag::Part(ClaimScope::Between(0.0, from_m)));
        }
    }
    // "Km 7 was slow, and since then you've found 35 seconds."
    if let Some(ClaimScope::Mark(at_m)) = named {
        const SINCE_THEN: &str =
            "since then|ever since|seitdem|seither|depuis lors|depuis|desde entonces|da allora";
        for item in items.iter_mut().filter(|item| one_of(&item.words, SINCE_THEN)) {
            item.tags.retain(|tag| !matches!(tag, Tag::Part(_)));
            item.tags.push(Tag::Part(ClaimScope::Since(at_m)));
        }
    }
    let Some(
        ClaimScope::Between(_, end_m) | ClaimScope::Mark(end_m) | ClaimScope::First(Length::Metres(end_m)),
    ) = named
    else {
        return;
    };
    for index in 1..items.len() {
        let before = direct_word(items, index);
        let follows = one_of(before, AFTER_STOP) || one_of(before, SINCE);
        if let Some(item) = items
            .get_mut(index)
            .filter(|item| follows && one_of(&item.words, "it|that|dem|ihm|quello|eso|cela|ça"))
        {
            item.tags.push(Tag::Part(ClaimScope::Since(end_m)));
        }
    }
}

pub(super) fn direct_word(items: &[MessageItem], index: usize) -> &str {
    word(items, index.checked_sub(1))
}

pub(super) fn word(items: &[MessageItem], index: Option<usize>) -> &str {
    index
        .and_then(|index| items.get(index))
        .map_or("", |item| item.words.as_str())
}
