//! The numbers of a clause and the roles that each may have.

use super::Reader;
use super::clause::{ClauseContext, carried, more_or_less, roles_of};
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::{Measure, Quantity};
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Bound, ClaimScope, Progress, Sense, When};
use crate::race::claims::token::one_of;

/// The numbers of a clause that do not name a part of the race.
pub(super) struct Numbers<'a> {
    items: &'a [MessageItem],
    at: Vec<usize>,
    clause: Roles,
}

impl<'a> Numbers<'a> {
    /// `used` is the number that a comparison has read.
    pub(super) fn of(items: &'a [MessageItem], used: Option<usize>, clause: &Roles) -> Self {
        let numbers = items
            .iter()
            .enumerate()
            .filter(|(index, item)| item.quantity().is_some() && Some(*index) != used);
        Self {
            items,
            at: numbers.map(|(index, _)| index).collect(),
            clause: clause.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    fn quantity(&self, index: usize) -> Option<&'a Quantity> {
        self.items.get(index)?.quantity()
    }

    /// A distance and a time: `10 km in 55:11`.
    fn pair(&self) -> Option<(Quantity, Quantity)> {
        let &[one, two] = self.at.as_slice() else {
            return None;
        };
        let roles = &self.clause;
        let is_plain = roles.mood.is_none()
            && !roles.has(Tag::FromHere)
            && !roles.has(Tag::Ago)
            && !roles.stands()
            && !roles.is_silent()
            && roles.reference().is_none()
            && roles.progress() != Some(Progress::ToGo)
            && !matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind))
            && roles.scope().is_none_or(|scope| scope == ClaimScope::Race);
        let (one, two) = (self.quantity(one)?, self.quantity(two)?);
        let is_pair = |distance: &Quantity, time: &Quantity| {
            distance.measures(Measure::Distance).is_some() && time.measures(Measure::Duration).is_some()
        };
        let (distance, time) = if is_pair(one, two) { (one, two) } else { (two, one) };
        (is_plain && is_pair(distance, time)).then(|| (distance.clone(), time.clone()))
    }

    /// The roles that the number at `index` may have, the closest words first.
    fn roles(&self, number: usize, index: usize, before: &ClauseContext, context: &Roles) -> Vec<Roles> {
        let previous = number
            .checked_sub(1)
            .and_then(|number| self.at.get(number).copied());
        let next = self.at.get(number + 1).copied();
        let bound = self.bound(index);
        let is_own = |at: usize| {
            let item = self.items.get(at);
            previous
                .is_none_or(|previous| at > previous && !(at < index && belongs(item, previous, index, at)))
                && next.is_none_or(|next| at < next && (at < index || belongs(item, index, next, at)))
        };
        let own: Vec<MessageItem> = self
            .items
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != index && is_own(*at))
            .map(|(_, item)| item.clone())
            .collect();
        let from = self.items.get(index).map_or(0, |number| number.from);
        let split = own.iter().position(|item| item.from > from);
        let mut near = roles_of(&own, Some(split.unwrap_or(own.len())), self.clause.mood);
        near.bound = bound;
        near.add(
            self.items
                .get(index)
                .into_iter()
                .flat_map(|item| item.tags.clone()),
        );
        self.complete(index, &mut near);
        if near.has(Tag::There) && near.place().is_none() {
            near.add(before.roles.within(context).place().map(Tag::Place));
        }
        let metric = self.clause.metric().map(Tag::Metric);
        let named = Roles {
            tags: metric.into_iter().collect(),
            ..Roles::default()
        };
        let mut roles = vec![near.within(&named), near.within(&self.clause)];
        if self.at.len() == 1 {
            roles.remove(0);
        }
        // "10.8 of 21.1 km": the second is the whole.
        let is_whole = previous.is_some_and(|previous| {
            let between = self.items.get(previous + 1..index).unwrap_or_default();
            between
                .iter()
                .all(|item| one_of(item.words.as_str(), "of|out of|von|de|di|sur|into the|into|the"))
        });
        if is_whole {
            let mut alone = near.clone();
            alone.tags.retain(|tag| !matches!(tag, Tag::Progress(_)));
            roles.insert(0, alone);
        }
        if before.is_label {
            return roles;
        }
        let earlier = before.roles.within(context);
        let inherited: Vec<Roles> = roles
            .iter()
            .flat_map(|own| {
                let mut all = vec![
                    own.within(&carried(&before.roles)),
                    own.within(&before.roles),
                    own.within(&earlier),
                ];
                all.extend(own.when().is_none().then(|| own.within(&before.next)));
                all
            })
            .collect();
        for role in inherited {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        roles
    }

    /// How exactly the number at `index` is meant: the words right before it say so.
    fn bound(&self, index: usize) -> Bound {
        let before = self.items.get(index.saturating_sub(2)..index).unwrap_or_default();
        let words = before.iter().rev().flat_map(|item| &item.tags);
        let after = self.items.iter().skip(index + 1).take(2).find(|item| {
            one_of(
                item.words.as_str(),
                "or so|give or take|or thereabouts|ish|más o menos|à peu près",
            )
        });
        let about = after.map(|_| Bound::About);
        words
            .into_iter()
            .find_map(|tag| tag.bound())
            .or(about)
            .unwrap_or_default()
    }

    /// What the words right after a number make of it.
    fn complete(&self, index: usize, roles: &mut Roles) {
        let next = self.items.get(index + 1);
        let words = next.map_or("", |next| next.words.as_str());
        let after = self.items.get(index + 2);
        let measures = |measure| {
            self.quantity(index)
                .is_some_and(|quantity| quantity.measures(measure).is_some())
        };
        let (is_time, is_way) = (measures(Measure::Duration), measures(Measure::Distance));
        let before = index
            .checked_sub(1)
            .map_or("", |at| self.items.get(at).map_or("", |item| item.words.as_str()));
        // "two minutes up", "down eleven"
        let side = match (words, before) {
            ("up", _) if is_time => Some(Sense::Ahead),
            ("down", _) if is_time => Some(Sense::Behind),
            (_, "up") if !is_time && !is_way => Some(Sense::Above),
            (_, "down") if !is_time && !is_way => Some(Sense::Below),
            _ if !is_time && !is_way => more_or_less(words),
            _ => None,
        };
        if next.is_some_and(|next| next.has(Tag::When(When::Now))) {
            roles.tags.retain(|tag| !matches!(tag, Tag::Part(_)));
        }
        if side.is_some() {
            roles.tags.retain(|tag| *tag != Tag::Sense(Sense::Same));
        }
        roles.add(side.filter(|_| roles.sense().is_none()).map(Tag::Sense));
        if one_of(words, "later|später|plus tard|más tarde") {
            roles.tags.retain(|tag| *tag != Tag::When(When::Future));
        }
        if (is_time || is_way) && one_of(words, "more|mehr|further|de plus|más|weitere") {
            roles.tags.push(Tag::Progress(Progress::ToGo));
        }
        // "58.2 km in"
        let is_in =
            words == "in" && after.is_none_or(|after| after.quantity().is_none() && after.tags.is_empty());
        if is_in && roles.when() != Some(When::Future) {
            roles.tags.retain(|tag| *tag != Tag::In);
            roles.tags.push(Tag::Progress(Progress::Done));
        }
        let ahead = next.is_some_and(|next| next.has(Tag::Sense(Sense::Ahead)));
        if ahead && roles.reference().is_none() && is_way {
            roles.tags.push(Tag::Progress(Progress::ToGo));
        }
    }
}

/// Whether the word at `at`, between two numbers, belongs to the first.
fn belongs(item: Option<&MessageItem>, first: usize, second: usize, at: usize) -> bool {
    let is_postfix = item.is_some_and(|item| {
        item.is(|tag| {
            matches!(
                tag,
                Tag::Progress(_)
                    | Tag::Sense(_)
                    | Tag::Stat(_)
                    | Tag::When(When::Now)
                    | Tag::Ago
                    | Tag::FromHere
            )
        })
    });
    let (left, right) = (at - first, second - at);
    if is_postfix {
        left <= 2.max(right)
    } else {
        left < right
    }
}

impl Reader<'_> {
    pub(super) fn numbers(&mut self, numbers: &Numbers<'_>, before: &ClauseContext) {
        let items = numbers.items;
        if let Some((distance, time)) = numbers.pair() {
            let body = ClaimBody::Reaching(distance, time);
            self.push(items, &numbers.clause, body);
            return;
        }
        for (number, index) in numbers.at.iter().copied().enumerate() {
            let Some(quantity) = numbers.quantity(index) else {
                continue;
            };
            let roles = numbers.roles(number, index, before, &self.context);
            let quantity = self.with_unit(numbers, number, quantity);
            let around = items
                .get(index.saturating_sub(2)..(index + 3).min(items.len()))
                .unwrap_or_default();
            let body = change(&quantity, numbers, index).unwrap_or(ClaimBody::Number(quantity, roles));
            self.push(around, &numbers.clause, body);
        }
    }

    /// A number that shares the unit of another: `10.8 of 21.1 km`, `46.3 of them`.
    fn with_unit(&self, numbers: &Numbers<'_>, number: usize, quantity: &Quantity) -> Quantity {
        let mut quantity = quantity.clone();
        let Some(bare) = quantity.measures(Measure::Bare) else {
            return quantity;
        };
        let index = numbers.at.get(number).copied().unwrap_or_default();
        let word = |at: usize| numbers.items.get(at).map_or("", |item| item.words.as_str());
        let is_of = |word: &str| one_of(word, "of|out of|von|de|di|sur|of the");
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
    let is_from = matches!(before.words.as_str(), "from" | "von" | "de" | "da" | "desde");
    let measure = quantity.readings.first()?.measure;
    let is_value = measure == Measure::Bare || measure.metric().is_some();
    let trend = numbers
        .items
        .iter()
        .flat_map(|item| &item.tags)
        .find_map(|tag| tag.trend());
    let drifts = numbers.items.iter().any(|item| item.words.starts_with("drift"));
    let is_told = numbers.clause.mood.is_none() && (trend.is_some() || numbers.clause.is_past());
    let is_change = is_from && is_value && is_told && !quantity.to.is_empty();
    is_change.then(|| ClaimBody::Change(quantity.clone(), trend.filter(|_| !drifts)))
}

/// Whether an item is a place on the way.
pub(super) fn mark_of(item: &MessageItem) -> Option<f64> {
    if let ItemKind::Mark(metres) = item.kind {
        Some(metres)
    } else {
        None
    }
}
