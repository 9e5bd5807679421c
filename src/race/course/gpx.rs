//! FieldReader a GPX file: its tracks, or its routes when it has no track.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::BadCourse;
use crate::garmin::livetrack::Position;

/// All points of a GPX file in order. Points of tracks win over points of routes; waypoints are not on the way.
pub(super) fn places(text: &str) -> Result<Vec<Position>, BadCourse> {
    let mut reader = Reader::from_str(text);
    let mut found = Found::default();
    loop {
        match reader.read_event().map_err(|_| BadCourse::NotGpx)? {
            Event::Start(tag) | Event::Empty(tag) => found.take(&tag)?,
            Event::Eof => break,
            _ => {}
        }
    }
    if !found.is_gpx {
        return Err(BadCourse::NotGpx);
    }
    Ok(if found.track.is_empty() {
        found.route
    } else {
        found.track
    })
}

#[derive(Default)]
struct Found {
    is_gpx: bool,
    track: Vec<Position>,
    route: Vec<Position>,
}

impl Found {
    fn take(&mut self, tag: &BytesStart<'_>) -> Result<(), BadCourse> {
        let points = match tag.local_name().as_ref() {
            "trkpt" => &mut self.track,
            "rtept" => &mut self.route,
            name => {
                self.is_gpx |= name == "gpx";
                return Ok(());
            }
        };
        points.push(position(tag).ok_or(BadCourse::BadPoint)?);
        Ok(())
    }
}

fn position(tag: &BytesStart<'_>) -> Option<Position> {
    let degrees = |name: &str, most: f64| {
        let attribute = tag.try_get_attribute(name).ok()??;
        let degrees: f64 = attribute.value.trim().parse().ok()?;
        (-most..=most).contains(&degrees).then_some(degrees)
    };
    Some(Position {
        lat: degrees("lat", 90.0)?,
        lon: degrees("lon", 180.0)?,
    })
}
