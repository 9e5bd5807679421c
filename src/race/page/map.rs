//! The map: the course, shaded by height, the ways covered, the places, and where the athletes were last seen.

use super::course_group::{CourseGroup, MapAthlete, routes};
use super::drawing::{PathWriter, Projection, WIDTH};
use super::privacy::HiddenZones;
use super::sign::AthleteSign;
use super::source::PageSource;
use super::tiles::{MapTile, tiles};
use super::words::{PageWords, fill};
use crate::garmin::livetrack::Position;
use crate::race::course::Course;

/// Parts in which the course is drawn.
const PARTS: u32 = 480;

/// Classes of height, from the lowest to the highest.
const CLASSES: u8 = 5;

/// A course with less difference in height than this has one class; metres.
const FLAT_M: f64 = 20.0;

/// Labels nearer than this to an earlier one are left out.
const LABEL_WIDE: f64 = 90.0;
const LABEL_HIGH: f64 = 22.0;

const LONGEST_LABEL: usize = 16;

/// Signs of athletes nearer than this would cover each other.
const SIGN_WIDE: f64 = 34.0;

/// A drawing in the units of its view box.
#[derive(Clone, Debug, PartialEq)]
pub struct PageMap {
    pub width: f64,
    pub height: f64,
    /// The tiles below the course, if the operator has a map.
    pub tiles: Vec<MapTile>,
    /// The sentence that credits the map of the tiles.
    pub tiles_credit: Option<String>,
    /// The courses in parts: class of height, and path.
    pub course: Vec<(u8, String)>,
    /// The ways covered, one for each athlete.
    pub tracks: Vec<MapTrack>,
    pub places: Vec<MapPlace>,
    /// The map in words, for people who use a screen reader.
    pub alt: String,
}

/// The way that one athlete covered, and where it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct MapTrack {
    /// Whose it is; `None` on the page of one athlete.
    pub who: Option<AthleteSign>,
    /// The path of the way covered.
    pub covered: String,
    /// Where the athlete was last seen.
    pub here: Option<(f64, f64)>,
    /// Where the sign of the athlete stands: beside `here` if another athlete's sign is there.
    pub sign_at: Option<(f64, f64)>,
}

/// A place on the map; the label is empty where there is no room for it.
#[derive(Clone, Debug, PartialEq)]
pub struct MapPlace {
    pub x: f64,
    pub y: f64,
    pub label: String,
    /// Whether the label stands left of the place.
    pub is_left: bool,
}

/// The map of one athlete or of several. A course that several have is drawn once.
///
/// Courses and places are left out where any of the athletes hides them, because each shows where the others are too.
pub(super) fn map(athletes: &[MapAthlete<'_>], words: &'static PageWords, state: &str) -> Option<PageMap> {
    let hides = |position: Position| athletes.iter().any(|athlete| athlete.hidden.hides(position));
    let routes = routes(athletes);
    let ways: Vec<_> = routes
        .iter()
        .map(|route| (route.course, course_points(route.course, &hides)))
        .collect();
    let on_courses = ways.iter().flat_map(|(_, way)| way.iter().flatten());
    let mut all: Vec<Position> = on_courses.map(|(_, position)| *position).collect();
    for MapAthlete { source, hidden, .. } in athletes {
        let line = source.line.iter().map(|point| point.position);
        all.extend(line.filter(|position| !hidden.hides(*position)));
    }
    let projection = Projection::fit(&all, 260.0, 620.0)?;
    let below = athletes.first().and_then(|athlete| athlete.source.tiles.as_ref());
    let tiles = below.map_or_else(Vec::new, |below| tiles(below, &projection));
    let mut tracks: Vec<MapTrack> = Vec::new();
    for athlete in athletes {
        tracks.push(track(athlete, &projection, &tracks));
    }
    Some(PageMap {
        width: WIDTH,
        height: projection.height,
        tiles_credit: below.filter(|_| !tiles.is_empty()).map(|below| {
            let credit = ("credit", below.credit.as_str());
            match below.server() {
                Some(server) => fill(words.map_tiles, &[credit, ("host", &server.host)]),
                None => fill(words.map_credit, &[credit]),
            }
        }),
        tiles,
        course: ways
            .iter()
            .flat_map(|(course, way)| course_paths(course, way, &projection))
            .collect(),
        tracks,
        places: places(&routes, &hides, words, &projection),
        alt: fill(words.map_alt, &[("state", state)]),
    })
}

fn track(athlete: &MapAthlete<'_>, projection: &Projection, others: &[MapTrack]) -> MapTrack {
    let MapAthlete { source, hidden, sign } = athlete;
    let last = source.line.last().map(|last| last.position);
    let here = last
        .filter(|position| !hidden.hides(*position))
        .map(|position| projection.place(position))
        .map(|(x, y)| (x.round(), y.round()));
    let is_taken = |(x, y): (f64, f64)| {
        let signs = others.iter().filter_map(|other| other.sign_at);
        signs
            .into_iter()
            .any(|(other_x, other_y)| (other_x - x).hypot(other_y - y) < SIGN_WIDE)
    };
    let sign_at = here.map(|(x, y)| {
        let step = if x > WIDTH / 2.0 { -SIGN_WIDE } else { SIGN_WIDE };
        let mut sign_at = (x, y);
        while is_taken(sign_at) && (0.0..=WIDTH).contains(&sign_at.0) {
            sign_at.0 += step;
        }
        sign_at
    });
    MapTrack {
        covered: covered(source, hidden, projection),
        here,
        sign_at,
        who: sign.cloned(),
    }
}

/// Points along the course with their distance; `None` where the position is hidden.
fn course_points(course: &Course, hides: &impl Fn(Position) -> bool) -> Vec<Option<(f64, Position)>> {
    let step_m = course.length_m() / f64::from(PARTS);
    (0..=PARTS)
        .map(|part| {
            let along_m = f64::from(part) * step_m;
            let position = course.position_at(along_m)?;
            (!hides(position)).then_some((along_m, position))
        })
        .collect()
}

fn course_paths(
    course: &Course,
    way: &[Option<(f64, Position)>],
    projection: &Projection,
) -> Vec<(u8, String)> {
    let profile = course.profile();
    let range = profile
        .map(crate::race::course::CourseProfile::range_m)
        .filter(|(low, high)| high - low >= FLAT_M);
    let class = |along_m: f64| {
        let (Some(profile), Some((low, high))) = (profile, range) else {
            return 0;
        };
        height_class((profile.altitude_m(along_m) - low) / (high - low))
    };
    let mut paths: Vec<(u8, PathWriter)> = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for point in way {
        let Some((along_m, position)) = point else {
            before = None;
            continue;
        };
        let (of, at) = (class(*along_m), projection.place(*position));
        match paths.last_mut() {
            Some((last, path)) if *last == of && before.is_some() => path.line_to(at),
            _ => {
                let mut path = PathWriter::default();
                // The parts join, so the next one begins where this one ended.
                if let Some(before) = before {
                    path.line_to(before);
                }
                path.line_to(at);
                paths.push((of, path));
            }
        }
        before = Some(at);
    }
    paths.into_iter().map(|(of, path)| (of, path.finish())).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1"
)]
fn height_class(share: f64) -> u8 {
    ((share * f64::from(CLASSES)).floor().max(0.0) as u8).min(CLASSES - 1)
}

fn covered(source: &PageSource, hidden: &HiddenZones, projection: &Projection) -> String {
    let mut path = PathWriter::default();
    for point in &source.line {
        if hidden.hides(point.position) {
            path.lift();
            continue;
        }
        if point.is_after_gap {
            path.lift();
        }
        path.line_to(projection.place(point.position));
    }
    if path.is_empty() {
        return String::new();
    }
    path.finish()
}

fn places(
    routes: &[CourseGroup<'_>],
    hides: &impl Fn(Position) -> bool,
    words: &'static PageWords,
    projection: &Projection,
) -> Vec<MapPlace> {
    let mut places: Vec<MapPlace> = Vec::new();
    for CourseGroup {
        course, checkpoints, ..
    } in routes
    {
        let named = [(0.0, words.start), (course.length_m(), words.finish)];
        let all = checkpoints.iter().map(|(at_m, name)| (*at_m, *name)).chain(named);
        for (at_m, name) in all {
            let position = course.position_at(at_m).filter(|at| !hides(*at));
            let Some((x, y)) = position.map(|at| projection.place(at)) else {
                continue;
            };
            let is_near = |other: &MapPlace| {
                !other.label.is_empty()
                    && (other.x - x).abs() < LABEL_WIDE
                    && (other.y - y).abs() < LABEL_HIGH
            };
            let label = if places.iter().any(is_near) {
                String::new()
            } else {
                shortened(name)
            };
            places.push(MapPlace {
                x: x.round(),
                y: y.round(),
                label,
                is_left: x > WIDTH * 0.62,
            });
        }
    }
    places
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_LABEL {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST_LABEL - 1).collect();
    format!("{}…", kept.trim_end())
}
