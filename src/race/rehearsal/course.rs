//! A course for a rehearsal: read from GPX, and checked against the recording that is to be played on it.

use super::delivery::Delivery;
use super::problem::{CourseMisfit, UnplayableRecording};
use crate::race::course::{Course, CourseFile};
use crate::race::plan::RacePlan;

/// Within this distance of the course the athlete is on it, as in a watched race; metres.
const ON_COURSE_M: f64 = 200.0;

/// Percentage of the positions that must be on the course.
const MOST_ON_IT_PERCENT: f64 = 85.0;

/// At each quarter of the recording, the place along the course may be off by this share of its length.
const IN_ORDER_PART: f64 = 0.15;

/// The part of the course that the recording must reach.
const WHOLE_PART: f64 = 0.97;

/// A course, and how far along it the recording was.
pub(super) struct RehearsedCourse {
    pub(super) file: CourseFile,
    /// Seconds since the start, and metres along the course.
    pub(super) along: Vec<(f64, f64)>,
}

impl RehearsedCourse {
    /// Reads a course and scales it to the recorded distance, as a watched race does with an official distance. Errors:
    /// the text is not a course, or not the course of this recording.
    pub(super) fn read(gpx: &str, delivery: &Delivery) -> Result<Self, UnplayableRecording> {
        let most = RacePlan::course_tolerance(true);
        let file = CourseFile::read(gpx, Some(delivery.whole_m()), most)?;
        let along = along(&file.course, delivery)?;
        let (recorded_km, course_km) = (delivery.whole_m() / 1000.0, file.course.length_m() / 1000.0);
        if (course_km / recorded_km - 1.0).abs() > 0.001 {
            return Err(CourseMisfit::Length {
                recorded_km,
                course_km,
            }
            .into());
        }
        for (part, least, most) in [
            (0.25, 0.25 - IN_ORDER_PART, 0.25 + IN_ORDER_PART),
            (0.5, 0.5 - IN_ORDER_PART, 0.5 + IN_ORDER_PART),
            (0.75, 0.75 - IN_ORDER_PART, 0.75 + IN_ORDER_PART),
            (1.0, WHOLE_PART, 1.0),
        ] {
            let recorded_m = part * delivery.whole_m();
            let due = delivery
                .way
                .partition_point(|(_, metres)| *metres < recorded_m - 0.1);
            let at_s = delivery
                .way
                .get(due)
                .map_or(f64::INFINITY, |(seconds, _)| *seconds);
            let next = along.partition_point(|(seconds, _)| *seconds < at_s);
            let along_m = along
                .get(next)
                .or(along.last())
                .map_or(0.0, |(_, metres)| *metres);
            if !(least..=most + 0.001).contains(&(along_m / file.course.length_m())) {
                return Err(CourseMisfit::Order {
                    recorded_km: recorded_m / 1000.0,
                    course_km: along_m / 1000.0,
                }
                .into());
            }
        }
        Ok(Self { file, along })
    }
}

/// Follows the course with the positions of the recording.
fn along(course: &Course, delivery: &Delivery) -> Result<Vec<(f64, f64)>, CourseMisfit> {
    let (mut from_m, mut placed, mut on_it) = (0.0_f64, 0_usize, 0_usize);
    let mut along = Vec::new();
    for sample in &delivery.samples {
        let Some(position) = sample.point.position else {
            continue;
        };
        placed += 1;
        let Some(at) = course
            .locate(position, from_m)
            .filter(|at| at.off_m <= ON_COURSE_M)
        else {
            // On the course, though not where the athlete can be by now.
            on_it += usize::from(course.off_m(position).is_some_and(|off_m| off_m <= ON_COURSE_M));
            continue;
        };
        on_it += 1;
        from_m = from_m.max(at.along_m);
        let since = sample.point.at.duration_since(delivery.start);
        along.push((since.as_secs_f64(), from_m));
    }
    if placed == 0 {
        return Err(CourseMisfit::NoPositions);
    }
    let on_it_percent = on_it as f64 / placed as f64 * 100.0;
    if on_it_percent < MOST_ON_IT_PERCENT {
        return Err(CourseMisfit::Elsewhere { on_it_percent });
    }
    Ok(along)
}
