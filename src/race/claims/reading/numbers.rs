//! The claims that the numbers of a clause make.

use super::Reader;
use super::clause::ClauseContext;
use super::number::Numbers;
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::{Measure, Quantity};
use crate::race::claims::terms::ClaimMetric;
use crate::race::claims::token::one_of;

impl Reader<'_> {
    pub(super) fn numbers(&mut self, numbers: &Numbers<'_>, before: &ClauseContext) {
        let items = numbers.items;
        if let Some((distance, time)) = numbers.pair(before) {
            let body = ClaimBody::Reaching(distance, time);
            self.push(items, &numbers.clause, body);
            return;
        }
        for (number, index) in numbers.at.iter().copied().enumerate() {
            let Some(quantity) = numbers.quantity(index) else {
                continue;
            };
            let roles = numbers.roles(number, index, before, &self.context);
            let quantity = self.with_unit(numbers, number, quantity, before);
            let around = items
                .get(index.saturating_sub(2)..(index + 3).min(items.len()))
                .unwrap_or_default();
            let body = change(&quantity, numbers, index).unwrap_or(ClaimBody::Number(quantity, roles));
            self.push(around, &numbers.clause, body);
        }
    }

    /// A number that shares the unit of another: `10.8 of 21.1 km`, `46.3 of them`.
    fn with_unit(
        &self,
        numbers: &Numbers<'_>,
        number: usize,
        quantity: &Quantity,
        before: &ClauseContext,
    ) -> Quantity {
        let mut quantity = quantity.clone();
        let Some(bare) = quantity.measures(Measure::Bare) else {
            return quantity;
        };
        let index = numbers.at.get(number).copied().unwrap_or_default();
        let word = |at: usize| numbers.items.get(at).map_or("", |item| item.words.as_str());
        let is_of = |word: &str| one_of(word, "of|out of|von|de|di|sur|of the");
        // "six minutes here, eighteen at Rifugio Alba"
        let is_at = |at: usize| {
            numbers
                .items
                .get(at)
                .is_some_and(|item| item.is(|tag| matches!(tag, Tag::Place(_))))
        };
        let is_place = is_at(index + 2) || is_at(index + 1);
        if before.of_minutes && number == 0 && is_place {
            quantity.readings = vec![bare.in_unit(Measure::Duration, 60.0)];
            return quantity;
        }
        let next = numbers.at.get(number + 1).copied();
        let shares = next.filter(|next| *next == index + 1 || (*next <= index + 3 && is_of(word(index + 1))));
        let unit = shares.and_then(|next| {
            let next = numbers.quantity(next)?;
            let distance = next.measures(Measure::Distance).map(|_| 1000.0);
            let whole = next.whole().zip(self.facts.whole_m);
            distance.or(whole
                .filter(|(km, m)| (km * 1000.0 - m).abs() < m * 0.005)
                .map(|_| 1000.0))
        });
        let previous = number
            .checked_sub(1)
            .and_then(|number| numbers.at.get(number))
            .copied();
        let is_whole = previous.is_some_and(|previous| previous + 3 >= index && is_of(word(index - 1)))
            && self
                .facts
                .whole_m
                .is_some_and(|m| (bare.value * 1000.0 - m).abs() < m * 0.005);
        let of_them = is_of(word(index + 1)) && matches!(word(index + 2), "them" | "those" | "denen");
        if let Some(factor) = unit.or((of_them || is_whole).then_some(1000.0)) {
            quantity.readings = vec![bare.in_unit(Measure::Distance, factor)];
        }
        quantity
    }
}

/// A change over time: `has fallen from 214 to 203 W`.
fn change(quantity: &Quantity, numbers: &Numbers<'_>, index: usize) -> Option<ClaimBody> {
    let before = numbers.items.get(index.checked_sub(1)?)?;
    let from = before.words.rsplit(' ').next().unwrap_or_default();
    let is_from = matches!(from, "from" | "von" | "de" | "da" | "desde");
    let measure = quantity.readings.first()?.measure;
    let is_pace =
        numbers.clause.metric() == Some(ClaimMetric::Pace) && quantity.measures(Measure::Speed).is_some();
    let is_value = measure == Measure::Bare || measure.metric().is_some() || is_pace;
    let trend = numbers
        .items
        .iter()
        .flat_map(|item| &item.tags)
        .find_map(|tag| tag.trend());
    let drifts = numbers.items.iter().any(|item| item.words.starts_with("drift"));
    let goes = numbers.items.iter().any(|item| one_of(&item.words, "gone|been"));
    let is_told = numbers.clause.mood.is_none() && (trend.is_some() || goes || numbers.clause.is_past());
    let is_change = is_from && is_value && is_told && !quantity.to.is_empty();
    is_change.then(|| ClaimBody::Change(quantity.clone(), trend.filter(|_| !drifts)))
}
