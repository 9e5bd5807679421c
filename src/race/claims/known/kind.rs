//! The kinds of facts of a race, and which of them the words around a number point to.

use crate::race::claims::lexicon::Tag;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Progress, Reference, Sense};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FactKind {
    /// The race clock, or the distance so far.
    Clock,
    /// How long or how far a leg was.
    Leg,
    /// The race time at which a leg began, or ended.
    LegStart,
    LegEnd,
    /// The race time at which a place was passed, or how long ago that was.
    Passed,
    /// How long it took to get from one place to the next.
    Way,
    Ago,
    /// The race time at which the distance that the clause names was passed.
    MarkPassed,
    /// The race time at which an alert was sent, or how long ago that was.
    Alert,
    AlertAgo,
    /// The race time at which a place may be reached; how long until then, or the distance to it.
    Arrival,
    Until,
    /// A stop, or all stops together.
    Rest,
    AllRests,
    Silence,
    /// How far ahead of the plan or a cut-off the athlete is.
    Deviation,
    Margin,
    /// How far ahead of the plan the finish may be.
    Gain,
    /// The time until the target.
    Left,
    /// The target time, a cut-off.
    Target,
    Cutoff,
    /// The part of the race that the clause names.
    Part,
    /// The time of a split that the clause does not name.
    Split,
    /// A length that never changes: of the race, of a leg, of the way to a checkpoint.
    Length,
    /// Any place behind or ahead of the athlete.
    Behind,
    Ahead,
}

/// What kinds of facts the words around a number point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FactFamily {
    /// So far: the clock, legs, splits, places that were passed.
    Elapsed,
    ToCome,
    Apart,
    Rest,
    Silence,
    Ago,
    Limit,
}

impl FactKind {
    pub(super) fn family(self) -> FactFamily {
        match self {
            Self::Clock
            | Self::Leg
            | Self::LegStart
            | Self::LegEnd
            | Self::Passed
            | Self::Way
            | Self::Part
            | Self::MarkPassed
            | Self::Alert
            | Self::Split
            | Self::Behind => FactFamily::Elapsed,
            Self::Arrival | Self::Until | Self::Ahead | Self::Left => FactFamily::ToCome,
            Self::Rest | Self::AllRests => FactFamily::Rest,
            Self::Silence => FactFamily::Silence,
            Self::Ago | Self::AlertAgo => FactFamily::Ago,
            Self::Deviation | Self::Margin | Self::Gain => FactFamily::Apart,
            Self::Target | Self::Cutoff | Self::Length => FactFamily::Limit,
        }
    }

    /// Whether it is a moment of the race, which has a time of day.
    pub(crate) fn is_moment(self) -> bool {
        let is_of_leg = matches!(self, Self::LegStart | Self::LegEnd);
        let is_past = matches!(self, Self::Clock | Self::Passed | Self::MarkPassed | Self::Alert);
        is_of_leg || is_past || matches!(self, Self::Arrival | Self::Target | Self::Cutoff)
    }

    pub(super) fn is_to_come(self) -> bool {
        self.family() == FactFamily::ToCome
    }
}

/// The families that the words of a clause name. If there are none, the number may be of any.
pub(super) fn families(roles: &Roles) -> Vec<FactFamily> {
    let mut families = Vec::new();
    let by_cutoff = roles.reference() == Some(Reference::Cutoff);
    if matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind)) || roles.has(Tag::By) {
        families.push(FactFamily::Apart);
    }
    if by_cutoff {
        families.extend([FactFamily::Apart, FactFamily::Limit]);
    }
    if roles.reference() == Some(Reference::Plan) {
        families.extend([FactFamily::Apart, FactFamily::Limit]);
    }
    if roles.stands() {
        families.push(FactFamily::Rest);
    }
    if roles.is_silent() {
        families.push(FactFamily::Silence);
    }
    if roles.is_future()
        || roles.progress() == Some(Progress::ToGo)
        || roles.has_any(&[Tag::In, Tag::FromHere])
    {
        families.push(FactFamily::ToCome);
    }
    if roles.has(Tag::Ago) {
        families.push(FactFamily::Ago);
    }
    let is_to_go = roles.progress() == Some(Progress::ToGo);
    if (roles.is_past() && !is_to_go)
        || roles.progress() == Some(Progress::Done)
        || roles.has_any(&[Tag::Reached, Tag::Departed, Tag::LastSeen])
    {
        families.push(FactFamily::Elapsed);
    }
    families
}
