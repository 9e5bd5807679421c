//! The pace of the current leg, and the time that it gives for the way ahead.
//!
//! The pace is expected to slow evenly, by a share that grows with the length of the race, and half of the deviation of
//! the last 30 to 60 minutes is expected to continue. The uncertainty follows from how much equal parts of the leg
//! differ from each other: the way ahead is expected to differ by as much from the way so far.
//!
//! The constants come from recordings of strangers, replayed with the whole recording as the course: tuned on one half
//! of them, checked on the other. Most are training, so the slowdown of long races comes from race results instead.

use super::effort::effort_m;
use super::fade::{OwnFades, slowing};
use crate::race::goal::RaceGoal;
use crate::race::sport::LegKind;
use crate::race::track::{Leg, WayMark};

/// Length of the window of the recent pace in seconds: a quarter of the leg, within these bounds.
const RECENT_S: (f64, f64) = (1800.0, 3600.0);

/// The share of the recent deviation that is expected to continue. On the recordings anything from 0.4 to 0.6 is equally
/// good; without it the error at three quarters of the way is a fifth larger.
const RECENT_WEIGHT: f64 = 0.5;

/// The leg so far is compared in this many parts of equal effort. On the recordings 6 to 12 are equally good.
const PARTS: u32 = 8;

/// Spread of the parts while the leg is too short to show its own: between the lower quartile and the median of the
/// recordings.
const USUAL_SPREAD: f64 = 0.1;

/// A leg shows its own pace and spread after this time; seconds. Until then the legs before it fill in the missing
/// part.
const SHOWS_PACE_S: f64 = 600.0;

/// Uncertainty of a pace that is taken from another leg.
pub(super) const SIGMA_UNPLANNED: f64 = 0.13;

/// An earlier leg says something about the pace only from this distance on.
const TELLS_M: f64 = 500.0;

/// Uncertainty that the leg so far cannot show, because what slows people down comes late. It matters only for steady
/// athletes.
const UNSEEN: f64 = 0.045;

/// Moving time after which the stops seen so far weigh as much as the usual ones; seconds. One stop in the first hour
/// does not mean one every hour.
const PRIOR_S: f64 = 3600.0;

/// What the current leg says about the pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegPace {
    /// Its sport; in a transition that of the leg to come.
    pub(super) kind: Option<LegKind>,
    /// Where the leg began on the way.
    from_m: f64,
    /// Effort and moving time of the leg so far; at its start, filled up from the legs before it.
    effort_m: f64,
    moving_s: f64,
    /// Effort of the whole leg, as far as its end is known.
    leg_effort_m: f64,
    /// How much slower the end of the leg is expected to be than its start.
    slowing: f64,
    /// Recent pace relative to the expected one; above 1 is slower.
    recent: f64,
    /// Relative spread of the moving time of equal parts of the leg.
    spread: f64,
    /// Seconds of stops per second of movement.
    pub(super) stops_per_s: f64,
}

/// Time for a stretch, with the standard deviation of its error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) seconds: f64,
    pub(super) sigma_s: f64,
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
    /// `end_m`: where the leg ends on the way, or the place that matters if its end is unknown. `fades`: the athlete's
    /// own, if known.
    pub(super) fn of(goal: RaceGoal<'_>, end_m: f64, fades: Option<&OwnFades>) -> Option<Self> {
        let track = goal.track;
        let leg = track.leg()?;
        let here = WayMark {
            at: track.last?.at,
            progress_m: track.progress_m(),
            walked_m: track.distance_m(),
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
        let is_transition = leg.kind == Some(LegKind::Transition);
        let kind = if is_transition {
            goal.plan.leg_at(here.progress_m)
        } else {
            leg.kind
        };
        let effort = |from_m: f64, to_m: f64| effort_m(goal.course, kind, from_m, to_m);
        let stood_s = (here.stood_s - stood_before_s).max(0.0);
        let moving_s = (here.at.duration_since(begin).as_secs_f64() - stood_s).max(1.0);
        let so_far_m = effort(first_m, here.progress_m);
        let mut pace = Self {
            kind,
            from_m: first_m,
            effort_m: so_far_m,
            leg_effort_m: effort(first_m, end_m.max(here.progress_m)),
            slowing: 0.0,
            moving_s,
            recent: 1.0,
            spread: USUAL_SPREAD,
            stops_per_s: 0.0,
        };
        if (is_transition || moving_s < SHOWS_PACE_S)
            && let Some(mps) = mps_by_legs_before(&track.legs, kind)
        {
            let own_s = if is_transition { 0.0 } else { moving_s };
            let own_m = if is_transition { 0.0 } else { so_far_m };
            pace.effort_m = mps.mul_add(SHOWS_PACE_S - own_s, own_m);
            pace.moving_s = SHOWS_PACE_S;
            pace.spread = SIGMA_UNPLANNED;
            return Some(pace);
        }
        let hours = moving_s / 3600.0 * pace.leg_effort_m / so_far_m.max(1.0);
        pace.slowing = slowing(kind, hours, fades.and_then(|fades| fades.of(kind)));
        pace.stops_per_s = (stood_s + prior_stops(kind, hours) * PRIOR_S) / (moving_s + PRIOR_S);
        if so_far_m < 500.0 || moving_s < SHOWS_PACE_S {
            return Some(pace);
        }
        let window_s = (moving_s / 4.0).clamp(RECENT_S.0, RECENT_S.1);
        let since =
            |mark: &WayMark| here.at.duration_since(mark.at).as_secs_f64() - (here.stood_s - mark.stood_s);
        if let Some(mark) = marks.iter().rev().find(|mark| since(mark) >= window_s) {
            let before_m = effort(first_m, mark.progress_m);
            let by_law_s = pace.by_law_s(before_m, so_far_m);
            if by_law_s > 60.0 {
                pace.recent = (since(mark) / by_law_s).clamp(0.5, 2.0).powf(RECENT_WEIGHT);
            }
        }
        pace.spread = spread(&marks, here, so_far_m, |mark| effort(first_m, mark.progress_m));
        Some(pace)
    }

    /// Time in motion between two places of the leg, given by the effort from its start, if the pace slows evenly.
    fn by_law_s(&self, from_m: f64, to_m: f64) -> f64 {
        let cost = |effort_m: f64| {
            let share = effort_m / self.leg_effort_m.max(1.0);
            share + self.slowing * share * share / 2.0
        };
        self.moving_s * (cost(to_m) - cost(from_m)) / cost(self.effort_m.max(1.0))
    }

    /// Mean speed of the leg so far, in metres of effort per second.
    pub(super) fn mps(&self) -> f64 {
        self.effort_m / self.moving_s
    }

    /// Time in motion from one place of the leg to another.
    pub(super) fn remaining(&self, goal: RaceGoal<'_>, from_m: f64, to_m: f64) -> Needed {
        let ahead_m = effort_m(goal.course, self.kind, from_m, to_m);
        let before_m = effort_m(goal.course, self.kind, self.from_m, from_m);
        let seconds = self.by_law_s(before_m, before_m + ahead_m) * self.recent;
        // A stretch shorter than a part varies more than the parts do, and a long one varies no less, because the
        // errors of its parts are not independent.
        let parts_ahead = f64::from(PARTS) * ahead_m / self.effort_m.max(1.0);
        let relative = UNSEEN.mul_add(
            UNSEEN,
            self.spread * self.spread * (1.0 + 1.0 / (1.0 + parts_ahead)),
        );
        Needed {
            seconds,
            sigma_s: relative.sqrt() * seconds,
        }
    }
}

/// Expected speed on a leg of this kind, derived from the last leg before it that was not a transition.
fn mps_by_legs_before(legs: &[Leg], kind: Option<LegKind>) -> Option<f64> {
    let (_, before) = legs.split_last()?;
    let tells = |leg: &&Leg| leg.kind != Some(LegKind::Transition) && leg.distance_m() >= TELLS_M;
    let leg = before.iter().rev().find(tells)?;
    let mps = leg.distance_m() / leg.elapsed_s().max(1.0);
    Some(mps * usual_mps(kind?) / usual_mps(leg.kind?))
}

/// Expected stops as a share of the moving time, before any stop was seen.
fn prior_stops(kind: Option<LegKind>, hours: f64) -> f64 {
    match kind {
        Some(LegKind::Swim | LegKind::Row) => 0.0,
        _ if hours < 2.0 => 0.0,
        _ if hours < 6.0 => 0.008,
        _ => 0.03,
    }
}

/// Standard deviation of the logarithm of the moving time that equal parts of the leg took. `effort_to` is the effort
/// from the start of the leg to a mark.
fn spread(marks: &[WayMark], here: WayMark, so_far_m: f64, effort_to: impl Fn(&WayMark) -> f64) -> f64 {
    let Some(first) = marks.first() else {
        return USUAL_SPREAD;
    };
    let since_first =
        |mark: &WayMark| mark.at.duration_since(first.at).as_secs_f64() - (mark.stood_s - first.stood_s);
    let passed_s = |part: u32| {
        let due_m = so_far_m * f64::from(part) / f64::from(PARTS);
        let next = marks.partition_point(|mark| effort_to(mark) < due_m);
        let after = marks.get(next).unwrap_or(&here);
        let before = next
            .checked_sub(1)
            .and_then(|before| marks.get(before))
            .unwrap_or(first);
        let (from_m, to_m) = (effort_to(before), effort_to(after));
        let share = ((due_m - from_m) / (to_m - from_m).max(1.0)).clamp(0.0, 1.0);
        share.mul_add(since_first(after) - since_first(before), since_first(before))
    };
    let borders: Vec<f64> = (0..=PARTS).map(passed_s).collect();
    let logs: Vec<f64> = borders
        .windows(2)
        .filter_map(|pair| Some((pair.last()? - pair.first()?).max(1.0).ln()))
        .collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    (squares / (logs.len() as f64 - 1.0)).sqrt()
}
