//! Converts a stored race for the rehearsal: the exported points to a recording, and the drawn course to GPX.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::admin::views::RaceDetail;
use crate::garmin::files::{RecordedSession, Recording, Sample};
use crate::garmin::livetrack::Position;

/// The recording in exported points (CSV with a header). `None` if there is no point in it.
pub(super) fn recording(csv: &str) -> Option<Recording> {
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next()?.split(',').collect();
    let column = |name: &str| names.iter().position(|known| *known == name);
    let [
        at,
        lat,
        lon,
        altitude,
        speed,
        total,
        heart,
        cadence,
        power,
        activity,
    ] = [
        "at",
        "lat",
        "lon",
        "altitude_m",
        "speed_mps",
        "total_distance_m",
        "heart_rate_bpm",
        "cadence_rpm",
        "power_w",
        "activity_type",
    ]
    .map(column);
    let mut start: Option<Timestamp> = None;
    let mut samples: Vec<Sample> = Vec::new();
    let mut sessions: Vec<RecordedSession> = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |column: Option<usize>| cells.get(column?).copied().filter(|cell| !cell.is_empty());
        let figure = |column| cell(column)?.parse::<f32>().ok();
        let degrees = |column| cell(column)?.parse::<f64>().ok();
        let Some(time) = cell(at).and_then(|cell| cell.parse::<Timestamp>().ok()) else {
            continue;
        };
        let at_s = time.duration_since(*start.get_or_insert(time)).as_secs_f64();
        if samples.last().is_some_and(|last| at_s <= last.at_s) {
            continue;
        }
        let position = degrees(lat).zip(degrees(lon));
        samples.push(Sample {
            at_s,
            position: position.map(|(lat, lon)| Position { lat, lon }),
            distance_m: figure(total),
            altitude_m: figure(altitude),
            heart_rate_bpm: figure(heart),
            cadence_rpm: figure(cadence),
            power_w: figure(power),
            speed_mps: figure(speed),
            temperature_c: None,
        });
        // A point without a sport belongs to the leg before it.
        if let Some(sport) = cell(activity).map(str::to_lowercase) {
            match sessions.last_mut() {
                Some(last) if last.sport.as_ref() == Some(&sport) => last.to_s = at_s,
                _ => sessions.push(RecordedSession {
                    sport: Some(sport),
                    from_s: at_s,
                    to_s: at_s,
                }),
            }
        }
    }
    Some(Recording {
        start: start?,
        utc_offset_s: None,
        sport: sessions.first().and_then(|first| first.sport.clone()),
        samples,
        pauses: Vec::new(),
        laps: Vec::new(),
        sessions,
        is_cut: false,
    })
}

/// The course of a race as GPX, with its elevations and with the places before the finish as waypoints. `None` without
/// a course.
pub(super) fn course(detail: &RaceDetail) -> Option<String> {
    let mut way: Vec<(f64, Position)> = Vec::with_capacity(detail.course.len());
    for &(lat, lon) in &detail.course {
        let here = Position { lat, lon };
        let before = way.last().copied();
        let metres = before.map_or(0.0, |(metres, there)| metres + here.distance_m(there));
        way.push((metres, here));
    }
    let (drawn_m, _) = way.last().copied().filter(|_| way.len() > 1)?;
    let whole_m = detail.profile.last().map_or(drawn_m, |(metres, _)| *metres);
    // The drawn points give another length than the gateway's own measurement, so distances are scaled.
    let scale = if drawn_m > 0.0 && whole_m > 0.0 {
        whole_m / drawn_m
    } else {
        1.0
    };
    let mut gpx = String::from("<gpx version=\"1.1\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n");
    for place in detail.places.iter().filter(|place| place.at_m < whole_m - 1.0) {
        if let Some(at) = position(&way, place.at_m / scale) {
            writeln!(
                gpx,
                "<wpt lat=\"{:.7}\" lon=\"{:.7}\"><name>{}</name></wpt>",
                at.lat,
                at.lon,
                escaped(&place.name)
            )
            .ok()?;
        }
    }
    gpx.push_str("<trk><trkseg>\n");
    for (metres, at) in &way {
        write!(gpx, "<trkpt lat=\"{:.7}\" lon=\"{:.7}\">", at.lat, at.lon).ok()?;
        if let Some(metres) = elevation(&detail.profile, metres * scale) {
            write!(gpx, "<ele>{metres:.1}</ele>").ok()?;
        }
        gpx.push_str("</trkpt>\n");
    }
    gpx.push_str("</trkseg></trk></gpx>\n");
    Some(gpx)
}

/// The position at a distance along the way, between the two points around it.
fn position(way: &[(f64, Position)], at_m: f64) -> Option<Position> {
    let next = way.partition_point(|(metres, _)| *metres < at_m);
    let (to_m, to) = *way.get(next)?;
    let Some((from_m, from)) = next.checked_sub(1).and_then(|before| way.get(before)) else {
        return Some(to);
    };
    let part = (at_m - from_m) / (to_m - from_m).max(0.01);
    Some(Position {
        lat: part.mul_add(to.lat - from.lat, from.lat),
        lon: part.mul_add(to.lon - from.lon, from.lon),
    })
}

/// Metres above the sea at a distance from the start, between the two points of the profile around it.
fn elevation(profile: &[(f64, f64)], at_m: f64) -> Option<f64> {
    let next = profile.partition_point(|(metres, _)| *metres < at_m);
    let (to_m, to) = *profile.get(next).or(profile.last())?;
    let Some((from_m, from)) = next.checked_sub(1).and_then(|before| profile.get(before)) else {
        return Some(to);
    };
    let part = ((at_m - from_m) / (to_m - from_m).max(0.01)).clamp(0.0, 1.0);
    Some(part.mul_add(to - from, *from))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
