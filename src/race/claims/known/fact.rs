//! One thing in a race that has a value, and the roles that it is told with.

use crate::race::claims::facts::RaceFacts;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{ClaimScope, Progress, Reference, Sense, When};
use crate::race::sport::LegKind;

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
    Ago,
    /// The race time at which a place may be reached, or how long until then; the way to it.
    Arrival,
    Until,
    /// A stop, or all stops together.
    Rest,
    AllRests,
    Silence,
    /// How far ahead of the plan or a cut-off the athlete is.
    Deviation,
    Margin,
    /// The target time, a cut-off.
    Target,
    Cutoff,
    /// The part of the race that the clause names.
    Part,
    /// The time of a split that the clause does not name.
    Split,
    /// A length that never changes: of the race, of a leg, of the way to a checkpoint.
    Length,
    /// A place anywhere behind or ahead.
    Behind,
    Ahead,
}

/// One thing in the race with a value, or with a range of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownFact {
    pub(crate) kind: FactKind,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Index of a checkpoint.
    pub(super) place: Option<usize>,
    pub(super) leg: Option<LegKind>,
    pub(super) sense: Option<Sense>,
    pub(super) is_time: bool,
}

impl KnownFact {
    pub(super) fn seconds(kind: FactKind, value: f64) -> Self {
        Self {
            is_time: true,
            ..Self::metres(kind, value)
        }
    }

    pub(super) fn metres(kind: FactKind, value: f64) -> Self {
        Self {
            kind,
            is_time: false,
            low: value,
            high: value,
            place: None,
            leg: None,
            sense: None,
        }
    }

    /// From the value to `high`.
    pub(super) fn up_to(self, high: f64) -> Self {
        Self { high, ..self }
    }

    pub(super) fn of_leg(self, leg: Option<LegKind>) -> Self {
        Self { leg, ..self }
    }

    pub(super) fn at(self, place: Option<usize>) -> Self {
        Self { place, ..self }
    }

    /// A difference, as its size and its side.
    pub(super) fn apart(self, low: f64, high: f64) -> Self {
        let is_ahead = low.midpoint(high) >= 0.0;
        let sense = Some(if is_ahead { Sense::Ahead } else { Sense::Behind });
        let (low, high) = if is_ahead { (low, high) } else { (-high, -low) };
        Self {
            low: low.max(0.0),
            high,
            sense,
            ..self
        }
    }

    /// Whether the roles of a number allow it to mean this.
    pub(crate) fn agrees(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        self.agrees_in_place(roles, facts)
            && self.agrees_in_leg(roles, facts)
            && self.agrees_in_kind(roles, facts)
    }

    fn agrees_in_place(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        let is_here = roles.place().is_some() && roles.place() == facts.place_here();
        match (roles.place(), self.place) {
            (Some(own), Some(place)) => own == place,
            (Some(_), None) => match self.kind {
                FactKind::Clock => is_here || roles.progress() == Some(Progress::Done),
                FactKind::AllRests
                | FactKind::Silence
                | FactKind::Deviation
                | FactKind::Target
                | FactKind::Part => true,
                // "33.7 km to go from Passo Rolle"
                FactKind::Until | FactKind::Arrival => is_here || roles.has(Tag::Finish),
                _ => false,
            },
            // The way or the time to a place that is not named is to the next one.
            (None, Some(place)) if matches!(self.kind, FactKind::Until | FactKind::Arrival) => {
                let next = facts
                    .places
                    .iter()
                    .position(|place| place.at_m > facts.progress_m);
                next == Some(place)
                    && (roles.is_future()
                        || roles.has(Tag::In)
                        || roles.has(Tag::Arrive)
                        || roles.has(Tag::Part(ClaimScope::Next)))
            }
            (None, _) => true,
        }
    }

    fn agrees_in_leg(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        let Some(own) = roles.leg() else {
            // "48 km to the finish" is not the way to the end of a leg.
            let to_end = matches!(self.kind, FactKind::Until | FactKind::Arrival) && roles.has(Tag::Finish);
            return !(to_end && self.leg.is_some());
        };
        let now = facts.leg_now().and_then(|leg| leg.kind);
        let is_only = facts.legs.len() <= 1 && now == Some(own) && !facts.is_multisport;
        match self.kind {
            FactKind::Part | FactKind::Silence | FactKind::AllRests | FactKind::Deviation => true,
            // "T1 in an hour", but T1 is done.
            FactKind::Until | FactKind::Arrival
                if roles
                    .leg_number()
                    .is_some_and(|number| facts.leg_index(own, Some(number)).is_some()) =>
            {
                false
            }
            // "48 km to T2"
            FactKind::Until | FactKind::Arrival => {
                is_only
                    || self.leg == Some(own)
                    || (self.leg == Some(LegKind::Transition) && now == Some(own))
            }
            _ => is_only || self.leg == Some(own),
        }
    }

    fn agrees_in_kind(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        let (when, progress) = (roles.when(), roles.progress());
        let (sense, reference) = (roles.sense(), roles.reference());
        let (stands, is_silent, in_place) = (roles.stands(), roles.is_silent(), roles.place().is_some());
        let is_future = when == Some(When::Future);
        let is_to_go = progress == Some(Progress::ToGo);
        let all = |scope| matches!(scope, ClaimScope::Race | ClaimScope::Window | ClaimScope::Ago(_));
        let names_part = roles.scope().is_some_and(|scope| !all(scope));
        let by_cutoff = reference == Some(Reference::Cutoff);
        let compares = self.is_time && (by_cutoff || matches!(sense, Some(Sense::Ahead | Sense::Behind)));
        let side = sense.and_then(Sense::is_more).unwrap_or(true);
        let is_side = self.sense.and_then(Sense::is_more) == Some(side);
        let is_so_far = !is_future && !is_to_go && !compares && !names_part && !roles.has(Tag::Ago);
        let goes = is_so_far && !stands && !is_silent;
        match self.kind {
            FactKind::Clock => {
                is_so_far
                    && (!stands || roles.has(Tag::LastSeen))
                    && (!is_silent || facts.is_silent)
                    && reference.is_none_or(|it| it == Reference::Plan)
            }
            FactKind::Leg => is_so_far && !is_silent && (!stands || roles.leg().is_some()),
            FactKind::LegStart => {
                goes && when != Some(When::Now) && !roles.has_any(&[Tag::Reached, Tag::Departed])
            }
            FactKind::LegEnd => goes && when != Some(When::Now),
            FactKind::Passed => is_so_far && !stands && (in_place || roles.has(Tag::Reached)),
            FactKind::Ago => !is_future && !compares && roles.has(Tag::Ago),
            FactKind::Arrival | FactKind::Until => self.may_come(roles, facts) && !compares && !stands,
            FactKind::Rest => {
                let is_rest = stands || in_place || facts.standing_s.is_some();
                is_rest && !is_future && !is_to_go && !compares && !roles.has(Tag::Reached) && !is_silent
            }
            FactKind::AllRests => stands && !is_future && !compares,
            FactKind::Silence => {
                is_silent || (facts.is_silent && (roles.has(Tag::Ago) || when == Some(When::Perfect)))
            }
            FactKind::Deviation => !by_cutoff && (sense.is_some() || reference.is_some()) && is_side,
            FactKind::Margin => (compares || in_place) && reference != Some(Reference::Plan) && is_side,
            FactKind::Target => {
                let is_end = reference.is_none() && roles.has(Tag::Finish);
                sense.is_none() && (reference == Some(Reference::Plan) || is_end)
            }
            FactKind::Cutoff => {
                by_cutoff || (reference.is_none() && in_place && when != Some(When::Past) && !is_future)
            }
            FactKind::Part => !is_future || roles.mood.is_some(),
            FactKind::Split => {
                goes && reference.is_none() && when != Some(When::Now) && roles.stat().is_none()
            }
            FactKind::Length => progress.is_none(),
            FactKind::Behind => is_so_far && progress.is_none() && !facts.is_silent && is_mark(roles),
            FactKind::Ahead => is_future && progress.is_none() && !in_place && !roles.has(Tag::FromHere),
        }
    }

    /// Whether the roles speak of what is still to come.
    fn may_come(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        let all = |scope| matches!(scope, ClaimScope::Race | ClaimScope::Window | ClaimScope::Ago(_));
        let names_part = roles.scope().is_some_and(|scope| !all(scope));
        let told =
            roles.is_future() || roles.place().is_some() || roles.mood.is_some() || roles.has(Tag::Finish);
        if self.kind == FactKind::Arrival {
            return (told || roles.has(Tag::Arrive)) && !names_part && !roles.is_past();
        }
        let (when, progress) = (roles.when(), roles.progress());
        let is_plain_way = !self.is_time && when.is_none() && progress.is_none();
        let is_left =
            progress == Some(Progress::ToGo) || roles.has_any(&[Tag::In, Tag::FromHere]) || is_plain_way;
        let was = when == Some(When::Past) || (roles.has(Tag::Reached) && !roles.is_future());
        (told || is_left)
            && (!names_part || roles.has(Tag::FromHere))
            && (!was || facts.is_silent)
            && progress != Some(Progress::Done)
            && !roles.has(Tag::Position)
    }
}

/// Whether a distance is a place that was passed, not the way so far.
fn is_mark(roles: &Roles) -> bool {
    let is_present = matches!(roles.when(), Some(When::Present | When::Now) | None);
    roles.has(Tag::Reached) || (!is_present && !roles.has(Tag::LastSeen))
}
