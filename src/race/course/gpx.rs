//! Parses a GPX file into its tracks, routes and waypoints, with elevations and names.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::problem::BadCourse;
use crate::garmin::livetrack::Position;
use crate::race::text::plain_text;

/// Maximum length of a waypoint's name in characters.
const LONGEST_NAME: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GpxPoint {
    pub(super) position: Position,
    pub(super) altitude_m: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct GpxWaypoint {
    pub(super) name: String,
    pub(super) position: Position,
}

/// The lines of a file: each track or route is a list of segments, each segment a list of points.
#[derive(Default)]
pub(super) struct GpxLines {
    is_gpx: bool,
    pub(super) tracks: Vec<Vec<Vec<GpxPoint>>>,
    /// Each route has exactly one segment.
    pub(super) routes: Vec<Vec<Vec<GpxPoint>>>,
    pub(super) waypoints: Vec<GpxWaypoint>,
    open: OpenElement,
}

/// The element whose text comes next, and the point that it belongs to.
#[derive(Default)]
struct OpenElement {
    point: PointElement,
    text: TextElement,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum PointElement {
    #[default]
    None,
    Track,
    Route,
    Waypoint,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum TextElement {
    #[default]
    Other,
    Elevation,
    Name,
}

pub(super) fn parse(text: &str) -> Result<GpxLines, BadCourse> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut lines = GpxLines::default();
    loop {
        match reader.read_event().map_err(|_| BadCourse::NotGpx)? {
            Event::Start(tag) => lines.take(&tag)?,
            Event::Empty(tag) => {
                lines.take(&tag)?;
                lines.close(tag.local_name().as_ref());
            }
            Event::Text(text) => lines.text(&text),
            Event::CData(text) => lines.text(&text),
            Event::End(tag) => lines.close(tag.local_name().as_ref()),
            Event::Eof => break,
            _ => {}
        }
    }
    if lines.is_gpx {
        Ok(lines)
    } else {
        Err(BadCourse::NotGpx)
    }
}

impl GpxLines {
    fn take(&mut self, tag: &BytesStart<'_>) -> Result<(), BadCourse> {
        match tag.local_name().as_ref() {
            "gpx" => self.is_gpx = true,
            "trk" => self.tracks.push(Vec::new()),
            "trkseg" => add_to_last(&mut self.tracks, Vec::new()),
            "trkpt" => {
                add_point(&mut self.tracks, position(tag)?);
                self.open.point = PointElement::Track;
            }
            "rte" => self.routes.push(Vec::new()),
            "rtept" => {
                add_point(&mut self.routes, position(tag)?);
                self.open.point = PointElement::Route;
            }
            "wpt" => {
                self.waypoints.push(GpxWaypoint {
                    name: String::new(),
                    position: position(tag)?,
                });
                self.open.point = PointElement::Waypoint;
            }
            "ele" => self.open.text = TextElement::Elevation,
            "name" => self.open.text = TextElement::Name,
            _ => self.open.text = TextElement::Other,
        }
        Ok(())
    }

    fn close(&mut self, name: &str) {
        self.open.text = TextElement::Other;
        if matches!(name, "trkpt" | "rtept" | "wpt") {
            self.open.point = PointElement::None;
        }
    }

    fn text(&mut self, text: &str) {
        let lines = match (self.open.point, self.open.text) {
            (PointElement::Track, TextElement::Elevation) => &mut self.tracks,
            (PointElement::Route, TextElement::Elevation) => &mut self.routes,
            (PointElement::Waypoint, TextElement::Name) => {
                if let Some(waypoint) = self.waypoints.last_mut() {
                    waypoint.name.push_str(&plain_text(text));
                    waypoint.name = waypoint.name.chars().take(LONGEST_NAME).collect();
                }
                return;
            }
            _ => return,
        };
        let point = lines.last_mut().and_then(|line| line.last_mut()?.last_mut());
        if let (Some(point), Ok(altitude_m)) = (point, text.trim().parse::<f64>()) {
            point.altitude_m = Some(altitude_m).filter(|m| (-1000.0..=12_000.0).contains(m));
        }
    }
}

/// Appends a point to the last segment of the last line. Some programs write points outside a track or a segment.
fn add_point(lines: &mut Vec<Vec<Vec<GpxPoint>>>, position: Position) {
    let point = GpxPoint {
        position,
        altitude_m: None,
    };
    if lines.last().is_none_or(Vec::is_empty) {
        add_to_last(lines, Vec::new());
    }
    if let Some(line) = lines.last_mut() {
        add_to_last(line, point);
    }
}

/// Appends an item to the last list, creating one if there is none.
fn add_to_last<T>(lists: &mut Vec<Vec<T>>, item: T) {
    match lists.last_mut() {
        Some(last) => last.push(item),
        None => lists.push(vec![item]),
    }
}

fn position(tag: &BytesStart<'_>) -> Result<Position, BadCourse> {
    let degrees = |name: &str, most: f64| {
        let attribute = tag.try_get_attribute(name).ok()??;
        let degrees: f64 = attribute.value.trim().parse().ok()?;
        (-most..=most).contains(&degrees).then_some(degrees)
    };
    let position = || {
        Some(Position {
            lat: degrees("lat", 90.0)?,
            lon: degrees("lon", 180.0)?,
        })
    };
    position().ok_or(BadCourse::BadPoint)
}
