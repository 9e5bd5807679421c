//! Which stop of the day it is.

use super::Reader;
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::MessageItem;
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::Quantity;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::ClaimMetric;
use crate::race::claims::token::one_of;

/// Comparatives of a stop, which is longer or not.
const LENGTHS: &[(bool, &str)] = &[
    (
        true,
        "longer|more|more than|länger|mehr|mehr als|plus|plus que|plus longtemps|más|más que|più|più di|over",
    ),
    (
        false,
        "shorter|less|less than|kürzer|weniger|weniger als|moins|moins que|moins longtemps|menos|menos que|meno|meno di",
    ),
];

/// The stop in progress, on the other side of a comparison.
const THIS_STOP: &str = "this one|this|now|current|the current|dieser|diese|dieser hier|jetzt|jetzige|celui ci|maintenant|actuel|esta|ésta|ahora|actual|questa|adesso|attuale";

impl Reader<'_> {
    /// `already longer than at Rifugio Alba`
    pub(super) fn stop_lengths(&mut self, items: &[MessageItem], right: &[MessageItem], roles: &Roles) {
        let place = right
            .iter()
            .flat_map(|item| &item.tags)
            .find_map(|tag| match tag {
                Tag::Place(index) => self.facts.places.get(*index),
                _ => None,
            });
        let longer = items.iter().rev().find_map(|item| {
            let row = LENGTHS.iter().find(|(_, words)| one_of(&item.words, words))?;
            Some(row.0)
        });
        // "The stop at Rifugio Alba was longer than this one."
        let is_now = right
            .iter()
            .any(|item| item.has(Tag::Here) || one_of(&item.words, THIS_STOP));
        let named = items
            .iter()
            .flat_map(|item| &item.tags)
            .find_map(|tag| match tag {
                Tag::Place(index) => self.facts.places.get(*index).filter(|_| is_now),
                _ => None,
            });
        if let (Some(place), Some(longer), true) = (place, longer, roles.stands()) {
            self.push(items, roles, ClaimBody::StopAgainst(place.at_m, longer));
        } else if let (Some(place), Some(longer), true) = (named, longer, roles.stands()) {
            self.push(items, roles, ClaimBody::StopAgainst(place.at_m, !longer));
        }
    }

    /// `this is your second stop`, `your longest break`
    pub(super) fn stop_ranks(&mut self, items: &[MessageItem], roles: &Roles) {
        const LONGEST: &str =
            "longest|längste|längster|längster|plus long|más larga|más largo|più lunga|più lungo";
        const SHORTEST: &str =
            "shortest|kürzeste|kürzester|plus court|más corta|más corto|più breve|più corta";
        // The "s" of "Carla's first stop" is no verb.
        let is_own = |at: usize| {
            let before = at.checked_sub(1).and_then(|before| items.get(before));
            before.is_some_and(|before| before.has(Tag::Athlete))
        };
        let names = items.iter().enumerate().any(|(at, item)| {
            let words = "this|that|it|das|es|c|cela|esto|esta|questa|this one|it's|it’s|that's|that’s";
            one_of(&item.words, words) || (item.words == "s" && !is_own(at))
        });
        if !names || !roles.is_present() {
            return;
        }
        for two in items.windows(2) {
            let [rank, stop] = two else { continue };
            if !stop.has(Tag::Metric(ClaimMetric::Stop)) {
                continue;
            }
            let nth = rank.quantity().filter(|it| it.ordinal).and_then(Quantity::whole);
            let second = one_of(&rank.words, "second|zweiter|zweite|deuxième|segunda|seconda").then_some(2.0);
            let first = rank.has(Tag::Scope(ScopeWord::First)).then_some(1.0);
            let body = match nth.or(second).or(first) {
                Some(number) => ClaimBody::NthStop(number),
                None if one_of(&rank.words, LONGEST) => ClaimBody::LongestStop(true),
                None if one_of(&rank.words, SHORTEST) => ClaimBody::LongestStop(false),
                None => continue,
            };
            self.push(items, roles, body);
        }
    }
}

/// Whether a clause says that something is not over: `the second one is still going on`.
pub(super) fn goes_on(items: &[MessageItem]) -> bool {
    const GOES_ON: &str = "still going on|going on still|dauert noch an|dauert noch|dauert an|hält noch an|dure encore|est en cours|toujours en cours|encore en cours|sigue en curso|en curso|è ancora in corso|ancora in corso|in corso|ongoing|dura todavía|dura ancora";
    items.iter().any(|item| one_of(&item.words, GOES_ON))
}
