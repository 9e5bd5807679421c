//! GPX: tracks with times, and Garmin's extensions for heart rate, cadence, temperature and power.

use quick_xml::events::BytesStart;

use super::error::FileError;
use super::recording::{Recording, Sample, narrow};
use super::xml::{Points, XmlStep, number, time_s, walk};
use crate::garmin::livetrack::Position;

pub(super) fn recording(text: &str) -> Result<Recording, FileError> {
    let mut points = Points::default();
    let mut point: Option<(Sample, Option<f64>)> = None;
    let mut sport = None;
    let is_whole = walk(text, |step| match step {
        XmlStep::Open { name: "trkseg", .. } => points.begin_segment(),
        XmlStep::Open { name: "trkpt", tag } => {
            let position = position(tag);
            let sample = Sample {
                position,
                ..Sample::default()
            };
            point = Some((sample, None));
        }
        XmlStep::Open { .. } => {}
        XmlStep::Close { name: "trkpt", .. } => {
            if let Some((sample, Some(at_s))) = point.take() {
                points.add(Sample { at_s, ..sample });
            }
        }
        XmlStep::Close { name, text } => match &mut point {
            Some((_, at_s)) if name == "time" => *at_s = time_s(text),
            Some((sample, _)) => set(sample, name, text),
            None if name == "type" && sport.is_none() && !text.is_empty() => {
                sport = Some(text.to_lowercase());
            }
            None => {}
        },
    });
    // Some programs write the newest point first.
    points.samples.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    measure(&mut points.samples);
    Recording::of(points.samples, points.pauses, vec![], sport, !is_whole)
}

fn position(tag: &BytesStart<'_>) -> Option<Position> {
    let degrees = |name: &str, most: f64| {
        let attribute = tag.try_get_attribute(name).ok()??;
        number(attribute.value.trim()).filter(|degrees| degrees.abs() <= most)
    };
    Some(Position {
        lat: degrees("lat", 90.0)?,
        lon: degrees("lon", 180.0)?,
    })
}

fn set(sample: &mut Sample, name: &str, text: &str) {
    let field = match name {
        "ele" => &mut sample.altitude_m,
        "hr" => &mut sample.heart_rate_bpm,
        "cad" | "cadence" => &mut sample.cadence_rpm,
        "atemp" | "temp" => &mut sample.temperature_c,
        "power" | "PowerInWatts" => &mut sample.power_w,
        "speed" => &mut sample.speed_mps,
        _ => return,
    };
    *field = number(text).map(narrow);
}

/// GPX has no distances, so they are measured from position to position.
fn measure(samples: &mut [Sample]) {
    let (mut total_m, mut last) = (0.0, None);
    for sample in samples {
        let Some(position) = sample.position else { continue };
        total_m += last.map_or(0.0, |last: Position| last.distance_m(position));
        last = Some(position);
        sample.distance_m = Some(narrow(total_m));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_reverse_are_measured_in_order_of_time() {
        let point = |minute: u32| {
            let lat = 48.0 + f64::from(minute) / 1000.0;
            format!("<trkpt lat=\"{lat}\" lon=\"10\"><time>2026-01-08T10:{minute:02}:00Z</time></trkpt>")
        };
        let gpx = |minutes: &[u32]| {
            let points: String = minutes.iter().map(|minute| point(*minute)).collect();
            recording(&format!("<gpx><trk><trkseg>{points}</trkseg></trk></gpx>")).unwrap()
        };
        let forwards = gpx(&[0, 1, 2, 3]);
        assert_eq!(gpx(&[3, 2, 1, 0]), forwards);
        assert!((333.0..335.0).contains(&forwards.samples[3].distance_m.unwrap()));
    }
}
