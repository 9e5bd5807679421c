//! How much of a race is left. Pure.
//!
//! Course, distance, checkpoints and time each give an estimate. Silence may mean the finish only if none of them says
//! that a clear part of the race is still ahead.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::race::course::Course;
use crate::race::geo::distance_m;
use crate::race::plan::RacePlan;
use crate::race::track::{Crossing, Gap, Track};

/// More than this share counts as a clear part of the race.
const CLEAR_PART: f64 = 0.03;

/// The athlete is about to finish if less than this is left: a share of the whole, and at most so many metres.
const LAST_PART: f64 = 0.01;
const LAST_M: f64 = 300.0;

/// Within this distance of the end of the course, the athlete is near the finish.
const AT_FINISH_M: f64 = 150.0;

/// Within this distance of the end, the athlete is at the line. Positions jitter.
const AT_LINE_M: f64 = 20.0;

/// After this much silence near the finish of a course, the athlete is taken to have crossed the line between two
/// points.
const STAYS: SignedDuration = SignedDuration::from_mins(2);

/// A line that was crossed this long ago is a finish, wherever the athlete is now; seconds.
const CROSSED_S: f64 = 180.0;

/// After a gap in which the line was crossed, the athlete is within this distance of it.
const AWAY_M: f64 = 1500.0;

/// A place at the end of the course, or the last point of a race without one, may be short of the length by a rounding
/// error.
pub(super) const ROUNDING_M: f64 = 0.5;

/// Beyond the whole distance by this share, the athlete is past the line even if the watch runs on.
const BEYOND_PART: f64 = 1.015;

/// An athlete who stands at the end for this long has finished; seconds.
const STANDS_S: f64 = 60.0;

/// An athlete at the end has finished if slower than this share of the race's speed over the last `SLOWS_OVER_S`
/// seconds.
const SLOWS_PART: f64 = 0.55;
const SLOWS_OVER_S: f64 = 120.0;

/// What is known about the end of a race.
#[derive(Clone, Copy, Debug)]
pub struct RaceGoal<'a> {
    pub track: &'a Track,
    pub plan: &'a RacePlan,
    pub course: Option<&'a Course>,
}

impl RaceGoal<'_> {
    /// Whole distance in metres, if known. A course that does not fit says nothing about it.
    pub fn whole_m(&self) -> Option<f64> {
        self.plan.whole_m(self.fitting_course())
    }

    fn fitting_course(&self) -> Option<&Course> {
        self.course.filter(|_| self.track.course_unfit.is_none())
    }

    /// Distance left in metres, if the whole is known.
    pub fn left_m(&self) -> Option<f64> {
        Some((self.whole_m()? - self.track.progress_m()).max(0.0))
    }

    /// Share of the race that is left by distance or, in a race over a fixed time, by the clock. `None` if unknown.
    fn left_part(&self, elapsed_s: f64) -> Option<f64> {
        if let Some(time_s) = self.plan.timed_s {
            return Some(1.0 - elapsed_s / f64::from(time_s));
        }
        let last_checkpoint_m = self.plan.checkpoints.last().map(|last| last.km * 1000.0);
        let whole_m = self.whole_m().or(last_checkpoint_m)?;
        Some(1.0 - self.track.progress_m() / whole_m.max(1.0))
    }

    /// Seconds of race time at `now`.
    fn elapsed_s(&self, now: Timestamp) -> f64 {
        let started_at = self.track.started_at.map(|at| self.track.true_time(at));
        started_at.map_or(0.0, |at| now.duration_since(at).as_secs_f64())
    }

    /// Whether a clear part of the race was left at the last point, judged by its distance or its fixed time.
    pub fn is_short(&self) -> bool {
        let left = self.left_part(self.track.elapsed_s());
        // The watch may measure a little less than the course.
        left.is_some_and(|left| left > CLEAR_PART) && !self.is_at_line() && self.finish().is_none()
    }

    /// Whether a clear part is still ahead, so that silence at `now` can't be the finish. Without a distance, the
    /// target time decides.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        let elapsed_s = self.elapsed_s(now);
        let by_target = || {
            let target_s = f64::from(self.plan.target_time_s?);
            Some(1.0 - elapsed_s / target_s)
        };
        let left = self.left_part(elapsed_s).or_else(by_target);
        left.is_some_and(|left| left > CLEAR_PART)
    }

    /// Whether the end is so near that a short silence means the finish.
    pub fn is_last_bit(&self, now: Timestamp) -> bool {
        if self.plan.timed_s.is_some() {
            return self
                .left_part(self.elapsed_s(now))
                .is_some_and(|left| left <= 0.0);
        }
        let Some((whole_m, left_m)) = self.whole_m().zip(self.left_m()) else {
            return false;
        };
        left_m <= (whole_m * LAST_PART).min(LAST_M)
    }

    /// Whether the race was finished, given this much silence: the athlete is at the line of the course or stays near
    /// it, has covered the distance and stops, or the fixed time is over.
    pub fn is_reached(&self, silence: SignedDuration) -> bool {
        let track = self.track;
        if let Some(time_s) = self.plan.timed_s {
            return track.started_at.is_some() && track.elapsed_s() >= f64::from(time_s);
        }
        if self.is_at_line() {
            return true;
        }
        let (Some(whole_m), Some(last)) = (self.whole_m(), track.last) else {
            return false;
        };
        if self.finish().is_some_and(|crossing| {
            last.at.duration_since(crossing.at).as_secs_f64() >= CROSSED_S && self.fitting_course().is_some()
        }) {
            return true;
        }
        if let Some(end) = self.fitting_course().and_then(Course::end)
            && (track.course_m.is_some() || (track.off_course_m.is_some() && self.plan.distance_m.is_none()))
        {
            let near = last
                .position
                .is_some_and(|here| distance_m(here, end) <= AT_FINISH_M);
            let stays = track.course_m.is_some() && (silence >= STAYS || self.stands());
            return near && stays && self.came() && !self.is_short_by_course();
        }
        let done_m = track.progress_m();
        let last_bit = whole_m - done_m <= (whole_m * LAST_PART).min(LAST_M);
        done_m >= whole_m * BEYOND_PART || (last_bit && (self.stands() || self.walks_off()))
    }

    /// When the line was crossed: seen, or in a gap through which the watch counted on past the end of the course.
    pub fn finish(&self) -> Option<Crossing> {
        if self.plan.timed_s.is_some() || !self.came() {
            return None;
        }
        let (whole_m, track) = (self.whole_m()?, self.track);
        let Some(end) = self.fitting_course().and_then(Course::end) else {
            let seen = track.crossing(whole_m);
            return seen.or_else(|| track.crossing(whole_m - ROUNDING_M));
        };
        let here = track.last.and_then(|last| last.position);
        let is_near = here.is_none_or(|here| distance_m(here, end) <= AWAY_M);
        // An athlete who was never on the course has not crossed its line.
        if track.course_m.is_none() && track.off_course_m.is_some() && !is_near {
            return None;
        }
        let seen = track.crossing(whole_m - ROUNDING_M);
        seen.or_else(|| self.unseen_finish(whole_m).filter(|_| is_near))
    }

    /// The crossing of the line in a gap, or before the watch was seen, by the distance that it counted.
    fn unseen_finish(&self, whole_m: f64) -> Option<Crossing> {
        let track = self.track;
        let (started_at, first) = (track.started_at?, track.way.first()?);
        if first.walked_m >= whole_m {
            return Some(Crossing {
                at: first.at,
                between: Some((started_at, first.at)),
            });
        }
        let before_m = |gap: &Gap| gap.course_m.unwrap_or(0.0);
        let leads_over = |gap: &&Gap| (0.0..gap.distance_m).contains(&(whole_m - before_m(gap)));
        let gap = track.gaps.iter().rev().find(leads_over)?;
        // An athlete who is seen on the course short of the end has not been there.
        if track.progress_m() > before_m(gap) && whole_m - track.progress_m() > LAST_M {
            return None;
        }
        let whole_s = gap.to.duration_since(gap.from).as_secs_f64();
        // The athlete came at the speed of the race so far, and may have slowed down after the line.
        let raced_s = gap.from.duration_since(started_at).as_secs_f64();
        let into_s = ((whole_m - before_m(gap)) * raced_s / gap.at_m.max(1.0)).min(whole_s);
        let into = SignedDuration::try_from_secs_f64(into_s).unwrap_or_default();
        Some(Crossing {
            at: gap.from.checked_add(into).unwrap_or(gap.to),
            between: Some((gap.from, gap.to)),
        })
    }

    fn is_at_line(&self) -> bool {
        let Some((course, along_m)) = self.course.zip(self.track.course_m) else {
            return false;
        };
        let near = course
            .end()
            .zip(self.track.last.and_then(|last| last.position))
            .is_some_and(|(end, here)| distance_m(here, end) <= AT_FINISH_M);
        near && self.came() && course.length_m() - along_m <= AT_LINE_M
    }

    /// Whether the distance covered agrees with the course, because some courses pass their finish many times.
    fn came(&self) -> bool {
        let whole_m = self.whole_m().unwrap_or(f64::INFINITY);
        self.track.distance_m() >= whole_m * (1.0 - CLEAR_PART)
    }

    fn is_short_by_course(&self) -> bool {
        let whole_m = self.whole_m().unwrap_or(f64::INFINITY);
        self.track.progress_m() < whole_m * (1.0 - CLEAR_PART)
    }

    fn stands(&self) -> bool {
        let standing = self.track.standing();
        standing.is_some_and(|stop| stop.duration_s() >= STANDS_S)
    }

    /// Whether the last minutes were much slower than the race.
    fn walks_off(&self) -> bool {
        let track = self.track;
        let Some(last) = track.last else { return false };
        let since = |step: &crate::race::track::TrackStep| last.at.duration_since(step.at).as_secs_f64();
        let first = track.recent.iter().find(|step| since(step) <= SLOWS_OVER_S);
        let Some(first) = first.filter(|step| since(step) >= SLOWS_OVER_S / 2.0) else {
            return false;
        };
        let mps = (last.distance_m - first.distance_m) / since(first);
        mps < SLOWS_PART * track.distance_m() / track.elapsed_s().max(1.0)
    }
}
