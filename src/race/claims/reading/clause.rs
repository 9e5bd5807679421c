//! The roles of the words of a clause.

use super::foresight::{self, HAVE};
use super::{mood, signal};
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::items::{ItemKind, MessageItem, has_numbers, has_tag, measures};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Bound, ClaimMetric, Mood, Progress, Reference, Sense, State, When};
use crate::race::claims::token::one_of;
use crate::race::sport::LegKind;

/// What a clause is to the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ClauseLead {
    #[default]
    Statement,
    /// Only a label: `T2:`.
    Label,
    /// Only a time or a distance until what the next one says: `Six more minutes and …`.
    Until,
    /// One split without a number: `km 8 was your slump,`.
    Split,
    /// It supposes what is so: `if the 31 km/h last`.
    SoFar,
}

/// What the clause after a clause makes of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NextSays {
    /// It supposes that things go on: `roughly two hours if you keep this up`.
    GoesOn,
    /// Nobody knows: `moving or standing, nobody knows`.
    Unknown,
}

/// What a clause inherits from the clauses around it.
#[derive(Default)]
pub(super) struct ClauseContext {
    pub(super) roles: Roles,
    pub(super) leads: ClauseLead,
    /// Whether the sentence names the athlete.
    pub(super) names_athlete: bool,
    /// Whether the last number of the clause was of minutes.
    pub(super) of_minutes: bool,
    /// What the clause after this one makes of it.
    pub(super) next_says: Option<NextSays>,
    /// The middle of the way in metres, if the clause names it.
    pub(super) half_m: Option<f64>,
    /// The distance that the clause says was passed, in metres.
    pub(super) passed_m: Option<f64>,
    /// The roles of the clause after this one.
    pub(super) next: Roles,
}

/// The roles of a clause after a label: `mean of the ride: 203 W`.
pub(super) fn labelled(roles: &Roles, label: &Roles) -> Roles {
    let stat = label.stat().filter(|_| roles.stat().is_none());
    let mut roles = roles.within(&carried(label));
    roles.add(stat.map(Tag::Stat));
    roles.add(label.find(Tag::extreme).map(Tag::Extreme));
    roles
}

/// Whether a clause begins with `if` in any language.
pub(super) fn is_condition(clause: &[MessageItem]) -> bool {
    let first = clause.first().and_then(|first| first.words.split(' ').next());
    first.is_some_and(|word| one_of(word, "if|wenn|falls|si|se"))
}

/// Whether the last number of a clause is of minutes.
pub(super) fn of_minutes(clause: &[MessageItem]) -> bool {
    let last = clause.iter().rev().find_map(MessageItem::quantity);
    let time = last.and_then(|last| last.measures(Measure::Duration));
    time.is_some_and(|time| (5.0..=60.0).contains(&time.step) && time.value < 3600.0)
}

/// Adds the roles that follow only from several words of a clause together.
pub(super) fn complete(clause: &[MessageItem], roles: &mut Roles) {
    let any = |words: &str| clause.iter().any(|item| one_of(&item.words, words));
    foresight::times_to_come(clause, roles);
    foresight::allowances(clause, roles);
    // "Think of the half marathon in an hour and a half."
    let is_last_leg = mood::anticipates(clause) && clause.iter().any(mood::names_marathon);
    roles.add(is_last_leg.then_some(Tag::Leg(LegKind::Run)));
    // "just over your limit"
    let bound = clause
        .iter()
        .flat_map(|item| &item.tags)
        .find_map(|tag| tag.bound());
    if roles.reference() == Some(Reference::Limit) && roles.sense().is_none() && !has_numbers(clause) {
        roles.add(match bound {
            Some(Bound::AtLeast | Bound::JustOver) => Some(Tag::Sense(Sense::Above)),
            Some(Bound::AtMost | Bound::JustUnder) => Some(Tag::Sense(Sense::Below)),
            _ => None,
        });
    }
    if roles.leg().is_some() && !roles.is_past() && any(LATER) {
        roles.tags.push(Tag::FromHere);
    }
    let is_data = signal::is_data_age(clause);
    roles.add(is_data.then_some(Tag::LastSeen));
    let sends = signal::sends(clause);
    let loses = any(
        "lost|verloren|perdu|perdido|perso|gone|weg|dead|died|tot|kaputt|mort|muerto|morto|froze|frozen|eingefroren|figée|congelado|congeló|bloccata|bloccato|stopped",
    );
    if sends && (roles.not() || loses) && !roles.has(Tag::State(State::Silent)) {
        roles.tags.push(Tag::State(State::Silent));
    }
    // "You lost a minute and a half at kilometre 20."
    let is_place = |item: &MessageItem| {
        matches!(item.kind, ItemKind::Mark(_)) || item.is(|tag| matches!(tag, Tag::Place(_)))
    };
    let at_place = clause.iter().any(is_place) && roles.reference().is_none();
    if at_place
        && any("lost|lose|verloren|verlorst|perdu|perdido|perdiste|perso")
        && measures(clause, &[Measure::Duration])
    {
        roles.tags.push(Tag::Metric(ClaimMetric::Stop));
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
    let by_pace = measures(clause, &[Measure::PaceDifference])
        || (has_tag(clause, Tag::Scope(ScopeWord::Each)) && measures(clause, &[Measure::Duration]));
    if by_pace && roles.sense().is_none() {
        if any(LOSES) {
            roles.tags.push(Tag::Sense(Sense::Slower));
        } else if any(GAINS) {
            roles.tags.push(Tag::Sense(Sense::Faster));
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

/// `you have 5 hours`: a verb of possession right before a number is no perfect tense.
pub(super) fn possess(clause: &mut [MessageItem]) {
    const OWN: &str =
        "your|his|her|their|dein|deine|deinem|deinen|deiner|ihr|ihre|ton|ta|votre|tu|su|tuo|tua";
    foresight::ways_to_come(clause);
    for at in 0..clause.len() {
        // "the two-hour pacer" is the plan.
        let is_timed = at
            .checked_sub(1)
            .and_then(|before| clause.get(before))
            .and_then(MessageItem::quantity)
            .is_some_and(|time| time.measures(Measure::Duration).is_some());
        if let Some(item) = clause
            .get_mut(at)
            .filter(|item| is_timed && one_of(&item.words, PACERS))
        {
            item.tags = vec![Tag::Reference(Reference::Plan)];
        }
        // "um 17:40 Uhr" is no difference.
        let is_clock = clause
            .get(at + 1)
            .and_then(MessageItem::quantity)
            .is_some_and(|it| it.readings.len() > 1);
        if let Some(item) = clause.get_mut(at).filter(|item| is_clock && item.words == "um") {
            item.tags.retain(|tag| *tag != Tag::By);
        }
        // "a break", but "to break two hours"
        let next = clause.get(at + 1).is_some_and(|next| next.quantity().is_some());
        if let Some(item) = clause.get_mut(at).filter(|item| item.words == "break") {
            item.tags.retain(|tag| next == matches!(tag, Tag::Reference(_)));
        }
        // "58 % are behind Carla"
        let is_name = |item: &MessageItem| item.has(Tag::Athlete) && !one_of(&item.words, OWN);
        let is_behind = clause.get(at + 1).is_some_and(is_name);
        let words = "behind|hinter|derrière|detrás de|dietro";
        if let Some(item) = clause
            .get_mut(at)
            .filter(|item| is_behind && one_of(&item.words, words))
        {
            item.tags = vec![Tag::Progress(Progress::Done)];
        }
        let rest = clause.get(at + 1..).unwrap_or_default();
        let next = rest
            .iter()
            .find(|item| item.words != "got" && !item.is(|tag| tag.bound().is_some()));
        let is_amount = next.is_some_and(|next| {
            let is = |measure| next.quantity().is_some_and(|it| it.measures(measure).is_some());
            is(Measure::Distance) || is(Measure::Duration)
        });
        if let Some(item) = clause
            .get_mut(at)
            .filter(|item| is_amount && one_of(&item.words, HAVE))
        {
            item.tags.retain(|tag| *tag != Tag::When(When::Perfect));
            item.tags.push(Tag::When(When::Present));
        }
    }
}

/// Where the other side of a comparison begins: `than`, and `più lento del settimo`.
pub(super) fn than(clause: &[MessageItem]) -> Option<usize> {
    const OF: &str = "del|della|dello|dei|delle|di|dell|que|qu";
    let compares = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| clause.get(before));
        before.is_some_and(|item| item.has(Tag::Sense(Sense::Faster)) || item.has(Tag::Sense(Sense::Slower)))
    };
    let is_than =
        |at: usize, item: &MessageItem| item.has(Tag::Than) || (one_of(&item.words, OF) && compares(at));
    let mut items = clause.iter().enumerate();
    items.find(|(at, item)| is_than(*at, item)).map(|(at, _)| at)
}

const PACERS: &str = "pacer|pacemaker|pacer s|hase|lièvre|meneur d allure|liebre|lepre|pace runner";

const LOSES: &str = "lost|lose|losing|given away|slowed|slowed by|faded|dropped|verloren|verlierst|verliert|perdu|perds|perd|perdido|pierdes|pierde|perso|perdi|perde|perdendo";

const GAINS: &str = "gained|gain|won|found|saved|shaved|cut|taken|taken off|took|knocked|trimmed|picked up|gewonnen|gutgemacht|gewinnst|gagné|gagnes|gagne|repris|ganado|ganas|gana|recuperado|guadagnato|guadagni|guadagna|recuperato|tolto";

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
                | Tag::Goal(_)
                | Tag::Keeps(_)
                | Tag::Need
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

/// A clause after a forecast or a condition is of the future too.
pub(super) fn foretell(clause: &[MessageItem], roles: &mut Roles, before: &ClauseContext) {
    let joins = clause
        .first()
        .is_some_and(|first| one_of(first.words.as_str(), "and|und|et|y|e"));
    let goes_on = has_numbers(clause)
        && before.roles.when() == Some(When::Future)
        && matches!(roles.when(), None | Some(When::Present));
    let is_told =
        has_tag(clause, Tag::Athlete) || roles.progress() == Some(Progress::Done) || roles.has(Tag::Ago);
    let before_if = before.next_says == Some(NextSays::GoesOn)
        && roles.when().is_none()
        && !is_told
        && has_numbers(clause);
    let foretells = goes_on
        || before_if
        || before.roles.mood == Some(Mood::If)
        || (before.leads == ClauseLead::Until && roles.has(Tag::Athlete) && joins);
    if roles.mood.is_none() && foretells && !roles.is_past() {
        roles.tags.push(Tag::When(When::Future));
    }
}

/// The target that a clause names: `if you want two hours`, `for 1:55 you need`.
pub(super) fn goal(clause: &[MessageItem], roles: &Roles, facts: &RaceFacts) -> Option<Tag> {
    let asks = roles.has(Tag::FromHere) && roles.metric() == Some(ClaimMetric::Pace);
    let supposes = matches!(roles.mood, Some(Mood::If | Mood::Modal))
        || roles.has_any(&[Tag::Need, Tag::Suffices])
        || asks;
    let readings = clause
        .iter()
        .filter_map(MessageItem::quantity)
        .flat_map(|quantity| &quantity.readings);
    let mut times = readings.filter(|reading| reading.measure == Measure::Duration);
    let goal = times.find(|time| (facts.elapsed_s..facts.elapsed_s * 20.0).contains(&time.value))?;
    supposes.then_some(Tag::Goal(goal.value))
}

/// The middle of the way in metres, if a clause names it.
pub(super) fn half_m(clause: &[MessageItem], facts: &RaceFacts) -> Option<f64> {
    let is_half = has_tag(clause, Tag::Scope(ScopeWord::Half)) && !facts.is_multisport;
    facts.whole_m.filter(|_| is_half).map(|whole_m| whole_m / 2.0)
}

/// The distance in metres that a clause says was passed: `passed 50 km`, `half way came`.
pub(super) fn passed_m(clause: &[MessageItem], roles: &Roles, half_m: Option<f64>) -> Option<f64> {
    let was = roles.has(Tag::Reached) || roles.when() == Some(When::Past);
    let way = |item: &MessageItem| match item.kind {
        ItemKind::Mark(metres) => Some(metres),
        _ => Some(item.quantity()?.measures(Measure::Distance)?.value),
    };
    let way = clause.iter().find_map(way).filter(|_| roles.has(Tag::Reached));
    way.or(half_m).filter(|_| was && !roles.is_future())
}
