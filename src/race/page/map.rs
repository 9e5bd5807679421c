//! The map: the course, shaded by height, the way covered, the places, and where the athlete was last seen.

use super::drawing::{PathWriter, Projection, WIDTH};
use super::privacy::HiddenZones;
use super::source::PageSource;
use super::tiles::{MapTile, tiles};
use super::words::{PageWords, fill};
use crate::garmin::livetrack::Position;
use crate::race::course::Course;
use crate::race::track::SHORTEST_STOP_S;

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

/// A drawing in the units of its view box.
#[derive(Clone, Debug, PartialEq)]
pub struct PageMap {
    pub width: f64,
    pub height: f64,
    /// The tiles below the course, if the operator has a map.
    pub tiles: Vec<MapTile>,
    /// Whose map the tiles are.
    pub tiles_credit: Option<String>,
    /// The course in parts: class of height, and path.
    pub course: Vec<(u8, String)>,
    /// The path of the way covered.
    pub covered: String,
    pub places: Vec<MapPlace>,
    /// Where the athlete was last seen.
    pub here: Option<(f64, f64)>,
    /// Whether the athlete stands there.
    pub stands: bool,
    /// The map in words, for people who hear the page.
    pub alt: String,
    /// What is not shown, in words.
    pub hidden: Option<String>,
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

pub(super) fn map(
    source: &PageSource,
    hidden: &HiddenZones,
    words: &'static PageWords,
    state: &str,
) -> Option<PageMap> {
    let snapshot = &source.snapshot;
    let course = snapshot.course.as_deref();
    let ways = course.map_or_else(Vec::new, |course| course_points(course, hidden));
    let shown = |position: &Position| !hidden.hides(*position);
    let mut all: Vec<Position> = ways.iter().flatten().map(|(_, position)| *position).collect();
    all.extend(source.line.iter().map(|point| point.position).filter(shown));
    let projection = Projection::fit(&all, 260.0, 620.0)?;
    let here = source
        .line
        .last()
        .map(|last| last.position)
        .filter(shown)
        .map(|position| projection.place(position))
        .map(|(x, y)| (x.round(), y.round()));
    let standing = snapshot.track.standing();
    let below = source.tiles.as_ref();
    let tiles = below.map_or_else(Vec::new, |below| tiles(below, &projection));
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
        course: course_paths(course, &ways, &projection),
        covered: covered(source, hidden, &projection),
        places: places(source, hidden, words, &projection),
        here,
        stands: standing.is_some_and(|stop| stop.duration_s() >= SHORTEST_STOP_S),
        alt: fill(words.map_alt, &[("state", state)]),
        hidden: hidden
            .radius_m()
            .map(|radius_m| fill(words.map_hidden, &[("m", &format!("{radius_m:.0}"))])),
    })
}

/// Points along the course with their distance; `None` where a family sees none.
fn course_points(course: &Course, hidden: &HiddenZones) -> Vec<Option<(f64, Position)>> {
    let step_m = course.length_m() / f64::from(PARTS);
    (0..=PARTS)
        .map(|part| {
            let along_m = f64::from(part) * step_m;
            let position = course.position_at(along_m)?;
            (!hidden.hides(position)).then_some((along_m, position))
        })
        .collect()
}

fn course_paths(
    course: Option<&Course>,
    ways: &[Option<(f64, Position)>],
    projection: &Projection,
) -> Vec<(u8, String)> {
    let profile = course.and_then(Course::profile);
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
    for point in ways {
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
    source: &PageSource,
    hidden: &HiddenZones,
    words: &'static PageWords,
    projection: &Projection,
) -> Vec<MapPlace> {
    let Some(course) = source.snapshot.course.as_deref() else {
        return Vec::new();
    };
    let checkpoints = source.snapshot.settings.checkpoints.iter();
    let named = [(0.0, words.start), (course.length_m(), words.finish)];
    let all = checkpoints
        .map(|checkpoint| (checkpoint.km * 1000.0, checkpoint.name.as_str()))
        .chain(named);
    let mut places: Vec<MapPlace> = Vec::new();
    for (at_m, name) in all {
        let position = course.position_at(at_m).filter(|at| !hidden.hides(*at));
        let Some((x, y)) = position.map(|at| projection.place(at)) else {
            continue;
        };
        let is_near = |other: &MapPlace| {
            !other.label.is_empty() && (other.x - x).abs() < LABEL_WIDE && (other.y - y).abs() < LABEL_HIGH
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
    places
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_LABEL {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST_LABEL - 1).collect();
    format!("{}…", kept.trim_end())
}
