//! Reads the claims of a message: each number, state, comparison, place and person, with the roles of the words around
//! it.
//!
//! A number may have the roles of the words next to it, of its whole clause, or also of the clause before: in "On the
//! bike you averaged 205 W and 141 bpm", the 141 may be a mean on the bike.

mod adjuncts;
mod beside;
mod clause;
mod compared;
mod foresight;
mod legs;
mod mood;
mod number;
mod numbers;
mod people;
mod scope;
mod sequences;
mod sides;
mod signal;
mod speaker;
mod statements;
mod stops;
mod supposed;

use super::claim::{Claim, ClaimBody};
use super::facts::RaceFacts;
use super::items::{self, Clause, ItemKind, MessageItem, has_numbers, measures};
use super::lexicon::Tag;
use super::quantity::Measure;
use super::roles::Roles;
use super::terms::{ClaimMetric, ClaimScope, Length, Mood, Progress, Reference, State, When};
use super::token::one_of;
use super::value::number;
use clause::{
    ClauseContext, ClauseLead, NextSays, carried, complete, foretell, goal, is_german, metric_of,
    more_or_less, roles_of,
};

/// All claims of a message, in order.
pub(super) fn claims(text: &str, facts: &RaceFacts) -> Vec<Claim> {
    let mut reader = Reader {
        text,
        facts,
        claims: Vec::new(),
        last_length: None,
        compared_with: None,
        named_mark: None,
        context: Roles::default(),
        names_own: items::tokens_of(text)
            .iter()
            .any(|word| facts.athlete.contains(word)),
    };
    for sentence in items::sentences(text, facts) {
        reader.sentence(sentence);
    }
    reader.claims
}

fn has_limit(clause: &[MessageItem]) -> bool {
    items::has_tag(clause, Tag::Reference(Reference::Limit))
}

struct Reader<'a> {
    text: &'a str,
    facts: &'a RaceFacts,
    claims: Vec<Claim>,
    /// The length of the last stretch named, for "the first", "the next five".
    last_length: Option<Length>,
    /// The other side of a comparison, if a clause before named it: "compared with the first five,".
    compared_with: Option<Clause>,
    /// Roles carried over from the sentences before: metric, place, cut-off, silence.
    context: Roles,
    /// The split that the sentence before spoke of.
    named_mark: Option<ClaimScope>,
    /// Whether the message names the athlete, so that other names may be those of readers.
    names_own: bool,
}

impl Reader<'_> {
    fn push(&mut self, items: &[MessageItem], roles: &Roles, body: ClaimBody) {
        let from = items.first().map_or(0, |item| item.from);
        let to = items.last().map_or(0, |item| item.to);
        let said = self
            .text
            .get(from..to)
            .unwrap_or_default()
            .chars()
            .take(60)
            .collect();
        let roles = roles.clone();
        self.claims.push(Claim { said, roles, body });
    }

    fn sentence(&mut self, sentence: Vec<Clause>) {
        let names_athlete = sentence.iter().flatten().any(|item| item.has(Tag::Athlete));
        let is_german = sentence.iter().flatten().any(|item| is_german(&item.words));
        let mut before = ClauseContext {
            names_athlete,
            ..ClauseContext::default()
        };
        self.sequence(&sentence);
        let metric = sentence.iter().flatten().find_map(metric_of);
        if let Some(metric) = metric {
            self.context.tags.insert(0, Tag::Metric(metric));
        }
        let roles: Vec<Roles> = sentence
            .iter()
            .map(|clause| roles_of(clause, None, None))
            .collect();
        let conditions: Vec<bool> = sentence
            .iter()
            .map(|clause| clause::is_condition(clause))
            .collect();
        let unknown: Vec<bool> = sentence.iter().map(|clause| mood::is_ignorance(clause)).collect();
        for (index, clause) in sentence.into_iter().enumerate() {
            self.names(&clause, index == 0, is_german);
            before.next = roles.get(index + 1).cloned().unwrap_or_default();
            let is_condition = conditions.get(index + 1) == Some(&true);
            before.next_says = if unknown.get(index + 1) == Some(&true) {
                Some(NextSays::Unknown)
            } else {
                (is_condition && before.next.is_future()).then_some(NextSays::GoesOn)
            };
            before = self.clause(clause, before);
        }
        // The next sentence may still refer to the metric, the place and the cut-off of this one.
        let kept = |tag: &Tag| match tag {
            Tag::Metric(metric) => metric.is_measured(),
            tag => matches!(
                tag,
                Tag::Place(_)
                    | Tag::Reference(Reference::Cutoff)
                    | Tag::LastSeen
                    | Tag::State(State::Silent)
                    | Tag::OnLeg(_)
                    | Tag::Progress(Progress::ToGo)
            ),
        };
        let mark = before
            .roles
            .scope()
            .filter(|scope| matches!(scope, ClaimScope::Mark(_)));
        self.named_mark = mark;
        let last = Roles {
            tags: before.roles.tags.into_iter().filter(kept).collect(),
            ..Roles::default()
        };
        self.context = last.within(&self.context);
    }

    fn clause(&mut self, mut clause: Clause, before: ClauseContext) -> ClauseContext {
        compared::split_than(&mut clause);
        let than = clause::than(&clause);
        // "Compared with the first five, the second five were faster."
        if than == Some(0) && clause.len() > 1 {
            let subject = clause.iter().position(|item| item.words == "you");
            let subject = subject.unwrap_or(clause.len());
            let rest = clause.split_off(subject);
            scope::name_parts(&mut clause, &mut self.last_length, self.facts);
            self.compared_with = clause.get(1..).map(<[MessageItem]>::to_vec);
            return if rest.is_empty() {
                before
            } else {
                self.clause(rest, before)
            };
        }
        let mut right = than.map(|at| clause.split_off(at));
        scope::name_parts(&mut clause, &mut self.last_length, self.facts);
        if let Some(right) = &mut right {
            scope::name_parts(right, &mut self.last_length, self.facts);
        }
        clause::possess(&mut clause);
        sides::of_cutoffs(&mut clause);
        let named = before.roles.scope().or(self.named_mark);
        adjuncts::follow(&mut clause, named);
        let supposed = before.roles.mood.filter(|_| before.leads != ClauseLead::SoFar);
        let is_open = before.next_says == Some(NextSays::Unknown) && mood::is_choice(&clause);
        let mood = mood::mood(&clause, supposed).or(is_open.then_some(Mood::Unknown));
        let mut roles = roles_of(&clause, None, mood);
        complete(&clause, &mut roles);
        roles.add(supposed::kept_pace(&clause, &roles, self.facts).map(Tag::Keeps));
        supposed::forget_part(&mut clause, &mut roles);
        if before.leads == ClauseLead::Label {
            roles = clause::labelled(&roles, &before.roles);
        }
        let states = roles.when().is_some();
        let has_values = has_numbers(&clause);
        if !states && !has_values && roles.leg().is_some() {
            // "You have done the swim and the bike."
            roles.add(before.roles.progress().map(Tag::Progress));
        }
        foretell(&clause, &mut roles, &before);
        let goal = goal(&clause, &roles, self.facts);
        // "Pace for two hours from here: 5:53"
        let asks = goal.is_some() && roles.has(Tag::FromHere) && roles.metric() == Some(ClaimMetric::Pace);
        roles.add(goal.into_iter().chain(asks.then_some(Tag::Need)));
        for item in clause.iter().filter(|item| item.kind == ItemKind::Unreadable) {
            self.push(std::slice::from_ref(item), &roles, ClaimBody::Unreadable);
        }
        // "Limits: 141 beats against 150"
        if right.is_some() && roles.sense().is_none() && has_values && !has_limit(&clause) {
            roles.tags.retain(|tag| *tag != Tag::Reference(Reference::Limit));
        }
        let earlier = self.compared_with.take();
        let compared = right
            .as_deref()
            .map(|right| roles_of(right, None, None))
            .unwrap_or_default();
        let is_compared = right.is_some() || earlier.is_some();
        let other = right.as_deref().and_then(|right| right.get(1..));
        let other = other.or(earlier.as_deref());
        let mut used = other.and_then(|other| self.compare(&clause, &roles, other, &before));
        // "half way, 50 km"
        if let (Some(half_m), [item]) = (before.half_m, clause.as_slice())
            && let Some(way) = item.quantity().and_then(|it| it.measures(Measure::Distance))
        {
            self.push(&clause, &roles, ClaimBody::Located(way.value, half_m));
            used = Some(0);
        }
        // "Half the way, 50 km, she passed after 8:02."
        let own_half_m = clause::half_m(&clause, self.facts);
        let goes_on = roles.when().is_none() && own_half_m.is_none();
        let half_m = own_half_m.or(before.half_m.filter(|_| goes_on && clause.len() == 1));
        let passed_m = clause::passed_m(&clause, &roles, half_m.or(before.half_m))
            .or(before.passed_m.filter(|_| goes_on));
        let mut numbers = number::Numbers::of(&clause, used, &roles);
        numbers.passed_m = passed_m;
        self.numbers(&numbers, &before);
        if matches!(mood, None | Some(Mood::Modal)) {
            self.statements(&clause, &roles, is_compared, &before);
        }
        let leads = if clause.is_empty() && before.leads == ClauseLead::Label {
            ClauseLead::Label
        } else {
            self.leads(&clause, &roles)
        };
        // "132, then 133": the list goes on.
        let is_listed = roles.tags.is_empty();
        // "the first 20 km at 214 W, the last 22 at 203"
        roles
            .tags
            .extend(clause.iter().filter_map(metric_of).map(Tag::Metric));
        ClauseContext {
            roles: if clause.is_empty() {
                before.roles
            } else if is_listed {
                roles.within(&before.roles)
            } else {
                roles.within(&compared).within(&carried(&before.roles))
            },
            leads,
            names_athlete: before.names_athlete,
            of_minutes: clause::of_minutes(&clause),
            next_says: None,
            half_m,
            passed_m,
            next: Roles::default(),
        }
    }

    /// Compares a clause with what follows its `than`. Returns the number that the comparison takes.
    fn compare(
        &mut self,
        clause: &[MessageItem],
        roles: &Roles,
        other: &[MessageItem],
        before: &ClauseContext,
    ) -> Option<usize> {
        if !has_numbers(clause) {
            let stopped = roles.within(&before.roles).within(&self.context);
            self.stop_lengths(clause, other, &stopped);
        }
        let context = roles.within(&carried(&before.roles)).within(&self.context);
        self.comparison(clause, &context, other)
    }

    fn leads(&self, clause: &[MessageItem], roles: &Roles) -> ClauseLead {
        let is_said = |tag: &Tag| matches!(tag, Tag::When(_) | Tag::State(_));
        let states = clause.iter().any(|item| item.is(is_said)) || roles.mood.is_some();
        let has_values = has_numbers(clause);
        let part = roles.scope();
        match roles.mood {
            _ if !clause.is_empty() && !states && !has_values => ClauseLead::Label,
            _ if !states && measures(clause, &[Measure::Duration, Measure::Distance]) => ClauseLead::Until,
            Some(Mood::If) if has_values && self.is_so(clause) => ClauseLead::SoFar,
            _ if !has_values && matches!(part, Some(ClaimScope::Mark(_) | ClaimScope::LastSplit)) => {
                ClauseLead::Split
            }
            _ => ClauseLead::Statement,
        }
    }

    /// Whether the numbers of a clause are those of now: `if the 31 km/h last`.
    fn is_so(&self, clause: &[MessageItem]) -> bool {
        let roles = Roles {
            tags: vec![Tag::When(When::Present)],
            ..Roles::default()
        };
        let mut measured = clause.iter().filter_map(MessageItem::quantity);
        measured.all(|quantity| {
            quantity.measures(Measure::Speed).is_some() && number(quantity, &roles, self.facts).is_ok()
        })
    }

    /// Reads `9 seconds faster than the first`. Returns the index of the number before the comparative.
    fn comparison(&mut self, clause: &[MessageItem], roles: &Roles, right: &[MessageItem]) -> Option<usize> {
        if !matches!(roles.mood, None | Some(Mood::Modal)) {
            return None;
        }
        let mut with = roles_of(right, None, None);
        // "faster than the seventh"
        let ordinal = right
            .iter()
            .find_map(|item| item.quantity().filter(|quantity| quantity.ordinal));
        let mark_m = ordinal
            .and_then(super::quantity::Quantity::whole)
            .map(|km| km * 1000.0);
        with.add(
            mark_m
                .filter(|_| with.scope().is_none())
                .map(|m| Tag::Part(ClaimScope::Mark(m))),
        );
        // "That's five seconds easier than now": what came before is compared.
        if clause
            .first()
            .is_some_and(|first| one_of(&first.words, "that|that's|das|c|cela|eso|ciò|it|it's|questo"))
        {
            return None;
        }
        if roles.sense().is_none() {
            // "150 against a ceiling of 165", "203 watts against 220"
            with.add(clause.iter().find_map(metric_of).map(Tag::Metric));
            let numbers = number::Numbers::of(right, None, &with);
            let before = ClauseContext {
                roles: roles.clone(),
                ..ClauseContext::default()
            };
            self.numbers(&numbers, &before);
            return None;
        }
        let said = right
            .iter()
            .find_map(MessageItem::quantity)
            .filter(|said| !said.ordinal)
            .cloned();
        let is_more = |item: &MessageItem| {
            item.is(|tag| matches!(tag, Tag::Sense(_))) || more_or_less(&item.words).is_some()
        };
        let last = clause.iter().rposition(|item| item.quantity().is_some());
        let is_by = |index: &usize| {
            let signed = clause
                .get(*index)
                .is_some_and(|item| item.is(|tag| matches!(tag, Tag::Sense(_))));
            // "mit 27:31 schneller": a clock after a preposition is the time itself.
            let is_clock = clause
                .get(*index)
                .and_then(MessageItem::quantity)
                .is_some_and(|it| it.readings.len() > 1);
            let before = index.checked_sub(1).and_then(|at| clause.get(at));
            let is_own =
                is_clock && before.is_some_and(|item| one_of(&item.words, "mit|in|en|with|at|con|avec"));
            signed || (clause.get(index + 1).is_some_and(is_more) && !is_own)
        };
        let by = last.filter(is_by);
        let quantity = by
            .and_then(|index| clause.get(index))
            .and_then(MessageItem::quantity)
            .cloned();
        let body = ClaimBody::Comparison {
            with,
            said,
            by: quantity,
        };
        self.push(clause, roles, body);
        by
    }
}
