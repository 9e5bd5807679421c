//! The outlook: when the athlete will reach each place. Pure.
//!
//! The time still needed comes from the effort of the way ahead, the pace of the race and of its last 30 to 60 minutes,
//! a slowdown that grows with the length of the race, stops, and the legs to come. It is given as a window: early,
//! likely and late, so that four of five arrivals lie within it. The less even the race was so far, the wider the
//! window. Without a signal, the outlook continues from the last point and widens.

mod effort;
pub mod fade;
mod pace;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::race::course::Course;
use crate::race::goal::RaceGoal;
use crate::race::plan::{Checkpoint, PlanLeg};
use crate::race::sport::LegKind;
use crate::race::track::{Crossing, SHORTEST_STOP_S, Track};
use fade::OwnFades;
use pace::{LegPace, Needed, SIGMA_UNPLANNED};

pub(crate) use effort::effort_m;

/// The outlook starts after this much of a race; before that the pace is not known.
const FIRST_S: f64 = 15.0 * 60.0;
const FIRST_M: f64 = 1000.0;

/// Half of the window in standard deviations: 80 % of a normal distribution lie within it.
const HALF_WINDOW: f64 = 1.2816;

/// Upper bound of the standard deviation, as a share of the time still needed, so that the window begins after now.
const MOST_SIGMA: f64 = 0.6;

/// A stop in progress is expected to continue for this share of its duration so far, up to `STOP_GOES_ON_S` seconds.
const STOP_GOES_ON: f64 = 0.5;
const STOP_GOES_ON_S: f64 = 600.0;

/// Without a course, the watch's distance is compared with the official one. They differ by about this share.
const MEASURED: f64 = 0.003;

/// Typical length of an unplanned stop; seconds. Stops happen by chance, so the variance of their sum grows with their
/// number.
const ONE_STOP_S: f64 = 600.0;

/// How much the window widens per second of silence.
const WIDENS: f64 = 0.25;

/// Expected time of a transition; seconds. Half of it is its uncertainty.
const TRANSITION_S: f64 = 300.0;

/// Uncertainty of a leg to come that has a target.
const SIGMA_PLANNED: f64 = 0.08;

/// When the athlete arrives at a place, in seconds after the start of the race.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrivalWindow {
    pub early_s: f64,
    pub likely_s: f64,
    pub late_s: f64,
}

/// A checkpoint or the finish, passed or still ahead.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceOutlook {
    pub name: String,
    /// Distance from the start in metres.
    pub at_m: f64,
    pub cutoff_s: Option<u32>,
    pub target_s: Option<u32>,
    pub state: PlaceState,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlaceState {
    Passed(Crossing),
    Ahead(ArrivalWindow),
    /// Too little of the race has been seen.
    Unknown,
}

/// Where the athlete is, and how the race is expected to continue.
#[derive(Debug)]
pub struct Outlook<'a> {
    goal: RaceGoal<'a>,
    /// Race time of the last point, in seconds.
    seen_s: f64,
    /// Race time now, in seconds.
    now_s: f64,
    /// How long there has been no signal, in seconds; `None` while data arrives.
    pub silence_s: Option<f64>,
    pace: LegPace,
}

impl<'a> Outlook<'a> {
    /// The outlook at `now`; `None` until enough of the race has been seen. `silence` is the present loss of signal,
    /// if there is one. `fades` are the athlete's own, if known.
    pub fn of(
        goal: RaceGoal<'a>,
        now: Timestamp,
        silence: Option<SignedDuration>,
        fades: Option<&OwnFades>,
    ) -> Option<Self> {
        let track = goal.track;
        let started_at = track.true_time(track.started_at?);
        let now_s = now.duration_since(started_at).as_secs_f64();
        if track.elapsed_s() < FIRST_S || track.progress_m() < FIRST_M {
            return None;
        }
        let end_m = leg_end_m(goal).or(goal.whole_m()).unwrap_or_default();
        Some(Self {
            pace: LegPace::of(goal, end_m, fades)?,
            goal,
            seen_s: track.elapsed_s(),
            now_s: now_s.max(track.elapsed_s()),
            silence_s: silence.map(|silence| silence.as_secs_f64()),
        })
    }

    /// The sport of the current leg, in a transition that of the leg to come.
    pub fn sport(&self) -> Option<LegKind> {
        self.pace.kind
    }

    pub fn finish(&self) -> Option<ArrivalWindow> {
        self.at(self.goal.whole_m()?)
    }

    /// The arrival at a place ahead; `None` if it is behind.
    pub fn at(&self, at_m: f64) -> Option<ArrivalWindow> {
        let track = self.goal.track;
        let here_m = track.progress_m();
        if at_m <= here_m {
            return None;
        }
        let leg_end_m = leg_end_m(self.goal).unwrap_or(f64::INFINITY);
        let in_leg = self.pace.remaining(self.goal, here_m, at_m.min(leg_end_m));
        let (mut needs_s, mut sigma_s) = (in_leg.seconds, in_leg.sigma_s);
        if at_m > leg_end_m {
            let later = self.later_legs(leg_end_m, at_m);
            // A bad day or a hot one is bad for every leg, so their errors add up.
            needs_s += later.seconds;
            sigma_s += later.sigma_s;
        }
        if let Some(leg) = track.leg().filter(|leg| leg.kind == Some(LegKind::Transition)) {
            needs_s += (TRANSITION_S - leg.elapsed_s()).max(0.0);
        }
        let stops_s = self.stops_s(here_m, at_m, needs_s);
        needs_s += stops_s;
        sigma_s = sigma_s.hypot((ONE_STOP_S * stops_s).sqrt());
        if track.course_m.is_none() {
            sigma_s = sigma_s.hypot(MEASURED * self.seen_s);
        }
        if let Some(silence_s) = self.silence_s {
            sigma_s = sigma_s.hypot(WIDENS * silence_s);
        }
        let half_s = HALF_WINDOW * sigma_s.min(MOST_SIGMA * needs_s);
        let likely_s = self.seen_s + needs_s;
        Some(if self.silence_s.is_some() {
            // While nothing is seen, the place may already have been reached, or may still be reached later than now.
            ArrivalWindow {
                early_s: likely_s - half_s,
                likely_s,
                late_s: likely_s.max(self.now_s) + half_s,
            }
        } else {
            // An athlete who is seen short of a place has not reached it yet.
            let likely_s = likely_s.max(self.now_s);
            ArrivalWindow {
                early_s: (self.seen_s + needs_s - half_s).max(self.now_s),
                likely_s,
                late_s: (self.seen_s + needs_s + half_s).max(likely_s),
            }
        })
    }

    /// Time for the legs after `from_m`: by their targets, else by the usual ratio to the speed of this leg.
    fn later_legs(&self, from_m: f64, to_m: f64) -> Needed {
        let kind = self.pace.kind;
        let (mut begin_m, mut seconds, mut sigma_s) = (0.0, 0.0, 0.0);
        for leg in &self.goal.plan.legs {
            let end_m = begin_m + leg.distance_m;
            let within_m = end_m.min(to_m) - begin_m.max(from_m);
            if within_m > 0.0 {
                let (whole_s, sigma) = self.leg_s(leg, kind);
                let part_s = whole_s * within_m / leg.distance_m.max(1.0);
                seconds += part_s;
                sigma_s += sigma * part_s;
                if begin_m >= from_m {
                    seconds += TRANSITION_S;
                    sigma_s += TRANSITION_S / 2.0;
                }
            }
            begin_m = end_m;
        }
        Needed { seconds, sigma_s }
    }

    /// Expected time of a whole leg that has not begun, and its relative uncertainty.
    fn leg_s(&self, leg: &PlanLeg, now: Option<LegKind>) -> (f64, f64) {
        if let Some(target_s) = leg.target_s {
            return (f64::from(target_s), SIGMA_PLANNED);
        }
        let here = now.map_or(1.0, pace::usual_mps);
        let ratio = pace::usual_mps(leg.kind) / here;
        let mps = (self.pace.mps() * ratio).max(0.2);
        (leg.distance_m / mps, SIGMA_UNPLANNED)
    }

    /// Stops expected on the way to a place: the rest of the one in progress, and the planned ones or as many as so
    /// far, whichever is more.
    fn stops_s(&self, from_m: f64, to_m: f64, moving_s: f64) -> f64 {
        let track = self.goal.track;
        let checkpoints = &self.goal.plan.checkpoints;
        let planned_s: f64 = checkpoints
            .iter()
            .filter(|at| (from_m..to_m).contains(&(at.km * 1000.0)))
            .filter_map(|at| at.stop_s)
            .map(f64::from)
            .sum();
        let stands_s = track
            .standing()
            .map(crate::race::track::Stop::duration_s)
            .filter(|s| *s >= SHORTEST_STOP_S);
        let goes_on_s = stands_s.map_or(0.0, |s| (STOP_GOES_ON * s).min(STOP_GOES_ON_S));
        let usual_s = self.pace.stops_per_s * moving_s;
        goes_on_s
            + if planned_s > 0.0 {
                planned_s.max(usual_s)
            } else {
                usual_s
            }
    }

    /// Checkpoints and finish, in order.
    pub fn places(&self) -> Vec<PlaceOutlook> {
        places(self.goal, Some(self))
    }

    /// The window as times of day.
    pub fn times(&self, arrival: &ArrivalWindow) -> [Timestamp; 3] {
        [arrival.early_s, arrival.likely_s, arrival.late_s].map(|s| at_race_time(self.goal.track, s))
    }
}

/// End of the current leg along the way, in a race of several legs with known lengths.
fn leg_end_m(goal: RaceGoal<'_>) -> Option<f64> {
    let mut end_m = 0.0;
    let here_m = goal.track.progress_m();
    goal.plan
        .legs
        .iter()
        .map(|leg| {
            end_m += leg.distance_m;
            end_m
        })
        .find(|end_m| here_m < *end_m)
}

/// Checkpoints and finish, in order, with or without an outlook.
pub fn places(goal: RaceGoal<'_>, outlook: Option<&Outlook<'_>>) -> Vec<PlaceOutlook> {
    let plan = goal.plan;
    let state = |at_m: f64| match goal.track.crossing(at_m) {
        Some(crossing) => PlaceState::Passed(crossing),
        None => outlook
            .and_then(|outlook| outlook.at(at_m))
            .map_or(PlaceState::Unknown, PlaceState::Ahead),
    };
    let of = |checkpoint: &Checkpoint| PlaceOutlook {
        name: checkpoint.name.clone(),
        at_m: checkpoint.km * 1000.0,
        cutoff_s: checkpoint.cutoff_s,
        target_s: checkpoint.target_s,
        state: state(checkpoint.km * 1000.0),
    };
    let mut places: Vec<_> = plan.checkpoints.iter().map(of).collect();
    places.extend(goal.whole_m().map(|whole_m| PlaceOutlook {
        name: "finish".to_owned(),
        at_m: whole_m,
        cutoff_s: None,
        target_s: plan.target_time_s,
        state: goal.finish().map_or_else(|| state(whole_m), PlaceState::Passed),
    }));
    places
}

/// True time of a moment of the race, given in seconds after its start.
pub fn at_race_time(track: &Track, race_s: f64) -> Timestamp {
    let start = track
        .started_at
        .map_or(Timestamp::UNIX_EPOCH, |at| track.true_time(at));
    SignedDuration::try_from_secs_f64(race_s)
        .ok()
        .and_then(|after| start.checked_add(after).ok())
        .unwrap_or(start)
}

/// Climb still ahead in metres, if the course has elevations.
pub fn climb_left_m(goal: RaceGoal<'_>) -> Option<f64> {
    let fitting = goal.course.filter(|_| goal.track.course_unfit.is_none());
    let profile = fitting.and_then(Course::profile)?;
    Some(profile.climb_m(goal.track.progress_m(), f64::INFINITY))
}
