//! A fact of a race with a value, and whether the roles of a number agree with it.

pub(crate) use super::kind::FactKind;
use super::kind::{FactFamily, families};
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::lexicon::{ScopeWord, Tag};
use crate::race::claims::roles::Roles;
use crate::race::claims::terms::{Bound, ClaimScope, Progress, Reference, Sense, When};
use crate::race::sport::LegKind;

/// A fact of the race with a value or a range of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownFact {
    pub(crate) kind: FactKind,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Index of a checkpoint in the plan.
    pub(super) place: Option<usize>,
    pub(super) leg: Option<LegKind>,
    pub(super) sense: Option<Sense>,
    pub(super) is_time: bool,
    /// Whether it is about the place ahead that the clause names: `km 15`.
    pub(super) of_mark: bool,
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
            of_mark: false,
            low: value,
            high: value,
            place: None,
            leg: None,
            sense: None,
        }
    }

    /// Makes this a range from the value to `high`.
    pub(super) fn up_to(self, high: f64) -> Self {
        Self { high, ..self }
    }

    pub(super) fn of_leg(self, leg: Option<LegKind>) -> Self {
        Self { leg, ..self }
    }

    pub(super) fn at(self, place: Option<usize>) -> Self {
        Self { place, ..self }
    }

    /// Makes this a difference, stored as its size and its side.
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

    /// Whether no role contradicts this fact: a looser check than `agrees`, for a number whose clause is not understood
    /// as a whole. Words of a clause may belong to another of its numbers, so one matching word is enough.
    pub(crate) fn may_be(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        let is_in_place = match (roles.place(), self.place) {
            (Some(own), Some(place)) => own == place,
            // An hour still to Krumpendorf is not the hour to the finish.
            (Some(_), None) if self.is_time && self.kind.is_to_come() => roles.has(Tag::Finish),
            (Some(_), None) => self.kind.family() != FactFamily::Elapsed,
            (None, Some(_)) => !roles.has(Tag::Finish),
            _ => true,
        };
        let is_of_leg = matches!(self.kind, FactKind::LegStart | FactKind::LegEnd);
        let leaves = self.kind == FactKind::LegStart && roles.has_any(&[Tag::Reached, Tag::Departed]);
        let is_begun = leaves || (is_of_leg && is_length(roles));
        let is_in_leg = match (roles.leg(), self.leg) {
            (Some(_), _) if self.kind.is_to_come() => self.agrees_in_leg(roles, facts),
            (Some(own), Some(leg)) => own == leg,
            _ => true,
        };
        // A cut-off is not the target.
        let is_other_limit = self.kind == FactKind::Target && roles.reference() == Some(Reference::Cutoff);
        // The margin to a cut-off is none to the plan.
        let is_other_limit =
            is_other_limit || (self.kind == FactKind::Margin && roles.reference() == Some(Reference::Plan));
        let names_part = roles.scope().is_some_and(|scope| scope != ClaimScope::Race);
        let is_asked = families(roles) == [self.kind.family()];
        let is_loose = self.is_time && self.high - self.low > 60.0 && !(roles.has_unknown && is_asked);
        let is_range = is_loose || matches!(self.kind, FactKind::Behind | FactKind::Ahead);
        if is_begun
            || is_range
            || is_other_limit
            || !is_in_place
            || !is_in_leg
            || (names_part && !matches!(self.kind, FactKind::Part | FactKind::MarkPassed))
        {
            return false;
        }
        let side = roles.sense().and_then(Sense::is_more);
        let is_side = side.is_none() || self.sense.is_none() || self.sense.and_then(Sense::is_more) == side;
        if self.kind == FactKind::Split && roles.stat().is_some() {
            return false;
        }
        let families = families(roles);
        is_side && (families.is_empty() || families.contains(&self.kind.family()))
    }

    /// Whether a time in the future may mean this fact. It may not if a word speaks of the past or of a difference.
    pub(crate) fn may_come_later(&self, roles: &Roles) -> bool {
        let is_limit = matches!(self.kind, FactKind::Target | FactKind::Arrival | FactKind::Cutoff);
        let is_in_place = roles.place() == self.place && (roles.leg().is_none() || roles.leg() == self.leg);
        let is_limit =
            is_limit && (self.kind != FactKind::Cutoff || roles.reference() == Some(Reference::Cutoff));
        let compares = matches!(roles.sense(), Some(Sense::Ahead | Sense::Behind)) && !roles.has(Tag::Finish);
        let of_end = self.place.is_none() && self.leg.is_none() && self.kind != FactKind::Cutoff;
        let is_done = roles.progress() == Some(Progress::Done) && of_end;
        let is_so_far = roles.is_past()
            || is_done
            || roles.progress() == Some(Progress::ToGo)
            || roles.has_any(&[Tag::Ago, Tag::Motion]);
        let is_other = compares || is_so_far || roles.stands() || roles.is_silent();
        is_limit && is_in_place && !is_other
    }

    /// Whether no word around a number says what it is.
    pub(crate) fn is_open(roles: &Roles) -> bool {
        families(roles).is_empty()
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
            // Without a named place, a remaining distance or time is that to the next checkpoint.
            (None, Some(place)) if matches!(self.kind, FactKind::Until | FactKind::Arrival) => {
                let next = facts
                    .places
                    .iter()
                    .position(|place| place.at_m > facts.progress_m);
                next == Some(place)
                    && !roles.has(Tag::Finish)
                    && (roles.is_future()
                        || roles.has(Tag::In)
                        || roles.has(Tag::Arrive)
                        || roles.has(Tag::Part(ClaimScope::Next)))
            }
            // The way between two places is not the way to the finish.
            (None, Some(_)) => self.kind != FactKind::Length,
            (None, None) => true,
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
        // "letztes Signal um 17:40 bei Kilometer 60"
        let names_part = names_part && !(roles.has(Tag::LastSeen) && facts.is_silent);
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
                goes && when != Some(When::Now)
                    && !roles.has_any(&[Tag::Reached, Tag::Departed])
                    && !is_length(roles)
            }
            FactKind::LegEnd => goes && when != Some(When::Now) && !is_length(roles),
            // "left Rifugio Alba at 3:33 after an eight-minute break"
            FactKind::Passed => {
                is_so_far && (!stands || roles.has(Tag::Departed)) && (in_place || roles.has(Tag::Reached))
            }
            FactKind::Way => goes && !roles.has_any(&[Tag::Position, Tag::Departed]),
            FactKind::Ago => !is_future && !compares && roles.has(Tag::Ago),
            FactKind::Arrival | FactKind::Until => self.may_come(roles, facts) && !compares && !stands,
            FactKind::Rest => {
                let is_done = progress == Some(Progress::Done);
                let is_rest = stands || ((in_place || facts.standing_s.is_some()) && !is_done);
                let is_apart = is_to_go || compares || is_silent || roles.has(Tag::Reached);
                // "She got there at 6:20."
                let is_moment = roles.has(Tag::Position) && !stands;
                is_rest && !is_future && !is_apart && !is_moment
            }
            FactKind::AllRests => {
                let is_whole = roles.scope() == Some(ClaimScope::Race) || when != Some(When::Present);
                stands && is_whole && !in_place && !is_future && !compares
            }
            FactKind::Silence => {
                is_silent || (facts.is_silent && (roles.has(Tag::Ago) || when == Some(When::Perfect)))
            }
            FactKind::Deviation => {
                let is_told = sense.is_some() || reference.is_some() || (roles.has(Tag::By) && !in_place);
                !by_cutoff && is_told && is_side
            }
            FactKind::Gain => {
                let is_end = is_future || roles.has(Tag::Finish);
                let is_better = matches!(sense, Some(Sense::Faster | Sense::Below));
                let is_same_side = is_side || (is_better && self.sense == Some(Sense::Ahead));
                !by_cutoff && !names_part && is_same_side && (is_better || (is_end && sense.is_some()))
            }
            FactKind::Left => {
                let is_rest = is_to_go || roles.has(Tag::Scope(ScopeWord::Next));
                is_rest && !stands && !names_part && !in_place
            }
            // "an hour still to Krumpendorf" is no margin.
            FactKind::Margin => {
                (compares || (in_place && !is_to_go)) && reference != Some(Reference::Plan) && is_side
            }
            FactKind::Target => {
                let is_end = reference.is_none() && roles.has(Tag::Finish);
                // "under two hours", but "under two hours left"
                let is_most = roles.bound == Bound::AtMost && progress.is_none() && !stands && !in_place;
                let is_plan = reference == Some(Reference::Plan) || is_end;
                (sense.is_none() && is_plan)
                    || (is_most && is_so_far && !roles.is_past() && !roles.has(Tag::Motion))
            }
            FactKind::Cutoff => {
                by_cutoff || (reference.is_none() && in_place && when != Some(When::Past) && !is_future)
            }
            FactKind::Part => !is_future || roles.mood.is_some(),
            FactKind::Split => {
                goes && reference.is_none() && when != Some(When::Now) && roles.stat().is_none()
            }
            FactKind::Length => progress.is_none() && !(self.leg.is_some() && when == Some(When::Past)),
            FactKind::Behind => {
                let is_known = !facts.is_silent || roles.has(Tag::Reached);
                is_so_far && progress.is_none() && is_known && is_mark(roles)
            }
            FactKind::MarkPassed => !is_future,
            FactKind::Alert => !is_future && !roles.has(Tag::Ago),
            FactKind::AlertAgo => roles.has(Tag::Ago),
            FactKind::Ahead => is_future && progress.is_none() && !in_place && !roles.has(Tag::FromHere),
        }
    }

    /// Whether the roles speak of what is still to come.
    fn may_come(&self, roles: &Roles, facts: &RaceFacts) -> bool {
        let all = |scope| {
            matches!(
                scope,
                ClaimScope::Race | ClaimScope::Next | ClaimScope::Window | ClaimScope::Ago(_)
            )
        };
        let names_part = roles.scope().is_some_and(|scope| !all(scope));
        let told =
            roles.is_future() || roles.place().is_some() || roles.mood.is_some() || roles.has(Tag::Finish);
        let is_ahead = matches!(roles.scope(), Some(ClaimScope::Mark(m)) if m > facts.progress_m);
        if self.is_time && is_ahead != self.of_mark {
            return false;
        }
        let names_part = names_part && !is_ahead;
        if self.kind == FactKind::Arrival {
            let is_there =
                roles.is_past() || (roles.has(Tag::Reached) && !roles.is_future() && roles.mood.is_none());
            return (told || roles.has(Tag::Arrive)) && !names_part && !is_there;
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

/// Whether a distance names a place that was passed, not the distance covered so far.
fn is_mark(roles: &Roles) -> bool {
    let is_present = matches!(roles.when(), Some(When::Present | When::Now) | None);
    let is_done = roles.when() == Some(When::Perfect) && roles.has(Tag::Athlete);
    roles.has(Tag::Reached) || (!is_present && !is_done && !roles.has(Tag::LastSeen))
}

/// Whether a time is how long one leg took: `the transition took 3:20`, but "swim and T1 took 37:30 together".
fn is_length(roles: &Roles) -> bool {
    roles.has(Tag::Took) && roles.scope() != Some(ClaimScope::Race)
}
