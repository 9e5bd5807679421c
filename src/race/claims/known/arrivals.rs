//! When what is still to come may be reached.

use super::fact::{FactKind, KnownFact};
use crate::race::claims::facts::RaceFacts;
use crate::race::claims::lexicon::Tag;
use crate::race::claims::roles::Roles;
use crate::race::sport::LegKind;

/// Hardly anybody takes longer for a transition; seconds.
const LONGEST_CHANGE_S: f64 = 420.0;

/// The speed that a message supposes for the rest of the way, in metres per second: `if you keep the pace of the last
/// kilometre`. Without one, the speeds so far say what may come.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptPace(Option<f64>);

impl KeptPace {
    pub(super) fn of(roles: &Roles) -> Self {
        Self(roles.find(|tag| {
            if let Tag::Keeps(mps) = tag {
                Some(mps)
            } else {
                None
            }
        }))
    }

    /// The earliest and the latest time of the race at which a place may be reached.
    fn reaches_s(self, race_m: f64, facts: &RaceFacts) -> Option<(f64, f64)> {
        let is_of_leg = facts
            .leg_length_m()
            .is_none_or(|m| race_m <= facts.progress_m - facts.leg_progress_m() + m + 1.0);
        let Some(mps) = self.0.filter(|_| is_of_leg || !facts.is_multisport) else {
            return facts.reaches_s(race_m);
        };
        let left_m = race_m - facts.progress_m;
        let at_s = facts.elapsed_s + left_m / mps;
        (left_m >= 0.0).then_some((at_s, at_s))
    }

    /// When a place may be reached: as a time of the race, and as the time until then.
    pub(super) fn arrival(
        self,
        known: &mut Vec<KnownFact>,
        facts: &RaceFacts,
        race_m: f64,
        place: Option<usize>,
        leg: Option<LegKind>,
    ) {
        let Some((early, late)) = self.reaches_s(race_m, facts) else {
            return;
        };
        let (soonest, latest) = (early - facts.elapsed_s, late - facts.elapsed_s);
        let slack = latest * 0.02;
        let at = KnownFact::seconds(FactKind::Arrival, early - slack).up_to(late + slack);
        let until = KnownFact::seconds(FactKind::Until, soonest.mul_add(0.95, -20.0))
            .up_to(latest.mul_add(1.05, 20.0));
        known.extend([at, until].map(|fact| fact.at(place).of_leg(leg)));
    }
}

/// What may come: the target, the finish, the middle and the end of the leg.
pub(super) fn to_come(known: &mut Vec<KnownFact>, pace: KeptPace, facts: &RaceFacts) {
    // "61 minutes in hand for the rest"
    let left_s = facts
        .target_s
        .map(|target_s| target_s - facts.elapsed_s)
        .filter(|left_s| *left_s > 0.0);
    known.extend(left_s.map(|s| KnownFact::seconds(FactKind::Left, s - facts.age_s).up_to(s + 30.0)));
    if let Some(end_m) = facts.whole_m {
        if let (Some(target_s), Some((early_s, late_s))) = (facts.target_s, facts.reaches_s(end_m)) {
            let gain = KnownFact::seconds(FactKind::Gain, 0.0);
            known.push(gain.apart(target_s - late_s - 45.0, target_s - early_s + 45.0));
        }
        pace.arrival(known, facts, end_m, None, None);
    }
    let half_m = facts
        .leg_length_m()
        .filter(|_| facts.is_multisport)
        .map(|m| m / 2.0 - facts.leg_progress_m());
    let half_m = half_m.or(facts.whole_m.map(|m| m / 2.0 - facts.progress_m));
    if let Some(half_m) = half_m.filter(|m| *m > 0.0) {
        pace.arrival(
            known,
            facts,
            facts.progress_m + half_m,
            None,
            facts.leg_now().and_then(|leg| leg.kind),
        );
    }
    let left_m = facts.leg_length_m().filter(|_| facts.is_multisport);
    if let Some(left_m) = left_m.map(|length_m| length_m - facts.leg_progress_m()) {
        let now = facts.leg_now().and_then(|leg| leg.kind);
        for leg in [now, Some(LegKind::Transition)] {
            pace.arrival(known, facts, facts.progress_m + left_m, None, leg);
        }
        // The next leg begins after a transition.
        if now == Some(LegKind::Ride) {
            let mut next = Vec::new();
            pace.arrival(
                &mut next,
                facts,
                facts.progress_m + left_m,
                None,
                Some(LegKind::Run),
            );
            known.extend(
                next.into_iter()
                    .map(|fact| fact.up_to(fact.high + LONGEST_CHANGE_S)),
            );
        }
    }
}
