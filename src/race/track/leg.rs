//! The legs of a race: where one ends and the next begins, and which sport it is.
//!
//! What the watch says counts. Where it says nothing (a constant `OTHER`), a counter that starts anew is the border,
//! and the sport follows from the order of the race and the speed. No multisport race was ever recorded publicly, so
//! nothing here relies on one of these signs alone (D.5).

use jiff::Timestamp;

use super::sums::LegTotals;
use crate::garmin::livetrack::Trackpoint;
use crate::race::sport::{LegKind, RaceKind};

/// One leg. A race of one sport has one.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The sport; `None` while it is not known.
    pub kind: Option<LegKind>,
    /// Whether the watch said so (else it was worked out).
    pub typed: bool,
    /// Its first moment, by the device's clock.
    pub started_at: Timestamp,
    /// Its last moment so far.
    pub last_at: Timestamp,
    /// Distance of the race at its start.
    pub from_m: f64,
    /// Distance of the race at its last moment so far.
    pub to_m: f64,
    /// What was measured in it.
    pub sums: LegTotals,
    /// How high was climbed in it, metres.
    pub ascent_m: f64,
}

impl Leg {
    pub(super) fn new(kind: Option<LegKind>, typed: bool, at: Timestamp, from_m: f64) -> Self {
        Self {
            kind,
            typed,
            started_at: at,
            last_at: at,
            from_m,
            to_m: from_m,
            sums: LegTotals::default(),
            ascent_m: 0.0,
        }
    }

    /// Its length in time, seconds.
    pub fn elapsed_s(&self) -> f64 {
        self.last_at.duration_since(self.started_at).as_secs_f64()
    }

    /// Its length, metres.
    pub fn distance_m(&self) -> f64 {
        self.to_m - self.from_m
    }

    fn mean_mps(&self) -> f64 {
        self.distance_m() / self.elapsed_s().max(1.0)
    }
}

/// What decides where a leg ends.
#[derive(Clone, Debug, Default)]
pub(super) struct LegDetector {
    leg_duration_s: Option<f64>,
    leg_distance_m: Option<f64>,
    total_distance_m: Option<f64>,
    activity_created_at: Option<Timestamp>,
    /// A new sport that one point spoke of; a second one makes it true.
    pending: Option<(LegKind, Timestamp)>,
}

/// The beginning of a new leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LegBorder {
    pub(super) kind: Option<LegKind>,
    pub(super) at: Timestamp,
}

/// A transition is shorter than this, in time and way.
const LONGEST_TRANSITION_S: f64 = 15.0 * 60.0;
const LONGEST_TRANSITION_M: f64 = 3000.0;

impl LegDetector {
    /// Whether `point` is in a new leg, given the one that was so far.
    pub(super) fn cross(&mut self, race: RaceKind, leg: &Leg, point: &Trackpoint) -> Option<LegBorder> {
        let anew = self.counters_anew(point);
        if !race.is_multisport() {
            return None;
        }
        let told = point.activity_type.as_deref().and_then(LegKind::from_activity);
        match told {
            // A watch that names its legs is believed; also that two laps of one sport are one leg.
            Some(kind) if leg.kind == Some(kind) && leg.typed => {
                self.pending = None;
                None
            }
            Some(kind) if anew => {
                self.pending = None;
                Some(LegBorder {
                    kind: Some(kind),
                    at: point.at,
                })
            }
            Some(kind) => match self.pending.take() {
                Some((before, at)) if before == kind => Some(LegBorder { kind: Some(kind), at }),
                _ => {
                    self.pending = Some((kind, point.at));
                    None
                }
            },
            None => anew.then_some(LegBorder {
                kind: None,
                at: point.at,
            }),
        }
    }

    /// Whether the counters of the leg started anew at this point.
    fn counters_anew(&mut self, point: &Trackpoint) -> bool {
        fn fell(last: &mut Option<f64>, now: Option<f64>, least: f64) -> bool {
            // An END point may come with a counter of 0.
            let Some(now) = now.filter(|now| *now > 0.0) else {
                return false;
            };
            last.replace(now)
                .is_some_and(|last| last > least && now < last * 0.5)
        }
        let by_time = fell(&mut self.leg_duration_s, point.duration_s, 30.0);
        let by_way = fell(&mut self.leg_distance_m, point.distance_m, 100.0);
        // A second session of the same race begins all its counters anew, and no leg.
        let all = fell(&mut self.total_distance_m, point.total_distance_m, 100.0);
        let created = point.activity_created_at.is_some_and(|now| {
            self.activity_created_at
                .replace(now)
                .is_some_and(|last| now != last)
        });
        (by_time || by_way || created) && !all
    }
}

/// The sport of the first leg, as far as the race itself says.
pub(super) fn first_kind(race: RaceKind) -> Option<LegKind> {
    match race {
        RaceKind::Run => Some(LegKind::Run),
        RaceKind::Ride => Some(LegKind::Ride),
        RaceKind::Swim => Some(LegKind::Swim),
        RaceKind::Triathlon | RaceKind::Duathlon | RaceKind::Other => None,
    }
}

/// The sport of a leg that the watch does not name, from the order of the race and the leg so far; `None` = wait.
pub(super) fn guess(race: RaceKind, before: Option<LegKind>, leg: &Leg) -> Option<LegKind> {
    let (mps, elapsed_s, way_m) = (leg.mean_mps(), leg.elapsed_s(), leg.distance_m());
    let rides = elapsed_s >= 60.0 && mps >= 4.5;
    let runs = elapsed_s >= 180.0 && way_m >= 400.0 && (1.7..4.5).contains(&mps);
    match (race, before) {
        (RaceKind::Triathlon, None) if elapsed_s >= 60.0 && mps < 1.7 => Some(LegKind::Swim),
        (RaceKind::Triathlon, None | Some(LegKind::Swim)) | (RaceKind::Duathlon, Some(LegKind::Run))
            if rides =>
        {
            Some(LegKind::Ride)
        }
        (RaceKind::Triathlon | RaceKind::Duathlon, Some(LegKind::Ride)) | (RaceKind::Duathlon, None)
            if runs =>
        {
            Some(LegKind::Run)
        }
        // Joined on the run, with nothing known of what was before.
        (RaceKind::Triathlon, None) if runs && elapsed_s >= 600.0 => Some(LegKind::Run),
        _ => None,
    }
}

/// Whether a leg that has ended without a name from the watch was the way between two sports.
pub(super) fn was_transition(leg: &Leg, is_first: bool) -> bool {
    !leg.typed
        && !is_first
        && leg.elapsed_s() < LONGEST_TRANSITION_S
        && leg.distance_m() < LONGEST_TRANSITION_M
}
