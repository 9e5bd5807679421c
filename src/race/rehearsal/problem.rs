//! Why a recording cannot be played.

use crate::race::course::BadCourse;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UnplayableRecording {
    #[error("it has neither distances nor positions")]
    NoDistance,
    #[error("it is too short: a rehearsal needs 1 km and 10 minutes")]
    TooShort,
    #[error("it is longer than 48 hours, the most that a rehearsal plays")]
    TooLong,
    #[error("its distances fall while its time runs; its points may have the times of another recording")]
    Backwards,
    #[error("it jumps {km:.1} km in {lasted}, {after} after its start; correct its positions or times there")]
    Jump { km: f64, after: String, lasted: String },
    #[error("the course can't be used: {0}")]
    Course(#[from] BadCourse),
    #[error("the course does not fit: {0}")]
    Misfit(#[from] CourseMisfit),
}

/// Why a recording can't be played on a course.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CourseMisfit {
    #[error("it has no positions, so it can't be matched to the course; rehearse it without --course")]
    NoPositions,
    #[error(
        "only {on_it_percent:.0} % of its positions are within 200 m of the course; give the course of this very race"
    )]
    Elsewhere { on_it_percent: f64 },
    #[error(
        "it is {recorded_km:.1} km long and the course {course_km:.1} km; give a course of the whole race, all laps included"
    )]
    Length { recorded_km: f64, course_km: f64 },
    #[error(
        "after {recorded_km:.1} km it is at km {course_km:.1} of the course; the course may be reversed or begin elsewhere"
    )]
    Order { recorded_km: f64, course_km: f64 },
}
