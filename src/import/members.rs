//! Which column of a table of points holds which member of a trackpoint. livetrack-mcp's layout is not published, so
//! columns are recognised by their names: Garmin's own, and the usual short ones. Pure.

use serde_json::{Map, Number, Value, json};

/// A member of a trackpoint under Garmin's name, and the factor that converts the column's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PointMember {
    pub(super) name: &'static str,
    factor: f64,
}

pub(super) const TIME: &str = "dateTime";
const LATITUDE: &str = "lat";
const LONGITUDE: &str = "lon";

/// Members that make a table one of points, besides the time and the position.
const MEASURED: [&str; 5] = [
    "heartRateBeatsPerMin",
    "powerWatts",
    "speedMetersPerSec",
    "distanceMeters",
    "totalDistanceMeters",
];

/// Numbers below this are seconds since 1970, and others are milliseconds.
const LEAST_MILLISECONDS: f64 = 1e11;

/// Names of columns in lower case, without separators.
const NAMES: [(&str, f64, &str); 22] = [
    (
        TIME,
        1.0,
        "datetime|timestamp|ts|time|recordedat|pointtime|gpstime|utc|at",
    ),
    ("reportedTime", 1.0, "reportedtime|reportedat"),
    (LATITUDE, 1.0, "lat|latitude|positionlat"),
    (
        LONGITUDE,
        1.0,
        "lon|lng|long|longitude|positionlon|positionlng|positionlong",
    ),
    ("altitude", 1.0, "altitude|altitudem|alt|elevation|elevationm|ele"),
    (
        "speedMetersPerSec",
        1.0,
        "speedmeterspersec|speed|speedmps|speedms|enhancedspeed",
    ),
    ("speedMetersPerSec", 1.0 / 3.6, "speedkmh|speedkph|kmh|kph"),
    ("distanceMeters", 1.0, "distancemeters|distance|distancem|dist"),
    ("distanceMeters", 1000.0, "distancekm|km"),
    (
        "totalDistanceMeters",
        1.0,
        "totaldistancemeters|totaldistance|totaldistancem",
    ),
    ("totalDistanceMeters", 1000.0, "totaldistancekm"),
    ("durationSecs", 1.0, "durationsecs|durations|duration"),
    (
        "totalDurationSecs",
        1.0,
        "totaldurationsecs|totalduration|elapsed|elapsedsecs|elapseds",
    ),
    (
        "heartRateBeatsPerMin",
        1.0,
        "heartratebeatspermin|heartrate|heartratebpm|hr|hrbpm|bpm",
    ),
    ("powerWatts", 1.0, "powerwatts|power|powerw|watts"),
    (
        "cadenceCyclesPerMin",
        1.0,
        "cadencecyclespermin|cadence|cadencerpm|cad|rpm",
    ),
    // Steps of both feet, where Garmin counts the strides of one leg.
    ("cadenceCyclesPerMin", 0.5, "cadencespm|runcadence|spm"),
    ("activityType", 1.0, "activitytype|activity|sport|sporttype"),
    ("activityCreatedTime", 1.0, "activitycreatedtime"),
    ("pointStatus", 1.0, "pointstatus"),
    ("eventTypes", 1.0, "eventtypes|events"),
    ("fitnessPointData", 1.0, "fitnesspointdata"),
];

/// A column's name in lower case, without separators.
pub(super) fn bare(column: &str) -> String {
    let letters = column.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The member that each column holds. If two columns could hold the same, the first does.
pub(super) fn members(columns: &[String]) -> Vec<Option<PointMember>> {
    let mut taken = Vec::new();
    let member = |column: &String| {
        let bare = bare(column);
        let (name, factor, _) = NAMES
            .iter()
            .find(|(.., names)| names.split('|').any(|name| name == bare))?;
        if taken.contains(name) {
            return None;
        }
        taken.push(*name);
        Some(PointMember {
            name,
            factor: *factor,
        })
    };
    columns.iter().map(member).collect()
}

/// Whether these are the members of points: a time, and something that was measured.
pub(super) fn are_of_points(members: &[Option<PointMember>]) -> bool {
    let has = |name: &str| members.iter().flatten().any(|member| member.name == name);
    has(TIME) && (has(LATITUDE) && has(LONGITUDE) || MEASURED.into_iter().any(has))
}

/// Adds a cell to a trackpoint in Garmin's form.
pub(super) fn add(point: &mut Map<String, Value>, member: PointMember, cell: Value) {
    match member.name {
        TIME | "reportedTime" | "activityCreatedTime" => {
            point.insert(member.name.to_owned(), moment(cell));
        }
        LATITUDE | LONGITUDE => {
            let position = point.entry("position").or_insert_with(|| json!({}));
            if let Some(position) = position.as_object_mut() {
                position.insert(member.name.to_owned(), cell);
            }
        }
        _ => {
            point.insert(member.name.to_owned(), scaled(cell, member.factor));
        }
    }
}

/// A time as the reader of trackpoints takes it: text, or whole milliseconds.
fn moment(cell: Value) -> Value {
    let number = match &cell {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        #[expect(clippy::cast_possible_truncation, reason = "the reader checks the range")]
        Some(seconds) if seconds.abs() < LEAST_MILLISECONDS => json!((seconds * 1000.0).round() as i64),
        #[expect(clippy::cast_possible_truncation, reason = "the reader checks the range")]
        Some(milliseconds) => json!(milliseconds.round() as i64),
        None => cell,
    }
}

fn scaled(cell: Value, factor: f64) -> Value {
    let number = match &cell {
        Value::Number(number) => number.as_f64(),
        _ => None,
    };
    match number.and_then(|number| Number::from_f64(number * factor)) {
        Some(scaled) if (factor - 1.0).abs() > f64::EPSILON => scaled.into(),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garmin::livetrack::Trackpoint;

    fn names(columns: &[&str]) -> Vec<Option<&'static str>> {
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let members = members(&columns).into_iter();
        members.map(|member| member.map(|member| member.name)).collect()
    }

    fn read(row: &[(&str, Value)]) -> Trackpoint {
        let columns: Vec<String> = row.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut point = Map::new();
        for (member, (_, cell)) in members(&columns).into_iter().zip(row) {
            add(&mut point, member.unwrap(), cell.clone());
        }
        Trackpoint::read(&point.into()).unwrap()
    }

    #[test]
    fn columns_are_recognised_in_any_spelling() {
        assert_eq!(
            names(&["ts", "Latitude", "lng", "heart_rate", "powerWatts", "note"]),
            [
                Some(TIME),
                Some(LATITUDE),
                Some(LONGITUDE),
                Some("heartRateBeatsPerMin"),
                Some("powerWatts"),
                None
            ]
        );
        // The second of two columns with the same meaning stays as it is.
        assert_eq!(names(&["time", "timestamp"]), [Some(TIME), None]);
    }

    #[test]
    fn only_a_time_with_a_measurement_makes_points() {
        let are = |columns: &[&str]| {
            let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
            are_of_points(&members(&columns))
        };
        assert!(are(&["time", "lat", "lon"]) && are(&["ts", "hr"]));
        assert!(!are(&["time", "lat"]) && !are(&["hr", "power"]) && !are(&["timestamp", "message"]));
    }

    #[test]
    fn units_and_forms_of_time_are_converted() {
        let at = "2026-07-05T09:00:00Z".parse().unwrap();
        for time in [
            json!(1_783_242_000),
            json!(1_783_242_000_000_i64),
            json!(1_783_242_000.0),
            json!("1783242000"),
            json!("2026-07-05 09:00:00"),
            json!("2026-07-05T11:00:00+02:00"),
        ] {
            let point = read(&[
                ("time", time.clone()),
                ("speed_kmh", json!(36)),
                ("spm", json!(172)),
            ]);
            assert_eq!(point.at, at, "{time}");
            assert_eq!((point.speed_mps, point.cadence_rpm), (Some(10.0), Some(86)));
        }
        let point = read(&[
            ("time", json!(1_783_242_000)),
            ("lat", json!(48.1)),
            ("lon", json!("11.5")),
            ("km", json!(1.25)),
        ]);
        assert_eq!(point.position.map(|at| (at.lat, at.lon)), Some((48.1, 11.5)));
        assert_eq!(point.distance_m, Some(1250.0));
    }
}
