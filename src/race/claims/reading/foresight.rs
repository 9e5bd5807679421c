//! What a clause says of the time to come: `ist in einer Stunde im Ziel`, `five hours to reach Malga Sole`.

use super::mood;
use crate::race::claims::items::{MessageItem, measures};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Progress, Reference, State, When};
use crate::race::claims::token::one_of;

fn any(clause: &[MessageItem], words: &str) -> bool {
    clause.iter().any(|item| one_of(&item.words, words))
}

/// Makes a clause one of the future if its words foresee something.
pub(super) fn times_to_come(clause: &[MessageItem], roles: &mut Roles) {
    let any = |words: &str| any(clause, words);
    if mood::foresees(clause) {
        roles.tags.push(Tag::When(When::Future));
    }
    // "erreicht Pörtschach in sechs Minuten": a form that is present or a participle.
    let is_in = roles.has(Tag::In) || any("in etwa");
    let is_ahead = roles.has(Tag::Reached) && is_in && !roles.is_past() && !roles.has(Tag::Ago);
    // "ist in etwa einer Stunde im Ziel"
    let is_there_soon = (is_in || measures(clause, &[Measure::TimeOfDay]))
        && roles.is_present()
        && (roles.has(Tag::State(State::Finished)) || roles.has(Tag::Finish))
        && !roles.has_any(&[Tag::Ago, Tag::Not, Tag::Reached]);
    if ((is_ahead && any(REACHES)) || is_there_soon)
        && measures(clause, &[Measure::Duration, Measure::TimeOfDay])
    {
        roles.add([Tag::When(When::Future), Tag::In]);
    }
    if roles.when() == Some(When::Future)
        && any("later|später|plus tard|più tardi|más tarde")
        && any("were|was|war|warst")
    {
        roles.tags.retain(|tag| *tag != Tag::When(When::Future));
    }
}

/// Makes the time that the athlete has to reach a place one until it closes.
pub(super) fn allowances(clause: &[MessageItem], roles: &mut Roles) {
    let any = |words: &str| any(clause, words);
    // "You have five hours to reach Malga Sole": until it closes.
    let has_time = clause.windows(3).any(|three| {
        matches!(three, [have, .., time] if one_of(&have.words, HAVE) && time.quantity().is_some_and(|it| it.measures(Measure::Duration).is_some()))
    });
    let is_for = any(
        "to reach|to get to|to make|to arrive|per arrivare|per raggiungere|pour arriver|pour atteindre|para llegar|para alcanzar",
    ) || (any("to|per|pour|para")
        && any("reach|arrivare|arriver|raggiungere|atteindre|llegar|alcanzar"));
    let allows = has_time && is_for && roles.place().is_some() && roles.reference().is_none();
    if allows && roles.progress() != Some(Progress::Done) {
        roles
            .tags
            .retain(|tag| !matches!(tag, Tag::Progress(_) | Tag::When(When::Perfect)));
        roles.tags.push(Tag::Reference(Reference::Cutoff));
    }
}

/// Makes what is said to be so after a distance one of the future.
pub(super) fn ways_to_come(clause: &mut [MessageItem]) {
    // "In drei Kilometern hast du die Hälfte."
    let leads_way = matches!(clause.first(), Some(first) if first.has(Tag::In))
        && clause
            .get(1)
            .and_then(MessageItem::quantity)
            .is_some_and(|it| it.measures(Measure::Distance).is_some());
    let is_have = |item: &&mut MessageItem| one_of(&item.words, HAVE) && item.has(Tag::When(When::Perfect));
    if let Some(item) = clause
        .get_mut(2..)
        .unwrap_or_default()
        .iter_mut()
        .take(1)
        .find(is_have)
        && leads_way
    {
        item.tags = vec![Tag::When(When::Future)];
    }
}

const REACHES: &str =
    "erreicht|passiert|atteint|franchit|rejoint|passe|llega|pasa|arriva|passa|raggiunge|alcanza";

/// Verbs of possession: `you have five hours`.
pub(super) const HAVE: &str = "have|has|ve|ve got|hast|hat|habe|ha|hai|as|a";
