//! Reasons for refusing a course.

/// The sender of the course can fix each of these.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadCourse {
    #[error("course_gpx: the text is not a GPX file (XML with a gpx element)")]
    NotGpx,
    #[error("course_gpx: a point has no lat and lon within their ranges")]
    BadPoint,
    #[error("course_gpx: it has no track or route of 100 m or more")]
    TooShort,
    #[error("course_gpx: it is longer than 2000 km")]
    TooLong,
    #[error(
        "course_gpx: {line} has parts that are far apart ({parts}); send a file with only the part that is the course"
    )]
    Scattered {
        /// Label such as `track 1`.
        line: String,
        parts: String,
    },
    #[error(
        "course_gpx: the course is {course_km:.1} km long and distance_km is {distance_km:.1}: give the whole course (all laps), \
         or leave the wrong one of the two out (as null if it was given earlier)"
    )]
    Contradicts { course_km: f64, distance_km: f64 },
}
