//! The legs of a recording of several sports: one for each session, transitions included.

use crate::garmin::files::{RecordedSession, Recording};
use crate::race::plan::PlanLeg;
use crate::race::sport::{LegKind, RaceKind};

/// A counter that falls by more than this at the border of two sessions was restarted; metres.
const RESTARTED_M: f64 = 1.0;

/// One leg as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DeliveredLeg {
    /// The sport as LiveTrack names it.
    pub(super) activity_type: String,
    pub(super) kind: Option<LegKind>,
    /// Seconds since the start.
    pub(super) from_s: f64,
    /// Race distance in metres at its start and at its end.
    pub(super) from_m: f64,
    pub(super) to_m: f64,
}

/// The sessions of a recording of several sports. Empty for one sport, even in several sessions.
pub(super) fn sessions(recording: &Recording) -> &[RecordedSession] {
    let mut sports = recording.sessions.iter().map(|session| &session.sport);
    let first = sports.next();
    if sports.all(|sport| Some(sport) == first) {
        return &[];
    }
    &recording.sessions
}

/// The session of a moment: the last one that has begun, else the first.
fn session_at(sessions: &[RecordedSession], at_s: f64) -> usize {
    sessions
        .partition_point(|session| session.from_s <= at_s)
        .saturating_sub(1)
}

/// Seconds and metres of every sample, by the device's counter. If the watch counts each session from zero, the
/// distances of the sessions are added up.
pub(super) fn counted_way(recording: &Recording, sessions: &[RecordedSession]) -> Vec<(f64, f64)> {
    let (mut metres, mut base_m, mut before_m) = (0.0_f64, 0.0_f64, 0.0_f64);
    let (mut session, mut is_border) = (0, false);
    let way = recording.samples.iter().map(|sample| {
        let now = session_at(sessions, sample.at_s);
        is_border |= now != session;
        session = now;
        if let Some(counter_m) = sample.distance_m.map(f64::from) {
            if std::mem::take(&mut is_border) && counter_m < before_m - RESTARTED_M {
                base_m = metres;
            }
            before_m = counter_m;
            metres = metres.max(base_m + counter_m);
        }
        (sample.at_s, metres)
    });
    way.collect()
}

/// The legs of these sessions, along a way given in seconds and metres.
pub(super) fn legs(sessions: &[RecordedSession], way: &[(f64, f64)]) -> Vec<DeliveredLeg> {
    let metres_at = |at_s: f64| {
        let next = way.partition_point(|(s, _)| *s < at_s);
        way.get(next).or(way.last()).map_or(0.0, |(_, metres)| *metres)
    };
    let ends = sessions.iter().skip(1).map(|next| next.from_s);
    let end_s = way.last().map_or(0.0, |(seconds, _)| *seconds);
    let mut legs: Vec<DeliveredLeg> = Vec::new();
    for (session, to_s) in sessions.iter().zip(ends.chain([end_s])) {
        let activity_type = session.sport.as_deref().unwrap_or("other").to_uppercase();
        let kind = LegKind::from_activity(&activity_type);
        // Successive sessions of one sport are one leg.
        if let Some(last) = legs.last_mut().filter(|last| last.activity_type == activity_type) {
            last.to_m = metres_at(to_s);
            continue;
        }
        legs.push(DeliveredLeg {
            activity_type,
            kind,
            from_s: session.from_s.max(0.0),
            from_m: legs.last().map_or(0.0, |last| last.to_m),
            to_m: metres_at(to_s),
        });
    }
    legs
}

/// The leg of a moment.
pub(super) fn leg_at(legs: &[DeliveredLeg], at_s: f64) -> Option<&DeliveredLeg> {
    let index = legs.partition_point(|leg| leg.from_s <= at_s);
    legs.get(index.saturating_sub(1))
}

/// The sports without transitions, in order.
pub(super) fn sports(legs: &[DeliveredLeg]) -> Vec<Option<LegKind>> {
    let kinds = legs.iter().map(|leg| leg.kind);
    kinds.filter(|kind| *kind != Some(LegKind::Transition)).collect()
}

/// The kind of race that has these legs.
pub(super) fn race_kind(legs: &[DeliveredLeg]) -> RaceKind {
    const SWIM: Option<LegKind> = Some(LegKind::Swim);
    const RIDE: Option<LegKind> = Some(LegKind::Ride);
    const RUN: Option<LegKind> = Some(LegKind::Run);
    match sports(legs).as_slice() {
        [SWIM, RIDE, RUN] => RaceKind::Triathlon,
        [RUN, RIDE, RUN] => RaceKind::Duathlon,
        _ => RaceKind::Other,
    }
}

/// The legs as a person would enter them for such a race: without transitions. Empty if a sport is unknown.
pub(super) fn plan_legs(legs: &[DeliveredLeg]) -> Vec<PlanLeg> {
    let legs = legs.iter().filter(|leg| leg.kind != Some(LegKind::Transition));
    let plan = legs.map(|leg| {
        Some(PlanLeg {
            kind: leg.kind?,
            distance_m: leg.to_m - leg.from_m,
            target_s: None,
        })
    });
    plan.collect::<Option<Vec<_>>>().unwrap_or_default()
}
