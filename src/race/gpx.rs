//! Writes a recorded track as GPX 1.1, with heart rate and cadence in Garmin's extension.

use quick_xml::escape::escape;

use crate::race::track::TrackSample;

/// The text after the last point.
pub const GPX_END: &str = "</trkseg></trk></gpx>\n";

/// The text before the first point. The name may be any text.
pub fn gpx_start(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = escape(name.as_str());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gpx version=\"1.1\" creator=\"garmin-gateway\" xmlns=\"http://www.topografix.com/GPX/1/1\" \
         xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v1\">\n<trk><name>{name}</name><trkseg>\n"
    )
}

/// A point as a line; `None` without a position.
pub fn gpx_point(sample: &TrackSample) -> Option<String> {
    let point = &sample.point;
    let place = point.position?;
    let mut line = format!("<trkpt lat=\"{:.7}\" lon=\"{:.7}\">", place.lat, place.lon);
    let mut put = |part: String| line.push_str(&part);
    if let Some(altitude) = point.altitude_m {
        put(format!("<ele>{altitude}</ele>"));
    }
    put(format!("<time>{}</time>", point.at));
    if point.heart_rate_bpm.is_some() || point.cadence_rpm.is_some() || point.power_w.is_some() {
        put("<extensions>".to_owned());
        if let Some(power) = point.power_w {
            put(format!("<power>{power}</power>"));
        }
        put("<gpxtpx:TrackPointExtension>".to_owned());
        if let Some(heart_rate) = point.heart_rate_bpm {
            put(format!("<gpxtpx:hr>{heart_rate}</gpxtpx:hr>"));
        }
        if let Some(cadence) = point.cadence_rpm {
            put(format!("<gpxtpx:cad>{cadence}</gpxtpx:cad>"));
        }
        put("</gpxtpx:TrackPointExtension></extensions>".to_owned());
    }
    put("</trkpt>\n".to_owned());
    Some(line)
}
