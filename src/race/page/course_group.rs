//! The different courses of the athletes on one page.

use super::privacy::HiddenZones;
use super::sign::AthleteSign;
use super::source::PageSource;
use crate::race::course::Course;
use crate::race::geo::distance_m;

/// Courses are the same if their lengths differ by less than this share, and their places by less than this distance.
const SAME_LENGTH: f64 = 0.02;
const SAME_PLACE_M: f64 = 100.0;

/// Places at which two courses are compared.
const COMPARED: u32 = 20;

/// A checkpoint with the same name and less than this many metres away is the same place.
const SAME_CHECKPOINT_M: f64 = 300.0;

/// One athlete on the page, and what is not shown of them.
#[derive(Clone, Copy)]
pub(super) struct MapAthlete<'a> {
    pub(super) source: &'a PageSource,
    pub(super) hidden: &'a HiddenZones,
    /// `None` on the page of one athlete.
    pub(super) sign: Option<&'a AthleteSign>,
}

/// A course, and the checkpoints of all who have it.
pub(super) struct CourseGroup<'a> {
    pub(super) course: &'a Course,
    /// Distance in metres, and name.
    pub(super) checkpoints: Vec<(f64, &'a str)>,
    /// Numbers of the athletes who have it.
    pub(super) athletes: Vec<usize>,
}

/// Each course once, in the order of the athletes.
pub(super) fn routes<'a>(athletes: &[MapAthlete<'a>]) -> Vec<CourseGroup<'a>> {
    let mut routes: Vec<CourseGroup<'a>> = Vec::new();
    for (number, athlete) in athletes.iter().enumerate() {
        let snapshot = &athlete.source.snapshot;
        let Some(course) = snapshot.course.as_deref() else {
            continue;
        };
        let own = snapshot.settings.checkpoints.iter();
        let own = own.map(|checkpoint| (checkpoint.km * 1000.0, checkpoint.name.as_str()));
        match routes
            .iter_mut()
            .find(|route| is_same_course(route.course, course))
        {
            Some(route) => {
                route.athletes.push(number);
                for (at_m, name) in own {
                    let known = |(of_m, of): &(f64, &str)| is_same_place((*of_m, of), (at_m, name));
                    if !route.checkpoints.iter().any(known) {
                        route.checkpoints.push((at_m, name));
                    }
                }
            }
            None => routes.push(CourseGroup {
                course,
                checkpoints: own.collect(),
                athletes: vec![number],
            }),
        }
    }
    routes
}

/// Whether two places on a course, each with distance and name, are one.
pub(super) fn is_same_place(a: (f64, &str), b: (f64, &str)) -> bool {
    (a.0 - b.0).abs() < SAME_CHECKPOINT_M && a.1.to_lowercase() == b.1.to_lowercase()
}

fn is_same_course(a: &Course, b: &Course) -> bool {
    let (a_m, b_m) = (a.length_m(), b.length_m());
    if (a_m - b_m).abs() > SAME_LENGTH * a_m.max(b_m) {
        return false;
    }
    (0..=COMPARED).all(|part| {
        let share = f64::from(part) / f64::from(COMPARED);
        let places = a.position_at(share * a_m).zip(b.position_at(share * b_m));
        places.is_some_and(|(a, b)| distance_m(a, b) < SAME_PLACE_M)
    })
}
