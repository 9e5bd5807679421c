//! The pace of the current leg, and the time that it gives for the way ahead.
//!
//! Endurance follows a power law: the time for an effort E is a·E^b with b slightly above 1, and b grows with the
//! length of the race. The law is fitted to the leg so far and corrected by most of what the last 30 to 60 minutes
//! deviate from it.

use super::effort::effort_m;
use crate::race::goal::RaceGoal;
use crate::race::sport::LegKind;
use crate::race::track::WayMark;

/// Length of the recent pace in seconds: a quarter of the leg, within these bounds.
const RECENT_S: (f64, f64) = (1800.0, 3600.0);

/// The share of the recent deviation that is expected to continue.
const RECENT_WEIGHT: f64 = 0.7;

/// Length of the pieces whose spread shows how steady the pace is; seconds.
const PIECE_S: f64 = 600.0;

/// Bounds of the spread of a piece, and the usual one.
const SPREAD: (f64, f64) = (0.03, 0.2);
const USUAL_SPREAD: f64 = 0.07;

/// Bounds of the factor by which an uneven pace widens the window.
const STEADINESS: (f64, f64) = (0.75, 1.25);

/// Correlation time of the pace in seconds: over a shorter way, chance matters more.
const CORRELATED_S: f64 = 2400.0;

/// Moving time after which the stops seen so far weigh as much as the usual ones; seconds.
const PRIOR_S: f64 = 3600.0;

/// What the current leg says about the pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegPace {
    kind: Option<LegKind>,
    /// Where the leg began on the way.
    from_m: f64,
    /// Effort and moving time of the leg so far.
    effort_m: f64,
    moving_s: f64,
    /// Recent pace relative to the law; above 1 is slower.
    recent: f64,
    /// Relative spread of the pace of a piece.
    spread: f64,
    /// Seconds of stops per second of movement.
    pub(super) stops_per_s: f64,
}

/// Time for a way, with the variance of the error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) seconds: f64,
    pub(super) variance: f64,
}

/// Usual speed of a sport in a long race in m/s; only ratios matter.
pub(super) fn usual_mps(kind: LegKind) -> f64 {
    match kind {
        LegKind::Swim => 0.85,
        LegKind::Ride => 8.4,
        LegKind::Run => 2.75,
        LegKind::Walk | LegKind::Transition => 1.5,
        LegKind::Hike => 1.1,
        LegKind::Row => 3.5,
        LegKind::Kayak | LegKind::Paddle => 2.2,
        LegKind::Ski => 4.0,
        LegKind::Skate => 6.0,
    }
}

impl LegPace {
    pub(super) fn of(goal: RaceGoal<'_>) -> Option<Self> {
        let track = goal.track;
        let leg = track.leg()?;
        let here = WayMark {
            at: track.last?.at,
            progress_m: track.progress_m(),
            stood_s: track.stood_s(),
        };
        let begin = leg.started_at;
        let marks: Vec<WayMark> = track
            .way
            .iter()
            .filter(|mark| mark.at >= begin)
            .copied()
            .collect();
        let first_m = if track.legs.len() == 1 {
            0.0
        } else {
            marks
                .first()
                .map_or(leg.from_m, |first| first.progress_m.min(here.progress_m))
        };
        let stood_before_s = if track.legs.len() == 1 {
            0.0
        } else {
            marks.first().map_or(0.0, |first| first.stood_s)
        };
        let effort = |from_m: f64, to_m: f64| effort_m(goal.course, leg.kind, from_m, to_m);
        let stood_s = (here.stood_s - stood_before_s).max(0.0);
        let moving_s = (here.at.duration_since(begin).as_secs_f64() - stood_s).max(1.0);
        let so_far_m = effort(first_m, here.progress_m);
        let mut pace = Self {
            kind: leg.kind,
            from_m: first_m,
            effort_m: so_far_m,
            moving_s,
            recent: 1.0,
            spread: USUAL_SPREAD,
            stops_per_s: 0.0,
        };
        let whole_m = goal.whole_m().unwrap_or(here.progress_m).max(here.progress_m);
        let hours = moving_s / 3600.0 * effort(first_m, whole_m) / so_far_m.max(1.0);
        pace.stops_per_s = (stood_s + prior_stops(leg.kind, hours) * PRIOR_S) / (moving_s + PRIOR_S);
        if so_far_m < 500.0 || moving_s < 600.0 {
            return Some(pace);
        }
        let exponent = pace.exponent(hours);
        let window_s = (moving_s / 4.0).clamp(RECENT_S.0, RECENT_S.1);
        let since =
            |mark: &WayMark| here.at.duration_since(mark.at).as_secs_f64() - (here.stood_s - mark.stood_s);
        if let Some(mark) = marks.iter().rev().find(|mark| since(mark) >= window_s) {
            let before_m = effort(first_m, mark.progress_m);
            let by_law_s = moving_s * (1.0 - (before_m / so_far_m).powf(exponent));
            if by_law_s > 60.0 {
                pace.recent = (since(mark) / by_law_s).clamp(0.5, 2.0).powf(RECENT_WEIGHT);
            }
        }
        pace.spread = spread(&marks, effort).unwrap_or(USUAL_SPREAD);
        Some(pace)
    }

    /// Exponent of the power law: how much longer races slow down.
    fn exponent(&self, hours: f64) -> f64 {
        let growth = (1.0 + hours).ln();
        match self.kind {
            Some(LegKind::Run) => 0.03f64.mul_add(growth, 1.005),
            Some(LegKind::Walk | LegKind::Hike) => 0.02f64.mul_add(growth, 1.0),
            Some(LegKind::Ride) => 0.01f64.mul_add(growth, 1.0),
            _ => 1.02,
        }
    }

    /// Speed of the leg so far, over effort.
    pub(super) fn mps(&self) -> f64 {
        self.effort_m / self.moving_s
    }

    /// Time in motion from one place of the leg to another.
    pub(super) fn remaining(&self, goal: RaceGoal<'_>, from_m: f64, to_m: f64) -> Needed {
        let ahead_m = effort_m(goal.course, self.kind, from_m, to_m);
        let ratio = 1.0 + ahead_m / self.effort_m.max(1.0);
        let whole_m = goal.whole_m().unwrap_or(to_m).max(to_m);
        let leg_m = effort_m(goal.course, self.kind, self.from_m, whole_m);
        let hours = self.moving_s / 3600.0 * leg_m / self.effort_m.max(1.0);
        let by_law_s = self.moving_s * (ratio.powf(self.exponent(hours)) - 1.0);
        let seconds = by_law_s * self.recent;
        let steadiness = (self.spread / USUAL_SPREAD).clamp(STEADINESS.0, STEADINESS.1);
        let drift = self.drift() * steadiness;
        let by_drift = drift * drift;
        let by_chance = self.spread * self.spread * (CORRELATED_S / (seconds + CORRELATED_S));
        Needed {
            seconds,
            variance: (by_drift + by_chance) * seconds * seconds,
        }
    }

    /// Relative uncertainty of the pace ahead.
    fn drift(&self) -> f64 {
        match self.kind {
            Some(LegKind::Run) => 0.078,
            _ => 0.1,
        }
    }
}

/// Expected stops as a share of the moving time, as long as none was seen.
fn prior_stops(kind: Option<LegKind>, hours: f64) -> f64 {
    match kind {
        Some(LegKind::Swim | LegKind::Row) => 0.0,
        _ if hours < 2.0 => 0.0,
        _ if hours < 6.0 => 0.008,
        _ => 0.03,
    }
}

/// Standard deviation of the relative pace of pieces of ten minutes; `None` with fewer than four.
fn spread(marks: &[WayMark], effort: impl Fn(f64, f64) -> f64) -> Option<f64> {
    let mut paces = Vec::new();
    let mut from = *marks.first()?;
    for mark in marks {
        let moving_s = mark.at.duration_since(from.at).as_secs_f64() - (mark.stood_s - from.stood_s);
        if moving_s >= PIECE_S {
            let way_m = effort(from.progress_m, mark.progress_m);
            if way_m > 50.0 {
                paces.push((moving_s / way_m).ln());
            }
            from = *mark;
        }
    }
    if paces.len() < 4 {
        return None;
    }
    let count = paces.len() as f64;
    let mean = paces.iter().sum::<f64>() / count;
    let variance = paces.iter().map(|pace| (pace - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some(variance.sqrt().clamp(SPREAD.0, SPREAD.1))
}
