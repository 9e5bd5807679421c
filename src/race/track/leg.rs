//! The legs of a race: where one ends and the next begins, and the sport of each.
//!
//! The watch's own activity type takes precedence. Where it reports only a constant `OTHER`, a counter that restarts
//! marks the border, and the sport is inferred from the order of the race and the speed. No public recording of a
//! multisport race was found, so the code does not rely on any single sign.

use jiff::{SignedDuration, Timestamp};

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
    /// Whether no point of the leg was seen, because the phone was in a bag or had no signal.
    pub unseen: bool,
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
            unseen: false,
        }
    }

    /// A leg between two moments that nobody saw.
    pub(super) fn unseen(kind: Option<LegKind>, from: (Timestamp, f64), to: (Timestamp, f64)) -> Self {
        Self {
            last_at: to.0.max(from.0),
            to_m: to.1.max(from.1),
            unseen: true,
            ..Self::new(kind, false, from.0, from.1)
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
    /// A new sport that a single point reported, and where the leg began then. A second point confirms it.
    pending: Option<LegBorder>,
    /// Whether a point of the race had an activity type, of whatever kind.
    pub(super) has_types: bool,
}

/// Start of a new leg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LegBorder {
    pub(super) kind: Option<LegKind>,
    pub(super) at: Timestamp,
    /// Race distance in metres.
    pub(super) at_m: f64,
}

/// The two samples between which a leg ends, with their distances.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegStretch {
    pub(super) before: (Timestamp, f64),
    pub(super) now: (Timestamp, f64),
    pub(super) gap: bool,
}

/// Upper bounds of a transition.
const LONGEST_TRANSITION_S: f64 = 15.0 * 60.0;
const LONGEST_TRANSITION_M: f64 = 3000.0;

/// A race that is first seen later than this has a part that nobody saw; seconds.
const UNSEEN_S: f64 = 120.0;

impl LegDetector {
    /// Returns a border if `point` starts a new leg after `leg`.
    pub(super) fn cross(
        &mut self,
        race: RaceKind,
        leg: &Leg,
        point: &Trackpoint,
        stretch: LegStretch,
    ) -> Option<LegBorder> {
        let anew = self.counters_anew(point);
        if !race.is_multisport() {
            return None;
        }
        self.has_types |= point.activity_type.is_some();
        let told = point.activity_type.as_deref().and_then(LegKind::from_activity);
        let border = |kind| place(kind, leg, point, stretch, anew);
        match told {
            // If the watch names the sport, a restarted counter is only a new lap of the same leg.
            Some(kind) if leg.kind == Some(kind) && leg.typed => {
                self.pending = None;
                None
            }
            Some(kind) if anew => {
                self.pending = None;
                Some(border(Some(kind)))
            }
            Some(kind) => match self.pending.take() {
                Some(before) if before.kind == Some(kind) => Some(before),
                _ => {
                    self.pending = Some(border(Some(kind)));
                    None
                }
            },
            None => anew.then(|| border(None)),
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

/// Where a leg of `kind` begins: where its own counters say, if they restarted; else at the point. A gap beside a
/// transition belongs to the other leg, because a transition is short.
fn place(kind: Option<LegKind>, leg: &Leg, point: &Trackpoint, stretch: LegStretch, anew: bool) -> LegBorder {
    let LegStretch { before, now, gap } = stretch;
    let counted = || {
        let ran = SignedDuration::try_from_secs_f64(point.duration_s?).ok()?;
        let at = point.at.checked_sub(ran).ok().filter(|at| *at > before.0)?;
        let at_m = point.distance_m.map_or(now.1, |m| now.1 - m);
        Some((at, at_m.clamp(before.1, now.1)))
    };
    let (at, at_m) = match counted().filter(|_| anew) {
        Some(counted) => counted,
        None if gap && leg.kind == Some(LegKind::Transition) => before,
        None if gap => now,
        None => (now.0, before.1),
    };
    LegBorder { kind, at, at_m }
}

/// The part of a race before its first point, if that was another leg: its sport, and where it ended.
pub(super) fn unseen_before(
    race: RaceKind,
    point: &Trackpoint,
    started_at: Timestamp,
    way_m: f64,
) -> Option<LegBorder> {
    let ran_s = point.at.duration_since(started_at).as_secs_f64();
    if !race.is_multisport() || ran_s < UNSEEN_S {
        return None;
    }
    let told = point.activity_type.as_deref().and_then(LegKind::from_activity);
    let leg_s = point
        .duration_s
        .filter(|s| point.total_duration_s.is_some() && ran_s - s >= UNSEEN_S / 2.0);
    let is_later = match race {
        RaceKind::Triathlon => matches!(told, Some(LegKind::Ride | LegKind::Run)),
        RaceKind::Duathlon => told == Some(LegKind::Ride),
        _ => false,
    } || told == Some(LegKind::Transition);
    let (at, at_m) = if let Some(ran) = leg_s.and_then(|s| SignedDuration::try_from_secs_f64(s).ok()) {
        let at_m = point.distance_m.map_or(way_m, |m| (way_m - m).max(0.0));
        (point.at.checked_sub(ran).ok()?, at_m)
    } else if is_later {
        (point.at, way_m)
    } else {
        return None;
    };
    let kind = match race {
        RaceKind::Triathlon if told != Some(LegKind::Run) => Some(LegKind::Swim),
        RaceKind::Duathlon if told != Some(LegKind::Run) => Some(LegKind::Run),
        _ => None,
    };
    Some(LegBorder { kind, at, at_m })
}

/// A leg that lies wholly within a gap, if there must be one: its sport. `before` is the sport before the gap.
#[expect(
    clippy::option_option,
    reason = "a leg that must be there may have an unknown sport"
)]
pub(super) fn skipped(
    race: RaceKind,
    before: Option<LegKind>,
    leg: &Leg,
    border: &LegBorder,
    stretch: LegStretch,
) -> Option<Option<LegKind>> {
    let open_s = border.at.duration_since(stretch.before.0).as_secs_f64();
    if !stretch.gap || open_s < LONGEST_TRANSITION_S {
        return None;
    }
    let after_swim = race == RaceKind::Triathlon && before == Some(LegKind::Swim);
    let in_transition = leg.kind == Some(LegKind::Transition);
    match border.kind {
        Some(LegKind::Run) if after_swim => Some(Some(LegKind::Ride)),
        Some(LegKind::Transition) if after_swim && in_transition => Some(Some(LegKind::Ride)),
        _ if in_transition => Some(None),
        _ => None,
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
pub(super) fn was_transition(race: RaceKind, leg: &Leg, is_first: bool) -> bool {
    matches!(race, RaceKind::Triathlon | RaceKind::Duathlon)
        && !leg.typed
        && !leg.unseen
        && !is_first
        && leg.elapsed_s() < LONGEST_TRANSITION_S
        && leg.distance_m() < LONGEST_TRANSITION_M
}
