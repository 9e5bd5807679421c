//! What the words right before and after a number make of it: `about 54 minutes`, `two minutes up`, `58.2 km in`.

use super::clause::more_or_less;
use super::number::Numbers;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::quantity::Measure;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Bound, ClaimMetric, Progress, Reference, Sense, When};
use crate::race::claims::token::one_of;

impl Numbers<'_> {
    /// Whether the number follows `against` or the like, and so is a target.
    fn is_against(&self, index: usize) -> bool {
        let before = self.items.get(index.saturating_sub(2)..index).unwrap_or_default();
        let word = before
            .iter()
            .rev()
            .find(|item| !one_of(&item.words, "the|die|der|das|den|les|las|le|il|los|a|your|deine"));
        word.is_some_and(|word| {
            one_of(
                &word.words,
                "against|auf|gegen|contre|sur|su|contra|contro|sulle|over|versus|vs",
            )
        }) && index >= 2
            && (self.at.first() != Some(&index) || self.is_margin_on(index))
    }

    /// `the margin on two hours`
    fn is_margin_on(&self, index: usize) -> bool {
        let margin = index.checked_sub(2).and_then(|at| self.items.get(at));
        margin.is_some_and(|item| {
            one_of(
                &item.words,
                "margin|lead|cushion|buffer|vorsprung|polster|avance|marge|ventaja|margen|vantaggio|margine",
            )
        })
    }

    /// How exactly the number at `index` is meant: the words right before it say so.
    pub(super) fn bound(&self, index: usize) -> Bound {
        let before = self.items.get(index.saturating_sub(2)..index).unwrap_or_default();
        let words = before.iter().rev().flat_map(|item| &item.tags);
        let after = self.items.iter().skip(index + 1).take(2).find(|item| {
            one_of(
                item.words.as_str(),
                "or so|give or take|or thereabouts|ish|más o menos|à peu près",
            )
        });
        let about = after.map(|_| Bound::About);
        // "an hour and a half nearly"
        let next = self.items.get(index + 1);
        let is_under = next.is_some_and(|next| one_of(&next.words, "nearly|almost|presque|casi|quasi"))
            && self
                .items
                .get(index + 2)
                .is_none_or(|after| after.tags.is_empty() && after.quantity().is_none());
        let about = is_under.then_some(Bound::JustUnder).or(about);
        words
            .into_iter()
            .find_map(|tag| tag.bound())
            .or(about)
            .unwrap_or_default()
    }

    /// Adds the roles that follow from the words right before and after a number.
    pub(super) fn complete(&self, index: usize, roles: &mut Roles) {
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
        // "Two hours down" is no delay.
        let is_short = self
            .quantity(index)
            .and_then(|quantity| quantity.measures(Measure::Duration))
            .is_some_and(|time| time.value <= 1200.0);
        // "two minutes up", "down eleven"
        let side = match (words, before) {
            ("up", _) if is_time => Some(Sense::Ahead),
            ("down", _) if is_time && is_short => Some(Sense::Behind),
            (_, "up") if !is_time && !is_way => Some(Sense::Above),
            (_, "down") if !is_time && !is_way => Some(Sense::Below),
            _ if !is_time && !is_way => more_or_less(words),
            _ => None,
        };
        // "926 metres up"
        let is_metres = self
            .quantity(index)
            .and_then(|quantity| quantity.measures(Measure::Distance))
            .is_some_and(|way| way.step <= 1.0 && way.value >= 50.0);
        roles.add((is_metres && words == "up").then_some(Tag::Metric(ClaimMetric::Ascent)));
        // "two minutes to the good on the two hours"
        if is_time && self.is_against(index) {
            roles
                .tags
                .retain(|tag| !matches!(tag, Tag::Sense(_) | Tag::Progress(_)));
            roles.tags.insert(0, Tag::Reference(Reference::Plan));
        }
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
        if (is_time || is_way) && one_of(words, "more|mehr|further|de plus|más|weitere|still") {
            roles.tags.push(Tag::Progress(Progress::ToGo));
        }
        // "through 10 km" is a place.
        let passes = index
            .checked_sub(1)
            .and_then(|at| self.items.get(at))
            .is_some_and(|item| item.has(Tag::Reached));
        roles.add((is_way && passes).then_some(Tag::Position));
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
