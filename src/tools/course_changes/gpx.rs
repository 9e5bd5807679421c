//! The name and the points in the text of a GPX file.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};

/// A GPX file in the form of Garmin's import: the name, and the points of its tracks and routes.
pub(super) struct GpxCourse {
    pub(super) name: Option<String>,
    pub(super) points: Vec<Value>,
}

pub(super) fn gpx_course(gpx: &str) -> Result<GpxCourse, String> {
    let mut reader = Reader::from_str(gpx.trim_start_matches('\u{feff}'));
    let (mut name, mut points, mut text) = (None, Vec::new(), String::new());
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                text.clear();
                if matches!(tag.local_name().as_ref(), "trkpt" | "rtept") {
                    points.push(point(&tag).ok_or("gpx: a point has no lat and lon within their ranges")?);
                }
            }
            Ok(Event::Text(more)) => text.push_str(&more),
            Ok(Event::End(tag)) => match tag.local_name().as_ref() {
                "name" if name.is_none() && points.is_empty() => name = Some(text.trim().to_owned()),
                "ele" => {
                    let point = points.last_mut().and_then(Value::as_object_mut);
                    if let (Some(point), Ok(metres)) = (point, text.trim().parse::<f64>()) {
                        point.insert("elevation".to_owned(), json!(metres));
                    }
                }
                _ => {}
            },
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Err("gpx: the text is not well-formed XML".to_owned()),
        }
    }
    if points.len() < 2 {
        return Err("gpx: it has no track or route with at least two points".to_owned());
    }
    let name = name.filter(|name| !name.is_empty());
    Ok(GpxCourse { name, points })
}

fn point(tag: &BytesStart<'_>) -> Option<Value> {
    let degrees = |name: &str, most: f64| {
        let attribute = tag.try_get_attribute(name).ok()??;
        let degrees: f64 = attribute.value.trim().parse().ok()?;
        (degrees.abs() <= most).then_some(degrees)
    };
    let (latitude, longitude) = (degrees("lat", 90.0)?, degrees("lon", 180.0)?);
    Some(json!({"latitude": latitude, "longitude": longitude, "elevation": null, "timestamp": null}))
}
