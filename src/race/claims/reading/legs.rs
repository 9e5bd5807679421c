//! The legs that a clause speaks of, and the middle of the way.

use super::Reader;
use super::clause::ClauseContext;
use super::statements::{IT, is_article};
use crate::race::claims::claim::ClaimBody;
use crate::race::claims::items::{MessageItem, has_numbers, has_tag, measures};
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Progress, State, When};
use crate::race::claims::token::one_of;

/// Verbs whose ending names the athlete: `stai correndo`, `estás nadando`.
const YOU_ARE: &str = "stai|sei|estás|vas|stai ancora|bist";

impl Reader<'_> {
    pub(super) fn legs(
        &mut self,
        items: &[MessageItem],
        index: usize,
        item: &MessageItem,
        roles: &Roles,
        before: &ClauseContext,
    ) {
        let has_values = has_numbers(items);
        let begins = items
            .iter()
            .any(|item| one_of(&item.words, "start|begin|beginnen|commencer|empezar|iniziare"));
        let is_half = has_tag(items, Tag::Scope(ScopeWord::Half));
        for tag in &item.tags {
            match tag {
                Tag::Leg(kind) | Tag::OnLeg(kind) => {
                    let mut own = roles.clone();
                    // The leg that this word names, not the first of the clause.
                    own.tags
                        .retain(|tag| !matches!(tag, Tag::Leg(_) | Tag::OnLeg(_) | Tag::Nth(_)));
                    own.add(item.tags.iter().copied());
                    if has_values || is_half {
                        own.tags.retain(|tag| *tag != Tag::Progress(Progress::Done));
                    }
                    own.add((begins && roles.is_future()).then_some(Tag::State(State::Waiting)));
                    // "You're running", but "34:10 in the water".
                    // "Ben swam, and is now running."
                    let joins = items
                        .first()
                        .is_some_and(|first| one_of(&first.words, "and|und|et|y|e"));
                    // "Stai correndo."
                    let is_told = items.iter().any(|item| one_of(&item.words, YOU_ARE));
                    let is_subject = roles.has(Tag::Athlete) || is_told || (before.names_athlete && joins);
                    let is_present = roles.is_present() && is_subject;
                    let before = index.checked_sub(1).and_then(|index| items.get(index));
                    let acts = item.has(Tag::Motion) && is_present && !before.is_some_and(is_article);
                    // "Run going well"
                    let after = items.get(index + 1..).unwrap_or_default();
                    let goes = after.iter().take(2).any(|next| {
                        one_of(
                            &next.words,
                            "going|goes|going well|läuft|coming along|ticking along",
                        )
                    });
                    let goes = goes && index <= 2 && !roles.is_past() && !item.has(Tag::Motion);
                    // "Ben nada todavía": he still swims.
                    let is_still = roles.progress() == Some(Progress::ToGo) && acts && !has_values;
                    if is_still {
                        own.tags.retain(|tag| *tag != Tag::Progress(Progress::ToGo));
                    }
                    if (acts || goes) && roles.stat().is_none() && (roles.progress().is_none() || is_still) {
                        own.tags.push(Tag::OnLeg(*kind));
                    }
                    if has_values && roles.when().is_none() {
                        own.tags.retain(|tag| !matches!(tag, Tag::OnLeg(_)));
                    }
                    self.push(items, &own, ClaimBody::Leg(*kind));
                }
                // "Halfway is at 45 km."
                Tag::Scope(ScopeWord::Half) if has_values && roles.has(Tag::Position) => {}
                Tag::Scope(ScopeWord::Half) => {
                    let mut roles = roles.clone();
                    // "on the bike, halfway through it"
                    let is_it = items
                        .get(index + 1..)
                        .is_some_and(|rest| rest.iter().any(|item| one_of(&item.words, IT)));
                    // "on the bike since 8:37 and nearly half way round"
                    let goes_on = roles.when().is_none() && !roles.has(Tag::Athlete) && !has_values;
                    let named = before
                        .roles
                        .leg()
                        .filter(|_| (is_it || goes_on) && roles.leg().is_none());
                    roles.add(named.map(Tag::Leg));
                    // "three kilometres to half way"
                    let to = index.checked_sub(1).and_then(|at| items.get(at));
                    let is_to = to.is_some_and(|to| {
                        one_of(
                            &to.words,
                            "to|until|till|bis|bis zur|hasta|hasta la|fino a|alla|jusqu à|avant la",
                        )
                    });
                    roles.add(
                        (is_to && measures(items, &[Measure::Distance, Measure::Duration]))
                            .then_some(Tag::When(When::Future)),
                    );
                    // "The halfway point is still to come."
                    let more = "more|over|über|plus|más|più"
                        .split('|')
                        .any(|more| item.words.starts_with(more));
                    let is_point =
                        (more || item.words.contains("way")) && roles.progress() == Some(Progress::ToGo);
                    roles.add(is_point.then_some(Tag::When(When::Future)));
                    let words = items.get(index.saturating_sub(3)..index).unwrap_or_default();
                    let bound = words
                        .iter()
                        .rev()
                        .flat_map(|item| &item.tags)
                        .find_map(|tag| tag.bound());
                    // "Half of it is almost done."
                    let after = items.iter().skip(index + 1);
                    // "passed halfway after about 8:02": the time is rough, not the place.
                    let is_time = has_values && measures(items, &[Measure::Duration]);
                    let after = after.flat_map(|item| &item.tags).find_map(|tag| tag.bound());
                    let after = after.filter(|_| !is_time);
                    roles.bound = bound.or(after).unwrap_or_default();
                    self.push(items, &roles, ClaimBody::Halfway);
                }
                _ => {}
            }
        }
    }
}
