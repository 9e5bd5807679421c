//! Where a track moves on to its next leg.

use jiff::Timestamp;

use super::Track;
use super::leg::{self, Leg, LegBorder, LegStretch};
use super::split::OpenSplit;
use crate::garmin::livetrack::Trackpoint;
use crate::race::sport::LegKind;

impl Track {
    /// Moves on to the next leg if `point` begins one.
    pub(super) fn cross(&mut self, point: &Trackpoint, before_at: Timestamp, before_m: f64, gap: bool) {
        let now_m = self.odometer.distance_m();
        let stretch = LegStretch {
            before: (before_at, before_m),
            now: (point.at, now_m),
            gap,
        };
        if self.legs.is_empty() {
            self.first_leg(point, stretch);
            return;
        }
        let Some(leg) = self.legs.last() else { return };
        let untyped = !self.borders.has_types && leg.kind.is_none();
        if let Some(border) = self.borders.cross(self.kind, leg, point, stretch) {
            let is_first = self.legs.len() == 1;
            if untyped && is_first && border.kind.is_some_and(|kind| kind != LegKind::Transition) {
                // The first points lacked the type.
                if let Some(leg) = self.legs.last_mut() {
                    (leg.kind, leg.typed) = (border.kind, true);
                }
                return;
            }
            self.begin_leg(border, stretch, is_first);
        } else if leg.kind.is_none() {
            let before = self.sport_before_last();
            if let Some(leg) = self.legs.last_mut() {
                leg.kind = leg::guess(self.kind, before, leg);
            }
        }
    }

    /// Begins the first leg. If it is not the first of the race, the one before was not seen.
    fn first_leg(&mut self, point: &Trackpoint, stretch: LegStretch) {
        let told = point.activity_type.as_deref().and_then(LegKind::from_activity);
        let by_race = self.kind.first_leg();
        // Such as a hike in a race that was set up as a run.
        let on_foot = |kind: &LegKind| kind.is_on_foot();
        let kind = match by_race {
            Some(race) => told.filter(|told| on_foot(told) && on_foot(&race)).or(by_race),
            None => told,
        };
        let started_at = self.started_at.unwrap_or(point.at);
        let typed = by_race.is_none() && told.is_some();
        let mut begin = (started_at, 0.0);
        if let Some(border) = leg::unseen_before(self.kind, point, started_at, stretch.now.1) {
            self.legs
                .push(Leg::unseen(border.kind, begin, (border.at, border.at_m)));
            begin = (border.at, border.at_m);
        }
        let leg = Leg::new(kind, typed, begin.0, begin.1);
        // The first point also initializes the counters that later points are compared with.
        self.borders.cross(self.kind, &leg, point, stretch);
        self.legs.push(leg);
        self.running = Some(OpenSplit::new(begin.0));
    }

    fn begin_leg(&mut self, border: LegBorder, stretch: LegStretch, is_first: bool) {
        let before = self.sport_before_last();
        let mut done_at = (border.at, border.at_m);
        if let Some(leg) = self.legs.last_mut() {
            if leg::was_transition(self.kind, leg, is_first) {
                leg.kind = Some(LegKind::Transition);
            }
            let sport = leg.kind.filter(|kind| *kind != LegKind::Transition).or(before);
            let skipped = leg::skipped(self.kind, sport, leg, &border, stretch);
            if skipped.is_some() {
                done_at = stretch.before;
            }
            (leg.last_at, leg.to_m) = (done_at.0.max(leg.started_at), done_at.1.max(leg.from_m));
            if let Some(kind) = skipped {
                self.legs
                    .push(Leg::unseen(kind, done_at, (border.at, border.at_m)));
            }
        }
        self.legs.push(Leg::new(
            border.kind,
            border.kind.is_some(),
            border.at,
            border.at_m,
        ));
        self.running = Some(OpenSplit::new(border.at));
    }

    /// The most recent earlier sport, skipping transitions.
    fn sport_before_last(&self) -> Option<LegKind> {
        let earlier = self.legs.iter().rev().skip(1).filter_map(|leg| leg.kind);
        earlier.into_iter().find(|kind| *kind != LegKind::Transition)
    }
}
