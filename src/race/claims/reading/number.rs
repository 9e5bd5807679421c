//! The numbers of a clause and the roles that each may have.

use super::clause::{ClauseContext, ClauseLead, carried, roles_of};
use crate::race::claims::items::{ItemKind, MessageItem};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::{Measure, Quantity};
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimMetric, ClaimScope, ClaimStat, Progress, Sense, When};
use crate::race::claims::token::one_of;

/// The numbers of a clause that do not name a part of the race.
pub(super) struct Numbers<'a> {
    pub(super) items: &'a [MessageItem],
    pub(super) at: Vec<usize>,
    pub(super) clause: Roles,
    /// The distance that the clause, or the one before, says was passed, in metres.
    pub(super) passed_m: Option<f64>,
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
            passed_m: None,
        }
    }

    pub(super) fn quantity(&self, index: usize) -> Option<&'a Quantity> {
        self.items.get(index)?.quantity()
    }

    /// A distance and a time: `10 km in 55:11`.
    pub(super) fn pair(&self, before: &ClauseContext) -> Option<(Quantity, Quantity)> {
        let &[one, two] = self.at.as_slice() else {
            return None;
        };
        let roles = &self.clause;
        let is_plain = roles.mood.is_none()
            && roles.metric() != Some(ClaimMetric::Pace)
            && roles.stat() != Some(ClaimStat::Mean)
            && !roles.has(Tag::FromHere)
            && !roles.has(Tag::Ago)
            && !roles.stands()
            // "two stops: eight minutes at 22 km"
            && !(before.roles.stands() && roles.when().is_none())
            && !roles.is_silent()
            && roles.reference().is_none()
            && roles.progress() != Some(Progress::ToGo)
            && !matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind))
            && roles.scope().is_none_or(|scope| {
                matches!(
                    scope,
                    ClaimScope::Race | ClaimScope::Window | ClaimScope::Since(_)
                )
            });
        let (one, two) = (self.quantity(one)?, self.quantity(two)?);
        let is_pair = |distance: &Quantity, time: &Quantity| {
            distance.measures(Measure::Distance).is_some() && time.measures(Measure::Duration).is_some()
        };
        let (distance, time) = if is_pair(one, two) { (one, two) } else { (two, one) };
        (is_plain && is_pair(distance, time)).then(|| (distance.clone(), time.clone()))
    }

    /// The roles that the number at `index` may have, the closest words first.
    pub(super) fn roles(
        &self,
        number: usize,
        index: usize,
        before: &ClauseContext,
        context: &Roles,
    ) -> Vec<Roles> {
        let previous = number
            .checked_sub(1)
            .and_then(|number| self.at.get(number).copied());
        let next = self.at.get(number + 1).copied();
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
        near.bound = self.bound(index);
        near.has_unknown = self.clause.has_unknown;
        near.add(
            self.items
                .get(index)
                .into_iter()
                .flat_map(|item| item.tags.clone()),
        );
        let is_plain_time = self.quantity(index).is_some_and(|quantity| {
            quantity.readings.len() == 1 && quantity.measures(Measure::Duration).is_some()
        });
        // "22 km without a break in 42 minutes"
        if !self.clause.has(Tag::Metric(ClaimMetric::Stop)) {
            near.tags.retain(|tag| *tag != Tag::Metric(ClaimMetric::Stop));
        }
        near.add(self.part_after(index, next).filter(|_| near.scope().is_none()));
        near.add(self.is_computed(index).then_some(Tag::Computed));
        near.add((is_plain_time && self.has_values()).then_some(Tag::Beside));
        self.complete(index, &mut near);
        if near.has(Tag::There) && near.place().is_none() {
            near.add(before.roles.within(context).place().map(Tag::Place));
        }
        let metric = self.clause.metric().map(Tag::Metric);
        let when = self
            .clause
            .when()
            .filter(|_| self.clause.is_past())
            .map(Tag::When);
        let named = Roles {
            tags: metric.into_iter().chain(when).collect(),
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
        // "Of the 113 km he has 68.8 ahead of him."
        let leads = |item: &MessageItem| one_of(&item.words, OF_WHOLE);
        let before_it = self.items.get(..index).unwrap_or_default();
        let is_whole = is_whole
            || (previous.is_none() && next.is_some() && !before_it.is_empty() && before_it.iter().all(leads));
        if is_whole {
            let mut alone = near.clone();
            alone.tags.retain(|tag| !matches!(tag, Tag::Progress(_)));
            roles.insert(0, alone);
        }
        let is_time = self
            .quantity(index)
            .is_some_and(|quantity| quantity.measures(Measure::Duration).is_some());
        let at_place = |own: &&Roles| own.scope().is_none() && !own.has(Tag::Ago) && !own.stands();
        if let (Some(metres), Some(own), true) = (self.passed_m, roles.iter().find(at_place), is_time) {
            let mut own = own.clone();
            own.add([Tag::Part(ClaimScope::Mark(metres))]);
            roles.push(own);
        }
        if before.leads != ClauseLead::Label {
            self.inherit(&mut roles, before, context);
        }
        roles
    }

    /// Adds the roles that a number may have from the clauses before.
    fn inherit(&self, roles: &mut Vec<Roles>, before: &ClauseContext, context: &Roles) {
        if let Some(place) = before.roles.place().filter(|_| self.is_of_place(before)) {
            for own in roles {
                own.add([Tag::Place(place)]);
            }
            return;
        }
        // "The cut-off here is at nine hours, she came in at 7:20."
        let place = before.roles.place().map(Tag::Place);
        let arrives = |own: &&Roles| own.has(Tag::Reached) && own.place().is_none();
        let mut arrived: Vec<Roles> = roles.iter().filter(arrives).cloned().collect();
        for own in &mut arrived {
            own.add(place);
        }
        roles.extend(arrived);
        let earlier = before.roles.within(context);
        let inherited: Vec<Roles> = roles
            .iter()
            .flat_map(|own| {
                let mut all = vec![
                    own.within(&carried(&before.roles)),
                    own.within(&before.roles),
                    own.within(&earlier),
                ];
                let has_next = own.when().is_none() && !before.next.tags.is_empty();
                all.extend(has_next.then(|| own.within(&before.next)));
                all
            })
            .collect();
        // "km 3, where your pulse touched 171"
        let is_relative = self
            .items
            .first()
            .is_some_and(|first| one_of(&first.words, "where|wo|où|donde|dove|which"));
        // "Km 8 was your slump, 5:50"
        let is_alone = self.items.len() == 1;
        let names_part = (is_relative || (before.leads == ClauseLead::Split && is_alone))
            && before.roles.scope().is_some();
        // "Pace for two hours from here: 5:53"
        if names_part || (is_alone && before.roles.has(Tag::Need)) {
            roles.clear();
        }
        for role in inherited {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
    }

    /// Whether the clause only says how far away the place in the clause before is: `Krumpendorf, 1.2 km ahead`.
    fn is_of_place(&self, before: &ClauseContext) -> bool {
        let speaks = self.items.iter().any(|item| {
            item.is(|tag| {
                matches!(
                    tag,
                    Tag::When(_) | Tag::Athlete | Tag::Place(_) | Tag::Progress(_) | Tag::Finish
                )
            })
        });
        let is_away = self.clause.has(Tag::FromHere)
            || self.clause.sense() == Some(Sense::Ahead)
            || (before.roles.has(Tag::Part(ClaimScope::Next)) && self.items.len() == 1);
        !speaks && is_away
    }

    /// The part of the race that a preposition gives to the number before it: `the 171 in km 3 lasted a minute`.
    fn part_after(&self, index: usize, next: Option<usize>) -> Option<Tag> {
        const PREPOSITIONS: &str = "in|at|im|bei|beim|au|en|al|nel|during|over|over the|in the";
        let between = self.items.get(index + 1..next?)?;
        let is_part = |tag: &Tag| matches!(tag, Tag::Part(_));
        let at = between.iter().position(|item| item.is(is_part))?;
        let (before, part) = between.split_at_checked(at)?;
        let acts = |item: &MessageItem| item.is(|tag| matches!(tag, Tag::When(_) | Tag::Trend(_)));
        let binds = one_of(&before.last()?.words, PREPOSITIONS) && !before.iter().any(acts);
        part.first()?.tags.iter().copied().find(is_part).filter(|_| binds)
    }

    /// Whether the number is the time for a distance at a pace that the clause names too: `33.7 km at 9:20 is 5:15`.
    fn is_computed(&self, index: usize) -> bool {
        let values = |index: usize, measure: Measure| {
            let readings = self
                .quantity(index)
                .map_or(&[][..], |quantity| &quantity.readings);
            readings
                .iter()
                .filter(move |reading| reading.measure == measure)
                .map(|reading| reading.value)
        };
        let others = || self.at.iter().copied().filter(move |other| *other != index);
        let mut times = values(index, Measure::Duration);
        times.any(|time_s| {
            others().flat_map(|at| values(at, Measure::Distance)).any(|m| {
                others()
                    .flat_map(|at| values(at, Measure::Speed))
                    .any(|mps| (m / mps / time_s - 1.0).abs() < 0.04)
            })
        })
    }

    /// Whether the clause has a heart rate, a power or a cadence.
    fn has_values(&self) -> bool {
        let is_value = |index: &usize| {
            let quantity = self.quantity(*index);
            quantity.is_some_and(|quantity| {
                let is_bare = quantity
                    .whole()
                    .is_some_and(|value| value >= 60.0 && value.fract() == 0.0);
                let measure = quantity
                    .readings
                    .first()
                    .and_then(|reading| reading.measure.metric());
                is_bare || measure.is_some_and(|metric| metric != ClaimMetric::Pace)
            })
        };
        self.at.iter().any(is_value)
    }
}

/// Words before the whole that the rest of a clause divides.
const OF_WHOLE: &str = "of|of the|out of|out of the|the|von|von den|von der|den|de|de los|des|les|sur|sur les|los|di|dei|degli|delle|su|sui|i";

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

/// The distance in metres that an item names as a place on the way.
pub(super) fn mark_of(item: &MessageItem) -> Option<f64> {
    if let ItemKind::Mark(metres) = item.kind {
        Some(metres)
    } else {
        None
    }
}
