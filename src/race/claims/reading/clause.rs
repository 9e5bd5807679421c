//! The roles of the words of a clause.

use super::mood;
use crate::race::claims::items::{MessageItem, has_numbers, has_tag, measures};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Bound, ClaimMetric, Mood, Progress, Reference, Sense, State, When};
use crate::race::claims::token::one_of;

/// What a clause inherits from the clauses around it.
#[derive(Default)]
pub(super) struct ClauseContext {
    pub(super) roles: Roles,
    /// Whether the clause was only a label for the next: `T2:`.
    pub(super) is_label: bool,
    /// Whether the clause was only a time or a distance until what the next one says: `Six more minutes and …`.
    pub(super) is_until: bool,
    /// Whether the sentence names the athlete.
    pub(super) names_athlete: bool,
    /// The roles of the clause after this one.
    pub(super) next: Roles,
}

/// Adds the roles that follow only from several words of a clause together.
pub(super) fn complete(clause: &[MessageItem], roles: &mut Roles) {
    let any = |words: &str| clause.iter().any(|item| one_of(&item.words, words));
    if mood::foresees(clause) {
        roles.tags.push(Tag::When(When::Future));
    }
    if roles.when() == Some(When::Future)
        && any("later|später|plus tard|più tardi|más tarde")
        && any("were|was|war|warst")
    {
        roles.tags.retain(|tag| *tag != Tag::When(When::Future));
    }
    // "just over your limit"
    let bound = clause
        .iter()
        .flat_map(|item| &item.tags)
        .find_map(|tag| tag.bound());
    if roles.reference() == Some(Reference::Limit) && roles.sense().is_none() && !has_numbers(clause) {
        roles.add(match bound {
            Some(Bound::AtLeast) => Some(Tag::Sense(Sense::Above)),
            Some(Bound::AtMost) => Some(Tag::Sense(Sense::Below)),
            _ => None,
        });
    }
    if roles.leg().is_some() && !roles.is_past() && any(LATER) {
        roles.tags.push(Tag::FromHere);
    }
    let sends = sends(clause);
    let loses = any(
        "lost|verloren|perdu|perdido|perso|gone|weg|dead|died|tot|kaputt|mort|muerto|morto|frozen|stopped",
    );
    if sends && (roles.not() || loses) && !roles.has(Tag::State(State::Silent)) {
        roles.tags.push(Tag::State(State::Silent));
    }
    let stops = clause
        .iter()
        .any(|item| item.has(Tag::State(State::Standing)) && item.words.contains("ed"));
    if stops && roles.when().is_none() {
        roles.tags.push(Tag::When(When::Past));
    }
    if roles.reference() == Some(Reference::Plan) && roles.sense().is_none() {
        if any("lost|lose|losing|down|conceded|verloren|perdu|perdido|perso|slow|late") {
            roles.tags.push(Tag::Sense(Sense::Behind));
        } else if any("gained|won|bought|saved|up|gewonnen|gagné|ganado|guadagnato|early") {
            roles.tags.push(Tag::Sense(Sense::Ahead));
        }
    }
    let of_half = has_tag(clause, Tag::Scope(ScopeWord::Half));
    let way = measures(clause, &[Measure::Distance]);
    if of_half && way && roles.sense() == Some(Sense::Below) {
        roles.tags.push(Tag::Progress(Progress::ToGo));
    }
    let more = clause.windows(2).find_map(|two| {
        let [value, more] = two else { return None };
        let measure = value.quantity()?.readings.first()?.measure;
        (measure == Measure::Bare)
            .then_some(ClaimMetric::Other)
            .or(measure.metric())?;
        more_or_less(&more.words)
    });
    roles.add(more.filter(|_| roles.sense().is_none()).map(Tag::Sense));
}

/// Whether a clause speaks of the signal.
pub(super) fn sends(clause: &[MessageItem]) -> bool {
    const SENDERS: &str = "tracker|signal|data|phone|contact|señal|signaux|segnali|segnale|daten|verbindung";
    clause.iter().any(|item| one_of(&item.words, SENDERS))
}

const LATER: &str = "later|später|danach|nachher|plus tard|ensuite|más tarde|luego|después|più tardi|dopo|poi|afterwards|then|first|zuerst|d'abord|primero|prima";

/// The roles that a clause passes on to the next one.
pub(super) fn carried(roles: &Roles) -> Roles {
    let kept = |tag: &&Tag| {
        matches!(
            tag,
            Tag::Metric(_)
                | Tag::SplitNoun
                | Tag::Leg(_)
                | Tag::OnLeg(_)
                | Tag::Nth(_)
                | Tag::Place(_)
                | Tag::Part(_)
                | Tag::LastSeen
                | Tag::State(State::Silent)
                | Tag::Reference(_)
        )
    };
    Roles {
        tags: roles.tags.iter().filter(kept).copied().collect(),
        ..Roles::default()
    }
}

/// The roles of items, those nearest to `index` first.
pub(super) fn roles_of(items: &[MessageItem], index: Option<usize>, mood: Option<Mood>) -> Roles {
    let mut near: Vec<(usize, &MessageItem)> = items.iter().enumerate().collect();
    if let Some(index) = index {
        near.sort_by_key(|(at, _)| at.abs_diff(index));
    }
    // "an hour without a stop"
    let is_denied = |at: usize| {
        let before = items.get(at.saturating_sub(3)..at).unwrap_or_default();
        before.iter().any(|item| item.has(Tag::Not)) && !has_tag(before, Tag::Athlete)
    };
    let denied = |at: usize, tag: &Tag| *tag == Tag::Metric(ClaimMetric::Stop) && is_denied(at);
    let tags = near
        .into_iter()
        .flat_map(|(at, item)| item.tags.iter().filter(move |tag| !denied(at, tag)));
    let is_role = |tag: &&Tag| match tag {
        Tag::Scope(word) => *word == ScopeWord::Each,
        tag => !matches!(tag, Tag::Mood(_) | Tag::Bound(_) | Tag::Neutral),
    };
    let mut tags: Vec<Tag> = tags.filter(is_role).copied().collect();
    // "You'll be off the bike in an hour."
    if tags.contains(&Tag::When(When::Future)) {
        tags.retain(|tag| *tag != Tag::Progress(Progress::Done));
    }
    let counts = |item: &MessageItem| {
        item.quantity()
            .is_some_and(|quantity| quantity.measures(Measure::Stops).is_some())
    };
    if items.iter().any(counts) {
        tags.push(Tag::Metric(ClaimMetric::Stop));
    }
    Roles {
        tags,
        bound: Bound::Exact,
        has_unknown: items.iter().any(MessageItem::is_unknown),
        mood,
    }
}

/// The metric that an item names or measures.
pub(super) fn metric_of(item: &MessageItem) -> Option<ClaimMetric> {
    let named = item
        .tags
        .iter()
        .find_map(|tag| tag.metric())
        .filter(|metric| metric.is_measured());
    let value = item.quantity().and_then(|quantity| quantity.readings.first());
    named.or(value.and_then(|value| value.measure.metric()))
}

/// `11 watts more`
pub(super) fn more_or_less(word: &str) -> Option<Sense> {
    match word {
        "more" | "mehr" | "higher" | "de plus" | "más" | "in più" | "plus" | "più" => Some(Sense::Above),
        "less" | "fewer" | "weniger" | "lower" | "moins" | "de moins" | "menos" | "meno" | "in meno" => {
            Some(Sense::Below)
        }
        _ => None,
    }
}

pub(super) fn is_german(word: &str) -> bool {
    const WORDS: &str =
        "du|dein|deine|ist|und|der|die|das|nicht|auf|noch|im|gut|mit|bei|hat|von|sie|er|seit|nach";
    one_of(word, WORDS)
}
