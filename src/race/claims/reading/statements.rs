//! Claims of a clause that need no number: states, legs, places, relations, names.

use super::clause::{ClauseContext, ClauseLead, carried, metric_of};
use super::number::mark_of;
use super::signal::sends;
use super::{Reader, signal, stops};
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::{MessageItem, has_numbers, has_tag, measures};
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimMetric, ClaimScope, ClaimStat, Reference, Sense, State, When};
use crate::race::claims::token::one_of;

impl Reader<'_> {
    pub(super) fn statements(
        &mut self,
        items: &[MessageItem],
        roles: &Roles,
        compared: bool,
        before: &ClauseContext,
    ) {
        // "Krumpendorf, where your sister is standing"
        let is_aside = items
            .first()
            .is_some_and(|first| one_of(&first.words, "where|wo|où|donde|dove|who|whose"))
            && has_tag(items, Tag::Stranger)
            && !has_numbers(items);
        if is_aside {
            return;
        }
        if roles.mood.is_none() {
            for (index, item) in items.iter().enumerate() {
                self.states(items, index, item, roles, before);
                let mut trend = roles.within(&carried(&before.roles));
                // "passed 60 km after 9:38:04, at an even 9:38 per km"
                let was = before.roles.is_past() || before.roles.has(Tag::Reached);
                trend.add((was && roles.when().is_none()).then_some(Tag::When(When::Past)));
                self.trends(items, item, &trend, compared);
                self.legs(items, index, item, roles, before);
            }
            if roles.has(Tag::State(State::Silent)) && !has_tag(items, Tag::State(State::Silent)) {
                self.push(items, roles, ClaimBody::State(State::Silent));
            }
            if signal::arrives(items, roles) {
                self.push(items, roles, ClaimBody::State(State::Heard));
            }
            if stops::goes_on(items) && (roles.stands() || before.roles.stands()) && roles.is_present() {
                self.push(items, roles, ClaimBody::State(State::Standing));
            }
            self.speaker(items, roles);
            let ends = |item: &MessageItem| item.has(Tag::Finish) && !item.has(Tag::Reached);
            let reaches = |item: &MessageItem| item.has(Tag::Reached) && !item.has(Tag::Finish);
            if roles.is_past()
                && items.iter().any(ends)
                && items.iter().any(reaches)
                && !measures(items, &[Measure::Distance])
            {
                self.push(items, roles, ClaimBody::State(State::Finished));
            }
            if let (true, false, Some(metres)) = (
                roles.stands() && roles.is_past() && roles.measured().is_none(),
                roles.not(),
                items.iter().find_map(mark_of),
            ) {
                self.push(items, roles, ClaimBody::StopAt(metres));
            }
            // "The limit was broken once, around kilometre three."
            let goes_on =
                before.leads == ClauseLead::Statement && roles.when().is_none() && !has_numbers(items);
            let over = before.roles.sense() == Some(Sense::Above)
                && before.roles.reference() == Some(Reference::Limit);
            if goes_on && over && items.iter().any(|item| mark_of(item).is_some()) {
                self.push(items, &roles.within(&before.roles), ClaimBody::Relation);
            }
            self.extremes(items, roles, before);
            self.stop_ranks(items, roles);
            self.places(items, roles);
        }
        let has_values = has_numbers(items);
        if roles.sense().is_some() && !compared && (roles.reference().is_some() || !has_values) {
            let by_pace = matches!(roles.sense(), Some(Sense::Faster | Sense::Slower));
            let mut own = roles.clone();
            // "17 W below the limit": the unit names the metric.
            let unit = items
                .iter()
                .find_map(metric_of)
                .filter(|_| own.measured().is_none());
            own.add(unit.map(Tag::Metric));
            let all = if by_pace {
                own
            } else {
                own.within(&carried(&before.roles))
            };
            self.push(items, &all, ClaimBody::Relation);
        }
    }

    fn states(
        &mut self,
        items: &[MessageItem],
        index: usize,
        item: &MessageItem,
        roles: &Roles,
        earlier: &ClauseContext,
    ) {
        let before_stands = earlier.roles.stands();
        let named = earlier.names_athlete;
        let measures = roles.measured().is_some();
        let has_values = has_numbers(items);
        let is_named = named || roles.has(Tag::Athlete);
        let before = index.checked_sub(1).and_then(|index| items.get(index));
        let is_noun = before.is_some_and(is_article);
        let is_present = matches!(roles.when(), Some(When::Present | When::Now));
        let is_verb = is_present && is_named && !is_noun && !roles.not() && roles.stat().is_none();
        if item.has(Tag::Motion) && is_verb && !roles.is_silent() && !roles.has(Tag::LastSeen) {
            self.push(items, roles, ClaimBody::State(State::Moving));
        }
        for state in item.tags.iter().filter_map(|tag| tag.state()) {
            match state {
                // "It's the signal that stopped."
                State::Standing
                    if roles.has(Tag::State(State::Silent))
                        && sends(items)
                        && !is_of_athlete(items, index) => {}
                // "He lost 90 seconds at km 20, but nothing since."
                State::Silent if item.words.starts_with("nothing") && before_stands => {}
                // A heart rate that has not moved is no stop.
                State::Standing if measures || roles.tags.iter().any(|tag| matches!(tag, Tag::OnLeg(_))) => {}
                // "9:20 /km on the move", but "is moving at 9:20 /km"
                State::Moving if is_named && !roles.not() && acts_now(items, index, roles) => {
                    self.push(items, roles, ClaimBody::State(State::Moving));
                }
                State::Moving if has_values && (measures || items.iter().any(is_measured)) => {}
                State::Standing | State::Moving if is_noun && has_values => {}
                // "your pulse while moving"
                State::Moving
                    if before
                        .is_some_and(|item| one_of(&item.words, "while|when|beim|mientras|mentre|quand")) => {
                }
                // "So kommst du in 1:56 ins Ziel."
                State::Finished if has_values && is_present && item.words.starts_with("ins ") => {}
                // "Your fastest kilometre was the one you just finished."
                State::Finished
                    if items
                        .iter()
                        .any(|item| item.has(Tag::SplitNoun) || item.is(|tag| tag.extreme().is_some()))
                        && item.words.ends_with("finished") => {}
                // "ist in einer Stunde im Ziel"
                State::Finished
                    if roles.is_future()
                        && ((has_values && roles.has(Tag::In)) || items.iter().any(is_time_of_day)) => {}
                // "seit 7:26 unterwegs"
                State::Moving if items.iter().any(is_time) => {}
                state => self.push(items, roles, ClaimBody::State(state)),
            }
        }
        let is_stop = item.has(Tag::Metric(ClaimMetric::Stop)) && !item.has(Tag::State(State::Standing));
        // "You're having a little break."
        let takes = items.iter().any(|item| one_of(&item.words, TAKES));
        if is_stop && takes && is_present && is_named && !roles.not() && !has_values {
            self.push(items, roles, ClaimBody::State(State::Standing));
        }
        if is_stop && roles.not() && !has_values {
            let mut roles = roles.clone();
            roles.tags.push(Tag::When(When::Perfect));
            self.push(items, &roles, ClaimBody::State(State::Standing));
        }
    }

    fn trends(&mut self, items: &[MessageItem], item: &MessageItem, roles: &Roles, compared: bool) {
        let last = self.claims.last();
        let has_change = last.is_some_and(|claim| matches!(claim.body, ClaimBody::Change(..)));
        if compared || has_change {
            return;
        }
        for sense in item.tags.iter().filter_map(|tag| tag.trend()) {
            let roles = roles.within(&self.context);
            self.push(items, &roles, ClaimBody::Trend(sense));
        }
    }

    fn extremes(&mut self, items: &[MessageItem], roles: &Roles, before: &ClauseContext) {
        let has_values = has_numbers(items);
        let mark = items.iter().find_map(mark_of);
        let mark = mark.or(roles.scope().and_then(|scope| {
            if let ClaimScope::Mark(m) = scope {
                Some(m)
            } else {
                None
            }
        }));
        if let (true, false, Some(metres), Some(_)) = (
            roles.stat() == Some(ClaimStat::Max),
            has_values,
            mark,
            roles.measured(),
        ) {
            self.push(items, roles, ClaimBody::Peak(metres));
        }
        let Some(sense) = roles.find(Tag::extreme) else {
            return;
        };
        // "the last kilometre in 5:15, the fastest of the race"
        let is_apposed = mark.is_none() && !has_values && roles.when().is_none();
        // "Kilometre ten is done, and it was your best."
        let is_it = mark.is_none()
            && !has_values
            && roles
                .scope()
                .is_none_or(|scope| matches!(scope, ClaimScope::Extreme(_)))
            && items.iter().take(2).any(|item| one_of(&item.words, IT_WAS));
        let named = before.roles.scope().filter(|_| is_apposed || is_it);
        let mark = match named {
            Some(ClaimScope::Mark(metres)) if is_it => Some(metres),
            _ => mark,
        };
        let is_last = [roles.scope(), named].contains(&Some(ClaimScope::LastSplit));
        if mark.is_some() || is_last {
            self.push(items, roles, ClaimBody::Extreme(sense, mark));
        }
    }

    /// Marks and checkpoints that the athlete is said to be at, to have passed or to reach.
    fn places(&mut self, items: &[MessageItem], roles: &Roles) {
        let has_values = has_numbers(items);
        let is_extreme = roles.find(Tag::extreme).is_some() || roles.stat().is_some();
        // "Krumpendorf crew: she has gone by."
        let names_place = items
            .iter()
            .any(|item| item.is(|tag| matches!(tag, Tag::Place(_))));
        let labelled = roles
            .place()
            .filter(|_| !names_place && !has_values && roles.has(Tag::Reached));
        if let Some(place) = labelled.and_then(|index| self.facts.places.get(index)) {
            self.push(items, roles, ClaimBody::Place(place.at_m));
        }
        if let Some(place) = roles.place().and_then(|index| self.facts.places.get(index))
            && let Some(metres) = items.iter().find_map(mark_of)
            && !has_values
            && !is_extreme
            && roles.progress().is_none()
            && !roles.has(Tag::Reached)
        {
            self.push(items, roles, ClaimBody::Located(metres, place.at_m));
        }
        // "The next checkpoint is Krumpendorf."
        let place_of = |item: &MessageItem| {
            item.tags.iter().find_map(|tag| {
                if let Tag::Place(index) = tag {
                    self.facts.places.get(*index)
                } else {
                    None
                }
            })
        };
        let named = items
            .iter()
            .filter(|item| !item.has(Tag::Here))
            .filter_map(|item| Some((item, place_of(item)?)));
        let (own, next): (Vec<_>, Vec<_>) = named
            .partition(|(item, place)| place.words.iter().any(|word| item.words.contains(word.as_str())));
        if let ([(_, own)], [(_, next)]) = (own.as_slice(), next.as_slice())
            && roles.is_present()
            && (own.at_m - next.at_m).abs() > 1.0
        {
            let (own_m, next_m) = (own.at_m, next.at_m);
            self.push(items, roles, ClaimBody::Located(own_m, next_m));
        }
        for (index, item) in items.iter().enumerate() {
            let mut roles = roles.clone();
            let word = index
                .checked_sub(1)
                .and_then(|index| items.get(index))
                .map_or("", |item| item.words.as_str());
            let article = one_of(word, "the|der|dem|la|le|il|el");
            let earlier = index
                .checked_sub(2)
                .filter(|_| article)
                .and_then(|index| items.get(index));
            let word = earlier.map_or(word, |item| item.words.as_str());
            let is_at = one_of(word, "at|bei|beim|am|à|au|en|a|al|ad|by|in");
            roles.add(is_at.then_some(Tag::Position));
            let precedes = one_of(word, "before|vor|avant|prima di|antes de");
            let is_there =
                roles.has_any(&[Tag::When(When::Present), Tag::When(When::Now)]) && roles.has(Tag::Athlete);
            let precedes = precedes && is_there;
            roles.add(precedes.then_some(Tag::When(When::Future)));
            // "Velden is still ahead of you."
            let lies_ahead = !has_values
                && roles.is_present()
                && !roles.not()
                && items.iter().any(|item| one_of(&item.words, AHEAD));
            roles.add(lies_ahead.then_some(Tag::Part(ClaimScope::Next)));
            let follows = one_of(word, "after|après|dopo|después de");
            roles.add(follows.then_some(Tag::When(When::Past)));
            let roles = &roles;
            if let Some(metres) =
                mark_of(item).filter(|_| !has_values && !is_extreme && roles.measured().is_none())
            {
                self.push(items, roles, ClaimBody::Place(metres));
            }
            let place = item.tags.iter().find_map(|tag| {
                if let Tag::Place(index) = tag {
                    Some(*index)
                } else {
                    None
                }
            });
            let place = place.and_then(|index| self.facts.places.get(index));
            // "passed Velden well inside the cut-off"
            let is_passed = roles.has(Tag::Reached) && !roles.is_future() && !roles.not();
            let other = roles
                .reference()
                .filter(|it| *it != Reference::Limit && !(*it == Reference::Cutoff && is_passed));
            if let (Some(place), None) = (place, other) {
                self.push(items, roles, ClaimBody::Place(place.at_m));
            }
        }
    }
}

/// Says that a place is still to come.
const AHEAD: &str = "still ahead|ahead of you|ahead of him|ahead of her|ahead of them|still to come|to come|lies ahead|still lies ahead|in front of you|in front of her|in front of him|vor dir|vor ihr|vor ihm|devant toi|devant elle|devant lui|por delante|delante|davanti|davanti a lei|davanti a lui";

/// Stands for what was named before.
pub(super) const IT: &str = "it|that|davon|dessen|lo|la|ne|en|eso|quello";

/// Begins a clause about what was named before.
const IT_WAS: &str = "it|it s|that|that s|this|das|er|es|c|ce|fue|era|è";

/// Words before a noun such as `break` that claim the athlete is taking one.
const TAKES: &str = "having|taking|making|has|takes|macht|machst|fait|fais|hace|haces|fa|fai|gönnt|gönnst|nimmt|prend|prends|toma|tomas|facendo|haciendo|legt|on|at|in|en";

/// Whether the word makes a verb of motion after it a noun: `133 while running`, `10 km of running`.
pub(super) fn is_article(before: &MessageItem) -> bool {
    const WORDS: &str =
        "of|the|while|when|for|to|your|her|his|and|after|before|from|a|de|la|le|il|beim|of the|di|of your";
    one_of(&before.words, WORDS)
}

/// Whether the athlete is the subject right before the word at `index`: `Dora has stopped`.
fn is_of_athlete(items: &[MessageItem], index: usize) -> bool {
    let before = items.get(index.saturating_sub(2)..index).unwrap_or_default();
    has_tag(before, Tag::Athlete) && !sends(before)
}

/// Whether the word at `index` tells that somebody moves at this moment at some pace: `is moving at 9:20 /km`, `se mueve a
/// 9:20`.
fn acts_now(items: &[MessageItem], index: usize, roles: &Roles) -> bool {
    const VERBS: &str =
        "se mueve|te mueves|bewegt sich|bewegst dich|si muove|ti muovi|se déplace|te déplaces";
    const WHILE: &str =
        "when|whenever|while|if|wenn|wann immer|quand|lorsque|cuando|mientras|quando|mentre|solange|as";
    let words = items.get(..index).unwrap_or_default();
    let before = words.get(index.saturating_sub(2)..).unwrap_or_default();
    let is = before.iter().any(|item| item.has(Tag::When(When::Present))) && !before.iter().any(is_article);
    let own = items.get(index).map_or("", |item| item.words.as_str());
    let acts = one_of(own, VERBS) || (roles.is_present() && (is || roles.when() == Some(When::Now)));
    let is_condition = words.iter().any(|item| one_of(&item.words, WHILE));
    acts && !is_condition && !roles.is_past() && roles.stat().is_none() && items.iter().any(is_measured)
}

fn is_measured(item: &MessageItem) -> bool {
    let value = item.quantity().and_then(|quantity| quantity.readings.first());
    value.is_some_and(|value| value.measure.metric().is_some())
}

fn is_time(item: &MessageItem) -> bool {
    item.quantity()
        .is_some_and(|quantity| quantity.measures(Measure::Duration).is_some())
}

fn is_time_of_day(item: &MessageItem) -> bool {
    item.quantity()
        .is_some_and(|quantity| quantity.measures(Measure::TimeOfDay).is_some())
}
