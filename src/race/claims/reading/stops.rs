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
        if let (Some(place), Some(longer), true) = (place, longer, roles.stands()) {
            self.push(items, roles, ClaimBody::StopAgainst(place.at_m, longer));
        }
    }

    /// `this is your second stop`, `your longest break`
    pub(super) fn stop_ranks(&mut self, items: &[MessageItem], roles: &Roles) {
        const LONGEST: &str =
            "longest|längste|längster|längster|plus long|más larga|más largo|più lunga|più lungo";
        const SHORTEST: &str =
            "shortest|kürzeste|kürzester|plus court|más corta|más corto|più breve|più corta";
        let names = items.iter().any(|item| {
            one_of(
                &item.words,
                "this|that|it|das|es|c|cela|esto|esta|questa|this one|s|it s|that s",
            )
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
            let second = (rank.has(Tag::Scope(ScopeWord::Next))
                && one_of(&rank.words, "second|zweiter|zweite|deuxième|segunda|seconda"))
            .then_some(2.0);
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
