//! The roles of the words around a number or a statement.

use super::lexicon::Tag;
use super::terms::{
    Bound, ClaimMetric, ClaimScope, ClaimStat, Mood, Progress, Reference, Sense, State, When,
};
use crate::race::sport::LegKind;

/// The roles of the words that a claim depends on, the nearest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Roles {
    pub(crate) tags: Vec<Tag>,
    pub(crate) bound: Bound,
    /// Whether the clause has words that no table knows.
    pub(crate) has_unknown: bool,
    /// Whether the clause advises or supposes rather than states.
    pub(crate) mood: Option<Mood>,
}

impl Roles {
    pub(crate) fn find<T>(&self, pick: impl Fn(Tag) -> Option<T>) -> Option<T> {
        self.tags.iter().find_map(|tag| pick(*tag))
    }

    pub(crate) fn has(&self, tag: Tag) -> bool {
        self.tags.contains(&tag)
    }

    pub(crate) fn add(&mut self, tags: impl IntoIterator<Item = Tag>) {
        self.tags.extend(tags);
    }

    pub(crate) fn has_any(&self, tags: &[Tag]) -> bool {
        tags.iter().any(|tag| self.has(*tag))
    }

    pub(crate) fn metric(&self) -> Option<ClaimMetric> {
        self.find(Tag::metric)
    }

    pub(crate) fn measured(&self) -> Option<ClaimMetric> {
        self.find(|tag| tag.metric().filter(|metric| metric.is_measured()))
    }

    pub(crate) fn stat(&self) -> Option<ClaimStat> {
        self.find(Tag::stat)
    }

    /// The strongest tense of the words.
    pub(crate) fn when(&self) -> Option<When> {
        self.tags.iter().filter_map(|tag| tag.when()).max()
    }

    pub(crate) fn is_past(&self) -> bool {
        matches!(self.when(), Some(When::Past | When::Perfect))
    }

    pub(crate) fn is_future(&self) -> bool {
        self.when() == Some(When::Future)
    }

    pub(crate) fn is_present(&self) -> bool {
        matches!(self.when(), Some(When::Present | When::Now))
    }

    pub(crate) fn scope(&self) -> Option<ClaimScope> {
        let whole = Tag::Part(ClaimScope::Race);
        let part = |tag| match tag {
            Tag::Part(scope) if tag != whole => Some(scope),
            _ => None,
        };
        let extreme = self.find(Tag::extreme).map(ClaimScope::Extreme);
        self.find(part)
            .or(extreme)
            .or(self.has(whole).then_some(ClaimScope::Race))
    }

    pub(crate) fn leg(&self) -> Option<LegKind> {
        self.find(|tag| match tag {
            Tag::Leg(kind) | Tag::OnLeg(kind) => Some(kind),
            _ => None,
        })
    }

    /// Which of several legs of one sport, from 1: the 2 of T2.
    pub(crate) fn leg_number(&self) -> Option<usize> {
        self.find(|tag| {
            if let Tag::Nth(number) = tag {
                Some(number)
            } else {
                None
            }
        })
    }

    pub(crate) fn sense(&self) -> Option<Sense> {
        self.find(Tag::sense)
    }

    pub(crate) fn reference(&self) -> Option<Reference> {
        self.find(Tag::reference)
    }

    pub(crate) fn progress(&self) -> Option<Progress> {
        self.find(Tag::progress)
    }

    /// Index of a checkpoint in the plan.
    pub(crate) fn place(&self) -> Option<usize> {
        self.find(|tag| {
            if let Tag::Place(index) = tag {
                Some(index)
            } else {
                None
            }
        })
    }

    pub(crate) fn stands(&self) -> bool {
        self.has(Tag::State(State::Standing)) || self.has(Tag::Metric(ClaimMetric::Stop))
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.has(Tag::State(State::Silent))
            || self.has(Tag::LastSeen)
            || self.has(Tag::Metric(ClaimMetric::Gap))
    }

    pub(crate) fn not(&self) -> bool {
        self.has(Tag::Not)
    }

    /// These roles, and those of `context` whose kind is missing here.
    pub(crate) fn within(&self, context: &Self) -> Self {
        let mut all = self.clone();
        let missing = |tag: &&Tag| !self.tags.iter().any(|own| own.is_like(**tag));
        all.tags.extend(context.tags.iter().filter(missing));
        all
    }
}
