//! Parses a GPX file into its tracks and routes. Waypoints are ignored.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::problem::BadCourse;
use crate::garmin::livetrack::Position;

/// The lines of a file: each track or route is a list of segments, each segment a list of points.
#[derive(Default)]
pub(super) struct GpxLines {
    is_gpx: bool,
    pub(super) tracks: Vec<Vec<Vec<Position>>>,
    /// Each route has exactly one segment.
    pub(super) routes: Vec<Vec<Vec<Position>>>,
}

pub(super) fn parse(text: &str) -> Result<GpxLines, BadCourse> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut lines = GpxLines::default();
    loop {
        match reader.read_event().map_err(|_| BadCourse::NotGpx)? {
            Event::Start(tag) | Event::Empty(tag) => lines.take(&tag)?,
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
            "trkpt" => add_point(&mut self.tracks, position(tag)?),
            "rte" => self.routes.push(Vec::new()),
            "rtept" => add_point(&mut self.routes, position(tag)?),
            _ => {}
        }
        Ok(())
    }
}

/// Appends a point to the last segment of the last line. Some programs write points outside a track or a segment.
fn add_point(lines: &mut Vec<Vec<Vec<Position>>>, point: Position) {
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
