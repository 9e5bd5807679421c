//! The effort of a stretch: metres weighted by the cost of the grade, so that pace can be compared between climbs and
//! flats.

use crate::race::course::Course;
use crate::race::past::PastLap;
use crate::race::sport::LegKind;

/// Time per metre at a grade, relative to the flat, at the same effort. On recordings with elevations, scaling what
/// these costs add by other factors from 0.3 to 1.3 predicted the finish worse.
fn cost(kind: Option<LegKind>, grade: f64) -> f64 {
    let g = grade.clamp(-0.5, 0.5);
    match kind {
        Some(LegKind::Ride) if g > 0.0 => (1.0 + 22.0 * g).min(7.0),
        Some(LegKind::Ride | LegKind::Ski | LegKind::Skate) => (1.0 + 7.0 * g).clamp(0.55, 4.0),
        Some(LegKind::Run | LegKind::Walk | LegKind::Hike) | None => {
            (15.0 * g).mul_add(g, 2.6f64.mul_add(g, 1.0)).clamp(0.7, 4.0)
        }
        Some(_) => 1.0,
    }
}

/// Effort between two distances along the way, in metres of flat ground. Without elevations it is the distance.
pub(crate) fn effort_m(course: Option<&Course>, kind: Option<LegKind>, from_m: f64, to_m: f64) -> f64 {
    let Some(profile) = course.and_then(Course::profile) else {
        return (to_m - from_m).max(0.0);
    };
    let mut effort_m = 0.0;
    profile.walk(from_m, to_m, |length_m, grade| {
        effort_m += length_m * cost(kind, grade);
    });
    effort_m
}

/// Effort of a past lap, in metres of flat ground. A lap tells its climb and descent alone, so its distance is taken to
/// be all slope, up and down in that proportion.
pub(super) fn lap_effort_m(sport: LegKind, lap: &PastLap) -> f64 {
    let slope_m = lap.ascent_m + lap.descent_m;
    if slope_m <= 0.0 {
        return lap.distance_m;
    }
    let (grade, up) = (slope_m / lap.distance_m, lap.ascent_m / slope_m);
    lap.distance_m * (up * cost(Some(sport), grade) + (1.0 - up) * cost(Some(sport), -grade))
}
