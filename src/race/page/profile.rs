//! The elevation along the course, with the part that is behind.

use super::course_group::{CourseGroup, MapAthlete};
use super::drawing::{MARGIN, PathWriter, WIDTH};
use super::moments::Moments;
use super::sign::AthleteSign;
use super::words::fill;

const HEIGHT: f64 = 150.0;

/// Parts in which the profile is drawn.
const PARTS: u32 = 240;

/// Minimum range of elevations in the drawing, so that a flat course looks flat; metres.
const LEAST_RANGE_M: f64 = 40.0;

/// A drawing in the units of its view box.
#[derive(Clone, Debug, PartialEq)]
pub struct PageProfile {
    pub width: f64,
    pub height: f64,
    /// The line of the whole profile, and the areas below it behind and ahead.
    pub line: String,
    pub behind: String,
    pub ahead: String,
    /// Where the places on the way are.
    pub places: Vec<f64>,
    /// Where the athletes are, with the sign of each on a page of several.
    pub here: Vec<(Option<AthleteSign>, f64)>,
    pub low: String,
    pub high: String,
    /// The profile in words, for people who use a screen reader.
    pub alt: String,
}

/// The profile of a course with its athletes; `None` without elevations. What is behind is drawn for a single athlete.
pub(super) fn profile(
    route: &CourseGroup<'_>,
    athletes: &[MapAthlete<'_>],
    moments: &Moments,
) -> Option<PageProfile> {
    let course = route.course;
    let profile = course.profile()?;
    let length_m = course.length_m();
    let own: Vec<_> = route
        .athletes
        .iter()
        .filter_map(|number| athletes.get(*number))
        .collect();
    let is_hidden = |at_m: f64| {
        let position = course.position_at(at_m);
        let mut all = own.iter();
        all.any(|athlete| athlete.hidden.hides_distance(at_m, position))
    };
    let points: Vec<(f64, f64)> = (0..=PARTS)
        .map(|part| f64::from(part) / f64::from(PARTS) * length_m)
        .filter(|at_m| !is_hidden(*at_m))
        .map(|at_m| (at_m, profile.altitude_m(at_m)))
        .collect();
    let altitudes = || points.iter().map(|(_, altitude_m)| *altitude_m);
    let low = altitudes().reduce(f64::min)?;
    let high = altitudes().reduce(f64::max)?;
    let range = (high - low).max(LEAST_RANGE_M);
    let x = |at_m: f64| at_m / length_m.max(1.0) * WIDTH;
    let base = HEIGHT - 2.0;
    let y = |altitude_m: f64| base - (altitude_m - low) / range * (HEIGHT - 2.0 * MARGIN);
    let here: Vec<_> = own
        .iter()
        .filter_map(|athlete| {
            let track = &athlete.source.snapshot.track;
            let here_m = track.progress_m();
            let is_shown = track.started_at.is_some() && here_m > 0.0 && !is_hidden(here_m);
            is_shown.then(|| (athlete.sign.cloned(), here_m))
        })
        .collect();
    let single = here.first().filter(|(sign, _)| sign.is_none());
    let behind_m = single.map(|(_, here_m)| *here_m);
    let area = |is_in: &dyn Fn(f64) -> bool| {
        let mut path = PathWriter::default();
        let mut ends: Option<(f64, f64)> = None;
        for (at_m, altitude_m) in points.iter().filter(|(at_m, _)| is_in(*at_m)) {
            if ends.is_none() {
                path.line_to((x(*at_m), base));
            }
            path.line_to((x(*at_m), y(*altitude_m)));
            ends = Some((x(*at_m), base));
        }
        if let Some(end) = ends {
            path.line_to(end);
        }
        path.finish()
    };
    let mut line = PathWriter::default();
    for (at_m, altitude_m) in &points {
        line.line_to((x(*at_m), y(*altitude_m)));
    }
    let places = route.checkpoints.iter();
    let (low, high) = (format!("{low:.0}"), format!("{high:.0}"));
    Some(PageProfile {
        width: WIDTH,
        height: HEIGHT,
        line: line.finish(),
        behind: area(&|at_m| behind_m.is_some_and(|behind_m| at_m <= behind_m)),
        ahead: area(&|at_m| behind_m.is_none_or(|behind_m| at_m >= behind_m)),
        here: here
            .iter()
            .map(|(sign, here_m)| (sign.clone(), x(*here_m).round()))
            .collect(),
        places: places
            .map(|(at_m, _)| *at_m)
            .filter(|at_m| !is_hidden(*at_m))
            .map(|at_m| x(at_m).round())
            .collect(),
        alt: fill(
            moments.words.profile_alt,
            &[("km", &moments.km(length_m)), ("low", &low), ("high", &high)],
        ),
        low: format!("{low} m"),
        high: format!("{high} m"),
    })
}
