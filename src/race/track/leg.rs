//! The legs of a race: where one ends and the next begins, and the sport of each.
//!
//! The watch's own activity type takes precedence. Where it reports only a constant `OTHER`, a counter that restarts
//! marks the border, and the sport is inferred from the order of the race and the speed. No public recording of a
//! multisport race was found, so the code does not rely on any single sign (D.5).

use jiff::Timestamp;

use super::sums::LegTotals;
use crate::garmin::livetrack::Trackpoint;
use crate::race::sport::{LegKind, RaceKind};

/// One leg of a race. A single-sport race has one leg.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The sport; `None` while it is unknown.
    pub kind: Option<LegKind>,
    /// Whether the watch reported the sport; otherwise it was inferred.
    pub typed: bool,
    /// Device time of its first point.
    pub started_at: Timestamp,
    /// Device time of its last point so far.
    pub last_at: Timestamp,
    /// Race distance in metres at the start of the leg.
    pub from_m: f64,
    /// Race distance in metres at the newest point of the leg.
    pub to_m: f64,
    /// Means, extremes and moving time of the leg.
    pub sums: LegTotals,
    /// Metres climbed during the leg.
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

    /// Duration so far in seconds.
    pub fn elapsed_s(&self) -> f64 {
        self.last_at.duration_since(self.started_at).as_secs_f64()
    }

    /// Length so far in metres.
    pub fn distance_m(&self) -> f64 {
        self.to_m - self.from_m
    }

    fn mean_mps(&self) -> f64 {
        self.distance_m() / self.elapsed_s().max(1.0)
    }
}

/// Detects where a leg ends.
#[derive(Clone, Debug, Default)]
pub(super) struct LegDetector {
    leg_duration_s: Option<f64>,
    leg_distance_m: Option<f64>,
    total_distance_m: Option<f64>,
    activity_created_at: Option<Timestamp>,
    /// A new sport that a single point reported, and the time of that point. A second point confirms it.
    pending: Option<(LegKind, Timestamp)>,
}

/// Start of a new leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LegBorder {
    pub(super) kind: Option<LegKind>,
    pub(super) at: Timestamp,
}

/// Upper bounds of a transition.
const LONGEST_TRANSITION_S: f64 = 15.0 * 60.0;
const LONGEST_TRANSITION_M: f64 = 3000.0;

impl LegDetector {
    /// Returns a border if `point` starts a new leg after `leg`.
    pub(super) fn cross(&mut self, race: RaceKind, leg: &Leg, point: &Trackpoint) -> Option<LegBorder> {
        let anew = self.counters_anew(point);
        if !race.is_multisport() {
            return None;
        }
        let told = point.activity_type.as_deref().and_then(LegKind::from_activity);
        match told {
            // If the watch names the sport, a restarted counter is only a new lap of the same leg.
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

    /// Whether the leg's counters restarted at this point.
    fn counters_anew(&mut self, point: &Trackpoint) -> bool {
        fn fell(last: &mut Option<f64>, now: Option<f64>, least: f64) -> bool {
            // An END point may carry a counter of 0.
            let Some(now) = now.filter(|now| *now > 0.0) else {
                return false;
            };
            last.replace(now)
                .is_some_and(|last| last > least && now < last * 0.5)
        }
        let by_time = fell(&mut self.leg_duration_s, point.duration_s, 30.0);
        let by_way = fell(&mut self.leg_distance_m, point.distance_m, 100.0);
        // A second session of the same race restarts all counters, and is not a new leg.
        let all = fell(&mut self.total_distance_m, point.total_distance_m, 100.0);
        let created = point.activity_created_at.is_some_and(|now| {
            self.activity_created_at
                .replace(now)
                .is_some_and(|last| now != last)
        });
        (by_time || by_way || created) && !all
    }
}

/// The sport of the first leg, as far as the kind of race determines it.
pub(super) fn first_kind(race: RaceKind) -> Option<LegKind> {
    match race {
        RaceKind::Run => Some(LegKind::Run),
        RaceKind::Ride => Some(LegKind::Ride),
        RaceKind::Swim => Some(LegKind::Swim),
        RaceKind::Triathlon | RaceKind::Duathlon | RaceKind::Other => None,
    }
}

/// Infers the sport of a leg that the watch does not name, from the order of the race and the leg so far; `None` =
/// not yet clear.
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
        // A run that was joined midway, so the earlier sports are unknown.
        (RaceKind::Triathlon, None) if runs && elapsed_s >= 600.0 => Some(LegKind::Run),
        _ => None,
    }
}

/// Whether a completed leg without a type from the watch was a transition between two sports.
pub(super) fn was_transition(leg: &Leg, is_first: bool) -> bool {
    !leg.typed
        && !is_first
        && leg.elapsed_s() < LONGEST_TRANSITION_S
        && leg.distance_m() < LONGEST_TRANSITION_M
}
