//! Follows the athlete along the course.
//!
//! A place is believed at once if the distance covered since the last one allows it. Any other place, ahead or behind,
//! must first hold for some minutes and kilometres, because a wrong turn may touch a part that the course reaches much
//! later, and the finish of a loop lies beside its start.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::Track;
use super::step::TrackStep;
use crate::garmin::livetrack::Position;
use crate::race::course::{Course, OnCourse};

/// Why the course says nothing about the progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CourseUnfit {
    /// The athlete runs it from its end to its start.
    Reversed,
    /// The athlete was on it for no more than a small part of the way.
    Elsewhere,
}

impl CourseUnfit {
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Reversed => {
                "The athlete covers the course from its end to its start, so progress is the distance of the watch. Give the \
                 course in the direction of the race with update_race."
            }
            Self::Elsewhere => {
                "The athlete is not on this course, so progress is the distance of the watch. Give the course of this race \
                 with update_race, or take it away with course_gpx: null."
            }
        }
    }
}

/// A doubtful place must hold for a quarter of its distance from the last one, within these bounds; metres.
const HOLDS_PART: f64 = 0.25;
const HOLDS_M: (f64, f64) = (500.0, 3000.0);

/// It must hold for the time that this speed needs; metres per second.
const HOLDS_MPS: f64 = 5.0;

/// Along the course the athlete gets on by the distance covered, times a factor within these bounds.
const AGREES: (f64, f64) = (0.6, 1.6);

/// The opposite direction is certain after this much of it; metres.
const REVERSED_M: f64 = 1000.0;

/// Whether the course fits is judged after this much of the race: metres and seconds.
const JUDGED_M: f64 = 3000.0;
const JUDGED_S: f64 = 600.0;

/// A course fits if at least this share of the way was along it.
const FITS_PART: f64 = 0.2;

/// Where the athlete is, and how far the watch has counted.
#[derive(Clone, Copy, Debug)]
struct Here {
    position: Position,
    at: Timestamp,
    walked_m: f64,
}

/// A doubtful place that is followed until it has held for long enough.
#[derive(Clone, Copy, Debug)]
struct Trial {
    began_at: Timestamp,
    began_m: f64,
    began_walked_m: f64,
    along_m: f64,
    walked_m: f64,
    off_m: f64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct CourseFollower {
    /// The last believed place, and the distance counted there.
    placed: Option<(f64, f64)>,
    /// Metres that the odometer may have missed since then.
    missed_m: f64,
    /// Since when the way is compared with the course: time and counted distance.
    since: Option<(Timestamp, f64)>,
    /// Metres along the course since then.
    followed_m: f64,
    /// A place farther along the course.
    ahead: Option<Trial>,
    /// A place anywhere on the course.
    anywhere: Option<Trial>,
}

impl Trial {
    fn at(found: OnCourse, here: Here) -> Self {
        Self {
            began_at: here.at,
            began_m: found.along_m,
            began_walked_m: here.walked_m,
            along_m: found.along_m,
            walked_m: here.walked_m,
            off_m: found.off_m,
        }
    }

    /// The trial with its next place; `None` if the athlete is not near it any more.
    fn went_on(mut self, course: &Course, here: Here) -> Option<Self> {
        let moved_m = here.walked_m - self.walked_m;
        let found = course
            .reached(here.position, self.along_m, moved_m)
            .or_else(|| course.near(here.position, self.along_m, moved_m))?;
        (self.along_m, self.walked_m, self.off_m) = (found.along_m, here.walked_m, found.off_m);
        Some(self)
    }

    fn walked_m(&self) -> f64 {
        self.walked_m - self.began_walked_m
    }

    fn gone_m(&self) -> f64 {
        self.along_m - self.began_m
    }

    /// How far a trial must go, given where the athlete was believed to be.
    fn needed_m(&self, from_m: f64) -> f64 {
        ((self.began_m - from_m).abs() * HOLDS_PART).clamp(HOLDS_M.0, HOLDS_M.1)
    }

    fn holds(&self, from_m: f64, now: Timestamp) -> bool {
        let (walked_m, needed_m) = (self.walked_m(), self.needed_m(from_m));
        let lasted_s = now.duration_since(self.began_at).as_secs_f64();
        walked_m >= needed_m
            && lasted_s >= needed_m / HOLDS_MPS
            && (AGREES.0 * walked_m..=AGREES.1 * walked_m).contains(&self.gone_m())
    }

    fn goes_back(&self, followed_m: f64) -> bool {
        let walked_m = self.walked_m();
        walked_m >= REVERSED_M && walked_m > followed_m && self.gone_m() <= -AGREES.0 * walked_m
    }

    /// Whether it went far enough to know that it leads nowhere.
    fn fails(&self, from_m: f64) -> bool {
        self.walked_m() > 1.5 * self.needed_m(from_m).max(REVERSED_M)
    }
}

impl CourseFollower {
    /// The believed place at the newest position, if the distance covered allows one.
    fn believed(&mut self, course: &Course, here: Here) -> Option<OnCourse> {
        let (from_m, counted_m) = self.placed.unwrap_or_default();
        let moved_m = (here.walked_m - counted_m).max(0.0) + self.missed_m;
        let found = course.reached(here.position, from_m, moved_m)?;
        if self.placed.is_some() {
            self.followed_m += (found.along_m - from_m).clamp(0.0, AGREES.1 * moved_m);
        }
        self.placed = Some((found.along_m.max(from_m), here.walked_m));
        (self.missed_m, self.ahead, self.anywhere) = (0.0, None, None);
        Some(found)
    }

    /// Follows the doubtful places. Returns the one that has held.
    fn held(&mut self, course: &Course, here: Here) -> Option<Trial> {
        let from_m = self.placed.map(|(along_m, _)| along_m);
        let base_m = from_m.unwrap_or(here.walked_m);
        let next = |trial: Option<Trial>| trial.filter(|trial| !trial.fails(base_m))?.went_on(course, here);
        self.ahead = next(self.ahead).or_else(|| {
            let found = course.ahead(here.position, from_m.unwrap_or_default())?;
            Some(Trial::at(found, here))
        });
        self.anywhere = next(self.anywhere).or_else(|| {
            let found = course.place(here.position, Some(here.walked_m))?;
            Some(Trial::at(found, here))
        });
        let holding = [self.ahead, self.anywhere].into_iter().flatten();
        let held = holding
            .filter(|trial| trial.holds(base_m, here.at))
            .min_by(|a, b| {
                let off_m = |trial: &Trial| (trial.along_m - here.walked_m).abs();
                off_m(a).total_cmp(&off_m(b))
            })?;
        self.placed = Some((held.along_m, here.walked_m));
        self.since = Some((held.began_at, held.began_walked_m));
        self.followed_m = held.gone_m();
        (self.missed_m, self.ahead, self.anywhere) = (0.0, None, None);
        Some(held)
    }

    /// Whether the course does not fit the way.
    fn unfit(&self, here: Here) -> Option<CourseUnfit> {
        let trials = [self.ahead, self.anywhere].into_iter().flatten();
        if trials.into_iter().any(|trial| trial.goes_back(self.followed_m)) {
            return Some(CourseUnfit::Reversed);
        }
        let (since, walked_m) = self.since?;
        let walked_m = here.walked_m - walked_m;
        let lasted_s = here.at.duration_since(since).as_secs_f64();
        let judged = walked_m >= JUDGED_M && lasted_s >= JUDGED_S;
        (judged && self.followed_m < FITS_PART * walked_m).then_some(CourseUnfit::Elsewhere)
    }
}

impl Track {
    /// Finds the newest position on the course. `missed_m` is the way that the odometer may have missed before it.
    pub(super) fn follow(&mut self, course: Option<&Course>, step: &TrackStep, missed_m: f64) {
        self.follower.missed_m += missed_m;
        let (Some(course), Some(position)) = (course, step.position) else {
            return;
        };
        let here = Here {
            position,
            at: step.at,
            walked_m: step.distance_m,
        };
        self.follower.since.get_or_insert((here.at, here.walked_m));
        if self.course_unfit == Some(CourseUnfit::Reversed) {
            self.off_course_m = course.off_m(position);
            return;
        }
        if self.course_unfit.is_none()
            && let Some(found) = self.follower.believed(course, here)
        {
            self.off_course_m = Some(found.off_m);
            self.course_m = self.follower.placed.map(|(along_m, _)| along_m);
        } else if let Some(held) = self.follower.held(course, here) {
            self.off_course_m = Some(held.off_m);
            self.course_unfit = None;
            self.course_m = Some(held.along_m);
            self.correct(held.along_m, here.walked_m);
        } else {
            self.off_course_m = course.off_m(position);
        }
        if self.course_unfit.is_none()
            && let Some(unfit) = self.follower.unfit(here)
        {
            self.course_unfit = Some(unfit);
            self.course_m = None;
            self.follower.placed = None;
            let way = self.way.iter_mut();
            way.for_each(|mark| mark.progress_m = mark.walked_m);
            let recent = self.recent.iter_mut();
            recent.for_each(|step| step.progress_m = step.distance_m);
        }
    }

    /// Rewrites the progress of the way up to a corrected place: evenly by the distance covered, from the last mark
    /// that the correction leaves as it was.
    fn correct(&mut self, along_m: f64, walked_m: f64) {
        let kept = self.way.iter().take_while(|mark| mark.progress_m <= along_m);
        let base = kept.fold((0.0, 0.0), |base: (f64, f64), mark| {
            if mark.progress_m > base.0 {
                (mark.progress_m, mark.walked_m)
            } else {
                base
            }
        });
        let per_m = (along_m - base.0) / (walked_m - base.1).max(1.0);
        let corrected = |progress_m: f64, at_m: f64| {
            if at_m <= base.1 {
                progress_m
            } else {
                ((at_m - base.1) * per_m + base.0).min(along_m)
            }
        };
        for mark in &mut self.way {
            mark.progress_m = corrected(mark.progress_m, mark.walked_m);
        }
        for step in &mut self.recent {
            step.progress_m = corrected(step.progress_m, step.distance_m);
        }
    }
}
